/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_PRODUCER_END_H
#define LAM_RING_PRODUCER_END_H

/*
 * lamina/ring/producer_end.h: what a producer holds, and the steps that its calls are made of.
 *
 * Ring, layer 0. Private: visible so that callers can place a producer, and so that claims and
 * commits are inline. Applications include lamina/ring/producer.h and touch nothing of this.
 */

#include <stdint.h>

#include "lamina/base/assert.h"
#include "lamina/base/atomic.h"
#include "lamina/base/crash_point.h"
#include "lamina/base/inline.h"
#include "lamina/base/lock.h"
#include "lamina/base/wait.h"
#include "lamina/ring/event.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_ring_producer {
    /* Fields are private. What each publish touches comes first. */
    uint8_t *cells;
    uint64_t cell_mask;
    uint64_t next;         /* sequence of the next event */
    uint64_t limit;        /* consumers have released all below limit - depth */
    uint64_t claimed_end;  /* sequence behind the claim; next: nothing is claimed */
    uint64_t round_up;     /* what makes a payload's bytes whole cells, header included */
    uint64_t slack;        /* since the last tally: bytes that events left unused in their cells */
    uint64_t *worn;        /* a bit a mapped cell: its first word has carried payload */
    uint64_t waypoint_due; /* bookkeeping is due at this sequence */
    uint64_t payload_bytes_max;
    uint32_t cell_shift;
    uint32_t may_sleep;       /* consumers may sleep: look for them */
    lam_atomic_u64 *sleeping; /* bit a consumer: it sleeps, or is about to */

    /* The rest is touched when the ring is full, and at waypoints. */
    struct lam_ring *ring;
    struct lam_lock lock;
    uint64_t horizon;
    uint64_t horizon_ordinal;
    uint64_t released;      /* the last scan: every gating consumer is past all below it */
    uint64_t joins;         /* the count of joiners that the last scan has seen */
    uint64_t waypoint_last; /* sequence of the newest waypoint */
    uint64_t tallied;       /* events below it are in the two counts that follow */
    uint64_t ordinal;       /* events published, all epochs */
    uint64_t bytes;         /* payload bytes published, all epochs */
    uint64_t epoch;
    uint64_t probe_at_ns;      /* when to see next whether the blocker is alive */
    uint64_t blocked_since_ns; /* 0 not blocked */
    uint64_t full_since_ns;    /* not counted yet: the ring has been full since then; 0 it is not */
    uint64_t blocker_state;    /* of its entry: another one in that entry is another */
    uint32_t blocker_index;    /* who held us back last; UINT32_MAX nobody */
    uint32_t full_streak;
    uint32_t look_now; /* the next failed look reads the clock */
    uint32_t closed;   /* or failed */
    uint32_t failed;
    uint32_t timestamp_every;
    uint32_t timestamp_left; /* commits to the next time, that one included; 0 never */
    uint64_t timed_bytes_max;
    enum lam_wait_mode wait;
    struct lam_cadence cadence;
    uint64_t hold_at;                   /* what is overwritten only when those have come */
    uint32_t await_count;               /* buffer until so many have come; 0 no longer */
    uint32_t await_name_count;          /* likewise */
    const char *const *await_names;     /* the caller's */
    struct lam_ring_required *required; /* the caller's, or NULL: lamina/ring/required.h */
};

/* The rare part of a claim. Returns as lam_ring_producer_try_claim(). */
int lam_ring_producer_make_room(struct lam_ring_producer *producer, uint64_t cell_count);

/* The rare parts of a commit. */
void lam_ring_producer_wear(struct lam_ring_producer *producer, uint64_t from, uint64_t cell_count);
void lam_ring_producer_unwear_slow(
    struct lam_ring_producer *producer, uint64_t from, uint64_t cell_count);
void lam_ring_producer_waypoint(struct lam_ring_producer *producer);
void lam_ring_producer_wake(struct lam_ring_producer *producer);

LAM_INLINE struct lam_event_header *lam_ring_producer_cell(
    const struct lam_ring_producer *producer, uint64_t sequence)
{
    return (struct lam_event_header *)(void *)(producer->cells + ((sequence & producer->cell_mask)
                                                                     << producer->cell_shift));
}

LAM_INLINE uint64_t lam_ring_producer_cell_count(
    const struct lam_ring_producer *producer, uint64_t payload_bytes)
{
    return (payload_bytes + producer->round_up) >> producer->cell_shift;
}

/* Bytes that an event leaves unused in its cells. */
LAM_INLINE uint64_t lam_ring_producer_slack(
    const struct lam_ring_producer *producer, uint64_t cell_count, uint64_t payload_bytes)
{
    return (cell_count << producer->cell_shift) - LAM_EVENT_HEADER_BYTES - payload_bytes;
}

/*
 * Old bytes must never pass for a stamp: before an event that ends at @sequence is stamped, the
 * first word of that cell is made to differ from it, if it has carried payload.
 */
LAM_INLINE void lam_ring_producer_clear(struct lam_ring_producer *producer, uint64_t sequence)
{
    uint64_t index = sequence & producer->cell_mask;
    uint64_t bit = UINT64_C(1) << (index & 63);

    if (producer->worn[index >> 6] & bit) {
        /* Relaxed: R1 of the event before it carries it to whoever comes to poll here. */
        lam_store_relaxed(&lam_ring_producer_cell(producer, sequence)->stamp, ~sequence);
        producer->worn[index >> 6] &= ~bit;
    }
}

/* The cells of a batch get stamps or are worn again: what they held before is of no account. */
LAM_INLINE void lam_ring_producer_unwear(
    struct lam_ring_producer *producer, uint64_t from, uint64_t cell_count)
{
    uint64_t index = from & producer->cell_mask;
    uint64_t bit = index & 63;

    /* Within one word, and not around the end of a map that is shorter than a word. */
    if (bit + cell_count <= 63 && index + cell_count <= producer->cell_mask)
        producer->worn[index >> 6] &= ~(((UINT64_C(1) << cell_count) - 1) << bit);
    else
        lam_ring_producer_unwear_slow(producer, from, cell_count);
}

/*
 * Publish what was written from @first on: the next event comes at @end.
 *
 * A core looks only a few stores ahead for lines that it will need to own, private stores counted:
 * what an event stores bounds how many lines are under way at once. So nothing is counted here.
 */
LAM_INLINE void lam_ring_producer_advance(
    struct lam_ring_producer *producer, struct lam_event_header *first, uint64_t end)
{
    /*
     * R1, pairs with A1 in lam_ring_consumer_try_peek(): whoever sees the stamp sees the header,
     * the payload, the later stamps of a batch, and the cleared cell behind.
     */
    lam_store_release(&first->stamp, producer->next);
    LAM_CRASH_POINT("publish.stamp_stored");
    producer->next = end;
    if (producer->may_sleep) {
        /*
         * F1, pairs with F2 in the consumer's park: either we see its bit, or it sees our stamp
         * when it looks again.
         */
        lam_fence_seq_cst();
        if (__builtin_expect(lam_load_relaxed(producer->sleeping) != 0, 0))
            lam_ring_producer_wake(producer);
    }
    if (__builtin_expect((int64_t)(end - producer->waypoint_due) >= 0, 0))
        lam_ring_producer_waypoint(producer);
}

#ifdef __cplusplus
}
#endif

#endif
