/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every answer of the ends' calls, at the edges of capacity, and what joins and leaves do.
 * Method: producer and consumers of one process on an anonymous ring of few cells.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "layout.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define DEPTH 16

static struct lam_ring ring;
static struct lam_ring_producer producer;
static struct lam_ring_consumer consumer;
static struct lam_error error;

static void open_ring(uint64_t first_sequence, enum lam_ring_waiting waiting)
{
    struct lam_ring_options options = {
        .name = "ends", .depth = DEPTH, .first_sequence = first_sequence, .waiting = waiting};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &ring, NULL, &error), 0));
}

static void setup(void)
{
    open_ring(0, LAM_RING_MAY_SLEEP);
}

static void teardown(void)
{
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    (void)lam_ring_destroy(&ring);
}

TestSuite(ends, .init = setup, .fini = teardown, .timeout = 20);

static int publish(uint64_t value)
{
    void *payload = NULL;
    int rc = lam_ring_producer_try_claim(&producer, sizeof(value), &payload);

    if (rc == 1) {
        memcpy(payload, &value, sizeof(value));
        lam_ring_producer_commit(&producer, sizeof(value), 1, 0);
    }
    return rc;
}

static uint64_t take(struct lam_ring_consumer *from)
{
    struct lam_event event = {.payload = NULL};
    uint64_t value = 0;

    cr_assert(eq(int, lam_ring_consumer_try_peek(from, &event), 1));
    memcpy(&value, event.payload, sizeof(value));
    lam_ring_consumer_release(from);
    return value;
}

Test(ends, depth_less_one_cell_can_be_used_and_one_release_makes_room_for_one)
{
    for (uint64_t i = 0; i < DEPTH - 1; i++)
        cr_assert(eq(int, publish(i), 1));
    cr_assert(eq(int, publish(99), 0));
    cr_assert(eq(u64, take(&consumer), 0));
    cr_assert(eq(int, publish(DEPTH - 1), 1));
    cr_assert(eq(int, publish(99), 0));
    for (uint64_t i = 1; i < DEPTH; i++)
        cr_assert(eq(u64, take(&consumer), i));
}

Test(ends, half_the_ring_is_an_event_and_one_byte_more_is_too_large)
{
    uint64_t bytes_max = lam_ring_payload_bytes_max(&ring);
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(u64, bytes_max, DEPTH / 2 * 64 - 16));
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, bytes_max + 1, &payload), -EMSGSIZE));
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, UINT64_MAX, &payload), -EMSGSIZE));
    for (int lap = 0; lap < 50; lap++) {
        cr_assert(eq(int, lam_ring_producer_try_claim(&producer, bytes_max, &payload), 1));
        memset(payload, lap, bytes_max);
        lam_ring_producer_commit(&producer, bytes_max, 0, 0);
        cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
        cr_assert(eq(u64, event.payload_bytes, bytes_max));
        for (uint64_t i = 0; i < bytes_max; i++)
            cr_assert_eq(((const uint8_t *)event.payload)[i], (uint8_t)lap);
        lam_ring_consumer_release(&consumer);
        cr_assert(eq(int, publish(1), 1)); /* so that the next lap starts one cell on */
        cr_assert(eq(u64, take(&consumer), 1));
    }
}

Test(ends, an_empty_event_is_an_event)
{
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 0, &payload), 1));
    lam_ring_producer_commit(&producer, 0, 7, 0);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    cr_assert(eq(u32, event.payload_bytes, 0));
    cr_assert(eq(u16, event.kind, 7));
}

Test(ends, what_is_claimed_and_not_committed_is_not_seen)
{
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 100, &payload), 1));
    memset(payload, 0, 100); /* zero is the sequence of the first cell */
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
    lam_ring_producer_abort(&producer);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
    cr_assert(eq(int, publish(5), 1));
    cr_assert(eq(u64, take(&consumer), 5));
}

Test(ends, a_batch_is_seen_whole_or_not_at_all)
{
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 4), 1));
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, lam_ring_producer_stage(&producer, 8, 1, 0, &payload), 1));
    cr_assert(eq(int, lam_ring_producer_stage(&producer, 8, 1, 0, &payload), 0));
    cr_assert(eq(int, lam_ring_producer_stage(&producer, UINT64_MAX, 1, 0, &payload), -EMSGSIZE));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
    lam_ring_producer_abort(&producer);
    cr_assert(eq(int, publish(1), 1));
    cr_assert(eq(u64, take(&consumer), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));

    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 4), 1));
    cr_assert(eq(int, lam_ring_producer_stage(&producer, 8, 1, 0, &payload), 1));
    cr_assert(eq(int, lam_ring_producer_stage(&producer, 100, 2, 0, &payload), 1));
    lam_ring_producer_commit_batch(&producer);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    cr_assert(eq(u32, event.payload_bytes, 100));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));

    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, DEPTH), -EMSGSIZE));
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3), 1));
    lam_ring_producer_commit_batch(&producer); /* nothing staged */
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
}

