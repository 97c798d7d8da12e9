/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many producers' part in the consumer table: who is taken out of it, and what is remembered for
 * those who resume (resume.c). By one producer at a time, under the lock of repairs.
 */
#include "many_internal.h"

static struct lam_ring_entry *entry_at(const struct lam_ring *ring, uint32_t index)
{
    return &ring->control_head->entries[index];
}

/* Events before @cursor, whose cells are still there: those before the frontier, less the rest. */
static int count_before(const struct lam_ring *ring, uint64_t cursor, uint64_t *ordinal)
{
    struct lam_ring_place walked = {.sequence = cursor};
    struct lam_ring_view view;

    if (lam_ring_many_survey(ring, &view) != 0)
        return 0;
    while ((int64_t)(walked.sequence - view.frontier) < 0 && walked.sequence - cursor < ring->depth)
        if (lam_ring_walk_one(ring, &walked) != 1)
            return 0;
    *ordinal = view.ordinal - walked.ordinal;
    return walked.sequence == view.frontier;
}

/* Where the owner of @entry stopped, for the state @taken that it is to have: see resume.c. */
static void remember(
    const struct lam_ring *ring, struct lam_ring_entry *entry, uint64_t state, uint64_t taken)
{
    uint64_t cursor = lam_load_acquire(&entry->cursor); /* A2 */
    uint64_t ordinal;

    if (lam_ring_left_is_of(&entry->left, state))
        lam_ring_left_set(&entry->taken, taken, lam_load_relaxed(&entry->left.sequence),
            lam_load_relaxed(&entry->left.ordinal));
    else if (count_before(ring, cursor, &ordinal))
        lam_ring_left_set(&entry->taken, taken, cursor, ordinal);
    else
        lam_store_relaxed(&entry->taken.mark, 0); /* no boundary that is still there */
    lam_fence_release(); /* R11, pairs with A11; before the horizon passes it, too */
}

/* Give the entry in @state a new one. Returns 1, or 0: it is no longer in that state. */
static int take_out(const struct lam_ring *ring, struct lam_ring_entry *entry, uint64_t state,
    enum lam_ring_entry_state to)
{
    uint64_t taken = lam_ring_entry_next(state, to);
    struct lam_lock lock;
    int done = 0;

    if (lam_lock_take(&lock, ring->control.fd, LAM_RING_LOCK_REPAIR) != 0)
        return 0;
    LAM_CRASH_POINT("table.locked");
    if (lam_load_acquire(&entry->state) == state) { /* A4 */
        remember(ring, entry, state, taken);
        LAM_CRASH_POINT("table.remembered");
        done = lam_cas_acq_rel(&entry->state, &state, taken); /* R4 */
    }
    lam_lock_drop(&lock);
    return done;
}

int lam_ring_many_bury(const struct lam_ring *ring, uint32_t index)
{
    struct lam_ring_entry *entry = entry_at(ring, index);
    /* Before the lock is seen free: who joins anew has changed it. */
    uint64_t state = lam_load_acquire(&entry->state); /* A4 */

    if (lam_ring_entry_is_alive(ring, index) ||
        lam_ring_entry_state_of(state) != LAM_RING_ENTRY_GATING ||
        !take_out(ring, entry, state, LAM_RING_ENTRY_DEAD))
        return 0;
    (void)lam_add_acq_rel(&ring->control_head->reaped, 1); /* a count: no order is meant */
    return 1;
}

int lam_ring_many_evict(
    const struct lam_ring_many_producer *producer, uint32_t index, uint64_t now_ns)
{
    const struct lam_ring *ring = producer->ring;
    struct lam_ring_entry *entry = entry_at(ring, index);
    uint64_t patience_ns = lam_load_relaxed(&entry->patience_ns);
    uint64_t state = lam_load_acquire(&entry->state); /* A4 */

    if (patience_ns == 0 || now_ns - producer->blocked_since_ns < patience_ns ||
        lam_ring_entry_state_of(state) != LAM_RING_ENTRY_GATING ||
        !take_out(ring, entry, state, LAM_RING_ENTRY_EVICTED))
        return 0;
    /* R6, pairs with A6; another producer that overwrites has seen it by its scan, before F5. */
    lam_fence_release();
    (void)lam_add_acq_rel(&ring->control_head->evicted, 1);
    return 1;
}
