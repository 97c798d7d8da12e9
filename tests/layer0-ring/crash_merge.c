/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: of four producers in processes of their own, one is killed in mid-stream and one writes an
 * event that cannot be; the one call that reads all four tells each end with its index, and the
 * other two streams arrive whole, every byte. Method: merged fair and by time, sleeping and
 * spinning, at several places of death.
 */
#include "lamina/ring/merge.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/timestamp.h"
#include "processes.h"
#include "ring_stream.h"
#include "starts.h"

#include <time.h>

#define RINGS    4
#define KILLED   1
#define POISONER 2
#define PATIENCE (30 * LAM_NS_PER_S)

static struct lam_ring rings[RINGS];
static struct lam_ring_consumer consumers[RINGS];
static uint64_t event_count = 3000;

static uint32_t bytes_of(uint64_t number)
{
    return 8 + test_event_bytes(number, 200);
}

static void publish(struct lam_ring_producer *producer, uint64_t number)
{
    uint32_t bytes = bytes_of(number);
    void *payload = NULL;

    TEST_CHECK(lam_ring_producer_claim_timed_until(
                   producer, bytes, lam_deadline_after_ns(PATIENCE), &payload) == 0);
    memcpy(payload, &number, 8);
    test_event_fill((char *)payload + 8, bytes - 8, number, number);
    lam_ring_producer_commit_timed(producer, bytes, 1, 0);
}

/* An event that is longer than any can be. */
static void publish_garbage(struct lam_ring_producer *producer)
{
    struct lam_event_header *header = lam_ring_producer_cell(producer, producer->next);
    void *payload = NULL;

    TEST_CHECK(
        lam_ring_producer_claim_until(producer, 8, lam_deadline_after_ns(PATIENCE), &payload) == 0);
    lam_store_relaxed(&header->shape, lam_event_shape(UINT32_MAX - 100, 1, 0));
    lam_store_release(&header->stamp, producer->next);
    if (lam_load_relaxed(producer->sleeping) != 0)
        lam_ring_producer_wake(producer);
}

static pid_t start_producer(uint32_t at, uint64_t stops_at)
{
    pid_t child = test_fork();

    if (child == 0) {
        struct lam_ring_producer_options options = {.timestamp_every = 1};
        struct lam_ring_producer producer;
        uint64_t random = at;

        TEST_CHECK(lam_ring_producer_attach(&producer, &rings[at], &options, NULL) == 0);
        for (uint64_t number = 0; number < event_count; number++) {
            if (number == stops_at && at == KILLED) {
                void *payload = NULL;

                (void)lam_ring_producer_claim_until(
                    &producer, 100, lam_deadline_after_ns(PATIENCE), &payload);
                (void)raise(SIGKILL);
            }
            if (number == stops_at && at == POISONER) {
                publish_garbage(&producer);
                _exit(0);
            }
            publish(&producer, number);
            if (test_random(&random) % 64 == 0)
                (void)nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
        }
        lam_ring_producer_close(&producer);
        _exit(0);
    }
    return child;
}

struct progress {
    uint64_t next[RINGS];
    int end[RINGS];
};

static void read_one(struct lam_ring_merge *merge, struct progress *progress)
{
    struct lam_event event = {.payload = NULL};
    uint32_t at = 99;
    uint64_t number = 0;
    int rc = lam_ring_merge_peek_until(merge, lam_deadline_after_ns(PATIENCE), &event, &at);

    TEST_CHECK(at < RINGS);
    TEST_CHECK(rc != -ETIMEDOUT && progress->end[at] == 0);
    if (rc != 0) {
        progress->end[at] = rc;
        return;
    }
    TEST_CHECK(lam_event_strip(&event) == 0 && event.payload_bytes >= 8);
    memcpy(&number, event.payload, 8);
    TEST_CHECK(number == progress->next[at] && event.payload_bytes == bytes_of(number));
    TEST_CHECK(
        test_event_is((const char *)event.payload + 8, event.payload_bytes - 8, number, number));
    progress->next[at]++;
    TEST_CHECK(lam_ring_merge_release(merge) == 0);
}

static void check(const struct progress *progress, uint64_t stops_at)
{
    for (uint32_t i = 0; i < RINGS; i++) {
        int end = i == KILLED ? -EOWNERDEAD : i == POISONER ? -ENOTRECOVERABLE : -EPIPE;
        uint64_t count = i == KILLED || i == POISONER ? stops_at : event_count;

        TEST_CHECK(progress->end[i] == end);
        TEST_CHECK(progress->next[i] == count);
    }
}

static void run(enum lam_ring_merge_order order, enum lam_wait_mode wait, uint64_t stops_at)
{
    struct lam_ring_merge_options options = {.order = order, .batch = 3};
    struct lam_ring_consumer_options consumer_options = {.wait = wait};
    struct progress progress = {.next = {0}};
    struct lam_event event = {.payload = NULL};
    struct lam_ring_merge merge;
    struct lam_error error;
    pid_t children[RINGS];
    uint32_t at;

    lam_ring_merge_init(&merge, &options);
    for (uint32_t i = 0; i < RINGS; i++) {
        struct lam_ring_options ring_options = {
            .name = "crash-merge", .depth = 64, .first_sequence = test_next_start()};

        TEST_OK(lam_ring_create(&rings[i], &ring_options, &error), error);
        TEST_OK(
            lam_ring_consumer_attach(&consumers[i], &rings[i], &consumer_options, &error), error);
        TEST_CHECK(lam_ring_merge_add(&merge, &consumers[i], &at) == 0 && at == i);
    }
    for (uint32_t i = 0; i < RINGS; i++)
        children[i] = start_producer(i, stops_at);
    for (int ended = 0; ended < RINGS;) {
        read_one(&merge, &progress);
        ended = 0;
        for (uint32_t i = 0; i < RINGS; i++)
            ended += progress.end[i] != 0;
    }
    check(&progress, stops_at);
    TEST_CHECK(lam_ring_merge_try_peek(&merge, &event, &at) == -EPIPE && at == LAM_RING_MERGE_ALL);
    for (uint32_t i = 0; i < RINGS; i++) {
        TEST_CHECK(test_wait(children[i]) == (i == KILLED ? 128 + SIGKILL : 0));
        lam_ring_consumer_detach(&consumers[i]);
        (void)lam_ring_destroy(&rings[i]);
    }
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t rounds = effort == NULL ? 1 : strtoull(effort, NULL, 10);
    uint64_t random = 3;

    for (uint64_t round = 0; round < rounds; round++) {
        run(LAM_RING_MERGE_FAIR, LAM_WAIT_HYBRID, test_random(&random) % event_count);
        run(LAM_RING_MERGE_FAIR, LAM_WAIT_FUTEX, test_random(&random) % event_count);
        run(LAM_RING_MERGE_BY_TIME, LAM_WAIT_HYBRID, test_random(&random) % event_count);
        run(LAM_RING_MERGE_BY_TIME, LAM_WAIT_FUTEX, 0);
    }
    (void)printf("%llu streams of four merged: one killed, one poisoned, two whole\n",
        (unsigned long long)(4 * rounds));
    return 0;
}
