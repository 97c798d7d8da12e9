/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holes that dead producers leave among many: they are passed over by whoever comes upon them, and
 * nobody who is only slow is.
 */
#include "many_internal.h"
#include "scenario.h"

#include <errno.h>

static const struct lam_ring_consumer_options gating = {
    .start = LAM_RING_OLDEST, .wait = LAM_WAIT_SPIN};
static const struct lam_ring_consumer_options sleepy = {
    .start = LAM_RING_OLDEST, .wait = LAM_WAIT_FUTEX};

/* As in many.c: one event of each was published and consumed; at depth 256 there is room. */
static void set_up_ends(uint64_t depth, enum lam_ring_waiting waiting)
{
    struct lam_event event;

    world_begin_many(depth, waiting, UINT64_MAX - 2);
    world_add_many(0, 0);
    world_add_many(1, 1);
    world_add_consumer(0, 2, waiting == LAM_RING_MAY_SLEEP ? &sleepy : &gating);
    for (uint32_t i = 0; i < 2; i++) {
        world_publish_many(&world.many[i], 1, 1 + i);
        LAM_ASSERT(lam_ring_consumer_try_peek(&world.consumers[0], &event) == 1);
    }
    (void)lam_ring_consumer_release(&world.consumers[0]);
}

static void claim_and_die(uint64_t cell_count)
{
    void *payload = NULL;

    LAM_ASSERT(
        lam_ring_many_try_claim(&world.many[0], world_payload_bytes(cell_count), &payload) == 1);
    lam_lock_drop(&world.many[0].lock); /* as the kernel does for the dead */
}

/* Takes events, looking who is alive, to the end of the stream. */
static void consume_looking(struct lam_ring_consumer *consumer, uint64_t *seen)
{
    struct lam_event event;
    uint64_t number, last[2] = {0};
    int rc;

    while ((rc = world_peek_looking(consumer, &event)) == 1) {
        number = world_check(&world.ring, &event);
        MODEL_CHECK(!(*seen >> number & 1));
        /* Odd ones are the first producer's, even ones the second's: each in its order. */
        MODEL_CHECK(number > last[number % 2]);
        last[number % 2] = number;
        *seen |= UINT64_C(1) << number;
        MODEL_CHECK(lam_ring_consumer_release(consumer) == 0);
    }
    MODEL_CHECK(rc == -EPIPE || rc == -EOWNERDEAD);
}

static void consume_all_looking(void)
{
    consume_looking(&world.consumers[0], &world.notes[0]);
}

/* --- who is between claim and commit is not passed over --- */

static void set_up_slow(void)
{
    set_up_ends(256, LAM_RING_SPIN_ONLY);
    world_ready();
}

static void publish_3_and_5(void)
{
    world_publish_many(&world.many[0], 2, 3);
    world_publish_many(&world.many[0], 1, 5);
}

static void consume_3_and_5(void)
{
    struct lam_event event;

    for (uint64_t number = 3; number <= 5; number += 2) {
        MODEL_CHECK(world_peek_looking(&world.consumers[0], &event) == 1);
        MODEL_CHECK(world_check(&world.ring, &event) == number);
        MODEL_CHECK(lam_ring_consumer_release(&world.consumers[0]) == 0);
    }
}

/* --- what a dead one leaves is passed over, and nothing else --- */

static void publish_3_and_5_and_die(void)
{
    publish_3_and_5();
    lam_ring_many_close(&world.many[0]);
}

static void publish_4_and_6(void)
{
    world_publish_many(&world.many[1], 1, 4);
    world_publish_many(&world.many[1], 1, 6);
    lam_ring_many_close(&world.many[1]);
}

static void all_were_seen(void)
{
    uint64_t seen = world.notes[0];

    MODEL_CHECK((seen & 0x50) == 0x50);
    MODEL_CHECK(model_is_dead(0) || (seen & 0x28) == 0x28);
    model_mark(!model_is_dead(0) ? 0 : (seen & 0x28) == 0 ? 1 : (seen & 0x28) == 0x28 ? 2 : 3);
    if (lam_load_relaxed(&world.ring.control_head->repairs) != 0)
        model_mark(4);
}

/* The same where each claim asks for room: the second producer repairs, too. */
static void set_up_shallow(void)
{
    set_up_ends(4, LAM_RING_SPIN_ONLY);
    world_ready();
}

/* --- of two who repair, one does --- */

/* A hole of two cells, and an event behind it. */
static void set_up_hole(void)
{
    set_up_ends(256, LAM_RING_SPIN_ONLY);
    world_add_consumer(1, 0, &gating);
    claim_and_die(2);
    world_ready();
}

static void consume_4(struct lam_ring_consumer *consumer)
{
    struct lam_event event;

    do {
        MODEL_CHECK(world_peek_looking(consumer, &event) == 1);
    } while (world_check(&world.ring, &event) != 4);
}

static void consume_4_looking(void)
{
    consume_4(&world.consumers[0]);
}

static void consume_4_beside(void)
{
    consume_4(&world.consumers[1]);
}

static void publish_4(void)
{
    world_publish_many(&world.many[1], 1, 4);
}

static void it_was_one(void)
{
    MODEL_CHECK(lam_load_relaxed(&world.ring.control_head->repairs) == 1);
}

