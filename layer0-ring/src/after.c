/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Going after other consumers: an event is ours once all leaders have released it.
 *
 * We load a leader's cursor with acquire (A2; the release is R2, as for the producer): all that it
 * stored before it released is seen by us. The lowest cursor is kept, and looked at again only when
 * it is used up. What a leader's entry says is input: a cursor that goes back, lies inside an event
 * or far from where we are is -EPROTO. One beyond the head is found out when we come there: a
 * leader has seen all stamps below its cursor, so we, who have seen the cursor, must see them, too.
 *
 * A leader that leaves in order has said that it is done: it holds us no longer, or nobody could
 * ever retire. One that dies or is taken out has not: we catch up with what it released and get
 * -EOWNERDEAD, until another one by its name goes on, or we leave. Our own cursor holds the
 * producer meanwhile, so what the dead one had not released is still there for its successor.
 */
#include "after.h"
#include "consumer_wait.h"
#include "settle.h"

#include <errno.h>
#include <string.h>

/* Bring @leader up to what its entry says. */
static void refresh(struct lam_ring_consumer *consumer, struct lam_ring_leader *leader)
{
    const struct lam_ring_entry *entry =
        &consumer->ring->control_head->entries[leader->index % LAM_RING_CONSUMER_COUNT_MAX];
    /* A2, pairs with R2: what the leader did before it released is ours to see. */
    uint64_t cursor = lam_load_acquire(&entry->cursor);
    /*
     * After the cursor: R10, in enter(), is stored when the entry is another's already. A12, pairs
     * with R12, the leave: what it released last may be ours before its cursor says so.
     */
    uint64_t state = lam_load_acquire(&entry->state);

    if (state == leader->state) {
        leader->cursor = cursor;
        return;
    }
    if (state == lam_ring_entry_next(leader->state, LAM_RING_ENTRY_LEFT)) {
        leader->phase = LAM_RING_LEADER_LEFT;
        return;
    }
    if (state == lam_ring_entry_next(leader->state, LAM_RING_ENTRY_DEAD) &&
        (int64_t)(cursor - leader->cursor) > 0)
        leader->cursor = cursor; /* the last that it stored */
    leader->phase = LAM_RING_LEADER_GONE;
}

/* Another one by the name of a leader that is gone: from here on it speaks for it. */
static void find_again(struct lam_ring_consumer *consumer, struct lam_ring_leader *leader)
{
    struct lam_ring_leader found = *leader;
    uint32_t left = 0;

    if (lam_ring_leader_find(consumer, &found, &left) == 1)
        *leader = found;
    else if (left)
        leader->phase = LAM_RING_LEADER_LEFT;
}

/*
 * Whether @cursor can be a leader's, seen from our next event, which ends at @end: at most a lap
 * away, not inside this event, and not before what it was.
 */
static int is_possible(
    const struct lam_ring_consumer *consumer, uint64_t before, uint64_t cursor, uint64_t end)
{
    int64_t ahead = (int64_t)(cursor - consumer->next);
    int64_t depth = (int64_t)consumer->ring->depth;

    return ahead <= depth && ahead >= -depth && (int64_t)(cursor - before) >= 0 &&
           (ahead <= 0 || (int64_t)(cursor - end) >= 0);
}

/* Look at one leader. Returns 1: it is past @end, or holds us no longer; 0; or an error. */
static int look_at(struct lam_ring_consumer *consumer, struct lam_ring_leader *leader, uint64_t end)
{
    uint64_t before = leader->cursor;

    if (leader->phase == LAM_RING_LEADER_THERE)
        refresh(consumer, leader);
    if (leader->phase == LAM_RING_LEADER_GONE && (int64_t)(leader->cursor - end) < 0) {
        find_again(consumer, leader);
        before = leader->cursor;
    }
    if (leader->phase == LAM_RING_LEADER_LEFT)
        return 1;
    if (!is_possible(consumer, before, leader->cursor, end)) {
        leader->cursor = before;
        return -EPROTO;
    }
    if ((int64_t)(leader->cursor - end) >= 0)
        return 1;
    return leader->phase == LAM_RING_LEADER_GONE ? -EOWNERDEAD : 0;
}

int lam_ring_after_scan(struct lam_ring_consumer *consumer, uint64_t end)
{
    uint64_t bound = consumer->next + consumer->ring->depth;
    uint32_t left_count = 0;
    int verdict = 1;

    for (uint32_t i = 0; i < consumer->leader_count; i++) {
        struct lam_ring_leader *leader = &consumer->leaders[i];
        int rc = look_at(consumer, leader, end);

        if (rc < 1 && (verdict == 1 || rc < verdict))
            verdict = rc;
        left_count += leader->phase == LAM_RING_LEADER_LEFT;
        if (leader->phase != LAM_RING_LEADER_LEFT && (int64_t)(leader->cursor - bound) < 0)
            bound = leader->cursor;
    }
    if (verdict != 1)
        return verdict;
    consumer->after_bound = bound;
    if (left_count == consumer->leader_count) {
        consumer->guards &= (uint16_t)~LAM_RING_GUARD_AFTER; /* a plain consumer from now on */
        consumer->release_guards &= (uint16_t)~LAM_RING_GUARD_AFTER;
    }
    return 1;
}

/* Where the next event ends, which is published. Returns 0: its length cannot be. */
static int find_end(const struct lam_ring_consumer *consumer, uint64_t *end)
{
    uint64_t shape = lam_load_relaxed(&lam_ring_consumer_cell(consumer, consumer->next)->shape);
    uint64_t cell_count = ((uint32_t)shape + consumer->round_up) >> consumer->cell_shift;

    *end = consumer->next + cell_count;
    return cell_count <= consumer->event_cells_max;
}

int lam_ring_after_is_ready(struct lam_ring_consumer *consumer)
{
    uint64_t end;

    if (!lam_ring_consumer_is_there(consumer))
        return lam_ring_after_is_impossible(consumer);
    if (!find_end(consumer, &end) || (int64_t)(consumer->after_bound - end) >= 0)
        return 1;
    return lam_ring_after_scan(consumer, end) != 0;
}

void lam_ring_after_probe(struct lam_ring_consumer *consumer)
{
    const struct lam_ring *ring = consumer->ring;

    for (uint32_t i = 0; i < consumer->leader_count; i++) {
        struct lam_ring_leader *leader = &consumer->leaders[i];

        if (leader->phase != LAM_RING_LEADER_THERE || lam_ring_entry_is_alive(ring, leader->index))
            continue;
        /* Its lock is free: what it stored is all there. If it has left, its state says so. */
        refresh(consumer, leader);
        if (leader->phase == LAM_RING_LEADER_THERE)
            leader->phase = LAM_RING_LEADER_GONE;
    }
}

int lam_ring_consumer_leader(
    struct lam_ring_consumer *consumer, char name[LAM_RING_CONSUMER_NAME_MAX + 1])
{
    uint64_t end;

    if ((consumer->guards & LAM_RING_GUARD_AFTER) == 0 || !lam_ring_consumer_is_there(consumer) ||
        !find_end(consumer, &end))
        return 0;
    for (uint32_t i = 0; i < consumer->leader_count; i++)
        if (look_at(consumer, &consumer->leaders[i], end) != 1) {
            memcpy(name, consumer->leaders[i].name, LAM_RING_CONSUMER_NAME_MAX + 1);
            return 1;
        }
    return 0;
}
