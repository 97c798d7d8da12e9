/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: kill -9 of either end in mid-stream costs nobody else anything: a dead consumer stops
 * holding the producer, a dead producer is known to its consumers, and its successor continues the
 * sequence without a gap, a repetition or a torn event. A forked child keeps nobody alive.
 *
 * Method: real processes, SIGKILL at moments that differ from round to round, payloads that look
 * like stamps. Times are not asserted here; the deadlines only bound the test.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "leftovers.h"
#include "processes.h"
#include "ring_stream.h"
#include "starts.h"

#include <time.h>

#define PATIENCE  (20 * LAM_NS_PER_S)
#define BYTES_MAX 700

static char name[64];
static struct lam_ring ring;
static struct lam_error error;

static uint64_t soon(void)
{
    return lam_deadline_after_ns(PATIENCE);
}

static void create(enum lam_ring_waiting waiting)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED,
        .name = name,
        .depth = 64,
        .waiting = waiting,
        .first_sequence = test_next_start()};

    TEST_OK(lam_ring_create(&ring, &options, &error), error);
}

static void pause_us(uint64_t microseconds)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)(microseconds * 1000)}, NULL);
}

/* Publish events from @number on until killed; numbers stand in the first 8 bytes. */
static void publish_for_ever(uint64_t number)
{
    struct lam_ring_producer producer;

    TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);
    for (;; number++) {
        uint32_t bytes = 8 + test_event_bytes(number, BYTES_MAX);
        void *payload = NULL;

        TEST_OK(lam_ring_producer_claim_until(&producer, bytes, soon(), &payload), error);
        memcpy(payload, &number, 8);
        test_event_fill((char *)payload + 8, bytes - 8, number, producer.next);
        lam_ring_producer_commit(&producer, bytes, 1, 0);
    }
}

static void consume_for_ever(void)
{
    struct lam_ring_consumer consumer;
    struct lam_event event = {.payload = NULL};

    TEST_OK(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), error);
    for (;;) {
        TEST_OK(lam_ring_consumer_peek_until(&consumer, soon(), &event), error);
        lam_ring_consumer_release(&consumer);
    }
}

static void check_event(const struct lam_event *event, uint64_t expected)
{
    uint64_t number = 0;

    memcpy(&number, event->payload, 8);
    TEST_CHECK(number == expected);
    TEST_CHECK(event->payload_bytes == 8 + test_event_bytes(number, BYTES_MAX));
    TEST_CHECK(test_event_is(
        (const char *)event->payload + 8, event->payload_bytes - 8, number, event->sequence));
}

/* Producers die one after another; one consumer reads through all their epochs. */
static void producers_die(enum lam_ring_waiting waiting, int rounds)
{
    struct lam_ring_consumer consumer;
    struct lam_ring_stat stat;
    struct lam_event event = {.payload = NULL};
    uint64_t expected = 0;
    uint64_t random = 3;

    create(waiting);
    TEST_OK(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), error);
    for (int round = 0; round < rounds; round++) {
        uint64_t until_ns = lam_clock_now_ns() + test_random(&random) % (3 * LAM_NS_PER_MS);
        pid_t child = test_fork();
        int rc;

        if (child == 0)
            publish_for_ever(expected);
        do {
            rc = lam_ring_consumer_peek_until(&consumer, soon(), &event);
            if (rc == -EOWNERDEAD)
                continue; /* of the epoch before: the new producer is not there yet */
            TEST_OK(rc, error);
            check_event(&event, expected++);
            lam_ring_consumer_release(&consumer);
        } while (rc == -EOWNERDEAD || lam_clock_now_ns() < until_ns);
        test_kill(child);
        while ((rc = lam_ring_consumer_peek_until(&consumer, soon(), &event)) == 0) {
            check_event(&event, expected++);
            lam_ring_consumer_release(&consumer);
        }
        TEST_CHECK(rc == -EOWNERDEAD);
    }
    TEST_OK(lam_ring_stat_read(&ring, &stat), error);
    TEST_CHECK(stat.epoch == (uint64_t)rounds && stat.events == expected);
    TEST_CHECK(stat.state == LAM_RING_DEAD);
    lam_ring_consumer_detach(&consumer);
    TEST_OK(lam_ring_destroy(&ring), error);
}

