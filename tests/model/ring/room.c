/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who holds the producer back: consumers that gate, that leave, that are evicted.
 */
#include "scenario.h"

#include <errno.h>

static const struct lam_ring_consumer_options gating = {
    .start = LAM_RING_OLDEST, .wait = LAM_WAIT_SPIN};

static void consume_by(struct lam_ring_consumer *consumer, uint64_t from, uint64_t to)
{
    struct lam_event event;

    for (uint64_t number = from; number <= to; number++) {
        world_next(consumer, &event);
        MODEL_CHECK(world_check(&world.ring, &event) == number);
        MODEL_CHECK(lam_ring_consumer_release(consumer) == 0);
    }
}

/* --- nothing is overwritten that was not released: one cell of room, so each event waits --- */

static void set_up_gate(void)
{
    world_begin(2, LAM_RING_SPIN_ONLY, UINT64_MAX - 1);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &gating);
    world_ready();
}

static void publish_three(void)
{
    for (uint64_t number = 1; number <= 3; number++)
        world_publish(&world.producers[0], 1, number);
}

static void consume_three(void)
{
    consume_by(&world.consumers[0], 1, 3);
}

/* --- two that gate: the slower counts; one leaves and counts no longer --- */

static void set_up_two(void)
{
    world_begin(2, LAM_RING_SPIN_ONLY, 0);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &gating);
    world_add_consumer(1, 2, &gating);
    world_ready();
}

static void consume_one_and_leave(void)
{
    struct lam_event event;

    world_next(&world.consumers[1], &event);
    MODEL_CHECK(world_check(&world.ring, &event) == 1);
    lam_ring_consumer_detach(&world.consumers[1]);
}

/* --- who is evicted knows which bytes it may not believe --- */

static const struct lam_ring_consumer_options patient = {.start = LAM_RING_OLDEST,
    .policy = LAM_RING_GATE_THEN_EVICT,
    .patience_ns = 1,
    .wait = LAM_WAIT_SPIN};

static void set_up_evict(void)
{
    world_begin(32, LAM_RING_SPIN_ONLY, 0);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &patient);
    for (uint64_t number = 1; number <= 15; number++)
        world_publish(&world.producers[0], 2, number);
    world_publish(&world.producers[0], 1, 16); /* it is full, and one event is borrowed */
    LAM_ASSERT(lam_ring_consumer_try_peek(&world.consumers[0], &world.borrowed) == 1);
    world_ready();
}

static void publish_evicting(void)
{
    world_publish_looking(&world.producers[0], 2, 17);
}

/* The same by one of many. */
static void set_up_evict_many(void)
{
    world_begin_many(32, LAM_RING_SPIN_ONLY, 0);
    world_add_many(0, 0);
    world_add_consumer(0, 1, &patient);
    for (uint64_t number = 1; number <= 15; number++)
        world_publish_many(&world.many[0], 2, number);
    world_publish_many(&world.many[0], 1, 16);
    LAM_ASSERT(lam_ring_consumer_try_peek(&world.consumers[0], &world.borrowed) == 1);
    world_ready();
}

static void publish_evicting_as_one_of_many(void)
{
    /* One cell was left: the second lies where the first event of all did. */
    world_publish_many(&world.many[0], 1, 17);
    world_publish_many(&world.many[0], 2, 18);
}

/* What was borrowed is believed only where the release is taken. Returns whether it was. */
static int read_and_release(struct lam_ring_consumer *consumer, const struct lam_event *event)
{
    uint64_t number = world_check_racing(&world.ring, event);

    if (lam_ring_consumer_release(consumer) != 0)
        return 0;
    MODEL_CHECK(number == consumer->ordinal);
    return 1;
}

static void read_while_evicted(void)
{
    struct lam_ring_consumer *consumer = &world.consumers[0];
    struct lam_event event;
    uint64_t before, lost;

    if (read_and_release(consumer, &world.borrowed)) {
        model_mark(0);
        return;
    }
    model_mark(1);
    before = consumer->ordinal;
    MODEL_CHECK(lam_ring_consumer_readmit(consumer, LAM_RING_OLDEST, &lost, NULL) == 0);
    MODEL_CHECK(consumer->ordinal == before + lost);
    if (lam_ring_consumer_try_peek(consumer, &event) == 1 && read_and_release(consumer, &event))
        model_mark(2);
}

const struct scenario scenarios_room[] = {
    {.program = {.name = "nothing is overwritten before it is released",
         .thread_count = 2,
         .threads = {publish_three, consume_three},
         .set_up = set_up_gate},
        .kills = {{"lam_ring_consumer_release_to", "store_release"}}},
    {.program = {.name = "the slowest counts until it leaves",
         .thread_count = 3,
         .threads = {publish_three, consume_three, consume_one_and_leave},
         .set_up = set_up_two},
        .deviations = 3,
        .schedules_max = 20000,
        .kills = {{"lam_ring_consumer_release_to", "store_release"},
            {"leave_nothing", "cas_acq_rel"}}},
    {.program = {.name = "who is evicted knows it before it believes",
         .thread_count = 2,
         .threads = {publish_evicting, read_while_evicted},
         .set_up = set_up_evict},
        .marks = 3,
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"lam_ring_consumer_holds", "fence_acquire"}}},
    {.program = {.name = "who is evicted by one of many knows it, too",
         .thread_count = 2,
         .threads = {publish_evicting_as_one_of_many, read_while_evicted},
         .set_up = set_up_evict_many},
        .marks = 3,
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"lam_ring_consumer_holds", "fence_acquire"}}},
    {.program = {.name = NULL}},
};
