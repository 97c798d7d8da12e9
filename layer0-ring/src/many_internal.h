/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_MANY_INTERNAL_H
#define LAM_RING_MANY_INTERNAL_H

/*
 * Rings with many producers: shared by the ring's own files alone.
 */

#include "layout.h"
#include "wake.h"
#include "walk.h"

#include "lamina/ring/many.h"

/* How far the ring is: what a producer sees by walking from the newest waypoint. */
struct lam_ring_view {
    uint64_t waypoint; /* the newest, set by us if it was due */
    uint64_t frontier; /* the first sequence that is not published */
    uint64_t ordinal;  /* events before it */
};

/*
 * Look how far the ring is, and set the waypoints that are due. Producers only; lock-free.
 * Returns 0, or -EPROTO: an impossible event, or no end of others' progress.
 */
int lam_ring_many_survey(const struct lam_ring *ring, struct lam_ring_view *view);

/*
 * Raise the horizon from @*horizon to a boundary from @target to @bound. Returns 1 and it; 0:
 * somebody else did, look again; or -EPROTO: @bound lies inside an event.
 */
int lam_ring_many_raise(
    const struct lam_ring *ring, uint64_t *horizon, uint64_t target, uint64_t bound);

/*
 * See that the ring is open, in a new epoch unless another producer than that of entry @index is
 * open and alive.
 */
void lam_ring_many_open(const struct lam_ring *ring, uint32_t index);

/* An intent that says nothing: below all that is not yet overwritten. */
uint64_t lam_ring_many_no_intent(const struct lam_ring *ring);

/* Whether a producer is open and alive, that of entry @except aside (UINT32_MAX: none is). */
int lam_ring_many_is_alive(const struct lam_ring *ring, uint32_t except);

/* How many producers are open and alive; *@pid is one's, 0 there is none. */
uint32_t lam_ring_many_count(const struct lam_ring *ring, uint32_t *pid);

/* The live producer whose newest claim starts at @at, or LAM_RING_PRODUCER_COUNT_MAX. */
uint32_t lam_ring_many_claimer(const struct lam_ring *ring, uint64_t at);

/*
 * Fill the hole at @at, a boundary that all before are published to, if it is one that a dead
 * producer left. Who may write the data object only. Control plane: system calls.
 *
 * Returns 1 and something is published at @at now; 0: nothing was claimed there, or its claimer is
 * alive; or -EBUSY: another end is at it.
 */
int lam_ring_repair(const struct lam_ring *ring, uint64_t at);

/* Fill all holes up to the first that is not a dead one's. */
void lam_ring_repair_all(const struct lam_ring *ring);

/* Publish @cell_count cells from @sequence on as what is no event. */
void lam_ring_many_publish_padding(
    const struct lam_ring *ring, uint64_t sequence, uint64_t cell_count);

/* Whether something is claimed, and not published, at @next: only with many producers. */
static inline int lam_ring_many_has_hole(const struct lam_ring *ring, uint64_t next)
{
    return ring->producers == LAM_RING_MANY_PRODUCERS &&
           lam_load_acquire(&lam_ring_many_of(ring)->tail) != next; /* A22 */
}

/*
 * For a consumer that waits at @next: repair what it can. Returns 1 if no producer is left that
 * might publish there, else 0.
 */
int lam_ring_many_is_over(const struct lam_ring *ring, uint64_t next);

/*
 * Take the consumer at @index out of the table: a dead one, or one that has held us back for longer
 * than it may. System calls. Returns 1, or 0: it stays, or another producer is at it.
 */
int lam_ring_many_bury(const struct lam_ring *ring, uint32_t index);
int lam_ring_many_evict(
    const struct lam_ring_many_producer *producer, uint32_t index, uint64_t now_ns);

/* Add what was published to the ring's count of bytes. */
void lam_ring_many_tally(struct lam_ring_many_producer *producer);

#endif
