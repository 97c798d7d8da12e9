/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer's part in the consumer table: who is taken out of it, and what is remembered.
 *
 * A place is counted while its cells are still there: whoever resumes it later can be told exactly
 * what has been overwritten since.
 */
#include "group_table.h"
#include "lamina/base/crash_point.h"
#include "layout.h"
#include "producer_internal.h"
#include "settle.h"

#include <string.h>

static struct lam_ring_entry *entry_at(const struct lam_ring_producer *producer, uint32_t index)
{
    return &producer->ring->control_head->entries[index];
}

/* Events before @cursor: a boundary from the horizon on, or of one who settled below it. */
static int count_before(const struct lam_ring_producer *producer,
    const struct lam_ring_entry *entry, uint64_t state, uint64_t cursor, uint64_t *ordinal)
{
    struct lam_ring_worn worn = lam_ring_producer_worn(producer);
    struct lam_ring_place walked = {.sequence = cursor};
    uint64_t behind = cursor - producer->horizon;

    if (behind <= producer->next - producer->horizon) {
        *ordinal =
            producer->horizon_ordinal + lam_ring_worn_count_clear(&worn, producer->horizon, behind);
        return cursor == producer->next || lam_ring_worn_find_clear(&worn, cursor, 1) == cursor;
    }
    if (!lam_ring_gates_place(entry, state))
        return 0;
    /* Below the horizon the map may be a successor's, who does not know; the events are there. */
    while ((int64_t)(walked.sequence - producer->horizon) < 0 &&
           walked.sequence - cursor < producer->ring->depth)
        if (lam_ring_walk_one(producer->ring, &walked) != 1)
            return 0;
    *ordinal = producer->horizon_ordinal - walked.ordinal;
    return walked.sequence == producer->horizon;
}

/* Where the owner of @entry stopped, for the state @taken that it is to have: see resume.c. */
static void remember(struct lam_ring_producer *producer, struct lam_ring_entry *entry,
    uint64_t state, uint64_t taken)
{
    uint64_t cursor = lam_load_acquire(&entry->cursor); /* A2 */
    uint64_t ordinal;

    if (lam_ring_left_is_of(&entry->left, state)) {
        /* It died, or we lost patience, while it took a place over: that one stays. */
        lam_ring_left_set(&entry->taken, taken, lam_load_relaxed(&entry->left.sequence),
            lam_load_relaxed(&entry->left.ordinal));
    } else if (count_before(producer, entry, state, cursor, &ordinal)) {
        lam_ring_left_set(&entry->taken, taken, cursor, ordinal);
    } else {
        lam_store_relaxed(&entry->taken.mark, 0); /* no boundary that is still there */
    }
    /* R11, pairs with A11; before the horizon passes it, too. */
    lam_fence_release();
}

int lam_ring_producer_sees_alive(const struct lam_ring_producer *producer, uint32_t index)
{
    return lam_ring_entry_is_alive(producer->ring, index);
}

int lam_ring_producer_bury(struct lam_ring_producer *producer, uint32_t index)
{
    struct lam_ring_entry *entry = entry_at(producer, index);
    /* Before the lock is seen free: who joins anew has changed it. */
    uint64_t state = lam_load_acquire(&entry->state); /* A4 */
    uint64_t taken = lam_ring_entry_next(state, LAM_RING_ENTRY_FREE);

    if (lam_ring_producer_sees_alive(producer, index))
        return 0;
    switch (lam_ring_entry_state_of(state)) {
    case LAM_RING_ENTRY_GATING:
        taken = lam_ring_entry_next(state, LAM_RING_ENTRY_DEAD);
        remember(producer, entry, state, taken);
        LAM_CRASH_POINT("bury.remembered");
        break;
    case LAM_RING_ENTRY_JOINING:
    case LAM_RING_ENTRY_LOSSY:
        break;
    default:
        return 0; /* out already */
    }
    if (!lam_cas_acq_rel(&entry->state, &state, taken)) /* R4 */
        return 0;
    LAM_CRASH_POINT("bury.taken");
    lam_ring_count(&producer->ring->control_head->reaped);
    return 1;
}

int lam_ring_producer_reap(struct lam_ring_producer *producer, uint32_t index)
{
    if (index >= LAM_RING_BLOCKER_GROUP ||
        lam_ring_entry_state_of(lam_load_relaxed(&entry_at(producer, index)->state)) ==
            LAM_RING_ENTRY_MEMBER) {
        uint32_t count = lam_ring_group_reap(producer->ring, index);

        lam_ring_count_many(&producer->ring->control_head->reaped, count);
        return count != 0;
    }
    if (producer->required != NULL &&
        lam_ring_required_keeps(producer->required, entry_at(producer, index)))
        return 0;
    return lam_ring_producer_bury(producer, index);
}

int lam_ring_producer_take_out(struct lam_ring_producer *producer, uint32_t index, uint64_t state)
{
    struct lam_ring_entry *entry = entry_at(producer, index);
    uint64_t taken = lam_ring_entry_next(state, LAM_RING_ENTRY_EVICTED);

    /* Without a patience it does not look whether it was: it would read torn events. */
    if (lam_load_relaxed(&entry->patience_ns) == 0 ||
        lam_ring_entry_state_of(state) != LAM_RING_ENTRY_GATING)
        return 0;
    remember(producer, entry, state, taken);
    LAM_CRASH_POINT("evict.remembered");
    if (!lam_cas_acq_rel(&entry->state, &state, taken)) /* R4 */
        return 0;
    LAM_CRASH_POINT("evict.taken");
    /* R6, pairs with A6 in lam_ring_consumer_holds(): before anything of its is overwritten. */
    lam_fence_release();
    lam_ring_count(&producer->ring->control_head->evicted);
    return 1;
}

int lam_ring_producer_evict(
    struct lam_ring_producer *producer, uint32_t index, uint64_t state, uint64_t now_ns)
{
    uint64_t patience_ns = index >= LAM_RING_BLOCKER_GROUP
                               ? 0 /* groups are waited for */
                               : lam_load_relaxed(&entry_at(producer, index)->patience_ns);

    if (patience_ns == 0 || now_ns - producer->blocked_since_ns < patience_ns)
        return 0;
    return lam_ring_producer_take_out(producer, index, state);
}

uint32_t lam_ring_producer_find(const struct lam_ring_producer *producer, const char *name)
{
    uint64_t used = lam_load_acquire(&producer->ring->control_head->used); /* A26 */
    uint32_t found = UINT32_MAX;

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        const struct lam_ring_entry *entry = entry_at(producer, index);
        uint64_t state = lam_load_acquire(&entry->state); /* A4 */

        if (!lam_ring_entry_is_named(entry, name))
            continue;
        /* One that is joined, before one that a name is left in. */
        if (lam_ring_entry_state_of(state) == LAM_RING_ENTRY_GATING)
            return index;
        found = index;
    }
    return found;
}
