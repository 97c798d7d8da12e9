/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer that found nothing: why, and waiting for more.
 */
#include "consumer_wait.h"
#include "after.h"
#include "lamina/base/crash_point.h"
#include "lamina/ring/consumer.h"
#include "many_internal.h"
#include "settle.h"

#include <errno.h>

int lam_ring_consumer_end_of_stream(struct lam_ring_consumer *consumer)
{
    const struct lam_ring *ring = consumer->ring;
    /* A5, pairs with R5: who sees the ring closed sees its last event. */
    uint64_t state = lam_load_acquire(&ring->data_head->state);

    if (lam_load_relaxed(&ring->control_head->poisoned) != 0)
        return -ENOTRECOVERABLE;
    if (lam_load_relaxed(&ring->control_head->entries[consumer->index].state) !=
        consumer->entry_state)
        return -ESTALE;
    if (lam_ring_after_is_impossible(consumer) && !lam_ring_consumer_is_there(consumer))
        return -EPROTO; /* see after.c */
    if (lam_ring_state_of(state) == LAM_RING_CLOSED &&
        !lam_ring_many_has_hole(ring, consumer->next))
        return lam_ring_consumer_is_there(consumer) ? 0 : -EPIPE;
    if (lam_ring_state_of(state) == LAM_RING_FAILED)
        return lam_ring_consumer_is_there(consumer) ? 0 : -ECANCELED;
    if (consumer->producer_dead && consumer->producer_epoch == lam_ring_epoch_of(state))
        return lam_ring_consumer_is_there(consumer) ? 0 : -EOWNERDEAD;
    return 0;
}

int lam_ring_consumer_probe(struct lam_ring_consumer *consumer)
{
    const struct lam_ring *ring = consumer->ring;
    uint64_t state = lam_load_acquire(&ring->data_head->state); /* A5 */
    int dead = ring->producers == LAM_RING_ONE_PRODUCER
                   ? lam_ring_state_of(state) == LAM_RING_OPEN &&
                         !lam_ring_lock_is_held(ring, LAM_RING_LOCK_PRODUCER)
                   : lam_ring_many_is_over(consumer->ring, consumer->next);

    if (dead) {
        /* Of this epoch: a successor has taken the lock before it changes the state. */
        consumer->producer_dead = 1;
        consumer->producer_epoch = lam_ring_epoch_of(state);
    } else {
        consumer->producer_dead = 0;
    }
    if ((consumer->guards & LAM_RING_GUARD_AFTER) != 0)
        lam_ring_after_probe(consumer);
    return lam_ring_consumer_end_of_stream(consumer);
}

int lam_ring_consumer_idle(struct lam_ring_consumer *consumer)
{
    uint64_t now_ns;

    LAM_ASSERT(lam_lock_is_held(&consumer->lock)); /* not after detach, nor in a forked child */
    if ((++consumer->idle_streak & 63) != 0)
        return lam_ring_consumer_end_of_stream(
            consumer); /* the clock costs more than a look at the words */
    lam_ring_count_many(&consumer->ring->control_head->entries[consumer->index].empty, 64);
    now_ns = lam_clock_now_ns();
    if (now_ns < consumer->probe_at_ns)
        return lam_ring_consumer_end_of_stream(consumer);
    consumer->probe_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    return lam_ring_consumer_probe(consumer);
}

int lam_ring_consumer_poison(struct lam_ring_consumer *consumer)
{
    struct lam_ring_control *control = consumer->ring->control_head;

    /* Whoever was evicted between two loads saw parts of two events: no sin of the producer's. */
    if (lam_ring_consumer_is_evicted(consumer))
        return -ESTALE;
    lam_store_relaxed(&control->poisoned, 1);
    LAM_CRASH_POINT("poison.stored");
    lam_fence_seq_cst(); /* F1 and F3: for those that are about to sleep, on either side */
    (void)lam_ring_wake_consumers(control);
    lam_ring_wake_chained(control);
    lam_ring_wake_producers(control);
    return -ENOTRECOVERABLE;
}

void lam_ring_consumer_wake_producer(struct lam_ring_consumer *consumer)
{
    /* Taken with the word, so that one sleep costs one system call. */
    if (lam_exchange_acq_rel(consumer->blocked_on, 0) == 0) /* A28 */
        return;
    LAM_CRASH_POINT("wake.producer_taken");
    lam_ring_count(&consumer->ring->control_head->entries[consumer->index].wakes);
    lam_ring_wake_producers(consumer->ring->control_head);
}

void lam_ring_consumer_wake_chained(struct lam_ring_consumer *consumer)
{
    lam_ring_wake_chained(consumer->ring->control_head);
}

