/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer's life: an entry in the table, taken by its lock; a start; and its end.
 */
#include "lamina/ring/consumer.h"
#include "after.h"
#include "lamina/base/crash_point.h"
#include "names.h"
#include "settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Whoever holds the lock of an entry owns it: a state that is left there is a dead one's. */
static int take_entry(struct lam_ring_consumer *consumer, struct lam_error *error)
{
    struct lam_ring *ring = consumer->ring;

    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++) {
        struct lam_ring_entry *entry = &ring->control_head->entries[index];
        uint64_t state = lam_load_acquire(&entry->state);
        int rc = lam_lock_take(&consumer->lock, ring->control.fd, LAM_RING_LOCK_CONSUMER + index);

        if (rc == -EBUSY)
            continue;
        if (rc != 0)
            return lam_error_set(error, rc, "ring %s: cannot lock: %s", ring->name, strerror(-rc));
        LAM_CRASH_POINT("attach.consumer_locked");
        rc = lam_ring_confirm(ring, error);
        if (rc != 0) {
            lam_lock_drop(&consumer->lock);
            return rc;
        }
        consumer->index = index;
        memset(entry->name, 0, sizeof(entry->name)); /* who sees us join sees no dead one's name */
        /* The producer may be freeing the same entry; either order leaves it ours. */
        do {
            consumer->entry_state = lam_ring_entry_next(state, LAM_RING_ENTRY_JOINING);
        } while (!lam_cas_acq_rel(&entry->state, &state, consumer->entry_state));
        return 0;
    }
    return lam_error_set(error, -EUSERS, "ring %s: all %d places for consumers are taken",
        ring->name, LAM_RING_CONSUMER_COUNT_MAX);
}

/* How long a joiner looks at another one that has its name: in naps of a millisecond. */
#define NAPS_MAX 100

/*
 * Whether the owner of the entry at @index is alive by the name @name. A name may be a dead one's
 * still while the entry's new owner begins to join, so it counts when it lasts; and of two that
 * join at once the one with the lower entry stays, unless the other did not see it and goes on.
 */
static int has_name(const struct lam_ring_consumer *consumer, uint32_t index, const char *name)
{
    const struct lam_ring *ring = consumer->ring;
    const struct lam_ring_entry *entry = &ring->control_head->entries[index];
    uint64_t last = 0;

    for (unsigned naps = 0; naps < NAPS_MAX; naps++) {
        uint64_t word = lam_load_acquire(&entry->state);
        enum lam_ring_entry_state state = lam_ring_entry_state_of(word);

        if (state == LAM_RING_ENTRY_FREE ||
            strncmp(entry->name, name, LAM_RING_CONSUMER_NAME_MAX) != 0 ||
            lam_base->lock_probe(ring->control.fd, LAM_RING_LOCK_CONSUMER + index) != 1)
            return 0;
        if (state == LAM_RING_ENTRY_JOINING ? index < consumer->index : naps > 0 && word == last)
            return 1;
        last = word;
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)LAM_NS_PER_MS}, NULL);
    }
    return 1;
}

static int name_is_taken(const struct lam_ring_consumer *consumer, const char *name)
{
    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++)
        if (index != consumer->index && has_name(consumer, index, name))
            return 1;
    return 0;
}

static int sign_entry(struct lam_ring_consumer *consumer,
    const struct lam_ring_consumer_options *options, struct lam_error *error)
{
    const char *name = options->name;
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];

    entry->identity = lam_identity_self();
    lam_store_relaxed(&entry->parks, 0);
    lam_store_relaxed(&entry->spin_waits, 0);
    lam_store_relaxed(&entry->yield_waits, 0);
    lam_store_relaxed(&entry->lost, 0);
    lam_store_relaxed(&entry->empty, 0);
    lam_store_relaxed(&entry->wakes, 0);
    lam_store_relaxed(&entry->overruns, 0);
    lam_store_relaxed(&entry->joined, UINT64_MAX);
    lam_store_relaxed(&entry->lag_max, 0);
    memset(consumer->ring->control_head->counters[consumer->index], 0,
        sizeof(consumer->ring->control_head->counters[0]));
    if (consumer->index < consumer->ring->histogram_count)
        memset(&consumer->ring->histograms[consumer->index], 0, sizeof(struct lam_histogram));
    lam_store_relaxed(&entry->patience_ns, options->patience_ns);
    lam_ring_after_declare(consumer, options);
    if (name != NULL)
        (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    else
        (void)snprintf(
            entry->name, sizeof(entry->name), "%u.%u", entry->identity.pid, consumer->index);
    lam_fence_seq_cst(); /* of two that join at once, one at least sees the other's */
    if (name != NULL && name_is_taken(consumer, name))
        return lam_error_set(error, -EEXIST, "ring %s: a live consumer is named %s already",
            consumer->ring->name, name);
    return 0;
}

static void bind(
    struct lam_ring_consumer *consumer, const struct lam_ring_consumer_options *options)
{
    struct lam_ring *ring = consumer->ring;
    struct lam_ring_control *control = ring->control_head;

