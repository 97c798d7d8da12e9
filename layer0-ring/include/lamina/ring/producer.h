/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_PRODUCER_H
#define LAM_RING_PRODUCER_H

/*
 * lamina/ring/producer.h: the end that writes.
 *
 * Ring, layer 0. One producer at a time, held by a lock that the kernel drops at its death; the
 * next one takes the next epoch and continues the sequence. Claim space, write the payload where it
 * will be read, commit; or abort, and nothing was there. Events become visible whole, in order; a
 * batch becomes visible all at once.
 *
 * All calls from one thread at a time. The inline ones make no system call, except to wake a peer
 * that sleeps, and allocate nothing.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/crash_point.h"
#include "lamina/base/lock.h"
#include "lamina/base/prefetch.h"
#include "lamina/base/wait.h"
#include "lamina/ring/event.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How far ahead a batch asks for the cells that it will write: measured, see README.md. */
#define LAM_RING_PREFETCH_CELLS 12

struct lam_ring_producer_options {
    enum lam_wait_mode wait;  /* while the ring is full; a SPIN_ONLY ring spins or yields */
    uint64_t spin_ns;         /* the spin window, ns; 0: HYBRID learns it, YIELD has the default */
    uint32_t timestamp_every; /* lamina/ring/timestamp.h: so many commits have one time; 0 none */
    /*
     * Buffer until consumers come: the ring may be filled before, and nothing of it is overwritten
     * until so many gate it, and those of these names. Then it ends by itself. Names are kept by
     * the caller until then, or until detach.
     */
    uint32_t await_count;
    uint32_t await_name_count; /* at most 64 */
    const char *const *await_names;
};

struct lam_ring_producer {
    /* Fields are private. What each publish touches comes first. */
    uint8_t *cells;
    uint64_t cell_mask;
    uint64_t next;         /* sequence of the next event */
    uint64_t limit;        /* consumers have released all below limit - depth */
    uint64_t claimed_end;  /* sequence behind the claim; next: nothing is claimed */
    uint64_t round_up;     /* what makes a payload's bytes whole cells, header included */
    uint64_t staged;       /* batch: sequence of the next event to stage */
    uint64_t slack;        /* since the last tally: bytes that events left unused in their cells */
    uint64_t staged_slack; /* batch: likewise, of what is staged */
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

/* Who holds a producer back. */
struct lam_ring_blocker {
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    uint32_t index;     /* in the consumer table; from 64 on it is a group, short of members */
    uint32_t pid;       /* as the consumer wrote it, in its own namespace */
    uint64_t lag_cells; /* between its cursor and the producer */
    uint64_t since_ns;  /* how long the producer has waited for it, 0 it does not */
};

/*
 * Become the producer of @ring, which was created or attached for writing and is kept until
 * lam_ring_producer_detach(). @options may be NULL. After a predecessor that died, unfinished
 * events are dropped, published ones kept, and the epoch grows.
 *
 * Allocates the private map of worn cells. Returns 0, or
 *   -EINVAL   the ring is for many producers; or more is awaited than a ring can have, or a name
 *             that no consumer can have
 *   -EBUSY    another producer is alive; @error has its pid
 *   -ENOENT   the ring was destroyed or replaced since it was attached: attach it anew
 *   -EACCES   the ring is mapped read-only
 *   -EPROTO   the data object makes no sense; @error says which field
 *   -ENOTSUP  no lock can be taken here (no /proc)
 *   -ENOMEM, -errno
 */
int lam_ring_producer_attach(struct lam_ring_producer *producer, struct lam_ring *ring,
    const struct lam_ring_producer_options *options, struct lam_error *error);

/*
 * Close the ring in order: consumers get -EPIPE once they have taken the last event. A claim in
 * hand is aborted. The next producer opens the ring again.
 */
void lam_ring_producer_close(struct lam_ring_producer *producer);

/* Give the end back. Without a close before, consumers see a producer that died. */
void lam_ring_producer_detach(struct lam_ring_producer *producer);

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
 * Claim room for one event of up to @payload_bytes, without waiting.
 *
 * *@payload is borrowed until commit or abort: contiguous, 16-byte aligned, with old bytes in it.
 * At most one claim at a time. Wait-free while the cached bound lasts; else walks the consumer
 * table once.
 *
 * Returns 1; 0 the ring is full (lam_ring_producer_blocker() says whom it waits for); or
 *   -EMSGSIZE        larger than half the ring (lam_ring_payload_bytes_max())
 *   -EPIPE           this producer has closed the ring
 *   -ECANCELED       it has failed the ring, or a required consumer is missing, stalled or dead
 *                    for longer than it may (lamina/ring/required.h); as the next
 *   -ENOTRECOVERABLE a consumer found the data impossible: the ring is poisoned. Seen when the
 *                    cached bound is used up, not at once
 */
LAM_INLINE int lam_ring_producer_try_claim(
    struct lam_ring_producer *producer, uint64_t payload_bytes, void **payload)
{
    uint64_t cell_count = lam_ring_producer_cell_count(producer, payload_bytes);

