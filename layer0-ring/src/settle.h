/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_SETTLE_H
#define LAM_RING_SETTLE_H

/*
 * Where a consumer's reading starts, and its waiting: shared by the consumer's files and stat.c
 * alone.
 */

#include "lamina/ring/consumer.h"
#include "layout.h"

/*
 * Find the start, gate it (unless lossy), and set the consumer's next, ordinal and cursor. The
 * entry is ours, in state JOINING. Returns 0 or -EPROTO.
 */
int lam_ring_settle(
    struct lam_ring_consumer *consumer, enum lam_ring_start start, struct lam_error *error);

/*
 * The waypoint @back places before the newest, or the oldest that is not overwritten: a place that
 * was whole when we looked. Returns 0, or -EPROTO: the producer never stands still.
 */
int lam_ring_recent_place(const struct lam_ring *ring, uint64_t back, struct lam_ring_place *place);

/*
 * The head, walked to from the newest waypoint without holding anybody back: again, where the
 * producer went round meanwhile. Returns 0, or -EPROTO: an impossible event, or no end of it.
 */
int lam_ring_find_head(const struct lam_ring *ring, struct lam_ring_place *place);

/* Copy bytes that may be overwritten meanwhile; whoever does must ask the horizon afterwards. */
void lam_ring_copy_racing(void *to, const void *from, uint64_t bytes);

/* Whether this consumer may be evicted and was: after a look at borrowed bytes. */
static inline int lam_ring_consumer_is_evicted(const struct lam_ring_consumer *consumer)
{
    return (consumer->guards & LAM_RING_GUARD_EVICTION) != 0 && !lam_ring_consumer_holds(consumer);
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

#endif
