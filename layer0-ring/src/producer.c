/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer's life: take the lock, recover what a predecessor left, open an epoch; and its end.
 */
#include "lamina/ring/producer.h"
#include "layout.h"
#include "producer_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lam_ring_worn lam_ring_producer_worn(const struct lam_ring_producer *producer)
{
    return (struct lam_ring_worn){.words = producer->worn, .cell_mask = producer->cell_mask};
}

/*
 * Follow the events from the horizon to the head. What a predecessor had published is complete;
 * what it had not is never seen, since its first stamp is missing. Every cell counts as worn except
 * the starts that we see.
 */
static int recover(struct lam_ring_producer *producer, struct lam_error *error)
{
    const struct lam_ring *ring = producer->ring;
    const struct lam_ring_data *data = ring->data_head;
    struct lam_ring_worn worn = lam_ring_producer_worn(producer);
    struct lam_ring_place waypoint = lam_ring_newest_waypoint(ring);
    struct lam_ring_place place = {.sequence = lam_load_relaxed(&data->horizon)};
    uint64_t before_waypoint = UINT64_MAX;

    producer->horizon = place.sequence;
    lam_ring_worn_set(&worn, 0, ring->cell_mask + 1);
    for (uint64_t events = 0; place.sequence - producer->horizon < ring->depth; events++) {
        struct lam_ring_place next = place;

        if (place.sequence == waypoint.sequence)
            before_waypoint = events;
        /* The head's first word is no stamp of its own: it was cleared before the last commit. */
        lam_ring_worn_clear(&worn, place.sequence, 1);
        if (lam_ring_walk_one(ring, &next) != 1)
            break;
        place = next;
    }
    if (before_waypoint == UINT64_MAX || place.sequence - producer->horizon >= ring->depth)
        return lam_error_set(error, -EPROTO,
            "ring %s: no events lead from its horizon %llu over its newest waypoint %llu to a head "
            "(stopped at %llu): the data object is damaged",
            ring->name, (unsigned long long)producer->horizon,
            (unsigned long long)waypoint.sequence, (unsigned long long)place.sequence);
    producer->horizon_ordinal = waypoint.ordinal - before_waypoint;
    producer->ordinal = producer->horizon_ordinal + place.ordinal;
    producer->next = place.sequence;
    return 0;
}

static void bind(struct lam_ring_producer *producer, struct lam_ring *ring,
    const struct lam_ring_producer_options *options)
{
    producer->ring = ring;
    producer->cells = ring->cells;
    producer->cell_mask = ring->cell_mask;
    producer->cell_shift = ring->cell_shift;
    producer->payload_bytes_max = lam_ring_payload_bytes_max(ring);
    producer->may_sleep = ring->waiting == LAM_RING_MAY_SLEEP;
    producer->sleeping = &ring->control_head->sleeping;
    producer->blocker_index = UINT32_MAX;
    producer->wait = lam_ring_wait_mode(ring, options == NULL ? LAM_WAIT_HYBRID : options->wait);
    producer->spin_ns =
        options == NULL || options->spin_ns == 0 ? LAM_WAIT_SPIN_NS_DEFAULT : options->spin_ns;
}

static void open_epoch(struct lam_ring_producer *producer)
{
    struct lam_ring *ring = producer->ring;

    producer->limit = producer->horizon + ring->depth;
    producer->epoch = lam_ring_epoch_of(lam_load_relaxed(&ring->data_head->state)) + 1;
    ring->control_head->producer = lam_identity_self();
    lam_store_relaxed(&ring->control_head->bytes, 0);
    lam_ring_producer_waypoint(producer);
    /* R5, pairs with A5 in the consumers' idle path. */
    lam_store_release(&ring->data_head->state, producer->epoch << 8 | LAM_RING_OPEN);
}

