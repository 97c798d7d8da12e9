/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a producer knows who is there and how far, waits for those it wants, and is told who blocks
 * it. Method: consumers of one process.
 */
#include "layout.h"

#include "one_ring.h"

static void setup(void)
{
    open_ring_at(DEPTH, UINT64_MAX - 5);
}

TestSuite(coordination, .init = setup, .fini = close_ring, .timeout = 60);

Test(coordination, a_wait_for_names_that_times_out_names_the_missing)
{
    static const char *const names[] = {"a", "b", "c"};
    struct lam_ring_consumer one, two, three;

    cr_assert(eq(int, join(&one, "b", LAM_RING_HEAD), 0));
    cr_assert(eq(int,
        lam_ring_producer_wait_names_until(&producer, names, 3, lam_deadline_after_ns(1), &error),
        -ETIMEDOUT));
    cr_assert(strstr(error.text, "come: a c") != NULL, "%s", error.text);
    cr_assert(eq(int, join(&two, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&three, "c", LAM_RING_HEAD), 0));
    cr_assert(eq(int,
        lam_ring_producer_wait_names_until(&producer, names, 3, lam_deadline_after_ns(SOON), NULL),
        0));
    lam_ring_consumer_detach(&two);
    cr_assert(eq(int,
        lam_ring_producer_wait_names_until(&producer, names, 3, lam_deadline_after_ns(1), &error),
        -ETIMEDOUT));
    cr_assert(strstr(error.text, "come: a") != NULL, "%s", error.text);
    lam_ring_consumer_detach(&one);
    lam_ring_consumer_detach(&three);
}

Test(coordination, a_joiner_counts_once_it_has_found_its_place)
{
    static const char *const name = "late";
    struct lam_ring_consumer consumer;
    lam_atomic_u64 *joined;
    uint64_t place;

    cr_assert(eq(int, join(&consumer, name, LAM_RING_HEAD), 0));
    joined = &ring.control_head->entries[consumer.index].joined;
    place = lam_load_relaxed(joined);
    /* As it is while the joiner, whose entry gates already, walks to the head. */
    lam_store_relaxed(joined, UINT64_MAX);
    cr_assert(eq(u32, lam_ring_producer_count(&producer, NULL), 0));
    cr_assert(
        eq(int, lam_ring_producer_wait_consumers_until(&producer, 1, lam_deadline_after_ns(1)),
            -ETIMEDOUT));
    cr_assert(eq(int,
        lam_ring_producer_wait_names_until(&producer, &name, 1, lam_deadline_after_ns(1), &error),
        -ETIMEDOUT));
    lam_store_relaxed(joined, place);
    cr_assert(eq(int, lam_ring_producer_wait_consumers_until(&producer, 1, 0), 0));
    cr_assert(eq(int, lam_ring_producer_wait_names_until(&producer, &name, 1, 0, &error), 0));
    lam_ring_consumer_detach(&consumer);
}

Test(coordination, names_that_no_consumer_can_have_are_not_waited_for)
{
    static const char *const names[] = {"a", ""};

    cr_assert(
        eq(int, lam_ring_producer_wait_names_until(&producer, names, 0, SOON, &error), -EINVAL));
    cr_assert(
        eq(int, lam_ring_producer_wait_names_until(&producer, names, 65, SOON, &error), -EINVAL));
    cr_assert(
        eq(int, lam_ring_producer_wait_names_until(&producer, names, 2, SOON, &error), -EINVAL));
}

Test(coordination, consumers_are_counted_by_the_beginning_of_their_names)
{
    struct lam_ring_consumer consumers[4];

    cr_assert(eq(u32, lam_ring_producer_count(&producer, NULL), 0));
    cr_assert(eq(int, join(&consumers[0], "risk_0", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&consumers[1], "risk_1", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&consumers[2], "book", LAM_RING_HEAD), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumers[3], &ring, NULL, &error), 0));
    cr_assert(eq(u32, lam_ring_producer_count(&producer, NULL), 4));
    cr_assert(eq(u32, lam_ring_producer_count(&producer, "risk_"), 2));
    cr_assert(eq(u32, lam_ring_producer_count(&producer, "risk_1"), 1));
    cr_assert(eq(u32, lam_ring_producer_count(&producer, "x"), 0));
    lam_ring_consumer_detach(&consumers[1]);
    cr_assert(eq(u32, lam_ring_producer_count(&producer, "risk_"), 1));
    for (int i = 0; i < 4; i++)
        lam_ring_consumer_detach(&consumers[i]);
}

Test(coordination, progress_is_told_by_name_and_by_the_lowest)
{
    struct lam_ring_consumer one, two;
    uint64_t first = lam_ring_producer_published(&producer);
    uint64_t cursor = 0;

    cr_assert(eq(u64, first, test_start_from(UINT64_MAX - 5)));
    cr_assert(eq(int, lam_ring_producer_lowest(&producer, &cursor), 0));
    cr_assert(eq(u64, cursor, first));
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&two, "b", LAM_RING_HEAD), 0));
    for (int n = 0; n < 10; n++)
        cr_assert(eq(int, publish(), 1));
    for (int n = 0; n < 4; n++)
        (void)take_one(&one);
    for (int n = 0; n < 9; n++)
        (void)take_one(&two);
    cr_assert(eq(u64, lam_ring_producer_published(&producer), first + 10));
    cr_assert(eq(int, lam_ring_producer_lowest(&producer, &cursor), 1));
    cr_assert(eq(u64, cursor, first + 4));
    cr_assert(eq(int, lam_ring_producer_cursor_of(&producer, "b", &cursor), 0));
    cr_assert(eq(u64, cursor, first + 9));
    cr_assert(eq(int, lam_ring_producer_cursor_of(&producer, "c", &cursor), -ENOENT));
    cr_assert(eq(int, lam_ring_producer_is_consumed(&producer, first + 3), 1));
    cr_assert(eq(int, lam_ring_producer_is_consumed(&producer, first + 4), 0));
    lam_ring_consumer_detach(&one);
    cr_assert(eq(int, lam_ring_producer_cursor_of(&producer, "a", &cursor), -ENOENT));
    cr_assert(eq(int, lam_ring_producer_is_consumed(&producer, first + 8), 1));
    cr_assert(eq(int, lam_ring_producer_is_consumed(&producer, first + 9), 0));
    lam_ring_consumer_detach(&two);
}

