/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many producers of one ring: claims, what is given back, room, who joins beside them, how they
 * wait and how they end. What the dead among them leave is in repair.c.
 */
#include "layout.h"
#include "scenario.h"

#include <errno.h>

static const struct lam_ring_consumer_options gating = {
    .start = LAM_RING_OLDEST, .wait = LAM_WAIT_SPIN};
static const struct lam_ring_consumer_options sleepy = {
    .start = LAM_RING_OLDEST, .wait = LAM_WAIT_FUTEX};

/*
 * So deep that nobody looks for room: one event of each was published and consumed, and what comes
 * next lies within their limits.
 */
static void set_up_ends(enum lam_ring_waiting waiting)
{
    const struct lam_ring_consumer_options *options =
        waiting == LAM_RING_MAY_SLEEP ? &sleepy : &gating;
    struct lam_event event;

    world_begin_many(256, waiting, UINT64_MAX - 2);
    world_add_many(0, 0);
    world_add_many(1, 1);
    world_add_consumer(0, 2, options);
    for (uint32_t i = 0; i < 2; i++) {
        world_publish_many(&world.many[i], 1, 1 + i);
        LAM_ASSERT(lam_ring_consumer_try_peek(&world.consumers[0], &event) == 1);
    }
    (void)lam_ring_consumer_release(&world.consumers[0]);
}

static void set_up_spinning(void)
{
    set_up_ends(LAM_RING_SPIN_ONLY);
    world_ready();
}

static void set_up_sleeping(void)
{
    set_up_ends(LAM_RING_MAY_SLEEP);
    world_ready();
}

/* Events of the numbers @first to @last come, each once, in any order. */
static void consume_each(uint64_t first, uint64_t last)
{
    struct lam_event event;
    uint64_t seen = 0;

    for (uint64_t i = first; i <= last; i++) {
        uint64_t number;

        MODEL_CHECK(world_peek(&world.consumers[0], &event) == 1);
        number = world_check(&world.ring, &event);
        MODEL_CHECK(number >= first && number <= last && !(seen >> number & 1));
        seen |= UINT64_C(1) << number;
        MODEL_CHECK(lam_ring_consumer_release(&world.consumers[0]) == 0);
    }
}

/* --- events come whole, each once --- */

static void publish_3(void)
{
    world_publish_many(&world.many[0], 1, 3);
}

static void publish_4(void)
{
    world_publish_many(&world.many[1], 2, 4);
}

static void consume_3_and_4(void)
{
    consume_each(3, 4);
}

/* --- what is given back, or left over, is passed over --- */

static void give_back(void)
{
    void *payload = NULL;

    MODEL_CHECK(lam_ring_many_try_claim(&world.many[0], world_payload_bytes(2), &payload) == 1);
    lam_ring_many_abort(&world.many[0]);
    publish_3();
}

static void leave_over(void)
{
    struct lam_ring_many_producer *producer = &world.many[1];
    void *payload = NULL;

    MODEL_CHECK(lam_ring_many_try_claim(producer, world_payload_bytes(3), &payload) == 1);
    world_write(&world.ring, payload, producer->start, 1, 4);
    lam_ring_many_commit(producer, world_payload_bytes(1), 4, 0);
}

/* --- nothing is overwritten that was not released --- */

static void set_up_full(void)
{
    world_begin_many(4, LAM_RING_SPIN_ONLY, UINT64_MAX - 2);
    world_add_many(0, 0);
    world_add_many(1, 1);
    world_add_consumer(0, 2, &gating);
    for (uint64_t number = 1; number <= 2; number++)
        world_publish_many(&world.many[0], 1, number);
    world_ready();
}

static void consume_1_to_4(void)
{
    consume_each(1, 4);
}

/* --- who joins beside many holds them, or moves up --- */

enum { LAST = 5 };

