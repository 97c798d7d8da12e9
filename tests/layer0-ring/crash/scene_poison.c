/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer writes an event that cannot be, and the consumer that finds it dies when it has said
 * so. The ring is poisoned for all: the other consumer and the producer learn it, both where they
 * sleep, and nothing is left behind.
 */
#include "crash.h"

#include "lamina/ring/event.h"

static void peer(void)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST};
    struct lam_ring_consumer consumer;
    struct lam_event event = {.payload = NULL};
    int rc;

    TEST_OK(
        lam_ring_consumer_attach(&consumer, crash_attach(), &options, &crash_error), crash_error);
    while ((rc = lam_ring_consumer_peek_until(&consumer, crash_soon(), &event)) == 0)
        TEST_CHECK(lam_ring_consumer_release(&consumer) == 0);
    TEST_CHECK(rc == -ENOTRECOVERABLE);
    lam_ring_consumer_detach(&consumer);
}

/* An event that is longer than any can be. */
static void publish_garbage(struct lam_ring_producer *producer)
{
    struct lam_event_header *header = lam_ring_producer_cell(producer, producer->next);
    void *payload = NULL;

    TEST_CHECK(lam_ring_producer_try_claim(producer, 8, &payload) == 1);
    lam_store_relaxed(&header->shape, lam_event_shape(UINT32_MAX - 100, 1, 0));
    lam_store_release(&header->stamp, producer->next);
    lam_ring_producer_abort(producer);
}

void crash_scene_poison(void)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_HEAD, .wait = LAM_WAIT_FUTEX};
    struct crash_reader reader = {.next = 0};
    struct lam_ring_producer producer;
    void *payload = NULL;
    int how, rc;

    crash_make_ring(LAM_RING_ONE_PRODUCER);
    TEST_OK(lam_ring_producer_attach(&producer, &crash_ring, NULL, &crash_error), crash_error);
    for (uint64_t number = 0; number < 5;)
        number += (uint64_t)crash_publish(&producer, number, crash_soon());
    publish_garbage(&producer);
    how = test_wait(crash_start_peer(peer));
    crash_check_end(how);
    TEST_CHECK(lam_ring_consumer_attach(&reader.end, &crash_ring, &options, &crash_error) != 0 ||
               crash_read(&reader, crash_soon()) == -ENOTRECOVERABLE);
    lam_ring_consumer_detach(&reader.end);
    do {
        rc = lam_ring_producer_try_claim(&producer, 40, &payload);
        if (rc == 1)
            lam_ring_producer_commit(&producer, 40, 1, 0);
    } while (rc == 1);
    TEST_CHECK(rc == -ENOTRECOVERABLE);
    lam_ring_producer_detach(&producer);
    crash_check_ring(&crash_ring);
    TEST_OK(lam_ring_destroy(&crash_ring), crash_error);
}
