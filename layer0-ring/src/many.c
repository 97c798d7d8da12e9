/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of many producers: the rare parts of publishing, its end.
 */
#include "many_internal.h"

void lam_ring_many_pad(
    struct lam_ring_many_producer *producer, uint64_t sequence, uint64_t cell_count)
{
    lam_ring_many_publish_padding(producer->ring, sequence, cell_count);
}

void lam_ring_many_abort(struct lam_ring_many_producer *producer)
{
    LAM_ASSERT(producer->claimed != 0);
    lam_ring_many_publish_padding(producer->ring, producer->start, producer->claimed);
    producer->claimed = 0;
    lam_fence_seq_cst(); /* F1: what comes behind it may be there already */
    if (lam_load_relaxed(producer->sleeping) != 0)
        lam_ring_many_wake(producer);
}

void lam_ring_many_wake(struct lam_ring_many_producer *producer)
{
    const struct lam_ring *ring = producer->ring;
    struct lam_ring_control *control = ring->control_head;

    (void)lam_add_acq_rel(&control->wakes, 1); /* a count: no order is meant */
    (void)lam_ring_wake_consumers(control);
    if (lam_load_relaxed(&control->repair_wanted) != 0) {
        lam_store_relaxed(&control->repair_wanted, 0);
        lam_ring_repair_all(ring);
    }
}

void lam_ring_many_tally(struct lam_ring_many_producer *producer)
{
    /* a count: no order is meant */
    (void)lam_add_acq_rel(&producer->ring->control_head->bytes, producer->bytes);
    producer->bytes = 0;
}

void lam_ring_many_open(const struct lam_ring *ring, uint32_t index)
{
    lam_atomic_u64 *state = &ring->data_head->state;
    uint64_t word = lam_load_acquire(state); /* A5 */

    while (lam_ring_state_of(word) != LAM_RING_OPEN || !lam_ring_many_is_alive(ring, index)) {
        /* R5, pairs with A5 in the consumers' idle path. */
        if (lam_cas_acq_rel(state, &word, (lam_ring_epoch_of(word) + 1) << 8 | LAM_RING_OPEN))
            return;
    }
}

/* No other producer is open: say so, after all that was published and what the dead left. */
static void close_ring(const struct lam_ring *ring, uint32_t index)
{
    uint64_t word = lam_load_acquire(&ring->data_head->state); /* A5 */

    lam_ring_repair_all(ring);
    LAM_CRASH_POINT("close.repaired");
    if (lam_ring_state_of(word) != LAM_RING_OPEN ||
        /* R5: whoever sees the ring closed sees the last event. */
        !lam_cas_acq_rel(
            &ring->data_head->state, &word, lam_ring_epoch_of(word) << 8 | LAM_RING_CLOSED))
        return;
    LAM_CRASH_POINT("close.closed");
    lam_fence_seq_cst(); /* F1, too: for those that are about to sleep */
    if (lam_ring_many_is_alive(ring, index))
        lam_ring_many_open(ring, index); /* it came meanwhile */
    (void)lam_ring_wake_consumers(ring->control_head);
}

void lam_ring_many_close(struct lam_ring_many_producer *producer)
{
    struct lam_ring *ring = producer->ring;

    if (producer->closed || !lam_lock_is_held(&producer->lock))
        return;
    if (producer->claimed != 0)
        lam_ring_many_abort(producer);
    producer->closed = 1;
    /* So that the next claim finds no room, and asks why. */
    producer->limit = lam_load_relaxed(producer->tail) - ring->depth;
    lam_ring_many_tally(producer);
    lam_store_release(&lam_ring_many_of(ring)->entries[producer->index].state, /* R31 */
        lam_ring_many_next(producer->entry_state, LAM_RING_MANY_CLOSED));
    LAM_CRASH_POINT("close.marked");
    lam_fence_seq_cst(); /* F11: of two that close at once, one at least sees the other's mark */
    if (!lam_ring_many_is_alive(ring, producer->index))
        close_ring(ring, producer->index);
}

int lam_ring_many_whereabouts(
    const struct lam_ring *ring, uint32_t index, uint32_t generation, uint64_t *tail)
{
    const struct lam_ring_many *many = lam_ring_many_of(ring);
    uint64_t state, changes;
    int rc = -EOWNERDEAD;

    LAM_ASSERT(ring->producers == LAM_RING_MANY_PRODUCERS && index < LAM_RING_PRODUCER_COUNT_MAX);
    /* Acquire, for A22: who left has done so behind its last claim. */
    state = lam_load_acquire(&many->entries[index].state);
    changes = ((state >> 8) - generation) & 0xffffff;
    if (changes == 0 && lam_ring_many_state_of(state) == LAM_RING_MANY_OPEN &&
        lam_ring_lock_is_held(ring, LAM_RING_LOCK_MANY + index))
        return 1;
    /*
     * It closes, detaches, or both, a change each; or its successor's opening is the next change,
     * and then what that one does. What several have changed since, nobody can tell.
     */
    if ((changes == 1 && lam_ring_many_state_of(state) != LAM_RING_MANY_OPEN) ||
        (changes == 2 && lam_ring_many_state_of(state) != LAM_RING_MANY_CLOSED))
        rc = 0;
    *tail = lam_load_acquire(&many->tail); /* A22, pairs with R22; behind the proof: its last */
    return rc;
}