int lam_ring_producer_attach(struct lam_ring_producer *producer, struct lam_ring *ring,
    const struct lam_ring_producer_options *options, struct lam_error *error)
{
    int rc;

    memset(producer, 0, sizeof(*producer));
    producer->lock.fd = -1;
    if (ring->data.access != LAM_ACCESS_WRITE || ring->control.access != LAM_ACCESS_WRITE)
        return lam_error_set(error, -EACCES,
            "ring %s: is mapped read-only here; a producer needs "
            "LAM_ACCESS_WRITE and no observe",
            ring->name);
    rc = lam_lock_take(&producer->lock, ring->control.fd, LAM_RING_LOCK_PRODUCER);
    if (rc == -EBUSY)
        return lam_error_set(error, rc, "ring %s: has a live producer, pid %u", ring->name,
            ring->control_head->producer.pid);
    if (rc != 0)
        return lam_error_set(error, rc, "ring %s: cannot lock: %s", ring->name, strerror(-rc));
    bind(producer, ring, options);
    producer->worn = calloc((ring->cell_mask + 64) / 64, sizeof(uint64_t));
    rc = producer->worn == NULL ? lam_error_set(error, -ENOMEM, "ring %s: no memory", ring->name)
                                : recover(producer, error);
    if (rc != 0) {
        lam_ring_producer_detach(producer);
        return rc;
    }
    open_epoch(producer);
    return 0;
}

void lam_ring_producer_close(struct lam_ring_producer *producer)
{
    struct lam_ring *ring = producer->ring;

    if (producer->closed || !lam_lock_is_held(&producer->lock))
        return;
    if (producer->claimed_cells != 0)
        lam_ring_producer_abort(producer);
    producer->closed = 1;
    lam_store_relaxed(&ring->control_head->bytes, producer->bytes);
    /* R5: whoever sees the ring closed sees the last event. */
    lam_store_release(&ring->data_head->state, producer->epoch << 8 | LAM_RING_CLOSED);
    lam_fence_seq_cst(); /* F1: for those that are about to sleep */
    (void)lam_ring_wake_consumers(ring->control_head);
}

void lam_ring_producer_detach(struct lam_ring_producer *producer)
{
    if (lam_lock_is_held(&producer->lock) && producer->ring != NULL)
        lam_store_relaxed(&producer->ring->control_head->bytes, producer->bytes);
    lam_lock_drop(&producer->lock);
    free(producer->worn);
    producer->worn = NULL;
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
    LAM_ASSERT(producer->claimed_cells != 0);
    /* Whatever was written there, payload or later stamps of a batch, may not pass for stamps. */
    if (producer->claimed_cells > 1)
        lam_ring_producer_wear(producer, producer->next + 1, producer->claimed_cells - 1);
    producer->staged_events = 0;
    producer->staged_bytes = 0;
    producer->claimed_cells = 0;
}

void lam_ring_producer_waypoint(struct lam_ring_producer *producer)
{
    struct lam_ring_data *data = producer->ring->data_head;
    uint64_t count = lam_load_relaxed(&data->waypoint_count);
    struct lam_ring_waypoint *waypoint = &data->waypoints[count % LAM_RING_WAYPOINT_COUNT];
    uint64_t stride = producer->ring->depth / LAM_RING_WAYPOINT_COUNT;

    lam_store_relaxed(&waypoint->sequence, producer->next);
    lam_store_relaxed(&waypoint->ordinal, producer->ordinal);
    /* R3, pairs with A3 in lam_ring_newest_waypoint(). */
    lam_store_release(&data->waypoint_count, count + 1);
    producer->waypoint_due = producer->next + (stride == 0 ? 1 : stride);
    lam_store_relaxed(&producer->ring->control_head->bytes, producer->bytes);
}

int lam_ring_wake_consumers(struct lam_ring_control *control)
{
    /* Taken with the bits, so that a sleeper costs one system call, not one an event. */
    if (lam_load_relaxed(&control->sleeping) == 0 ||
        lam_exchange_acq_rel(&control->sleeping, 0) == 0)
        return 0;
    (void)lam_add_acq_rel(&control->consumer_bell, 1);
    return lam_base->futex_wake_all(&control->consumer_bell);
}

void lam_ring_producer_wake(struct lam_ring_producer *producer)
{
    lam_ring_count(&producer->ring->control_head->wakes);
    (void)lam_ring_wake_consumers(producer->ring->control_head);
}
