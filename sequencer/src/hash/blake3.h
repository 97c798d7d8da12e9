/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_BLAKE3_H
#define LAM_SEQUENCER_BLAKE3_H

/*
 * blake3.h: BLAKE3, 32 bytes of it, of input that comes in pieces.
 *
 * Source: "BLAKE3: one function, fast everywhere", O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020;
 * the words and figures below are its own. Whole chunks are hashed eight at a time, in the lanes of
 * vectors: of AVX2 where the CPU has it, else of whatever the compiler's target has.
 */

#include <stddef.h>
#include <stdint.h>

#define BLAKE3_BYTES       32
#define BLAKE3_CHUNK_BYTES 1024
#define BLAKE3_DEPTH_MAX   54 /* levels above the chunks: 2^64 bytes */

/* A hash that is being made. The caller's; nothing in it is to be freed. */
struct blake3 {
    /* Roots of complete subtrees, the largest first, that wait for their other half. */
    uint32_t waiting[BLAKE3_DEPTH_MAX][8];
    uint32_t waiting_count;
    uint32_t chunk_bytes; /* of the last chunk, that are in @chunk: it is hashed when more come */
    uint64_t chunk_count; /* that were hashed before it */
    uint8_t chunk[BLAKE3_CHUNK_BYTES];
};

void blake3_init(struct blake3 *hash);

/* @bytes more at @data. */
void blake3_update(struct blake3 *hash, const void *data, uint64_t bytes);

/* What came so far; more may come afterwards. */
void blake3_finish(const struct blake3 *hash, uint8_t digest[BLAKE3_BYTES]);

/* All of it at once. */
void blake3(const void *data, uint64_t bytes, uint8_t digest[BLAKE3_BYTES]);

#endif
