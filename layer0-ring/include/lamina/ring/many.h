/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_MANY_H
#define LAM_RING_MANY_H

/*
 * lamina/ring/many.h: one of up to 64 producers of one ring.
 *
 * Ring, layer 0. On a ring that was created with LAM_RING_MANY_PRODUCERS, producers in any threads
 * and processes publish into one order; consumers are those of any ring. Claim space, write the
 * payload where it will be read, commit; or abort, and nothing was there. An event becomes visible
 * when all that were claimed before it are: who pauses between claim and commit holds all of those
 * back who come after it. It is not dead, and nobody takes its cells. What a producer had claimed
 * when it died is passed over.
 *
 * Take lamina/ring/producer.h where there is one producer: its events cost less, and it has
 * batches.
 *
 * All calls on one producer from one thread at a time. The inline ones make no system call, except
 * to wake a peer that sleeps, and allocate nothing.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/crash_point.h"
#include "lamina/base/lock.h"
#include "lamina/base/wait.h"
#include "lamina/ring/event.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* So many claims of others may come between before lam_ring_many_try_claim() gives up. */
#define LAM_RING_MANY_RACES_MAX 1000

struct lam_ring_many_options {
    const char *name;        /* for people; NULL: the pid and the entry's number */
    enum lam_wait_mode wait; /* while the ring is full; a SPIN_ONLY ring spins or yields */
    uint64_t spin_ns;        /* the spin window; 0 to learn it */
};

struct lam_ring_many_producer {
    /* Fields are private. What each publish touches comes first. */
    uint8_t *cells;
    struct lam_event_header *heads;
    uint64_t cell_mask;
    lam_atomic_u64 *tail;   /* shared: sequence of the next claim */
    lam_atomic_u64 *intent; /* shared: where our newest claim starts */
    uint64_t limit;         /* consumers have released all below limit - depth */
    uint64_t start;         /* sequence of the claim in hand */
    uint64_t claimed;       /* its cells; 0: none is in hand */
    uint64_t round_up;      /* what makes a payload's bytes whole cells, header included */
    uint64_t payload_bytes_max;
    uint64_t bytes; /* payload bytes published and not yet added to the ring's */
    uint32_t cell_shift;
    uint32_t may_sleep;       /* consumers may sleep: look for them */
    lam_atomic_u64 *sleeping; /* bit a consumer: it sleeps, or is about to */

    /* The rest is touched when the ring is full. */
    struct lam_ring *ring;
    struct lam_lock lock;
    uint32_t index; /* of its entry */
    uint32_t closed;
    uint64_t entry_state;
    uint64_t probe_at_ns;      /* when to see next whether the blocker is alive */
    uint64_t blocked_since_ns; /* 0 not blocked */
    uint64_t full_since_ns;    /* likewise, by whomever */
    uint32_t blocker;          /* who held us back last: see lam_ring_many_blocker() */
    uint32_t full_streak;
    uint32_t look_now; /* the next failed look reads the clock */
    enum lam_wait_mode wait;
    struct lam_cadence cadence;
};

/* Who holds a producer back. */
struct lam_ring_many_blocker {
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    uint32_t is_producer; /* 1: a producer that has claimed and not committed; 0: a consumer */
    uint32_t index;       /* in its table */
    uint32_t pid;         /* as it wrote it, in its own namespace */
    uint64_t lag_cells;   /* between its place and the next claim */
    uint64_t since_ns;    /* how long we have waited for it, 0 we do not */
};

/*
 * Become one of the producers of @ring, which was created or attached for writing and is kept until
 * lam_ring_many_detach(). @options may be NULL. What dead producers left unfinished is passed over
 * first. Where no other producer is alive, the epoch grows.
 *
 * Returns 0, or
 *   -EINVAL  the ring has one producer; the name is empty or too long; there is no such wait mode
 *   -EUSERS  64 producers are alive
 *   -ENOENT  the ring was destroyed or replaced since it was attached: attach it anew
 *   -EBUSY   another process replaces or cleans it, and does not end
 *   -EACCES  the ring is mapped read-only
 *   -EPROTO  the data object makes no sense; @error says where
 *   -ENOTSUP no lock can be taken here (no /proc)
 *   -errno   of the system call that @error names
 */
