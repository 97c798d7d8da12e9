/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: once its ends are attached a ring allocates nothing: not to publish, read, wait, be full,
 * be lapped, be evicted and return, to count, or to be looked at.
 * Method: a program of one thread whose allocator counts; each way of use goes round the ring many
 * times.
 */
#include "check.h"
#include "count_malloc.h"
#include "lamina/ring/counter.h"
#include "lamina/ring/lossy.h"
#include "lamina/ring/observe.h"
#include "lamina/ring/stat.h"
#include "lamina/ring/timestamp.h"
#include "starts.h"

#include <stdio.h>
#include <string.h>

#define DEPTH  256
#define ROUNDS 20000

static struct lam_ring ring;
static struct lam_ring_producer producer;
static struct lam_ring_batch batch;
static struct lam_ring_consumer gating, patient, lossy;
static struct lam_ring_observer observer;
static struct lam_ring_stat stat;
static lam_atomic_u64 *counter;

static void open_ends(void)
{
    struct lam_ring_options options = {
        .name = "steady", .depth = DEPTH, .histograms = 3, .first_sequence = test_start(2)};
    struct lam_ring_producer_options producing = {.timestamp_every = 3};
    struct lam_ring_consumer_options gates = {.name = "gating"};
    struct lam_ring_consumer_options waits = {
        .name = "patient", .policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = 1};
    struct lam_ring_consumer_options loses = {.name = "lossy", .policy = LAM_RING_LOSSY};

    CHECK(lam_ring_create(&ring, &options, NULL) == 0);
    CHECK(lam_ring_producer_attach(&producer, &ring, &producing, NULL) == 0);
    CHECK(lam_ring_consumer_attach(&gating, &ring, &gates, NULL) == 0);
    CHECK(lam_ring_consumer_attach(&patient, &ring, &waits, NULL) == 0);
    CHECK(lam_ring_consumer_attach(&lossy, &ring, &loses, NULL) == 0);
    CHECK(lam_ring_observer_begin(&observer, &ring, LAM_RING_HEAD) == 0);
    CHECK(lam_ring_producer_counter(&producer, "rounds", &counter) == 0);
}

/* Until nothing is there; the last look waits, and sleeps. */
static void read_gating(void)
{
    struct lam_event event;

    while (lam_ring_consumer_try_peek(&gating, &event) == 1)
        CHECK(lam_ring_consumer_unwrap(&gating, &event) == 0);
    CHECK(lam_ring_consumer_release(&gating) == 0);
}

static void publish(uint64_t round)
{
    uint64_t bytes = round % 500;
    void *payload = NULL;

    if (round % 3 == 0) {
        while (lam_ring_producer_try_claim(&producer, bytes, &payload) == 0)
            read_gating(); /* until the patient one is evicted */
        memset(payload, 1, bytes);
        if (round % 2 == 0)
            lam_ring_producer_commit(&producer, bytes / 2, 1, 0);
        else
            lam_ring_producer_abort(&producer);
    } else if (round % 3 == 1) {
        CHECK(lam_ring_producer_claim_timed_until(
                  &producer, bytes, lam_deadline_after_ns(LAM_NS_PER_S), &payload) == 0);
        lam_ring_producer_commit_timed(&producer, bytes, 1, 0);
    } else {
        CHECK(lam_ring_producer_claim_batch_until(&producer,
                  lam_ring_producer_batch_cells(&producer, 4, 40),
                  lam_deadline_after_ns(LAM_NS_PER_S), &batch) == 0);
        for (int i = 0; i < 4; i++)
            CHECK(lam_ring_batch_stage_timed(&batch, 40, 1, 0, &payload) == 1);
        lam_ring_batch_commit_timed(&batch);
    }
    lam_ring_counter_add(counter, 1);
}

static void read_lossy(void)
{
    uint8_t buffer[1024];
    struct lam_event event;
    uint64_t lost;
    int rc;

    do {
        rc = lam_ring_consumer_try_read(&lossy, buffer, sizeof(buffer), &event, &lost);
    } while (rc == 1 || rc == -EOVERFLOW);
    do {
        rc = lam_ring_observer_try_read(&observer, buffer, sizeof(buffer), &event, &lost);
    } while (rc == 1 || rc == -EOVERFLOW);
    CHECK(rc == 0);
}

/* The patient one reads nothing: it is evicted, and comes again. */
static void come_again(void)
{
    struct lam_event event;
    uint64_t lost;

    if (lam_ring_consumer_try_peek(&patient, &event) == -ESTALE)
        CHECK(lam_ring_consumer_readmit(&patient, LAM_RING_HEAD, &lost, NULL) == 0);
}

static void be_full(void)
{
    void *payload;

    while (
        lam_ring_producer_claim_until(&producer, 40, lam_deadline_after_ns(100000), &payload) == 0)
        lam_ring_producer_commit(&producer, 40, 1, 0);
}

/* Whoever is kept off its CPU may come to a near deadline without a sleep. */
static void sleep_once(void)
{
    struct lam_event event;

    CHECK(lam_ring_stat_read(&ring, &stat) == 0);
    for (uint64_t ns = LAM_NS_PER_MS; stat.consumers[0].parks == 0 && ns < LAM_NS_PER_S; ns *= 2) {
        CHECK(
            lam_ring_consumer_peek_until(&gating, lam_deadline_after_ns(ns), &event) == -ETIMEDOUT);
        CHECK(lam_ring_stat_read(&ring, &stat) == 0);
    }
}

int main(void)
{
    struct lam_event event;
    uint64_t before;

    open_ends();
    before = malloc_calls;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        publish(round);
        if (round % 10 == 9)
            read_gating();
        if (round % 100 == 99)
            read_lossy();
        if (round % 1000 == 999) {
            be_full();
            CHECK(lam_ring_stat_read(&ring, &stat) == 0);
            read_gating();
            come_again();
            CHECK(lam_ring_consumer_peek_until(
                      &gating, lam_deadline_after_ns(LAM_NS_PER_MS), &event) == -ETIMEDOUT);
        }
    }
    sleep_once();
    CHECK(malloc_calls == before);
    /* All of it has happened. */
    CHECK(stat.full > 0 && stat.evicted > 0 && stat.consumers[0].parks > 0);
    CHECK(stat.consumers[1].overruns > 0 && stat.consumers[2].overruns > 0);
    CHECK(lam_histogram_total(lam_ring_latency(&ring, 0)) > 0);
    lam_ring_consumer_detach(&gating);
    lam_ring_consumer_detach(&patient);
    lam_ring_consumer_detach(&lossy);
    lam_ring_producer_detach(&producer);
    CHECK(malloc_calls > before); /* the map is given back: so calls are counted */
    (void)lam_ring_destroy(&ring);
    (void)printf(
        "%d rounds, %llu events, no allocation\n", ROUNDS, (unsigned long long)stat.events);
    return 0;
}
