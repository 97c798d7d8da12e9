/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what an observer is told is what happened: every counter, also where sequences wrap.
 * Method: ends of one process on a small ring do a known number of things; the look is taken
 * through a second mapping that is read-only.
 */
#include "lamina/ring/counter.h"
#include "lamina/ring/group.h"
#include "lamina/ring/lossy.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "layout.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#define DEPTH 64

static struct lam_ring ring, seen; /* seen: the observer's */
static struct lam_ring_producer producer;
static struct lam_ring_consumer consumer;
static struct lam_ring_stat stat;
static struct lam_error error;

static void open_ring(uint64_t first_sequence)
{
    struct lam_ring_options options = {.name = "stat",
        .backing = LAM_BACKING_MEMFD,
        .depth = DEPTH,
        .first_sequence = first_sequence};
    struct lam_ring_attach_options observe = {.observe = 1};
    int data_fd, control_fd;

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    lam_ring_fds(&ring, &data_fd, &control_fd);
    cr_assert(eq(int, lam_ring_attach_fds(&seen, data_fd, control_fd, &observe, &error), 0));
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    consumer.lock.fd = -1; /* has not joined */
}

static void close_ring(void)
{
    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_detach(&producer);
    lam_ring_detach(&seen);
    (void)lam_ring_destroy(&ring);
}

static void setup(void)
{
    open_ring(0);
}

TestSuite(stat, .init = setup, .fini = close_ring, .timeout = 20);

static void join(struct lam_ring_consumer *which, const char *name, enum lam_ring_policy policy)
{
    struct lam_ring_consumer_options options = {
        .name = name, .policy = policy, .patience_ns = policy == LAM_RING_GATE_THEN_EVICT ? 1 : 0};

    cr_assert(
        eq(int, lam_ring_consumer_attach(which, &ring, &options, &error), 0), "%s", error.text);
}

static int publish(uint64_t payload_bytes)
{
    void *payload;
    int rc = lam_ring_producer_try_claim(&producer, payload_bytes, &payload);

    if (rc == 1)
        lam_ring_producer_commit(&producer, payload_bytes, 1, 0);
    return rc;
}

static void take(struct lam_ring_consumer *from, uint64_t count)
{
    struct lam_event event;

    for (uint64_t i = 0; i < count; i++)
        cr_assert(eq(int, lam_ring_consumer_try_peek(from, &event), 1));
    lam_ring_consumer_release(from);
}

static const struct lam_ring_consumer_stat *look(const struct lam_ring_consumer *who)
{
    cr_assert(eq(int, lam_ring_stat_read(&seen, &stat), 0));
    for (uint32_t i = 0; i < stat.consumer_count; i++)
        if (stat.consumers[i].index == who->index)
            return &stat.consumers[i];
    cr_fatal("the consumer is not seen");
}

/* Events of 1 to 5 cells: a lag in cells is not one in events. */
static uint64_t bytes_of(uint64_t number)
{
    return number % 5 * 64 + number % 7;
}

static void lag_of_events_from(uint64_t first_sequence)
{
    uint64_t published = 0, taken = 0, bytes = 0;

    close_ring();
    open_ring(first_sequence);
    for (; published < 5; published++) /* before it joined: not its */
        bytes += publish(bytes_of(published)) == 1 ? bytes_of(published) : 0;
    join(&consumer, "gating", LAM_RING_GATE);
    for (uint64_t round = 0; round < 300; round++) {
        const struct lam_ring_consumer_stat *found;

        while (round % 3 != 0 && publish(bytes_of(published)) == 1)
            bytes += bytes_of(published++);
        if (round % 3 == 0 && publish(bytes_of(published)) == 1)
            bytes += bytes_of(published++);
        found = look(&consumer);
        cr_assert(eq(u64, stat.events, published));
        cr_assert(eq(u64, found->lag_events, published - 5 - taken), "round %d", (int)round);
        cr_assert(eq(u64, found->lag_cells, producer.next - found->cursor));
        cr_assert(eq(u64, found->events, taken));
        take(&consumer, (published - 5 - taken + 1) / 2);
        taken += (published - 5 - taken + 1) / 2;
    }
    lam_ring_producer_close(&producer);
    cr_assert(eq(u64, look(&consumer)->events, taken));
    cr_assert(eq(u64, stat.bytes, bytes));
}

