/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rare part of a claim on a ring with many producers: how far the ring is, who is behind, and
 * so how far this producer may go.
 *
 * The horizon is shared and only grows. Each producer scans the consumers for itself, after a fence
 * behind its look at the horizon (F5): a joiner that it does not see has seen that horizon, or a
 * higher one, and moves on.
 */
#include "many_internal.h"

#include <errno.h>
#include <string.h>

/* Who is in the way: a consumer's index, or this and a producer's, or NOBODY. */
#define BLOCKER_PRODUCER LAM_RING_CONSUMER_COUNT_MAX
#define NOBODY           UINT32_MAX

struct bound {
    uint64_t sequence; /* all gating consumers are past what lies below it */
    uint64_t state;    /* of the lowest consumer's entry */
    uint32_t index;    /* its index, or NOBODY: they have taken all that is published */
};

static void expel(const struct lam_ring *ring, uint32_t index, uint64_t seen)
{
    if (lam_cas_acq_rel(&ring->control_head->entries[index].state, &seen, /* R4 */
            lam_ring_entry_next(seen, LAM_RING_ENTRY_EXPELLED)))
        (void)lam_add_acq_rel(&ring->control_head->expelled, 1); /* a count: no order is meant */
}

static struct bound scan(const struct lam_ring *ring, uint64_t frontier)
{
    struct lam_ring_control *control = ring->control_head;
    struct bound bound = {.sequence = frontier, .index = NOBODY};
    uint64_t used = lam_load_acquire(&control->used); /* A26 */

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        uint64_t state = lam_load_acquire(&control->entries[index].state); /* A4 */
        uint64_t cursor, lag_cells;

        if (lam_ring_entry_state_of(state) != LAM_RING_ENTRY_GATING)
            continue;
        /* A2, pairs with R2: it has finished loading from every cell below. */
        cursor = lam_load_acquire(&control->entries[index].cursor);
        /* The tail after the cursor: the others go on meanwhile. */
        lag_cells = lam_load_acquire(&lam_ring_many_of(ring)->tail) - cursor;
        if ((int64_t)lag_cells < 0) {
            expel(ring, index, state);
            continue;
        }
        if (lag_cells > lam_load_relaxed(&control->entries[index].lag_max))
            lam_store_relaxed(&control->entries[index].lag_max, lag_cells);
        if ((int64_t)(cursor - bound.sequence) < 0) {
            bound.sequence = cursor;
            bound.state = state;
            bound.index = index;
        }
    }
    return bound;
}

/*
 * Who keeps @bound where it is. Returns 0, so that a caller can say so: there is no room.
 */
static int blocked(const struct lam_ring *ring, struct bound bound,
    const struct lam_ring_view *view, uint32_t *blocker)
{
    *blocker = bound.index;
    if (bound.index == NOBODY && lam_ring_many_has_hole(ring, view->frontier))
        *blocker = BLOCKER_PRODUCER + lam_ring_many_claimer(ring, view->frontier);
    return 0;
}

/*
 * Raise the horizon to @needed, or a sixteenth of a lap further if there is that much. Returns 1; 0
 * and who is in the way; or -EPROTO: no events lead from the horizon on, and no consumer said so.
 */
static int pass_horizon(const struct lam_ring *ring, uint64_t needed, struct bound bound,
    const struct lam_ring_view *view, uint64_t *horizon, uint32_t *blocker)
{
    uint64_t stride = ring->depth / LAM_RING_WAYPOINT_COUNT;
    /* Joiners count from a waypoint: there is always one at the horizon or above. */
    uint64_t highest =
        (int64_t)(bound.sequence - view->waypoint) < 0 ? bound.sequence : view->waypoint;
    int rc;

    if ((int64_t)(highest - needed) < 0) {
        /* Almost all of the ring is claimed and not published. */
        *blocker = BLOCKER_PRODUCER + lam_ring_many_claimer(ring, view->frontier);
        return 0;
    }
    rc = lam_ring_many_raise(
        ring, horizon, highest - needed > stride ? needed + stride : highest, highest);
    if (rc < 0 && bound.index != NOBODY) {
        expel(ring, bound.index, bound.state); /* its cursor lies inside an event */
        rc = 0;
    }
    return rc;
}

/* Returns 1, or 0 and who is in the way (NOBODY: look again), or -EPROTO. */
static int try_room(
    struct lam_ring_many_producer *producer, uint64_t cell_count, uint64_t at, uint32_t *blocker)
{
    const struct lam_ring *ring = producer->ring;
    uint64_t needed = at + cell_count + 1 - ring->depth; /* all below must be released */
    uint64_t horizon, limit;
    struct lam_ring_view view;
    struct bound bound;
    int rc = lam_ring_many_survey(ring, &view);

