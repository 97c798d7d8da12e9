/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the counters of a ring with many producers are as right as those of one with one. Method:
 * two producers and a reader of one process; what is aborted or cut short is counted nowhere.
 */
#include "lamina/ring/lossy.h"
#include "lamina/ring/many.h"
#include "one_ring.h"

#define SLOTS 64

static struct lam_ring_many_producer producers[2];
static struct lam_ring_consumer reader;
static struct lam_ring_stat stat;

static void open_ring_for_many(uint64_t first_sequence)
{
    struct lam_ring_options options = {.name = "stat-many",
        .depth = SLOTS,
        .first_sequence = first_sequence,
        .producers = LAM_RING_MANY_PRODUCERS};
    struct lam_ring_many_options many_options = {.wait = LAM_WAIT_FUTEX};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int, lam_ring_many_attach(&producers[i], &ring, &many_options, &error), 0));
}

static void close_ring_of_many(void)
{
    lam_ring_consumer_detach(&reader);
    for (int i = 0; i < 2; i++)
        lam_ring_many_detach(&producers[i]);
    (void)lam_ring_destroy(&ring);
}

TestSuite(stat_many, .timeout = 60);

/* Claims more than it takes, of two producers in turn; every fifth is given back. */
static int publish_some(uint64_t number, uint64_t *events, uint64_t *bytes)
{
    struct lam_ring_many_producer *by = &producers[number % 2];
    uint64_t payload_bytes = number % 3 * 64 + number % 7;
    void *payload = NULL;
    int rc = lam_ring_many_try_claim(by, payload_bytes + number % 4 * 64, &payload);

    if (rc != 1)
        return rc;
    if (number % 5 == 0) {
        lam_ring_many_abort(by);
        return 1;
    }
    memset(payload, 0, payload_bytes);
    lam_ring_many_commit(by, payload_bytes, 1, 0);
    *events += 1;
    *bytes += payload_bytes;
    return 1;
}

static void count_from(uint64_t first_sequence)
{
    uint64_t events = 0, bytes = 0, taken = 0, number = 0;
    struct lam_event event;

    open_ring_for_many(first_sequence);
    cr_assert(eq(int, join(&reader, "reader", LAM_RING_OLDEST), 0));
    for (int round = 0; round < 100; round++) {
        while (publish_some(number, &events, &bytes) == 1)
            number++;
        cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
        cr_assert(eq(u64, stat.events, events), "round %d", round);
        cr_assert(eq(u64, stat.consumers[0].events, taken));
        cr_assert(eq(u64, stat.consumers[0].lag_events, events - taken));
        cr_assert(eq(u64, stat.full, (uint64_t)round + 1));
        for (int i = 0; i < 8; i++)
            taken += lam_ring_consumer_try_peek(&reader, &event) == 1;
        (void)lam_ring_consumer_release(&reader);
    }
    for (int i = 0; i < 2; i++)
        lam_ring_many_close(&producers[i]);
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.bytes, bytes));
    cr_assert(eq(int, (int)stat.state, LAM_RING_CLOSED));
    cr_assert(eq(u64, stat.epoch, 1));
    cr_assert(eq(u64, stat.repairs, 0));
    close_ring_of_many();
}

Test(stat_many, events_bytes_and_lag_are_exact_also_where_sequences_wrap)
{
    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        count_from(starts[i]);
}

static void lose_from(uint64_t first_sequence)
{
    struct lam_ring_consumer_options options = {.policy = LAM_RING_LOSSY};
    uint64_t events = 0, bytes = 0, taken = 0, lost_all = 0, overruns = 0, number = 0, lost = 0;
    struct lam_event event;
    char buffer[512];

    open_ring_for_many(first_sequence);
    cr_assert(eq(int, lam_ring_consumer_attach(&reader, &ring, &options, &error), 0));
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < round * 3; i++)
            cr_assert(eq(int, publish_some(number++, &events, &bytes), 1));
        for (int i = 0; i < 4; i++) {
            int rc = lam_ring_consumer_try_read(&reader, buffer, sizeof(buffer), &event, &lost);

            taken += rc == 1;
            lost_all += rc == -EOVERFLOW ? lost : 0;
            overruns += rc == -EOVERFLOW;
        }
        cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
        cr_assert(eq(u64, stat.consumers[0].events, taken));
        cr_assert(eq(u64, stat.consumers[0].lost, lost_all));
        cr_assert(eq(u64, stat.consumers[0].overruns, overruns));
        cr_assert(eq(u64, stat.consumers[0].lag_events, events - taken - lost_all));
    }
    cr_assert(lt(u64, 3, overruns));
    close_ring_of_many();
}

Test(stat_many, losses_of_a_lossy_reader_are_exact_also_where_sequences_wrap)
{
    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        lose_from(starts[i]);
}

Test(stat_many, waits_and_wakes_are_counted)
{
    struct lam_event event;
    void *payload = NULL;

    open_ring_for_many(UINT64_MAX - 2);
    cr_assert(eq(int, join(&reader, "reader", LAM_RING_OLDEST), 0));
    while (lam_ring_many_try_claim(&producers[0], 8, &payload) == 1) {
        memset(payload, 0, 8);
        lam_ring_many_commit(&producers[0], 8, 1, 0);
    }
    cr_assert(eq(int,
        lam_ring_many_claim_until(
            &producers[1], 8, lam_deadline_after_ns(20 * LAM_NS_PER_MS), &payload),
        -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(lt(u64, 0, stat.parks));
    cr_assert(eq(u64, stat.full, 2), "once for each producer");
    cr_assert(eq(int, lam_ring_consumer_try_peek(&reader, &event), 1));
    (void)lam_ring_consumer_release(&reader);
    cr_assert(eq(u64, stat.wakes, 0), "of consumers: none sleeps");
    cr_assert(eq(int, lam_ring_many_try_claim(&producers[1], 8, &payload), 1));
    lam_ring_many_commit(&producers[1], 8, 1, 0);
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(le(u64, 20 * LAM_NS_PER_MS, stat.blocked_ns));
    cr_assert(eq(u32, stat.producer_count, 2));
    close_ring_of_many();
}
