/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_ONE_PRODUCER_H
#define LAM_TEST_ONE_PRODUCER_H

/*
 * For suites on one ring of few cells: its making, its producer, and events that carry a number.
 */

#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "starts.h"

#define DEPTH 16

/* Where counting starts: each suite runs over the wraps. */
static const uint64_t starts[]
    __attribute__((unused)) = {0, (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 63) - 3, UINT64_MAX - 2};

#define FOR_EACH_START(i) for (unsigned i = 0; i < 4; i++)

static struct lam_ring ring;
static struct lam_ring_producer producer;
static struct lam_ring_batch batch __attribute__((unused));
static struct lam_error error;

static inline void create_ring(
    uint64_t depth, uint64_t first_sequence, enum lam_ring_waiting waiting)
{
    struct lam_ring_options options = {.name = "one",
        .depth = depth,
        .first_sequence = test_start_from(first_sequence),
        .waiting = waiting};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
}

static inline void open_ring(uint64_t first_sequence)
{
    create_ring(DEPTH, first_sequence, LAM_RING_MAY_SLEEP);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
}

static inline void close_ring(void)
{
    lam_ring_producer_detach(&producer);
    (void)lam_ring_destroy(&ring);
}

/* Publish an event of @bytes that starts with @value. Returns as the claim. */
static inline int publish_value(uint64_t value, uint64_t bytes)
{
    void *payload = NULL;
    int rc = lam_ring_producer_try_claim(&producer, bytes, &payload);

    if (rc == 1) {
        memcpy(payload, &value, sizeof(value));
        lam_ring_producer_commit(&producer, bytes, 1, 0);
    }
    return rc;
}

static inline uint64_t value_of(const struct lam_event *event)
{
    uint64_t value;

    memcpy(&value, event->payload, sizeof(value));
    return value;
}

#endif
