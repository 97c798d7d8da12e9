/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holes that the dead leave, and who is alive.
 *
 * A hole is a boundary that is claimed (the tail is past it), where nothing is published. Its
 * claimer stored its intent before it moved the tail, and leaves it there until it claims again,
 * which it does not before it has published. So whoever reads the tail, then all intents, then the
 * stamps, and finds no live producer whose intent is the hole's, knows that its claimer is dead.
 * From there on all is the dead's up to the first that may not be: a published stamp, an intent,
 * or the tail. Each of them is a boundary, since each intent was the tail once. All that holds as
 * long as the tail is within a lap of the hole, as it is until somebody fills it.
 */
#include "many_internal.h"

#include <errno.h>

uint64_t lam_ring_many_no_intent(const struct lam_ring *ring)
{
    return lam_load_acquire(&lam_ring_many_of(ring)->tail) - ring->depth - 1; /* A22 */
}

static int lock_is_held(const struct lam_ring *ring, uint32_t index)
{
    return lam_ring_lock_is_held(ring, LAM_RING_LOCK_MANY + index);
}

int lam_ring_many_is_alive(const struct lam_ring *ring, uint32_t except)
{
    const struct lam_ring_many *many = lam_ring_many_of(ring);
    uint64_t used = lam_load_acquire(&many->used); /* A26 */

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        uint64_t state = lam_load_acquire(&many->entries[index].state); /* A31 */

        if (index != except && lam_ring_many_state_of(state) == LAM_RING_MANY_OPEN &&
            lock_is_held(ring, index))
            return 1;
    }
    return 0;
}

uint32_t lam_ring_many_count(const struct lam_ring *ring, uint32_t *pid)
{
    const struct lam_ring_many *many = lam_ring_many_of(ring);
    uint64_t used = lam_load_acquire(&many->used); /* A26 */
    uint32_t count = 0;

    *pid = 0;
    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        uint64_t state = lam_load_acquire(&many->entries[index].state); /* A31 */

        if (lam_ring_many_state_of(state) != LAM_RING_MANY_OPEN || !lock_is_held(ring, index))
            continue;
        if (count++ == 0)
            *pid = many->entries[index].identity.pid;
    }
    return count;
}

uint32_t lam_ring_many_claimer(const struct lam_ring *ring, uint64_t at)
{
    const struct lam_ring_many *many = lam_ring_many_of(ring);
    uint64_t used = lam_load_acquire(&many->used); /* A26 */

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);

        /* A21, pairs with R21: an intent that has gone on shows the stamp of the claim before. */
        if (lam_load_acquire(&many->entries[index].intent) == at && lock_is_held(ring, index))
            return index;
    }
    return LAM_RING_PRODUCER_COUNT_MAX;
}

static int is_published(const struct lam_ring *ring, uint64_t sequence)
{
    return lam_load_acquire(&lam_ring_head(ring, sequence)->stamp) == sequence; /* A1 */
}

/* The lowest intent above @at, or @end. */
static uint64_t lowest_intent(const struct lam_ring *ring, uint64_t at, uint64_t end)
{
    const struct lam_ring_many *many = lam_ring_many_of(ring);
    uint64_t used = lam_load_acquire(&many->used); /* A26 */

    for (; used != 0; used &= used - 1) {
        uint64_t intent = lam_load_acquire(&many->entries[__builtin_ctzll(used)].intent); /* A21 */

        if ((int64_t)(intent - at) > 0 && (int64_t)(intent - end) < 0)
            end = intent;
    }
    return end;
}

/* Whether the dead left a hole at @at, and how far. */
static int is_dead_hole(const struct lam_ring *ring, uint64_t at, uint64_t *end)
{
    /* A22, pairs with R22: who has claimed below it has its intent stored. */
    uint64_t tail = lam_load_acquire(&lam_ring_many_of(ring)->tail);

    if (tail == at || tail - at > ring->depth)
        return 0;
    LAM_CRASH_POINT("repair.looking");
    *end = lowest_intent(ring, at, tail);
    if (lam_ring_many_claimer(ring, at) != LAM_RING_PRODUCER_COUNT_MAX)
        return 0;
    for (uint64_t sequence = at; sequence != *end; sequence++) {
        if (is_published(ring, sequence)) {
            *end = sequence;
            break;
        }
    }
    /*
     * Once filled, the hole holds nobody: where the ring went on for a lap while we looked, these
     * stamps are those of later claims. Whoever stored one had moved the tail: A1 shows it.
     */
    tail = lam_load_acquire(&lam_ring_many_of(ring)->tail);
    return *end != at && tail - at <= ring->depth;
}

void lam_ring_many_publish_padding(
    const struct lam_ring *ring, uint64_t sequence, uint64_t cell_count)
{
    struct lam_event_header *head = lam_ring_head(ring, sequence);

    lam_store_relaxed(&head->shape, lam_event_padding_shape(cell_count));
    LAM_CRASH_POINT("padding.shape_stored");
    lam_store_release(&head->stamp, sequence); /* R1 */
    LAM_CRASH_POINT("padding.stamp_stored");
}

int lam_ring_repair(const struct lam_ring *ring, uint64_t at)
{
    struct lam_lock lock;
    uint64_t end;
    int rc;

    if (ring->data.access != LAM_ACCESS_WRITE || !is_dead_hole(ring, at, &end))
        return is_published(ring, at);
    LAM_CRASH_POINT("repair.found");
    rc = lam_lock_take(&lock, ring->control.fd, LAM_RING_LOCK_REPAIR);
    if (rc != 0)
        return rc == -EBUSY ? rc : 0;
    LAM_CRASH_POINT("repair.locked");
    /* Again: another one may have filled it, and others have claimed behind it. */
    if (is_dead_hole(ring, at, &end)) {
        lam_ring_many_publish_padding(ring, at, end - at);
        (void)lam_add_acq_rel(&ring->control_head->repairs, 1);
        lam_fence_seq_cst(); /* F1: for those that are about to sleep */
        (void)lam_ring_wake_consumers(ring->control_head);
    }
    LAM_CRASH_POINT("repair.done");
    lam_lock_drop(&lock);
    return is_published(ring, at);
}

void lam_ring_repair_all(const struct lam_ring *ring)
{
    struct lam_ring_view view;

    /* Each round fills one, and a dead producer leaves one. */
    for (uint32_t round = 0; round < 2 * LAM_RING_PRODUCER_COUNT_MAX; round++) {
        if (lam_ring_many_survey(ring, &view) != 0 ||
            !lam_ring_many_has_hole(ring, view.frontier) ||
            lam_ring_repair(ring, view.frontier) != 1)
            return;
    }
}

int lam_ring_many_is_over(const struct lam_ring *ring, uint64_t next)
{
    uint64_t state = lam_load_acquire(&ring->data_head->state); /* A5 */
    /* Before the repair: where nobody lives, it says that somebody else is at it, or fills it. */
    int alive = lam_ring_many_is_alive(ring, UINT32_MAX);
    int hole = lam_ring_many_has_hole(ring, next);

    if (hole && ring->data.access != LAM_ACCESS_WRITE)
        lam_store_relaxed(&ring->control_head->repair_wanted, 1);
    if (hole && lam_ring_repair(ring, next) != 0)
        return 0;
    return !alive && (hole || lam_ring_state_of(state) == LAM_RING_OPEN);
}
