/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rare part of a claim: look at the consumer table, raise the horizon, and so gain room.
 *
 * A joiner stores its cursor, counts itself in `joins`, fences (F6) and reads the horizon again;
 * the producer stores the horizon, fences (F5) and reads `joins` again. So a cell is overwritten
 * only when every joined consumer is known to be past it: either we see that somebody joined and
 * scan the table, or it sees the new horizon and moves on.
 *
 * Cursors only grow, so what a scan found holds until somebody joins. The cursors' lines are their
 * owners', who write them at each release: a ring whose consumers keep up reads them once a lap.
 */
#include "group_table.h"
#include "lamina/base/crash_point.h"
#include "lamina/ring/required.h"
#include "layout.h"
#include "producer_internal.h"

#include <errno.h>
#include <string.h>

/*
 * The cursor of @entry cannot be: it no longer gates, and learns it from its state. Unless the
 * entry is no longer in the state that was @seen with that cursor: then it is another's by now.
 */
static void expel(
    const struct lam_ring_producer *producer, struct lam_ring_entry *entry, uint64_t seen)
{
    /* R4 */
    if (lam_cas_acq_rel(&entry->state, &seen, lam_ring_entry_next(seen, LAM_RING_ENTRY_EXPELLED)))
        lam_ring_count(&producer->ring->control_head->expelled);
}

/* Lower *@bound to the cursor of entry @index, if that gates. */
static void scan_entry(
    struct lam_ring_producer *producer, uint32_t index, struct lam_ring_bound *bound)
{
    struct lam_ring_entry *entry = &producer->ring->control_head->entries[index];
    uint64_t state = lam_load_acquire(&entry->state); /* R4: the cursor is there */
    uint64_t cursor;

    if (lam_ring_entry_state_of(state) != LAM_RING_ENTRY_GATING)
        return;
    /*
     * A2, pairs with R2 in lam_ring_consumer_release_to(): the consumer has finished loading from
     * every cell below. Read only when the cached bound says full; else the consumer's line would
     * travel on every event.
     */
    cursor = lam_load_acquire(&entry->cursor);
    if ((int64_t)(producer->next - cursor) < 0) {
        expel(producer, entry, state);
        return;
    }
    /* Relaxed: ours alone while it gates. Seldom: it only grows. */
    if (producer->next - cursor > lam_load_relaxed(&entry->lag_max))
        lam_store_relaxed(&entry->lag_max, producer->next - cursor);
    if (bound->index == UINT32_MAX || producer->next - cursor > producer->next - bound->sequence)
        *bound = (struct lam_ring_bound){.sequence = cursor, .index = index, .state = state};
}

static struct lam_ring_bound scan(struct lam_ring_producer *producer)
{
    const struct lam_ring_control *control = producer->ring->control_head;
    struct lam_ring_bound bound = {.sequence = producer->next, .index = UINT32_MAX};

    /* Before the scan: who has come by now is seen in it. */
    if (lam_ring_producer_holds(producer)) {
        bound.sequence = producer->hold_at;
        bound.index = LAM_RING_ANYONE;
    }
    for (uint64_t used = lam_load_acquire(&control->used); used != 0; used &= used - 1) /* A26 */
        scan_entry(producer, (uint32_t)__builtin_ctzll(used), &bound);
    /* After the entries: a group's founder gates as a plain consumer until the group is there. */
    if (__builtin_expect(lam_load_relaxed(&control->groups_used) != 0, 0))
        lam_ring_group_scan(producer, &bound);
    return bound;
}

/*
 * An event boundary from @needed up to @bound, a sixteenth of the ring further if there is that
 * much: later claims then find room at once. Returns 0 if there is none: the cursor at @bound lies
 * inside an event.
 */
static int choose_horizon(
    const struct lam_ring_producer *producer, uint64_t needed, uint64_t bound, uint64_t *horizon)
{
    struct lam_ring_worn worn = lam_ring_producer_worn(producer);
    uint64_t stride = lam_ring_stride(producer->ring->depth);
    uint64_t target = bound - needed > stride ? needed + stride : bound;

    *horizon = lam_ring_worn_find_clear(&worn, target, bound - target + 1);
    return *horizon - target <= bound - target;
}

static void raise_horizon(struct lam_ring_producer *producer, uint64_t horizon)
{
    struct lam_ring_data *data = producer->ring->data_head;
    struct lam_ring_worn worn = lam_ring_producer_worn(producer);

    /*
     * Recovery goes from the horizon over the newest waypoint, and joiners count from one. And what
     * is below the horizon may be overwritten, its bits in the map too: a waypoint counts them.
     */
    if ((int64_t)(horizon - producer->waypoint_last) > 0)
        lam_ring_producer_waypoint(producer);
    producer->horizon_ordinal +=
        lam_ring_worn_count_clear(&worn, producer->horizon, horizon - producer->horizon);
    producer->horizon = horizon;
    lam_store_relaxed(&data->horizon_ordinal, producer->horizon_ordinal);
    LAM_CRASH_POINT("room.ordinal_stored");
    lam_store_relaxed(&data->horizon, horizon);
    LAM_CRASH_POINT("room.horizon_stored");
    lam_fence_seq_cst(); /* F5, pairs with F6 in settle_gating() */
}

/* Show for how long the ring has been full, up to @now_ns. */
static void count_blocked(struct lam_ring_producer *producer, uint64_t now_ns)
{
    if (producer->full_since_ns != 0)
        lam_ring_count_many(
            &producer->ring->control_head->blocked_ns, now_ns - producer->full_since_ns);
    producer->full_since_ns = now_ns;
}

/*
 * The ring is full because of whom @bound names. See now and then whether it lives, for how long it
 * has held us, and how the required ones are. Returns 1 if it holds us no longer, 0, or -ECANCELED.
 */
