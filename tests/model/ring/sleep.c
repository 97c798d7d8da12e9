/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Announce, look again, sleep: in both directions. Nobody wakes by itself here, so a bell that is
 * not rung leaves somebody asleep for ever, and the checker says so.
 */
#include "scenario.h"

#include <errno.h>

static const struct lam_ring_consumer_options sleepy = {
    .start = LAM_RING_OLDEST, .wait = LAM_WAIT_FUTEX};

static void add_ends(uint64_t depth, uint64_t published)
{
    world_begin(depth, LAM_RING_MAY_SLEEP, 0);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &sleepy);
    for (uint64_t number = 1; number <= published; number++)
        world_publish(&world.producers[0], 1, number);
}

/* --- a sleeping consumer is woken, by an event and by the end --- */

/* So deep that no waypoint, no scan is due. */
static void set_up_empty(void)
{
    add_ends(32, 0);
    world_ready();
}

static void publish_one(void)
{
    world_publish(&world.producers[0], 1, 1);
}

static void sleep_for_one(void)
{
    struct lam_event event;

    MODEL_CHECK(lam_ring_consumer_peek_until(&world.consumers[0], LAM_DEADLINE_NEVER, &event) == 0);
    MODEL_CHECK(world_check(&world.ring, &event) == 1);
}

static void publish_two(void)
{
    world_publish(&world.producers[0], 1, 1);
    world_publish(&world.producers[0], 1, 2);
}

static void sleep_for_two(void)
{
    struct lam_event event;

    for (uint64_t number = 1; number <= 2; number++) {
        MODEL_CHECK(
            lam_ring_consumer_peek_until(&world.consumers[0], LAM_DEADLINE_NEVER, &event) == 0);
        MODEL_CHECK(world_check(&world.ring, &event) == number);
    }
}

static void close_ring(void)
{
    lam_ring_producer_close(&world.producers[0]);
}

static void sleep_for_the_end(void)
{
    struct lam_event event;

    MODEL_CHECK(
        lam_ring_consumer_peek_until(&world.consumers[0], LAM_DEADLINE_NEVER, &event) == -EPIPE);
}

/* --- all that sleep are woken --- */

static void set_up_empty_for_two(void)
{
    add_ends(32, 0);
    world_add_consumer(1, 2, &sleepy);
    world_ready();
}

static void sleep_beside(void)
{
    struct lam_event event;

    MODEL_CHECK(lam_ring_consumer_peek_until(&world.consumers[1], LAM_DEADLINE_NEVER, &event) == 0);
    MODEL_CHECK(world_check(&world.ring, &event) == 1);
}

/* --- a sleeping producer is woken, by a release and by a leave --- */

static void set_up_full(void)
{
    add_ends(2, 1);
    world_ready();
}

static void claim_asleep(void)
{
    void *payload;

    MODEL_CHECK(lam_ring_producer_claim_until(&world.producers[0], world_payload_bytes(1),
                    LAM_DEADLINE_NEVER, &payload) == 0);
}

static void release_one(void)
{
    struct lam_event event;

    MODEL_CHECK(lam_ring_consumer_try_peek(&world.consumers[0], &event) == 1);
    MODEL_CHECK(lam_ring_consumer_release(&world.consumers[0]) == 0);
}

static void leave(void)
{
    lam_ring_consumer_detach(&world.consumers[0]);
}

static void set_up_full_for_two(void)
{
    add_ends(2, 0);
    world_add_consumer(1, 2, &sleepy);
    world_publish(&world.producers[0], 1, 1);
    world_ready();
}

static void release_beside(void)
{
    struct lam_event event;

    MODEL_CHECK(lam_ring_consumer_try_peek(&world.consumers[1], &event) == 1);
    MODEL_CHECK(lam_ring_consumer_release(&world.consumers[1]) == 0);
}

const struct scenario scenarios_sleep[] = {
    {.program = {.name = "a sleeping consumer is woken by an event",
         .thread_count = 2,
         .threads = {publish_one, sleep_for_one},
         .set_up = set_up_empty},
        .kills = {{"lam_ring_producer_advance", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "a consumer may sleep again",
         .thread_count = 2,
         .threads = {publish_two, sleep_for_two},
         .set_up = set_up_empty},
        .deviations = 3,
        .schedules_max = 20000,
        .kills = {{"lam_ring_producer_advance", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping consumer is woken by the end",
         .thread_count = 2,
         .threads = {close_ring, sleep_for_the_end},
         .set_up = set_up_empty},
        .kills = {{"end_stream", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "all consumers that sleep are woken",
         .thread_count = 3,
         .threads = {publish_one, sleep_for_one, sleep_beside},
         .set_up = set_up_empty_for_two},
        .deviations = 3,
        .schedules_max = 20000,
        .kills = {{"lam_ring_producer_advance", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping producer is woken by a release",
         .thread_count = 2,
         .threads = {claim_asleep, release_one},
         .set_up = set_up_full},
        .kills = {{"lam_ring_consumer_release_to", "fence_seq_cst"}, {"park", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping producer is woken by who leaves",
         .thread_count = 2,
         .threads = {claim_asleep, leave},
         .set_up = set_up_full},
        .kills = {{"lam_ring_consumer_detach", "fence_seq_cst"}, {"park", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping producer is woken by the last of two",
         .thread_count = 3,
         .threads = {claim_asleep, release_one, release_beside},
         .set_up = set_up_full_for_two},
        .deviations = 3,
        .schedules_max = 20000,
        .kills = {{"lam_ring_consumer_release_to", "fence_seq_cst"}, {"park", "fence_seq_cst"}}},
    {.program = {.name = NULL}},
};
