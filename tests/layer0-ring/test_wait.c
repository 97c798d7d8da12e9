/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a wait costs and whom it wakes: no system call while nobody sleeps, all that sleep
 * woken by one, each wait counted by the rung that it came to, the end of a stream found by waits
 * of any length. Method: a table of operations that counts, and that makes happen what is waited
 * for just when the waiter looks at the clock, yields or sleeps.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "layout.h"
#include "starts.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define DEPTH    8
#define SLEEPERS 16

static struct lam_ring ring;
static struct lam_ring_producer producer;
static struct lam_ring_consumer consumer;
static struct lam_error error;

static struct lam_base_ops ops;
static lam_atomic_u64 wake_calls;
static lam_atomic_u64 wait_calls;
static void (*on_clock)(void);
static void (*on_yield)(void);
static void (*on_sleep)(void);

static void fire(void (**hook)(void))
{
    void (*now)(void) = *hook;

    *hook = NULL;
    if (now != NULL)
        now();
}

static uint64_t hooked_now_ns(void)
{
    fire(&on_clock);
    return lam_base_linux.now_ns();
}

static void hooked_yield(void)
{
    fire(&on_yield);
    lam_base_linux.yield();
}

/* Without an end: what is not woken hangs, and is not saved by the next look at the peer. */
static void endless_futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    (void)deadline_ns;
    fire(&on_sleep);
    (void)lam_add_acq_rel(&wait_calls, 1);
    lam_base_linux.futex_wait(word, expected, LAM_DEADLINE_NEVER);
}

static int counting_futex_wake_all(lam_atomic_u32 *word)
{
    (void)lam_add_acq_rel(&wake_calls, 1);
    return lam_base_linux.futex_wake_all(word);
}

static void open_ends(enum lam_wait_mode wait, uint64_t spin_ns)
{
    struct lam_ring_options options = {
        .name = "wait", .depth = DEPTH, .first_sequence = test_start_from(UINT64_MAX - 2)};
    struct lam_ring_producer_options producer_options = {.wait = wait, .spin_ns = spin_ns};
    struct lam_ring_consumer_options consumer_options = {
        .name = "first", .wait = wait, .spin_ns = spin_ns};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &producer_options, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &ring, &consumer_options, &error), 0));
}

static void setup(void)
{
    ops = lam_base_linux;
    ops.now_ns = hooked_now_ns;
    ops.yield = hooked_yield;
    ops.futex_wait = endless_futex_wait;
    ops.futex_wake_all = counting_futex_wake_all;
    lam_base = &ops;
}

static void teardown(void)
{
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    (void)lam_ring_destroy(&ring);
    lam_base = &lam_base_linux;
}

TestSuite(ring_wait, .init = setup, .fini = teardown, .timeout = 20);

static void publish(void)
{
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 8, &payload), 1));
    memset(payload, 0, 8);
    lam_ring_producer_commit(&producer, 8, 1, 0);
}

static void take(void)
{
    struct lam_event event = {.payload = NULL};

    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    (void)lam_ring_consumer_release(&consumer);
}

static struct lam_ring_stat stat_now(void)
{
    static struct lam_ring_stat stat;

    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    return stat;
}

Test(ring_wait, a_publish_makes_no_system_call_while_nobody_sleeps)
{
    struct lam_ring_consumer others[3];

    open_ends(LAM_WAIT_FUTEX, 0);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, lam_ring_consumer_attach(&others[i], &ring, NULL, &error), 0));
    for (int i = 0; i < 10000; i++) {
        struct lam_event event = {.payload = NULL};

        publish();
        take();
        for (int j = 0; j < 3; j++) {
            cr_assert(eq(int, lam_ring_consumer_try_peek(&others[j], &event), 1));
            (void)lam_ring_consumer_release(&others[j]);
        }
    }
    cr_assert(eq(u64, lam_load_relaxed(&wake_calls), 0));
    cr_assert(eq(u64, stat_now().wakes, 0));
    for (int i = 0; i < 3; i++)
        lam_ring_consumer_detach(&others[i]);
    cr_assert(eq(u64, lam_load_relaxed(&wake_calls), 0));
}