static void set_up_unheld(void)
{
    world_begin_many(4, LAM_RING_SPIN_ONLY, UINT64_MAX - 3);
    world_add_many(0, 0);
    world_add_many(1, 0);
    for (uint64_t number = 1; number <= 3; number++)
        world_publish_many(&world.many[0], 1, number);
    world_ready();
}

static void publish_in_turns(void)
{
    world_publish_many(&world.many[0], 2, 4);
    world_publish_many(&world.many[1], 1, LAST);
}

/* Each event from where it joined on. */
static void join_at_oldest(void)
{
    struct lam_ring_consumer *consumer = &world.consumers[0];
    struct lam_event event;
    uint64_t number;

    MODEL_CHECK(lam_ring_consumer_attach(consumer, &world.ring, &gating, NULL) == 0);
    model_mark(consumer->ordinal == 0 ? 0 : 1);
    do {
        world_next(consumer, &event);
        number = world_check(&world.ring, &event);
        MODEL_CHECK(number == consumer->ordinal);
        MODEL_CHECK(lam_ring_consumer_release(consumer) == 0);
    } while (consumer->ordinal < LAST);
}

/* --- waypoints that many set agree --- */

/* One a cell, sixteen a lap, of events of one cell: each counts the cells before it. */
enum { FIRST_WAYPOINT = 100, SET_BEFORE = 18 };

static void set_up_waypoints(void)
{
    world_begin_many(16, LAM_RING_SPIN_ONLY, FIRST_WAYPOINT);
    world_add_many(0, 0);
    world_add_many(1, 1);
    for (uint64_t number = 1; number <= SET_BEFORE; number++)
        world_publish_many(&world.many[0], 1, number);
    world_ready();
}

static void publish_bare(struct lam_ring_many_producer *producer, uint64_t count)
{
    void *payload = NULL;

    for (uint64_t i = 0; i < count; i++) {
        while (lam_ring_many_try_claim(producer, world_payload_bytes(1), &payload) != 1)
            lam_pause();
        lam_ring_many_commit(producer, world_payload_bytes(1), 1, 0);
    }
}

static void publish_two_bare(void)
{
    publish_bare(&world.many[0], 2);
}

static void publish_one_bare(void)
{
    publish_bare(&world.many[1], 1);
}

static void join_lossy(struct lam_ring_consumer *consumer, enum lam_ring_start start)
{
    const struct lam_ring_consumer_options lossy = {
        .start = start, .policy = LAM_RING_LOSSY, .wait = LAM_WAIT_SPIN};

    if (lam_ring_consumer_attach(consumer, &world.ring, &lossy, NULL) == 0)
        MODEL_CHECK(consumer->ordinal == consumer->next - FIRST_WAYPOINT);
}

static void join_at_waypoints(void)
{
    join_lossy(&world.consumers[0], LAM_RING_OLDEST);
    join_lossy(&world.consumers[1], LAM_RING_HEAD);
}

static void waypoints_agree(void)
{
    const struct lam_ring_data *data = world.ring.data_head;
    uint64_t count = lam_load_acquire(&data->waypoint_count);

    model_mark(count > SET_BEFORE + 1);
    for (uint32_t i = 0; i < LAM_RING_WAYPOINT_COUNT; i++) {
        const struct lam_ring_waypoint *waypoint = &data->waypoints[i];

        MODEL_CHECK(lam_load_relaxed(&waypoint->ordinal) ==
                    lam_load_relaxed(&waypoint->sequence) - FIRST_WAYPOINT);
    }
}

/* --- the end comes when the last has closed --- */

static void close_0(void)
{
    lam_ring_many_close(&world.many[0]);
}

static void publish_4_and_close(void)
{
    publish_4();
    lam_ring_many_close(&world.many[1]);
}

static void consume_to_the_end(void)
{
    struct lam_event event;

    consume_each(4, 4);
    MODEL_CHECK(world_peek(&world.consumers[0], &event) == -EPIPE);
}

/* --- who comes while the last one closes finds it open, or opens it --- */

static void set_up_last(void)
{
    world_begin_many(16, LAM_RING_SPIN_ONLY, 0);
    world_add_many(0, 0);
    world_ready();
}

