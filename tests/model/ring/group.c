/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a group share the events: each goes to one of them, none is overwritten under it, and
 * what a dead one had another one finishes.
 */
#include "layout.h"
#include "scenario.h"

#include <errno.h>

enum { EVENTS = 3, ALL = 0xe };

static void add_member(uint32_t index, uint32_t thread, enum lam_wait_mode wait, uint32_t at_once)
{
    struct lam_ring_member_options options = {
        .group = "group", .start = LAM_RING_OLDEST, .events_max = at_once, .wait = wait};
    struct lam_ring_member *member = &world.members[index];

    LAM_ASSERT(lam_ring_member_attach(member, &world.ring, &options, NULL) == 0);
    model_own_lock(&member->consumer.lock, thread);
    world_tame_consumer(&member->consumer);
}

static void set_up_group(
    uint64_t depth, enum lam_ring_waiting waiting, uint64_t published, uint32_t at_once)
{
    enum lam_wait_mode wait = waiting == LAM_RING_MAY_SLEEP ? LAM_WAIT_FUTEX : LAM_WAIT_SPIN;

    world_begin(depth, waiting, UINT64_MAX - 1);
    world_add_producer(0, 2);
    add_member(0, 0, wait, at_once);
    add_member(1, 1, wait, at_once);
    for (uint64_t number = 1; number <= published; number++)
        world_publish(&world.producers[0], 1, number);
}

/* No member sees an event twice. */
static void see(const struct lam_ring_member *member, const struct lam_event *event)
{
    uint64_t *seen = &world.notes[member - world.members];
    uint64_t bit = UINT64_C(1) << world_check(&world.ring, event);

    MODEL_CHECK((*seen & bit) == 0);
    *seen |= bit;
}

static uint64_t seen_by_any(void)
{
    return world.notes[0] | world.notes[1];
}

static uint64_t seen_by_both(void)
{
    return world.notes[0] & world.notes[1];
}

/* Take one event and release it, or find that there is none. */
static int take_one(struct lam_ring_member *member)
{
    struct lam_event event;
    int rc;

    member->streak = 255; /* this look asks who lives */
    member->look_at_ns = 0;
    rc = lam_ring_member_try_peek(member, &event);
    if (rc == 1) {
        see(member, &event);
        lam_ring_member_release(member);
    }
    return rc;
}

static void take_all(struct lam_ring_member *member)
{
    int rc;

    while ((rc = take_one(member)) >= 0) {
        if (rc == 0)
            lam_pause();
    }
    MODEL_CHECK(rc == -EPIPE);
}

static void take_all_0(void)
{
    take_all(&world.members[0]);
}

static void take_all_1(void)
{
    take_all(&world.members[1]);
}

/* --- each event goes to one --- */

static void set_up_closed(void)
{
    set_up_group(32, LAM_RING_SPIN_ONLY, EVENTS, 1);
    lam_ring_producer_close(&world.producers[0]);
    world_ready();
}

static void each_was_seen_once(void)
{
    MODEL_CHECK(seen_by_any() == ALL && seen_by_both() == 0);
}

/* --- nothing is overwritten that a member has, or looks at --- */

/* The next event's second cell lies where the first event's only one does. Both go at once. */
static void set_up_full(void)
{
    set_up_group(4, LAM_RING_SPIN_ONLY, 1, 2);
    world_publish(&world.producers[0], 2, 2);
    world_ready();
}

/* All that one claim brings. */
static void take_batch(struct lam_ring_member *member)
{
    do
        MODEL_CHECK(take_one(member) >= 0);
    while (member->at != member->end);
}

static void take_batch_0(void)
{
    take_batch(&world.members[0]);
}

static void take_batch_and_publish(void)
{
    take_batch(&world.members[1]);
    world_publish(&world.producers[0], 2, 3);
}

static void two_were_seen_once(void)
{
    MODEL_CHECK((seen_by_any() & 6) == 6 && seen_by_both() == 0);
}

static void set_up_taken_at_once(void)
{
    set_up_group(4, LAM_RING_SPIN_ONLY, EVENTS, EVENTS);
    world_ready();
}

