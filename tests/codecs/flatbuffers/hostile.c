/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes make a verified message read outside. Method: the example with every byte changed
 * in eleven ways, cut at every length, and with several bytes changed at random; each copy lies in
 * a block of exactly its size, so that AddressSanitizer sees a step too far. What passes is read
 * through every path: description, plain struct, and packing that again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "example.h"

static const struct lam_codec *const codec = &test_all_Everything_flatbuffers;
static unsigned long passed;
static unsigned long refused;

static void read_all(const unsigned char *bytes, size_t size)
{
    static _Alignas(16) unsigned char room[1 << 20];
    static _Alignas(16) unsigned char again[1 << 20];
    static char text[1 << 16];
    struct test_all_Everything value;
    struct lam_arena arena;
    size_t again_size;

    if (codec->verify(codec, bytes, size, NULL) != 0) {
        refused++;
        return;
    }
    passed++;
    if (codec->describe(codec, bytes, size, text, sizeof(text)) < 0)
        abort();
    lam_arena_init(&arena, room, sizeof(room));
    if (test_all_Everything_unpack(bytes, size, &value, &arena) != 0)
        return; /* shared parts can need more than the arena has */
    if (test_all_Everything_pack(&value, again, sizeof(again), &again_size) != 0)
        return;
    if (codec->verify(codec, again, again_size, NULL) != 0)
        abort();
}

static void try_bytes(const unsigned char *bytes, size_t size)
{
    unsigned char *exact;

    if (posix_memalign((void **)&exact, 16, size != 0 ? size : 1) != 0)
        abort();
    memcpy(exact, bytes, size);
    read_all(exact, size);
    free(exact);
}

static void change_each_byte(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char old = bytes[i];
        unsigned char values[11] = {0, 1, 0x7f, 0x80, 0xff, (unsigned char)(old + 1),
            (unsigned char)(old - 1), (unsigned char)(old + 4), (unsigned char)(old - 4),
            (unsigned char)(old ^ 0x10), (unsigned char)(old << 1)};

        for (size_t j = 0; j < sizeof(values); j++) {
            bytes[i] = values[j];
            try_bytes(bytes, size);
        }
        bytes[i] = old;
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void change_at_random(const unsigned char *bytes, size_t size, unsigned rounds)
{
    unsigned char changed[EXAMPLE_BYTES];
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

    for (unsigned i = 0; i < rounds; i++) {
        unsigned count = 1 + (unsigned)(next_random(&state) % 8);

        memcpy(changed, bytes, size);
        while (count-- > 0) {
            size_t at = (size_t)(next_random(&state) % size);

            changed[at] = (unsigned char)next_random(&state);
            if (count % 2 == 0) /* small values make plausible offsets and counts */
                changed[at] &= 0x3f;
        }
        try_bytes(changed, size);
    }
}

int main(void)
{
    static _Alignas(16) unsigned char bytes[EXAMPLE_BYTES];
    size_t size;

    if (example_build(bytes, sizeof(bytes), &size) != 0)
        return 1;
    read_all(bytes, size);
    if (passed != 1)
        return 1;
    for (size_t length = 0; length < size; length++)
        try_bytes(bytes, length);
    change_each_byte(bytes, size);
    change_at_random(bytes, size, 20000);
    printf("%lu refused, %lu read to the end\n", refused, passed);
    return refused > 1000 && passed > 1000 ? 0 : 1;
}
