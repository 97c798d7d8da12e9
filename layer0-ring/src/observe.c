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

/* What read_once() found is no event, on a ring with many producers. */
#define PADDING 2

/* Read the next one. Returns as lam_ring_observer_try_read(), or PADDING and event->end. */
static int read_once(struct lam_ring_observer *observer, void *buffer, uint64_t capacity,
    struct lam_event *event, uint64_t *lost)
{
    const struct lam_ring *ring = observer->ring;
    const struct lam_event_header *header = lam_ring_head(ring, observer->next);
    /* A1: see lam_ring_consumer_try_peek(). */
    uint64_t stamp = lam_load_acquire(&header->stamp);
    uint64_t shape = lam_load_relaxed(&header->shape);
    uint64_t is_event;
    uint64_t cell_count = lam_ring_shape_cells(ring, shape, &is_event);

    if (!still_there(observer))
        return lapped(observer, lost);
    if (stamp != observer->next)
        return 0;
    if (cell_count == 0)
        return -EPROTO;
    event->end = observer->next + cell_count;
    if (!is_event)
        return PADDING;
    lam_ring_copy_racing(buffer,
        ring->cells + ((observer->next & ring->cell_mask) << ring->cell_shift) +
            LAM_EVENT_HEADER_BYTES,
        (uint32_t)shape < capacity ? (uint32_t)shape : capacity);
    if (!still_there(observer))
        return lapped(observer, lost);
    event->payload = buffer;
    event->payload_bytes = (uint32_t)shape;
    event->kind = (uint16_t)(shape >> 32);
    event->flags = (uint16_t)(shape >> 48);
    event->sequence = observer->next;
    observer->next = event->end;
    observer->ordinal++;
    return 1;
}

int lam_ring_observer_try_read(struct lam_ring_observer *observer, void *buffer, uint64_t capacity,
    struct lam_event *event, uint64_t *lost)
{
    uint64_t from = observer->next;
    int rc;

    /* A lap of padding is enough for one look: whoever stores that does not hold us here. */
    while ((rc = read_once(observer, buffer, capacity, event, lost)) == PADDING &&
           event->end - from < observer->ring->depth)
        observer->next = event->end;
    return rc == PADDING ? 0 : rc;
}
