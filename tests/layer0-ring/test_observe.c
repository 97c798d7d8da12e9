/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an observer sees what was published, whole, and is told exactly what it missed, while
 * nobody knows of it.
 * Method: a read-only mapping beside a producer of the same process, first step by step, then
 * against a thread that runs on.
 */
#include "lamina/ring/observe.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "ring_stream.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <string.h>

#define DEPTH 64

static struct lam_ring ring, seen;
static struct lam_ring_producer producer;
static struct lam_ring_observer observer;
static struct lam_error error;

static void open_ring(uint64_t first_sequence)
{
    struct lam_ring_options options = {.name = "observe",
        .backing = LAM_BACKING_MEMFD,
        .depth = DEPTH,
        .first_sequence = first_sequence};
    struct lam_ring_attach_options observe = {.observe = 1};
    int data_fd, control_fd;

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    lam_ring_fds(&ring, &data_fd, &control_fd);
    cr_assert(eq(int, lam_ring_attach_fds(&seen, data_fd, control_fd, &observe, &error), 0));
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
}

static void close_ring(void)
{
    lam_ring_producer_detach(&producer);
    lam_ring_detach(&seen);
    (void)lam_ring_destroy(&ring);
}

static void setup(void)
{
    open_ring(0);
}

TestSuite(observe, .init = setup, .fini = close_ring, .timeout = 30);

static void publish(uint64_t number)
{
    uint64_t bytes = number % 300;
    uint64_t sequence = producer.next;
    void *payload;

    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, bytes, &payload), 1));
    test_event_fill(payload, (uint32_t)bytes, number, sequence);
    lam_ring_producer_commit(&producer, bytes, (uint16_t)(number & 0x7fff), 0);
}

/* Read up to what is there: each event whole, and each that is missed counted. */
static uint64_t read_all(uint64_t *number, uint64_t *missed)
{
    uint8_t buffer[300];
    struct lam_event event;
    uint64_t lost, count = 0;
    int rc;

    while (
        (rc = lam_ring_observer_try_read(&observer, buffer, sizeof(buffer), &event, &lost)) != 0) {
        if (rc == -EOVERFLOW) {
            *number += lost;
            *missed += lost;
            continue;
        }
        cr_assert(eq(int, rc, 1));
        cr_assert(eq(int, event.kind, (int)(*number & 0x7fff)));
        cr_assert(eq(u32, event.payload_bytes, (uint32_t)(*number % 300)));
        cr_assert(test_event_is(buffer, event.payload_bytes, *number, event.sequence));
        cr_assert(eq(u64, observer.ordinal, *number + 1));
        ++*number;
        count++;
    }
    return count;
}

static void observe_from(uint64_t first_sequence)
{
    uint64_t number = 0, missed = 0, read = 0;

    close_ring();
    open_ring(first_sequence);
    cr_assert(eq(int, lam_ring_observer_begin(&observer, &seen, LAM_RING_OLDEST), 0));
    for (uint64_t published = 0, round = 0; round < 200; round++) {
        for (uint64_t i = 0; i < round % 40; i++)
            publish(published++);
        read += read_all(&number, &missed);
        cr_assert(eq(u64, number, published));
        cr_assert(eq(u64, read + missed, published));
    }
    cr_assert(missed > 100 && read > 100);
}

Test(observe, it_reads_each_event_whole_and_counts_what_it_missed_also_where_sequences_wrap)
{
    observe_from(0);
    observe_from((UINT64_C(1) << 32) - 3);
    observe_from((UINT64_C(1) << 63) - 3);
    observe_from(UINT64_MAX - 2);
}

Test(observe, it_holds_nobody_and_nobody_sees_it)
{
    struct lam_ring_stat stat;

    cr_assert(eq(int, lam_ring_observer_begin(&observer, &seen, LAM_RING_HEAD), 0));
    for (uint64_t i = 0; i < 10 * DEPTH; i++)
        publish(i);
    cr_assert(eq(int, lam_ring_stat_read(&seen, &stat), 0));
    cr_assert(eq(u32, stat.consumer_count, 0));
    cr_assert(eq(u64, stat.full, 0));
}

Test(observe, from_the_head_it_sees_what_comes_and_from_the_oldest_what_is_there)
{
    uint64_t number = 3, missed = 0;

    for (uint64_t i = 0; i < 3; i++)
        publish(i);
    cr_assert(eq(int, lam_ring_observer_begin(&observer, &seen, LAM_RING_HEAD), 0));
    cr_assert(eq(u64, read_all(&number, &missed), 0));
    publish(3);
    cr_assert(eq(u64, read_all(&number, &missed), 1));
    number = 0;
    cr_assert(eq(int, lam_ring_observer_begin(&observer, &seen, LAM_RING_OLDEST), 0));
    cr_assert(eq(u64, read_all(&number, &missed), 4));
    cr_assert(eq(int, lam_ring_observer_begin(&observer, &seen, (enum lam_ring_start)77), -EINVAL));
}

Test(observe, a_buffer_that_is_too_small_gets_the_first_bytes)
{
    uint8_t buffer[20];
    struct lam_event event;
    uint64_t lost;
    void *payload;

    cr_assert(eq(int, lam_ring_observer_begin(&observer, &seen, LAM_RING_OLDEST), 0));
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 100, &payload), 1));
    memset(payload, 0x5a, 100);
    lam_ring_producer_commit(&producer, 100, 9, 0);
    memset(buffer, 1, sizeof(buffer));
    cr_assert(eq(int, lam_ring_observer_try_read(&observer, buffer, 10, &event, &lost), 1));
    cr_assert(eq(u32, event.payload_bytes, 100));
    cr_assert(buffer[9] == 0x5a && buffer[10] == 1);
}

static void *run_on(void *unused)
{
    for (uint64_t i = 0; i < 200000; i++)
        publish(i);
    lam_ring_producer_close(&producer);
    return unused;
}

Test(observe, a_producer_that_runs_on_shows_no_torn_event)
{
    uint64_t number = 0, missed = 0, read = 0;
    pthread_t thread;
    int more;

    cr_assert(eq(int, lam_ring_observer_begin(&observer, &seen, LAM_RING_OLDEST), 0));
    cr_assert(eq(int, pthread_create(&thread, NULL, run_on, NULL), 0));
    do {
        more = lam_ring_state_read(&seen) == LAM_RING_OPEN; /* before the last look */
        read += read_all(&number, &missed);
    } while (more);
    (void)pthread_join(thread, NULL);
    cr_assert(eq(u64, number, 200000));
    cr_assert(eq(u64, read + missed, 200000));
}
