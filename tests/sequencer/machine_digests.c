/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_digests.c: for machine_builds.sh, which builds it in several ways. A journal is made
 * once, as a file, and applied by each build, which prints what came of it.
 *
 *     machine_digests make FILE     machine_digests apply FILE
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "machine_records.h"

#define RECORDS 30000

/* In front of a record's data, in the file. */
struct lying {
    uint64_t time_ns;
    uint32_t bytes;
    uint16_t kind, reserved;
};

static void make(FILE *file)
{
    struct records records;
    struct machine_record record;

    records_init(&records, 4711);
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct lying lying = {0};

        records_next(&records, &record);
        if (record.kind == RECORD_COMPARE) /* its digest is a live copy's, and there is none */
            record.kind = RECORD_DIGEST;
        lying.time_ns = record.time_ns;
        lying.bytes = record.kind == RECORD_DIGEST ? 0 : record.bytes;
        lying.kind = record.kind;
        CHECK(fwrite(&lying, sizeof(lying), 1, file) == 1);
        CHECK(fwrite(record.data, 1, lying.bytes, file) == lying.bytes);
    }
}

static void print(const char *what, const uint8_t digest[BLAKE3_BYTES])
{
    (void)printf("%s ", what);
    for (unsigned i = 0; i < BLAKE3_BYTES; i++)
        (void)printf("%02x", digest[i]);
    (void)printf("\n");
}

/* What was answered and published is one hash. */
static void hash_items(struct blake3 *hash, const struct machine *machine)
{
    struct machine_item item;

    for (uint32_t i = 0; machine_item(machine, i, &item) == 1; i++) {
        const uint64_t numbers[] = {(uint64_t)item.kind, item.index, (uint64_t)item.is_repeat,
            item.sequence, item.session, item.request, item.count};

        blake3_update(hash, numbers, sizeof(numbers));
        blake3_update(hash, item.bytes, item.count);
    }
}

static void apply(FILE *file)
{
    const struct machine_config config = {
        .app = &machine_app, .sessions_max = 4, .window = 8, .reply_bytes = 400};
    struct machine_record record = {0};
    uint8_t digest[BLAKE3_BYTES];
    struct machine *machine;
    uint64_t data[32];
    struct lying lying;
    struct blake3 hash;

    CHECK(machine_create(&machine, &config, NULL) == 0);
    blake3_init(&hash);
    while (fread(&lying, sizeof(lying), 1, file) == 1) {
        CHECK(lying.bytes <= sizeof(data) && fread(data, 1, lying.bytes, file) == lying.bytes);
        record.time_ns = lying.time_ns;
        record.data = data;
        record.bytes = lying.bytes;
        record.kind = lying.kind;
        CHECK(machine_apply(machine, &record, NULL) == 0);
        hash_items(&hash, machine);
        if (record.kind == RECORD_DIGEST && record.sequence % 16 == 0) {
            (void)machine_kept_digest(machine, digest);
            print("state", digest);
        }
        record.sequence++;
    }
    CHECK(record.sequence == RECORDS);
    machine_digest(machine, digest);
    print("state", digest);
    blake3_finish(&hash, digest);
    print("items", digest);
    machine_destroy(machine);
}

int main(int count, char **words)
{
    int is_make = count == 3 && strcmp(words[1], "make") == 0;
    FILE *file;

    CHECK(count == 3);
    file = fopen(words[2], is_make ? "wb" : "rb");
    CHECK(file != NULL);
    if (is_make)
        make(file);
    else
        apply(file);
    CHECK(fclose(file) == 0);
    return 0;
}
