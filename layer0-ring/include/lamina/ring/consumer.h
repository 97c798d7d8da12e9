/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_CONSUMER_H
#define LAM_RING_CONSUMER_H

/*
 * lamina/ring/consumer.h: an end that reads.
 *
 * Ring, layer 0. Every consumer sees every event, in order, where it lies. A gating consumer holds
 * the producer back until it releases: what it peeked stays as it is. It joins and leaves while the
 * ring runs; when it dies, the kernel drops its lock and it holds nobody back.
 *
 * All calls from one thread at a time. The inline ones make no system call, except to wake a
 * producer that sleeps, and allocate nothing.
 */

#include <errno.h>
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

enum lam_ring_start {
    LAM_RING_HEAD = 0,   /* what is published after joining */
    LAM_RING_OLDEST = 1, /* everything that the ring still holds */
    LAM_RING_RESUME = 2, /* where the one before of our name stopped; without one, as OLDEST */
};

enum lam_ring_policy {
    LAM_RING_GATE = 0,            /* the producer waits for us */
    LAM_RING_GATE_THEN_EVICT = 1, /* it waits so long and no longer */
    LAM_RING_LOSSY = 2,           /* it does not wait; we are told what we missed */
};

struct lam_ring_consumer_options {
    const char *name; /* for people and for uniqueness; NULL: the pid and the entry's number */
    enum lam_ring_start start;
    enum lam_ring_policy policy;
    uint64_t patience_ns; /* GATE_THEN_EVICT: how long we may hold the producer; see every 8 ms */
    enum lam_wait_mode wait; /* while the ring is empty; a SPIN_ONLY ring spins or yields */
    uint64_t spin_ns;        /* the spin window, ns; 0: HYBRID learns it, YIELD has the default */
    /*
     * Names of gating consumers that go first: this one sees an event once all of them have
     * released it, and with it all that they stored before. NULL for none.
     */
    const char *const *after;
    uint32_t after_count;       /* LAM_RING_AFTER_COUNT_MAX at most */
    uint64_t after_deadline_ns; /* wait until then for those who have not joined; 0 does not wait */
};

/* What a plain consumer does not pay for: one test of one word on its path. */
enum lam_ring_guard {
    LAM_RING_GUARD_EVICTION = 1, /* it may be evicted: what it borrowed may be overwritten */
    LAM_RING_GUARD_AFTER = 2,    /* it goes after others: an event is its once they released it */
    LAM_RING_GUARD_APART = 4,    /* headers lie apart from payloads: a ring with many producers */
    LAM_RING_GUARD_PADDING = 8,  /* behind the last that it peeked lies what is no event */
    LAM_RING_GUARD_GROUP = 16,   /* it is a group's member (lamina/ring/group.h); for waits */
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

/*
 * Join @ring, kept until lam_ring_consumer_detach(). @options may be NULL: gating, at head, hybrid
 * waits. A lossy consumer reads by lamina/ring/lossy.h and does not peek.
 *
 * Returns 0, or
 *   -EINVAL  the name is too long, the policy and its patience do not fit, there is nothing to
 *            resume by (no name, or a lossy policy), or one to go after is lossy or may be evicted:
 *            then nobody could say what it has seen
 *   -EEXIST  a live consumer has that name
 *   -ELOOP   it would go after itself, over others that go after it; @error has the way round
 *   -ENOENT  nobody of a name to go after had joined by after_deadline_ns; @error names it
 *   -EUSERS  the table of 64 is full
 *   -ENOENT  the ring was destroyed or replaced since it was attached: attach it anew
 *   -EACCES  control is mapped read-only (an observer)
 *   -EPROTO  the ring makes no sense, or what a predecessor left; @error says where
 *   -ESTALE  evicted again and again while it looked for its place
 *   -ENOTSUP no lock can be taken here (no /proc)
 *   -errno   of the system call that @error names
 */
int lam_ring_consumer_attach(struct lam_ring_consumer *consumer, struct lam_ring *ring,
    const struct lam_ring_consumer_options *options, struct lam_error *error);

/*
 * What an attach with LAM_RING_RESUME found. *@lost: events that the predecessor had not released
 * and that are no longer in the ring, exactly; the reading starts behind them. 0 while the producer
 * has not found a dead one dead: until then it holds its place.
 *
 * Returns 1: in the place of a predecessor of this name, that died, was evicted, or left; what it
 * had not released comes again, nothing else does. 0: no such place is known.
 */
int lam_ring_consumer_resumed(const struct lam_ring_consumer *consumer, uint64_t *lost);

/*
 * Leave. What was peeked and not released may be overwritten from now on. One that gates and has a
 * name of its own leaves its place to who resumes by that name; of a required one
 * (lamina/ring/required.h) the producer holds it as long as it would a dead one's.
 */
void lam_ring_consumer_detach(struct lam_ring_consumer *consumer);

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

/*
 * Look at the next event, without waiting. Each call goes one event further; what was peeked stays
 * borrowed until released. Wait-free.
 *
 * Returns 1 and fills *@event; 0 none is there yet; or
 *   -EPIPE           the producer closed the ring, and the last event was taken
 *   -ECANCELED       the producer failed the ring (lamina/ring/required.h), and the last event was
 *                    taken; its successor opens it again
 *   -EOWNERDEAD      the producer died, and the last event was taken. A later call may succeed:
 *                    a successor continues the sequence. Or one that goes before us died (or was
 *                    taken out), and all that it released was taken: lam_ring_consumer_leader()
 *                    names it. A later call may succeed: another one by its name goes on
 *   -EPROTO          one that goes before us has an impossible cursor
 *   -ESTALE          this consumer was evicted
 *   -ENOTRECOVERABLE the producer's bytes are impossible: the ring is poisoned
 */
LAM_INLINE int lam_ring_consumer_try_peek(
    struct lam_ring_consumer *consumer, struct lam_event *event)
{
    const struct lam_event_header *header;
    uint64_t shape, cell_count, end;

again:
    header = lam_ring_consumer_cell(consumer, consumer->next);
    /* A1, pairs with R1 in lam_ring_producer_advance(): header and payload are complete. */
    if (lam_load_acquire(&header->stamp) != consumer->next) {
        int rc = lam_ring_consumer_idle(consumer);

        return rc < 0 ? rc : 0; /* never 1, which the compiler cannot see: *event is not filled */
    }