static void come_late(void)
{
    MODEL_CHECK(lam_ring_many_attach(&world.many[1], &world.ring, NULL, NULL) == 0);
    model_own_lock(&world.many[1].lock, 1);
}

static void see_it_open(void)
{
    MODEL_CHECK(lam_ring_state_of(lam_load_acquire(&world.ring.data_head->state)) == LAM_RING_OPEN);
}

/* --- sleep --- */

static void sleep_for(uint64_t first, uint64_t last)
{
    struct lam_event event;

    for (uint64_t i = first; i <= last; i++) {
        uint64_t number;

        MODEL_CHECK(
            lam_ring_consumer_peek_until(&world.consumers[0], LAM_DEADLINE_NEVER, &event) == 0);
        number = world_check(&world.ring, &event);
        MODEL_CHECK(number >= first && number <= last);
    }
}

static void sleep_for_3(void)
{
    sleep_for(3, 3);
}

static void sleep_for_3_and_4(void)
{
    sleep_for(3, 4);
}

/* Its claim comes first in the order of the ring; the other's event waits behind it. */
static void set_up_claimed(void)
{
    void *payload = NULL;

    set_up_ends(LAM_RING_MAY_SLEEP);
    LAM_ASSERT(lam_ring_many_try_claim(&world.many[1], world_payload_bytes(1), &payload) == 1);
    world_publish_many(&world.many[0], 1, 3);
    world_ready();
}

static void abort_claim(void)
{
    lam_ring_many_abort(&world.many[1]);
}

static void close_1(void)
{
    lam_ring_many_close(&world.many[1]);
}

static void sleep_for_the_end(void)
{
    struct lam_event event;

    MODEL_CHECK(
        lam_ring_consumer_peek_until(&world.consumers[0], LAM_DEADLINE_NEVER, &event) == -EPIPE);
}

static void set_up_no_room(void)
{
    world_begin_many(2, LAM_RING_MAY_SLEEP, 0);
    world_add_many(0, 0);
    world_add_many(1, 1);
    world_add_consumer(0, 2, &sleepy);
    world_publish_many(&world.many[0], 1, 1);
    world_ready();
}

static void claim_asleep(struct lam_ring_many_producer *producer, uint64_t number)
{
    void *payload = NULL;

    MODEL_CHECK(lam_ring_many_claim_until(
                    producer, world_payload_bytes(1), LAM_DEADLINE_NEVER, &payload) == 0);
    world_commit_many(producer, payload, number);
}

static void claim_0_asleep(void)
{
    claim_asleep(&world.many[0], 2);
}

static void claim_1_asleep(void)
{
    claim_asleep(&world.many[1], 3);
}

static void release_1(void)
{
    consume_each(1, 1);
}

static void release_1_to_3(void)
{
    consume_each(1, 1);
    consume_each(2, 3);
}

static void nobody(void)
{
}

/* All is claimed, and nobody gates: only the commit makes room. */
static void set_up_unpublished(void)
{
    void *payload = NULL;

    world_begin_many(2, LAM_RING_MAY_SLEEP, 0);
    world_add_many(0, 0);
    world_add_many(1, 1);
    LAM_ASSERT(lam_ring_many_try_claim(&world.many[0], world_payload_bytes(1), &payload) == 1);
    world_ready();
}

static void commit_0(void)
{
    lam_ring_many_commit(&world.many[0], world_payload_bytes(1), 1, 0);
}

