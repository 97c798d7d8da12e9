/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the producer sees of groups. Rings without groups do not come here.
 */
#include "group_table.h"
#include "producer_internal.h"

#include <string.h>

static void lower(const struct lam_ring_producer *producer, struct lam_ring_bound *bound,
    struct lam_ring_bound seen)
{
    if (bound->index == UINT32_MAX ||
        producer->next - seen.sequence > producer->next - bound->sequence)
        *bound = seen;
}

static int is_impossible(const struct lam_ring_producer *producer, uint64_t sequence)
{
    return (int64_t)(producer->next - sequence) < 0;
}

void lam_ring_group_expel(const struct lam_ring_producer *producer, struct lam_ring_bound who)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint64_t seen = who.state;

    if (who.index < LAM_RING_BLOCKER_GROUP
            ? lam_cas_acq_rel(&control->entries[who.index].state, &seen, /* R4 */
                  lam_ring_entry_next(seen, LAM_RING_ENTRY_EXPELLED))
            /* R29 */
            : lam_cas_acq_rel(&control->groups[who.index - LAM_RING_BLOCKER_GROUP].state, &seen,
                  lam_ring_group_next(seen, LAM_RING_GROUP_EXPELLED)))
        lam_ring_count(&control->expelled);
}

static void scan_claims(const struct lam_ring_producer *producer, struct lam_ring_bound *bound)
{
    const struct lam_ring *ring = producer->ring;

    for (uint32_t i = 0; i < LAM_RING_GROUP_COUNT_MAX; i++) {
        const struct lam_ring_group *group = &ring->control_head->groups[i];
        struct lam_ring_bound seen = {/* A29 */
            .index = LAM_RING_BLOCKER_GROUP + i,
            .state = lam_load_acquire(&group->state)};

        if (lam_ring_group_state_of(seen.state) != LAM_RING_GROUP_OPEN)
            continue;
        /* A13, pairs with R13 in group.c: who moved the claim holds what lies below it. */
        seen.sequence = lam_ring_claim_sequence(
            ring->data_head->first_sequence, lam_load_acquire(&group->claim));
        if (is_impossible(producer, seen.sequence))
            lam_ring_group_expel(producer, seen);
        else
            lower(producer, bound, seen);
    }
}

static void scan_holds(const struct lam_ring_producer *producer, struct lam_ring_bound *bound)
{
    struct lam_ring_control *control = producer->ring->control_head;
    uint64_t used = lam_load_acquire(&control->used); /* A26 */

    for (; used != 0; used &= used - 1) {
        struct lam_ring_bound seen = {.index = (uint32_t)__builtin_ctzll(used)};
        const struct lam_ring_entry *entry = &control->entries[seen.index];

        seen.state = lam_load_acquire(&entry->state); /* A14, pairs with R14 */
        /* A2, pairs with R2 in group.c, for both words: it is done with what lies below. */
        if (lam_ring_entry_state_of(seen.state) != LAM_RING_ENTRY_MEMBER ||
            lam_load_acquire(&entry->holds) == 0)
            continue;
        seen.sequence = lam_load_acquire(&entry->cursor);
        if (is_impossible(producer, seen.sequence))
            lam_ring_group_expel(producer, seen);
        else
            lower(producer, bound, seen);
    }
}

void lam_ring_group_scan(const struct lam_ring_producer *producer, struct lam_ring_bound *bound)
{
    /*
     * Claims first. Events that a claim has passed are held by a member, which said so before it
     * moved the claim (R13): its hold is seen now, or it has released them.
     */
    scan_claims(producer, bound);
    lam_fence_seq_cst(); /* F9, pairs with F8 in announce(): also who only looks is not passed */
    scan_holds(producer, bound);
}

void lam_ring_group_name(
    const struct lam_ring_producer *producer, uint32_t index, struct lam_ring_blocker *blocker)
{
    const struct lam_ring_control *control = producer->ring->control_head;

    if (index < LAM_RING_BLOCKER_GROUP) {
        memcpy(blocker->name, control->entries[index].name, LAM_RING_CONSUMER_NAME_MAX);
        blocker->pid = control->entries[index].identity.pid;
    } else {
        memcpy(blocker->name,
            control->groups[(index - LAM_RING_BLOCKER_GROUP) % LAM_RING_GROUP_COUNT_MAX].name,
            LAM_RING_CONSUMER_NAME_MAX);
    }
}
