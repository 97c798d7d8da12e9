/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the highest demand of all that are joined is seen, of nobody else, and waited for; a ring
 * is as full as its slowest gating consumer leaves it.
 * Method: consumers of one process, one that is killed, words that lie; a sleep that nobody ends
 * does not end.
 */
#include "lamina/ring/demand.h"
#include "lamina/ring/group.h"
#include "layout.h"
#include "one_ring.h"

static struct lam_base_ops ops;
static void (*on_sleep)(void);
static unsigned sleeps;

/* What happens between a sleep's announcement and the sleep; then only a wake ends it. */
static void endless_futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    void (*now)(void) = on_sleep;

    sleeps++;
    if (now == NULL) {
        lam_base_linux.futex_wait(word, expected, deadline_ns);
        return;
    }
    now();
    lam_base_linux.futex_wait(word, expected, LAM_DEADLINE_NEVER);
}

static void open_at(uint64_t first_sequence)
{
    struct lam_ring_producer_options options = {.wait = LAM_WAIT_FUTEX};

    on_sleep = NULL;
    sleeps = 0;
    ops = lam_base_linux;
    ops.futex_wait = endless_futex_wait;
    lam_base = &ops;
    make_ring(DEPTH, first_sequence, LAM_RING_MAY_SLEEP);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &options, &error), 0));
}

static void setup(void)
{
    open_at(UINT64_MAX - 2);
}

TestSuite(demand, .init = setup, .fini = close_ring, .timeout = 30);

static struct lam_ring_consumer one, two;

static void join_both(void)
{
    cr_assert(eq(int, join(&one, "one", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&two, "two", LAM_RING_HEAD), 0));
}

static void leave_both(void)
{
    lam_ring_consumer_detach(&one);
    lam_ring_consumer_detach(&two);
}

/* Any process and the producer see the same. */
static void check_demand(uint32_t per_mille)
{
    cr_assert(eq(u32, lam_ring_demand(&ring), per_mille));
    cr_assert(eq(u32, lam_ring_producer_demand(&producer), per_mille));
}

static int await_demand(uint32_t per_mille_max, uint64_t patience_ns)
{
    return lam_ring_producer_await_demand_until(
        &producer, per_mille_max, lam_deadline_after_ns(patience_ns));
}

Test(demand, the_highest_of_all_that_are_joined_counts)
{
    check_demand(0);
    join_both();
    check_demand(0);
    cr_assert(eq(int, lam_ring_consumer_demand(&one, 700), 0));
    cr_assert(eq(int, lam_ring_consumer_demand(&two, 300), 0));
    check_demand(700);
    cr_assert(eq(int, lam_ring_consumer_demand(&two, LAM_RING_DEMAND_MAX), 0));
    check_demand(LAM_RING_DEMAND_MAX);
    cr_assert(eq(int, lam_ring_consumer_demand(&two, 1), 0));
    check_demand(700);
    cr_assert(eq(int, lam_ring_consumer_demand(&one, 0), 0));
    check_demand(1);
    leave_both();
}

