/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming the producer: take the lock, recover what a predecessor left, open an epoch; leaving.
 */
#include "lamina/base/crash_point.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/timestamp.h"
#include "names.h"
#include "producer_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
    producer->next = producer->claimed_end = producer->tallied = place.sequence;
    return 0;
}

static void bind(struct lam_ring_producer *producer, struct lam_ring *ring,
    const struct lam_ring_producer_options *options)
{
    producer->ring = ring;
    producer->cells = ring->cells;
    producer->cell_mask = ring->cell_mask;
    producer->cell_shift = ring->cell_shift;
    producer->round_up = LAM_EVENT_HEADER_BYTES + ((UINT64_C(1) << ring->cell_shift) - 1);
    producer->payload_bytes_max = lam_ring_payload_bytes_max(ring);
    producer->may_sleep = ring->waiting == LAM_RING_MAY_SLEEP;
    producer->sleeping = &ring->control_head->sleeping;
    producer->blocker_index = UINT32_MAX;
    producer->timestamp_every = options == NULL ? 0 : options->timestamp_every;
    producer->timestamp_left = producer->timestamp_every == 0 ? 0 : 1;
    producer->timed_bytes_max =
        producer->payload_bytes_max -
        (producer->timestamp_every == 0 ? 0 : sizeof(struct lam_event_timestamp));
    producer->wait = lam_ring_wait_mode(ring, options == NULL ? LAM_WAIT_HYBRID : options->wait);
    lam_cadence_init(&producer->cadence, options == NULL ? 0 : options->spin_ns);
}

static void open_epoch(struct lam_ring_producer *producer)
{
    struct lam_ring *ring = producer->ring;

    /*
     * No room until the table was scanned: the predecessor may have raised the horizon over a
     * joiner that did not see it, and died before it saw that joiner. F5, on its behalf: the fence
     * that it did not come to lies between its horizon and our scan.
     */
    producer->limit = producer->next;
    producer->released = producer->horizon;
    lam_fence_seq_cst();                                                /* F5 */
    producer->joins = lam_load_relaxed(&ring->control_head->joins) - 1; /* never seen: scan */
    producer->epoch = lam_ring_epoch_of(lam_load_relaxed(&ring->data_head->state)) + 1;
    ring->control_head->producer = lam_identity_self();
    LAM_CRASH_POINT("epoch.signed");
    producer->bytes = lam_load_relaxed(&ring->control_head->bytes);
    if (lam_ring_state_of(lam_load_relaxed(&ring->data_head->state)) == LAM_RING_OPEN)
        lam_ring_count(&ring->control_head->repairs); /* it did not close */
    /* What our predecessor could not do without is not what we cannot. */
    for (uint32_t i = 0; i < LAM_RING_CONSUMER_COUNT_MAX; i++)
        lam_store_relaxed(&ring->control_head->entries[i].required, 0);
    lam_ring_producer_waypoint(producer);
    LAM_CRASH_POINT("epoch.waypoint_set");
    /* R5, pairs with A5 in the consumers' idle path. */
    lam_store_release(&ring->data_head->state, producer->epoch << 8 | LAM_RING_OPEN);
    LAM_CRASH_POINT("epoch.open");
}

static int check_options(const struct lam_ring *ring,
    const struct lam_ring_producer_options *options, struct lam_error *error)
{
    if (ring->producers != LAM_RING_ONE_PRODUCER)
        return lam_error_set(
            error, -EINVAL, "ring %s: has many producers: lamina/ring/many.h", ring->name);
    if (ring->data.access != LAM_ACCESS_WRITE || ring->control.access != LAM_ACCESS_WRITE)
        return lam_error_set(error, -EACCES,
            "ring %s: is mapped read-only here; a producer needs LAM_ACCESS_WRITE and no observe",
            ring->name);
    if (options == NULL)
        return 0;
    if (!lam_ring_is_wait_mode(options->wait))
        return lam_error_set(
            error, -EINVAL, "ring %s: there is no wait mode %d", ring->name, (int)options->wait);
    if (options->await_name_count != 0 && options->await_names == NULL)
        return lam_error_set(
            error, -EINVAL, "ring %s: the names to buffer for are missing: NULL", ring->name);
    if (options->await_count > LAM_RING_CONSUMER_COUNT_MAX ||
        options->await_name_count > LAM_RING_CONSUMER_COUNT_MAX)
        return lam_error_set(error, -EINVAL,
            "ring %s: buffers for %u consumers and %u names: at most %d", ring->name,
            options->await_count, options->await_name_count, LAM_RING_CONSUMER_COUNT_MAX);
    for (uint32_t i = 0; i < options->await_name_count; i++)
        if (!lam_ring_is_consumer_name(options->await_names[i]))
            return lam_error_set(error, -EINVAL,
                "ring %s: name %u to buffer for is none that a consumer has", ring->name, i);
    return 0;
}

/* The lock is another's, who signs a moment after it has it. */
static int refuse_second(const struct lam_ring *ring, struct lam_error *error)
{
    uint32_t pid = ring->control_head->producer.pid;

    if (pid == 0)
        return lam_error_set(
            error, -EBUSY, "ring %s: another producer is attaching now", ring->name);
    return lam_error_set(error, -EBUSY, "ring %s: has a live producer, pid %u", ring->name, pid);
}

int lam_ring_producer_attach(struct lam_ring_producer *producer, struct lam_ring *ring,
    const struct lam_ring_producer_options *options, struct lam_error *error)
{
    int rc;

    memset(producer, 0, sizeof(*producer));
    producer->lock.fd = -1;
    rc = check_options(ring, options, error);
    if (rc != 0)
        return rc;
    rc = lam_lock_take(&producer->lock, ring->control.fd, LAM_RING_LOCK_PRODUCER);
    if (rc == -EBUSY)
        return refuse_second(ring, error);
    if (rc != 0)
        return lam_error_set(error, rc, "ring %s: cannot lock: %s", ring->name, strerror(-rc));
    LAM_CRASH_POINT("attach.producer_locked");
    rc = lam_ring_confirm(ring, error);
    if (rc != 0) {
        lam_lock_drop(&producer->lock);
        return rc;
    }
    bind(producer, ring, options);
    producer->worn = calloc((ring->cell_mask + 64) / 64, sizeof(uint64_t));
    rc = producer->worn == NULL ? lam_error_set(error, -ENOMEM, "ring %s: no memory", ring->name)
                                : recover(producer, error);
    if (rc != 0) {
        lam_ring_producer_detach(producer);
        return rc;
    }
    open_epoch(producer);
    if (options != NULL) {
        producer->await_count = options->await_count;
        producer->await_name_count = options->await_name_count;
        producer->await_names = options->await_names;
        lam_ring_producer_hold(producer);
    }
    return 0;
}

void lam_ring_producer_detach(struct lam_ring_producer *producer)
{
    if (lam_lock_is_held(&producer->lock) && producer->ring != NULL)
        lam_ring_producer_tally(producer);
    LAM_CRASH_POINT("detach.producer_tallied");
    lam_lock_drop(&producer->lock);
    free(producer->worn);
    producer->worn = NULL;
}
