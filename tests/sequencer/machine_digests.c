/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_digests.c: for machine_builds.sh, which builds it in several ways. A journal is made
 * once, as a file, and applied by each build, which prints what came of it.
 *
 *     machine_digests make FILE     machine_digests apply FILE
 *
 * Alone it does both, and comes to the state that is written here: the same on every machine and in
 * every later version, or its images and journals are not those of before (IMAGE_VERSION).
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "machine_records.h"

#define RECORDS 30000

static const char last_state[] = "c49ad50f284720f42a4a318d50058679af68aa204f21a3309c9f9bdb6da2e2a5";

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

static char text[2 * BLAKE3_BYTES + 1]; /* of the digest that was printed last */

static void print(const char *what, const uint8_t digest[BLAKE3_BYTES])
{
    for (size_t i = 0; i < BLAKE3_BYTES; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    (void)printf("%s %s\n", what, text);
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
    blake3_finish(&hash, digest);
    print("items", digest);
    machine_digest(machine, digest);
    print("state", digest);
    machine_destroy(machine);
}

int main(int count, char **words)
{
    int is_make = count == 3 && strcmp(words[1], "make") == 0;
    FILE *file = count == 1 ? tmpfile() : fopen(words[count - 1], is_make ? "wb" : "rb");

    CHECK(file != NULL);
    if (is_make || count == 1)
        make(file);
    rewind(file);
    if (!is_make)
        apply(file);
    CHECK(fclose(file) == 0);
    CHECK(count != 1 || strcmp(text, last_state) == 0);
    return 0;
}
