/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a consumer with a patience holds the producer for that long and no longer, is told that it
 * was evicted, and which events it lost, to the last one; a lossy reader is told likewise. Method:
 * events that are their number, and a clock that the test moves.
 */
#include "lamina/ring/lossy.h"
#include "one_ring.h"

#define PATIENCE_NS (100 * LAM_NS_PER_MS)

static uint64_t now_ns;
static struct lam_base_ops ops;

static uint64_t read_clock(void)
{
    return now_ns;
}

static void setup(void)
{
    ops = lam_base_linux;
    ops.now_ns = read_clock;
    now_ns = 1000 * LAM_NS_PER_S;
    lam_base = &ops;
}

TestSuite(evict, .init = setup, .timeout = 60);

static struct lam_ring_consumer held;

static void join_with_patience(void)
{
    struct lam_ring_consumer_options options = {.name = "held",
        .start = LAM_RING_OLDEST,
        .policy = LAM_RING_GATE_THEN_EVICT,
        .patience_ns = PATIENCE_NS};

    cr_assert(eq(int, lam_ring_consumer_attach(&held, &ring, &options, &error), 0));
}

/* More than enough tries for a look at the clock. */
static int publish_in_100_tries(void)
{
    int rc = 0;

    for (int i = 0; i < 100 && rc == 0; i++)
        rc = publish();
    return rc;
}

Test(evict, it_holds_the_producer_as_long_as_it_may_and_no_longer)
{
    open_ring_at(DEPTH, UINT64_MAX - 2);
    join_with_patience();
    for (int times = 0; times < 3; times++) {
        while (publish() == 1)
            continue;
        now_ns += PATIENCE_NS - 1;
        cr_assert(eq(int, publish_in_100_tries(), 0));
        /* A release in time, and all of it begins anew. */
        (void)take_one(&held);
        cr_assert(eq(int, publish(), 1));
        cr_assert(eq(int, publish_in_100_tries(), 0));
        now_ns += PATIENCE_NS - 1;
        cr_assert(eq(int, publish_in_100_tries(), 0));
        while (take_one(&held) != UINT64_MAX)
            continue;
    }
    while (publish() == 1)
        continue;
    now_ns += PATIENCE_NS;
    cr_assert(eq(int, publish_in_100_tries(), 1));
    cr_assert(eq(u64, peek_one(&held), UINT64_MAX));
    lam_ring_consumer_detach(&held);
    close_ring();
}

static void lose_a_range_from(uint64_t first_sequence, enum lam_ring_start start)
{
    uint64_t from, to, from_sequence, to_sequence;
    uint64_t lost = 0;
    struct lam_event event;

    open_ring_at(DEPTH, first_sequence);
    join_with_patience();
    while (publish() == 1)
        continue;
    for (uint64_t number = 0; number < 3; number++)
        cr_assert(eq(u64, take_one(&held), number));
    for (uint64_t number = 3; number < 5; number++)
        cr_assert(eq(u64, peek_one(&held), number)); /* and holds them */
    while (publish() == 1)
        continue;
    now_ns += PATIENCE_NS;
    for (int i = 0; i < 5 * DEPTH; i++)
        cr_assert(eq(int, publish_in_100_tries(), 1));
    cr_assert(eq(int, lam_ring_consumer_release(&held), -ESTALE));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&held, &event), -ESTALE));
    lam_ring_consumer_place(&held, &from_sequence, &from);
    cr_assert(eq(u64, from, 5));
    cr_assert(eq(u64, from_sequence, test_start_from(first_sequence) + 5));
    cr_assert(eq(int, lam_ring_consumer_readmit(&held, start, &lost, &error), 0));
    lam_ring_consumer_place(&held, &to_sequence, &to);
    cr_assert(eq(u64, lost, to - from));
    if (start == LAM_RING_HEAD)
        cr_assert(eq(u64, to, published));
    else
        cr_assert(lt(u64, to, published));
    (void)publish();
    cr_assert(eq(int, lam_ring_consumer_try_peek(&held, &event), 1));
    cr_assert(eq(u64, value_of(&event), to), "the first that is not lost");
    cr_assert(eq(u64, event.sequence, to_sequence));
    lam_ring_consumer_detach(&held);
    close_ring();
}

Test(evict, it_is_told_at_its_release_and_its_peek_and_learns_the_range_that_it_lost)
{
    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        lose_a_range_from(starts[i], LAM_RING_OLDEST);
        lose_a_range_from(starts[i], LAM_RING_HEAD);
    }
}

static void lapped_from(uint64_t first_sequence)
{
    struct lam_ring_consumer_options options = {.policy = LAM_RING_LOSSY};
    struct lam_ring_consumer lossy;
    struct lam_event event;
    uint64_t from, to, from_sequence, to_sequence, number;
    uint64_t lost = 0;

    open_ring_at(DEPTH, first_sequence);
    cr_assert(eq(int, lam_ring_consumer_attach(&lossy, &ring, &options, &error), 0));
    for (int laps = 1; laps < 6; laps++) {
        for (int i = 0; i < laps * DEPTH + 3; i++)
            cr_assert(eq(int, publish(), 1));
        lam_ring_consumer_place(&lossy, &from_sequence, &from);
        cr_assert(
            eq(int, lam_ring_consumer_try_read(&lossy, &number, sizeof(number), &event, &lost),
                -EOVERFLOW));
        lam_ring_consumer_place(&lossy, &to_sequence, &to);
        cr_assert(eq(u64, lost, to - from));
        cr_assert(
            eq(int, lam_ring_consumer_try_read(&lossy, &number, sizeof(number), &event, &lost), 1));
        cr_assert(eq(u64, number, to), "the first that is not lost");
        cr_assert(eq(u64, event.sequence, to_sequence));
    }
    lam_ring_consumer_detach(&lossy);
    close_ring();
}

Test(evict, a_lapped_reader_learns_the_range_that_it_lost)
{
    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        lapped_from(starts[i]);
}