Test(stat, a_member_is_told_with_its_group_and_its_lag)
{
    struct lam_ring_member_options options = {.group = "workers", .name = "one"};
    struct lam_event event = {.payload = NULL};
    struct lam_ring_member member;

    cr_assert(eq(int, lam_ring_member_attach(&member, &ring, &options, &error), 0));
    for (int i = 0; i < 5; i++)
        publish(100); /* two cells each */
    cr_assert(eq(int, lam_ring_member_try_peek(&member, &event), 1));
    cr_assert(eq(str, (char *)look(&member.consumer)->group, "workers"));
    cr_assert(eq(u64, look(&member.consumer)->lag_events, 5));
    cr_assert(eq(u64, look(&member.consumer)->lag_cells, 10));
    lam_ring_member_release(&member);
    cr_assert(eq(u64, look(&member.consumer)->lag_events, 4));
    lam_ring_member_detach(&member);
}

Test(stat, events_and_lag_of_a_gating_consumer_are_exact_also_where_sequences_wrap)
{
    lag_of_events_from(0);
    lag_of_events_from((UINT64_C(1) << 32) - 3);
    lag_of_events_from((UINT64_C(1) << 63) - 3);
    lag_of_events_from(UINT64_MAX - 2);
}

static void loss_from(uint64_t first_sequence)
{
    uint64_t published = 0, taken = 0, lost_all = 0, overruns = 0;

    close_ring();
    open_ring(first_sequence);
    join(&consumer, "lossy", LAM_RING_LOSSY);
    for (uint64_t round = 0; round < 40; round++) {
        char buffer[512];
        struct lam_event event;
        uint64_t lost;
        int rc;

        for (uint64_t i = 0; i < round * 3; i++)
            cr_assert(eq(int, publish(bytes_of(published++)), 1));
        for (uint64_t i = 0; i < 4; i++) {
            rc = lam_ring_consumer_try_read(&consumer, buffer, sizeof(buffer), &event, &lost);
            taken += rc == 1;
            lost_all += rc == -EOVERFLOW ? lost : 0;
            overruns += rc == -EOVERFLOW;
        }
        cr_assert(eq(u64, look(&consumer)->events, taken));
        cr_assert(eq(u64, look(&consumer)->lost, lost_all));
        cr_assert(eq(u64, look(&consumer)->overruns, overruns));
        cr_assert(eq(u64, look(&consumer)->lag_events, published - taken - lost_all));
    }
    cr_assert(overruns > 3);
}

Test(stat, events_and_losses_of_a_lossy_consumer_are_exact_also_where_sequences_wrap)
{
    loss_from(0);
    loss_from((UINT64_C(1) << 32) - 3);
    loss_from((UINT64_C(1) << 63) - 3);
    loss_from(UINT64_MAX - 2);
}

Test(stat, the_largest_lag_of_a_consumer_stays_when_it_has_caught_up)
{
    join(&consumer, "slow", LAM_RING_GATE);
    for (uint64_t i = 0; i < DEPTH - 1; i++)
        cr_assert(eq(int, publish(8), 1));
    cr_assert(eq(int, publish(8), 0));
    take(&consumer, DEPTH - 1);
    for (uint64_t i = 0; i < 10 * DEPTH; i++) {
        cr_assert(eq(int, publish(8), 1));
        take(&consumer, 1);
    }
    cr_assert(eq(u64, look(&consumer)->lag_max, DEPTH - 1));
    cr_assert(eq(u64, look(&consumer)->lag_cells, 0));
    lam_ring_consumer_detach(&consumer);
    join(&consumer, "next in the same entry", LAM_RING_GATE);
    cr_assert(eq(u64, look(&consumer)->lag_max, 0));
}