/* Sleep until the producer rings, or to the ladder's next look. Returns as end_of_stream(). */
static int park(struct lam_ring_consumer *consumer, struct lam_wait *wait)
{
    struct lam_ring_control *control = consumer->ring->control_head;
    uint32_t bell = lam_load_acquire(&control->consumer_bell); /* A27 */
    int rc = 0;

    lam_ring_consumer_announce(consumer);
    LAM_CRASH_POINT("park.consumer_announced");
    if (!lam_ring_consumer_is_ready(consumer)) {
        rc = lam_ring_consumer_end_of_stream(consumer);
        if (rc == 0) {
            lam_ring_count(&control->entries[consumer->index].parks);
            lam_base->futex_wait(&control->consumer_bell, bell, lam_wait_park_until(wait));
            lam_wait_woken(wait, lam_load_relaxed(&control->consumer_rung_ns));
        }
    }
    LAM_CRASH_POINT("park.consumer_woken");
    lam_ring_consumer_retract(consumer);
    return rc;
}

int lam_ring_consumer_await(struct lam_ring_consumer *consumer, struct lam_wait *wait)
{
    int verdict;

    /* The tight part: one line is polled, and the words of the ring are left alone. */
    do {
        verdict = lam_wait_step(wait);
        if (lam_ring_consumer_is_ready(consumer))
            return 0;
    } while (verdict == LAM_WAIT_LOOK);
    if (verdict < 0)
        return verdict;
    if (verdict == LAM_WAIT_CHECK)
        return lam_ring_consumer_probe(consumer);
    return verdict == LAM_WAIT_PARK ? park(consumer, wait)
                                    : lam_ring_consumer_end_of_stream(consumer);
}

void lam_ring_consumer_begin_wait(
    struct lam_ring_consumer *consumer, struct lam_wait *wait, uint64_t deadline_ns)
{
    LAM_ASSERT(lam_lock_is_held(&consumer->lock)); /* not after detach, nor in a forked child */
    lam_wait_begin(wait, consumer->wait, &consumer->cadence, deadline_ns);
    if ((consumer->guards & (LAM_RING_GUARD_AFTER | LAM_RING_GUARD_GROUP)) != 0)
        return; /* there are several words to watch */
    lam_wait_watch(wait, &lam_ring_consumer_cell(consumer, consumer->next)->stamp, consumer->next,
        1 /* until it is ours */);
}

int lam_ring_consumer_timed_out(struct lam_ring_consumer *consumer, const struct lam_wait *wait)
{
    int rc;

    if (wait->last_ns < consumer->probe_at_ns) {
        rc = lam_ring_consumer_end_of_stream(consumer);
    } else {
        consumer->probe_at_ns = wait->last_ns + LAM_WAIT_CHECK_NS;
        rc = lam_ring_consumer_probe(consumer);
    }
    return rc != 0 ? rc : -ETIMEDOUT;
}

void lam_ring_consumer_tell_waits(struct lam_ring_consumer *consumer)
{
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];

    if (consumer->quick_waits != 0)
        lam_ring_count_many(&entry->spin_waits, consumer->quick_waits);
    consumer->quick_waits = 0;
}

int lam_ring_consumer_end_wait(struct lam_ring_consumer *consumer, struct lam_wait *wait, int rc)
{
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];
    enum lam_wait_rung rung = lam_wait_end(wait);

    lam_ring_consumer_tell_waits(consumer);
    if (rc == 0)
        lam_ring_count_wait(rung, &entry->spin_waits, &entry->yield_waits);
    return rc == -ETIMEDOUT ? lam_ring_consumer_timed_out(consumer, wait) : rc;
}

/* As in lam_ring_consumer_peek_until(). Returns 1: it is there. */
static int came_quickly(struct lam_ring_consumer *consumer)
{
    uint32_t looks = lam_ring_consumer_quick_looks(consumer);

    while (--looks != 0) {
        lam_pause();
        if (lam_ring_consumer_is_there(consumer)) {
            lam_ring_consumer_waited_quickly(consumer);
            return 1;
        }
    }
    return 0;
}

static int wait_by_the_ladder(struct lam_ring_consumer *consumer, uint64_t deadline_ns)
{
    struct lam_wait wait;
    int rc = 0;

    lam_ring_consumer_begin_wait(consumer, &wait, deadline_ns);
    while (rc == 0 && !lam_ring_consumer_is_ready(consumer))
        rc = lam_ring_consumer_await(consumer, &wait);
    return lam_ring_consumer_end_wait(consumer, &wait, rc);
}

int lam_ring_consumer_wait_until(struct lam_ring_consumer *consumer, uint64_t deadline_ns)
{
    if (lam_ring_consumer_is_there(consumer) && lam_ring_consumer_is_ready(consumer))
        return 0;
    return came_quickly(consumer) ? 0 : wait_by_the_ladder(consumer, deadline_ns);
}

int lam_ring_consumer_peek_slowly(
    struct lam_ring_consumer *consumer, uint64_t deadline_ns, struct lam_event *event)
{
    for (;;) {
        /* Poll first: a peek that misses asks for more than one line. */
        int rc = wait_by_the_ladder(consumer, deadline_ns);

        if (rc == 0)
            rc = lam_ring_consumer_try_peek(consumer, event);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        /* What the wait saw is gone, or was padding: by a producer that does nothing else. */
        if (lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}
