/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining while the ring runs: against the horizon that moves, and the cells that are overwritten.
 */
#include "scenario.h"

#include <errno.h>

static const struct lam_ring_consumer_options oldest = {
    .start = LAM_RING_OLDEST, .wait = LAM_WAIT_SPIN};
static const struct lam_ring_consumer_options head = {
    .start = LAM_RING_HEAD, .wait = LAM_WAIT_SPIN};

enum { LAST = 5 };

/* Full, and nobody gates: the next event lies over the first one. */
static void set_up(void)
{
    world_begin(4, LAM_RING_SPIN_ONLY, UINT64_MAX - 3);
    world_add_producer(0, 0);
    for (uint64_t number = 1; number <= 3; number++)
        world_publish(&world.producers[0], 1, number);
    world_ready();
}

static void publish_on(void)
{
    world_publish(&world.producers[0], 2, 4);
    world_publish(&world.producers[0], 1, LAST);
}

/* It joined after @start events, or it moved up: from there on it sees each event, in its place. */
static void join_and_read(const struct lam_ring_consumer_options *options, uint64_t start)
{
    struct lam_ring_consumer *consumer = &world.consumers[0];
    struct lam_event event;

    MODEL_CHECK(lam_ring_consumer_attach(consumer, &world.ring, options, NULL) == 0);
    model_mark(consumer->ordinal == start ? 0 : 1);
    while (consumer->ordinal < LAST) {
        world_next(consumer, &event);
        MODEL_CHECK(world_check(&world.ring, &event) == consumer->ordinal);
        MODEL_CHECK(lam_ring_consumer_release(consumer) == 0);
    }
}

static void join_at_oldest(void)
{
    join_and_read(&oldest, 0);
}

static void join_at_head(void)
{
    join_and_read(&head, 3);
}

const struct scenario scenarios_join[] = {
    {.program = {.name = "who joins at the oldest holds it, or moves up",
         .thread_count = 2,
         .threads = {publish_on, join_at_oldest},
         .set_up = set_up},
        .marks = 2,
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"raise_horizon", "fence_seq_cst"}, {"settle_gating", "fence_seq_cst"}}},
    {.program = {.name = "who joins at the head holds it, or moves up",
         .thread_count = 2,
         .threads = {publish_on, join_at_head},
         .set_up = set_up},
        .marks = 2,
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"lam_ring_producer_advance", "store_release"},
            {"lam_ring_walk_one", "load_acquire"}}},
    {.program = {.name = NULL}},
};