Test(stat, full_and_the_time_it_lasted_are_counted)
{
    void *payload;
    uint64_t before_ns;

    join(&consumer, "slow", LAM_RING_GATE);
    while (publish(8) == 1)
        ;
    before_ns = lam_clock_now_ns();
    cr_assert(eq(int,
        lam_ring_producer_claim_until(
            &producer, 8, lam_deadline_after_ns(20 * LAM_NS_PER_MS), &payload),
        -ETIMEDOUT));
    cr_assert(eq(u64, look(&consumer)->lag_cells, DEPTH - 1));
    cr_assert(stat.blocked_ns > 0, "not shown while it lasts");
    take(&consumer, 1);
    cr_assert(eq(int, publish(8), 1));
    (void)look(&consumer);
    cr_assert(eq(u64, stat.full, 1));
    cr_assert(stat.blocked_ns >= 20 * LAM_NS_PER_MS);
    /* Two clock readings before the first: the first refusal's. */
    cr_assert(stat.blocked_ns <= lam_clock_now_ns() - before_ns + LAM_NS_PER_S);
}

Test(stat, an_eviction_and_the_return_are_counted)
{
    uint64_t lost;

    join(&consumer, "held", LAM_RING_GATE_THEN_EVICT);
    for (uint64_t i = 0; i < 3 * DEPTH; i++)
        while (publish(8) == 0)
            ;
    cr_assert(eq(u32, look(&consumer)->evicted, 1));
    cr_assert(eq(u64, stat.evicted, 1));
    cr_assert(eq(int, lam_ring_consumer_readmit(&consumer, LAM_RING_HEAD, &lost, &error), 0));
    cr_assert(eq(u64, look(&consumer)->lost, lost));
    cr_assert(eq(u64, look(&consumer)->lost, 3 * DEPTH));
    cr_assert(eq(u64, look(&consumer)->overruns, 1));
    cr_assert(eq(u64, look(&consumer)->events, 0));
}

Test(stat, an_expelled_consumer_is_named_and_counted)
{
    join(&consumer, "liar", LAM_RING_GATE);
    lam_store_relaxed(consumer.cursor, producer.next + 7);
    for (uint64_t i = 0; i < DEPTH; i++)
        cr_assert(eq(int, publish(8), 1));
    cr_assert(eq(u32, look(&consumer)->expelled, 1));
    cr_assert(eq(u64, stat.expelled, 1));
}

Test(stat, a_producer_that_did_not_close_is_a_repair_and_bytes_go_on)
{
    join(&consumer, "reader", LAM_RING_GATE);
    for (unsigned round = 1; round <= 3; round++) {
        cr_assert(eq(int, publish(10), 1));
        lam_ring_producer_detach(&producer);
        cr_assert(eq(int, lam_ring_state_read(&seen), LAM_RING_DEAD));
        cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
        (void)look(&consumer);
        cr_assert(eq(u64, stat.repairs, round));
        cr_assert(eq(u64, stat.epoch, round + 1));
        cr_assert(eq(u64, lam_ring_epoch(&seen), round + 1));
        cr_assert(eq(u64, stat.bytes, 10 * round));
    }
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_state_read(&seen), LAM_RING_CLOSED));
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    (void)look(&consumer);
    cr_assert(eq(u64, stat.repairs, 3), "a close needs no repair");
}

Test(stat, looks_that_find_nothing_are_counted)
{
    struct lam_event event;

    join(&consumer, "eager", LAM_RING_GATE);
    for (unsigned i = 0; i < 640; i++)
        cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
    cr_assert(eq(u64, look(&consumer)->empty, 640));
}