Test(demand, of_a_lossy_reader_and_of_a_groups_member_counts_too)
{
    struct lam_ring_consumer_options lossy = {.policy = LAM_RING_LOSSY};
    struct lam_ring_member_options options = {.group = "workers"};
    struct lam_ring_member member;

    cr_assert(eq(int, lam_ring_consumer_attach(&one, &ring, &lossy, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_demand(&one, 200), 0));
    check_demand(200);
    cr_assert(eq(int, lam_ring_member_attach(&member, &ring, &options, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_demand(&member.consumer, 400), 0));
    check_demand(400);
    lam_ring_member_detach(&member);
    check_demand(200);
    lam_ring_consumer_detach(&one);
    check_demand(0);
}

Test(demand, above_the_bound_is_refused_and_the_old_one_holds)
{
    join_both();
    cr_assert(eq(int, lam_ring_consumer_demand(&one, 500), 0));
    cr_assert(eq(int, lam_ring_consumer_demand(&one, LAM_RING_DEMAND_MAX + 1), -EINVAL));
    cr_assert(eq(int, lam_ring_consumer_demand(&one, UINT32_MAX), -EINVAL));
    check_demand(500);
    leave_both();
}

Test(demand, a_word_that_cannot_be_one_is_none)
{
    static const uint64_t lies[] = {
        LAM_RING_DEMAND_MAX + 1, UINT32_MAX, UINT64_C(1) << 32 | 700, UINT64_MAX};

    join_both();
    cr_assert(eq(int, lam_ring_consumer_demand(&two, 300), 0));
    for (int i = 0; i < 4; i++) {
        lam_store_relaxed(&ring.control_head->entries[one.index].demand, lies[i]);
        check_demand(300);
        cr_assert(eq(int, await_demand(300, 0), 0));
    }
    leave_both();
}

Test(demand, goes_with_who_leaves_and_is_not_inherited)
{
    join_both();
    cr_assert(eq(int, lam_ring_consumer_demand(&two, 300), 0));
    for (int times = 0; times < 3; times++) {
        uint32_t index = one.index;

        cr_assert(eq(int, lam_ring_consumer_demand(&one, 900), 0));
        check_demand(900);
        lam_ring_consumer_detach(&one);
        check_demand(300);
        cr_assert(eq(int, join(&one, "one", LAM_RING_HEAD), 0));
        cr_assert(eq(u32, one.index, index));
        check_demand(300);
    }
    leave_both();
}

Test(demand, of_an_evicted_consumer_is_none)
{
    struct lam_ring_consumer_options options = {
        .policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = 1};
    struct lam_event event;

    cr_assert(eq(int, lam_ring_consumer_attach(&one, &ring, &options, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_demand(&one, 800), 0));
    check_demand(800);
    for (int i = 0; i < 2 * DEPTH; i++)
        cr_assert(eq(int, publish_until(lam_deadline_after_ns(SOON)), 0));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&one, &event), -ESTALE));
    check_demand(0);
    lam_ring_consumer_detach(&one);
}

/* A child that demands 900 until it is killed. */
static pid_t start_demander(void)
{
    struct child_log *log = make_log();
    pid_t parent = getpid();
    pid_t child = fork();

    cr_assert(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || join(&one, "mortal", LAM_RING_HEAD) != 0 ||
            lam_ring_consumer_demand(&one, 900) != 0)
            _exit(99);
        lam_store_release(&log->ready, 1);
        for (;;)
            (void)pause();
    }
    await_word(&log->ready, 1);
    return child;
}

Test(demand, of_the_dead_counts_until_the_producer_has_found_them)
{
    uint64_t end_ns = lam_deadline_after_ns(SOON);
    pid_t child = start_demander();

    check_demand(900);
    kill_child(child);
    cr_assert(eq(u32, lam_ring_demand(&ring), 900));
    while (lam_ring_producer_demand(&producer) != 0 && lam_clock_now_ns() < end_ns)
        nap_ms(1);
    check_demand(0);
}

Test(demand, a_wait_on_a_dead_one_ends)
{
    pid_t child = start_demander();

    cr_assert(eq(int, await_demand(899, LAM_NS_PER_MS), -ETIMEDOUT));
    kill_child(child);
    cr_assert(eq(int, await_demand(899, SOON), 0));
}

Test(demand, a_wait_lasts_while_one_demands_more_and_not_where_all_demand_as_much)
{
    join_both();
    cr_assert(eq(int, await_demand(0, 0), 0));
    cr_assert(eq(int, lam_ring_consumer_demand(&one, 500), 0));
    cr_assert(eq(int, await_demand(500, 0), 0));
    cr_assert(eq(int, await_demand(LAM_RING_DEMAND_MAX, 0), 0));
    cr_assert(eq(u32, sleeps, 0));
    cr_assert(eq(int, await_demand(499, 20 * LAM_NS_PER_MS), -ETIMEDOUT));
    cr_assert(eq(int, await_demand(0, 0), -ETIMEDOUT));
    check_demand(500);
    leave_both();
}

/* Each lowers the highest one's: the producer has to sleep once more for the other. */
static void lower_the_highest(void)
{
    uint32_t one_has = (uint32_t)lam_load_relaxed(&ring.control_head->entries[one.index].demand);

    (void)lam_ring_consumer_demand(one_has > 600 ? &one : &two, 100);
}

Test(demand, a_sleep_ends_with_the_demand_that_it_waits_for)
{
    join_both();
    cr_assert(eq(int, lam_ring_consumer_demand(&one, 700), 0));
    cr_assert(eq(int, lam_ring_consumer_demand(&two, 600), 0));
    on_sleep = lower_the_highest;
    cr_assert(eq(int, await_demand(100, SOON), 0));
    cr_assert(eq(u32, sleeps, 2));
    leave_both();
}

