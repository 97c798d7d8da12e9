/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_MERGE_H
#define LAM_RING_MERGE_H

/*
 * lamina/ring/merge.h: many producers, one consumer call.
 *
 * Ring, layer 0. Each producer has a ring of its own, in any process, and this end consumes from
 * all of them: so nobody's death or garbage touches another one's events. The end of one stream is
 * told with its index, once, and the others go on. Members come and go while it runs.
 *
 * FAIR: in turn, at most a batch from each: no ring waits for more than a batch of each other one.
 * BY_TIME: by the times that the producers write (lamina/ring/timestamp.h). What is given is in the
 * order of its times as long as each event is visible to us within lag_ns after its time: while a
 * ring is empty and has not ended, an event of another one waits until its time is lag_ns ago. An
 * event that comes later still is given at once, and counted: merge->late. An event without a time
 * counts as of its ring's time before; a time in the future as of when it was seen.
 *
 * All calls from one thread at a time. They allocate nothing; only waiting makes system calls.
 */

#include "lamina/ring/consumer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RING_MERGE_COUNT_MAX     64
#define LAM_RING_MERGE_BATCH_DEFAULT 32
#define LAM_RING_MERGE_LAG_NS        LAM_NS_PER_MS
#define LAM_RING_MERGE_ALL           UINT32_MAX /* the index of no one member */

enum lam_ring_merge_order {
    LAM_RING_MERGE_FAIR = 0,
    LAM_RING_MERGE_BY_TIME = 1,
};

struct lam_ring_merge_options {
    enum lam_ring_merge_order order;
    uint32_t batch;  /* FAIR: events in a row of one ring; 0 for 32 */
    uint64_t lag_ns; /* BY_TIME: how long an event waits for rings that are empty; 0 for 1 ms */
};

/* Private. */
struct lam_ring_merge_member {
    struct lam_ring_consumer *consumer;
    uint64_t given_end;     /* sequence behind the last event that was given */
    struct lam_event ahead; /* BY_TIME: the next one */
    uint64_t ahead_ns;      /* its time */
    uint64_t last_ns;       /* the ring's last time */
    int end;                /* how its stream ended, which was told; 0 it goes on */
    uint32_t has_ahead;
};

struct lam_ring_merge {
    /* Fields are private, except that the counts may be read. */
    uint64_t late; /* BY_TIME: events given after one of a later time */
    struct lam_ring_merge_options options;
    uint64_t members_used; /* a bit a member */
    uint64_t members_held; /* a bit a member with events that are given and not released */
    uint64_t last_ns;      /* BY_TIME: of what was given */
    uint64_t due_ns;       /* BY_TIME: when the earliest event no longer waits; 0 there is none */
    uint32_t turn;         /* FAIR: whose it is */
    uint32_t served;       /* FAIR: events in a row */
    struct lam_ring_merge_member members[LAM_RING_MERGE_COUNT_MAX];
};

/* Begin without members. @options may be NULL: fair, batches of 32. */
void lam_ring_merge_init(
    struct lam_ring_merge *merge, const struct lam_ring_merge_options *options);

/*
 * Add @consumer, gating, of any ring; from now until removed it is read by the merge alone.
 *
 * Returns 0 with *@index, which stays its own until removed; or
 *   -EINVAL it is lossy
 *   -EEXIST it is a member already
 *   -EUSERS LAM_RING_MERGE_COUNT_MAX are members
 */
int lam_ring_merge_add(
    struct lam_ring_merge *merge, struct lam_ring_consumer *consumer, uint32_t *index);

/*
 * Take a member out; what was given of it is released. The consumer goes on by itself behind that.
 *
 * Returns 0, or
 *   -EINVAL there is no member @index
 *   -ESTALE it was evicted: see lam_ring_consumer_release_to()
 */
int lam_ring_merge_remove(struct lam_ring_merge *merge, uint32_t index);

/*
 * Look at the next event of all, without waiting; lent until lam_ring_merge_release(). *@index:
 * whose it is.
 *
 * Returns 1; 0 there is none yet, or its time has not come; or with *@index the end of that
 * member's stream, after its last event, once: an error of lam_ring_consumer_try_peek(). It stays a
 * member: a successor's events, or those after lam_ring_consumer_readmit(), are given again. Or
 *   -EPIPE with *@index LAM_RING_MERGE_ALL: all have ended, or there is no member
 */
int lam_ring_merge_try_peek(struct lam_ring_merge *merge, struct lam_event *event, uint32_t *index);

/*
 * The same, waiting until @deadline_ns, by the mode of a member that has nothing; members that
 * have ended are looked at every 8 ms.
 *
 * Returns 0, an error of lam_ring_merge_try_peek(), or
 *   -ETIMEDOUT nothing came
 */
int lam_ring_merge_peek_until(
    struct lam_ring_merge *merge, uint64_t deadline_ns, struct lam_event *event, uint32_t *index);

/*
 * Release all that was given, of all members.
 *
 * Returns 0, or -ESTALE: a member was evicted meanwhile; the next look tells which.
 */
int lam_ring_merge_release(struct lam_ring_merge *merge);

#ifdef __cplusplus
}
#endif

#endif
