/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who goes after others: it sees an event once they have released it, and all that they stored
 * before; also when they leave, or die.
 */
#include "scenario.h"

#include <errno.h>

static const char *const leaders[] = {"leader"};

/* The first consumer leads, the second one goes after it. @published events are there. */
static void set_up_ends(enum lam_ring_waiting waiting, uint64_t published)
{
    struct lam_ring_consumer_options leader = {.name = leaders[0], .start = LAM_RING_OLDEST};
    struct lam_ring_consumer_options follower = {
        .name = "follower", .start = LAM_RING_OLDEST, .after = leaders, .after_count = 1};

    leader.wait = follower.wait = waiting == LAM_RING_MAY_SLEEP ? LAM_WAIT_FUTEX : LAM_WAIT_SPIN;
    world_begin(32, waiting, UINT64_MAX - 1);
    world_add_producer(0, 2);
    world_add_consumer(0, 0, &leader);
    world_add_consumer(1, 1, &follower);
    for (uint64_t number = 1; number <= published; number++)
        world_publish(&world.producers[0], 1, number);
    world_ready();
}

static void set_up_two(void)
{
    set_up_ends(LAM_RING_SPIN_ONLY, 2);
}

static void set_up_one_sleepy(void)
{
    set_up_ends(LAM_RING_MAY_SLEEP, 1);
}

static void set_up_empty_sleepy(void)
{
    set_up_ends(LAM_RING_MAY_SLEEP, 0);
}

/* The leader's work on event @number: one word, which the follower will want. */
static void work(uint64_t number)
{
    struct lam_event event;

    world_next(&world.consumers[0], &event);
    MODEL_CHECK(world_check(&world.ring, &event) == number);
    model_write(&world.notes[number], 10 * number);
    MODEL_CHECK(lam_ring_consumer_release(&world.consumers[0]) == 0);
}

static void see_work(const struct lam_event *event, uint64_t number)
{
    MODEL_CHECK(world_check(&world.ring, event) == number);
    MODEL_CHECK(model_read(&world.notes[number]) == 10 * number);
    MODEL_CHECK(lam_ring_consumer_release(&world.consumers[1]) == 0);
}

/* --- it sees what its leader did --- */

static void lead_two(void)
{
    work(1);
    work(2);
}

static void follow_two(void)
{
    struct lam_event event;

    for (uint64_t number = 1; number <= 2; number++) {
        MODEL_CHECK(world_peek(&world.consumers[1], &event) == 1);
        see_work(&event, number);
    }
}

/* --- a leader that leaves holds it no longer; one that dies does, where it stopped --- */

static void lead_one_and_leave(void)
{
    work(1);
    lam_ring_consumer_detach(&world.consumers[0]);
}

static void follow_to_the_last(void)
{
    struct lam_event event;

    MODEL_CHECK(world_peek(&world.consumers[1], &event) == 1);
    see_work(&event, 1);
    MODEL_CHECK(world_peek_looking(&world.consumers[1], &event) == 1);
    MODEL_CHECK(world_check(&world.ring, &event) == 2);
}

static void follow_the_dead(void)
{
    struct lam_event event;
    uint64_t number = 1;
    int rc;

    while (number <= 2 && (rc = world_peek_looking(&world.consumers[1], &event)) == 1)
        see_work(&event, number++);
    model_mark((uint32_t)number - 1);
    MODEL_CHECK(number == 3 || (rc == -EOWNERDEAD && model_is_dead(0)));
}

/* --- sleep --- */

static void lead_one(void)
{
    work(1);
}

static void follow_asleep(void)
{
    struct lam_event event;

    MODEL_CHECK(lam_ring_consumer_peek_until(&world.consumers[1], LAM_DEADLINE_NEVER, &event) == 0);
    see_work(&event, 1);
}

static void leave(void)
{
    lam_ring_consumer_detach(&world.consumers[0]);
}

static void follow_alone_asleep(void)
{
    struct lam_event event;

    MODEL_CHECK(lam_ring_consumer_peek_until(&world.consumers[1], LAM_DEADLINE_NEVER, &event) == 0);
    MODEL_CHECK(world_check(&world.ring, &event) == 1);
}

static void publish_one(void)
{
    world_publish(&world.producers[0], 1, 1);
}

const struct scenario scenarios_after[] = {
    {.program = {.name = "who goes after another sees what that one did",
         .thread_count = 2,
         .threads = {lead_two, follow_two},
         .set_up = set_up_two},
        .kills = {{"lam_ring_consumer_release_to", "store_release"}, {"refresh", "load_acquire"}}},
    {.program = {.name = "a leader that leaves holds nobody",
         .thread_count = 2,
         .threads = {lead_one_and_leave, follow_to_the_last},
         .set_up = set_up_two},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"refresh", "load_acquire"}}},
    {.program = {.name = "a leader that dies holds its followers",
         .thread_count = 2,
         .threads = {lead_two, follow_the_dead},
         .set_up = set_up_two,
         .mortal = 1},
        .marks = 3,
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"lam_ring_consumer_release_to", "store_release"}, {"refresh", "load_acquire"}}},
    {.program = {.name = "a sleeping follower is woken by a release",
         .thread_count = 2,
         .threads = {lead_one, follow_asleep},
         .set_up = set_up_one_sleepy},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"lam_ring_consumer_release_to", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping follower is woken by a leader that leaves",
         .thread_count = 2,
         .threads = {leave, follow_alone_asleep},
         .set_up = set_up_one_sleepy},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping follower is woken whoever comes last",
         .thread_count = 3,
         .threads = {lead_one, follow_asleep, publish_one},
         .set_up = set_up_empty_sleepy},
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"lam_ring_consumer_release_to", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = NULL}},
};