static void one_leaves(void)
{
    lam_ring_consumer_detach(&one);
}

Test(demand, a_sleep_ends_when_who_demands_leaves)
{
    join_both();
    cr_assert(eq(int, lam_ring_consumer_demand(&one, 700), 0));
    on_sleep = one_leaves;
    cr_assert(eq(int, await_demand(0, SOON), 0));
    cr_assert(eq(u32, sleeps, 1));
    leave_both();
}

/* By what two sees: an event of an impossible length. */
static void two_poisons(void)
{
    struct lam_event event;

    lam_store_relaxed(&((struct lam_event_header *)(void *)ring.cells)->shape, 0xffffffff);
    (void)lam_ring_consumer_try_peek(&two, &event);
}

Test(demand, a_poisoned_ring_is_not_waited_for)
{
    close_ring();
    open_at(0);
    join_both();
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, lam_ring_consumer_demand(&one, 700), 0));
    on_sleep = two_poisons;
    cr_assert(eq(int, await_demand(0, SOON), -ENOTRECOVERABLE));
    cr_assert(eq(u32, sleeps, 1));
    cr_assert(eq(int, await_demand(LAM_RING_DEMAND_MAX, SOON), -ENOTRECOVERABLE));
    leave_both();
}

static void check_used(uint64_t expected)
{
    uint64_t used_cells = 99;

    cr_assert(eq(int, lam_ring_used_cells(&ring, &used_cells), 0));
    cr_assert(eq(u64, used_cells, expected));
}

Test(demand, used_cells_are_those_that_the_slowest_gating_one_has_not_released)
{
    struct lam_ring_consumer_options options = {.policy = LAM_RING_LOSSY};
    struct lam_ring_consumer lossy;

    close_ring();
    FOR_EACH_START(i)
    {
        open_at(starts[i]);
        for (int n = 0; n < DEPTH; n++)
            cr_assert(eq(int, publish(), 1));
        check_used(0); /* nobody gates */
        cr_assert(eq(int, lam_ring_consumer_attach(&lossy, &ring, &options, &error), 0));
        join_both();
        for (uint64_t n = 1; n <= 7; n++) {
            cr_assert(eq(int, publish_value(n, 100), 1)); /* two cells */
            check_used(2 * n);
            (void)take_one(&two);
            check_used(2 * n);
        }
        for (uint64_t n = 7; n > 0; n--) {
            check_used(2 * n);
            (void)take_one(&one);
        }
        check_used(0);
        cr_assert(eq(int, publish(), 1));
        check_used(1);
        /* Ahead of the head, and more than a ring behind it: what cannot be is not counted. */
        lam_store_relaxed(one.cursor, one.next + 1000);
        (void)take_one(&two);
        check_used(0);
        lam_store_relaxed(one.cursor, one.next - 1000);
        check_used(0);
        leave_both();
        lam_ring_consumer_detach(&lossy);
        close_ring();
    }
    open_at(0);
}

Test(demand, a_wait_for_room_claims_nothing)
{
    void *payload = NULL;

    close_ring();
    FOR_EACH_START(i)
    {
        open_at(starts[i]);
        join_both();
        cr_assert(eq(int, lam_ring_producer_await_room_until(&producer, DEPTH - 1, 0), 0));
        cr_assert(eq(int, lam_ring_producer_await_room_until(&producer, DEPTH, 0), -EMSGSIZE));
        cr_assert(eq(u64, lam_ring_producer_published(&producer), test_start_from(starts[i])));
        for (int n = 0; n < DEPTH - 3; n++)
            cr_assert(eq(int, publish(), 1));
        cr_assert(eq(int, lam_ring_producer_await_room_until(&producer, 2, 0), 0));
        cr_assert(eq(int, lam_ring_producer_await_room_until(&producer, 3, 0), -ETIMEDOUT));
        (void)take_one(&one);
        cr_assert(eq(int, lam_ring_producer_await_room_until(&producer, 3, 0), -ETIMEDOUT));
        (void)take_one(&two);
        cr_assert(eq(int, lam_ring_producer_await_room_until(&producer, 3, 0), 0));
        check_used(DEPTH - 4);
        cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 100, &payload), 1));
        lam_ring_producer_abort(&producer);
        leave_both();
        close_ring();
    }
    open_at(0);
}