int lam_ring_many_attach(struct lam_ring_many_producer *producer, struct lam_ring *ring,
    const struct lam_ring_many_options *options, struct lam_error *error);

/*
 * Say that this producer publishes no more. A claim in hand is aborted. When no other producer is
 * open and alive, the ring is closed: consumers get -EPIPE once they have taken the last event. The
 * next producer that attaches opens it again.
 */
void lam_ring_many_close(struct lam_ring_many_producer *producer);

/* Give the end back. Without a close before, consumers may see a producer that died. */
void lam_ring_many_detach(struct lam_ring_many_producer *producer);

/* The rare part of a claim at *@at. Returns 1 and a newer *@at, or as lam_ring_many_try_claim(). */
int lam_ring_many_make_room(
    struct lam_ring_many_producer *producer, uint64_t cell_count, uint64_t *at);

/* The end of a claim that failed: its intent is taken back. Returns 0. */
int lam_ring_many_give_up(struct lam_ring_many_producer *producer);

/* The rare parts of a commit. */
void lam_ring_many_pad(
    struct lam_ring_many_producer *producer, uint64_t sequence, uint64_t cell_count);
void lam_ring_many_wake(struct lam_ring_many_producer *producer);

LAM_INLINE uint64_t lam_ring_many_cell_count(
    const struct lam_ring_many_producer *producer, uint64_t payload_bytes)
{
    return (payload_bytes + producer->round_up) >> producer->cell_shift;
}

/*
 * Claim room for one event of up to @payload_bytes, without waiting.
 *
 * *@payload is borrowed until commit or abort: contiguous, 16-byte aligned, with old bytes in it.
 * At most one claim at a time. Lock-free: it starts again when another producer has claimed
 * meanwhile. Walks the consumer table and the newest events about once in a sixteenth of a lap.
 *
 * Returns 1; 0 the ring is full (lam_ring_many_blocker() says whom it waits for), or
 * LAM_RING_MANY_RACES_MAX claims of others came between; or
 *   -EMSGSIZE        larger than half the ring (lam_ring_payload_bytes_max())
 *   -EPIPE           this producer has closed
 *   -ENOTRECOVERABLE a consumer found the data impossible: the ring is poisoned. Seen when the
 *                    cached bound is used up, not at once
 */
LAM_INLINE int lam_ring_many_try_claim(
    struct lam_ring_many_producer *producer, uint64_t payload_bytes, void **payload)
{
    uint64_t cell_count = lam_ring_many_cell_count(producer, payload_bytes);
    uint64_t at = lam_load_relaxed(producer->tail); /* a guess: the claim finds out */
    unsigned races = 0;

    LAM_ASSERT(producer->claimed == 0);
    if (__builtin_expect(payload_bytes > producer->payload_bytes_max, 0))
        return -EMSGSIZE;
    for (;;) {
        /* The others go on while we look: our limit may be behind the tail. */
        if (__builtin_expect((int64_t)(producer->limit - at) <= (int64_t)cell_count, 0)) {
            int rc = lam_ring_many_make_room(producer, cell_count, &at);

            if (rc != 1)
                return rc < 0 ? rc : 0; /* never above, which the compiler cannot see */
        }
        /*
         * R21, pairs with A21 in lam_ring_repair(): whoever sees it go on from an older claim sees
         * that one's stamp. Before the claim: whoever sees the tail past it sees the intent (R22).
         */
        lam_store_release(producer->intent, at);
        LAM_CRASH_POINT("claim.intent_stored");
        /* R22, pairs with A22, the repairer's load of the tail. */
        if (lam_cas_acq_rel(producer->tail, &at, at + cell_count))
            break;
        if (__builtin_expect(++races == LAM_RING_MANY_RACES_MAX, 0)) {
            (void)lam_ring_many_give_up(producer);
            return 0;
        }
    }
    LAM_CRASH_POINT("claim.tail_moved");
    producer->start = at;
    producer->claimed = cell_count;
    *payload = producer->cells + ((at & producer->cell_mask) << producer->cell_shift) +
               LAM_EVENT_HEADER_BYTES;
    return 1;
}

