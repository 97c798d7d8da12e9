/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the checksum is CRC-32C, by the instruction and by the table. Method: the vectors of RFC
 * 3720, B.4, then random bytes of every length and alignment, both ways against bit by bit.
 */
#include "crc32c_table.h"
#include "lamina/base/crc32c.h"
#include "ring_stream.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static uint32_t by_table(const void *bytes, size_t count)
{
    return ~lam_crc32c_by_table(~UINT32_C(0), bytes, count);
}

static uint32_t bit_by_bit(const uint8_t *bytes, size_t count)
{
    uint32_t state = ~UINT32_C(0);

    for (size_t bit = 0; bit < 8 * count; bit++) {
        uint32_t one = (state ^ (uint32_t)(bytes[bit / 8] >> (bit % 8))) & 1;

        state = state >> 1 ^ (one ? UINT32_C(0x82F63B78) : 0);
    }
    return ~state;
}

Test(crc32c, known_vectors_are_known)
{
    static const uint8_t read_command[48] = {[0] = 0x01,
        [1] = 0xc0,
        [16] = 0x14,
        [22] = 0x04,
        [27] = 0x14,
        [31] = 0x18,
        [32] = 0x28,
        [40] = 0x02};
    uint8_t bytes[32] = {0};

    cr_assert(eq(u32, lam_crc32c(0, bytes, 0), 0));
    cr_assert(eq(u32, lam_crc32c(0, bytes, 32), 0x8a9136aa));
    memset(bytes, 0xff, 32);
    cr_assert(eq(u32, lam_crc32c(0, bytes, 32), 0x62a8ab43));
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    cr_assert(eq(u32, lam_crc32c(0, bytes, 32), 0x46dd794e));
    cr_assert(eq(u32, by_table(bytes, 32), 0x46dd794e));
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    cr_assert(eq(u32, lam_crc32c(0, bytes, 32), 0x113fdb5c));
    cr_assert(eq(u32, lam_crc32c(0, read_command, 48), 0xd9963a56));
    cr_assert(eq(u32, by_table(read_command, 48), 0xd9963a56));
    cr_assert(eq(u32, lam_crc32c(0, "123456789", 9), 0xe3069283));
    cr_assert(eq(u32, by_table("123456789", 9), 0xe3069283));
}

Test(crc32c, instruction_table_and_bits_agree_at_every_length_and_alignment)
{
    uint64_t random = 9;
    uint8_t bytes[96];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)test_random(&random);
    for (size_t from = 0; from < 8; from++) {
        for (size_t count = 0; count <= sizeof(bytes) - from; count++) {
            uint32_t wanted = bit_by_bit(bytes + from, count);

            cr_assert(eq(u32, lam_crc32c(0, bytes + from, count), wanted));
            cr_assert(eq(u32, by_table(bytes + from, count), wanted));
        }
    }
}

/* Where long bytes are taken in several runs at once, of 336 and of 1344 bytes. */
Test(crc32c, instruction_and_table_agree_about_every_length_of_runs)
{
    static const size_t around[] = {1008, 2016, 3024, 4032, 5040, 8064, 9072};
    static uint8_t bytes[9100];
    uint64_t random = 10;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)test_random(&random);
    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
        for (size_t count = around[i] - 9; count <= around[i] + 9; count++) {
            size_t from = count % 8;

            cr_assert(eq(u32, lam_crc32c(0, bytes + from, count), by_table(bytes + from, count)));
        }
}

Test(crc32c, a_word_goes_before_the_bytes_behind_it)
{
    uint64_t random = 11, word = test_random(&random);
    uint8_t bytes[1500];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)test_random(&random);
    for (size_t count = 0; count <= sizeof(bytes); count += 1 + count / 8)
        cr_assert(eq(u32, lam_crc32c_of_word(word, bytes, count),
            lam_crc32c(lam_crc32c(0, &word, sizeof(word)), bytes, count)));
}

Test(crc32c, pieces_make_the_whole)
{
    static const char text[] = "control first, data last";
    uint32_t whole = lam_crc32c(0, text, sizeof(text));

    for (size_t cut = 0; cut <= sizeof(text); cut++)
        cr_assert(
            eq(u32, lam_crc32c(lam_crc32c(0, text, cut), text + cut, sizeof(text) - cut), whole));
}
