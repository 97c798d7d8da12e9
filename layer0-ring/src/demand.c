/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What consumers demand, and how full the ring is.
 */
#include "lamina/ring/demand.h"
#include "layout.h"
#include "producer_internal.h"
#include "walk.h"

#include <errno.h>

/* The demand of @entry, where its owner is joined. */
static uint32_t demand_of(const struct lam_ring_entry *entry)
{
    /* A4 */
    enum lam_ring_entry_state state = lam_ring_entry_state_of(lam_load_acquire(&entry->state));
    uint64_t demand;

    if (state != LAM_RING_ENTRY_GATING && state != LAM_RING_ENTRY_LOSSY &&
        state != LAM_RING_ENTRY_MEMBER)
        return 0;
    /* Relaxed: a wish brings nothing with it. Whoever may write control may write anything. */
    demand = lam_load_relaxed(&entry->demand);
    return demand <= LAM_RING_DEMAND_MAX ? (uint32_t)demand : 0;
}

/* The highest, and in *@index whose; UINT32_MAX: nobody has one. */
static uint32_t highest(const struct lam_ring *ring, uint32_t *index)
{
    const struct lam_ring_control *control = ring->control_head;
    uint32_t found = 0;

    *index = UINT32_MAX;
    /* A26 */
    for (uint64_t used = lam_load_acquire(&control->used); used != 0; used &= used - 1) {
        uint32_t at = (uint32_t)__builtin_ctzll(used);
        uint32_t demand = demand_of(&control->entries[at]);

        if (demand > found) {
            found = demand;
            *index = at;
        }
    }
    return found;
}

int lam_ring_consumer_demand(struct lam_ring_consumer *consumer, uint32_t per_mille)
{
    struct lam_ring_control *control = consumer->ring->control_head;

    LAM_ASSERT(lam_lock_is_held(&consumer->lock)); /* not after detach, nor in a forked child */
    if (per_mille > LAM_RING_DEMAND_MAX)
        return -EINVAL;
    lam_store_relaxed(&control->entries[consumer->index].demand, per_mille);
    lam_fence_seq_cst(); /* F3, pairs with F4 below: we see it sleep, or it sees our demand */
    if (lam_load_relaxed(consumer->blocked_on) == consumer->index + 1)
        lam_ring_consumer_wake_producer(consumer);
    return 0;
}

uint32_t lam_ring_demand(const struct lam_ring *ring)
{
    uint32_t index;

    return highest(ring, &index);
}

/* The highest; whoever demands it was alive within the last look's time. */
static uint32_t highest_living(
    struct lam_ring_producer *producer, uint32_t per_mille_min, uint32_t *index)
{
    uint32_t demand = highest(producer->ring, index);
    uint64_t now_ns;

    if (demand <= per_mille_min)
        return demand;
    now_ns = lam_clock_now_ns();
    if (now_ns < producer->probe_at_ns)
        return demand;
    /* At most once for each entry: each round takes one out. */
    for (uint32_t round = 0; round < LAM_RING_CONSUMER_COUNT_MAX && *index != UINT32_MAX; round++) {
        if (!lam_ring_producer_reap(producer, *index))
            break;
        demand = highest(producer->ring, index);
    }
    producer->probe_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    return demand;
}

uint32_t lam_ring_producer_demand(struct lam_ring_producer *producer)
{
    uint32_t index;

    LAM_ASSERT(lam_lock_is_held(&producer->lock)); /* not after detach, nor in a forked child */
    return highest_living(producer, 0, &index);
}

/* Sleep until the one at @index lowers its demand or leaves, or to the ladder's next look. */
static void park(struct lam_ring_producer *producer, uint32_t index, uint32_t per_mille_max,
    struct lam_wait *wait)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint32_t bell = lam_load_acquire(&control->producer_bell); /* A27 */
    uint32_t now_index;

    (void)lam_exchange_acq_rel(&control->blocked_on, index + 1);
    lam_fence_seq_cst(); /* F4, pairs with F3: it sees that we sleep, or we see its demand */
    if (highest(producer->ring, &now_index) > per_mille_max && now_index == index &&
        lam_load_relaxed(&control->poisoned) == 0) {
        lam_ring_count(&control->parks);
        lam_base->futex_wait(&control->producer_bell, bell, lam_wait_park_until(wait));
        lam_wait_woken(wait, lam_load_relaxed(&control->producer_rung_ns));
    }
    lam_store_relaxed(&control->blocked_on, 0);
}

int lam_ring_producer_await_demand_until(
    struct lam_ring_producer *producer, uint32_t per_mille_max, uint64_t deadline_ns)
{
    struct lam_wait wait;
    int rc = 0;

    LAM_ASSERT(lam_lock_is_held(&producer->lock)); /* not after detach, nor in a forked child */
    lam_wait_begin(&wait, producer->wait, &producer->cadence, deadline_ns);
    for (;;) {
        uint32_t index;

        if (lam_load_relaxed(&producer->ring->control_head->poisoned) != 0) {
            rc = -ENOTRECOVERABLE;
            break;
        }
        if (highest_living(producer, per_mille_max, &index) <= per_mille_max)
            break;
        rc = lam_wait_step(&wait);
        if (rc < 0)
            break;
        if (rc == LAM_WAIT_PARK)
            park(producer, index, per_mille_max, &wait);
        rc = 0;
    }
    (void)lam_wait_end(&wait);
    return rc;
}

int lam_ring_producer_await_room_until(
    struct lam_ring_producer *producer, uint64_t cell_count, uint64_t deadline_ns)
{
    return lam_ring_producer_await_batch(producer, cell_count, deadline_ns);
}

int lam_ring_used_cells(const struct lam_ring *ring, uint64_t *used_cells)
{
    const struct lam_ring_control *control = ring->control_head;
    struct lam_ring_place head = {0};

    *used_cells = 0;
    if (lam_ring_find_head(ring, &head) != 0)
        return -EPROTO;
    /* A26, and A4 */
    for (uint64_t used = lam_load_acquire(&control->used); used != 0; used &= used - 1) {
        const struct lam_ring_entry *entry = &control->entries[__builtin_ctzll(used)];
        uint64_t lag;

        if (lam_ring_entry_state_of(lam_load_acquire(&entry->state)) != LAM_RING_ENTRY_GATING)
            continue;
        /* It may have gone on past the head that we walked to, or say what cannot be. */
        lag = head.sequence - lam_load_acquire(&entry->cursor); /* A2 */
        if ((int64_t)lag > 0 && lag < ring->depth && lag > *used_cells)
            *used_cells = lag;
    }
    return 0;
}