/* Consumers die while they hold events and while they sleep; the producer goes on. */
static void consumers_die(enum lam_ring_waiting waiting, int rounds)
{
    struct lam_ring_producer producer;
    struct lam_ring_stat stat;
    uint64_t random = 4;
    void *payload = NULL;

    create(waiting);
    TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);
    for (int round = 0; round < rounds; round++) {
        pid_t child = test_fork();

        if (child == 0)
            consume_for_ever();
        TEST_OK(lam_ring_producer_wait_consumers_until(&producer, 1, soon()), error);
        for (uint64_t i = test_random(&random) % 200; i > 0; i--) {
            TEST_OK(lam_ring_producer_claim_until(&producer, 100, soon(), &payload), error);
            lam_ring_producer_commit(&producer, 100, 1, 0);
        }
        if (round % 2 == 0)
            pause_us(300); /* it sleeps by now */
        test_kill(child);
        /* More than the ring holds: without the reaping this would wait for ever. */
        for (int i = 0; i < 200; i++) {
            TEST_OK(lam_ring_producer_claim_until(&producer, 100, soon(), &payload), error);
            lam_ring_producer_commit(&producer, 100, 1, 0);
        }
    }
    TEST_OK(lam_ring_stat_read(&ring, &stat), error);
    TEST_CHECK(stat.reaped == (uint64_t)rounds);
    lam_ring_producer_detach(&producer);
    TEST_OK(lam_ring_destroy(&ring), error);
}

/* A producer that forks a child that lives on, and dies, is dead all the same. */
static void a_forked_child_keeps_nobody_alive(void)
{
    struct lam_ring_consumer consumer;
    struct lam_event event = {.payload = NULL};
    int ready[2];
    pid_t child, grandchild = 0;

    create(LAM_RING_MAY_SLEEP);
    TEST_CHECK(pipe(ready) == 0);
    TEST_OK(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), error);
    child = test_fork();
    if (child == 0) {
        struct lam_ring_producer producer;

        TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);
        grandchild = fork();
        if (grandchild == 0) {
            (void)alarm(30); /* nobody waits for it: it ends by itself, or by our kill below */
            for (;;)
                (void)pause();
        }
        TEST_CHECK(write(ready[1], &grandchild, sizeof(grandchild)) == sizeof(grandchild));
        for (;;)
            (void)pause();
    }
    TEST_CHECK(read(ready[0], &grandchild, sizeof(grandchild)) == sizeof(grandchild));
    test_kill(child);
    TEST_CHECK(lam_ring_consumer_peek_until(&consumer, soon(), &event) == -EOWNERDEAD);
    TEST_CHECK(kill(grandchild, 0) == 0); /* it lives, and we still saw the death */
    TEST_CHECK(kill(grandchild, SIGKILL) == 0);
    lam_ring_consumer_detach(&consumer);
    TEST_OK(lam_ring_destroy(&ring), error);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    int rounds = 30 * (effort == NULL ? 1 : atoi(effort));

    (void)snprintf(name, sizeof(name), "death-%d", (int)getpid());
    test_leave_nothing(name);
    producers_die(LAM_RING_MAY_SLEEP, rounds);
    producers_die(LAM_RING_SPIN_ONLY, rounds / 3);
    consumers_die(LAM_RING_MAY_SLEEP, rounds);
    consumers_die(LAM_RING_SPIN_ONLY, rounds / 3);
    a_forked_child_keeps_nobody_alive();
    (void)printf("%d producers and %d consumers killed; the others went on\n", rounds * 4 / 3,
        rounds * 4 / 3);
    return 0;
}