static void *peek_one(void *argument)
{
    struct lam_ring_consumer *from = argument;
    struct lam_event event = {.payload = NULL};

    return (void *)(intptr_t)lam_ring_consumer_peek_until(from, LAM_DEADLINE_NEVER, &event);
}

/* Until @count have gone to sleep: their bits are set before. */
static void until_asleep(uint64_t count)
{
    while (lam_load_acquire(&wait_calls) < count)
        (void)sched_yield();
}

Test(ring_wait, one_publish_wakes_all_that_sleep_by_one_call)
{
    static struct lam_ring_consumer sleepers[SLEEPERS];
    pthread_t threads[SLEEPERS];
    struct lam_ring_consumer_options options = {.wait = LAM_WAIT_FUTEX};

    open_ends(LAM_WAIT_FUTEX, 0);
    for (int i = 0; i < SLEEPERS; i++) {
        cr_assert(eq(int, lam_ring_consumer_attach(&sleepers[i], &ring, &options, &error), 0));
        cr_assert(eq(int, pthread_create(&threads[i], NULL, peek_one, &sleepers[i]), 0));
    }
    until_asleep(SLEEPERS);
    publish();
    for (int i = 0; i < SLEEPERS; i++) {
        void *rc = NULL;

        (void)pthread_join(threads[i], &rc);
        cr_assert(eq(int, (int)(intptr_t)rc, 0));
    }
    cr_assert(eq(u64, lam_load_relaxed(&wake_calls), 1));
    cr_assert(eq(u64, stat_now().wakes, 1));
    for (int i = 0; i < SLEEPERS; i++)
        cr_assert(eq(u64, stat_now().consumers[i + 1].parks, 1));
    for (int i = 0; i < SLEEPERS; i++)
        lam_ring_consumer_detach(&sleepers[i]);
    take();
}

static void close_ring(void)
{
    lam_ring_producer_close(&producer);
}

/* What happens between a waiter's last look and its sleep must not be slept through. */
Test(ring_wait, what_happens_just_before_the_sleep_is_not_slept_through)
{
    open_ends(LAM_WAIT_FUTEX, 0);
    for (int i = 0; i < 100; i++) {
        struct lam_event event = {.payload = NULL};

        on_sleep = publish;
        cr_assert(eq(int, lam_ring_consumer_peek_until(&consumer, LAM_DEADLINE_NEVER, &event), 0));
        (void)lam_ring_consumer_release(&consumer);
    }
    cr_assert(eq(u64, lam_load_relaxed(&wake_calls), 100));
    on_sleep = close_ring;
    cr_assert(eq(int, lam_ring_consumer_wait_until(&consumer, LAM_DEADLINE_NEVER), -EPIPE));
}

static void fill(void)
{
    for (int i = 0; i < DEPTH - 1; i++)
        publish();
}

static void claim_and_abort(void)
{
    void *payload = NULL;

    cr_assert(
        eq(int, lam_ring_producer_claim_until(&producer, 8, LAM_DEADLINE_NEVER, &payload), 0));
    lam_ring_producer_abort(&producer);
}

Test(ring_wait, a_release_wakes_the_producer_by_one_call_and_only_when_it_sleeps)
{
    open_ends(LAM_WAIT_FUTEX, 0);
    for (int i = 0; i < 100; i++) {
        fill();
        on_sleep = take;
        claim_and_abort();
        for (int j = 0; j < DEPTH - 2; j++)
            take();
    }
    cr_assert(eq(u64, lam_load_relaxed(&wake_calls), 100));
    cr_assert(eq(u64, stat_now().parks, 100));
    cr_assert(eq(u64, stat_now().wakes, 0)); /* of consumers */
}