    /*
     * A guess at where the next event starts: as far as the one before. It does not wait for this
     * length to arrive from the other core, so several events are under way at once. Opaque, or the
     * compiler would put the equal length in its place.
     */
    end = lam_opaque_u64(consumer->next + consumer->stride);
    /* Once, into a local: the producer is another process, and what it says is checked. */
    shape = lam_load_relaxed(&header->shape);
    cell_count = ((uint32_t)shape + consumer->round_up) >> consumer->cell_shift;
    if (__builtin_expect(cell_count != consumer->stride, 0)) {
        if (cell_count > consumer->event_cells_max) {
            int rc = lam_ring_consumer_odd(consumer);

            if (rc == 1)
                goto again; /* padding was passed over */
            return rc;
        }
        consumer->stride = cell_count;
        end = consumer->next + cell_count;
    }
    if (__builtin_expect(consumer->guards != 0, 0)) {
        if (consumer->head_shift != consumer->cell_shift)
            header = lam_ring_consumer_apart(consumer, consumer->next);
        if (consumer->release_guards != 0) {
            int rc = lam_ring_consumer_guard_peek(consumer);

            if (rc != 1)
                return rc < 0 ? rc : 0;
        }
    }
    event->payload = header + 1;
    event->payload_bytes = (uint32_t)shape;
    event->kind = (uint16_t)(shape >> 32);
    event->flags = (uint16_t)(shape >> 48);
    event->sequence = consumer->next;
    event->end = end;
    consumer->next = end;
    consumer->ordinal++;
    return 1;
}

/*
 * The same, waiting by the ladder until @deadline_ns (LAM_DEADLINE_NEVER: for ever).
 *
 * Returns 0 and fills *@event, or an error of lam_ring_consumer_try_peek(), or
 *   -ETIMEDOUT nothing came
 */
int lam_ring_consumer_peek_until(
    struct lam_ring_consumer *consumer, uint64_t deadline_ns, struct lam_event *event);

/*
 * Who of those that go before holds the next event back: it is published, and one of them has not
 * released it. Its name is copied to @name.
 *
 * Returns 1, or 0: nobody.
 */
int lam_ring_consumer_leader(
    struct lam_ring_consumer *consumer, char name[LAM_RING_CONSUMER_NAME_MAX + 1]);

/*
 * Wait by the ladder until a look will find something; take nothing. For a lossy reader, too.
 *
 * Returns 0, an error of lam_ring_consumer_try_peek() for the end of the stream, or
 *   -ETIMEDOUT nothing came by @deadline_ns
 */
int lam_ring_consumer_wait_until(struct lam_ring_consumer *consumer, uint64_t deadline_ns);

/*
 * Release all events up to @end, the field of a peeked event: their memory is the producer's again.
 * Later peeked events stay borrowed. Wait-free; one system call if the producer sleeps on us.
 *
 * Returns 0, or
 *   -ESTALE we were evicted meanwhile: what was borrowed may have been overwritten while we looked.
 *           Only with LAM_RING_GATE_THEN_EVICT; lam_ring_consumer_readmit() goes on
 */
LAM_INLINE int lam_ring_consumer_release_to(struct lam_ring_consumer *consumer, uint64_t end)
{
    /*
     * R2, pairs with A2 in the producer's scan of the table: we have finished loading from every
     * cell below.
     */
    lam_store_release(consumer->cursor, end);
    LAM_CRASH_POINT("release.cursor_stored");
    if (consumer->producer_may_sleep) {
        /* F3, pairs with F4 in the producer's park: we see it sleep, or it sees our cursor. */
        lam_fence_seq_cst();
        if (__builtin_expect(lam_load_relaxed(consumer->blocked_on) == consumer->index + 1, 0))
            lam_ring_consumer_wake_producer(consumer);
        /* F3, pairs with F7 likewise: those that go after us. */
        if (__builtin_expect(lam_load_relaxed(consumer->chained) != 0, 0))
            lam_ring_consumer_wake_chained(consumer);
    }
    return __builtin_expect(consumer->release_guards != 0, 0)
               ? lam_ring_consumer_guard_release(consumer)
               : 0;
}

/* Release all that was peeked. Returns as lam_ring_consumer_release_to(). */
LAM_INLINE int lam_ring_consumer_release(struct lam_ring_consumer *consumer)
{
    return lam_ring_consumer_release_to(consumer, consumer->next);
}

/*
 * Join again after an eviction, in the same entry; no event comes twice. *@lost is how many events
 * lie between the last that was peeked and the new start, exactly. Those that were peeked and not
 * released may have changed under the eye, as the refused release has told.
 *
 * Returns 0, or
 *   -EALREADY this consumer was not evicted
 *   -EPROTO   no place to start makes sense
 *   -ESTALE   it was evicted again and again while it looked for one
 * On error it is evicted as before.
 */
int lam_ring_consumer_readmit(struct lam_ring_consumer *consumer, enum lam_ring_start start,
    uint64_t *lost, struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
