/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups come and go with their members, and what the dead held is handed on.
 *
 * One lock for all groups is held by whoever joins or leaves one, or gives one up: so a group is
 * never given up under a joiner. A joiner gates as a plain consumer until the group, or its
 * membership, is there: at no moment does nobody hold what the group is to see.
 *
 * A dead member's entry keeps what it held, and holds the producer, until another member takes its
 * lock: to own an entry is to hold its lock. If that one dies, too, the next one goes on.
 */
#include "group_table.h"
#include "lamina/base/crash_point.h"
#include "names.h"
#include "settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOCK_NAPS_MAX 1000 /* of a millisecond */

static struct lam_ring_group *group_at(const struct lam_ring *ring, uint32_t group)
{
    return &ring->control_head->groups[group];
}

int lam_ring_group_lock(const struct lam_ring *ring, struct lam_lock *lock)
{
    int rc = lam_lock_take(lock, ring->control.fd, LAM_RING_LOCK_GROUPS);

    for (unsigned naps = 0; rc == -EBUSY && naps < LOCK_NAPS_MAX; naps++) {
        lam_ring_nap();
        rc = lam_lock_take(lock, ring->control.fd, LAM_RING_LOCK_GROUPS);
    }
    return rc;
}

static int is_open(const struct lam_ring_group *group)
{
    /* A29 */
    return lam_ring_group_state_of(lam_load_acquire(&group->state)) == LAM_RING_GROUP_OPEN;
}

static int is_member(const struct lam_ring *ring, uint32_t index, uint32_t group)
{
    const struct lam_ring_entry *entry = &ring->control_head->entries[index];
    uint64_t state = lam_load_acquire(&entry->state); /* A4 */

    return lam_ring_entry_state_of(state) == LAM_RING_ENTRY_MEMBER &&
           lam_ring_group_of(entry) == group;
}

static int has_members(const struct lam_ring *ring, uint32_t group)
{
    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++)
        if (is_member(ring, index, group) && lam_ring_entry_is_alive(ring, index))
            return 1;
    return 0;
}

/* The group ends, and what its dead members held with it. The lock of all groups is ours. */
static uint32_t give_up(const struct lam_ring *ring, uint32_t group)
{
    uint64_t state = lam_load_acquire(&group_at(ring, group)->state); /* A29 */
    uint32_t count = 0;

    /* R29 */
    if (lam_ring_group_state_of(state) == LAM_RING_GROUP_OPEN)
        (void)lam_cas_acq_rel(
            &group_at(ring, group)->state, &state, lam_ring_group_next(state, LAM_RING_GROUP_FREE));
    LAM_CRASH_POINT("group.closed");
    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++) {
        struct lam_ring_entry *entry = &ring->control_head->entries[index];
        uint64_t word = lam_load_acquire(&entry->state); /* A4 */

        if (is_member(ring, index, group) && !lam_ring_entry_is_alive(ring, index) &&
            /* R4 */
            lam_cas_acq_rel(&entry->state, &word, lam_ring_entry_next(word, LAM_RING_ENTRY_FREE)))
            count++;
    }
    return count;
}

uint32_t lam_ring_group_reap(const struct lam_ring *ring, uint32_t index)
{
    uint32_t group = index >= LAM_RING_BLOCKER_GROUP
                         ? index - LAM_RING_BLOCKER_GROUP
                         : lam_ring_group_of(&ring->control_head->entries[index]);
    struct lam_lock lock = {.fd = -1};
    uint32_t count = 0;

    if (has_members(ring, group) ||
        lam_lock_take(&lock, ring->control.fd, LAM_RING_LOCK_GROUPS) != 0)
        return 0;
    if (!has_members(ring, group)) {
        count = give_up(ring, group);
        count += count == 0; /* the group itself, whose only joiner died before it was a member */
    }
    lam_lock_drop(&lock);
    return count;
}

/* The group of that name, or a free place for it. Returns 1, 0 a place, or -EUSERS. */
static int find_group(const struct lam_ring *ring, const char *name, uint32_t *found)
{
    int rc = -EUSERS;

    for (uint32_t i = 0; i < LAM_RING_GROUP_COUNT_MAX; i++) {
        const struct lam_ring_group *group = group_at(ring, i);

        if (!is_open(group)) {
            if (rc == -EUSERS)
                *found = i;
            rc = 0;
        } else if (strncmp(group->name, name, sizeof(group->name)) == 0) {
            *found = i;
            return 1;
        }
    }
    return rc;
}

/* Begin at the place that we gate as a plain consumer. */
static void open_group(struct lam_ring_member *member, const char *name)
{
    const struct lam_ring *ring = member->consumer.ring;
    struct lam_ring_group *group = group_at(ring, member->group);
    uint64_t state = lam_load_acquire(&group->state); /* A29 */

    memset(group->name, 0, sizeof(group->name));
    (void)snprintf(group->name, sizeof(group->name), "%s", name);
    LAM_CRASH_POINT("group.named");
    lam_store_relaxed(&group->claim,
        lam_ring_claim_word(member->base, member->consumer.next, member->consumer.index));
    (void)lam_or_seq_cst(&ring->control_head->groups_used, UINT64_C(1) << member->group); /* R26 */
    /* Others change it only with the lock that we hold, or to take out an open one. */
    lam_store_release(&group->state, lam_ring_group_next(state, LAM_RING_GROUP_OPEN)); /* R29 */
}

