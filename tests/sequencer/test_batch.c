/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_batch.c: a batch is read back as it was written, in its own place alone, and whatever else
 * lies there is told apart.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "journal/layout.h"

#define SECTOR   512
#define CAPACITY (64 * 1024)
#define SEGMENT  UINT64_C(77)

static _Alignas(8) uint8_t bytes[CAPACITY], copy[CAPACITY];
static struct batch_place began, place;
static struct batch_view view;

static void setup(void)
{
    began = (struct batch_place){
        .segment = SEGMENT, .offset = 4096, .epoch = 3, .next_sequence = UINT64_C(1) << 33};
    memset(began.chain, 0x5a, sizeof(began.chain));
}

TestSuite(batch, .init = setup, .timeout = 60);

/* So many records of 0, 37, 74 ... bytes. Returns the bytes of the batch. */
static uint32_t write_batch(uint32_t records)
{
    struct batch_writer writer;
    uint8_t data[4096];

    memset(data, 0xc3, sizeof(data));
    memset(bytes, 0xee, sizeof(bytes)); /* what was there before */
    batch_begin(&writer, bytes, CAPACITY);
    for (uint32_t i = 0; i < records; i++)
        cr_assert(eq(
            int, batch_add(&writer, SECTOR, (uint16_t)(i + 1), 1000 + i, data, 37 * i % 4096), 0));
    place = began;
    return batch_seal(&writer, SECTOR, &place);
}

/* Without moving anything. */
static enum batch_verdict look(const uint8_t *at, uint64_t count, struct batch_place where)
{
    return batch_read(at, count, &where, &view);
}

Test(batch, what_was_written_is_read)
{
    for (uint32_t records = 1; records < 40; records += 3) {
        uint32_t total = write_batch(records), count = 0;
        struct batch_place reader = began;
        struct batch_record record;

        cr_assert(eq(u32, total % SECTOR, 0));
        cr_assert(eq(int, batch_read(bytes, total, &reader, &view), BATCH_WHOLE));
        cr_assert(eq(int, memcmp(&reader, &place, sizeof(reader)), 0));
        cr_assert(eq(u64, reader.offset, began.offset + total));
        cr_assert(eq(u64, reader.next_sequence, began.next_sequence + records));
        while (batch_next(&view, &record) == 1) {
            cr_assert(eq(u64, record.sequence, began.next_sequence + count));
            cr_assert(eq(u64, record.time_ns, 1000 + count));
            cr_assert(eq(u32, record.kind, count + 1));
            cr_assert(eq(u32, record.bytes, 37 * count));
            for (uint32_t i = 0; i < record.bytes; i++)
                cr_assert(record.data[i] == 0xc3);
            count++;
        }
        cr_assert(eq(u32, count, records));
    }
}

