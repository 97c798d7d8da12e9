/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a frame of either side. What is taken is written again, as the
 * same bytes.
 *
 *     build/fuzz/tests/fuzz_sequencer_frame -max_len=4096 CORPUS
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "frames.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int is_well)
{
    if (!is_well)
        abort();
}

/* Every known frame into the folder of the corpus, if one is given. */
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    for (int i = 1; i < *count; i++) {
        const char *folder = (*arguments)[i];

        if (folder[0] == '-')
            continue;
        check(mkdir(folder, 0777) == 0 || errno == EEXIST);
        for (unsigned k = 0; k < KNOWN_FRAMES; k++) {
            uint8_t bytes[128];
            uint32_t length = frames_bytes(&known_frames[k], bytes);
            char path[4096];
            FILE *file;

            check(snprintf(path, sizeof(path), "%s/%u", folder, k) < (int)sizeof(path));
            file = fopen(path, "w");
            check(file != NULL && fwrite(bytes, 1, length, file) == length);
            check(fclose(file) == 0);
        }
        break;
    }
    return 0;
}

static void repeat(enum frame_side side, const uint8_t *data, size_t size)
{
    static uint8_t again[1 << 16];
    struct frame frame;

    if (frame_decode(&frame, side, data, size) != 0)
        return;
    check(frame.bytes + frame.count == data + size);
    check(frame_encode(&frame, again, sizeof(again)) == size && memcmp(again, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t length;
    uint8_t whole[4096];

    if (frame_length(data, size, FRAME_BYTES_MAX, &length) == 1)
        check(length >= FRAME_HEADER_BYTES && length <= FRAME_BYTES_MAX);
    repeat(FRAME_OF_CLIENT, data, size);
    repeat(FRAME_OF_NODE, data, size);
    if (size < 4 || size > sizeof(whole))
        return 0;
    /* With a length that is right: what no mutation finds by luck. */
    memcpy(whole, data, size);
    for (unsigned i = 0; i < 4; i++)
        whole[i] = (uint8_t)(size >> 8 * i);
    repeat(FRAME_OF_CLIENT, whole, size);
    repeat(FRAME_OF_NODE, whole, size);
    return 0;
}
