/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_GROUP_TABLE_H
#define LAM_RING_GROUP_TABLE_H

/*
 * Groups in control: shared by the ring's own files alone. group.c says how it works.
 */

#include "lamina/ring/group.h"
#include "layout.h"

/* A claim word: how far the group's members have taken events, and who took last. */
static inline uint64_t lam_ring_claim_word(uint64_t base, uint64_t sequence, uint32_t index)
{
    return (sequence - base) << 6 | index;
}

static inline uint64_t lam_ring_claim_sequence(uint64_t base, uint64_t word)
{
    return base + (word >> 6);
}

/* Which group an entry is a member of; what it says is input. */
static inline uint32_t lam_ring_group_of(const struct lam_ring_entry *entry)
{
    return (uint32_t)lam_load_relaxed(&entry->group) % LAM_RING_GROUP_COUNT_MAX;
}

/* Blockers from here on are groups. */
#define LAM_RING_BLOCKER_GROUP LAM_RING_CONSUMER_COUNT_MAX

/*
 * Whether a dead owner's entry, whose lock we hold, must be left to its group: it holds events.
 */
static inline int lam_ring_entry_is_orphan(const struct lam_ring_entry *entry, uint64_t state)
{
    return lam_ring_entry_state_of(state) == LAM_RING_ENTRY_MEMBER &&
           lam_load_acquire(&entry->holds) != 0; /* A30 */
}

/* Take the lock of all groups. Returns 0, -EBUSY after a second, or -errno. */
int lam_ring_group_lock(const struct lam_ring *ring, struct lam_lock *lock);

/*
 * The producer's: @index, an entry or LAM_RING_BLOCKER_GROUP and a group, holds it back. Give the
 * group up if all its members are dead. Returns how many were found dead, 0 for none.
 */
uint32_t lam_ring_group_reap(const struct lam_ring *ring, uint32_t index);

/* Join and leave, with the lock of all groups held. */
int lam_ring_group_enter(struct lam_ring_member *member,
    const struct lam_ring_member_options *options, struct lam_error *error);
void lam_ring_group_leave(struct lam_ring_member *member, int is_locked);

/* Look for what dead members hold, and take it over. Returns 1: the member has something now. */
int lam_ring_group_adopt(struct lam_ring_member *member);

/* Whether another member of the group holds something. */
int lam_ring_group_others_hold(const struct lam_ring_member *member);

/* For waits: look at the group's claim, and whether there is an event for us. */
int lam_ring_group_is_ready(struct lam_ring_consumer *consumer);

#endif
