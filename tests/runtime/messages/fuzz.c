/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a message, and as the data of a response. What is taken is written
 * again, and that has to be taken too, and to be written as the same bytes.
 *
 *     build/fuzz/tests/fuzz_messages -max_len=4096 CORPUS
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "messages/vectors.h"

static uint8_t room[1 << 16], again[1 << 16];

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int is_well)
{
    if (!is_well)
        abort();
}

/* Its views are read to their last byte: a sanitizer sees where they lie. */
static void repeat(struct lam_protocol_message *message)
{
    struct lam_protocol_message second;
    uint64_t bytes, more;

    check(lam_protocol_write_message(message, room, sizeof(room), &bytes) == 0);
    check(lam_protocol_read_message(&second, room, bytes, NULL) == 0);
    check(lam_protocol_write_message(&second, again, sizeof(again), &more) == 0);
    check(bytes == more && memcmp(room, again, bytes) == 0);
}

static void read_data(struct lam_protocol_view data)
{
    struct lam_protocol_negotiation negotiation;
    struct lam_protocol_health_report health;
    struct lam_protocol_stats_report stats;
    struct lam_protocol_module module;
    uint64_t bytes;

    if (lam_protocol_read_negotiation(&negotiation, data, NULL) == 0)
        check(lam_protocol_write_negotiation(&negotiation, room, sizeof(room), &bytes) == 0);
    if (lam_protocol_read_health_report(&health, data, NULL) == 0)
        check(lam_protocol_write_health_report(&health, room, sizeof(room), &bytes) == 0);
    if (lam_protocol_read_module(&module, data, NULL) == 0)
        check(lam_protocol_write_module(&module, room, sizeof(room), &bytes) == 0);
    if (lam_protocol_read_stats_report(&stats, data, NULL) == 0) {
        for (uint32_t i = 0; i < stats.module_count; i++)
            check(lam_protocol_next_module(&stats.packed, &module) == 1);
        check(lam_protocol_next_module(&stats.packed, &module) == 0);
    }
}

/* Every vector into the folder of the corpus, if one is given. */
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    for (int i = 1; i < *count; i++) {
        const char *folder = (*arguments)[i];

        if (folder[0] == '-')
            continue;
        check(mkdir(folder, 0777) == 0 || errno == EEXIST);
        for (unsigned k = 0; k < KNOWN_COUNT; k++) {
            struct vector vector = vector_of(known[k].name);
            char path[4096];
            FILE *file;

            (void)snprintf(path, sizeof(path), "%s/%s", folder, known[k].name);
            file = fopen(path, "w");
            check(file != NULL && fwrite(vector.bytes, 1, vector.count, file) == vector.count);
            check(fclose(file) == 0);
        }
        break;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t types[] = {0, 1, 2, 3, 4, 16, 32, 33, 48, 96};
    struct lam_protocol_message message;
    uint8_t whole[4096 + LAM_PROTOCOL_HEADER_BYTES];

    if (lam_protocol_read_message(&message, data, size, NULL) == 0)
        repeat(&message);
    read_data((struct lam_protocol_view){data, size});
    if (size < 1 || size > 4096)
        return 0;
    /* As a body of some type, behind a header that is right: what no mutation finds by luck. */
    message.header = (struct lam_protocol_header){
        .type = types[data[0] % sizeof(types)], .body_bytes = (uint32_t)size - 1};
    lam_protocol_write(&message.header, whole);
    memcpy(whole + LAM_PROTOCOL_HEADER_BYTES, data + 1, size - 1);
    if (lam_protocol_read_message(&message, whole, LAM_PROTOCOL_HEADER_BYTES + size - 1, NULL) ==
        0) {
        repeat(&message);
        if (message.header.type == LAM_PROTOCOL_RESPONSE)
            read_data(message.body.response.data);
    }
    return 0;
}
