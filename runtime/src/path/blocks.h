/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_BLOCKS_H
#define LAM_RUNTIME_BLOCKS_H

/*
 * blocks.h: memory of its own for each thread that runs a stage, found by its seat.
 *
 * A block is made of zeros when its thread first asks for it, stays until the end, and is then the
 * next thread's in that seat. It is written by its thread alone; anybody may read all of them.
 */

#include "internal.h"

struct lam_blocks {
    lam_atomic_u64 *by_seat; /* addresses, or 0 */
    lam_atomic_u32 used;     /* seats from there on have none */
    uint32_t bytes;
};

/* Blocks of @bytes, a multiple of 64. Returns 0 or -ENOMEM. */
int lam_blocks_open(struct lam_blocks *blocks, uint32_t bytes);
void lam_blocks_close(struct lam_blocks *blocks);

/* Of the seat at @index, or NULL. */
static inline void *lam_blocks_at(const struct lam_blocks *blocks, uint32_t index)
{
    /* B2, pairs with B1 in lam_blocks_make(): its zeros. */
    return (void *)(uintptr_t)lam_load_acquire(&blocks->by_seat[index]);
}

/* How many may be asked for. */
static inline uint32_t lam_blocks_count(const struct lam_blocks *blocks)
{
    return lam_load_acquire(&blocks->used); /* B4, pairs with B3 in lam_blocks_make() */
}

void *lam_blocks_make(struct lam_blocks *blocks, uint32_t index);

/* This thread's, inside a call. NULL: no memory for it. */
static inline void *lam_blocks_own(struct lam_blocks *blocks)
{
    uint32_t index = lam_seat_index(lam_seat_own);
    void *block = lam_blocks_at(blocks, index);

    return __builtin_expect(block != NULL, 1) ? block : lam_blocks_make(blocks, index);
}

/* Add to a counter of this thread's own block. */
static inline void lam_blocks_add(lam_atomic_u64 *counter, uint64_t value)
{
    /* Relaxed, both: one writer, and each counter stands for itself. */
    lam_store_relaxed(counter, lam_load_relaxed(counter) + value);
}

#endif
