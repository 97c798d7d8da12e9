/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a wait ends by what it waits for or at its deadline, and bells ring for sleepers alone.
 * Method: producer and consumers of one process on an anonymous ring of few cells.
 */
#include "lamina/ring/stat.h"
#include "one_pair.h"

#include <pthread.h>

static void setup(void)
{
    open_pair(0, LAM_RING_MAY_SLEEP);
}

TestSuite(waits, .init = setup, .fini = close_pair, .timeout = 20);

Test(waits, waits_end_at_their_deadline_in_every_mode)
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
        cr_assert(
            eq(int, lam_ring_producer_claim_batch_until(&producer, 2, 0, &batch), -ETIMEDOUT));
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

Test(waits, a_sleeping_consumer_is_woken)
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

Test(waits, nobody_is_woken_when_nobody_sleeps)
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

Test(waits, waiting_for_consumers_has_an_end)
{
    cr_assert(eq(int, lam_ring_producer_wait_consumers_until(&producer, 1, 0), 0));
    cr_assert(eq(int,
        lam_ring_producer_wait_consumers_until(
            &producer, 2, lam_deadline_after_ns(3 * LAM_NS_PER_MS)),
        -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_wait_consumers_until(&producer, 65, 0), -EINVAL));
}

Test(waits, a_spin_only_ring_never_rings_a_bell)
{
    struct lam_ring_stat stat;
    struct lam_event event = {.payload = NULL};

    close_pair();
    open_pair(0, LAM_RING_SPIN_ONLY);
    cr_assert(eq(int, (int)consumer.wait, LAM_WAIT_YIELD)); /* hybrid would sleep */
    cr_assert(eq(int,
        lam_ring_consumer_peek_until(&consumer, lam_deadline_after_ns(LAM_NS_PER_MS), &event),
        -ETIMEDOUT));
    cr_assert(eq(int, publish(1), 1));
    cr_assert(eq(u64, take(&consumer), 1));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.wakes + stat.parks + stat.consumers[0].parks, 0));
}