Test(ends, several_peeked_events_are_released_one_by_one)
{
    struct lam_event events[4];

    for (uint64_t i = 0; i < DEPTH - 1; i++)
        cr_assert(eq(int, publish(i), 1));
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &events[i]), 1));
    cr_assert(eq(int, publish(1), 0));
    lam_ring_consumer_release_to(&consumer, events[1].end);
    cr_assert(eq(int, publish(1), 1));
    cr_assert(eq(int, publish(1), 1));
    cr_assert(eq(int, publish(1), 0));
    cr_assert(eq(u64, *(const uint64_t *)events[3].payload, 3));
    lam_ring_consumer_release(&consumer);
    cr_assert(eq(int, publish(1), 1));
}

Test(ends, every_consumer_sees_every_event_and_the_slowest_holds_the_producer)
{
    struct lam_ring_consumer more[LAM_RING_CONSUMER_COUNT_MAX - 1];
    struct lam_ring_consumer_options options = {.name = "slow"};
    struct lam_ring_blocker blocker;
    struct lam_ring_consumer one_more;
    int count = LAM_RING_CONSUMER_COUNT_MAX - 1;

    for (int i = 0; i < count; i++)
        cr_assert(eq(
            int, lam_ring_consumer_attach(&more[i], &ring, i == 5 ? &options : NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&one_more, &ring, NULL, &error), -EUSERS));
    cr_assert(ne(ptr, strstr(error.text, "64"), NULL));
    for (uint64_t i = 0; i < DEPTH - 1; i++)
        cr_assert(eq(int, publish(i), 1));
    for (uint64_t i = 0; i < DEPTH - 1; i++) {
        cr_assert(eq(u64, take(&consumer), i));
        for (int k = 0; k < count; k++)
            if (k != 5)
                cr_assert(eq(u64, take(&more[k]), i));
    }
    cr_assert(eq(int, publish(0), 0));
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "slow"));
    cr_assert(eq(u64, blocker.lag_cells, DEPTH - 1));
    lam_ring_consumer_detach(&more[5]);
    cr_assert(eq(int, publish(0), 1)); /* who left holds nobody back */
    for (int i = 0; i < count; i++)
        lam_ring_consumer_detach(&more[i]);
}

Test(ends, a_name_is_taken_while_its_consumer_lives)
{
    struct lam_ring_consumer_options options = {.name = "reader"};
    struct lam_ring_consumer first, second;
    char long_name[80];

    memset(long_name, 'n', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    cr_assert(eq(int, lam_ring_consumer_attach(&first, &ring, &options, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, &options, &error), -EEXIST));
    cr_assert(ne(ptr, strstr(error.text, "reader"), NULL));
    lam_ring_consumer_detach(&first);
    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, &options, &error), 0));
    lam_ring_consumer_detach(&second);
    options.name = "";
    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, &options, &error), -EINVAL));
    options.name = long_name;
    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, &options, &error), -EINVAL));
}

Test(ends, head_sees_what_comes_and_oldest_what_the_ring_still_holds)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST};
    struct lam_ring_consumer late;
    struct lam_event event = {.payload = NULL};

    for (uint64_t i = 0; i < 5; i++)
        cr_assert(eq(int, publish(i), 1));
    cr_assert(eq(int, lam_ring_consumer_attach(&late, &ring, &options, &error), 0));
    for (uint64_t i = 0; i < 5; i++)
        cr_assert(eq(u64, take(&late), i));
    lam_ring_consumer_detach(&late);
    cr_assert(eq(int, lam_ring_consumer_attach(&late, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&late, &event), 0));
    cr_assert(eq(int, publish(5), 1));
    cr_assert(eq(u64, take(&late), 5));
    lam_ring_consumer_detach(&late);
}

Test(ends, without_consumers_the_producer_runs_free_and_the_oldest_lap_is_kept)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST};
    struct lam_ring_consumer late;
    uint64_t first;

    lam_ring_consumer_detach(&consumer);
    for (uint64_t i = 0; i < 1000; i++)
        cr_assert(eq(int, publish(i), 1));
    cr_assert(eq(int, lam_ring_consumer_attach(&late, &ring, &options, &error), 0));
    first = take(&late);
    cr_assert(first >= 1000 - DEPTH && first <= 1000 - DEPTH + 3, "%d", (int)first);
    for (uint64_t i = first + 1; i < 1000; i++)
        cr_assert(eq(u64, take(&late), i));
    lam_ring_consumer_detach(&late);
}

