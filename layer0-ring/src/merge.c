/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/ring/merge.h"
#include "consumer_wait.h"
#include "lamina/ring/timestamp.h"
#include "lamina/ring/wait_any.h"
#include "settle.h"

#include <errno.h>
#include <string.h>

LAM_STATIC_ASSERT(LAM_RING_MERGE_COUNT_MAX <= LAM_RING_WAIT_ANY_MAX, "one wait takes all members");

static uint64_t bit_of(uint32_t index)
{
    return UINT64_C(1) << index;
}

/* The member behind @index, in turn; @index itself if there is no other. There is one. */
static uint32_t next_of(uint64_t used, uint32_t index)
{
    uint64_t behind = index >= 63 ? 0 : used & ~(bit_of(index + 1) - 1);

    return (uint32_t)__builtin_ctzll(behind != 0 ? behind : used);
}

void lam_ring_merge_init(struct lam_ring_merge *merge, const struct lam_ring_merge_options *options)
{
    memset(merge, 0, sizeof(*merge));
    if (options != NULL)
        merge->options = *options;
    if (merge->options.batch == 0)
        merge->options.batch = LAM_RING_MERGE_BATCH_DEFAULT;
    if (merge->options.lag_ns == 0)
        merge->options.lag_ns = LAM_RING_MERGE_LAG_NS;
}

int lam_ring_merge_add(
    struct lam_ring_merge *merge, struct lam_ring_consumer *consumer, uint32_t *index)
{
    if (consumer->policy == LAM_RING_LOSSY)
        return -EINVAL;
    /* Twice, and what is looked at ahead by one would be passed over by the other. */
    for (uint64_t used = merge->members_used; used != 0; used &= used - 1)
        if (merge->members[__builtin_ctzll(used)].consumer == consumer)
            return -EEXIST;
    if (merge->members_used == UINT64_MAX)
        return -EUSERS;
    *index = (uint32_t)__builtin_ctzll(~merge->members_used);
    merge->members[*index] = (struct lam_ring_merge_member){.consumer = consumer};
    merge->members_used |= bit_of(*index);
    return 0;
}

/* Give back what was looked at ahead: it is the consumer's next event again. */
static void unpeek(struct lam_ring_merge_member *member)
{
    if (!member->has_ahead)
        return;
    member->has_ahead = 0;
    member->consumer->next = member->ahead.sequence;
    member->consumer->ordinal--;
}

static int release_member(struct lam_ring_merge *merge, uint32_t index)
{
    struct lam_ring_merge_member *member = &merge->members[index];

    merge->members_held &= ~bit_of(index);
    return lam_ring_consumer_release_to(member->consumer, member->given_end);
}

int lam_ring_merge_remove(struct lam_ring_merge *merge, uint32_t index)
{
    if (index >= LAM_RING_MERGE_COUNT_MAX || (merge->members_used & bit_of(index)) == 0)
        return -EINVAL;
    unpeek(&merge->members[index]);
    merge->members_used &= ~bit_of(index);
    return (merge->members_held & bit_of(index)) != 0 ? release_member(merge, index) : 0;
}

int lam_ring_merge_release(struct lam_ring_merge *merge)
{
    int rc = 0;

    for (uint64_t held = merge->members_held; held != 0; held &= held - 1)
        if (release_member(merge, (uint32_t)__builtin_ctzll(held)) != 0)
            rc = -ESTALE;
    return rc;
}

static void give(struct lam_ring_merge *merge, uint32_t index, const struct lam_event *event)
{
    merge->members[index].given_end = event->end;
    merge->members_held |= bit_of(index);
}

/* The next event of one member. Returns 1, 0, or its end, if that was not told yet. */
static int peek_member(struct lam_ring_merge_member *member, struct lam_event *event)
{
    int rc;

    if (member->end != 0 && !lam_ring_consumer_is_ready(member->consumer))
        return 0;
    rc = lam_ring_consumer_try_peek(member->consumer, event);
    if (rc == 1)
        member->end = 0;
    if (rc >= 0 || rc == member->end)
        return rc == 1;
    member->end = rc;
    return rc;
}

static int all_have_ended(const struct lam_ring_merge *merge)
{
    for (uint64_t used = merge->members_used; used != 0; used &= used - 1)
        if (merge->members[__builtin_ctzll(used)].end == 0)
            return 0;
    return 1;
}

static int peek_fair(struct lam_ring_merge *merge, struct lam_event *event, uint32_t *index)
{
    /* Once round, and the one whose turn it is again: it may have had its batch. */
    for (int left = __builtin_popcountll(merge->members_used) + 1; left > 0; left--) {
        uint32_t turn = merge->turn;

        if ((merge->members_used & bit_of(turn)) != 0 && merge->served < merge->options.batch) {
            int rc = peek_member(&merge->members[turn], event);

            *index = turn;
            if (rc == 1) {
                merge->served++;
                give(merge, turn, event);
            }
            if (rc != 0)
                return rc;
        }
        merge->turn = next_of(merge->members_used, turn);
        merge->served = 0;
    }
    return 0;
}

