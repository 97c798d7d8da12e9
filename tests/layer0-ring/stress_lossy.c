/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a lossy reader that is lapped all the time never sees a torn event and is told of exactly
 * the events it missed; a consumer that may be evicted is evicted, learns it, and goes on, without
 * an event twice and with the exact count of those it lost.
 *
 * Method: threads on one small ring, a producer that waits for nobody, events of many cells whose
 * every byte follows from their number, which stands in their first 8 bytes.
 *
 * Here real cores and ThreadSanitizer look on; lossy.mutants are for interrupt_lossy.c, which asks
 * the same and needs no luck.
 */
#include "lamina/ring/lossy.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "ring_stream.h"
#include "starts.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES_MAX 900

static struct lam_ring ring;
static uint64_t event_count = 70000;
static uint64_t losses[3];

static void fail(const char *what, uint64_t number)
{
    (void)fprintf(stderr, "event %llu: %s\n", (unsigned long long)number, what);
    exit(1);
}

static uint32_t bytes_of(uint64_t number)
{
    return 8 + test_event_bytes(number, BYTES_MAX);
}

/* Whether it is event @number, whole. */
static int is_whole(const void *payload, const struct lam_event *event, uint64_t number)
{
    uint64_t found = 0;

    memcpy(&found, payload, 8);
    return found == number && event->payload_bytes == bytes_of(number) &&
           test_event_is(
               (const char *)payload + 8, event->payload_bytes - 8, number, event->sequence);
}

/*
 * The bytes of an event that an eviction may hand back to the producer while we look: meant, and
 * found out by the release, so not for ThreadSanitizer to watch. A loop, because it watches memcpy.
 */
__attribute__((no_sanitize("thread"), noinline)) static void copy_unwatched(
    uint8_t *to, const uint8_t *from, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        to[i] = from[i];
}

static void *read_lossy(void *argument)
{
    struct lam_ring_consumer consumer;
    struct lam_ring_consumer_options options = {
        .policy = LAM_RING_LOSSY, .start = LAM_RING_OLDEST, .wait = LAM_WAIT_YIELD};
    struct lam_event event = {.payload = NULL};
    uint8_t buffer[1024];
    uint64_t number, lost = 0;
    int rc;

    if (lam_ring_consumer_attach(&consumer, &ring, &options, NULL) != 0)
        fail("cannot join", 0);
    number = consumer.ordinal;
    do {
        rc = lam_ring_consumer_read_until(&consumer, lam_deadline_after_ns(20 * LAM_NS_PER_S),
            buffer, sizeof(buffer), &event, &lost);
        if (rc == -EOVERFLOW) {
            *(uint64_t *)argument += lost;
            number += lost;
        } else if (rc == 0 && !is_whole(buffer, &event, number++)) {
            fail("torn, or not the one it should be", number - 1);
        }
    } while (rc == 0 || rc == -EOVERFLOW);
    if (rc != -EPIPE || number != event_count)
        fail("the lossy stream ended here", number);
    lam_ring_consumer_detach(&consumer);
    return NULL;
}

/* Holds events for too long now and then. */
static void *be_evicted(void *argument)
{
    struct lam_ring_consumer consumer;
    struct lam_ring_consumer_options options = {.policy = LAM_RING_GATE_THEN_EVICT,
        .patience_ns = 1000,
        .start = LAM_RING_OLDEST,
        .wait = LAM_WAIT_YIELD};
    struct lam_event event = {.payload = NULL};
    uint8_t buffer[1024];
    uint64_t number, lost = 0;
    int rc, whole;

    if (lam_ring_consumer_attach(&consumer, &ring, &options, NULL) != 0)
        fail("cannot join", 0);
    number = consumer.ordinal;
    for (;;) {
        rc = lam_ring_consumer_peek_until(
            &consumer, lam_deadline_after_ns(20 * LAM_NS_PER_S), &event);
        if (rc == 0) {
            if (number % 1024 == 0)
                for (int i = 0; i < 2000; i++)
                    lam_base->yield();
            whole = event.payload_bytes <= sizeof(buffer);
            if (whole) {
                copy_unwatched(buffer, event.payload, event.payload_bytes);
                whole = is_whole(buffer, &event, number);
            }
            number++;
            /* What was overwritten under us is no error, if the release says so. */
            rc = lam_ring_consumer_release(&consumer);
            if (rc == 0 && !whole)
                fail("changed while it was held", number - 1);
        }
        if (rc == -EPIPE)
            break;
        if (rc == -ESTALE) {
            rc = lam_ring_consumer_readmit(&consumer, LAM_RING_OLDEST, &lost, NULL);
            number += lost;
            *(uint64_t *)argument += 1;
        }
        if (rc != 0)
            fail("neither an event, nor an end, nor an eviction", number);
    }
    if (number != event_count)
        fail("the evicted stream ended here", number);
    lam_ring_consumer_detach(&consumer);
    return NULL;
}

static void produce(void)
{
    struct lam_ring_producer_options options = {.wait = LAM_WAIT_YIELD};
    struct lam_ring_producer producer;

    if (lam_ring_producer_attach(&producer, &ring, &options, NULL) != 0 ||
        lam_ring_producer_wait_consumers_until(
            &producer, 3, lam_deadline_after_ns(20 * LAM_NS_PER_S)) != 0)
        fail("cannot set up", 0);
    for (uint64_t number = 0; number < event_count; number++) {
        uint32_t bytes = bytes_of(number);
        void *payload = NULL;

        if (lam_ring_producer_claim_until(
                &producer, bytes, lam_deadline_after_ns(20 * LAM_NS_PER_S), &payload) != 0)
            fail("no room", number);
        memcpy(payload, &number, 8);
        test_event_fill((char *)payload + 8, bytes - 8, number, producer.next);
        lam_ring_producer_commit(&producer, bytes, 1, 0);
    }
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
}

static void run(uint64_t first_sequence)
{
    struct lam_ring_options options = {.name = "stress-lossy",
        .depth = 64,
        .waiting = LAM_RING_SPIN_ONLY,
        .first_sequence = first_sequence};
    uint64_t missed[3] = {0};
    struct lam_ring_stat stat;
    pthread_t threads[3];

    if (lam_ring_create(&ring, &options, NULL) != 0)
        fail("cannot set up", 0);
    for (int i = 0; i < 3; i++)
        if (pthread_create(&threads[i], NULL, i < 2 ? read_lossy : be_evicted, &missed[i]) != 0)
            fail("cannot set up", 0);
    produce();
    for (int i = 0; i < 3; i++) {
        (void)pthread_join(threads[i], NULL);
        losses[i] += missed[i];
    }
    /* Some may come while it is being readmitted, and are not seen from there. */
    if (lam_ring_stat_read(&ring, &stat) != 0 || stat.evicted < missed[2])
        fail("evictions are miscounted", stat.evicted);
    (void)lam_ring_destroy(&ring);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");

    if (effort != NULL)
        event_count *= strtoull(effort, NULL, 10);
    for (uint64_t which = 0; which < 3; which++)
        run(test_start(which));
    (void)printf(
        "%llu events: two lossy readers missed %llu and %llu, one was evicted %llu times\n",
        (unsigned long long)(3 * event_count), (unsigned long long)losses[0],
        (unsigned long long)losses[1], (unsigned long long)losses[2]);
    if (losses[0] > 0 && losses[1] > 0 && losses[2] > 0)
        return 0;
    (void)printf("skipped: the scheduler let nobody be late, so this run has shown nothing\n");
    return 77;
}
