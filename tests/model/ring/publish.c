/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publication and consumption; old bytes that look like stamps; batches; the end of the stream.
 */
#include "scenario.h"

#include <errno.h>

static const struct lam_ring_consumer_options gating = {
    .start = LAM_RING_OLDEST, .wait = LAM_WAIT_SPIN};

/* --- events come whole, in order --- */

static void set_up_events(void)
{
    world_begin(4, LAM_RING_SPIN_ONLY, UINT64_MAX - 2);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &gating);
    world_ready();
}

static void publish_two(void)
{
    world_publish(&world.producers[0], 1, 1);
    world_publish(&world.producers[0], 2, 2);
}

/* Events from @from up to @to come in this order, each is released. */
static void consume(uint64_t from, uint64_t to)
{
    struct lam_event event;

    for (uint64_t number = from; number <= to; number++) {
        MODEL_CHECK(world_peek(&world.consumers[0], &event) == 1);
        MODEL_CHECK(world_check(&world.ring, &event) == number);
        MODEL_CHECK(lam_ring_consumer_release(&world.consumers[0]) == 0);
    }
}

static void consume_two(void)
{
    consume(1, 2);
}

/* --- a batch is seen whole or not at all --- */

static void publish_batch(void)
{
    struct lam_ring_producer *producer = &world.producers[0];
    uint64_t sequence = producer->next;
    struct lam_ring_batch batch;
    void *payload;

    MODEL_CHECK(lam_ring_producer_try_claim_batch(producer, 3, &batch) == 1);
    for (uint64_t i = 0; i < 3; i++) {
        MODEL_CHECK(lam_ring_batch_stage(
                        &batch, world_payload_bytes(1), (uint16_t)(i + 1), 0, &payload) == 1);
        world_write(&world.ring, payload, sequence + i, 1, i + 1);
    }
    lam_ring_batch_commit(&batch);
}

static void consume_batch(void)
{
    struct lam_event event;

    MODEL_CHECK(world_peek(&world.consumers[0], &event) == 1);
    MODEL_CHECK(world_check(&world.ring, &event) == 1);
    for (uint64_t number = 2; number <= 3; number++) {
        MODEL_CHECK(lam_ring_consumer_try_peek(&world.consumers[0], &event) == 1);
        MODEL_CHECK(world_check(&world.ring, &event) == number);
    }
}

/* --- old bytes never pass for a stamp --- */

/* What was written into cells that are starts of events later: all would pass. */
static void set_up_old_bytes(void)
{
    struct lam_event event;
    void *payload;

    world_begin(4, LAM_RING_SPIN_ONLY, 0);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &gating);
    world_publish(&world.producers[0], 2, 2);
    world_publish(&world.producers[0], 1, 3);
    for (uint32_t i = 0; i < 2; i++)
        (void)lam_ring_consumer_try_peek(&world.consumers[0], &event);
    (void)lam_ring_consumer_release(&world.consumers[0]);
    /* A claim that is given back has written, too. */
    LAM_ASSERT(
        lam_ring_producer_try_claim(&world.producers[0], world_payload_bytes(2), &payload) == 1);
    world_write(&world.ring, payload, world.producers[0].next, 2, 4);
    lam_ring_producer_abort(&world.producers[0]);
    world_ready();
}

static void publish_over_old_bytes(void)
{
    void *payload;

    world_publish(&world.producers[0], 1, 4);
    /* Claimed long, committed short: the cell behind has been written. */
    MODEL_CHECK(
        lam_ring_producer_try_claim(&world.producers[0], world_payload_bytes(2), &payload) == 1);
    world_write(&world.ring, payload, world.producers[0].next, 2, 5);
    lam_ring_producer_commit(&world.producers[0], world_payload_bytes(1), 5, 0);
}

static void consume_no_old_bytes(void)
{
    struct lam_event event;

    consume(4, 5);
    MODEL_CHECK(lam_ring_consumer_try_peek(&world.consumers[0], &event) == 0);
}

/* --- the end comes after the last event --- */

/* So deep that the event sets no waypoint, whose fence would do the work of the release. */
static void set_up_end(void)
{
    world_begin(32, LAM_RING_SPIN_ONLY, 0);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &gating);
    world_ready();
}

static void publish_and_close(void)
{
    world_publish(&world.producers[0], 1, 1);
    lam_ring_producer_close(&world.producers[0]);
}

static void consume_to_the_end(void)
{
    struct lam_event event;

    consume(1, 1);
    MODEL_CHECK(world_peek(&world.consumers[0], &event) == -EPIPE);
}

const struct scenario scenarios_publish[] = {
    {.program = {.name = "events come whole and in order",
         .thread_count = 2,
         .threads = {publish_two, consume_two},
         .set_up = set_up_events},
        .kills = {{"lam_ring_producer_advance", "store_release"},
            {"lam_ring_consumer_try_peek", "load_acquire"}}},
    {.program = {.name = "a batch is seen whole or not at all",
         .thread_count = 2,
         .threads = {publish_batch, consume_batch},
         .set_up = set_up_events},
        .kills = {{"lam_ring_producer_advance", "store_release"},
            {"lam_ring_consumer_try_peek", "load_acquire"}}},
    {.program = {.name = "old bytes never pass for a stamp",
         .thread_count = 2,
         .threads = {publish_over_old_bytes, consume_no_old_bytes},
         .set_up = set_up_old_bytes},
        .kills = {{"lam_ring_producer_advance", "store_release"},
            {"lam_ring_consumer_try_peek", "load_acquire"}}},
    {.program = {.name = "the end comes after the last event",
         .thread_count = 2,
         .threads = {publish_and_close, consume_to_the_end},
         .set_up = set_up_end},
        .kills = {{"end_stream", "store_release"},
            {"lam_ring_consumer_end_of_stream", "load_acquire"}}},
    {.program = {.name = NULL}},
};
