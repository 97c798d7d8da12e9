/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member takes events, lends them, and releases them.
 *
 * A group has one word, its claim: members move it over the next events by compare-and-swap, and
 * whose swap succeeds has them. While it has them its own entry says so: holds, and the cursor
 * below which it has released all. Toward the producer the group's bound is the lowest of the
 * claim and the cursors of members that hold.
 *
 * Nothing that a member reads is overwritten. It announces its hold at the claim's place, fences
 * (F8) and loads the claim again; the producer loads the claim, fences (F9) and then loads the
 * holds. If the member finds the claim unchanged, then whenever the producer sees the claim past
 * that place it sees the hold, too: else the member's look at the claim would come before the swap
 * that the producer has seen, and the producer's look at the hold before the announcement, and the
 * two fences forbid both at once. So all from there on stays as it is, and the member may look at
 * events that it does not have yet. A hold that was announced and did not become one lies at or
 * below some claim of that moment: it may keep the producer waiting for an instant, and protects
 * nothing.
 *
 * The claim says who moved it last, and whoever moves it next first confirms the one before in
 * that one's entry. So of a dead member it is always known whether it had what it announced:
 * events that it had are handed on, and no others.
 */
#include "lamina/ring/group.h"
#include "consumer_wait.h"
#include "group_table.h"
#include "lamina/base/crash_point.h"
#include "settle.h"

#include <errno.h>
#include <string.h>

/* A claim that changes at each of so many looks is no group's. */
#define TRIES_MAX 10000

/* How seldom a busy member sees whether the others live, in takes; an idle one, in looks. */
#define BUSY_STREAK 255
#define IDLE_STREAK 63

static struct lam_ring_entry *entry_at(const struct lam_ring_member *member, uint32_t index)
{
    return &member->consumer.ring->control_head->entries[index];
}

static lam_atomic_u64 *claim_of(const struct lam_ring_member *member)
{
    return &member->consumer.ring->control_head->groups[member->group].claim;
}

/* After a bound may have risen: who sleeps on this entry, or on the group. */
static void wake(struct lam_ring_member *member, uint32_t index)
{
    struct lam_ring_consumer *consumer = &member->consumer;
    uint32_t blocked_on;

    if (!consumer->producer_may_sleep)
        return;
    lam_fence_seq_cst(); /* F3: see lam_ring_consumer_release_to() */
    blocked_on = lam_load_relaxed(consumer->blocked_on);
    if (blocked_on == index + 1 || blocked_on == LAM_RING_BLOCKER_GROUP + member->group + 1)
        lam_ring_consumer_wake_producer(consumer);
}

static void announce(struct lam_ring_member *member, uint64_t at)
{
    struct lam_ring_entry *entry = entry_at(member, member->consumer.index);

    lam_store_release(&entry->cursor, at); /* R30 */
    lam_store_release(&entry->holds, 1);
    lam_fence_seq_cst(); /* F8, pairs with F9 in lam_ring_group_scan() */
    LAM_CRASH_POINT("group.announced");
}

static void withdraw(struct lam_ring_member *member)
{
    /* R2, pairs with A2 in the scan: we look at nothing there any longer. */
    lam_store_release(&entry_at(member, member->consumer.index)->holds, 0);
    wake(member, member->consumer.index);
}

/*
 * The end of up to events_max published events from @at on, which nobody overwrites. Returns 1, 0:
 * there is none; or poisoned.
 */
static int measure(struct lam_ring_member *member, uint64_t at, uint64_t *end)
{
    struct lam_ring_place place = {.sequence = at};
    int rc = 1;

    while (rc == 1 && place.ordinal < member->events_max)
        rc = lam_ring_walk_one(member->consumer.ring, &place);
    *end = place.sequence;
    if (rc < 0 && place.ordinal == 0)
        return lam_ring_consumer_poison(&member->consumer);
    return place.ordinal != 0;
}

/* The member that moved the claim to @at has what it announced: say so for it. */
static void confirm(struct lam_ring_member *member, uint32_t index, uint64_t at)
{
    lam_atomic_u64 *confirmed = &entry_at(member, index)->confirmed;
    uint64_t seen = lam_load_relaxed(confirmed);

    /* Up only: we may be late, and it has gone on. R13: our swap of the claim carries it. */
    while ((int64_t)(at - seen) > 0 && !lam_cas_acq_rel(confirmed, &seen, at))
        ;
}

static void take(struct lam_ring_member *member, uint64_t at, uint64_t end)
{
    lam_store_relaxed(&entry_at(member, member->consumer.index)->confirmed, end);
    member->held = member->consumer.index;
    member->at = member->released = at;
    member->end = end;
}

/*
 * Move the claim over the next events. Returns 1, 0 there are none, or poisoned; consumer.next is
 * where the group stands.
 */
static int claim(struct lam_ring_member *member)
{
    struct lam_ring_consumer *consumer = &member->consumer;
    uint64_t word = lam_load_acquire(claim_of(member)); /* A13, pairs with R13 */
    int announced = 0;
    int rc = 0;

    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        uint64_t at = lam_ring_claim_sequence(member->base, word);
        uint64_t seen = word;
        uint64_t end;

        consumer->next = at;
        if (!lam_ring_consumer_is_there(consumer))
            break; /* a hint: others may have taken it, and the cell may be another event's */
        announce(member, at);
        announced = 1;
        word = lam_load_acquire(claim_of(member)); /* A13 */
        if (word != seen)
            continue;
        rc = measure(member, at, &end);
        if (rc != 1)
            break;
        lam_store_relaxed(&entry_at(member, consumer->index)->hold_end, end);
        LAM_CRASH_POINT("group.end_stored");
        confirm(member, (uint32_t)(word & 63), at);
        LAM_CRASH_POINT("group.confirmed");
        /* R13: the hold, its end, and who had the events before. */
        if (lam_cas_acq_rel(
                claim_of(member), &word, lam_ring_claim_word(member->base, end, consumer->index))) {
            LAM_CRASH_POINT("group.claimed");
            take(member, at, end);
            return 1;
        }
        rc = 0;
    }
    if (announced)
        withdraw(member);
    return rc;
}

