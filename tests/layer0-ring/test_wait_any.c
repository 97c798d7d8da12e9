/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: one wait over several rings finds what is ready, in turn, and sleeps on all of them.
 * Method: three rings of one process; what is waited for happens just when the waiter sleeps, and
 * a sleep has no end of its own.
 */
#include "lamina/ring/lossy.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "lamina/ring/wait_any.h"
#include "layout.h"
#include "starts.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#define RINGS 3

static struct lam_ring rings[RINGS];
static struct lam_ring_producer producers[RINGS];
static struct lam_ring_consumer consumers[RINGS];
static struct lam_ring_consumer *all[RINGS];
static struct lam_error error;

static struct lam_base_ops ops;
static void (*on_sleep)(void);
static uint32_t chosen;
static unsigned sleeps;

static void endless_futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    void (*now)(void) = on_sleep;

    sleeps++;
    on_sleep = NULL;
    if (now == NULL) {
        lam_base_linux.futex_wait_any(words, expected, count, deadline_ns);
        return;
    }
    now();
    lam_base_linux.futex_wait_any(words, expected, count, LAM_DEADLINE_NEVER);
}

static void open_rings(enum lam_ring_policy policy, enum lam_ring_waiting waiting)
{
    struct lam_ring_options options = {.name = "any",
        .depth = 8,
        .first_sequence = test_start_from(UINT64_MAX - 2),
        .waiting = waiting};
    struct lam_ring_consumer_options consumer = {.wait = LAM_WAIT_FUTEX, .policy = policy};

    ops = lam_base_linux;
    ops.futex_wait_any = endless_futex_wait_any;
    lam_base = &ops;
    for (int i = 0; i < RINGS; i++) {
        cr_assert(eq(int, lam_ring_create(&rings[i], &options, &error), 0), "%s", error.text);
        cr_assert(eq(int, lam_ring_producer_attach(&producers[i], &rings[i], NULL, &error), 0));
        cr_assert(
            eq(int, lam_ring_consumer_attach(&consumers[i], &rings[i], &consumer, &error), 0));
        all[i] = &consumers[i];
    }
}

static void setup(void)
{
    open_rings(LAM_RING_GATE, LAM_RING_MAY_SLEEP);
}

static void teardown(void)
{
    for (int i = 0; i < RINGS; i++) {
        lam_ring_consumer_detach(&consumers[i]);
        lam_ring_producer_detach(&producers[i]);
        (void)lam_ring_destroy(&rings[i]);
    }
    lam_base = &lam_base_linux;
}

TestSuite(wait_any, .init = setup, .fini = teardown, .timeout = 20);

static void publish(uint32_t at)
{
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim(&producers[at], 8, &payload), 1));
    memset(payload, 0, 8);
    lam_ring_producer_commit(&producers[at], 8, 1, 0);
}

static void take(uint32_t at)
{
    struct lam_event event = {.payload = NULL};

    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumers[at], &event), 1));
    (void)lam_ring_consumer_release(&consumers[at]);
}

static int wait_any(uint64_t deadline_ns, uint32_t *index)
{
    return lam_ring_wait_any_until(all, RINGS, deadline_ns, index);
}

Test(wait_any, what_is_ready_is_found_in_turn)
{
    uint32_t index = UINT32_MAX;

    for (uint32_t i = 0; i < RINGS; i++)
        for (int j = 0; j < 3; j++)
            publish(i);
    for (uint32_t i = 0; i < 3 * RINGS; i++) {
        cr_assert(eq(int, wait_any(0, &index), 0));
        cr_assert(eq(u32, index, i % RINGS));
        take(index);
    }
    cr_assert(eq(int, wait_any(0, &index), -ETIMEDOUT));
    cr_assert(eq(u32, index, RINGS - 1));
}

Test(wait_any, a_count_of_none_or_too_many_is_refused)
{
    uint32_t index = 0;

    cr_assert(eq(int, lam_ring_wait_any_until(all, 0, 0, &index), -EINVAL));
    cr_assert(eq(int, lam_ring_wait_any_until(all, LAM_RING_WAIT_ANY_MAX + 1, 0, &index), -EINVAL));
}

