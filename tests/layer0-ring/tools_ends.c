/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends for the tests of the commands: tools_ends DIRECTORY NAME makes a ring there, publishes 100
 * events of which its consumer takes 60, says "ready", and then does what the lines of its standard
 * input say: "more" publishes 5, "poison" has the consumer find a length that cannot be, "damage"
 * leaves it there, "close" closes and ends, "die" is killed; "fresh" makes a second ring, of that
 * name, which has no producer, "lock" takes the lock of one that has not signed yet.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/counter.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/timestamp.h"
#include "locks.h"
#include "processes.h"

static struct lam_ring ring;
static struct lam_ring fresh = {.data.fd = -1, .control.fd = -1, .creator.fd = -1};
static struct lam_lock lock = {.fd = -1};
static struct lam_ring_producer producer;
static struct lam_ring_consumer consumer;

static void publish(unsigned number)
{
    char text[40];
    int length = snprintf(text, sizeof(text), "event %u", number);
    void *payload = NULL;

    TEST_CHECK(lam_ring_producer_try_claim_timed(&producer, (uint64_t)length, &payload) == 1);
    memcpy(payload, text, (size_t)length);
    lam_ring_producer_commit_timed(&producer, (uint64_t)length, 0x1234, 0);
}

static void open_ends(const char *directory, const char *name)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED,
        .directory = directory,
        .name = name,
        .depth = 256,
        .histograms = 1};
    struct lam_ring_producer_options producing = {.timestamp_every = 10};
    struct lam_ring_consumer_options consuming = {.name = "reader \"one\"\n\x1b[7m\xe9"};
    struct lam_error error;
    lam_atomic_u64 *orders, *trades;

    TEST_OK(lam_ring_create(&ring, &options, &error), error);
    TEST_OK(lam_ring_producer_attach(&producer, &ring, &producing, &error), error);
    TEST_OK(lam_ring_consumer_attach(&consumer, &ring, &consuming, &error), error);
    TEST_CHECK(lam_ring_producer_counter(&producer, "orders", &orders) == 0);
    TEST_CHECK(lam_ring_consumer_counter(&consumer, "trades", &trades) == 0);
    lam_ring_counter_add(orders, 7);
    lam_ring_counter_add(trades, 11);
}

static void make_fresh(const char *directory)
{
    struct lam_ring_options options = {
        .backing = LAM_BACKING_NAMED, .directory = directory, .name = "fresh", .depth = 64};
    struct lam_error error;

    TEST_OK(lam_ring_create(&fresh, &options, &error), error);
}

/* The consumer takes what there is, and then comes upon a length that cannot be. */
static void poison(int and_mend)
{
    struct lam_event_header *header;
    struct lam_event event;
    uint64_t shape;

    while (lam_ring_consumer_try_peek(&consumer, &event) == 1)
        TEST_CHECK(lam_ring_consumer_release(&consumer) == 0);
    publish(999);
    header = (struct lam_event_header *)(void *)lam_ring_consumer_cell(&consumer, consumer.next);
    shape = lam_load_relaxed(&header->shape);
    lam_store_relaxed(&header->shape, UINT64_MAX);
    TEST_CHECK(lam_ring_consumer_try_peek(&consumer, &event) == -ENOTRECOVERABLE);
    if (and_mend)
        lam_store_relaxed(&header->shape, shape);
}

int main(int argc, char **argv)
{
    struct lam_event event;
    char line[64];
    unsigned published = 0;

    TEST_CHECK(argc == 3);
    (void)alarm(60);
    open_ends(argv[1], argv[2]);
    while (published < 100)
        publish(published++);
    for (unsigned taken = 0; taken < 60; taken++) {
        TEST_CHECK(lam_ring_consumer_try_peek(&consumer, &event) == 1);
        TEST_CHECK(lam_ring_consumer_unwrap(&consumer, &event) == 0);
        TEST_CHECK(lam_ring_consumer_release(&consumer) == 0);
    }
    (void)puts("ready");
    (void)fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (strcmp(line, "close\n") == 0)
            break;
        if (strcmp(line, "die\n") == 0)
            (void)kill(getpid(), SIGKILL);
        if (strcmp(line, "poison\n") == 0)
            poison(1);
        else if (strcmp(line, "damage\n") == 0)
            poison(0);
        else if (strcmp(line, "fresh\n") == 0)
            make_fresh(argv[1]);
        else if (strcmp(line, "lock\n") == 0)
            TEST_CHECK(lam_lock_take(&lock, fresh.control.fd, LAM_RING_LOCK_PRODUCER) == 0);
        else
            for (unsigned i = 0; i < 5; i++)
                publish(published++);
        (void)puts("published");
        (void)fflush(stdout);
    }
    lam_lock_drop(&lock);
    lam_ring_detach(&fresh);
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
    lam_ring_consumer_detach(&consumer);
    lam_ring_detach(&ring); /* the objects stay */
    return 0;
}