/* By one claim, and one release. */
static void take_all_at_once(void)
{
    struct lam_event event;

    for (uint64_t number = 1; number <= EVENTS; number++) {
        MODEL_CHECK(lam_ring_member_try_peek(&world.members[0], &event) == 1);
        MODEL_CHECK(world_check(&world.ring, &event) == number);
    }
    lam_ring_member_release(&world.members[0]);
}

static void publish_over_them(void)
{
    world_publish(&world.producers[0], 1, EVENTS + 1);
    world_publish(&world.producers[0], 1, EVENTS + 2);
}

/* --- what a dead one had is finished by another --- */

static void each_was_seen(void)
{
    uint64_t twice = seen_by_both();

    MODEL_CHECK(seen_by_any() == ALL);
    /* Only what the dead one had, and had not released. */
    MODEL_CHECK(twice == 0 || (model_is_dead(0) && (twice & (twice - 1)) == 0));
    model_mark(!model_is_dead(0) ? 0 : twice == 0 ? 1 : 2);
}

/* --- sleep --- */

static void set_up_empty(void)
{
    set_up_group(32, LAM_RING_MAY_SLEEP, 0, 1);
    world_ready();
}

static void publish_two(void)
{
    world_publish(&world.producers[0], 1, 1);
    world_publish(&world.producers[0], 1, 2);
}

static void take_asleep(struct lam_ring_member *member)
{
    struct lam_event event;

    MODEL_CHECK(lam_ring_member_peek_until(member, LAM_DEADLINE_NEVER, &event) == 0);
    see(member, &event);
    lam_ring_member_release(member);
}

static void take_asleep_0(void)
{
    take_asleep(&world.members[0]);
}

static void take_asleep_1(void)
{
    take_asleep(&world.members[1]);
}

static void set_up_no_room(void)
{
    set_up_group(2, LAM_RING_MAY_SLEEP, 1, 1);
    world_ready();
}

static void claim_asleep(void)
{
    void *payload;

    MODEL_CHECK(lam_ring_producer_claim_until(&world.producers[0], world_payload_bytes(1),
                    LAM_DEADLINE_NEVER, &payload) == 0);
}

static void nobody(void)
{
}

const struct scenario scenarios_group[] = {
    {.program = {.name = "each event goes to one of a group",
         .thread_count = 2,
         .threads = {take_all_0, take_all_1},
         .finally = each_was_seen_once,
         .set_up = set_up_closed},
        .deviations = 4,
        .schedules_max = 10000},
    {.program = {.name = "nothing is overwritten that a member looks at",
         .thread_count = 2,
         .threads = {take_batch_0, take_batch_and_publish},
         .finally = two_were_seen_once,
         .set_up = set_up_full},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"announce", "fence_seq_cst"}, {"lam_ring_group_scan", "fence_seq_cst"}}},
    {.program = {.name = "nothing is overwritten that a member has",
         .thread_count = 2,
         .threads = {take_all_at_once, publish_over_them},
         .set_up = set_up_taken_at_once},
        .deviations = 4,
        .schedules_max = 10000,
        .kills = {{"release_to", "store_release"}}},
    {.program = {.name = "what a dead member had another one finishes",
         .thread_count = 2,
         .threads = {take_all_0, take_all_1},
         .finally = each_was_seen,
         .set_up = set_up_closed,
         .mortal = 1},
        .marks = 3,
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"claim", "cas_acq_rel"}}},
    {.program = {.name = "sleeping members are woken by events",
         .thread_count = 3,
         .threads = {take_asleep_0, take_asleep_1, publish_two},
         .finally = two_were_seen_once,
         .set_up = set_up_empty},
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"lam_ring_producer_advance", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping producer is woken by a member",
         .thread_count = 3,
         .threads = {take_batch_0, nobody, claim_asleep},
         .set_up = set_up_no_room},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"wake", "fence_seq_cst"}, {"park", "fence_seq_cst"}}},
    {.program = {.name = NULL}},
};
