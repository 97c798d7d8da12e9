/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Death at any step of the victim: its stores up to there are in memory, its locks are free, and
 * nothing else happens for it. Who comes after it repairs what it left.
 */
#include "scenario.h"

#include <errno.h>

static const struct lam_ring_consumer_options gating = {
    .start = LAM_RING_OLDEST, .wait = LAM_WAIT_SPIN};

/* --- a successor goes on where a dead producer stopped --- */

enum { FIRST_OF_SUCCESSOR = 10 };

/* Cells that hold what could pass for stamps: of a long event, two laps ago and one. */
static void set_up_worn(void)
{
    struct lam_event event;

    world_begin(4, LAM_RING_SPIN_ONLY, 0);
    world_add_producer(0, 0);
    world_add_consumer(0, 2, &gating);
    for (uint64_t number = 1; number <= 3; number++) {
        world_publish(&world.producers[0], number == 2 ? 2 : 1, number);
        LAM_ASSERT(lam_ring_consumer_try_peek(&world.consumers[0], &event) == 1);
        LAM_ASSERT(lam_ring_consumer_release(&world.consumers[0]) == 0);
    }
    world_ready();
}

static void publish_and_die(void)
{
    struct lam_ring_producer *producer = &world.producers[0];
    uint64_t sequence;
    struct lam_ring_batch batch;
    void *payload = NULL;

    world_publish(producer, 2, 4);
    sequence = producer->next;
    while (lam_ring_producer_try_claim_batch(producer, 2, &batch) != 1)
        lam_pause();
    for (uint64_t i = 0; i < 2; i++) {
        (void)lam_ring_batch_stage(&batch, world_payload_bytes(1), (uint16_t)(5 + i), 0, &payload);
        world_write(&world.ring, payload, sequence + i, 1, 5 + i);
    }
    lam_ring_batch_commit(&batch);
    lam_ring_producer_detach(producer);
}

static void succeed(void)
{
    struct lam_ring_producer *producer = &world.producers[1];
    int rc;

    while ((rc = lam_ring_producer_attach(producer, &world.ring, NULL, NULL)) == -EBUSY)
        lam_pause();
    MODEL_CHECK(rc == 0);
    model_mark(model_is_dead(0) || model_is_dead(1) ? 0 : 1);
    world_publish(producer, 1, FIRST_OF_SUCCESSOR);
    lam_ring_producer_close(producer);
}

/* Whole events in order, up to where the first producer came; a batch whole or not at all. */
static void read_both(void)
{
    struct lam_ring_consumer *consumer = &world.consumers[0];
    struct lam_event event;
    uint64_t number, expected = 4;

    do {
        world_next(consumer, &event);
        number = world_check(&world.ring, &event);
        MODEL_CHECK(number == expected || (number == FIRST_OF_SUCCESSOR && expected != 6));
        MODEL_CHECK(lam_ring_consumer_release(consumer) == 0);
        expected++;
    } while (number != FIRST_OF_SUCCESSOR);
    MODEL_CHECK(consumer->ordinal == expected - 1);
    MODEL_CHECK(lam_ring_consumer_try_peek(consumer, &event) != 1);
    model_mark(expected == 8 ? 4 : (uint32_t)expected - 3);
}

/* --- who joins while the producer dies is not run over by the successor --- */

static void set_up_full(void)
{
    world_begin(4, LAM_RING_SPIN_ONLY, UINT64_MAX - 3);
    world_add_producer(0, 1);
    for (uint64_t number = 1; number <= 3; number++)
        world_publish(&world.producers[0], 1, number);
    world_ready();
}

static void publish_one_and_die(void)
{
    world_publish(&world.producers[0], 1, 4);
    lam_ring_producer_detach(&world.producers[0]);
}

static void join_between(void)
{
    struct lam_ring_consumer *consumer = &world.consumers[0];
    struct lam_event event;
    uint64_t number;

    MODEL_CHECK(lam_ring_consumer_attach(consumer, &world.ring, &gating, NULL) == 0);
    do {
        world_next(consumer, &event);
        number = world_check(&world.ring, &event);
        MODEL_CHECK(number == FIRST_OF_SUCCESSOR || number == consumer->ordinal);
        MODEL_CHECK(lam_ring_consumer_release(consumer) == 0);
    } while (number != FIRST_OF_SUCCESSOR);
}

/* --- a dead consumer holds nobody, and its place is another's --- */

static void set_up_held(void)
{
    world_begin(2, LAM_RING_SPIN_ONLY, 0);
    world_add_producer(0, 0);
    world_add_consumer(0, 1, &gating);
    world_publish(&world.producers[0], 1, 1);
    world_ready();
}

static void publish_past_the_dead(void)
{
    for (uint64_t number = 2; number <= 3; number++)
        world_publish_looking(&world.producers[0], 1, number);
}

static void read_and_die(void)
{
    struct lam_event event;

    for (uint64_t number = 1; number <= 3; number++) {
        world_next(&world.consumers[0], &event);
        MODEL_CHECK(world_check(&world.ring, &event) == number);
        MODEL_CHECK(lam_ring_consumer_release(&world.consumers[0]) == 0);
    }
    model_mark(0);
    lam_ring_consumer_detach(&world.consumers[0]);
}

/* It takes the place of the dead one, or the next; from then on it holds the producer. */
static void join_after_the_dead(void)
{
    struct lam_ring_consumer *consumer = &world.consumers[1];
    struct lam_event event;

    MODEL_CHECK(lam_ring_consumer_attach(consumer, &world.ring, &gating, NULL) == 0);
    model_mark(1 + consumer->index);
    while (consumer->ordinal < 3) {
        world_next(consumer, &event);
        MODEL_CHECK(world_check(&world.ring, &event) == consumer->ordinal);
        MODEL_CHECK(lam_ring_consumer_release(consumer) == 0);
    }
}

const struct scenario scenarios_death[] = {
    {.program = {.name = "a successor goes on where the dead one stopped",
         .thread_count = 3,
         .threads = {publish_and_die, succeed, read_both},
         .set_up = set_up_worn,
         .mortal = 1},
        .marks = 5,
        .deviations = 2,
        .schedules_max = 10000,
        .kills = {{"lam_ring_producer_advance", "store_release"}}},
    {.program = {.name = "who joins while the producer dies is not run over",
         .thread_count = 3,
         .threads = {join_between, publish_one_and_die, succeed},
         .set_up = set_up_full,
         .mortal = 2},
        .marks = 2,
        .deviations = 3,
        .schedules_max = 20000,
        .kills = {{"settle_gating", "fence_seq_cst"}}},
    {.program = {.name = "a dead consumer holds nobody, its place is another's",
         .thread_count = 3,
         .threads = {publish_past_the_dead, read_and_die, join_after_the_dead},
         .set_up = set_up_held,
         .mortal = 2},
        .marks = 3,
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"lam_ring_consumer_release_to", "store_release"}}},
    {.program = {.name = NULL}},
};