/* The time that an event counts as of. What the producer says is not believed beyond now. */
static uint64_t time_of(
    struct lam_ring_merge_member *member, const struct lam_event *event, uint64_t now_ns)
{
    uint64_t at_ns;

    if (lam_event_timestamp(event, &at_ns) == 1)
        member->last_ns = at_ns < now_ns ? at_ns : now_ns;
    return member->last_ns;
}

/*
 * Look ahead in all. Returns 0: *@earliest is who has the earliest event, LAM_RING_MERGE_ALL
 * nobody, and *@empty counts those that have none and may yet get one; or the end of one,
 * *@earliest.
 */
static int look_ahead(
    struct lam_ring_merge *merge, uint64_t now_ns, uint32_t *earliest, uint32_t *empty)
{
    uint32_t found = LAM_RING_MERGE_ALL;

    *empty = 0;
    for (uint64_t used = merge->members_used; used != 0; used &= used - 1) {
        uint32_t index = (uint32_t)__builtin_ctzll(used);
        struct lam_ring_merge_member *member = &merge->members[index];

        if (!member->has_ahead) {
            int rc = peek_member(member, &member->ahead);

            if (rc < 0) {
                *earliest = index;
                return rc;
            }
            *empty += rc == 0 && member->end == 0;
            if (rc == 0)
                continue;
            member->has_ahead = 1;
            member->ahead_ns = time_of(member, &member->ahead, now_ns);
        }
        if (found == LAM_RING_MERGE_ALL || member->ahead_ns < merge->members[found].ahead_ns)
            found = index;
    }
    *earliest = found;
    return 0;
}

static int peek_by_time(struct lam_ring_merge *merge, struct lam_event *event, uint32_t *index)
{
    uint64_t now_ns = lam_clock_now_ns();
    struct lam_ring_merge_member *member;
    uint32_t empty;
    int rc = look_ahead(merge, now_ns, index, &empty);

    merge->due_ns = 0;
    if (rc != 0 || *index == LAM_RING_MERGE_ALL)
        return rc;
    member = &merge->members[*index];
    if (empty != 0 && now_ns - member->ahead_ns < merge->options.lag_ns) {
        merge->due_ns = member->ahead_ns + merge->options.lag_ns;
        return 0;
    }
    if (lam_ring_consumer_is_evicted(member->consumer)) {
        unpeek(member); /* it may have been overwritten since */
        member->end = -ESTALE;
        return -ESTALE;
    }
    *event = member->ahead;
    member->has_ahead = 0;
    give(merge, *index, event);
    if (member->ahead_ns < merge->last_ns)
        merge->late++;
    else
        merge->last_ns = member->ahead_ns;
    return 1;
}

int lam_ring_merge_try_peek(struct lam_ring_merge *merge, struct lam_event *event, uint32_t *index)
{
    int rc = 0;

    if (merge->members_used != 0)
        rc = merge->options.order == LAM_RING_MERGE_BY_TIME ? peek_by_time(merge, event, index)
                                                            : peek_fair(merge, event, index);
    if (rc != 0 || merge->due_ns != 0 || !all_have_ended(merge))
        return rc;
    *index = LAM_RING_MERGE_ALL;
    return -EPIPE;
}

/* Wait for those that have nothing; no longer than one that has ended may stay unseen. */
static int wait_members(struct lam_ring_merge *merge, uint64_t deadline_ns)
{
    struct lam_ring_consumer *waiting[LAM_RING_MERGE_COUNT_MAX];
    uint32_t index = UINT32_MAX;
    uint32_t count = 0;
    int ended = 0;

    for (uint64_t used = merge->members_used; used != 0; used &= used - 1) {
        struct lam_ring_merge_member *member = &merge->members[__builtin_ctzll(used)];

        if (member->end != 0)
            ended = 1;
        else if (!member->has_ahead)
            waiting[count++] = member->consumer;
    }
    if (merge->due_ns != 0 && merge->due_ns < deadline_ns)
        deadline_ns = merge->due_ns;
    if (ended) {
        uint64_t look_ns = lam_deadline_after_ns(LAM_WAIT_CHECK_NS);

        deadline_ns = look_ns < deadline_ns ? look_ns : deadline_ns;
    }
    /* The end of one is found again by the look that follows, and told by that. */
    return count == 0 ? 0 : lam_ring_wait_any_until(waiting, count, deadline_ns, &index);
}

int lam_ring_merge_peek_until(
    struct lam_ring_merge *merge, uint64_t deadline_ns, struct lam_event *event, uint32_t *index)
{
    int rc = lam_ring_merge_try_peek(merge, event, index);

    while (rc == 0) {
        (void)wait_members(merge, deadline_ns);
        rc = lam_ring_merge_try_peek(merge, event, index);
        /* Whatever the wait came to: what it saw may be gone, or a lie, again and again. */
        if (rc == 0 && lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
    return rc < 0 ? rc : 0;
}
