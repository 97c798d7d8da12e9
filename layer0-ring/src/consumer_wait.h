/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_CONSUMER_WAIT_H
#define LAM_RING_CONSUMER_WAIT_H

/*
 * What waiting consumers do, one alone or several at once: shared by the ring's own files alone.
 */

#include "after.h"
#include "count.h"
#include "group_table.h"
#include "lamina/ring/consumer.h"
#include "layout.h"
#include "wake.h"

/* Whether the next event is published. */
static inline int lam_ring_consumer_is_there(const struct lam_ring_consumer *consumer)
{
    /* A1: see lam_ring_consumer_try_peek(). */
    return lam_load_acquire(&lam_ring_consumer_cell(consumer, consumer->next)->stamp) ==
           consumer->next;
}

/*
 * Whether a look will find something: the next event; or, for a lossy reader, that it was lapped.
 * Or, for one that goes after others, that all of them have released it.
 * What such a one polls for will never come, and only the horizon says so. Relaxed: a hint, the
 * read looks again.
 */
static inline int lam_ring_consumer_is_ready(struct lam_ring_consumer *consumer)
{
    if (__builtin_expect(
            (consumer->guards & (LAM_RING_GUARD_AFTER | LAM_RING_GUARD_GROUP)) != 0, 0))
        return (consumer->guards & LAM_RING_GUARD_GROUP) != 0 ? lam_ring_group_is_ready(consumer)
                                                              : lam_ring_after_is_ready(consumer);
    return lam_ring_consumer_is_there(consumer) ||
           (consumer->policy == LAM_RING_LOSSY &&
               (int64_t)(consumer->next - lam_load_relaxed(&consumer->ring->data_head->horizon)) <
                   0);
}

/*
 * Begin a consumer's wait, and end it, which came to @rc: learn from it, count it. The end returns
 * @rc, or for -ETIMEDOUT the end of the stream, where that has come.
 */
void lam_ring_consumer_begin_wait(
    struct lam_ring_consumer *consumer, struct lam_wait *wait, uint64_t deadline_ns);
int lam_ring_consumer_end_wait(struct lam_ring_consumer *consumer, struct lam_wait *wait, int rc);

/* One turn of a consumer's wait. Returns 0 (look again) or the wait's or the stream's end. */
int lam_ring_consumer_await(struct lam_ring_consumer *consumer, struct lam_wait *wait);

/* What the ring's words say about more events. Returns 0 (they may come) or the end's error. */
int lam_ring_consumer_end_of_stream(struct lam_ring_consumer *consumer);

/* Ask for the producer's lock. Returns as lam_ring_consumer_end_of_stream(). */
int lam_ring_consumer_probe(struct lam_ring_consumer *consumer);

/*
 * @wait was too short to ask for the producer: ask, if that is due. Returns the end of the stream,
 * or -ETIMEDOUT.
 */
int lam_ring_consumer_timed_out(struct lam_ring_consumer *consumer, const struct lam_wait *wait);

/* Say that this consumer is about to sleep on the bell that was read before; then look again. */
static inline void lam_ring_consumer_announce(const struct lam_ring_consumer *consumer)
{
    struct lam_ring_control *control = consumer->ring->control_head;
    uint64_t bit = UINT64_C(1) << consumer->index;
    int follows = (consumer->guards & LAM_RING_GUARD_AFTER) != 0;

    /* F7, pairs with F3 in lam_ring_consumer_release_to(): the fence below, for a leader's. */
    if (follows)
        (void)lam_or_seq_cst(&control->chained, bit);
    /* Once it is published, only leaders hold it: the producer needs not ring for what follows. */
    if (!follows || !lam_ring_consumer_is_there(consumer))
        (void)lam_or_seq_cst(&control->sleeping, bit);
    /* F2, pairs with F1: it sees our bit, or we see its stamp; or the horizon, if that is gone. */
    lam_fence_seq_cst();
}

/* It is awake again. */
static inline void lam_ring_consumer_retract(const struct lam_ring_consumer *consumer)
{
    struct lam_ring_control *control = consumer->ring->control_head;
    uint64_t bit = UINT64_C(1) << consumer->index;

    /* Many producers share the bits when they sleep themselves: whoever rings takes them. */
    if (consumer->ring->producers == LAM_RING_ONE_PRODUCER)
        (void)lam_and_seq_cst(&control->sleeping, ~bit); /* R28 */
    if (consumer->leader_count != 0)
        (void)lam_and_seq_cst(&control->chained, ~bit); /* R28 */
}

#endif