Test(ends, closed_is_told_after_the_last_event_and_the_next_epoch_opens_again)
{
    struct lam_event event = {.payload = NULL};
    struct lam_ring_stat stat;
    void *payload = NULL;

    cr_assert(eq(int, publish(1), 1));
    lam_ring_producer_close(&producer);
    lam_ring_producer_close(&producer); /* twice is once */
    producer.limit = producer.next;     /* so that the next claim takes the slow path */
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 8, &payload), -EPIPE));
    cr_assert(eq(u64, take(&consumer), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), -EPIPE));
    cr_assert(eq(int, lam_ring_consumer_peek_until(&consumer, LAM_DEADLINE_NEVER, &event), -EPIPE));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(int, (int)stat.state, LAM_RING_CLOSED));
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
    cr_assert(eq(int, publish(2), 1));
    cr_assert(eq(u64, take(&consumer), 2));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.epoch, 2));
}

Test(ends, a_producer_that_goes_without_closing_is_dead)
{
    struct lam_event event = {.payload = NULL};

    cr_assert(eq(int, publish(1), 1));
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_consumer_peek_until(&consumer, LAM_DEADLINE_NEVER, &event), 0));
    cr_assert(
        eq(int, lam_ring_consumer_peek_until(&consumer, LAM_DEADLINE_NEVER, &event), -EOWNERDEAD));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), -EOWNERDEAD));
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
}

Test(ends, a_producer_that_dies_with_all_of_the_ring_claimed_has_a_successor)
{
    struct lam_ring_options options = {.name = "whole", .depth = 64};
    struct lam_ring_producer first, second;
    struct lam_ring whole;

    /* Few events, so that the newest waypoint lies behind what the claim needs. */
    for (uint64_t count = 0; count < 9; count++) {
        void *payload = NULL;

        cr_assert(eq(int, lam_ring_create(&whole, &options, &error), 0), "%s", error.text);
        cr_assert(eq(int, lam_ring_producer_attach(&first, &whole, NULL, &error), 0));
        for (uint64_t i = 0; i < count; i++) {
            cr_assert(eq(int, lam_ring_producer_try_claim(&first, 8, &payload), 1));
            lam_ring_producer_commit(&first, 8, 1, 0);
        }
        cr_assert(eq(int, lam_ring_producer_try_claim_batch(&first, 63), 1));
        lam_ring_producer_detach(&first);
        cr_assert(
            eq(int, lam_ring_producer_attach(&second, &whole, NULL, &error), 0), "%s", error.text);
        cr_assert(eq(u64, second.next, count));
        cr_assert(eq(u64, second.ordinal, count));
        lam_ring_producer_detach(&second);
        (void)lam_ring_destroy(&whole);
    }
}

Test(ends, one_producer_at_a_time)
{
    struct lam_ring_producer second;

    cr_assert(eq(int, lam_ring_producer_attach(&second, &ring, NULL, &error), -EBUSY));
    cr_assert(ne(ptr, strstr(error.text, "live producer"), NULL));
}

Test(ends, waits_end_at_their_deadline_in_every_mode)
{
    static const enum lam_wait_mode modes[] = {
        LAM_WAIT_SPIN, LAM_WAIT_YIELD, LAM_WAIT_HYBRID, LAM_WAIT_FUTEX};
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    for (int i = 0; i < DEPTH - 1; i++)
        cr_assert(eq(int, publish(0), 1));
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        uint64_t deadline_ns = lam_deadline_after_ns(12 * LAM_NS_PER_MS);
        struct lam_ring_blocker blocker;

        producer.wait = modes[i];
        cr_assert(eq(
            int, lam_ring_producer_claim_until(&producer, 8, deadline_ns, &payload), -ETIMEDOUT));
        cr_assert(lam_clock_now_ns() >= deadline_ns);
        cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
        cr_assert(blocker.since_ns >= 10 * LAM_NS_PER_MS);
        cr_assert(eq(int, lam_ring_producer_claim_batch_until(&producer, 2, 0), -ETIMEDOUT));
    }
    while (lam_ring_consumer_try_peek(&consumer, &event) == 1)
        lam_ring_consumer_release(&consumer);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        uint64_t deadline_ns = lam_deadline_after_ns(12 * LAM_NS_PER_MS);

        consumer.wait = modes[i];
        cr_assert(
            eq(int, lam_ring_consumer_peek_until(&consumer, deadline_ns, &event), -ETIMEDOUT));
        cr_assert(lam_clock_now_ns() >= deadline_ns);
    }
}