    LAM_ASSERT(producer->claimed_end == producer->next);
    if (__builtin_expect(payload_bytes > producer->payload_bytes_max, 0))
        return -EMSGSIZE;
    if (__builtin_expect(producer->limit - producer->next <= cell_count, 0)) {
        int rc = lam_ring_producer_make_room(producer, cell_count);

        if (rc != 1)
            return rc;
    }
    /* Now, not when the stores before have drained: those of a reply come behind many. */
    lam_prefetch_write(lam_ring_producer_cell(producer, producer->next));
    lam_ring_producer_clear(producer, producer->next + cell_count);
    LAM_CRASH_POINT("claim.cell_cleared");
    if (cell_count > 1)
        lam_ring_producer_wear(producer, producer->next + 1, cell_count - 1);
    producer->claimed_end = producer->next + cell_count;
    *payload = lam_ring_producer_cell(producer, producer->next) + 1;
    return 1;
}

/*
 * The same, waiting by the ladder until @deadline_ns (LAM_DEADLINE_NEVER: for ever).
 *
 * Returns 0, or an error of lam_ring_producer_try_claim(), or
 *   -ETIMEDOUT still full; lam_ring_producer_blocker() says who and for how long
 */
int lam_ring_producer_claim_until(struct lam_ring_producer *producer, uint64_t payload_bytes,
    uint64_t deadline_ns, void **payload);

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

/*
 * Publish the claimed event, with @payload_bytes of it written: no more than were claimed.
 *
 * @kind: the application's, below LAM_EVENT_KIND_RESERVED, unless a layer of Lamina's speaks.
 * @flags: LAM_EVENT_..., whose extensions the payload starts with; 0 at this layer.
 * Wait-free; one system call if a consumer sleeps.
 */
LAM_INLINE void lam_ring_producer_commit(
    struct lam_ring_producer *producer, uint64_t payload_bytes, uint16_t kind, uint16_t flags)
{
    struct lam_event_header *header = lam_ring_producer_cell(producer, producer->next);
    uint64_t cell_count = lam_ring_producer_cell_count(producer, payload_bytes);
    uint64_t slack = lam_ring_producer_slack(producer, cell_count, payload_bytes);
    uint64_t end = producer->next + cell_count;