/* What a dead member had is all finished: its entry is free. */
static void bury(struct lam_ring_member *member)
{
    struct lam_ring_entry *entry = entry_at(member, member->held);
    uint64_t state = lam_load_acquire(&entry->state); /* A4 */

    /* R4 */
    (void)lam_cas_acq_rel(&entry->state, &state, lam_ring_entry_next(state, LAM_RING_ENTRY_FREE));
    lam_lock_drop(&member->heir);
}

static void release_to(struct lam_ring_member *member, uint64_t end)
{
    uint32_t held = member->held;
    struct lam_ring_entry *entry = entry_at(member, held);

    member->released = end;
    /* R2, pairs with A2: we have finished loading from every cell below. */
    if (end != member->end) {
        lam_store_release(&entry->cursor, end);
        LAM_CRASH_POINT("group.part_released");
    } else {
        lam_store_release(&entry->holds, 0); /* R30 */
        LAM_CRASH_POINT("group.released");
        if (held != member->consumer.index)
            bury(member);
    }
    wake(member, held);
}

void lam_ring_member_release(struct lam_ring_member *member)
{
    if (member->released != member->at)
        release_to(member, member->at);
}

/* Lend the next of the events taken. */
static int lend(struct lam_ring_member *member, struct lam_event *event)
{
    struct lam_ring_consumer *consumer = &member->consumer;
    const struct lam_event_header *header = lam_ring_consumer_cell(consumer, member->at);
    uint64_t stamp = lam_load_acquire(&header->stamp); /* A1 */
    uint64_t shape = lam_load_relaxed(&header->shape);
    uint64_t end = member->at + (((uint32_t)shape + consumer->round_up) >> consumer->cell_shift);

    /* Checked when it was taken; but a dead member's words are input, and so is the producer. */
    if (stamp != member->at || end - member->at > consumer->event_cells_max ||
        (int64_t)(member->end - end) < 0) {
        release_to(member, member->at = member->end);
        return -EPROTO;
    }
    event->payload = header + 1;
    event->payload_bytes = (uint32_t)shape;
    event->kind = (uint16_t)(shape >> 32);
    event->flags = (uint16_t)(shape >> 48);
    event->sequence = member->at;
    event->end = end;
    member->at = end;
    consumer->ordinal++;
    return 1;
}

/* Every 8 ms: whether somebody died who holds something. */
static int is_due(struct lam_ring_member *member, uint32_t streak)
{
    uint64_t now_ns;

    if ((++member->streak & streak) != 0)
        return 0;
    now_ns = lam_clock_now_ns();
    if (now_ns < member->look_at_ns)
        return 0;
    member->look_at_ns = now_ns + LAM_WAIT_CHECK_NS;
    return 1;
}

static int idle(struct lam_ring_member *member)
{
    const struct lam_ring_group *group =
        &member->consumer.ring->control_head->groups[member->group];
    int rc;

    if (lam_load_relaxed(&group->state) != member->group_state)
        return -ESTALE;
    if (is_due(member, IDLE_STREAK) && lam_ring_group_adopt(member))
        return 1;
    rc = lam_ring_consumer_idle(&member->consumer);
    return rc == -EPIPE && lam_ring_group_others_hold(member) ? 0 : rc;
}

int lam_ring_member_try_peek(struct lam_ring_member *member, struct lam_event *event)
{
    int rc = 1;

    LAM_ASSERT(lam_lock_is_held(&member->consumer.lock)); /* nor in a forked child */
    if (member->at == member->end) {
        LAM_ASSERT(member->released == member->at); /* release before more are taken */
        if (!is_due(member, BUSY_STREAK) || !lam_ring_group_adopt(member))
            rc = claim(member);
        if (rc == 0)
            rc = idle(member);
    }
    return rc == 1 ? lend(member, event) : rc;
}

int lam_ring_group_is_ready(struct lam_ring_consumer *consumer)
{
    struct lam_ring_member *member = (struct lam_ring_member *)(void *)consumer;

    /* A13 */
    consumer->next = lam_ring_claim_sequence(member->base, lam_load_acquire(claim_of(member)));
    return lam_ring_consumer_is_there(consumer);
}

int lam_ring_member_peek_until(
    struct lam_ring_member *member, uint64_t deadline_ns, struct lam_event *event)
{
    struct lam_ring_consumer *consumer = &member->consumer;
    struct lam_wait wait;
    int waits = 0;
    int rc;

    while ((rc = lam_ring_member_try_peek(member, event)) == 0) {
        if (!waits)
            lam_ring_consumer_begin_wait(consumer, &wait, deadline_ns);
        waits = 1;
        rc = lam_ring_consumer_await(consumer, &wait);
        member->streak = IDLE_STREAK - 1; /* the next look, its second step, sees who lives */
        if (rc == -EPIPE)
            lam_base->yield(); /* the end is ours when nobody holds anything */
        else if (rc < 0)
            break;
    }
    rc = rc < 0 ? rc : 0;
    if (waits)
        lam_ring_consumer_end_wait(consumer, &wait, rc);
    return rc;
}
