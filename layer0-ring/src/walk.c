/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a known boundary to the head, by the stamps: for observers, joiners and recovery. Nobody
 * polls a cursor; the newest waypoint is at most a sixteenth of the ring behind.
 */
#include "walk.h"
#include "layout.h"

#include <errno.h>

struct lam_ring_place lam_ring_newest_waypoint(const struct lam_ring *ring)
{
    const struct lam_ring_data *data = ring->data_head;
    struct lam_ring_place place;
    uint64_t count;
    unsigned tries = 0;

    do {
        /* A3, pairs with R3 in lam_ring_producer_waypoint(): the entry is complete. */
        count = lam_load_acquire(&data->waypoint_count);
        place.sequence =
            lam_load_relaxed(&data->waypoints[(count - 1) % LAM_RING_WAYPOINT_COUNT].sequence);
        place.ordinal =
            lam_load_relaxed(&data->waypoints[(count - 1) % LAM_RING_WAYPOINT_COUNT].ordinal);
        lam_fence_acquire(); /* A8, pairs with R7 in lam_ring_producer_waypoint() */
        /*
         * Rewritten under us only if the producer went a whole lap of waypoints meanwhile. The
         * tries are bounded: a producer that does nothing else would keep us here.
         */
    } while (lam_load_relaxed(&data->waypoint_count) - count >= LAM_RING_WAYPOINT_COUNT - 1 &&
             ++tries < 1000);
    return place;
}

int lam_ring_walk_one(const struct lam_ring *ring, struct lam_ring_place *place)
{
    const struct lam_event_header *header = lam_ring_head(ring, place->sequence);
    uint64_t cell_count, is_event;

    /* A1: see lam_ring_consumer_try_peek(). */
    if (lam_load_acquire(&header->stamp) != place->sequence)
        return 0;
    cell_count = lam_ring_shape_cells(ring, lam_load_relaxed(&header->shape), &is_event);
    if (cell_count == 0)
        return -EPROTO;
    place->sequence += cell_count;
    place->ordinal += is_event;
    return 1;
}

int lam_ring_walk(const struct lam_ring *ring, struct lam_ring_place *place)
{
    uint64_t from = place->sequence;
    int rc = 1;

    /* No further than a lap: the producer runs on meanwhile. */
    while (rc == 1 && place->sequence - from < ring->depth)
        rc = lam_ring_walk_one(ring, place);
    return rc < 0 ? rc : 0;
}