    LAM_ASSERT(cell_count <= producer->claimed_end - producer->next);
    if (__builtin_expect(end != producer->claimed_end, 0)) {
        lam_ring_producer_clear(producer, end);
        LAM_CRASH_POINT("publish.cut");
        producer->claimed_end = end;
    }
    if (slack != 0)
        producer->slack += slack;
    lam_store_relaxed(&header->shape, lam_event_shape((uint32_t)payload_bytes, kind, flags));
    LAM_CRASH_POINT("publish.shape_stored");
    lam_ring_producer_advance(producer, header, end);
}

/* Give a claim back, of one event or of a batch; nothing becomes visible. Wait-free. */
void lam_ring_producer_abort(struct lam_ring_producer *producer);

/*
 * Claim @cell_count cells for a batch of events, at most depth - 1, without waiting. Events are
 * staged into it one after another; all become visible at once, by one commit.
 *
 * Returns as lam_ring_producer_try_claim(); -EMSGSIZE: more than depth - 1 cells.
 */
LAM_INLINE int lam_ring_producer_try_claim_batch(
    struct lam_ring_producer *producer, uint64_t cell_count)
{
    LAM_ASSERT(producer->claimed_end == producer->next && cell_count > 0);
    if (__builtin_expect(producer->limit - producer->next <= cell_count, 0)) {
        int rc = lam_ring_producer_make_room(producer, cell_count);

        if (rc != 1)
            return rc;
    }
    lam_ring_producer_clear(producer, producer->next + cell_count);
    LAM_CRASH_POINT("batch.claimed");
    lam_ring_producer_unwear(producer, producer->next, cell_count);
    producer->claimed_end = producer->next + cell_count;
    producer->staged = producer->next;
    return 1;
}

/* The same, waiting by the ladder. Returns as lam_ring_producer_claim_until(). */
int lam_ring_producer_claim_batch_until(
    struct lam_ring_producer *producer, uint64_t cell_count, uint64_t deadline_ns);

/*
 * Place the next event of a batch: *@payload is where its @payload_bytes go, borrowed until the
 * commit or abort of the batch. Wait-free.
 *
 * Returns 1; 0 the claimed cells do not have room for it; or
 *   -EMSGSIZE larger than half the ring
 */
LAM_INLINE int lam_ring_producer_stage(struct lam_ring_producer *producer, uint64_t payload_bytes,
    uint16_t kind, uint16_t flags, void **payload)
{
    uint64_t at = producer->staged;
    uint64_t cell_count = lam_ring_producer_cell_count(producer, payload_bytes);
    uint64_t slack = lam_ring_producer_slack(producer, cell_count, payload_bytes);
    struct lam_event_header *header = lam_ring_producer_cell(producer, at);

    if (__builtin_expect(payload_bytes > producer->payload_bytes_max, 0))
        return -EMSGSIZE;
    if (producer->claimed_end - at < cell_count)
        return 0;
    if (slack != 0)
        producer->staged_slack += slack;
    if (cell_count > 1)
        lam_ring_producer_wear(producer, at + 1, cell_count - 1);
    lam_store_relaxed(&header->shape, lam_event_shape((uint32_t)payload_bytes, kind, flags));
    /* Relaxed: nobody looks here before R1 on the first event's stamp, which is stored last. */
    if (at != producer->next)
        lam_store_relaxed(&header->stamp, at);
    LAM_CRASH_POINT("batch.staged");
    producer->staged = at + cell_count;
    lam_prefetch_write(lam_ring_producer_cell(producer, at + LAM_RING_PREFETCH_CELLS));
    *payload = header + 1;
    return 1;
}

/* Publish all staged events at once. With none staged it is an abort. Wait-free. */
LAM_INLINE void lam_ring_producer_commit_batch(struct lam_ring_producer *producer)
{
    LAM_ASSERT(producer->claimed_end != producer->next);
    if (producer->staged == producer->next) {
        lam_ring_producer_abort(producer);
        return;
    }
    if (__builtin_expect(producer->staged != producer->claimed_end, 0)) {
        lam_ring_producer_wear(
            producer, producer->staged, producer->claimed_end - producer->staged);
        lam_ring_producer_clear(producer, producer->staged);
        LAM_CRASH_POINT("batch.cut");
        producer->claimed_end = producer->staged;
    }
    if (producer->staged_slack != 0) {
        producer->slack += producer->staged_slack;
        producer->staged_slack = 0;
    }
    lam_ring_producer_advance(
        producer, lam_ring_producer_cell(producer, producer->next), producer->staged);
}

/*
 * Who holds the producer back: the consumer whose cursor is the lowest, and since when a claim has
 * failed because of it. Or, of those that the producer buffers for, one that has not come: then
 * *@blocker has its name, "" where any would do, and UINT32_MAX for an index.
 *
 * Returns 1 and fills *@blocker, or 0: no gating consumer is joined.
 */
int lam_ring_producer_blocker(struct lam_ring_producer *producer, struct lam_ring_blocker *blocker);

/*
 * Wait until at least @count consumers have joined.
 *
 * Returns 0, or
 *   -ETIMEDOUT fewer had joined by @deadline_ns
 *   -EINVAL    @count is more than a ring can have
 */
int lam_ring_producer_wait_consumers_until(
    struct lam_ring_producer *producer, uint32_t count, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
