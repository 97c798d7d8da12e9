/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_LAYOUT_TABLE_H
#define LAM_RING_LAYOUT_TABLE_H

/*
 * The bytes of the consumer table: an entry a consumer, and what the members of a group share.
 */

#include <stdint.h>
#include <string.h>

#include "lamina/base/atomic.h"
#include "lamina/base/crash_point.h"
#include "lamina/base/identity.h"
#include "lamina/ring/ring.h"

/* The low byte of a consumer entry's state; above it, a generation that grows with each change. */
enum lam_ring_entry_state {
    LAM_RING_ENTRY_FREE = 0,
    LAM_RING_ENTRY_JOINING = 1,
    LAM_RING_ENTRY_GATING = 2,
    LAM_RING_ENTRY_EXPELLED = 3, /* its cursor was impossible */
    LAM_RING_ENTRY_LOSSY = 4,    /* holds nobody back */
    LAM_RING_ENTRY_EVICTED = 5,  /* it held the producer back for longer than it may */
    LAM_RING_ENTRY_LEFT = 6,     /* detached; its name and place are kept */
    LAM_RING_ENTRY_DEAD = 7,     /* found dead by the producer; likewise */
    LAM_RING_ENTRY_MEMBER = 8,   /* of a group; gates while it holds something */
};

/*
 * Where a consumer stopped: for the next one of its name. It holds for one state word of the entry:
 * @mark's, and the one before @mark, if @mark says GATING: a successor that died as it took over.
 */
struct lam_ring_left {
    lam_atomic_u64 mark;
    lam_atomic_u64 sequence;
    lam_atomic_u64 ordinal; /* events before it */
};

/* For blocked_on, in place of an index: the producer waits for consumers to come. */
#define LAM_RING_ANYONE (UINT32_MAX - 1)

struct lam_ring_entry {
    lam_atomic_u64 state;
    struct lam_identity identity; /* written while joining */
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    lam_atomic_u32 blocked_on;  /* index + 1 when one of many producers sleeps on this consumer */
    lam_atomic_u64 patience_ns; /* evicted after holding the producer back for so long; 0 never */
    /* The consumer's: all below is released. Alone, since the producer reads it. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 cursor;
    lam_atomic_u64 cursor_ordinal; /* a lossy one's: events of the ring before its cursor */
    /* A group's member: whether it has events, from the cursor to the end; see group.c. */
    lam_atomic_u64 holds;
    lam_atomic_u64 hold_end;
    lam_atomic_u64 confirmed; /* what it took up to here, it did take; others say it, too */
    lam_atomic_u64 group;     /* its number */
    /* The consumer's counters. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 parks;
    lam_atomic_u64 lost;        /* events that it was too late for */
    lam_atomic_u64 spin_waits;  /* waits that ended while it spun */
    lam_atomic_u64 yield_waits; /* likewise, after it had yielded */
    lam_atomic_u64 empty;       /* looks that found nothing, in 64s */
    lam_atomic_u64 wakes;       /* system calls made to wake the producer */
    lam_atomic_u64 overruns;    /* times that events were lost */
    lam_atomic_u64 joined;      /* events of the ring before the first that was its; ~0 not yet */
    /* By whoever holds the entry's lock: a place that it left, or took over and has not told of. */
    struct lam_ring_left left;
    /* The consumer's, while it joins: hashes of the names that it goes after, 0 for none. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 after[LAM_RING_AFTER_COUNT_MAX];
    /* The producer's, once it gates: the most cells that it was seen behind. */
    lam_atomic_u64 lag_max;
    /* The producer's: the place of one that it found dead or evicted. */
    struct lam_ring_left taken;
    lam_atomic_u64 required; /* 1: its producer needs it; the entry is kept for its name */
    /* The consumer's: the cursor is a place, below the horizon too. Marked as a left place is. */
    lam_atomic_u64 settled;
    lam_atomic_u64 demand;  /* the consumer's: how full the ring is to look, in thousandths */
    lam_atomic_u64 leaving; /* the consumer's: the state word in which it began to leave */
};

/* The low byte of a group's state; above it, a generation. */
enum lam_ring_group_state {
    LAM_RING_GROUP_FREE = 0,
    LAM_RING_GROUP_OPEN = 1,
    LAM_RING_GROUP_EXPELLED = 2, /* its claim was impossible */
};

/* Changed with the lock of all groups held, but for an open one that the producer expels. */
struct lam_ring_group {
    lam_atomic_u64 state;
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    /* (How far its members have taken events - the ring's first sequence) << 6 | who took last. */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 claim;
};

LAM_STATIC_ASSERT(sizeof(struct lam_ring_entry) == 512, "layout version 2");
LAM_STATIC_ASSERT(sizeof(struct lam_ring_group) == 256, "layout version 2");

/* The enum lam_ring_entry_state in an entry's state word, and the word of its next change. */
static inline enum lam_ring_entry_state lam_ring_entry_state_of(uint64_t word)
{
    return (enum lam_ring_entry_state)(word & 0xff);
}

static inline uint64_t lam_ring_entry_next(uint64_t word, enum lam_ring_entry_state state)
{
    return ((word >> 8) + 1) << 8 | (uint64_t)state;
}

/*
 * Whether a joiner has found its place: until then what is published may lie before it.
 * A24, pairs with R24 in the attach: its walk to that place is over.
 */
static inline int lam_ring_entry_is_settled(const struct lam_ring_entry *entry)
{
    return lam_load_acquire(&entry->joined) != UINT64_MAX;
}

/* Whether a consumer can have this name. */
static inline int lam_ring_is_consumer_name(const char *name)
{
    return name != NULL && name[0] != '\0' && strlen(name) <= LAM_RING_CONSUMER_NAME_MAX;
}

/* Whether what has this mark holds for an entry in the state @word. */
static inline int lam_ring_mark_is_of(uint64_t mark, uint64_t word)
{
    return mark == word || mark == lam_ring_entry_next(word, LAM_RING_ENTRY_GATING);
}

static inline int lam_ring_left_is_of(const struct lam_ring_left *left, uint64_t word)
{
    return lam_ring_mark_is_of(lam_load_acquire(&left->mark), word); /* A32 */
}

/*
 * Whether the owner of @entry in the state @word had found its place. The horizon may have been
 * raised over it while it did: then it gates all the same, and nothing of it was overwritten.
 */
static inline int lam_ring_gates_place(const struct lam_ring_entry *entry, uint64_t word)
{
    return lam_ring_entry_state_of(word) == LAM_RING_ENTRY_GATING &&
           lam_ring_mark_is_of(lam_load_acquire(&entry->settled), word); /* A25 */
}

/* One writer. A reader is told by the state word, which is changed afterwards (R11, A11). */
static inline void lam_ring_left_set(
    struct lam_ring_left *left, uint64_t word, uint64_t sequence, uint64_t ordinal)
{
    lam_store_release(&left->mark, 0);
    lam_fence_release(); /* R32 */
    lam_store_relaxed(&left->sequence, sequence);
    lam_store_relaxed(&left->ordinal, ordinal);
    LAM_CRASH_POINT("place.half_written");
    lam_store_release(&left->mark, word); /* R32 */
}

static inline enum lam_ring_group_state lam_ring_group_state_of(uint64_t word)
{
    return (enum lam_ring_group_state)(word & 0xff);
}

static inline uint64_t lam_ring_group_next(uint64_t word, enum lam_ring_group_state state)
{
    return ((word >> 8) + 1) << 8 | (uint64_t)state;
}

#endif
