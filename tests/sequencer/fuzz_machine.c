/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any records for a machine, and any image, with a checksum that is right. They
 * are applied or refused; what was loaded is saved as it was, and a copy of it has its digest.
 *
 *     build/fuzz/tests/fuzz_sequencer_machine -max_len=4096 CORPUS
 *
 * The first byte says which: records, each of a kind, a length and its bytes; or changes to a whole
 * image, each of a place and a byte; or an image from its first byte on.
 */
#include <stdlib.h>
#include <string.h>

#include "lamina/base/crc32c.h"
#include "machine_app.h"
#include "machine_records.h"

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine_image whole;

int LLVMFuzzerInitialize(int *count, char ***words)
{
    struct records records;
    struct machine_record record;
    struct story story;

    (void)count;
    (void)words;
    story_begin(&story);
    records_init(&records, 6);
    for (unsigned i = 0; i < 150; i++) {
        records_next(&records, &record);
        if (record.kind == RECORD_COMPARE)
            (void)machine_kept_digest(story.machine, (uint8_t *)&records.data[1]);
        if (machine_apply(story.machine, &record, NULL) != 0)
            abort();
    }
    if (machine_save(story.machine, &whole) != 0)
        abort();
    story_end(&story);
    return 0;
}

static void copies_are_equal(const struct story *story)
{
    uint8_t digest[BLAKE3_BYTES], another[BLAKE3_BYTES];
    struct story copy;

    if (story_copy(story, &copy) != 0)
        abort();
    machine_digest(story->machine, digest);
    machine_digest(copy.machine, another);
    if (memcmp(digest, another, BLAKE3_BYTES) != 0)
        abort();
    story_end(&copy);
}

static void apply_records(struct story *story, const uint8_t *data, size_t size)
{
    struct machine_item item;
    int result = 0;

    story->time_ns = machine_time_ns(story->machine);
    while (result == 0 && size >= 2) {
        uint32_t bytes = data[1];

        if (bytes > size - 2)
            bytes = (uint32_t)size - 2;
        result = story_apply(story, data[0] % 12, data + 2, bytes);
        for (uint32_t i = 0; machine_item(story->machine, i, &item) == 1; i++)
            if (item.count != 0 && item.bytes[item.count - 1] == 0x5a)
                story->error.text[0] = 1; /* read, so that AddressSanitizer looks at it */
        data += 2 + bytes;
        size -= 2 + bytes;
    }
    if (result == 0)
        copies_are_equal(story);
}

/* @count bytes at @bytes, of which the last four become the checksum. */
static void load_image(uint8_t *bytes, size_t count)
{
    struct machine_image again = {0};
    struct story story;
    uint32_t crc;

    if (count >= sizeof(crc)) {
        crc = lam_crc32c(0, bytes, count - sizeof(crc));
        memcpy(bytes + count - sizeof(crc), &crc, sizeof(crc));
    }
    story_begin(&story);
    if (machine_load(story.machine, bytes, count, &story.error) == 0) {
        static const uint8_t more[] = {RECORD_TICK, 0, RECORD_DIGEST, 0, RECORD_OPEN, 48};
        uint8_t records[sizeof(more) + 48] = {0};

        if (machine_save(story.machine, &again) != 0 || again.count != count ||
            memcmp(again.bytes, bytes, count) != 0)
            abort();
        free(again.bytes);
        memcpy(records, more, sizeof(more));
        apply_records(&story, records, sizeof(records));
    }
    story_end(&story);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t begin[] = {
        RECORD_EPOCH, 8, 1, 0, 0, 0, 0, 0, 0, 0, RECORD_STARTED, 0, RECORD_OPEN, 48};
    uint8_t first[sizeof(begin) + 48] = {0}, *bytes;
    size_t count = whole.count;
    struct story story;

    if (size == 0)
        return 0;
    if (data[0] % 3 == 0) {
        memcpy(first, begin, sizeof(begin));
        story_begin(&story);
        apply_records(&story, first, sizeof(first));
        apply_records(&story, data + 1, size - 1);
        story_end(&story);
        return 0;
    }
    if (data[0] % 3 == 1)
        count = size - 1;
    bytes = malloc(count + 1);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data[0] % 3 == 1 ? data + 1 : whole.bytes, count);
    for (size_t i = 1; data[0] % 3 == 2 && i + 3 <= size; i += 3)
        bytes[(data[i] + 256U * data[i + 1]) % count] = data[i + 2];
    load_image(bytes, count);
    free(bytes);
    return 0;
}