static void publish_chosen(void)
{
    for (uint32_t i = 0; i < RINGS; i++)
        cr_assert(eq(u64, lam_load_relaxed(&rings[i].control_head->sleeping), 1));
    publish(chosen);
}

static void close_chosen(void)
{
    lam_ring_producer_close(&producers[chosen]);
}

Test(wait_any, it_sleeps_in_all_rings_and_each_can_wake_it)
{
    uint32_t index = UINT32_MAX;

    for (uint32_t i = 0; i < 30; i++) {
        on_sleep = publish_chosen;
        chosen = i % 7 % RINGS;
        cr_assert(eq(int, wait_any(LAM_DEADLINE_NEVER, &index), 0));
        cr_assert(eq(u32, index, chosen));
        take(index);
        for (uint32_t j = 0; j < RINGS; j++)
            cr_assert(eq(u64, lam_load_relaxed(&rings[j].control_head->sleeping), 0));
    }
    cr_assert(eq(u32, sleeps, 30));
}

Test(wait_any, the_end_of_one_is_told_with_its_index_and_after_what_the_others_have)
{
    struct lam_ring_consumer *rest[2] = {&consumers[0], &consumers[2]};
    uint32_t index = UINT32_MAX;

    lam_ring_producer_close(&producers[1]);
    publish(2);
    cr_assert(eq(int, wait_any(LAM_DEADLINE_NEVER, &index), 0));
    cr_assert(eq(u32, index, 2));
    take(2);
    cr_assert(eq(int, wait_any(LAM_DEADLINE_NEVER, &index), -EPIPE));
    cr_assert(eq(u32, index, 1));
    on_sleep = close_chosen;
    chosen = 2;
    cr_assert(eq(int, lam_ring_wait_any_until(rest, 2, LAM_DEADLINE_NEVER, &index), -EPIPE));
    cr_assert(eq(u32, index, 1));
    lam_ring_producer_detach(&producers[0]);
    cr_assert(eq(int, lam_ring_wait_any_until(rest, 1, LAM_DEADLINE_NEVER, &index), -EOWNERDEAD));
    cr_assert(eq(u32, index, 0));
}

Test(wait_any, waits_of_any_length_find_the_death_of_a_producer)
{
    uint32_t index = UINT32_MAX;
    int rc = -ETIMEDOUT;

    lam_ring_producer_detach(&producers[1]);
    for (int i = 0; i < 100000 && rc == -ETIMEDOUT; i++)
        rc = wait_any(0, &index);
    cr_assert(eq(int, rc, -EOWNERDEAD));
    cr_assert(eq(u32, index, 1));
}

Test(wait_any, with_a_ring_that_only_spins_nobody_sleeps)
{
    uint32_t index = UINT32_MAX;

    teardown();
    open_rings(LAM_RING_GATE, LAM_RING_SPIN_ONLY);
    sleeps = 0;
    cr_assert(eq(int, wait_any(lam_deadline_after_ns(10 * LAM_NS_PER_MS), &index), -ETIMEDOUT));
    cr_assert(eq(u32, sleeps, 0));
}

Test(wait_any, a_lossy_reader_that_was_lapped_is_ready)
{
    uint32_t index = UINT32_MAX;
    struct lam_event event = {.payload = NULL};
    uint64_t lost = 0;
    char buffer[64];

    teardown();
    open_rings(LAM_RING_LOSSY, LAM_RING_MAY_SLEEP);
    for (int i = 0; i < 100; i++)
        publish(1);
    cr_assert(eq(int, wait_any(LAM_DEADLINE_NEVER, &index), 0));
    cr_assert(eq(u32, index, 1));
    cr_assert(
        eq(int, lam_ring_consumer_try_read(&consumers[1], buffer, sizeof(buffer), &event, &lost),
            -EOVERFLOW));
}
