/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_blake3.c: the digest of the published vectors, whatever pieces the input comes in.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash/blake3.h"

#define INPUT_BYTES (128 * 1024 + 1)
#define TEXT_BYTES  (2 * BLAKE3_BYTES + 1)

static uint8_t input[INPUT_BYTES];

static void setup(void)
{
    for (uint32_t i = 0; i < INPUT_BYTES; i++)
        input[i] = (uint8_t)(i % 251);
}

TestSuite(blake3, .init = setup, .timeout = 30);

static const char *text_of(const uint8_t digest[BLAKE3_BYTES])
{
    static char text[TEXT_BYTES];

    for (size_t i = 0; i < BLAKE3_BYTES; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

static const char *hash_in_pieces(uint64_t bytes, uint64_t piece)
{
    uint8_t digest[BLAKE3_BYTES] = {0};
    struct blake3 hash;

    blake3_init(&hash);
    for (uint64_t at = 0; at < bytes; at += piece)
        blake3_update(&hash, input + at, bytes - at < piece ? bytes - at : piece);
    blake3_finish(&hash, digest);
    return text_of(digest);
}

/* Of the published vectors: around one block, one chunk, two, and where lanes are full. */
static const struct {
    uint32_t bytes;
    const char *digest;
} known[] = {
    {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
    {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
    {64, "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98"},
    {65, "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee"},
    {1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"},
    {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
    {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
    {2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"},
    {2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"},
    {4097, "9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995"},
    {8192, "aae792484c8efe4f19e2ca7d371d8c467ffb10748d8a5a1ae579948f718a2a63"},
    {8193, "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b"},
    {31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"},
    {102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
};

Test(blake3, the_digest_is_the_published_one)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        uint8_t digest[BLAKE3_BYTES] = {0};

        blake3(input, known[i].bytes, digest);
        cr_assert(
            eq(str, (char *)text_of(digest), (char *)known[i].digest), "%u bytes", known[i].bytes);
    }
}

Test(blake3, pieces_of_any_size_make_the_same_digest)
{
    static const uint64_t pieces[] = {1, 3, 63, 64, 65, 1023, 1024, 1025, 4096, 8191, 8192, 8193};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++)
            cr_assert(
                eq(str, (char *)hash_in_pieces(known[i].bytes, pieces[j]), (char *)known[i].digest),
                "%u bytes by %u", known[i].bytes, (unsigned)pieces[j]);
}

Test(blake3, what_came_so_far_can_be_asked_and_more_may_come)
{
    uint8_t digest[BLAKE3_BYTES] = {0};
    struct blake3 hash;
    uint32_t at = 0;

    blake3_init(&hash);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        blake3_update(&hash, input + at, known[i].bytes - at);
        at = known[i].bytes;
        blake3_finish(&hash, digest);
        cr_assert(eq(str, (char *)text_of(digest), (char *)known[i].digest), "%u bytes", at);
    }
}

/* All vectors of the reference's file, where the data is. */
Test(blake3, every_published_vector_holds)
{
    const char *folder = getenv("LAMINA_TEST_DATA");
    char path[4096], line[8192], want[TEXT_BYTES];
    unsigned bytes = 0, count = 0;
    uint8_t digest[BLAKE3_BYTES] = {0};
    FILE *file;

    if (folder == NULL)
        cr_skip_test("LAMINA_TEST_DATA is not set: blake3/test_vectors.json is not read");
    (void)snprintf(path, sizeof(path), "%s/blake3/test_vectors.json", folder);
    file = fopen(path, "r");
    cr_assert(file != NULL, "%s", path);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, " \"input_len\": %u", &bytes) == 1 && bytes <= INPUT_BYTES)
            blake3(input, bytes, digest);
        else if (sscanf(line, " \"hash\": \"%64[0-9a-f]", want) == 1 && ++count > 0)
            cr_assert(eq(str, (char *)text_of(digest), want), "%u bytes", bytes);
    }
    (void)fclose(file);
    cr_assert(count >= 35, "%u vectors", count);
}
