/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_CONSUMER_END_H
#define LAM_RING_CONSUMER_END_H

/*
 * lamina/ring/consumer_end.h: what a consumer holds, and the steps that its calls are made of.
 *
 * Ring, layer 0. Private: visible so that callers can place a consumer, and so that peeks and
 * releases are inline. Applications include lamina/ring/consumer.h and touch nothing of this.
 */

#include <stdint.h>

#include "lamina/base/atomic.h"
#include "lamina/base/inline.h"
#include "lamina/base/lock.h"
#include "lamina/base/wait.h"
#include "lamina/ring/consumer_options.h"
#include "lamina/ring/event.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a plain consumer does not pay for: one test of one word on its path. */
enum lam_ring_guard {
    LAM_RING_GUARD_EVICTION = 1, /* it may be evicted: what it borrowed may be overwritten */
    LAM_RING_GUARD_AFTER = 2,    /* it goes after others: an event is its once they released it */
    LAM_RING_GUARD_APART = 4,    /* headers lie apart from payloads: a ring with many producers */
    LAM_RING_GUARD_PADDING = 8,  /* behind the last that it peeked lies what is no event */
    LAM_RING_GUARD_GROUP = 16,   /* it is a group's member (lamina/ring/group.h); for waits */
    LAM_RING_GUARD_LOSSY = 32,   /* it holds nobody, so it must not peek */
};

/* One that this consumer goes after. Private. */
struct lam_ring_leader {
    uint64_t state;  /* its entry's state word, when we began to follow it */
    uint64_t cursor; /* all below it has released, as seen last */
    uint32_t index;
    uint32_t phase; /* there, gone without leaving, or left: see after.c */
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
};

struct lam_ring_consumer {
    /* Fields are private. What each event touches comes first. */
    const uint8_t *heads; /* the headers: in the cells, or apart from them */
    uint64_t cell_mask;
    uint64_t next;          /* sequence of the next event to peek */
    uint64_t stride;        /* cells of the event before: a guess at those of the next */
    uint64_t round_up;      /* what makes a payload's bytes whole cells, header included */
    uint64_t ordinal;       /* events of the ring before the next one */
    lam_atomic_u64 *cursor; /* shared: all below it is released */
    uint32_t cell_shift;
    uint32_t head_shift; /* log2 of the bytes between two cells' headers */
    uint32_t event_cells_max;
    uint16_t producer_may_sleep;
    uint16_t guards;            /* enum lam_ring_guard: what else a peek looks at */
    uint16_t release_guards;    /* and a release, and a peek where headers lie apart */
    uint32_t index;             /* of its entry in the consumer table */
    lam_atomic_u32 *blocked_on; /* index + 1 of whom a sleeping producer waits for */
    lam_atomic_u64 *chained;    /* bit a consumer that sleeps until another one releases */

    /* The rest is touched when the ring is empty. */
    struct lam_ring *ring;
    struct lam_lock lock;
    uint64_t entry_state; /* what our entry's state word must say */
    uint64_t padding;     /* GUARD_PADDING: where that starts, */
    uint64_t padding_end; /* and where it ends */
    uint64_t odd_cells;   /* that were no events, one after another, */
    uint64_t odd_ordinal; /* before this one */
    uint64_t probe_at_ns; /* when to see next whether the producer is alive */
    uint32_t idle_streak;
    uint32_t quick_waits;   /* not told yet: see lam_ring_consumer_tell_waits() */
    uint32_t producer_dead; /* the last probe's answer, for the epoch below */
    uint64_t producer_epoch;
    enum lam_wait_mode wait;
    enum lam_ring_policy policy;
    struct lam_cadence cadence;
    uint64_t lost_at_start; /* of what a predecessor had not released */
    uint32_t resumed;
    uint32_t is_named; /* leaves its place to who comes by its name */

    /* With LAM_RING_GUARD_AFTER. */
    uint64_t after_bound; /* all below it was released by all that go before */
    uint32_t leader_count;
    struct lam_ring_leader leaders[LAM_RING_AFTER_COUNT_MAX];
};

/* The rare parts of a peek and of a release. */
int lam_ring_consumer_idle(struct lam_ring_consumer *consumer);
int lam_ring_consumer_poison(struct lam_ring_consumer *consumer);
int lam_ring_consumer_odd(struct lam_ring_consumer *consumer);
void lam_ring_consumer_wake_producer(struct lam_ring_consumer *consumer);
int lam_ring_consumer_holds(const struct lam_ring_consumer *consumer);
int lam_ring_consumer_guard_peek(struct lam_ring_consumer *consumer);
int lam_ring_consumer_guard_release(struct lam_ring_consumer *consumer);
void lam_ring_consumer_wake_chained(struct lam_ring_consumer *consumer);

/* The header of the event that starts at @sequence: in its cell, or apart. */
LAM_INLINE const struct lam_event_header *lam_ring_consumer_cell(
    const struct lam_ring_consumer *consumer, uint64_t sequence)
{
    return (const struct lam_event_header *)(const void *)(consumer->heads +
                                                           ((sequence & consumer->cell_mask)
                                                               << consumer->head_shift));
}

/* Where headers lie apart: the cell whose payload it is, with the place of a header unused. */
LAM_INLINE const struct lam_event_header *lam_ring_consumer_apart(
    const struct lam_ring_consumer *consumer, uint64_t sequence)
{
    return (const struct lam_event_header *)(const void *)(consumer->ring->cells +
                                                           ((sequence & consumer->cell_mask)
                                                               << consumer->cell_shift));
}

#ifdef __cplusplus
}
#endif

#endif
