/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The place of a consumer that died, was evicted or left, and its successor of the same name.
 *
 * A dead one's entry gates on until the producer finds it dead: who comes before that takes the
 * entry over without a moment in which it does not gate. From then on the place is remembered
 * beside the state, with the count of events before it, so that what was overwritten meanwhile can
 * be counted. A successor that dies as it takes over leaves the place as it was: the mark says for
 * which state word it holds, and is taken away once all is settled. So does one that was evicted
 * and dies as it joins again.
 */
#include "lamina/base/crash_point.h"
#include "layout.h"
#include "settle.h"

#include <errno.h>

static struct lam_ring_entry *entry_of(const struct lam_ring_consumer *consumer)
{
    return &consumer->ring->control_head->entries[consumer->index];
}

static void read_left(
    const struct lam_ring_left *left, uint64_t word, struct lam_ring_origin *origin)
{
    if (!lam_ring_left_is_of(left, word))
        return;
    origin->sequence = lam_load_relaxed(&left->sequence);
    origin->ordinal = lam_load_relaxed(&left->ordinal);
    origin->is_place = origin->is_counted = 1;
}

/* What the entry in the state @word says about the place. */
static void read_place(const struct lam_ring_entry *entry, uint64_t word, uint64_t horizon,
    struct lam_ring_origin *origin)
{
    enum lam_ring_entry_state state = lam_ring_entry_state_of(word);

    origin->is_place = origin->is_counted = origin->is_held = 0;
    origin->sequence = horizon;
    if (state != LAM_RING_ENTRY_GATING && state != LAM_RING_ENTRY_LEFT &&
        state != LAM_RING_ENTRY_DEAD && state != LAM_RING_ENTRY_EVICTED)
        return;
    read_left(&entry->taken, word, origin);
    read_left(&entry->left, word, origin);
    if (!origin->is_place) {
        uint64_t cursor = lam_load_acquire(&entry->cursor); /* A2 */

        /* Else, below the horizon, it is one that died before it was anywhere. */
        origin->is_held = lam_ring_gates_place(entry, word);
        origin->is_place = origin->is_held || (int64_t)(cursor - horizon) >= 0;
        if (origin->is_place)
            origin->sequence = cursor;
    }
}

void lam_ring_keep_place(struct lam_ring_entry *entry, uint64_t word, uint64_t joined)
{
    if (lam_ring_left_is_of(&entry->left, word))
        lam_store_release(&entry->left.mark, joined); /* R32 */
    else if (lam_ring_left_is_of(&entry->taken, word))
        lam_ring_left_set(&entry->left, joined, lam_load_relaxed(&entry->taken.sequence),
            lam_load_relaxed(&entry->taken.ordinal));
    else
        lam_store_relaxed(&entry->left.mark, 0); /* it gates, and loses nothing; or it has none */
    if (lam_ring_gates_place(entry, word))
        lam_store_release(&entry->settled, joined); /* R25 */
}

int lam_ring_take_place(
    struct lam_ring_consumer *consumer, struct lam_ring_origin *origin, uint64_t horizon)
{
    struct lam_ring_entry *entry = entry_of(consumer);
    /* A11, pairs with R11 in lam_ring_leave_place() and remember(): the place is there. */
    uint64_t word = lam_load_acquire(&entry->state);
    uint64_t taken = lam_ring_entry_next(word, LAM_RING_ENTRY_GATING);

    read_place(entry, word, horizon, origin);
    if (!origin->is_place)
        lam_store_release(consumer->cursor, horizon); /* R10 */
    lam_ring_keep_place(entry, word, taken);
    LAM_CRASH_POINT("resume.place_marked");
    /*
     * R4: the cursor that the entry has, a place or one below it, gates from here on; who finds us
     * below the horizon waits until we have moved up.
     */
    if (!lam_cas_acq_rel(&entry->state, &word, taken))
        return -ESTALE;
    LAM_CRASH_POINT("resume.taken");
    consumer->entry_state = taken;
    return 0;
}

int lam_ring_count_lost(const struct lam_ring_consumer *consumer, struct lam_ring_origin *origin)
{
    /* With many producers there may be nothing but padding between the two. */
    int64_t least = consumer->ring->producers == LAM_RING_ONE_PRODUCER;

    origin->lost = 0;
    if (origin->is_place && consumer->next != origin->sequence) {
        if (!origin->is_counted || (int64_t)(consumer->next - origin->sequence) < 0 ||
            (int64_t)(consumer->ordinal - origin->ordinal) < least)
            return -EPROTO;
        origin->lost = consumer->ordinal - origin->ordinal;
    }
    return 0;
}

/* Events before our cursor: those before the next one, less those that were not released. */
static int count_released(const struct lam_ring_consumer *consumer, struct lam_ring_place *place)
{
    struct lam_ring_place walked = {.sequence = lam_load_relaxed(consumer->cursor)};

    place->sequence = walked.sequence;
    while (walked.sequence != consumer->next)
        if (consumer->next - walked.sequence > consumer->ring->depth ||
            lam_ring_walk_one(consumer->ring, &walked) != 1)
            return 0;
    place->ordinal = consumer->ordinal - walked.ordinal;
    return 1;
}

void lam_ring_leave_place(struct lam_ring_consumer *consumer)
{
    struct lam_ring_entry *entry = entry_of(consumer);
    uint64_t word = consumer->entry_state;
    uint64_t left = lam_ring_entry_next(word, LAM_RING_ENTRY_LEFT);
    struct lam_ring_place place = {0};

    if (lam_ring_left_is_of(&entry->left, word))
        lam_store_release(&entry->left.mark, left); /* R32: taken over, and never settled */
    else if (count_released(consumer, &place))
        lam_ring_left_set(&entry->left, left, place.sequence, place.ordinal);
    else
        lam_store_relaxed(&entry->left.mark, 0);
    LAM_CRASH_POINT("leave.place_set");
    /*
     * R11, pairs with A11; R12, with A12 in after.c. Unless the producer took us out meanwhile:
     * then it remembers.
     */
    (void)lam_cas_acq_rel(&entry->state, &word, left);
    LAM_CRASH_POINT("leave.left");
}
