/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers that hold nobody: the horizon, exact losses, waypoints that are written again.
 */
#include "scenario.h"

#include <errno.h>

static const struct lam_ring_consumer_options oldest = {
    .start = LAM_RING_OLDEST, .policy = LAM_RING_LOSSY, .wait = LAM_WAIT_SPIN};
static const struct lam_ring_consumer_options head = {
    .start = LAM_RING_HEAD, .policy = LAM_RING_LOSSY, .wait = LAM_WAIT_SPIN};

/*
 * One read. Returns 1 with the event's number, whose place among all events must be what the reader
 * thinks it is; 0; or the loss.
 */
static int read_one(struct lam_ring_consumer *consumer, uint64_t *lost)
{
    uint64_t buffer[WORLD_WORDS_MAX];
    struct lam_event event;
    int rc = lam_ring_consumer_try_read(consumer, buffer, sizeof(buffer), &event, lost);

    if (rc != 1)
        return rc;
    MODEL_CHECK(world_check_copy(&world.ring, &event) == consumer->ordinal);
    return rc;
}

/* --- a copy that was overwritten meanwhile is thrown away --- */

/* A full ring: the next event lies over the first one. */
static void set_up_full(void)
{
    world_begin(32, LAM_RING_SPIN_ONLY, UINT64_MAX - 20);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &oldest);
    for (uint64_t number = 1; number <= 15; number++)
        world_publish(&world.producers[0], 2, number);
    world_publish(&world.producers[0], 1, 16);
    world_ready();
}

/* The same for one of many. */
static void set_up_full_of_many(void)
{
    world_begin_many(32, LAM_RING_SPIN_ONLY, UINT64_MAX - 20);
    world_add_many(0, 0);
    world_add_consumer(0, 1, &oldest);
    for (uint64_t number = 1; number <= 15; number++)
        world_publish_many(&world.many[0], 2, number);
    world_publish_many(&world.many[0], 1, 16);
    world_ready();
}

static void publish_over_as_one_of_many(void)
{
    /* One cell was left: the second lies where the first event of all did. */
    world_publish_many(&world.many[0], 1, 17);
    world_publish_many(&world.many[0], 2, 18);
}

static void publish_over_the_first(void)
{
    world_publish(&world.producers[0], 2, 17);
    world_publish(&world.producers[0], 2, 18);
}

static void read_twice(void)
{
    uint64_t before = 0, lost = 0;
    int rc = read_one(&world.consumers[0], &lost);

    model_mark(rc == 1 ? 0 : 1);
    if (rc == -EOVERFLOW) {
        MODEL_CHECK(world.consumers[0].ordinal == before + lost);
        rc = read_one(&world.consumers[0], &lost);
        MODEL_CHECK(rc == 1); /* a quarter of a lap behind the head: so far nobody goes here */
    }
    MODEL_CHECK(rc == 1);
}

/* --- who joins counts from a waypoint that was whole --- */

/*
 * More than a lap of waypoints: the next one takes the place of the oldest. The least depth that
 * has sixteen a lap, and each event sets one.
 */
static void set_up_laps(void)
{
    world_begin(256, LAM_RING_SPIN_ONLY, 0);
    world_add_producer(0, 0);
    for (uint64_t number = 1; number <= 21; number++)
        world_publish_bare(&world.producers[0], 16, number);
    world_ready();
}

static void publish_waypoints(void)
{
    for (uint64_t number = 22; number <= 24; number++)
        world_publish_bare(&world.producers[0], 16, number);
}

static void join_and_read(const struct lam_ring_consumer_options *options)
{
    struct lam_ring_consumer *consumer = &world.consumers[0];
    struct lam_event event;
    uint64_t lost;
    int rc;

    if (lam_ring_consumer_attach(consumer, &world.ring, options, NULL) != 0)
        return; /* the producer never stood still */
    rc = lam_ring_consumer_skip(consumer, &event, &lost);
    MODEL_CHECK(rc != 1 || event.kind == consumer->ordinal);
    MODEL_CHECK(rc == 0 || rc == 1 || rc == -EOVERFLOW);
    model_mark(rc == 1 ? 0 : 1);
}

static void join_at_oldest(void)
{
    join_and_read(&oldest);
}

static void join_at_head(void)
{
    join_and_read(&head);
}

const struct scenario scenarios_lossy[] = {
    {.program = {.name = "a torn copy is thrown away, the loss exact",
         .thread_count = 2,
         .threads = {publish_over_the_first, read_twice},
         .set_up = set_up_full},
        .marks = 2,
        .kills = {{"raise_horizon", "fence_seq_cst"}, {"still_there", "fence_acquire"}}},
    {.program = {.name = "a torn copy of many is thrown away, the loss exact",
         .thread_count = 2,
         .threads = {publish_over_as_one_of_many, read_twice},
         .set_up = set_up_full_of_many},
        .marks = 2,
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"try_room", "fence_seq_cst"}, {"still_there", "fence_acquire"}}},
    {.program = {.name = "a waypoint that is written again is not believed",
         .thread_count = 2,
         .threads = {publish_waypoints, join_at_oldest},
         .set_up = set_up_laps},
        .deviations = 4,
        .schedules_max = 10000,
        .marks = 1,
        .kills = {{"lam_ring_producer_waypoint", "fence_release"},
            {"recent_place", "fence_acquire"}}},
    {.program = {.name = "who joins at the head knows how many came before",
         .thread_count = 2,
         .threads = {publish_waypoints, join_at_head},
         .set_up = set_up_laps},
        .deviations = 4,
        .schedules_max = 10000,
        .marks = 1,
        .kills = {{"lam_ring_producer_waypoint", "store_release"},
            {"recent_place", "load_acquire"}}},
    {.program = {.name = NULL}},
};
