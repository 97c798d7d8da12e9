/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what one thread publishes the others read whole: no data race between payload and stamp,
 * nor between release and reuse. Method: one producer and three consumers on one mapping, a small
 * ring, over many wraps, for ThreadSanitizer to watch; every byte is checked, so that the program
 * says something without it, too.
 *
 * Mutants this kills under ThreadSanitizer: built with LAM_TEST_WEAK_STAMP the stamp is stored
 * relaxed; with LAM_TEST_WEAK_RELEASE the consumers' cursor is. Both must be reported.
 */
#include "lamina/base/atomic.h"
#if defined(LAM_TEST_WEAK_STAMP)
#undef lam_store_release
#define lam_store_release(at, value) lam_store_relaxed(at, value)
#include "lamina/ring/producer.h"
#undef lam_store_release
#define lam_store_release(at, value) LAM_BY_WIDTH(lam_store_release, at)(at, value)
#elif defined(LAM_TEST_WEAK_RELEASE)
#undef lam_store_release
#define lam_store_release(at, value) lam_store_relaxed(at, value)
#include "lamina/ring/consumer.h"
#undef lam_store_release
#define lam_store_release(at, value) LAM_BY_WIDTH(lam_store_release, at)(at, value)
#endif
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "ring_stream.h"
#include "starts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CONSUMERS 3
#define BYTES_MAX 300

static struct lam_ring ring;
static uint64_t event_count = 30000;

static void fail(const char *what, uint64_t number)
{
    (void)fprintf(stderr, "event %llu: %s\n", (unsigned long long)number, what);
    exit(1);
}

static void *consume(void *argument)
{
    struct lam_ring_consumer *consumer = argument;
    struct lam_event event = {.payload = NULL};
    uint64_t number = 0;
    int rc;

    while ((rc = lam_ring_consumer_peek_until(
                consumer, lam_deadline_after_ns(20 * LAM_NS_PER_S), &event)) == 0) {
        if (event.payload_bytes != test_event_bytes(number, BYTES_MAX))
            fail("wrong size", number);
        if (!test_event_is(event.payload, event.payload_bytes, number, event.sequence))
            fail("wrong byte", number);
        lam_ring_consumer_release(consumer);
        number++;
    }
    if (rc != -EPIPE || number != event_count)
        fail("the stream ended here", number);
    return NULL;
}

static void produce(struct lam_ring_producer *producer)
{
    for (uint64_t number = 0; number < event_count; number++) {
        uint32_t bytes = test_event_bytes(number, BYTES_MAX);
        void *payload = NULL;

        if (lam_ring_producer_claim_until(
                producer, bytes, lam_deadline_after_ns(20 * LAM_NS_PER_S), &payload) != 0)
            fail("no room", number);
        test_event_fill(payload, bytes, number, producer->next);
        lam_ring_producer_commit(producer, bytes, 1, 0);
    }
    lam_ring_producer_close(producer);
}

static void run(enum lam_ring_waiting waiting, enum lam_wait_mode wait)
{
    struct lam_ring_options options = {.name = "stress-threads",
        .depth = 64,
        .waiting = waiting,
        .first_sequence = test_next_start()};
    struct lam_ring_producer_options producer_options = {.wait = wait};
    struct lam_ring_consumer_options consumer_options = {.wait = wait};
    struct lam_ring_producer producer;
    struct lam_ring_consumer consumers[CONSUMERS];
    pthread_t threads[CONSUMERS];

    if (lam_ring_create(&ring, &options, NULL) != 0 ||
        lam_ring_producer_attach(&producer, &ring, &producer_options, NULL) != 0)
        fail("cannot set up", 0);
    for (int i = 0; i < CONSUMERS; i++)
        if (lam_ring_consumer_attach(&consumers[i], &ring, &consumer_options, NULL) != 0 ||
            pthread_create(&threads[i], NULL, consume, &consumers[i]) != 0)
            fail("cannot set up", 0);
    produce(&producer);
    for (int i = 0; i < CONSUMERS; i++) {
        (void)pthread_join(threads[i], NULL);
        lam_ring_consumer_detach(&consumers[i]);
    }
    lam_ring_producer_detach(&producer);
    (void)lam_ring_destroy(&ring);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");

    if (effort != NULL)
        event_count *= strtoull(effort, NULL, 10);
    run(LAM_RING_MAY_SLEEP, LAM_WAIT_FUTEX);
    run(LAM_RING_MAY_SLEEP, LAM_WAIT_HYBRID);
    run(LAM_RING_SPIN_ONLY, LAM_WAIT_YIELD);
    (void)printf("%llu events to each of %d consumers, three ways of waiting\n",
        (unsigned long long)event_count, CONSUMERS);
    return 0;
}
