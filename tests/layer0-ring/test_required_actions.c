/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: when the grace of a required consumer is over, its producer does what the policy says and
 * no more: fails the call, gives the consumer up, or fails the ring. Method: as in test_required.c.
 */
#include "required_clock.h"

TestSuite(required_actions, .init = setup, .fini = teardown, .timeout = 60);

/* Its grace is over, and the producer went on without it. */
static void come_too_late(uint64_t released)
{
    struct lam_ring_consumer again;
    uint64_t lost = 0;

    for (int i = 0; i < 100; i++)
        cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, join(&again, "a", LAM_RING_RESUME), 0));
    cr_assert(eq(int, lam_ring_consumer_resumed(&again, &lost), 1));
    cr_assert(eq(u64, lost, producer.horizon_ordinal - released));
    cr_assert(eq(u64, peek_one(&again), producer.horizon_ordinal));
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0), "it is watched again");
    lam_ring_consumer_detach(&again);
}

Test(required_actions, a_dead_one_is_given_up_after_its_grace_and_learns_what_it_lost)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_EVICT);
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(u64, take_one(&one), 0));
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    lam_ring_consumer_detach(&one);
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS - 1;
    cr_assert(eq(int, fill(), 0));
    now_ns += 1;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    come_too_late(1);
    cr_assert(eq(u32, alerts.over, 1));
}

Test(required_actions, one_that_never_comes_is_given_up_by_that_policy)
{
    require(1, LAM_RING_FAIL_EVICT);
    cr_assert(eq(int, fill(), 0));
    now_ns += STARTUP_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    for (int i = 0; i < 100; i++)
        cr_assert(eq(int, publish(), 1));
}

Test(required_actions, a_stalled_one_that_may_be_evicted_is_and_is_told)
{
    struct lam_ring_consumer_options options = {.name = "a",
        .start = LAM_RING_OLDEST,
        .policy = LAM_RING_GATE_THEN_EVICT,
        .patience_ns = LAM_DEADLINE_NEVER};
    struct lam_ring_consumer one;
    struct lam_event event;

    cr_assert(eq(int, lam_ring_consumer_attach(&one, &ring, &options, &error), 0));
    require(1, LAM_RING_FAIL_EVICT);
    cr_assert(eq(int, fill(), 0));
    now_ns += PROGRESS_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&one, &event), -ESTALE));
    lam_ring_consumer_detach(&one);
}

Test(required_actions, a_stalled_one_that_would_not_see_it_is_never_evicted)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_EVICT);
    cr_assert(eq(int, fill(), 0));
    now_ns += PROGRESS_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
    cr_assert(eq(u64, take_one(&one), 0));
    lam_ring_consumer_detach(&one);
}

Test(required_actions, a_failed_ring_is_failed_for_all_ends_until_the_next_epoch)
{
    struct lam_ring_consumer one, other;
    struct lam_ring_stat stat;
    struct lam_event event;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    cr_assert(eq(int, join(&other, "b", LAM_RING_OLDEST), 0));
    require(2, LAM_RING_FAIL_RING);
    cr_assert(eq(int, fill(), 0));
    while (take_one(&other) != UINT64_MAX)
        continue;
    now_ns += PROGRESS_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
    /* Sticky: that it goes on now changes nothing. */
    cr_assert(eq(u64, take_one(&one), 0));
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
    cr_assert(eq(int, publish(), -ECANCELED));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&other, &event), -ECANCELED));
    for (uint64_t n = 1; n < published; n++)
        cr_assert(eq(u64, take_one(&one), n), "the last event comes first");
    cr_assert(eq(int, lam_ring_consumer_try_peek(&one, &event), -ECANCELED));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(int, (int)stat.state, LAM_RING_FAILED));
    cr_assert(strstr(stat.failure, "required consumer a is stalled") != NULL, "%s", stat.failure);
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(int, (int)stat.state, LAM_RING_FAILED), "a close hides no failure");
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(u64, take_one(&one), published - 1));
    cr_assert(eq(u64, take_one(&other), published - 1));
    lam_ring_consumer_detach(&one);
    lam_ring_consumer_detach(&other);
}
