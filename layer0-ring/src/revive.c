/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file ring after a power cut.
 *
 * What a killed process wrote is in the page cache, whole. What the machine had in its memory when
 * it stopped reached the disk in pieces: of any page any version, in any order. So in a new boot a
 * stamp proves nothing, and the ring is cut behind the last event, counted from the horizon without
 * a gap, whose CRC is right. The boot is stored last: who dies on the way is followed by another
 * who does it all again.
 */
#include "lamina/base/crash_point.h"
#include "lamina/ring/event_crc.h"
#include "names.h"
#include "walk.h"

#include <errno.h>
#include <string.h>

int lam_ring_is_of_earlier_boot(const struct lam_ring_data *data)
{
    return (data->mark.traits & LAM_RING_TRAIT_FILE) != 0 &&
           lam_load_relaxed(&data->boot) != lam_identity_self().boot;
}

static struct lam_event_header *header_at(const struct lam_ring *ring, uint64_t sequence)
{
    return (struct lam_event_header *)(void *)(ring->cells +
                                               ((sequence & ring->cell_mask) << ring->cell_shift));
}

/* One event on. Returns 1, or 0: the event at *@place is not vouched for. */
static int step(const struct lam_ring *ring, uint64_t horizon, struct lam_ring_place *place)
{
    const struct lam_event_header *header = header_at(ring, place->sequence);
    uint64_t stamp = lam_load_acquire(&header->stamp); /* A1 */
    uint64_t shape = lam_load_relaxed(&header->shape);
    uint64_t cell_count = lam_ring_event_cells(ring, (uint32_t)shape);
    struct lam_event event = {.payload = header + 1,
        .payload_bytes = (uint32_t)shape,
        .kind = (uint16_t)(shape >> 32),
        .flags = (uint16_t)(shape >> 48)};

    if (stamp != place->sequence || cell_count > ring->event_cells_max ||
        place->sequence + cell_count - horizon >= ring->depth || !lam_event_crc_is_right(&event))
        return 0;
    place->sequence += cell_count;
    return 1;
}

/* A consumer that had come further than what is left of the ring resumes at its end. */
static void move_cursors_back(const struct lam_ring *ring, uint64_t head)
{
    for (uint32_t i = 0; i < LAM_RING_CONSUMER_COUNT_MAX; i++) {
        struct lam_ring_entry *entry = &ring->control_head->entries[i];

        if ((int64_t)(lam_load_relaxed(&entry->cursor) - head) > 0)
            lam_store_relaxed(&entry->cursor, head);
        /* Below the horizon nothing is vouched for. */
        lam_store_relaxed(&entry->settled, 0);
        /* Nor is a place that is remembered beyond the head. */
        if ((int64_t)(lam_load_relaxed(&entry->left.sequence) - head) > 0)
            lam_store_relaxed(&entry->left.mark, 0);
        if ((int64_t)(lam_load_relaxed(&entry->taken.sequence) - head) > 0)
            lam_store_relaxed(&entry->taken.mark, 0);
    }
}

static void cut(struct lam_ring *ring)
{
    struct lam_ring_data *data = ring->data_head;
    struct lam_ring_place horizon = {.sequence = lam_load_relaxed(&data->horizon),
        .ordinal = lam_load_relaxed(&data->horizon_ordinal)};
    struct lam_ring_place place = horizon;

    while (step(ring, horizon.sequence, &place))
        continue;
    lam_store_relaxed(&header_at(ring, place.sequence)->stamp, ~place.sequence);
    LAM_CRASH_POINT("revive.head_cleared");
    /* The one waypoint that is surely true. The producer sets the next, at the head. */
    lam_store_relaxed(&data->waypoints[0].sequence, horizon.sequence);
    lam_store_relaxed(&data->waypoints[0].ordinal, horizon.ordinal);
    lam_store_relaxed(&data->waypoint_count, 1);
    move_cursors_back(ring, place.sequence);
    LAM_CRASH_POINT("revive.cut");
    lam_store_release(&data->boot, lam_identity_self().boot); /* R34 */
    LAM_CRASH_POINT("revive.boot_stored");
}

int lam_ring_revive(struct lam_ring *ring, struct lam_error *error)
{
    struct lam_lock replace = {.fd = -1};
    int rc;

    if (!lam_ring_is_of_earlier_boot(ring->data_head))
        return 0;
    if (ring->producers != LAM_RING_ONE_PRODUCER) /* create makes none such */
        return lam_error_set(error, -EPROTO, "ring %s: is a file with many producers", ring->name);
    rc = lam_ring_take_replace(&replace, &ring->control);
    if (rc != 0)
        return lam_error_set(
            error, rc, "ring %s: cannot lock it to revive it: %s", ring->name, strerror(-rc));
    if (lam_ring_is_of_earlier_boot(ring->data_head)) /* nobody came before us */
        cut(ring);
    lam_lock_drop(&replace);
    return 0;
}
