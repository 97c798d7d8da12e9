/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_RING_ENDS_H
#define LAM_BENCH_RING_ENDS_H

/*
 * ring_ends.h: one event in, one event out, as the hot loop of a user of layer 0 has them.
 */

#include "lamina/ring/batch.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"

#include "layers.h"
#include "payload.h"
#include "rings.h"

/*
 * The waiting calls stand apart from the loops: what they fill has its address taken, and a
 * compiler would keep it in memory on the fast path too.
 */
static __attribute__((noinline)) void *claim_slowly(
    struct lam_ring_producer *producer, uint32_t bytes)
{
    void *payload = NULL;

    bench_must(lam_ring_producer_claim_until(producer, bytes, LAM_DEADLINE_NEVER, &payload));
    return payload;
}

static __attribute__((noinline)) struct lam_event peek_slowly(struct lam_ring_consumer *consumer)
{
    struct lam_event event = {.payload = NULL};

    bench_must(lam_ring_consumer_peek_until(consumer, LAM_DEADLINE_NEVER, &event));
    return event;
}

BENCH_INLINE void put_one(struct lam_ring_producer *producer, uint32_t bytes, uint64_t value)
{
    void *payload;

    if (lam_ring_producer_try_claim(producer, bytes, &payload) != 1)
        payload = claim_slowly(producer, bytes);
    bench_fill(payload, bytes, value);
    lam_ring_producer_commit(producer, bytes, 0, 0);
}

BENCH_INLINE struct lam_event peek(struct lam_ring_consumer *consumer)
{
    struct lam_event event = {.payload = NULL};

    return lam_ring_consumer_try_peek(consumer, &event) == 1 ? event : peek_slowly(consumer);
}

#endif
