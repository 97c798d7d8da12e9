/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer's life: what it asked for, a start, its end.
 */
#include "lamina/ring/consumer.h"
#include "after.h"
#include "consumer_wait.h"
#include "lamina/base/crash_point.h"
#include "settle.h"

#include <errno.h>
#include <string.h>

static void bind(
    struct lam_ring_consumer *consumer, const struct lam_ring_consumer_options *options)
{
    struct lam_ring *ring = consumer->ring;
    struct lam_ring_control *control = ring->control_head;

    consumer->heads = ring->heads;
    consumer->head_shift = ring->head_shift;
    consumer->cell_mask = ring->cell_mask;
    consumer->cell_shift = ring->cell_shift;
    consumer->round_up = LAM_EVENT_HEADER_BYTES + ((UINT64_C(1) << ring->cell_shift) - 1);
    consumer->stride = 1;
    consumer->event_cells_max = ring->event_cells_max;
    /* Nobody sleeps for a reader that gates nobody. */
    consumer->producer_may_sleep =
        ring->waiting == LAM_RING_MAY_SLEEP && options->policy != LAM_RING_LOSSY;
    consumer->blocked_on = ring->producers == LAM_RING_ONE_PRODUCER
                               ? &control->blocked_on
                               : &control->entries[consumer->index].blocked_on;
    consumer->chained = &control->chained;
    consumer->cursor = &control->entries[consumer->index].cursor;
    consumer->policy = options->policy;
    consumer->guards =
        (uint16_t)((options->policy == LAM_RING_GATE_THEN_EVICT ? LAM_RING_GUARD_EVICTION : 0) |
                   (options->policy == LAM_RING_LOSSY ? LAM_RING_GUARD_LOSSY : 0) |
                   (options->after_count != 0 ? LAM_RING_GUARD_AFTER : 0));
    consumer->release_guards = consumer->guards;
    if (ring->producers == LAM_RING_MANY_PRODUCERS)
        consumer->guards |= LAM_RING_GUARD_APART;
    consumer->wait = lam_ring_wait_mode(ring, options->wait);
    lam_cadence_init(&consumer->cadence, options->spin_ns);
}

static int refuse_choice(
    const struct lam_ring *ring, const char *what, int choice, struct lam_error *error)
{
    return lam_error_set(error, -EINVAL, "ring %s: there is no %s %d", ring->name, what, choice);
}

static int check_options(const struct lam_ring *ring,
    const struct lam_ring_consumer_options *options, struct lam_error *error)
{
    int rc;

    if (options->name != NULL && !lam_ring_is_consumer_name(options->name))
        return lam_error_set(error, -EINVAL,
            "ring %s: consumer name \"%.60s\" is empty or longer than %d bytes", ring->name,
            options->name, LAM_RING_CONSUMER_NAME_MAX);
    if (options->policy > LAM_RING_LOSSY)
        return refuse_choice(ring, "policy", (int)options->policy, error);
    if (options->start > LAM_RING_RESUME)
        return refuse_choice(ring, "start", (int)options->start, error);
    if (!lam_ring_is_wait_mode(options->wait))
        return refuse_choice(ring, "wait mode", (int)options->wait, error);
    if ((options->policy == LAM_RING_GATE_THEN_EVICT) != (options->patience_ns != 0))
        return lam_error_set(error, -EINVAL,
            "ring %s: policy %d with a patience of %llu ns: LAM_RING_GATE_THEN_EVICT, and it "
            "alone, has a patience",
            ring->name, (int)options->policy, (unsigned long long)options->patience_ns);
    rc = lam_ring_after_check(ring, options, error);
    if (rc != 0)
        return rc;
    if (options->start == LAM_RING_RESUME &&
        (options->name == NULL || options->policy == LAM_RING_LOSSY))
        return lam_error_set(error, -EINVAL,
            "ring %s: start %d of %s: only who gates and has a name of its own can resume",
            ring->name, (int)options->start,
            options->name == NULL ? "a consumer without a name" : options->name);
    if (ring->control.access != LAM_ACCESS_WRITE)
        return lam_error_set(error, -EACCES,
            "ring %s: control is mapped read-only here: an observer cannot place a consumer",
            ring->name);
    return 0;
}

/* From now on the entry is ours alone: what a predecessor left in it is forgotten. */
static void start_anew(struct lam_ring_consumer *consumer)
{
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];
    uint64_t state = lam_load_acquire(&entry->state); /* A4 */

    /* The producer may be freeing the same entry; either order leaves it ours. */
    do {
        consumer->entry_state = lam_ring_entry_next(state, LAM_RING_ENTRY_JOINING);
    } while (!lam_cas_acq_rel(&entry->state, &state, consumer->entry_state)); /* R4 */
}

