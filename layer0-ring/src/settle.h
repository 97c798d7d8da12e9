/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_SETTLE_H
#define LAM_RING_SETTLE_H

/*
 * A consumer's entry, and where its reading starts: shared by the ring's own files alone.
 */

#include "count.h"
#include "lamina/ring/consumer.h"
#include "layout.h"
#include "walk.h"

/* Where a predecessor stopped, for LAM_RING_RESUME. */
struct lam_ring_origin {
    uint64_t sequence; /* its place, if there is one, or the horizon */
    uint64_t ordinal;  /* events before it, where it may be below the horizon */
    uint64_t lost;     /* answer: events from there that are no longer in the ring */
    int is_place;      /* a predecessor's place is known */
    int is_counted;    /* its ordinal is known */
    int is_held;       /* it has been gated all the time, from below the horizon too */
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

/*
 * The place that is remembered for @entry in the state @word, if there is one, holds for the word
 * @joined, too: whoever dies as it joins leaves it to the next.
 */
void lam_ring_keep_place(struct lam_ring_entry *entry, uint64_t word, uint64_t joined);

/* We are settled: what lies between the predecessor's place and ours. Returns 0 or -EPROTO. */
int lam_ring_count_lost(const struct lam_ring_consumer *consumer, struct lam_ring_origin *origin);

/* Leave our place to a successor by our name; the entry's state says so. */
void lam_ring_leave_place(struct lam_ring_consumer *consumer);

/* Copy bytes that may be overwritten meanwhile; whoever does must ask the horizon afterwards. */
void lam_ring_copy_racing(void *to, const void *from, uint64_t bytes);

/* Whether this consumer may be evicted and was: after a look at borrowed bytes. */
static inline int lam_ring_consumer_is_evicted(const struct lam_ring_consumer *consumer)
{
    return (consumer->guards & LAM_RING_GUARD_EVICTION) != 0 && !lam_ring_consumer_holds(consumer);
}

#endif