/*
 * The same, waiting by the ladder until @deadline_ns (LAM_DEADLINE_NEVER: for ever).
 *
 * Returns 0, or an error of lam_ring_many_try_claim(), or
 *   -ETIMEDOUT still full; lam_ring_many_blocker() says who and for how long
 */
int lam_ring_many_claim_until(struct lam_ring_many_producer *producer, uint64_t payload_bytes,
    uint64_t deadline_ns, void **payload);

/*
 * Publish the claimed event, with @payload_bytes of it written: no more than were claimed.
 * Consumers see it once they have seen all that were claimed before it.
 *
 * @kind: the application's, below LAM_EVENT_KIND_RESERVED, unless a layer of Lamina's speaks.
 * @flags: LAM_EVENT_..., whose extensions the payload starts with; 0 at this layer.
 * Wait-free; one system call if a consumer sleeps.
 */
LAM_INLINE void lam_ring_many_commit(
    struct lam_ring_many_producer *producer, uint64_t payload_bytes, uint16_t kind, uint16_t flags)
{
    uint64_t cell_count = lam_ring_many_cell_count(producer, payload_bytes);
    struct lam_event_header *head = &producer->heads[producer->start & producer->cell_mask];

    LAM_ASSERT(producer->claimed != 0 && cell_count <= producer->claimed);
    LAM_CRASH_POINT("commit.begun");
    if (__builtin_expect(cell_count != producer->claimed, 0))
        lam_ring_many_pad(producer, producer->start + cell_count, producer->claimed - cell_count);
    lam_store_relaxed(&head->shape, lam_event_shape((uint32_t)payload_bytes, kind, flags));
    LAM_CRASH_POINT("commit.shape_stored");
    /* R1, pairs with A1 in lam_ring_consumer_try_peek(): header and payload are complete. */
    lam_store_release(&head->stamp, producer->start);
    LAM_CRASH_POINT("commit.stamp_stored");
    producer->claimed = 0;
    producer->bytes += payload_bytes;
    if (producer->may_sleep) {
        /* F1, pairs with F2: either we see the sleeper's bit, or it sees our stamp. */
        lam_fence_seq_cst();
        if (__builtin_expect(lam_load_relaxed(producer->sleeping) != 0, 0))
            lam_ring_many_wake(producer);
    }
}

/*
 * Give a claim back; consumers pass over it. Its cells are used up all the same: others have
 * claimed behind it. Wait-free.
 */
void lam_ring_many_abort(struct lam_ring_many_producer *producer);

/*
 * Who holds this producer back: the consumer whose cursor is the lowest; or, where all consumers
 * have taken all that is published, the producer whose claim comes next.
 *
 * Returns 1 and fills *@blocker, or 0: nobody is in the way.
 */
int lam_ring_many_blocker(
    struct lam_ring_many_producer *producer, struct lam_ring_many_blocker *blocker);

/* Which one of those that have had its entry @producer is: 24 bits that change with each. */
LAM_INLINE uint32_t lam_ring_many_generation(const struct lam_ring_many_producer *producer)
{
    return (uint32_t)(producer->entry_state >> 8) & 0xffffff;
}

/*
 * What became of the producer that had entry @index as its @generation: for whoever knows that it
 * has begun something of several events. Any end, any thread; a system call while it is there.
 *
 * Returns 1 it is there; or, with *@tail, a sequence that all its events lie below,
 *   0           it closed or detached
 *   -EOWNERDEAD it died, or has been replaced since
 */
int lam_ring_many_whereabouts(
    const struct lam_ring *ring, uint32_t index, uint32_t generation, uint64_t *tail);

/*
 * Wait until at least @count consumers have joined: they see all that is published from then on.
 *
 * Returns 0, or
 *   -ETIMEDOUT fewer had joined by @deadline_ns
 *   -EINVAL    @count is more than a ring can have
 */
int lam_ring_many_wait_consumers_until(
    struct lam_ring_many_producer *producer, uint32_t count, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
