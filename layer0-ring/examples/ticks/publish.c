/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish.c: the one that publishes, at a steady pace. When the ring is full it says for whom it
 * waits, and how long it had to.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lamina/ring/producer.h"
#include "tick.h"

/* Shorter waits are not worth a line. */
#define TOLD_NS (10 * LAM_NS_PER_MS)

static void sleep_until(uint64_t due_ns)
{
    struct timespec due = {
        .tv_sec = (time_t)(due_ns / LAM_NS_PER_S), .tv_nsec = (long)(due_ns % LAM_NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
        ;
}

/*
 * Claim a cell. If the ring is full, wait, tell who held us back, and count it in *@told. Returns 0
 * or an error.
 */
static int claim(struct lam_ring_producer *producer, void **payload, uint32_t *told)
{
    struct lam_ring_blocker blocker = {.name = "nobody"};
    uint64_t begin_ns, waited_ns;
    int rc = lam_ring_producer_try_claim(producer, sizeof(struct tick), payload);

    if (rc != 0)
        return rc == 1 ? 0 : rc;
    begin_ns = lam_clock_now_ns();
    do {
        rc = lam_ring_producer_claim_until(
            producer, sizeof(struct tick), lam_deadline_after_ns(TOLD_NS), payload);
        if (rc == -ETIMEDOUT)
            (void)lam_ring_producer_blocker(producer, &blocker);
    } while (rc == -ETIMEDOUT);
    waited_ns = lam_clock_now_ns() - begin_ns;
    if (waited_ns < TOLD_NS)
        return rc;
    ++*told;
    (void)printf("the publisher was held back for %.0f ms by %s (pid %u), %llu cells behind\n",
        (double)waited_ns / 1e6, blocker.name, blocker.pid, (unsigned long long)blocker.lag_cells);
    return rc;
}

static void fill(struct tick *tick, uint64_t number)
{
    int32_t price = 10000 + (int32_t)(number * 7919 % 200);

    *tick = (struct tick){
        .number = number,
        .instrument = (uint32_t)(number % 64),
        .bid = price - 1,
        .ask = price + 1,
        .bid_size = (uint32_t)(100 + number % 900),
        .ask_size = (uint32_t)(100 + number % 700),
        .sent_ns = lam_clock_now_ns(),
    };
    tick->check = tick_check(tick);
}

/* Returns how many were published, or an error. */
static int64_t publish_all(struct lam_ring_producer *producer, double seconds, uint32_t *told)
{
    uint64_t count = (uint64_t)(seconds * TICKS_PER_SECOND);
    uint64_t start_ns = lam_clock_now_ns();

    for (uint64_t number = 0; number < count; number++) {
        void *payload;
        int rc;

        sleep_until(start_ns + number * (LAM_NS_PER_S / TICKS_PER_SECOND));
        rc = claim(producer, &payload, told);
        if (rc != 0)
            return rc;
        fill(payload, number);
        lam_ring_producer_commit(producer, sizeof(struct tick), 0, 0);
    }
    return (int64_t)count;
}

int publish_ticks(struct lam_ring *ring, double seconds)
{
    struct lam_ring_producer_options options = {.wait = LAM_WAIT_FUTEX};
    struct lam_ring_producer producer;
    struct lam_error error = {""};
    uint32_t told = 0;
    int64_t count;
    int rc = lam_ring_producer_attach(&producer, ring, &options, &error);

    if (rc != 0) {
        (void)fprintf(stderr, "publisher: %s\n", error.text);
        return 1;
    }
    rc = lam_ring_producer_wait_consumers_until(
        &producer, TICKS_READERS, lam_deadline_after_ns(10 * LAM_NS_PER_S));
    count = rc == 0 ? publish_all(&producer, seconds, &told) : rc;
    if (count < 0)
        (void)fprintf(stderr, "publisher: %s\n", strerror((int)-count));
    else
        (void)printf("published %lld ticks in %.1f s\n", (long long)count, seconds);
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
    return count < 0 || told == 0;
}
