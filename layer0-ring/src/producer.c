/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rare parts of publishing: the map of worn cells, waypoints, waking, closing.
 */
#include "lamina/ring/producer.h"
#include "lamina/base/crash_point.h"
#include "lamina/ring/required.h"
#include "layout.h"
#include "producer_internal.h"

#include <stdio.h>

struct lam_ring_worn lam_ring_producer_worn(const struct lam_ring_producer *producer)
{
    return (struct lam_ring_worn){.words = producer->worn, .cell_mask = producer->cell_mask};
}

void lam_ring_producer_wear(struct lam_ring_producer *producer, uint64_t from, uint64_t cell_count)
{
    struct lam_ring_worn worn = lam_ring_producer_worn(producer);

    lam_ring_worn_set(&worn, from, cell_count);
}

void lam_ring_producer_unwear_slow(
    struct lam_ring_producer *producer, uint64_t from, uint64_t cell_count)
{
    struct lam_ring_worn worn = lam_ring_producer_worn(producer);

    lam_ring_worn_clear(&worn, from, cell_count);
}

void lam_ring_producer_abort(struct lam_ring_producer *producer)
{
    uint64_t cell_count = producer->claimed_end - producer->next;

    LAM_ASSERT(cell_count != 0);
    /* Whatever was written there, payload or later stamps of a batch, may not pass for stamps. */
    if (cell_count > 1)
        lam_ring_producer_wear(producer, producer->next + 1, cell_count - 1);
    LAM_CRASH_POINT("abort.begun");
    producer->claimed_end = producer->next;
}

void lam_ring_producer_tally(struct lam_ring_producer *producer)
{
    struct lam_ring_worn worn = lam_ring_producer_worn(producer);
    uint64_t cell_count = producer->next - producer->tallied;
    uint64_t events = lam_ring_worn_count_clear(&worn, producer->tallied, cell_count);

    producer->ordinal += events;
    producer->bytes +=
        (cell_count << producer->cell_shift) - events * LAM_EVENT_HEADER_BYTES - producer->slack;
    producer->slack = 0;
    producer->tallied = producer->next;
    lam_store_relaxed(&producer->ring->control_head->bytes, producer->bytes);
}

void lam_ring_producer_waypoint(struct lam_ring_producer *producer)
{
    struct lam_ring_data *data = producer->ring->data_head;
    uint64_t count = lam_load_relaxed(&data->waypoint_count);
    struct lam_ring_waypoint *waypoint = &data->waypoints[count % LAM_RING_WAYPOINT_COUNT];

    lam_ring_producer_tally(producer);
    /*
     * R7, pairs with A8 in lam_ring_recent_place(): the slot holds the waypoint of a lap ago, and
     * whoever reads parts of both must see a count that tells it so.
     */
    lam_fence_release();
    lam_store_relaxed(&waypoint->sequence, producer->next);
    lam_store_relaxed(&waypoint->ordinal, producer->ordinal);
    LAM_CRASH_POINT("waypoint.words_stored");
    /* R3, pairs with A3 in lam_ring_newest_waypoint() and lam_ring_recent_place(). */
    lam_store_release(&data->waypoint_count, count + 1);
    LAM_CRASH_POINT("waypoint.counted");
    producer->waypoint_last = producer->next;
    producer->waypoint_due = producer->next + lam_ring_stride(producer->ring->depth);
}

void lam_ring_producer_wake(struct lam_ring_producer *producer)
{
    lam_ring_count(&producer->ring->control_head->wakes);
    (void)lam_ring_wake_consumers(producer->ring->control_head);
}

/* No more events: say so, once, in the state. */
static void end_stream(struct lam_ring_producer *producer, enum lam_ring_state state)
{
    struct lam_ring *ring = producer->ring;

    if (producer->claimed_end != producer->next)
        lam_ring_producer_abort(producer);
    producer->closed = 1;
    producer->limit = producer->next; /* so that the next claim finds no room, and asks why */
    lam_ring_producer_tally(producer);
    LAM_CRASH_POINT("end.tallied");
    /* R5: whoever sees the ring closed, or failed, sees the last event; and why it failed. */
    lam_store_release(&ring->data_head->state, producer->epoch << 8 | (uint64_t)state);
    LAM_CRASH_POINT("end.state_stored");
    lam_fence_seq_cst(); /* F1: for those that are about to sleep */
    (void)lam_ring_wake_consumers(ring->control_head);
}

void lam_ring_producer_close(struct lam_ring_producer *producer)
{
    if (!producer->closed && lam_lock_is_held(&producer->lock))
        end_stream(producer, LAM_RING_CLOSED);
}

void lam_ring_producer_fail(struct lam_ring_producer *producer, const char *reason)
{
    char *failure = producer->ring->data_head->failure;

    if (producer->closed || !lam_lock_is_held(&producer->lock))
        return;
    (void)snprintf(failure, LAM_RING_FAILURE_MAX + 1, "%s", reason == NULL ? "" : reason);
    LAM_CRASH_POINT("fail.reason_stored");
    producer->failed = 1;
    end_stream(producer, LAM_RING_FAILED);
}
