/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading along: the steps of a lossy read (lossy.c), by who has no entry and writes nothing.
 */
#include "lamina/ring/observe.h"
#include "layout.h"
#include "settle.h"

/* How many waypoints behind the newest a lapped observer goes on: a quarter of a lap. */
#define LAPPED_WAYPOINTS 4

int lam_ring_observer_begin(
    struct lam_ring_observer *observer, const struct lam_ring *ring, enum lam_ring_start start)
{
    struct lam_ring_place place = {0};
    int rc;

    if (start != LAM_RING_HEAD && start != LAM_RING_OLDEST)
        return -EINVAL;
    rc = start == LAM_RING_HEAD ? lam_ring_find_head(ring, &place)
                                : lam_ring_recent_place(ring, LAM_RING_WAYPOINT_COUNT - 2, &place);
    observer->ring = ring;
    observer->next = place.sequence;
    observer->ordinal = place.ordinal;
    return rc;
}

/* After an acquire fence: whether all that was loaded of the next event was still whole. */
static int still_there(const struct lam_ring_observer *observer)
{
    lam_fence_acquire(); /* A7, pairs with F5: the horizon that was stored before the overwriting */
    return (int64_t)(observer->next - lam_load_relaxed(&observer->ring->data_head->horizon)) >= 0;
}

static int lapped(struct lam_ring_observer *observer, uint64_t *lost)
{
    struct lam_ring_place place;
    int rc = lam_ring_recent_place(observer->ring, LAPPED_WAYPOINTS, &place);

    if (rc != 0)
        return rc;
    *lost = place.ordinal - observer->ordinal;
    observer->ordinal = place.ordinal;
    observer->next = place.sequence;
    return -EOVERFLOW;
}

int lam_ring_observer_try_read(struct lam_ring_observer *observer, void *buffer, uint64_t capacity,
    struct lam_event *event, uint64_t *lost)
{
    const struct lam_ring *ring = observer->ring;
    const struct lam_event_header *header =
        (const struct lam_event_header *)(const void *)(ring->cells +
                                                        ((observer->next & ring->cell_mask)
                                                            << ring->cell_shift));
    /* A1: see lam_ring_consumer_try_peek(). */
    uint64_t stamp = lam_load_acquire(&header->stamp);
    uint64_t shape = lam_load_relaxed(&header->shape);
    uint64_t cell_count = lam_ring_event_cells(ring, (uint32_t)shape);

    if (!still_there(observer))
        return lapped(observer, lost);
    if (stamp != observer->next)
        return 0;
    if (cell_count > ring->event_cells_max)
        return -EPROTO;
    lam_ring_copy_racing(
        buffer, header + 1, (uint32_t)shape < capacity ? (uint32_t)shape : capacity);
    if (!still_there(observer))
        return lapped(observer, lost);
    event->payload = buffer;
    event->payload_bytes = (uint32_t)shape;
    event->kind = (uint16_t)(shape >> 32);
    event->flags = (uint16_t)(shape >> 48);
    event->sequence = observer->next;
    event->end = observer->next + cell_count;
    observer->next = event->end;
    observer->ordinal++;
    return 1;
}
