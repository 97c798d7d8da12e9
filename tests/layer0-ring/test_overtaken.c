/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what one end does between two steps of another breaks no promise: a death between the
 * producer's store of the horizon and its look at the table, a lap between a reader's look and its
 * wait. Method: the step in between is made to happen there, by the bytes that it leaves or from
 * the clock that the waiting end reads.
 */
#include "lamina/ring/lossy.h"
#include "layout.h"
#include "one_pair.h"

#include <pthread.h>

static void setup(void)
{
    open_pair(0, LAM_RING_MAY_SLEEP);
}

TestSuite(overtaken, .init = setup, .fini = close_pair, .timeout = 20);

Test(overtaken, a_successor_waits_for_who_joined_below_the_horizon)
{
    uint64_t published = 0;

    while (published < 4)
        cr_assert(eq(int, publish(published++), 1));
    /* As a producer leaves it that raised it while we joined, and died before it scanned. */
    lam_store_relaxed(&ring.data_head->horizon, 4);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    while (published < 2 * DEPTH && publish(published) == 1)
        published++;
    cr_assert(eq(u64, published, DEPTH - 1));
    for (uint64_t i = 0; i < published; i++)
        cr_assert(eq(u64, take(&consumer), i));
    cr_assert(eq(int, publish(published), 1));
}

/* A clock whose @lap_at-th reading is so long that the producer goes round all mapped cells. */
static unsigned clock_readings, lap_at, sleeps, yields;

static uint64_t now_and_lap(void)
{
    if (++clock_readings == lap_at)
        for (uint64_t i = 0; i <= ring.cell_mask + DEPTH; i++)
            cr_assert(eq(int, publish(i), 1));
    return clock_readings * UINT64_C(1000);
}

static void count_sleep(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    (void)word;
    (void)expected;
    (void)deadline_ns;
    sleeps++;
}

static void count_yield(void)
{
    yields += clock_readings > lap_at;
}

static void be_lapped_while_waiting(enum lam_wait_mode wait)
{
    struct lam_base_ops ops = lam_base_linux;
    struct lam_ring_consumer_options options = {.policy = LAM_RING_LOSSY, .wait = wait};
    struct lam_ring_consumer reader;
    struct lam_event event = {.payload = NULL};
    uint64_t lost = 0;
    uint8_t buffer[64];

    ops.now_ns = now_and_lap;
    ops.futex_wait = count_sleep;
    ops.yield = count_yield;
    lam_ring_consumer_detach(&consumer);
    cr_assert(eq(int, lam_ring_consumer_attach(&reader, &ring, &options, &error), 0));
    lam_base = &ops;
    cr_assert(eq(int,
        lam_ring_consumer_read_until(
            &reader, LAM_DEADLINE_NEVER, buffer, sizeof(buffer), &event, &lost),
        -EOVERFLOW));
    lam_base = &lam_base_linux;
    cr_assert(lt(u64, 0, lost));
    lam_ring_consumer_detach(&reader);
}

Test(overtaken, a_reader_that_was_lapped_does_not_sleep_on_it)
{
    lap_at = 1;
    be_lapped_while_waiting(LAM_WAIT_FUTEX);
    cr_assert(eq(u32, sleeps, 0));
}

Test(overtaken, a_reader_that_was_lapped_does_not_wait_where_nothing_comes)
{
    lap_at = 40; /* past the spin window */
    be_lapped_while_waiting(LAM_WAIT_YIELD);
    cr_assert(le(u32, yields, 64));
}

static pthread_barrier_t start;

static void *join_as_twin(void *result)
{
    struct lam_ring_consumer_options options = {.name = "twin"};
    struct lam_ring_consumer twin;

    (void)pthread_barrier_wait(&start);
    *(int *)result = lam_ring_consumer_attach(&twin, &ring, &options, NULL);
    (void)pthread_barrier_wait(&start);
    lam_ring_consumer_detach(&twin);
    return NULL;
}

Test(overtaken, of_two_that_join_at_once_by_one_name_one_stays)
{
    cr_assert(eq(int, pthread_barrier_init(&start, NULL, 2), 0));
    for (int round = 0; round < 200; round++) {
        int results[2] = {1, 1};
        pthread_t threads[2];

        for (int i = 0; i < 2; i++)
            cr_assert(eq(int, pthread_create(&threads[i], NULL, join_as_twin, &results[i]), 0));
        for (int i = 0; i < 2; i++)
            cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
        cr_assert(eq(int, results[0] + results[1], -EEXIST), "round %d", round);
    }
    cr_assert(eq(int, pthread_barrier_destroy(&start), 0));
}

Test(overtaken, a_joiner_that_did_not_see_our_name_has_it)
{
    struct lam_ring_consumer_options options = {.name = "twin"};
    struct lam_ring_entry *entry = &ring.control_head->entries[9];
    struct lam_ring_consumer late;
    struct lam_lock lock = {.fd = -1};

    /* As one that has looked at all names, found none like its own, and is to gate next. */
    cr_assert(eq(int, lam_lock_take(&lock, ring.control.fd, LAM_RING_LOCK_CONSUMER + 9), 0));
    memcpy(entry->name, "twin", sizeof("twin"));
    lam_store_release(&entry->state, LAM_RING_ENTRY_JOINING);
    cr_assert(eq(int, lam_ring_consumer_attach(&late, &ring, &options, &error), -EEXIST));
    lam_store_release(&entry->state, LAM_RING_ENTRY_FREE);
    lam_lock_drop(&lock);
    cr_assert(eq(int, lam_ring_consumer_attach(&late, &ring, &options, &error), 0));
    lam_ring_consumer_detach(&late);
}
