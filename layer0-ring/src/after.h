/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_AFTER_H
#define LAM_RING_AFTER_H

/*
 * A consumer that goes after others (its leaders): shared by the consumer's files alone.
 */

#include "lamina/ring/consumer.h"
#include "layout.h"

/* What a leader is to its follower. */
enum lam_ring_leader_phase {
    LAM_RING_LEADER_THERE = 0,
    LAM_RING_LEADER_GONE = 1, /* dead, or taken out: it holds us where it stopped */
    LAM_RING_LEADER_LEFT = 2, /* in order: it holds us no longer */
};

/* Check the options. Returns 0, or -EINVAL, or -ELOOP: it names itself. */
int lam_ring_after_check(const struct lam_ring *ring,
    const struct lam_ring_consumer_options *options, struct lam_error *error);

/* Write into our entry, in state JOINING, whom we go after: before the fence of its signing. */
void lam_ring_after_declare(
    struct lam_ring_consumer *consumer, const struct lam_ring_consumer_options *options);

/*
 * Find the leaders, waiting for those who have not joined. Returns 0, -ELOOP, -ENOENT or -EINVAL,
 * as lam_ring_consumer_attach().
 */
int lam_ring_after_resolve(struct lam_ring_consumer *consumer,
    const struct lam_ring_consumer_options *options, struct lam_error *error);

/*
 * Find who is alive by the leader's name, gates and cannot be evicted, or that its last owner has
 * left; and take over what is found. Returns 1, 0 nobody, or -EINVAL: it is lossy or evictable.
 */
int lam_ring_leader_find(
    const struct lam_ring_consumer *consumer, struct lam_ring_leader *leader, uint32_t *left);

/*
 * Whether all leaders have released the next event, which is published and ends at @end. Returns 1,
 * 0, or -EOWNERDEAD, -EPROTO.
 */
int lam_ring_after_scan(struct lam_ring_consumer *consumer, uint64_t end);

/* The same for waits: 1 when a peek would return anything but 0. */
int lam_ring_after_is_ready(struct lam_ring_consumer *consumer);

/* Ask for the locks of those that hold us. */
void lam_ring_after_probe(struct lam_ring_consumer *consumer);

/* Whether a leader has claimed to have released what is not even published. */
static inline int lam_ring_after_is_impossible(const struct lam_ring_consumer *consumer)
{
    return (consumer->guards & LAM_RING_GUARD_AFTER) != 0 &&
           (int64_t)(consumer->after_bound - consumer->next) > 0;
}

#endif