static void *publish_later(void *argument)
{
    (void)argument;
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t until_ns = lam_deadline_after_ns(2 * LAM_NS_PER_MS);

        while (lam_clock_now_ns() < until_ns)
            lam_base->yield();
        (void)publish(i);
    }
    return NULL;
}

Test(ends, a_sleeping_consumer_is_woken)
{
    struct lam_event event = {.payload = NULL};
    struct lam_ring_stat stat;
    pthread_t thread;

    consumer.wait = LAM_WAIT_FUTEX;
    cr_assert(eq(int, pthread_create(&thread, NULL, publish_later, NULL), 0));
    for (uint64_t i = 0; i < 20; i++) {
        cr_assert(eq(int,
            lam_ring_consumer_peek_until(
                &consumer, lam_deadline_after_ns(5 * LAM_NS_PER_S), &event),
            0));
        cr_assert(eq(u64, *(const uint64_t *)event.payload, i));
        lam_ring_consumer_release(&consumer);
    }
    (void)pthread_join(thread, NULL);
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(stat.wakes > 0 && stat.wakes <= 20, "%d wakes", (int)stat.wakes);
    cr_assert(stat.consumers[0].parks > 0);
}

Test(ends, nobody_is_woken_when_nobody_sleeps)
{
    struct lam_ring_stat stat;

    for (uint64_t i = 0; i < 1000; i++) {
        cr_assert(eq(int, publish(i), 1));
        cr_assert(eq(u64, take(&consumer), i));
    }
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.wakes, 0));
    cr_assert(eq(u64, stat.events, 1000));
}

Test(ends, waiting_for_consumers_has_an_end)
{
    cr_assert(eq(int, lam_ring_producer_wait_consumers_until(&producer, 1, 0), 0));
    cr_assert(eq(int,
        lam_ring_producer_wait_consumers_until(
            &producer, 2, lam_deadline_after_ns(3 * LAM_NS_PER_MS)),
        -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_wait_consumers_until(&producer, 65, 0), -EINVAL));
}

Test(ends, an_impossible_length_poisons_the_ring_for_all)
{
    struct lam_ring_consumer second;
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, NULL, &error), 0));
    cr_assert(eq(int, publish(1), 1));
    lam_store_relaxed(&((struct lam_event_header *)(void *)ring.cells)->shape, 0xffffffff);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), -ENOTRECOVERABLE));
    (void)lam_ring_consumer_try_peek(&second, &event);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&second, &event), -ENOTRECOVERABLE));
    producer.limit = producer.next;
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 8, &payload), -ENOTRECOVERABLE));
    lam_ring_consumer_detach(&second);
}

Test(ends, a_cursor_that_cannot_be_is_expelled_and_holds_nobody)
{
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    /* Ahead of the producer. */
    lam_store_relaxed(consumer.cursor, 1000);
    for (uint64_t i = 0; i < DEPTH * 2; i++)
        cr_assert(eq(int, publish(i), 1));
    lam_ring_consumer_detach(&consumer);
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &ring, NULL, &error), 0));
    /* Inside an event. */
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 400, &payload), 1));
    lam_ring_producer_commit(&producer, 400, 0, 0);
    lam_store_relaxed(consumer.cursor, consumer.next + 3);
    for (uint64_t i = 0; i < DEPTH * 2; i++)
        cr_assert(eq(int, publish(i), 1));
    while (lam_ring_consumer_try_peek(&consumer, &event) == 1)
        ;
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), -ESTALE));
}

Test(ends, a_spin_only_ring_never_rings_a_bell)
{
    struct lam_ring_stat stat;
    struct lam_event event = {.payload = NULL};

    teardown();
    open_ring(0, LAM_RING_SPIN_ONLY);
    cr_assert(eq(int, (int)consumer.wait, LAM_WAIT_YIELD)); /* hybrid would sleep */
    cr_assert(eq(int,
        lam_ring_consumer_peek_until(&consumer, lam_deadline_after_ns(LAM_NS_PER_MS), &event),
        -ETIMEDOUT));
    cr_assert(eq(int, publish(1), 1));
    cr_assert(eq(u64, take(&consumer), 1));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.wakes + stat.parks + stat.consumers[0].parks, 0));
}

Test(ends, misuse_aborts, .signal = SIGABRT)
{
    void *payload = NULL;

    (void)lam_ring_producer_try_claim(&producer, 8, &payload);
    (void)lam_ring_producer_try_claim(&producer, 8, &payload);
}
