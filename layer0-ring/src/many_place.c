/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waypoints and the horizon where many producers set them.
 *
 * Nobody holds a lock here, so all who set the same waypoint must come to the same words: it is the
 * first boundary at least a sixteenth of a lap behind the one before, and the events up to it. Who
 * comes late with an older one finds that the words are no longer what it read.
 */
#include "many_internal.h"

#include <errno.h>

/* Each try but the first is somebody else's progress. */
#define TRIES_MAX 100000

static uint64_t stride_of(const struct lam_ring *ring)
{
    return ring->depth < LAM_RING_WAYPOINT_COUNT ? 1 : ring->depth / LAM_RING_WAYPOINT_COUNT;
}

/* Set waypoint number @count to @place, unless that is done. */
static void set_waypoint(const struct lam_ring *ring, uint64_t count, struct lam_ring_place place)
{
    struct lam_ring_data *data = ring->data_head;
    struct lam_ring_waypoint *slot = &data->waypoints[count % LAM_RING_WAYPOINT_COUNT];
    uint64_t ordinal = lam_load_relaxed(&slot->ordinal);
    uint64_t sequence = lam_load_relaxed(&slot->sequence);

    lam_fence_acquire(); /* A8 */
    if (lam_load_relaxed(&data->waypoint_count) != count)
        return; /* so that what was read is the waypoint of a lap ago, or this one */
    /* R7, pairs with A8: whoever reads a new word in the slot sees that the count has come here. */
    (void)lam_cas_acq_rel(&slot->ordinal, &ordinal, place.ordinal);
    LAM_CRASH_POINT("waypoint.ordinal_stored");
    (void)lam_cas_acq_rel(&slot->sequence, &sequence, place.sequence);
    LAM_CRASH_POINT("waypoint.sequence_stored");
    /* R3, pairs with A3. By us or by another: the two words are in place. */
    (void)lam_cas_acq_rel(&data->waypoint_count, &count, count + 1);
}

/* One step of the survey. Returns 1 and the view; 0 to look again; or -EPROTO. */
static int survey_once(const struct lam_ring *ring, struct lam_ring_view *view)
{
    const struct lam_ring_data *data = ring->data_head;
    uint64_t count = lam_load_acquire(&data->waypoint_count); /* A3 */
    const struct lam_ring_waypoint *newest =
        &data->waypoints[(count - 1) % LAM_RING_WAYPOINT_COUNT];
    struct lam_ring_place place = {.sequence = lam_load_relaxed(&newest->sequence),
        .ordinal = lam_load_relaxed(&newest->ordinal)};
    int rc;

    view->waypoint = place.sequence;
    do {
        rc = lam_ring_walk_one(ring, &place);
    } while (rc == 1 && place.sequence - view->waypoint < stride_of(ring));
    /* A8, and A7, pairs with F5: was the waypoint, or a cell behind it, overwritten meanwhile? */
    lam_fence_acquire();
    if (lam_load_relaxed(&data->waypoint_count) - count >= LAM_RING_WAYPOINT_COUNT - 1)
        return 0;
    /*
     * Raised by one who had seen a newer waypoint (R23): else it is a lie, and no try finds it to
     * be anything else.
     */
    if ((int64_t)(view->waypoint - lam_load_acquire(&data->horizon)) < 0)
        return lam_load_relaxed(&data->waypoint_count) == count ? -EPROTO : 0;
    if (rc == 1)
        set_waypoint(ring, count, place);
    view->frontier = place.sequence;
    view->ordinal = place.ordinal;
    return rc < 0 ? rc : rc == 0;
}

int lam_ring_many_survey(const struct lam_ring *ring, struct lam_ring_view *view)
{
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        int rc = survey_once(ring, view);

        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    return -EPROTO;
}

int lam_ring_many_raise(
    const struct lam_ring *ring, uint64_t *horizon, uint64_t target, uint64_t bound)
{
    struct lam_ring_place place = {.sequence = *horizon};

    while ((int64_t)(place.sequence - target) < 0)
        if (lam_ring_walk_one(ring, &place) != 1)
            break;
    /* Where the walk was overtaken by a higher horizon, this finds it. R23, pairs with A23. */
    if (lam_load_acquire(&ring->data_head->horizon) != *horizon)
        return 0;
    if ((int64_t)(place.sequence - target) < 0 || (int64_t)(bound - place.sequence) < 0)
        return -EPROTO;
    if (!lam_cas_acq_rel(&ring->data_head->horizon, horizon, place.sequence)) /* R23 */
        return 0;
    LAM_CRASH_POINT("room.horizon_raised");
    *horizon = place.sequence;
    return 1;
}
