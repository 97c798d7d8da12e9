/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: 1 to 8 consumers in processes of their own each see every event, every byte right, over
 * many wraps; joiners and leavers in mid-stream see a part of the stream without a gap; the slow
 * one slows the producer and loses nothing.
 *
 * Method: a named ring of few cells, fork; the last reader leaves and joins again all the time, and
 * finds the number of what it reads in the event's kind and length pattern.
 */
#include "lamina/ring/batch.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "leftovers.h"
#include "processes.h"
#include "ring_stream.h"
#include "starts.h"

#include <time.h>

#define BYTES_MAX 1000
#define PATIENCE  (20 * LAM_NS_PER_S)

static char name[64];
static uint64_t event_count = 20000;

static void open_ring(struct lam_ring *ring)
{
    struct lam_ring_attach_options options = {
        .name = name, .deadline_ns = lam_deadline_after_ns(PATIENCE)};
    struct lam_error error;

    TEST_OK(lam_ring_attach(ring, &options, &error), error);
}

/* The event's number stands in its first 8 bytes; sizes follow from it. */
static uint32_t bytes_of(uint64_t number)
{
    return 8 + test_event_bytes(number, BYTES_MAX);
}

static uint64_t check_event(const struct lam_event *event)
{
    uint64_t number = 0;

    TEST_CHECK(event->payload_bytes >= 8);
    memcpy(&number, event->payload, 8);
    TEST_CHECK(event->payload_bytes == bytes_of(number));
    TEST_CHECK(test_event_is(
        (const char *)event->payload + 8, event->payload_bytes - 8, number, event->sequence));
    return number;
}

static void consume_all(int index, int slow)
{
    struct lam_ring ring;
    struct lam_ring_consumer consumer;
    struct lam_ring_consumer_options options = {.wait = LAM_WAIT_HYBRID};
    struct lam_event event = {.payload = NULL};
    struct lam_error error;
    char title[16];
    uint64_t number = 0;
    int rc;

    (void)snprintf(title, sizeof(title), slow ? "slow" : "reader%d", index);
    options.name = title;
    open_ring(&ring);
    TEST_OK(lam_ring_consumer_attach(&consumer, &ring, &options, &error), error);
    while ((rc = lam_ring_consumer_peek_until(
                &consumer, lam_deadline_after_ns(PATIENCE), &event)) == 0) {
        TEST_CHECK(check_event(&event) == number);
        if (slow && number % 256 == 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        lam_ring_consumer_release(&consumer);
        number++;
    }
    TEST_CHECK(rc == -EPIPE && number == event_count);
    lam_ring_consumer_detach(&consumer);
    lam_ring_detach(&ring);
    _exit(0);
}

/* Join at head or at the oldest, read a little, leave, again. */
static void come_and_go(void)
{
    struct lam_ring ring;
    struct lam_ring_consumer consumer;
    struct lam_event event = {.payload = NULL};
    struct lam_error error;
    uint64_t random = 1;
    int rc = 0;

    open_ring(&ring);
    while (rc != -EPIPE) {
        struct lam_ring_consumer_options options = {
            .start = (test_random(&random) & 1) != 0 ? LAM_RING_OLDEST : LAM_RING_HEAD};
        uint64_t stay = test_random(&random) % 200;
        uint64_t expected = UINT64_MAX;

        TEST_OK(lam_ring_consumer_attach(&consumer, &ring, &options, &error), error);
        for (uint64_t i = 0; i < stay; i++) {
            rc = lam_ring_consumer_peek_until(&consumer, lam_deadline_after_ns(PATIENCE), &event);
            if (rc != 0)
                break;
            uint64_t number = check_event(&event);

            TEST_CHECK(expected == UINT64_MAX || number == expected);
            expected = number + 1;
            lam_ring_consumer_release(&consumer);
        }
        TEST_CHECK(rc == 0 || rc == -EPIPE);
        lam_ring_consumer_detach(&consumer);
    }
    lam_ring_detach(&ring);
    _exit(0);
}

/* Returns the process that comes and goes: started once all that want the whole stream are in. */
static pid_t produce(struct lam_ring *ring, uint32_t consumer_count)
{
    struct lam_ring_producer producer;
    struct lam_error error;
    uint64_t random = 9;
    pid_t guest;

    TEST_OK(lam_ring_producer_attach(&producer, ring, NULL, &error), error);
    TEST_OK(lam_ring_producer_wait_consumers_until(
                &producer, consumer_count, lam_deadline_after_ns(PATIENCE)),
        error);
    guest = test_fork();
    if (guest == 0)
        come_and_go();
    for (uint64_t number = 0; number < event_count;) {
        uint64_t staged = 1 + test_random(&random) % 4;
        struct lam_ring_batch batch;
        void *payload = NULL;

        TEST_OK(lam_ring_producer_claim_batch_until(
                    &producer, 40, lam_deadline_after_ns(PATIENCE), &batch),
            error);
        while (staged-- > 0 && number < event_count) {
            uint64_t sequence = batch.staged;

            if (lam_ring_batch_stage(&batch, bytes_of(number), 1, 0, &payload) != 1)
                break;
            memcpy(payload, &number, 8);
            test_event_fill((char *)payload + 8, bytes_of(number) - 8, number, sequence);
            number++;
        }
        lam_ring_batch_commit(&batch);
    }
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
    return guest;
}

static void run(int consumer_count)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED,
        .name = name,
        .depth = 128,
        .first_sequence = test_next_start()};
    struct lam_ring ring;
    struct lam_ring_stat stat;
    struct lam_error error;
    pid_t children[9];

    TEST_OK(lam_ring_create(&ring, &options, &error), error);
    for (int i = 0; i < consumer_count; i++)
        if ((children[i] = test_fork()) == 0)
            consume_all(i, consumer_count > 1 && i == 0);
    children[consumer_count] = produce(&ring, (uint32_t)consumer_count);
    for (int i = 0; i <= consumer_count; i++)
        TEST_CHECK(test_wait(children[i]) == 0);
    TEST_OK(lam_ring_stat_read(&ring, &stat), error);
    TEST_CHECK(stat.events == event_count && stat.state == LAM_RING_CLOSED);
    TEST_CHECK(stat.consumer_count == 0);
    TEST_CHECK(stat.full > 0);
    TEST_OK(lam_ring_destroy(&ring), error);
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");

    (void)snprintf(name, sizeof(name), "stress-processes-%d", (int)getpid());
    test_leave_nothing(name);
    if (effort != NULL)
        event_count *= strtoull(effort, NULL, 10);
    for (int consumer_count = 1; consumer_count <= 8; consumer_count *= 2)
        run(consumer_count);
    (void)printf(
        "%llu events to each of 1, 2, 4 and 8 consumers\n", (unsigned long long)event_count);
    return 0;
}
