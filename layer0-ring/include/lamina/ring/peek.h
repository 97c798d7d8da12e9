/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_PEEK_H
#define LAM_RING_PEEK_H

/*
 * lamina/ring/peek.h: reading events where they lie: peek, wait, release.
 *
 * Ring, layer 0. Part of lamina/ring/consumer.h, which says who may call.
 */

#include <errno.h>
#include <stdint.h>

#include "lamina/base/crash_point.h"
#include "lamina/ring/consumer_end.h"

#ifdef __cplusplus
extern "C" {
#endif

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
                goto again;         /* padding was passed over */
            return rc < 0 ? rc : 0; /* as above */
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

/* How often a waiter looks before it begins a wait: about a microsecond. */
#define LAM_RING_QUICK_LOOKS 48

/* The rare parts of a peek that waits: the wait; and telling of those that were over at once. */
int lam_ring_consumer_peek_slowly(
    struct lam_ring_consumer *consumer, uint64_t deadline_ns, struct lam_event *event);
void lam_ring_consumer_tell_waits(struct lam_ring_consumer *consumer);

/* A wait was over before the clock was worth a look: counted in private, and told now and then. */
LAM_INLINE void lam_ring_consumer_waited_quickly(struct lam_ring_consumer *consumer)
{
    lam_cadence_quick(&consumer->cadence);
    if (__builtin_expect((++consumer->quick_waits & 255) == 0, 0))
        lam_ring_consumer_tell_waits(consumer);
}

/* How often to look first: whoever is to sleep at once, or has several words to look at, once. */
LAM_INLINE uint32_t lam_ring_consumer_quick_looks(const struct lam_ring_consumer *consumer)
{
    return consumer->wait == LAM_WAIT_FUTEX || (consumer->guards & LAM_RING_GUARD_AFTER) != 0
               ? 1
               : LAM_RING_QUICK_LOOKS;
}

/*
 * The same, waiting by the ladder until @deadline_ns (LAM_DEADLINE_NEVER: for ever).
 *
 * The first looks touch nothing but the line that is polled: cores drain stores in order, so each
 * store of a waiter's would lie before those of its answer. And they are in line: what came goes on
 * in registers, a sixth of a round trip.
 *
 * Returns 0 and fills *@event, or an error of lam_ring_consumer_try_peek(), or
 *   -ETIMEDOUT nothing came
 */
LAM_INLINE int lam_ring_consumer_peek_until(
    struct lam_ring_consumer *consumer, uint64_t deadline_ns, struct lam_event *event)
{
    const struct lam_event_header *header = lam_ring_consumer_cell(consumer, consumer->next);
    uint32_t look_count = lam_ring_consumer_quick_looks(consumer);
    struct lam_event copy;
    int rc;

    for (uint32_t looks = 0; looks < look_count; looks++) {
        /* A1: see lam_ring_consumer_try_peek(), which looks again. */
        if (lam_load_acquire(&header->stamp) != consumer->next) {
            lam_pause();
            continue;
        }
        rc = lam_ring_consumer_try_peek(consumer, event);
        if (rc == 1) {
            if (looks != 0)
                lam_ring_consumer_waited_quickly(consumer);
            return 0;
        }
        if (rc < 0)
            return rc;
        break;
    }
    /* A copy goes out of line: the caller's event may stay in registers. */
    rc = lam_ring_consumer_peek_slowly(consumer, deadline_ns, &copy);
    if (rc < 0)
        return rc;
    *event = copy;
    return 0;
}

/*
 * Who of those that go before holds the next event back: it is published, and one of them has not
 * released it. Its name is copied to @name. Wait-free.
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

#ifdef __cplusplus
}
#endif

#endif