Test(coordination, a_refused_claim_is_told_how_many_cells_it_lacks)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    for (uint64_t n = 0; n < DEPTH - 1; n++) {
        uint64_t room = DEPTH - 1 - n;

        for (uint64_t cells = 1; cells < DEPTH; cells++)
            cr_assert(eq(
                u64, lam_ring_producer_lacks(&producer, cells), cells > room ? cells - room : 0));
        cr_assert(eq(int, publish(), 1));
    }
    cr_assert(eq(int, publish(), 0));
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3, &batch), 0));
    cr_assert(eq(u64, lam_ring_producer_lacks(&producer, 3), 3));
    for (int n = 0; n < 2; n++)
        (void)take_one(&one);
    cr_assert(eq(u64, lam_ring_producer_lacks(&producer, 3), 1));
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3, &batch), 0));
    (void)take_one(&one);
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3, &batch), 1));
    lam_ring_producer_abort(&producer);
    lam_ring_consumer_detach(&one);
}

Test(coordination, an_empty_batch_publishes_nothing)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3, &batch), 1));
    lam_ring_batch_commit(&batch);
    cr_assert(eq(u64, peek_one(&one), UINT64_MAX));
    cr_assert(eq(u64, lam_ring_producer_published(&producer), test_start_from(UINT64_MAX - 5)));
    lam_ring_consumer_detach(&one);
}

Test(coordination, a_timed_out_claim_knows_its_blocker_and_since_when)
{
    struct lam_ring_consumer one, two;
    struct lam_ring_blocker blocker;
    uint64_t begin_ns;

    cr_assert(eq(int, join(&one, "quick", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&two, "slow", LAM_RING_HEAD), 0));
    while (publish() == 1)
        continue;
    while (take_one(&one) != UINT64_MAX)
        continue;
    begin_ns = lam_clock_now_ns();
    cr_assert(eq(int, publish_until(begin_ns + 2 * LAM_NS_PER_MS), -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "slow"));
    cr_assert(eq(u64, blocker.lag_cells, DEPTH - 1));
    cr_assert(eq(u32, blocker.pid, (uint32_t)getpid()));
    cr_assert(ge(u64, blocker.since_ns, 2 * LAM_NS_PER_MS));
    /* Another one is behind now: its time begins anew, and is known at once. */
    (void)take_one(&two);
    cr_assert(eq(int, publish(), 1));
    (void)take_one(&two);
    (void)take_one(&two);
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, publish(), 1));
    lam_ring_consumer_detach(&two);
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "quick"));
    cr_assert(eq(u64, blocker.since_ns, 0));
    lam_ring_consumer_detach(&one);
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 0));
}

static uint64_t moved_ns;

static uint64_t moved_clock(void)
{
    return moved_ns;
}

Test(coordination, patience_is_counted_for_a_consumer_and_not_for_its_entry)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST,
        .policy = LAM_RING_GATE_THEN_EVICT,
        .patience_ns = 1000 * LAM_NS_PER_S};
    struct lam_base_ops ops = lam_base_linux;
    struct lam_ring_consumer one, two;

    ops.now_ns = moved_clock;
    moved_ns = LAM_NS_PER_S;
    lam_base = &ops;
    cr_assert(eq(int, lam_ring_consumer_attach(&one, &ring, &options, &error), 0));
    while (publish() == 1)
        continue;
    lam_ring_consumer_detach(&one);
    options.patience_ns = 500 * LAM_NS_PER_S;
    cr_assert(eq(int, lam_ring_consumer_attach(&two, &ring, &options, &error), 0));
    cr_assert(eq(u32, two.index, one.index));
    moved_ns += 600 * LAM_NS_PER_S;
    for (int i = 0; i < 200; i++)
        cr_assert(eq(int, publish(), 0));
    cr_assert(eq(u64, take_one(&two), 0), "it is not evicted for what another one did");
    moved_ns += 500 * LAM_NS_PER_S;
    lam_base = &lam_base_linux;
    lam_ring_consumer_detach(&two);
}

Test(coordination, a_consumed_event_is_waited_for)
{
    struct lam_ring_consumer one;
    struct lam_ring_blocker blocker;
    uint64_t first = lam_ring_producer_published(&producer);

    cr_assert(eq(int, lam_ring_producer_await_consumed_until(&producer, first, SOON), -EINVAL));
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, publish(), 1));
    (void)take_one(&one);
    cr_assert(eq(int,
        lam_ring_producer_await_consumed_until(&producer, first, lam_deadline_after_ns(SOON)), 0));
    cr_assert(eq(int,
        lam_ring_producer_await_consumed_until(
            &producer, first + 1, lam_deadline_after_ns(LAM_NS_PER_MS)),
        -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "a"));
    lam_ring_consumer_detach(&one);
    cr_assert(eq(int,
        lam_ring_producer_await_consumed_until(&producer, first + 1, lam_deadline_after_ns(SOON)),
        0));
}