    *blocker = NOBODY;
    if (rc != 0)
        return rc;
    bound = scan(ring, view.frontier);
    if ((int64_t)(bound.sequence - needed) < 0)
        return blocked(ring, bound, &view, blocker);
    /* A23, pairs with R23, the raise: what is below it was read by those whom its raiser saw. */
    horizon = lam_load_acquire(&ring->data_head->horizon);
    if ((int64_t)(horizon - needed) < 0) {
        rc = pass_horizon(ring, needed, bound, &view, &horizon, blocker);
        if (rc != 1)
            return rc;
    }
    lam_fence_seq_cst(); /* F5, pairs with F6 in settle_gating() */
    bound = scan(ring, view.frontier);
    if ((int64_t)(bound.sequence - needed) < 0)
        return blocked(ring, bound, &view, blocker); /* it joined below, and will move on */
    limit = ((int64_t)(bound.sequence - horizon) < 0 ? bound.sequence : horizon) + ring->depth;
    /* No further than to the next waypoint or so: somebody has to set it. */
    producer->limit = at + cell_count + 1 + ring->depth / LAM_RING_WAYPOINT_COUNT;
    if ((int64_t)(limit - producer->limit) < 0)
        producer->limit = limit;
    return 1;
}

/* Whether the consumer or the producer that is in the way is dead, and so no longer in it. */
static int clear_the_way(struct lam_ring_many_producer *producer)
{
    struct lam_ring_view view;

    lam_ring_many_tally(producer);
    if (producer->blocker < BLOCKER_PRODUCER)
        return lam_ring_many_bury(producer->ring, producer->blocker);
    return lam_ring_many_survey(producer->ring, &view) == 0 &&
           lam_ring_repair(producer->ring, view.frontier) == 1;
}

/* There is no room. See now and then whether who is in the way lives. Returns 1 to look again. */
static int held_back(struct lam_ring_many_producer *producer, uint32_t blocker)
{
    uint64_t now_ns;

    if (producer->full_streak == 0)
        /* a count: no order is meant */
        (void)lam_add_acq_rel(&producer->ring->control_head->full, 1);
    if (producer->blocker != blocker) {
        producer->blocker = blocker;
        producer->blocked_since_ns = 0;
    }
    if ((producer->full_streak++ & 63) != 0 && !producer->look_now &&
        producer->blocked_since_ns != 0)
        return 0; /* the clock costs more than the look at the table */
    producer->look_now = 0;
    now_ns = lam_clock_now_ns();
    if (producer->blocked_since_ns == 0)
        producer->blocked_since_ns = now_ns;
    if (producer->full_since_ns == 0)
        producer->full_since_ns = now_ns;
    if (blocker < BLOCKER_PRODUCER && lam_ring_many_evict(producer, blocker, now_ns))
        return 1;
    if (producer->full_streak > 1 && now_ns < producer->probe_at_ns)
        return 0;
    producer->probe_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    return clear_the_way(producer);
}

static void not_blocked(struct lam_ring_many_producer *producer)
{
    if (producer->full_since_ns != 0)
        /* a count: no order is meant */
        (void)lam_add_acq_rel(&producer->ring->control_head->blocked_ns,
            lam_clock_now_ns() - producer->full_since_ns);
    producer->full_since_ns = 0;
    producer->full_streak = 0;
    producer->blocked_since_ns = 0;
    producer->blocker = NOBODY;
}

int lam_ring_many_make_room(
    struct lam_ring_many_producer *producer, uint64_t cell_count, uint64_t *at)
{
    struct lam_ring *ring = producer->ring;
    uint32_t blocker;

    LAM_ASSERT(lam_lock_is_held(&producer->lock)); /* not after detach, nor in a forked child */
    (void)lam_ring_many_give_up(producer);         /* of a claim that another was quicker with */
    if (producer->closed)
        return -EPIPE;
    if (lam_load_relaxed(&ring->control_head->poisoned) != 0)
        return -ENOTRECOVERABLE;
    if (lam_ring_state_of(lam_load_relaxed(&ring->data_head->state)) != LAM_RING_OPEN)
        lam_ring_many_open(ring, producer->index); /* the last to close did not see us come */
    /* At most once for each end: each round takes one dead or impossible one out. */
    for (uint32_t round = 0; round <= 2 * LAM_RING_CONSUMER_COUNT_MAX; round++) {
        int rc;

        *at = lam_load_acquire(producer->tail);
        rc = try_room(producer, cell_count, *at, &blocker);
        if (rc != 0) {
            not_blocked(producer);
            return rc == 1 ? 1 : -ENOTRECOVERABLE;
        }
        if (blocker != NOBODY && !held_back(producer, blocker))
            return 0;
    }
    return 0;
}

int lam_ring_many_give_up(struct lam_ring_many_producer *producer)
{
    /* R21. Or who looks at a hole where we had wanted to claim would think that it is ours. */
    lam_store_release(producer->intent, lam_ring_many_no_intent(producer->ring));
    return 0;
}
