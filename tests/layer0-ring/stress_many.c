/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what 1, 2, 4 and 8 producers in threads publish on one ring, 1 to 3 consumers read whole:
 * each producer's events in its order, none lost, none twice, all in one total order that is the
 * same for everybody; and ThreadSanitizer finds no race between payload and stamp, nor between
 * release and reuse by another producer.
 *
 * Method: a small ring over many wraps, aborts and shorter commits among the events, sequences that
 * start before their wraps. Mutants: many.mutants.
 */
#include "many_stream.h"
#include "starts.h"

#include "lamina/ring/stat.h"

#include <pthread.h>

#define BYTES_MAX 200

struct end {
    struct lam_ring *ring;
    enum lam_wait_mode wait;
    uint32_t id;
    uint32_t producer_count;
    uint32_t event_count;
    struct lam_ring_consumer consumer;
    struct many_seen seen;
};

static void *produce(void *argument)
{
    struct end *end = argument;
    struct lam_ring_many_options options = {.wait = end->wait};
    struct lam_ring_many_producer producer;
    struct lam_error error;

    TEST_OK(lam_ring_many_attach(&producer, end->ring, &options, &error), error);
    for (uint32_t number = 0; number < end->event_count; number++)
        many_publish(&producer, end->id, number, BYTES_MAX);
    lam_ring_many_detach(&producer);
    return NULL;
}

static void *consume(void *argument)
{
    struct end *end = argument;
    struct lam_event event = {.payload = NULL};
    uint64_t total = (uint64_t)end->producer_count * end->event_count;
    uint64_t end_ns = lam_deadline_after_ns(60 * LAM_NS_PER_S);

    while (end->seen.count < total) {
        int rc = lam_ring_consumer_peek_until(&end->consumer, end_ns, &event);

        /* Some have come and gone before others come: nobody is there for a moment. */
        TEST_CHECK(rc == 0 || (rc == -EOWNERDEAD && lam_clock_now_ns() < end_ns));
        if (rc != 0)
            continue;
        (void)many_check(&end->seen, &event, BYTES_MAX);
        (void)lam_ring_consumer_release(&end->consumer);
    }
    return NULL;
}

static void check_end(struct lam_ring *ring, struct end *consumers, uint32_t consumer_count)
{
    struct lam_ring_many_producer producer;
    struct lam_event event = {.payload = NULL};
    struct lam_ring_stat stat;

    /* The last one closes. */
    TEST_CHECK(lam_ring_many_attach(&producer, ring, NULL, NULL) == 0);
    lam_ring_many_close(&producer);
    TEST_CHECK(lam_ring_stat_read(ring, &stat) == 0);
    TEST_CHECK(stat.state == LAM_RING_CLOSED && stat.events == consumers[0].seen.count);
    for (uint32_t i = 0; i < consumer_count; i++) {
        TEST_CHECK(lam_ring_consumer_peek_until(&consumers[i].consumer,
                       lam_deadline_after_ns(60 * LAM_NS_PER_S), &event) == -EPIPE);
        TEST_CHECK(consumers[i].seen.digest == consumers[0].seen.digest);
        TEST_CHECK(consumers[i].consumer.ordinal == stat.events);
        lam_ring_consumer_detach(&consumers[i].consumer);
    }
    lam_ring_many_detach(&producer);
}

static void run(uint32_t producer_count, uint32_t consumer_count, uint32_t event_count,
    enum lam_ring_waiting waiting, enum lam_wait_mode wait)
{
    struct lam_ring_options options = {.name = "stress-many",
        .depth = 64,
        .waiting = waiting,
        .producers = LAM_RING_MANY_PRODUCERS,
        .first_sequence = test_next_start()};
    struct lam_ring_consumer_options consumer_options = {.wait = wait};
    static struct end producers[8], consumers[3];
    pthread_t producer_threads[8], consumer_threads[3];
    struct lam_ring ring;

    TEST_CHECK(lam_ring_create(&ring, &options, NULL) == 0);
    for (uint32_t i = 0; i < consumer_count; i++) {
        consumers[i] = (struct end){.producer_count = producer_count, .event_count = event_count};
        TEST_CHECK(
            lam_ring_consumer_attach(&consumers[i].consumer, &ring, &consumer_options, NULL) == 0);
        TEST_CHECK(pthread_create(&consumer_threads[i], NULL, consume, &consumers[i]) == 0);
    }
    for (uint32_t i = 0; i < producer_count; i++) {
        producers[i] =
            (struct end){.ring = &ring, .wait = wait, .id = i, .event_count = event_count};
        TEST_CHECK(pthread_create(&producer_threads[i], NULL, produce, &producers[i]) == 0);
    }
    for (uint32_t i = 0; i < producer_count; i++)
        (void)pthread_join(producer_threads[i], NULL);
    for (uint32_t i = 0; i < consumer_count; i++)
        (void)pthread_join(consumer_threads[i], NULL);
    check_end(&ring, consumers, consumer_count);
    TEST_CHECK(lam_ring_destroy(&ring) == 0);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint32_t events = 12000 * (effort == NULL ? 1 : (uint32_t)atoi(effort));

    for (uint32_t producers = 1; producers <= 8; producers *= 2) {
        run(producers, 1, events / producers, LAM_RING_MAY_SLEEP, LAM_WAIT_FUTEX);
        run(producers, 2, events / producers, LAM_RING_MAY_SLEEP, LAM_WAIT_HYBRID);
        run(producers, 3, events / producers, LAM_RING_SPIN_ONLY, LAM_WAIT_YIELD);
    }
    (void)printf("%u events by 1, 2, 4 and 8 producers, to 1, 2 and 3 consumers\n", events);
    return 0;
}