static void await_one(void)
{
    struct lam_event event = {.payload = NULL};

    cr_assert(eq(int, lam_ring_consumer_peek_until(&consumer, LAM_DEADLINE_NEVER, &event), 0));
    (void)lam_ring_consumer_release(&consumer);
}

Test(ring_wait, a_consumers_waits_are_counted_by_the_rung_that_they_came_to)
{
    open_ends(LAM_WAIT_HYBRID, 0);
    publish();
    await_one(); /* no wait */
    on_clock = publish;
    await_one();
    on_yield = publish;
    await_one();
    on_yield = publish;
    await_one();
    on_sleep = publish;
    await_one();
    cr_assert(eq(u64, stat_now().consumers[0].spin_waits, 1));
    cr_assert(eq(u64, stat_now().consumers[0].yield_waits, 2));
    cr_assert(eq(u64, stat_now().consumers[0].parks, 1));
    cr_assert(eq(u64, lam_load_relaxed(&wait_calls), 1));
}

Test(ring_wait, a_producers_waits_are_counted_by_the_rung_that_they_came_to)
{
    open_ends(LAM_WAIT_HYBRID, 0);
    fill();
    on_clock = take;
    claim_and_abort();
    publish();
    on_yield = take;
    claim_and_abort();
    publish();
    on_sleep = take;
    claim_and_abort();
    cr_assert(eq(u64, stat_now().spin_waits, 1));
    cr_assert(eq(u64, stat_now().yield_waits, 1));
    cr_assert(eq(u64, stat_now().parks, 1));
    cr_assert(eq(u64, stat_now().full, 3));
}

Test(ring_wait, the_time_of_waking_up_is_not_taken_for_a_longer_wait)
{
    open_ends(LAM_WAIT_FUTEX, 0);
    on_sleep = publish;
    await_one();
    cr_assert(ne(u64, lam_load_relaxed(&ring.control_head->consumer_rung_ns), 0));
    cr_assert(le(u64, lam_load_relaxed(&ring.control_head->consumer_rung_ns), lam_clock_now_ns()));
    fill();
    on_sleep = take;
    claim_and_abort();
    cr_assert(ne(u64, lam_load_relaxed(&ring.control_head->producer_rung_ns), 0));
}

/* Shorter than the time between two looks at the peer's lock. */
static int poll_for_the_end(enum lam_wait_mode wait, uint64_t each_ns)
{
    int rc = -ETIMEDOUT;

    consumer.wait = wait;
    for (int i = 0; i < 100000 && rc == -ETIMEDOUT; i++)
        rc = lam_ring_consumer_wait_until(&consumer, lam_deadline_after_ns(each_ns));
    return rc;
}

Test(ring_wait, waits_of_any_length_find_the_end_of_the_stream)
{
    static const enum lam_wait_mode modes[] = {
        LAM_WAIT_HYBRID, LAM_WAIT_SPIN, LAM_WAIT_YIELD, LAM_WAIT_FUTEX};

    lam_base = &lam_base_linux;
    open_ends(LAM_WAIT_HYBRID, 0);
    cr_assert(eq(int, lam_ring_consumer_wait_until(&consumer, 0), -ETIMEDOUT));
    lam_ring_producer_detach(&producer); /* without a close: dead */
    for (int i = 0; i < 4; i++) {
        consumer.producer_dead = 0;
        consumer.probe_at_ns = 0;
        cr_assert(eq(int, poll_for_the_end(modes[i], 0), -EOWNERDEAD));
        consumer.producer_dead = 0;
        cr_assert(eq(int, poll_for_the_end(modes[i], LAM_NS_PER_MS), -EOWNERDEAD));
    }
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, poll_for_the_end(LAM_WAIT_SPIN, 0), -ETIMEDOUT));
    lam_ring_producer_close(&producer);
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, poll_for_the_end(modes[i], 0), -EPIPE));
}