static int start(struct lam_ring_consumer *consumer,
    const struct lam_ring_consumer_options *options, struct lam_error *error)
{
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];
    struct lam_ring_origin origin = {0};
    int rc;

    /* No state that the entry can have: an attach that fails leaves a predecessor's place alone. */
    consumer->entry_state = UINT64_MAX;
    if (options->start != LAM_RING_RESUME || !lam_ring_entry_is_named(entry, options->name))
        start_anew(consumer);
    LAM_CRASH_POINT("join.begun");
    rc = lam_ring_entry_sign(consumer, options, error);
    LAM_CRASH_POINT("join.signed");
    if (rc == 0)
        rc = lam_ring_after_resolve(consumer, options, error);
    if (rc == 0)
        rc = lam_ring_settle(consumer, options->start, &origin, error);
    LAM_CRASH_POINT("join.settled");
    consumer->resumed = (uint32_t)origin.is_place;
    if (rc != 0)
        return rc;
    consumer->is_named = options->name != NULL && options->policy != LAM_RING_LOSSY;
    consumer->lost_at_start = origin.lost;
    lam_ring_count_many(&entry->lost, origin.lost);
    lam_ring_count_many(&entry->overruns, origin.lost != 0);
    /* R24, pairs with A24 in lam_ring_entry_is_settled(). */
    lam_store_release(&entry->joined, consumer->ordinal - origin.lost);
    lam_store_release(&entry->settled, consumer->entry_state); /* R25, pairs with A25 */
    lam_store_release(&entry->left.mark, 0); /* told: from here on the cursor is our place */
    LAM_CRASH_POINT("join.told");
    lam_fence_seq_cst(); /* F3: a producer may sleep until anyone comes */
    if (lam_load_relaxed(&consumer->ring->control_head->blocked_on) == LAM_RING_ANYONE + 1)
        lam_ring_consumer_wake_producer(consumer);
    return 0;
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
    rc = check_options(ring, options, error);
    if (rc == 0)
        rc = lam_ring_entry_take(consumer, options->name, error);
    if (rc != 0)
        return rc;
    bind(consumer, options);
    rc = start(consumer, options, error);
    if (rc != 0)
        lam_ring_consumer_detach(consumer);
    consumer->after_bound = consumer->next;
    return rc;
}

int lam_ring_consumer_resumed(const struct lam_ring_consumer *consumer, uint64_t *lost)
{
    *lost = consumer->lost_at_start;
    return consumer->resumed != 0;
}

/* Nobody can resume us: the entry is anybody's. */
static void leave_nothing(struct lam_ring_consumer *consumer)
{
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];
    uint64_t state = consumer->entry_state;
    int joined = lam_ring_entry_state_of(state) != LAM_RING_ENTRY_JOINING;

    /* Unless the producer took us out meanwhile: then the next owner of the lock cleans up. */
    if (!lam_cas_acq_rel(&entry->state, &state, /* R4 */
            lam_ring_entry_next(state, joined ? LAM_RING_ENTRY_LEFT : LAM_RING_ENTRY_FREE)))
        return;
    LAM_CRASH_POINT("leave.freed");
    memset(entry->name, 0, sizeof(entry->name));
}

/* Whether our entry gates on when we are gone, as a dead one's does: its cursor is our place. */
static int keeps_gating(const struct lam_ring_consumer *consumer, struct lam_ring_entry *entry)
{
    uint64_t state = lam_load_relaxed(&consumer->ring->data_head->state);

    /* An attach that failed behind a predecessor that still gates leaves that as it was. */
    if (!consumer->is_named)
        return !lam_ring_left_is_of(&entry->left, consumer->entry_state);
    /* The producer of a required one waits for a successor. */
    lam_store_relaxed(&entry->leaving, consumer->entry_state);
    lam_fence_seq_cst(); /* F13, pairs with that in lam_ring_required_keep() */
    return lam_load_relaxed(&entry->required) != 0 && lam_ring_state_of(state) == LAM_RING_OPEN;
}

void lam_ring_consumer_detach(struct lam_ring_consumer *consumer)
{
    struct lam_ring_control *control;
    struct lam_ring_entry *entry;

    if (!lam_lock_is_held(&consumer->lock))
        return;
    control = consumer->ring->control_head;
    lam_ring_consumer_tell_waits(consumer);
    entry = &control->entries[consumer->index];
    if (!consumer->is_named && !consumer->resumed)
        leave_nothing(consumer);
    else if (!keeps_gating(consumer, entry))
        lam_ring_leave_place(consumer);
    lam_lock_drop(&consumer->lock);
    lam_fence_seq_cst(); /* F3: a producer that sleeps on us, or who goes after us, looks again */
    LAM_CRASH_POINT("leave.unlocked");
    if (lam_load_relaxed(consumer->blocked_on) == consumer->index + 1)
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
        lam_load_acquire(&entry->state) == consumer->entry_state) /* A4 */
        return lam_error_set(
            error, -EALREADY, "ring %s: this consumer was not evicted", consumer->ring->name);
    rc = lam_ring_settle(consumer, start == LAM_RING_RESUME ? LAM_RING_OLDEST : start, NULL, error);
    if (rc != 0) {
        /* As it was: evicted, at the place where it stood, and holding nobody. */
        uint64_t state = consumer->entry_state;
        uint64_t evicted = lam_ring_entry_next(state, LAM_RING_ENTRY_EVICTED);

        if (lam_load_acquire(&entry->state) == state) /* A4 */
            lam_ring_keep_place(entry, state, evicted);
        (void)lam_cas_acq_rel(&entry->state, &state, evicted); /* R4 */
        consumer->next = next;
        consumer->ordinal = ordinal;
        return rc;
    }
    LAM_CRASH_POINT("readmit.settled");
    if ((int64_t)(next - consumer->next) > 0) {
        /* The oldest is among those that we have seen: nothing comes twice. */
        consumer->next = next;
        consumer->ordinal = ordinal;
        (void)lam_ring_consumer_release(consumer);
    }
    *lost = consumer->ordinal - ordinal;
    lam_ring_count_many(&entry->lost, *lost);
    lam_ring_count(&entry->overruns);
    lam_store_release(&entry->settled, consumer->entry_state); /* R25, pairs with A25 */
    lam_store_release(&entry->left.mark, 0); /* told: from here on the cursor is our place */
    return 0;
}