Test(batch, every_flipped_bit_is_seen)
{
    uint32_t total = write_batch(9);

    for (uint32_t bit = 0; bit < 8 * total; bit++) {
        enum batch_verdict verdict;

        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        verdict = look(bytes, total, began);
        cr_assert(verdict == (bit < 8 * BATCH_HEADER_BYTES ? BATCH_NO_HEADER : BATCH_NO_BODY),
            "bit %u: %s", bit, batch_verdict_text(verdict));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert(eq(int, look(bytes, total, began), BATCH_WHOLE));
}

Test(batch, every_length_that_is_too_short_is_seen)
{
    uint32_t total = write_batch(9);

    for (uint32_t count = 0; count < total; count++) {
        uint8_t *cut = malloc(count + 1); /* its end is watched where memory is */

        memcpy(cut, bytes, count);
        cr_assert(eq(int, look(cut, count, began),
            count == 0                   ? BATCH_NOTHING
            : count < BATCH_HEADER_BYTES ? BATCH_NO_HEADER
                                         : BATCH_SHORT));
        free(cut);
    }
}

Test(batch, every_set_of_sectors_that_were_lost_is_seen)
{
    uint32_t total = write_batch(11), sectors = total / SECTOR;

    cr_assert(sectors >= 5 && sectors <= 12);
    for (uint32_t lost = 1; lost < 1u << sectors; lost++) {
        enum batch_verdict verdict;

        memcpy(copy, bytes, total);
        for (uint32_t i = 0; i < sectors; i++)
            if ((lost >> i & 1) != 0)
                memset(copy + (size_t)i * SECTOR, 0, SECTOR);
        verdict = look(copy, total, began);
        cr_assert(verdict == ((lost & 1) != 0 ? BATCH_NOTHING : BATCH_NO_BODY), "sectors %x", lost);
    }
}

Test(batch, it_belongs_to_its_place_alone)
{
    uint32_t total = write_batch(3);
    struct batch_place other = began;

    other.segment++; /* an older segment's batch in a file that is used again */
    cr_assert(eq(int, look(bytes, total, other), BATCH_NO_HEADER));
    other = began;
    other.offset += SECTOR;
    cr_assert(eq(int, look(bytes, total, other), BATCH_MISPLACED));
    other = began;
    other.next_sequence++;
    cr_assert(eq(int, look(bytes, total, other), BATCH_MISPLACED));
    other = began;
    other.epoch++;
    cr_assert(eq(int, look(bytes, total, other), BATCH_MISPLACED));
    other = began;
    other.epoch--; /* a later epoch than before is how an epoch begins */
    cr_assert(eq(int, look(bytes, total, other), BATCH_WHOLE));
    other = began;
    other.chain[31] ^= 1;
    cr_assert(eq(int, look(bytes, total, other), BATCH_MISPLACED));
    cr_assert(eq(int, look(bytes, total, place), BATCH_MISPLACED)); /* once more behind itself */
}

Test(batch, a_header_says_where_it_belongs_whatever_is_behind_it)
{
    uint32_t total = write_batch(3);
    struct batch_place other = began;

    bytes[total - 1] ^= 1;
    cr_assert(eq(int, look(bytes, total, began), BATCH_NO_BODY));
    other.next_sequence++;
    cr_assert(eq(int, look(bytes, total, other), BATCH_MISPLACED));
    cr_assert(batch_has_header(bytes, total, SEGMENT));
    cr_assert(batch_has_header(bytes, BATCH_HEADER_BYTES - 1, SEGMENT) == 0);
    cr_assert(batch_has_header(bytes, total, SEGMENT + 1) == 0);
    cr_assert(batch_has_header(bytes + SECTOR, total - SECTOR, SEGMENT) == 0);
}

/* Checksums are made to hold again: who forges them is not believed either. */
static void seal_again(uint32_t total)
{
    struct batch_header header;
    uint32_t crc;

    memcpy(&header, bytes, sizeof(header));
    header.body_crc =
        htole32(batch_crc(SEGMENT, bytes + BATCH_HEADER_BYTES, total - BATCH_HEADER_BYTES));
    memcpy(bytes, &header, sizeof(header));
    crc = htole32(batch_header_crc(SEGMENT, bytes));
    memcpy(bytes + offsetof(struct batch_header, header_crc), &crc, sizeof(crc));
}

Test(batch, forged_numbers_are_refused_and_read_nothing_beyond_the_end)
{
    static const size_t fields[] = {offsetof(struct batch_header, version),
        offsetof(struct batch_header, count), offsetof(struct batch_header, record_bytes),
        offsetof(struct batch_header, total_bytes), offsetof(struct batch_header, reserved),
        BATCH_HEADER_BYTES /* bytes of the first record */};
    static const uint32_t values[] = {
        1, 2, 7, 511, 513, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            uint32_t total = write_batch(2), value, before;
            uint8_t *exact;

            memcpy(&before, bytes + fields[i], sizeof(before));
            value = before ^ values[j];
            memcpy(bytes + fields[i], &value, sizeof(value));
            seal_again(total);
            exact = malloc(total);
            memcpy(exact, bytes, total);
            value = (uint32_t)look(exact, total, began);
            cr_assert(value == BATCH_NONSENSE || value == BATCH_SHORT, "field %zu ^ %x: %s",
                fields[i], values[j], batch_verdict_text((enum batch_verdict)value));
            free(exact);
        }
}

Test(batch, what_is_reserved_in_a_record_is_zero)
{
    uint32_t total = write_batch(2);

    bytes[BATCH_HEADER_BYTES + offsetof(struct batch_record_header, reserved)] = 1;
    seal_again(total);
    cr_assert(eq(int, look(bytes, total, began), BATCH_NONSENSE));
}

Test(batch, a_full_one_refuses_and_stays_as_it_is)
{
    static uint8_t data[CAPACITY];
    struct batch_writer writer;
    uint32_t room = CAPACITY - BATCH_HEADER_BYTES - BATCH_RECORD_BYTES;

    batch_begin(&writer, bytes, CAPACITY);
    cr_assert(eq(int, batch_add(&writer, SECTOR, 1, 0, data, room + 1), -ENOSPC));
    cr_assert(eq(int, batch_add(&writer, SECTOR, 1, 0, data, UINT32_MAX), -ENOSPC));
    cr_assert(eq(int, batch_add(&writer, SECTOR, 1, 0, data, room - 8), 0));
    cr_assert(eq(int, batch_add(&writer, SECTOR, 1, 0, data, 0), -ENOSPC));
    place = began;
    cr_assert(eq(u32, batch_seal(&writer, SECTOR, &place), CAPACITY));
    cr_assert(eq(int, look(bytes, CAPACITY, began), BATCH_WHOLE));
}

Test(batch, whole_sectors_are_kept_within_the_capacity)
{
    struct batch_writer writer;

    bytes[2 * SECTOR - 1] = 0xee;
    batch_begin(&writer, bytes, 2 * SECTOR - 1);
    cr_assert(eq(int, batch_add(&writer, SECTOR, 1, 0, copy, SECTOR), -ENOSPC));
    cr_assert(eq(int, batch_add(&writer, SECTOR, 1, 0, copy, 8), 0));
    place = began;
    cr_assert(eq(u32, batch_seal(&writer, SECTOR, &place), SECTOR));
    cr_assert(bytes[2 * SECTOR - 1] == 0xee);
}

Test(batch, its_bytes_are_the_same_on_every_machine)
{
    uint8_t digest[BLAKE3_BYTES];

    blake3(bytes, write_batch(3), digest);
    cr_assert(eq(int, memcmp(bytes, "LAMJRNL", 8), 0));
    cr_assert(digest[0] == 0x74 && digest[1] == 0x04 && digest[2] == 0x5e && digest[3] == 0xb0,
        "%02x%02x%02x%02x", digest[0], digest[1], digest[2], digest[3]);
}
