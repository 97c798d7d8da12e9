/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blake3_chunks.c: eight chunks at once, each in a lane of its own.
 */
#include <string.h>

#include "hash/blake3_mix.h"

const uint32_t blake3_iv[8] = {
    BLAKE3_IV0, BLAKE3_IV1, BLAKE3_IV2, BLAKE3_IV3, BLAKE3_IV4, BLAKE3_IV5, BLAKE3_IV6, BLAKE3_IV7};

const uint8_t blake3_schedule[BLAKE3_ROUNDS][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
    {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
    {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13},
};

/* A word of each lane. */
typedef uint32_t lanes __attribute__((vector_size(4 * BLAKE3_LANES)));

/* The same word in each. */
#define ALL(word) ((lanes){0} + (word))

/* The words of one block of each chunk, by lane. */
static inline __attribute__((always_inline)) void load(lanes words[16], const uint8_t *block)
{
    for (size_t i = 0; i < 16; i++) {
        for (size_t lane = 0; lane < BLAKE3_LANES; lane++) {
            uint32_t word;

            memcpy(&word, block + lane * 1024 + 4 * i, sizeof(word));
            words[i][lane] = blake3_little(word);
        }
    }
}

static inline __attribute__((always_inline)) void hash(
    const uint8_t *data, uint64_t number, uint32_t chains[BLAKE3_LANES][8])
{
    lanes chain[8], low, high;

    for (int i = 0; i < 8; i++)
        chain[i] = ALL(blake3_iv[i]);
    for (size_t lane = 0; lane < BLAKE3_LANES; lane++) {
        low[lane] = (uint32_t)(number + lane);
        high[lane] = (uint32_t)((number + lane) >> 32);
    }
    for (size_t block = 0; block < 16; block++) {
        uint32_t flags =
            (block == 0 ? BLAKE3_CHUNK_START : 0) | (block == 15 ? BLAKE3_CHUNK_END : 0);
        lanes words[16];
        lanes v[16] = {chain[0], chain[1], chain[2], chain[3], chain[4], chain[5], chain[6],
            chain[7], ALL(BLAKE3_IV0), ALL(BLAKE3_IV1), ALL(BLAKE3_IV2), ALL(BLAKE3_IV3), low, high,
            ALL(64), ALL(flags)};

        load(words, data + 64 * block);
#pragma GCC unroll 7
        for (int round = 0; round < BLAKE3_ROUNDS; round++)
            BLAKE3_ROUND(v, words, blake3_schedule[round]);
        for (int i = 0; i < 8; i++)
            chain[i] = v[i] ^ v[i + 8];
    }
    for (size_t lane = 0; lane < BLAKE3_LANES; lane++)
        for (int i = 0; i < 8; i++)
            chains[lane][i] = chain[i][lane];
}

static void hash_anywhere(const uint8_t *data, uint64_t number, uint32_t chains[BLAKE3_LANES][8])
{
    hash(data, number, chains);
}

#ifdef __x86_64__
static __attribute__((target("avx2"))) void hash_by_avx2(
    const uint8_t *data, uint64_t number, uint32_t chains[BLAKE3_LANES][8])
{
    hash(data, number, chains);
}
#endif

void blake3_chunks(const uint8_t *data, uint64_t number, uint32_t chains[BLAKE3_LANES][8])
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        hash_by_avx2(data, number, chains);
        return;
    }
#endif
    hash_anywhere(data, number, chains);
}