static int held_back(struct lam_ring_producer *producer, const struct lam_ring_bound *bound)
{
    uint64_t now_ns;

    if (producer->full_streak == 0)
        lam_ring_count(&producer->ring->control_head->full);
    /* By its state's generation: who comes into an evicted one's entry has not held us yet. */
    if (producer->blocker_index != bound->index || producer->blocker_state != bound->state) {
        producer->blocker_index = bound->index;
        producer->blocker_state = bound->state;
        producer->blocked_since_ns = 0;
    }
    if ((producer->full_streak++ & 63) != 0 && !producer->look_now &&
        producer->blocked_since_ns != 0)
        /* The clock costs more than the look at the table. */
        return producer->required != NULL && producer->required->failing ? -ECANCELED : 0;
    producer->look_now = 0;
    now_ns = lam_clock_now_ns();
    if (producer->blocked_since_ns == 0)
        producer->blocked_since_ns = now_ns;
    if (producer->full_since_ns == 0)
        count_blocked(producer, now_ns);
    if (producer->required != NULL) {
        int rc = lam_ring_required_look(producer, now_ns);

        if (rc != 0)
            return rc;
    }
    if (bound->index == LAM_RING_ANYONE)
        return 0;
    if (lam_ring_producer_evict(producer, bound->index, bound->state, now_ns))
        return 1;
    if (producer->full_streak > 1 && now_ns < producer->probe_at_ns)
        return 0;
    producer->probe_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    lam_ring_producer_tally(producer);
    count_blocked(producer, now_ns);
    return lam_ring_producer_reap(producer, bound->index);
}

/* Scan, and keep what was found until it is used up or somebody joins. */
static struct lam_ring_bound rescan(struct lam_ring_producer *producer)
{
    struct lam_ring_bound bound;

    /* A9, pairs with R9 in settle.c: who was counted is seen by the scan. Before it, not after. */
    producer->joins = lam_load_acquire(&producer->ring->control_head->joins);
    bound = scan(producer);
    LAM_CRASH_POINT("room.scanned");
    producer->released = bound.sequence;
    return bound;
}

static int somebody_joined(const struct lam_ring_producer *producer)
{
    return lam_load_relaxed(&producer->ring->control_head->joins) != producer->joins;
}

/*
 * Raise the horizon to @needed or above, where the bound that we know allows it. Returns 1, or 0:
 * the cursor at that bound lies inside an event.
 */
static int pass_horizon(struct lam_ring_producer *producer, uint64_t needed)
{
    uint64_t horizon;

    if (!choose_horizon(producer, needed, producer->released, &horizon))
        return 0;
    raise_horizon(producer, horizon);
    return 1;
}

/* Returns 1, or 0 and in *@blocker who is in the way; its index UINT32_MAX: look again. */
static int try_room(
    struct lam_ring_producer *producer, uint64_t cell_count, struct lam_ring_bound *blocker)
{
    uint64_t depth = producer->ring->depth;
    uint64_t needed = producer->next + cell_count + 1 - depth; /* all below must be released */
    struct lam_ring_bound bound = {.index = UINT32_MAX};

    if ((int64_t)(producer->released - needed) < 0 || somebody_joined(producer)) {
        bound = rescan(producer);
        *blocker = bound;
        if ((int64_t)(bound.sequence - needed) < 0)
            return 0;
    }
    /* A boundary above the needed one may be there already, stored for a claim that then failed. */
    if ((int64_t)(producer->horizon - needed) < 0) {
        if (!pass_horizon(producer, needed)) {
            if (bound.index < LAM_RING_BLOCKER_GROUP + LAM_RING_GROUP_COUNT_MAX)
                lam_ring_group_expel(producer, bound);
            producer->released = needed - 1; /* it was a lie, of this scan or an earlier one */
            blocker->index = UINT32_MAX;
            return 0;
        }
        if (somebody_joined(producer)) {
            bound = rescan(producer);
            *blocker = bound;
            if ((int64_t)(bound.sequence - needed) < 0)
                return 0; /* somebody joined below; it will see the new horizon and move on */
        }
    }
    /*
     * Not past a joiner that is still below the horizon, nor ever back: limit >= next holds, since
     * all below next was free when it was claimed.
     */
    producer->limit = (int64_t)(producer->released - producer->horizon) < 0
                          ? producer->released + depth
                          : producer->horizon + depth;
    return 1;
}

int lam_ring_producer_make_room(struct lam_ring_producer *producer, uint64_t cell_count)
{
    struct lam_ring *ring = producer->ring;
    struct lam_ring_bound blocker = {.index = UINT32_MAX};

    LAM_ASSERT(lam_lock_is_held(&producer->lock)); /* not after detach, nor in a forked child */
    if (producer->closed)
        return producer->failed ? -ECANCELED : -EPIPE;
    if (lam_load_relaxed(&ring->control_head->poisoned) != 0)
        return -ENOTRECOVERABLE;
    if (cell_count > ring->depth - 1)
        return -EMSGSIZE;
    /* At most once for each entry: each round takes one dead or impossible consumer out. */
    for (uint32_t round = 0; round <= LAM_RING_CONSUMER_COUNT_MAX; round++) {
        if (try_room(producer, cell_count, &blocker)) {
            if (producer->full_since_ns != 0) {
                count_blocked(producer, lam_clock_now_ns());
                producer->full_since_ns = 0;
            }
            producer->full_streak = 0;
            producer->blocked_since_ns = 0;
            producer->blocker_index = UINT32_MAX;
            return 1;
        }
        if (blocker.index != UINT32_MAX) {
            int rc = held_back(producer, &blocker);

            if (rc != 1)
                return rc;
        }
    }
    return 0;
}
