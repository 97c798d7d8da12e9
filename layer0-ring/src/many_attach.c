/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming one of many producers: an entry in their table, taken by its lock; and leaving.
 */
#include "many_internal.h"
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int check(const struct lam_ring *ring, const struct lam_ring_many_options *options,
    struct lam_error *error)
{
    uint64_t horizon, tail;

    if (ring->producers != LAM_RING_MANY_PRODUCERS)
        return lam_error_set(
            error, -EINVAL, "ring %s: has one producer: lamina/ring/producer.h", ring->name);
    if (options->name != NULL &&
        (options->name[0] == '\0' || strlen(options->name) > LAM_RING_PRODUCER_NAME_MAX))
        return lam_error_set(error, -EINVAL,
            "ring %s: producer name \"%.60s\" is empty or longer than %d bytes", ring->name,
            options->name, LAM_RING_PRODUCER_NAME_MAX);
    if (!lam_ring_is_wait_mode(options->wait))
        return lam_error_set(
            error, -EINVAL, "ring %s: there is no wait mode %d", ring->name, (int)options->wait);
    if (ring->data.access != LAM_ACCESS_WRITE || ring->control.access != LAM_ACCESS_WRITE)
        return lam_error_set(error, -EACCES,
            "ring %s: is mapped read-only here; a producer needs LAM_ACCESS_WRITE and no observe",
            ring->name);
    horizon = lam_load_acquire(&ring->data_head->horizon);  /* A23 */
    tail = lam_load_acquire(&lam_ring_many_of(ring)->tail); /* A22 */
    /* A23 */
    if (tail - horizon >= ring->depth && lam_load_acquire(&ring->data_head->horizon) == horizon)
        return lam_error_set(error, -EPROTO,
            "ring %s: its tail %llu is not within a lap of its horizon %llu: the data object is "
            "damaged",
            ring->name, (unsigned long long)tail, (unsigned long long)horizon);
    return 0;
}

/* Whoever holds the lock of an entry owns it. */
static int take_entry(struct lam_ring_many_producer *producer, struct lam_error *error)
{
    const struct lam_ring *ring = producer->ring;

    for (uint32_t index = 0; index < LAM_RING_PRODUCER_COUNT_MAX; index++) {
        int rc = lam_lock_take(&producer->lock, ring->control.fd, LAM_RING_LOCK_MANY + index);

        producer->index = index;
        if (rc == 0)
            return 0;
        if (rc != -EBUSY)
            return lam_error_set(error, rc, "ring %s: cannot lock: %s", ring->name, strerror(-rc));
    }
    return lam_error_set(error, -EUSERS, "ring %s: all %d places for producers are taken",
        ring->name, LAM_RING_PRODUCER_COUNT_MAX);
}

static void sign_entry(struct lam_ring_many_producer *producer, const char *name)
{
    struct lam_ring_many *many = lam_ring_many_of(producer->ring);
    struct lam_ring_many_entry *entry = &many->entries[producer->index];

    /*
     * A dead owner's last intent may be that of a hole: it is not ours. Nobody needs it: what says
     * that a hole is a dead one's is that no living producer wanted to claim there.
     */
    producer->intent = &entry->intent;
    (void)lam_ring_many_give_up(producer);
    LAM_CRASH_POINT("attach.intent_cleared");
    entry->identity = lam_identity_self();
    memset(entry->name, 0, sizeof(entry->name));
    if (name != NULL)
        (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    else
        (void)snprintf(
            entry->name, sizeof(entry->name), "%u.%u", entry->identity.pid, producer->index);
    producer->entry_state = lam_ring_many_next(lam_load_relaxed(&entry->state), LAM_RING_MANY_OPEN);
    lam_store_release(&entry->state, producer->entry_state);           /* R31 */
    (void)lam_or_seq_cst(&many->used, UINT64_C(1) << producer->index); /* R26 */
    LAM_CRASH_POINT("attach.entry_open");
    lam_fence_seq_cst(); /* F11: the last that closes sees us, or we see that it has closed */
}

static void bind(
    struct lam_ring_many_producer *producer, const struct lam_ring_many_options *options)
{
    struct lam_ring *ring = producer->ring;

    producer->cells = ring->cells;
    producer->heads = (struct lam_event_header *)(void *)ring->heads;
    producer->cell_mask = ring->cell_mask;
    producer->cell_shift = ring->cell_shift;
    producer->tail = &lam_ring_many_of(ring)->tail;
    producer->round_up = LAM_EVENT_HEADER_BYTES + ((UINT64_C(1) << ring->cell_shift) - 1);
    producer->payload_bytes_max = lam_ring_payload_bytes_max(ring);
    producer->may_sleep = ring->waiting == LAM_RING_MAY_SLEEP;
    producer->sleeping = &ring->control_head->sleeping;
    producer->blocker = UINT32_MAX;
    producer->wait = lam_ring_wait_mode(ring, options->wait);
    lam_cadence_init(&producer->cadence, options->spin_ns);
}

int lam_ring_many_attach(struct lam_ring_many_producer *producer, struct lam_ring *ring,
    const struct lam_ring_many_options *options, struct lam_error *error)
{
    static const struct lam_ring_many_options defaults = {.name = NULL};
    int rc;

    memset(producer, 0, sizeof(*producer));
    producer->lock.fd = -1;
    producer->ring = ring;
    if (options == NULL)
        options = &defaults;
    rc = check(ring, options, error);
    if (rc == 0)
        rc = take_entry(producer, error);
    if (rc == 0)
        rc = lam_ring_confirm(ring, error);
    if (rc != 0) {
        lam_lock_drop(&producer->lock);
        return rc;
    }
    LAM_CRASH_POINT("attach.locked");
    bind(producer, options);
    sign_entry(producer, options->name);
    lam_ring_repair_all(ring);
    LAM_CRASH_POINT("attach.repaired");
    lam_ring_many_open(ring, producer->index);
    LAM_CRASH_POINT("attach.open");
    /* No room until the table was scanned. */
    producer->limit = lam_load_relaxed(producer->tail);
    return 0;
}

void lam_ring_many_detach(struct lam_ring_many_producer *producer)
{
    struct lam_ring_many_entry *entry;

    if (!lam_lock_is_held(&producer->lock))
        return;
    if (producer->claimed != 0)
        lam_ring_many_abort(producer);
    lam_ring_many_tally(producer);
    entry = &lam_ring_many_of(producer->ring)->entries[producer->index];
    lam_store_release(/* R31 */
        &entry->state, lam_ring_many_next(lam_load_relaxed(&entry->state), LAM_RING_MANY_FREE));
    LAM_CRASH_POINT("detach.freed");
    lam_lock_drop(&producer->lock);
}