/* --- who is lapped while it looks fills nothing of the living --- */

/* Of two cells one is a hole; nobody gates. */
static void set_up_lap(void)
{
    world_begin_many(2, LAM_RING_SPIN_ONLY, 0);
    world_add_many(0, 0);
    world_add_many(1, 1);
    claim_and_die(1);
    world_ready();
}

static void repair_late(void)
{
    (void)lam_ring_repair(&world.ring, 0);
}

/* The first asks for room, and so fills the hole; the second lies over it. */
static void publish_a_lap(void)
{
    world_publish_many(&world.many[1], 1, 4);
    world_publish_many(&world.many[1], 1, 6);
}

static void the_last_is_whole(void)
{
    const struct lam_event_header *head = lam_ring_head(&world.ring, 2);

    MODEL_CHECK(lam_load_acquire(&head->stamp) == 2);
    MODEL_CHECK((uint16_t)(lam_load_relaxed(&head->shape) >> 32) == 6);
    it_was_one();
}

/* --- a sleeping consumer is woken by a repair --- */

static void set_up_hole_before_4(void)
{
    set_up_ends(256, LAM_RING_MAY_SLEEP);
    world_add_consumer(1, 0, &sleepy);
    claim_and_die(2);
    world_publish_many(&world.many[1], 1, 4);
    world_ready();
}

static void repair(void)
{
    consume_4(&world.consumers[1]);
}

static void sleep_for_4(void)
{
    struct lam_event event;

    MODEL_CHECK(lam_ring_consumer_peek_until(&world.consumers[0], LAM_DEADLINE_NEVER, &event) == 0);
    MODEL_CHECK(world_check(&world.ring, &event) == 4);
}

/* --- who takes the entry of a dead one does not answer for its hole --- */

static void set_up_hole_of_0(void)
{
    set_up_ends(256, LAM_RING_SPIN_ONLY);
    claim_and_die(2);
    world_publish_many(&world.many[1], 1, 4);
    world_ready();
}

static void come_after_the_dead(void)
{
    struct lam_ring_many_producer *producer = &world.many[2];

    MODEL_CHECK(lam_ring_many_attach(producer, &world.ring, NULL, NULL) == 0);
    MODEL_CHECK(producer->index == world.many[0].index);
    world_publish_many(producer, 1, 6);
}

static void consume_4_and_6(void)
{
    struct lam_event event;

    for (uint64_t number = 4; number <= 6; number += 2) {
        MODEL_CHECK(world_peek_looking(&world.consumers[0], &event) == 1);
        MODEL_CHECK(world_check(&world.ring, &event) == number);
    }
}

static void nobody(void)
{
}

const struct scenario scenarios_repair[] = {
    {.program = {.name = "who is between claim and commit is not passed over",
         .thread_count = 3,
         .threads = {publish_3_and_5, nobody, consume_3_and_5},
         .set_up = set_up_slow},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"lam_ring_many_try_claim", "store_release"},
            {"lam_ring_many_try_claim", "cas_acq_rel"}}},
    {.program = {.name = "what a dead one of many leaves is passed over",
         .thread_count = 3,
         .threads = {publish_3_and_5_and_die, publish_4_and_6, consume_all_looking},
         .finally = all_were_seen,
         .set_up = set_up_slow,
         .mortal = 1},
        .marks = 5,
        .deviations = 3,
        .schedules_max = 20000,
        .kills = {{"lam_ring_many_publish_padding", "store_release"},
            {"lam_ring_many_try_claim", "cas_acq_rel"}}},
    {.program = {.name = "what a dead one of many leaves holds no room",
         .thread_count = 3,
         .threads = {publish_3_and_5_and_die, publish_4_and_6, consume_all_looking},
         .finally = all_were_seen,
         .set_up = set_up_shallow,
         .mortal = 1},
        .marks = 5,
        .deviations = 2,
        .schedules_max = 10000,
        .kills = {{"lam_ring_many_publish_padding", "store_release"},
            {"lam_ring_consumer_release_to", "store_release"}}},
    {.program = {.name = "of two who repair one does",
         .thread_count = 3,
         .threads = {consume_4_beside, publish_4, consume_4_looking},
         .finally = it_was_one,
         .set_up = set_up_hole},
        .deviations = 3,
        .schedules_max = 20000,
        .kills = {{"lam_ring_many_publish_padding", "store_release"}}},
    {.program = {.name = "who is lapped while it looks fills nothing",
         .thread_count = 2,
         .threads = {repair_late, publish_a_lap},
         .finally = the_last_is_whole,
         .set_up = set_up_lap},
        .deviations = 4,
        .schedules_max = 20000},
    {.program = {.name = "a sleeping consumer is woken by a repair",
         .thread_count = 3,
         .threads = {repair, nobody, sleep_for_4},
         .set_up = set_up_hole_before_4},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"lam_ring_repair", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "who takes a dead one's entry is not behind its hole",
         .thread_count = 3,
         .threads = {come_after_the_dead, nobody, consume_4_and_6},
         .set_up = set_up_hole_of_0},
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"lam_ring_many_publish_padding", "store_release"}}},
    {.program = {.name = NULL}},
};
