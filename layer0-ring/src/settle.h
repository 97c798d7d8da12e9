/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_SETTLE_H
#define LAM_RING_SETTLE_H

/*
 * Where a consumer's reading starts, and its waiting: shared by the consumer's files and stat.c
 * alone.
 */

#include "lamina/ring/consumer.h"
#include "layout.h"

/* Where a predecessor stopped, for LAM_RING_RESUME. */
struct lam_ring_origin {
    uint64_t sequence; /* its place, if there is one, or the horizon */
    uint64_t ordinal;  /* events before it, where it may be below the horizon */
    uint64_t lost;     /* answer: events from there that are no longer in the ring */
    int is_place;      /* a predecessor's place is known */
    int is_counted;    /* its ordinal is known */
};

/*
 * Find the start, gate it (unless lossy), and set the consumer's next, ordinal and cursor. The
 * entry is ours, in state JOINING; or, to resume, as the predecessor left it. @origin is filled for
 * LAM_RING_RESUME, and NULL else. Returns 0, -EPROTO, or -ESTALE: evicted again and again.
 */
int lam_ring_settle(struct lam_ring_consumer *consumer, enum lam_ring_start start,
    struct lam_ring_origin *origin, struct lam_error *error);

/* Find an entry for @name (NULL: any), and take its lock. Sets index. See entry.c. */
int lam_ring_entry_take(
    struct lam_ring_consumer *consumer, const char *name, struct lam_error *error);

/* Write who we are into our entry. Returns 0, or -EEXIST: another one has @name. */
int lam_ring_entry_sign(struct lam_ring_consumer *consumer,
    const struct lam_ring_consumer_options *options, struct lam_error *error);

/* Whether @entry's name is @name. Either end. */
int lam_ring_entry_is_named(const struct lam_ring_entry *entry, const char *name);

/*
 * Take the predecessor's place in our entry over: gating from there, or from the horizon where
 * that has passed it. Returns 0, or -ESTALE: the entry has changed meanwhile. See resume.c.
 */
int lam_ring_take_place(
    struct lam_ring_consumer *consumer, struct lam_ring_origin *origin, uint64_t horizon);

/* We are settled: what lies between the predecessor's place and ours. Returns 0 or -EPROTO. */
int lam_ring_count_lost(const struct lam_ring_consumer *consumer, struct lam_ring_origin *origin);

/* Leave our place to a successor by our name; the entry's state says so. */
void lam_ring_leave_place(struct lam_ring_consumer *consumer);

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