Test(stat, an_impossible_state_is_told_as_poisoned)
{
    lam_store_relaxed(&ring.data_head->state, 0xee);
    cr_assert(eq(int, lam_ring_state_read(&seen), LAM_RING_POISONED));
    lam_store_relaxed(&ring.data_head->state, LAM_RING_FAILED);
    cr_assert(eq(int, lam_ring_state_read(&seen), LAM_RING_FAILED));
}

Test(stat, counters_of_the_application_are_seen_by_their_names)
{
    struct lam_ring_counter_value values[LAM_RING_COUNTER_COUNT];
    lam_atomic_u64 *orders, *again, *trades;

    join(&consumer, "reader", LAM_RING_GATE);
    cr_assert(eq(int, lam_ring_producer_counter(&producer, "orders", &orders), 0));
    lam_ring_counter_add(orders, 5);
    cr_assert(eq(int, lam_ring_producer_counter(&producer, "orders", &again), 0));
    cr_assert(eq(ptr, again, orders));
    lam_ring_counter_add(again, 2);
    cr_assert(eq(int, lam_ring_consumer_counter(&consumer, "trades", &trades), 0));
    lam_ring_counter_add(trades, 11);

    cr_assert(eq(int, lam_ring_counters_read(&seen, LAM_RING_PRODUCER_INDEX, values), 1));
    cr_assert(eq(str, values[0].name, "orders"));
    cr_assert(eq(u64, values[0].value, 7));
    cr_assert(eq(int, lam_ring_counters_read(&seen, consumer.index, values), 1));
    cr_assert(eq(str, values[0].name, "trades"));
    cr_assert(eq(u64, values[0].value, 11));
    cr_assert(eq(int, lam_ring_counters_read(&seen, consumer.index + 1, values), 0));
    cr_assert(eq(int, lam_ring_counters_read(&seen, 65, values), -EINVAL));
}

Test(stat, a_successor_counts_on_and_a_new_consumer_starts_without_counters)
{
    struct lam_ring_counter_value values[LAM_RING_COUNTER_COUNT];
    lam_atomic_u64 *counter;

    join(&consumer, "first", LAM_RING_GATE);
    cr_assert(eq(int, lam_ring_consumer_counter(&consumer, "mine", &counter), 0));
    lam_ring_consumer_detach(&consumer);
    join(&consumer, "second", LAM_RING_GATE);
    cr_assert(eq(int, lam_ring_counters_read(&seen, consumer.index, values), 0));

    cr_assert(eq(int, lam_ring_producer_counter(&producer, "orders", &counter), 0));
    lam_ring_counter_add(counter, 3);
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_producer_counter(&producer, "orders", &counter), 0));
    lam_ring_counter_add(counter, 1);
    cr_assert(eq(int, lam_ring_counters_read(&seen, LAM_RING_PRODUCER_INDEX, values), 1));
    cr_assert(eq(u64, values[0].value, 4));
}

Test(stat, a_ninth_counter_and_a_name_that_does_not_fit_are_refused)
{
    lam_atomic_u64 *counter;
    char name[] = "counter 0";

    for (int i = 0; i < LAM_RING_COUNTER_COUNT; i++, name[8]++)
        cr_assert(eq(int, lam_ring_producer_counter(&producer, name, &counter), 0));
    cr_assert(eq(int, lam_ring_producer_counter(&producer, name, &counter), -ENOSPC));
    cr_assert(eq(int, lam_ring_producer_counter(&producer, "counter 3", &counter), 0));
    cr_assert(eq(int, lam_ring_producer_counter(&producer, "", &counter), -EINVAL));
    cr_assert(eq(int, lam_ring_producer_counter(&producer, NULL, &counter), -EINVAL));
    cr_assert(eq(
        int, lam_ring_producer_counter(&producer, "a name of 24 characters.", &counter), -EINVAL));
}
