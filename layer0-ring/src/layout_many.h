/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_LAYOUT_MANY_H
#define LAM_RING_LAYOUT_MANY_H

/*
 * The bytes of a ring with many producers: who they are, and where each claims.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/atomic.h"
#include "lamina/base/identity.h"
#include "lamina/ring/ring.h"

/* One of many producers. The low byte of its state; above it, a generation. */
enum lam_ring_many_state {
    LAM_RING_MANY_FREE = 0,
    LAM_RING_MANY_OPEN = 1,
    LAM_RING_MANY_CLOSED = 2, /* it has left in order; it may still hold its lock */
};

struct lam_ring_many_entry {
    lam_atomic_u64 state;
    struct lam_identity identity;
    char name[LAM_RING_PRODUCER_NAME_MAX + 1];
    /*
     * Where its newest claim starts, or would have: stored before the claim, and left there. One
     * that is neither above nor at a hole says nothing.
     */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 intent;
};

/*
 * Many producers' words, in the data object behind its head: those who may write events may write
 * them, and no others. Behind it lie the events' headers, one for each mapped cell.
 */
struct lam_ring_many {
    lam_atomic_u64 tail;                         /* sequence of the next claim */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 used; /* a bit an entry that was ever used */
    _Alignas(LAM_HOT_BYTES) struct lam_ring_many_entry entries[LAM_RING_PRODUCER_COUNT_MAX];
};

#define LAM_RING_MANY_OFFSET 4096

LAM_STATIC_ASSERT(sizeof(struct lam_ring_many_entry) == 256, "layout version 2");
LAM_STATIC_ASSERT(offsetof(struct lam_ring_many, entries) == 256, "layout version 2");
LAM_STATIC_ASSERT(sizeof(struct lam_ring_many) == 256 + 64 * 256, "layout version 2");

static inline enum lam_ring_many_state lam_ring_many_state_of(uint64_t word)
{
    return (enum lam_ring_many_state)(word & 0xff);
}

static inline uint64_t lam_ring_many_next(uint64_t word, enum lam_ring_many_state state)
{
    return ((word >> 8) + 1) << 8 | (uint64_t)state;
}

/* Many producers' words. */
static inline struct lam_ring_many *lam_ring_many_of(const struct lam_ring *ring)
{
    return (struct lam_ring_many *)(void *)(ring->data.base + LAM_RING_MANY_OFFSET);
}

#endif
