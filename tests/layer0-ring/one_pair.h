/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_ONE_PAIR_H
#define LAM_TEST_ONE_PAIR_H

/*
 * For suites on one producer and one consumer of one process, on a ring of few cells.
 */

#include "one_producer.h"

static struct lam_ring_consumer consumer;

static inline void open_pair(uint64_t first_sequence, enum lam_ring_waiting waiting)
{
    create_ring(DEPTH, first_sequence, waiting);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &ring, NULL, &error), 0));
}

static inline void close_pair(void)
{
    lam_ring_consumer_detach(&consumer);
    close_ring();
}

static inline int publish(uint64_t value)
{
    return publish_value(value, sizeof(value));
}

/* Peek and release the next event, which must be there. Returns its value. */
static inline uint64_t take(struct lam_ring_consumer *from)
{
    struct lam_event event = {.payload = NULL};

    cr_assert(eq(int, lam_ring_consumer_try_peek(from, &event), 1));
    lam_ring_consumer_release(from);
    return value_of(&event);
}

#endif