int lam_ring_group_enter(struct lam_ring_member *member,
    const struct lam_ring_member_options *options, struct lam_error *error)
{
    struct lam_ring_consumer *consumer = &member->consumer;
    const struct lam_ring *ring = consumer->ring;
    struct lam_ring_entry *entry = &ring->control_head->entries[consumer->index];
    uint64_t state = consumer->entry_state;
    uint64_t claim;
    int rc = find_group(ring, options->group, &member->group);

    if (rc < 0)
        return lam_error_set(error, rc, "ring %s: has %d groups already, none of them %s",
            ring->name, LAM_RING_GROUP_COUNT_MAX, options->group);
    if (rc == 0)
        open_group(member, options->group);
    LAM_CRASH_POINT("group.opened");
    member->group_state = lam_load_acquire(&group_at(ring, member->group)->state); /* A29 */
    claim = lam_load_acquire(&group_at(ring, member->group)->claim);               /* A13 */
    lam_store_relaxed(&entry->group, member->group);
    lam_store_relaxed(&entry->holds, 0);
    lam_store_relaxed(&entry->hold_end, lam_ring_claim_sequence(member->base, claim));
    lam_store_relaxed(&entry->confirmed, lam_ring_claim_sequence(member->base, claim));
    /* R14, pairs with A14 in the scan: who sees a member sees its group. */
    if (!lam_cas_acq_rel(&entry->state, &state, lam_ring_entry_next(state, LAM_RING_ENTRY_MEMBER)))
        return lam_error_set(
            error, -ESTALE, "ring %s: was taken out of the table while joining", ring->name);
    LAM_CRASH_POINT("group.entered");
    consumer->entry_state = lam_ring_entry_next(consumer->entry_state, LAM_RING_ENTRY_MEMBER);
    consumer->guards |= LAM_RING_GUARD_GROUP;
    return 0;
}

void lam_ring_group_leave(struct lam_ring_member *member, int is_locked)
{
    struct lam_ring_consumer *consumer = &member->consumer;
    struct lam_ring_entry *entry = &consumer->ring->control_head->entries[consumer->index];
    uint64_t state = consumer->entry_state;

    /* What is taken and not released stays in our entry, as if we had died. */
    if (lam_load_relaxed(&entry->holds) == 0) /* R4 */
        (void)lam_cas_acq_rel(
            &entry->state, &state, lam_ring_entry_next(state, LAM_RING_ENTRY_FREE));
    LAM_CRASH_POINT("group.left");
    lam_lock_drop(&member->heir);
    lam_lock_drop(&consumer->lock);
    if (is_locked && !has_members(consumer->ring, member->group))
        (void)give_up(consumer->ring, member->group);
}

/* The lock of entry @index is ours now. Returns 1 if it holds events, which are ours, too. */
static int take_over(struct lam_ring_member *member, uint32_t index)
{
    const struct lam_ring *ring = member->consumer.ring;
    struct lam_ring_entry *entry = &ring->control_head->entries[index];
    uint64_t state = lam_load_acquire(&entry->state); /* A4 */
    uint64_t from = lam_load_acquire(&entry->cursor); /* A2 */
    uint64_t end = lam_load_relaxed(&entry->hold_end);
    /* A13, pairs with R13: whoever moved the claim on confirmed the one before. So it is first. */
    uint64_t word = lam_load_acquire(&group_at(ring, member->group)->claim);
    int had = word == lam_ring_claim_word(member->base, end, index) ||
              (int64_t)(lam_load_acquire(&entry->confirmed) - end) >= 0;

    if (!is_member(ring, index, member->group) || lam_load_acquire(&entry->holds) == 0) /* A30 */
        return 0;
    if (had && end != from && end - from <= ring->depth) {
        memset(entry->name, 0, sizeof(entry->name)); /* whoever comes again by it finds it free */
        LAM_CRASH_POINT("group.taken_over");
        member->held = index;
        member->at = member->released = from;
        member->end = end;
        return 1;
    }
    /* It had announced what it did not get; or it says what cannot be. */
    lam_store_release(&entry->holds, 0); /* R30 */
    /* R4 */
    (void)lam_cas_acq_rel(&entry->state, &state, lam_ring_entry_next(state, LAM_RING_ENTRY_FREE));
    return 0;
}

int lam_ring_group_adopt(struct lam_ring_member *member)
{
    const struct lam_ring *ring = member->consumer.ring;
    uint64_t used = lam_load_acquire(&ring->control_head->used); /* A26 */

    for (; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);

        if (index == member->consumer.index || !is_member(ring, index, member->group) ||
            lam_ring_entry_is_alive(ring, index) ||
            lam_lock_take(&member->heir, ring->control.fd, LAM_RING_LOCK_CONSUMER + index) != 0)
            continue;
        LAM_CRASH_POINT("group.heir_locked");
        if (take_over(member, index))
            return 1;
        lam_lock_drop(&member->heir);
    }
    return 0;
}

int lam_ring_group_others_hold(const struct lam_ring_member *member)
{
    const struct lam_ring *ring = member->consumer.ring;

    for (uint32_t index = 0; index < LAM_RING_CONSUMER_COUNT_MAX; index++)
        if (index != member->consumer.index && is_member(ring, index, member->group) &&
            lam_load_acquire(&ring->control_head->entries[index].holds) != 0) /* A30 */
            return 1;
    return 0;
}
