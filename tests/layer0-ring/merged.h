/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_MERGED_H
#define LAM_TEST_MERGED_H

/*
 * For suites on rings behind one call: four rings, a producer and a consumer on each, and what the
 * merge of them gives next; with a clock that the test sets.
 */

#include "lamina/ring/merge.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/timestamp.h"
#include "starts.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#define RINGS 4
#define DEPTH 128
#define BATCH 5
#define LAG   1000

static struct lam_ring rings[RINGS];
static struct lam_ring_producer producers[RINGS];
static struct lam_ring_consumer consumers[RINGS];
static struct lam_ring_merge merge;
static struct lam_error error;

static struct lam_base_ops ops;
static uint64_t now_ns;

static inline uint64_t set_now_ns(void)
{
    return now_ns;
}

static inline void setup(void)
{
    struct lam_ring_merge_options options = {.batch = BATCH};
    uint32_t index;

    lam_ring_merge_init(&merge, &options);
    for (uint32_t i = 0; i < RINGS; i++) {
        struct lam_ring_options ring_options = {
            .name = "merge", .depth = DEPTH, .first_sequence = test_start_from(UINT64_MAX - 2 * i)};
        struct lam_ring_producer_options producer_options = {.timestamp_every = 1};

        cr_assert(eq(int, lam_ring_create(&rings[i], &ring_options, &error), 0));
        cr_assert(eq(
            int, lam_ring_producer_attach(&producers[i], &rings[i], &producer_options, &error), 0));
        cr_assert(eq(int, lam_ring_consumer_attach(&consumers[i], &rings[i], NULL, &error), 0));
        cr_assert(eq(int, lam_ring_merge_add(&merge, &consumers[i], &index), 0));
        cr_assert(eq(u32, index, i));
    }
}

static inline void use_times(void)
{
    struct lam_ring_merge_options options = {.order = LAM_RING_MERGE_BY_TIME, .lag_ns = LAG};
    uint32_t index;

    lam_ring_merge_init(&merge, &options);
    for (uint32_t i = 0; i < RINGS; i++)
        cr_assert(eq(int, lam_ring_merge_add(&merge, &consumers[i], &index), 0));
    now_ns = 1000000;
    ops = lam_base_linux;
    ops.now_ns = set_now_ns;
    lam_base = &ops;
}

static inline void teardown(void)
{
    lam_base = &lam_base_linux;
    for (uint32_t i = 0; i < RINGS; i++) {
        lam_ring_consumer_detach(&consumers[i]);
        lam_ring_producer_detach(&producers[i]);
        (void)lam_ring_destroy(&rings[i]);
    }
}

static inline void publish(uint32_t at, uint64_t value)
{
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim(&producers[at], sizeof(value), &payload), 1));
    memcpy(payload, &value, sizeof(value));
    lam_ring_producer_commit(&producers[at], sizeof(value), 1, 0);
}

/* As of now. */
static inline void publish_timed(uint32_t at, uint64_t value)
{
    void *payload = NULL;

    cr_assert(
        eq(int, lam_ring_producer_try_claim_timed(&producers[at], sizeof(value), &payload), 1));
    memcpy(payload, &value, sizeof(value));
    lam_ring_producer_commit_timed(&producers[at], sizeof(value), 1, 0);
}

static inline uint64_t value_of(struct lam_event *event)
{
    uint64_t value = 0;

    cr_assert(eq(int, lam_event_strip(event), 0));
    memcpy(&value, event->payload, sizeof(value));
    return value;
}

static inline void expect(uint32_t at, uint64_t value)
{
    struct lam_event event = {.payload = NULL};
    uint32_t index = 99;

    cr_assert(eq(int, lam_ring_merge_try_peek(&merge, &event, &index), 1));
    cr_assert(eq(u32, index, at));
    cr_assert(eq(u64, value_of(&event), value));
    cr_assert(eq(int, lam_ring_merge_release(&merge), 0));
}

static inline void expect_end(int rc, uint32_t at)
{
    struct lam_event event = {.payload = NULL};
    uint32_t index = 99;

    cr_assert(eq(int, lam_ring_merge_try_peek(&merge, &event, &index), rc));
    if (rc != 0)
        cr_assert(eq(u32, index, at));
}

#endif
