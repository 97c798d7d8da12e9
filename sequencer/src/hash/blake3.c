/* SPDX-License-Identifier: Apache-2.0 */
#include "hash/blake3.h"

#include <string.h>

#include "hash/blake3_mix.h"

/* The chaining value of a node: the first half of what it is compressed to. */
static void compress(const uint32_t chain[8], const uint32_t message[16], uint64_t counter,
    uint32_t bytes, uint32_t flags, uint32_t out[8])
{
    uint32_t v[16] = {chain[0], chain[1], chain[2], chain[3], chain[4], chain[5], chain[6],
        chain[7], BLAKE3_IV0, BLAKE3_IV1, BLAKE3_IV2, BLAKE3_IV3, (uint32_t)counter,
        (uint32_t)(counter >> 32), bytes, flags};

    for (int round = 0; round < BLAKE3_ROUNDS; round++)
        BLAKE3_ROUND(v, message, blake3_schedule[round]);
    for (int i = 0; i < 8; i++)
        out[i] = v[i] ^ v[i + 8];
}

static void load(uint32_t words[16], const uint8_t *data, uint32_t bytes)
{
    memset(words, 0, 64);
    memcpy(words, data, bytes);
    for (int i = 0; i < 16; i++)
        words[i] = blake3_little(words[i]);
}

/* One chunk of 0 to 1024 bytes. @root: BLAKE3_ROOT if it is all of the input, else 0. */
static void hash_chunk(
    const uint8_t *data, uint32_t bytes, uint64_t number, uint32_t root, uint32_t chain[8])
{
    uint32_t flags = BLAKE3_CHUNK_START, words[16];

    memcpy(chain, blake3_iv, sizeof(blake3_iv));
    while (bytes > 64) {
        load(words, data, 64);
        compress(chain, words, number, 64, flags, chain);
        flags = 0;
        data += 64;
        bytes -= 64;
    }
    load(words, data, bytes);
    compress(chain, words, number, bytes, flags | BLAKE3_CHUNK_END | root, chain);
}

static void hash_parent(
    const uint32_t left[8], const uint32_t right[8], uint32_t root, uint32_t chain[8])
{
    uint32_t words[16];

    memcpy(words, left, 32);
    memcpy(words + 8, right, 32);
    compress(blake3_iv, words, 0, 64, BLAKE3_PARENT | root, chain);
}

/* The next whole chunk: it completes as many subtrees as its number has zeros at its end. */
static void add(struct blake3 *hash, const uint32_t chain[8])
{
    uint32_t node[8];

    memcpy(node, chain, sizeof(node));
    for (uint64_t count = ++hash->chunk_count; (count & 1) == 0; count >>= 1)
        hash_parent(hash->waiting[--hash->waiting_count], node, 0, node);
    memcpy(hash->waiting[hash->waiting_count++], node, sizeof(node));
}

void blake3_init(struct blake3 *hash)
{
    hash->waiting_count = 0;
    hash->chunk_bytes = 0;
    hash->chunk_count = 0;
}

/* More is coming, so the chunk is not the last one. */
static void end_chunk(struct blake3 *hash)
{
    uint32_t chain[8];

    hash_chunk(hash->chunk, BLAKE3_CHUNK_BYTES, hash->chunk_count, 0, chain);
    add(hash, chain);
    hash->chunk_bytes = 0;
}

#define LANES_BYTES ((uint64_t)BLAKE3_LANES * BLAKE3_CHUNK_BYTES)

/* Whole chunks, as long as something comes behind them. Returns how many bytes. */
static uint64_t take_chunks(struct blake3 *hash, const uint8_t *data, uint64_t bytes)
{
    uint32_t chains[BLAKE3_LANES][8];
    uint64_t taken = 0;

    while (bytes - taken > LANES_BYTES) {
        blake3_chunks(data + taken, hash->chunk_count, chains);
        for (int i = 0; i < BLAKE3_LANES; i++)
            add(hash, chains[i]);
        taken += LANES_BYTES;
    }
    while (bytes - taken > BLAKE3_CHUNK_BYTES) {
        hash_chunk(data + taken, BLAKE3_CHUNK_BYTES, hash->chunk_count, 0, chains[0]);
        add(hash, chains[0]);
        taken += BLAKE3_CHUNK_BYTES;
    }
    return taken;
}

void blake3_update(struct blake3 *hash, const void *data, uint64_t bytes)
{
    const uint8_t *from = data;

    while (bytes > 0) {
        uint64_t count = 0;

        if (hash->chunk_bytes == BLAKE3_CHUNK_BYTES)
            end_chunk(hash);
        if (hash->chunk_bytes == 0)
            count = take_chunks(hash, from, bytes);
        from += count;
        bytes -= count;
        count = BLAKE3_CHUNK_BYTES - hash->chunk_bytes;
        count = bytes < count ? bytes : count;
        memcpy(hash->chunk + hash->chunk_bytes, from, count);
        hash->chunk_bytes += (uint32_t)count;
        from += count;
        bytes -= count;
    }
}

void blake3_finish(const struct blake3 *hash, uint8_t digest[BLAKE3_BYTES])
{
    uint32_t left = hash->waiting_count, node[8];

    hash_chunk(
        hash->chunk, hash->chunk_bytes, hash->chunk_count, left == 0 ? BLAKE3_ROOT : 0, node);
    while (left-- > 0)
        hash_parent(hash->waiting[left], node, left == 0 ? BLAKE3_ROOT : 0, node);
    for (int i = 0; i < 8; i++)
        node[i] = blake3_little(node[i]);
    memcpy(digest, node, BLAKE3_BYTES);
}

void blake3(const void *data, uint64_t bytes, uint8_t digest[BLAKE3_BYTES])
{
    struct blake3 hash;

    blake3_init(&hash);
    blake3_update(&hash, data, bytes);
    blake3_finish(&hash, digest);
}
