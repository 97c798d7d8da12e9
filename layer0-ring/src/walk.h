/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_WALK_H
#define LAM_RING_WALK_H

/*
 * Events one after another, by what is in the cells.
 */

#include "layout.h"

/*
 * Cells between two waypoints, and between two moves of the horizon: a sixteenth of the ring; of a
 * small one a quarter, or it would do little else.
 */
static inline uint64_t lam_ring_stride(uint64_t depth)
{
    uint64_t stride = depth / (depth < 256 ? 4 : LAM_RING_WAYPOINT_COUNT);

    return stride == 0 ? 1 : stride;
}

/* An event boundary, and how many events of the ring come before it. */
struct lam_ring_place {
    uint64_t sequence;
    uint64_t ordinal;
};

/* The newest waypoint. A copy, of words that the producer may be changing. */
struct lam_ring_place lam_ring_newest_waypoint(const struct lam_ring *ring);

/*
 * Walk published events from *@place, a boundary that is not overwritten, to the first that is not
 * published. Counts events into place->ordinal. Returns 0, or -EPROTO: an event cannot be.
 */
int lam_ring_walk(const struct lam_ring *ring, struct lam_ring_place *place);

/* One step of it. Returns 1, or 0: the event at *@place is not published, or -EPROTO. */
int lam_ring_walk_one(const struct lam_ring *ring, struct lam_ring_place *place);

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

/* Header of the event that starts at @sequence. */
static inline struct lam_event_header *lam_ring_head(const struct lam_ring *ring, uint64_t sequence)
{
    return (struct lam_event_header *)(void *)(ring->heads +
                                               ((sequence & ring->cell_mask) << ring->head_shift));
}

/*
 * Cells of the event of that @shape, or 0: it cannot be. *@is_event is 0 where it is padding, which
 * only a ring of many producers has, in any size.
 */
static inline uint64_t lam_ring_shape_cells(
    const struct lam_ring *ring, uint64_t shape, uint64_t *is_event)
{
    uint64_t cell_count = lam_ring_event_cells(ring, (uint32_t)shape);

    *is_event = (uint32_t)shape != LAM_EVENT_PADDING || ring->producers == LAM_RING_ONE_PRODUCER;
    if (*is_event)
        return cell_count > ring->event_cells_max ? 0 : cell_count;
    return shape >> 32 >= ring->depth ? 0 : shape >> 32;
}

#endif
