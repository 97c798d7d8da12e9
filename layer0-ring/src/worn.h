/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_WORN_H
#define LAM_RING_WORN_H

/*
 * The producer's private map: a bit for each mapped cell, set when the cell's first word may hold
 * anything (payload, an unpublished stamp), clear when it holds a stamp or a complement.
 *
 * Between horizon and head a clear bit is the start of an event, and a set bit is the inside of
 * one: so the map also answers whether a consumer's cursor can be true.
 */

#include <stdint.h>

struct lam_ring_worn {
    uint64_t *words;
    uint64_t cell_mask;
};

/* Set or clear @count bits from the cell of @sequence on; @count is at most the mapped cells. */
void lam_ring_worn_set(const struct lam_ring_worn *worn, uint64_t sequence, uint64_t count);
void lam_ring_worn_clear(const struct lam_ring_worn *worn, uint64_t sequence, uint64_t count);

/* How many of @count bits from @sequence on are clear. */
uint64_t lam_ring_worn_count_clear(
    const struct lam_ring_worn *worn, uint64_t sequence, uint64_t count);

/* The first sequence from @sequence on whose bit is clear, or @sequence + @count: none. */
uint64_t lam_ring_worn_find_clear(
    const struct lam_ring_worn *worn, uint64_t sequence, uint64_t count);

#endif