const struct scenario scenarios_many[] = {
    {.program = {.name = "events of many come whole, each once",
         .thread_count = 3,
         .threads = {publish_3, publish_4, consume_3_and_4},
         .set_up = set_up_spinning},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"lam_ring_many_commit", "store_release"},
            {"lam_ring_consumer_try_peek", "load_acquire"}}},
    {.program = {.name = "what many give back or leave over is passed over",
         .thread_count = 3,
         .threads = {give_back, leave_over, consume_3_and_4},
         .set_up = set_up_spinning},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"lam_ring_many_publish_padding", "store_release"},
            {"lam_ring_many_commit", "store_release"}}},
    {.program = {.name = "many overwrite nothing before it is released",
         .thread_count = 3,
         .threads = {publish_3, publish_4, consume_1_to_4},
         .set_up = set_up_full},
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"lam_ring_consumer_release_to", "store_release"}, {"scan", "load_acquire"}}},
    {.program = {.name = "who joins beside many holds them, or moves up",
         .thread_count = 2,
         .threads = {publish_in_turns, join_at_oldest},
         .set_up = set_up_unheld},
        .marks = 2,
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"try_room", "fence_seq_cst"}, {"settle_gating", "fence_seq_cst"}}},
    {.program = {.name = "waypoints that many set agree",
         .thread_count = 3,
         .threads = {publish_two_bare, publish_one_bare, join_at_waypoints},
         .finally = waypoints_agree,
         .set_up = set_up_waypoints},
        .marks = 2,
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"set_waypoint", "cas_acq_rel"}, {"recent_place", "fence_acquire"},
            {"recent_place", "load_acquire"}, {"survey_once", "load_acquire"}}},
    {.program = {.name = "the end comes when the last of many has closed",
         .thread_count = 3,
         .threads = {close_0, publish_4_and_close, consume_to_the_end},
         .set_up = set_up_spinning},
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"lam_ring_many_close", "fence_seq_cst"}, {"close_ring", "cas_acq_rel"},
            {"lam_ring_consumer_end_of_stream", "load_acquire"}}},
    {.program = {.name = "who comes while the last one closes opens again",
         .thread_count = 2,
         .threads = {close_0, come_late},
         .finally = see_it_open,
         .set_up = set_up_last},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"sign_entry", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping consumer is woken by each of many",
         .thread_count = 3,
         .threads = {publish_3, publish_4, sleep_for_3_and_4},
         .set_up = set_up_sleeping},
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"lam_ring_many_commit", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping consumer is woken by a claim given back",
         .thread_count = 3,
         .threads = {nobody, abort_claim, sleep_for_3},
         .set_up = set_up_claimed},
        .kills = {{"lam_ring_many_abort", "fence_seq_cst"},
            {"lam_ring_consumer_announce", "fence_seq_cst"}}},
    {.program = {.name = "a sleeping consumer is woken by the last that closes",
         .thread_count = 3,
         .threads = {close_0, close_1, sleep_for_the_end},
         .set_up = set_up_sleeping},
        .deviations = 3,
        .schedules_max = 10000,
        .kills = {{"close_ring", "fence_seq_cst"}, {"lam_ring_consumer_announce", "fence_seq_cst"},
            {"lam_ring_many_close", "fence_seq_cst"}}},
    {.program = {.name = "one of many that sleeps is woken by a release",
         .thread_count = 3,
         .threads = {claim_0_asleep, nobody, release_1},
         .set_up = set_up_no_room},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"park_on_consumer", "fence_seq_cst"},
            {"lam_ring_consumer_release_to", "fence_seq_cst"}}},
    {.program = {.name = "all of many that sleep are woken by a release",
         .thread_count = 3,
         .threads = {claim_0_asleep, claim_1_asleep, release_1_to_3},
         .set_up = set_up_no_room},
        .deviations = 2,
        .schedules_max = 10000,
        .kills = {{"park_on_consumer", "fence_seq_cst"},
            {"lam_ring_consumer_release_to", "fence_seq_cst"}}},
    {.program = {.name = "one of many that sleeps is woken by a commit",
         .thread_count = 2,
         .threads = {commit_0, claim_1_asleep},
         .set_up = set_up_unpublished},
        .deviations = 4,
        .schedules_max = 20000,
        .kills = {{"park_on_producer", "fence_seq_cst"},
            {"lam_ring_many_commit", "fence_seq_cst"}}},
    {.program = {.name = NULL}},
};