    consumer->cells = ring->cells;
    consumer->cell_mask = ring->cell_mask;
    consumer->cell_shift = ring->cell_shift;
    consumer->round_up = LAM_EVENT_HEADER_BYTES + ((UINT64_C(1) << ring->cell_shift) - 1);
    consumer->stride = 1;
    consumer->event_cells_max = ring->event_cells_max;
    /* Nobody sleeps for a reader that gates nobody. */
    consumer->producer_may_sleep =
        ring->waiting == LAM_RING_MAY_SLEEP && options->policy != LAM_RING_LOSSY;
    consumer->blocked_on = &control->blocked_on;
    consumer->chained = &control->chained;
    consumer->cursor = &control->entries[consumer->index].cursor;
    consumer->policy = options->policy;
    consumer->guards =
        (uint16_t)((options->policy == LAM_RING_GATE_THEN_EVICT ? LAM_RING_GUARD_EVICTION : 0) |
                   (options->after_count != 0 ? LAM_RING_GUARD_AFTER : 0));
    consumer->wait = lam_ring_wait_mode(ring, options->wait);
    lam_cadence_init(&consumer->cadence, options->spin_ns);
}

int lam_ring_consumer_attach(struct lam_ring_consumer *consumer, struct lam_ring *ring,
    const struct lam_ring_consumer_options *options, struct lam_error *error)
{
    static const struct lam_ring_consumer_options defaults = {.start = LAM_RING_HEAD};
    int rc;

    memset(consumer, 0, sizeof(*consumer));
    consumer->lock.fd = -1;
    consumer->ring = ring;
    if (options == NULL)
        options = &defaults;
    if (options->name != NULL &&
        (options->name[0] == '\0' || strlen(options->name) > LAM_RING_CONSUMER_NAME_MAX))
        return lam_error_set(error, -EINVAL,
            "ring %s: consumer name \"%.60s\" is empty or longer "
            "than %d bytes",
            ring->name, options->name, LAM_RING_CONSUMER_NAME_MAX);
    if ((options->policy == LAM_RING_GATE_THEN_EVICT) != (options->patience_ns != 0) ||
        options->policy > LAM_RING_LOSSY)
        return lam_error_set(error, -EINVAL,
            "ring %s: policy %d with a patience of %llu ns: LAM_RING_GATE_THEN_EVICT, and it "
            "alone, "
            "has a patience",
            ring->name, (int)options->policy, (unsigned long long)options->patience_ns);
    rc = lam_ring_after_check(ring, options, error);
    if (rc != 0)
        return rc;
    if (ring->control.access != LAM_ACCESS_WRITE)
        return lam_error_set(error, -EACCES,
            "ring %s: control is mapped read-only here: an "
            "observer cannot place a consumer",
            ring->name);
    rc = take_entry(consumer, error);
    if (rc != 0)
        return rc;
    bind(consumer, options);
    rc = sign_entry(consumer, options, error);
    if (rc == 0)
        rc = lam_ring_after_resolve(consumer, options, error);
    if (rc == 0)
        rc = lam_ring_settle(consumer, options->start, error);
    if (rc != 0)
        lam_ring_consumer_detach(consumer);
    else
        lam_store_relaxed(&ring->control_head->entries[consumer->index].joined, consumer->ordinal);
    consumer->after_bound = consumer->next;
    return rc;
}

void lam_ring_consumer_detach(struct lam_ring_consumer *consumer)
{
    struct lam_ring_control *control;
    uint64_t state = consumer->entry_state;
    int joined = lam_ring_entry_state_of(state) != LAM_RING_ENTRY_JOINING;

    if (!lam_lock_is_held(&consumer->lock))
        return;
    control = consumer->ring->control_head;
    /* Unless the producer expelled us meanwhile: then the next owner of the lock cleans up. */
    (void)lam_cas_acq_rel(&control->entries[consumer->index].state, &state,
        lam_ring_entry_next(state, joined ? LAM_RING_ENTRY_LEFT : LAM_RING_ENTRY_FREE));
    lam_lock_drop(&consumer->lock);
    lam_fence_seq_cst(); /* F3: a producer that sleeps on us, or who goes after us, looks again */
    if (lam_load_relaxed(&control->blocked_on) == consumer->index + 1)
        lam_ring_consumer_wake_producer(consumer);
    lam_ring_wake_chained(control);
}

int lam_ring_consumer_readmit(struct lam_ring_consumer *consumer, enum lam_ring_start start,
    uint64_t *lost, struct lam_error *error)
{
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];
    uint64_t next = consumer->next;
    uint64_t ordinal = consumer->ordinal;
    int rc;

    if (!lam_lock_is_held(&consumer->lock) ||
        lam_load_acquire(&entry->state) == consumer->entry_state)
        return lam_error_set(
            error, -EALREADY, "ring %s: this consumer was not evicted", consumer->ring->name);
    rc = lam_ring_settle(consumer, start, error);
    if (rc != 0) {
        /* As it was: evicted, at the place where it stood, and holding nobody. */
        uint64_t state = consumer->entry_state;

        (void)lam_cas_acq_rel(
            &entry->state, &state, lam_ring_entry_next(state, LAM_RING_ENTRY_EVICTED));
        consumer->next = next;
        consumer->ordinal = ordinal;
        return rc;
    }
    if ((int64_t)(next - consumer->next) > 0) {
        /* The oldest is among those that we have seen: nothing comes twice. */
        consumer->next = next;
        consumer->ordinal = ordinal;
        (void)lam_ring_consumer_release(consumer);
    }
    *lost = consumer->ordinal - ordinal;
    lam_ring_count_many(&entry->lost, *lost);
    lam_ring_count(&entry->overruns);
    return 0;
}
