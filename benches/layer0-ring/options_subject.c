/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 0 with its options: times in events, histograms of latencies, counters of the application.
 * One event of so many commits carries a time; each consumer unwraps what it peeks.
 */
#include "lamina/ring/counter.h"
#include "lamina/ring/timestamp.h"

#include "ring_ends.h"

struct state {
    struct bench_rings rings;
    struct lam_ring_producer producer;
    struct lam_ring_consumer consumer;
    lam_atomic_u64 *sent, *received; /* counters, where wanted; else NULL */
    uint32_t every;
    int counted;
};

static int open_rings(struct bench_lane *lane, uint32_t every, uint32_t histograms, int counted)
{
    struct state *state = bench_private_memory(sizeof(*state));
    struct lam_ring_options options = {.waiting = LAM_RING_SPIN_ONLY, .histograms = histograms};

    lane->state = state;
    state->every = every;
    state->counted = counted;
    return bench_rings_create(&state->rings, &lane->shape, &options);
}

static int open_timestamp(struct bench_lane *lane)
{
    return open_rings(lane, BENCH_TIMESTAMP_EVERY, 0, 0);
}

static int open_histogram(struct bench_lane *lane)
{
    return open_rings(lane, BENCH_TIMESTAMP_EVERY, 1, 0);
}

static int open_counters(struct bench_lane *lane)
{
    return open_rings(lane, 0, 0, 1);
}

static int open_all(struct bench_lane *lane)
{
    return open_rings(lane, BENCH_TIMESTAMP_EVERY, 1, 1);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;
    struct lam_ring_producer_options producer = {
        .wait = LAM_WAIT_SPIN, .timestamp_every = state->every};
    struct lam_ring_consumer_options consumer = {.start = LAM_RING_HEAD, .wait = LAM_WAIT_SPIN};
    struct lam_error error = {""};
    struct lam_ring *out, *in;
    int rc = bench_rings_take(&state->rings, side, &out, &in);

    if (rc == 0)
        rc = lam_ring_producer_attach(&state->producer, out, &producer, &error);
    if (rc == 0)
        rc = lam_ring_consumer_attach(&state->consumer, in, &consumer, &error);
    if (rc == 0 && state->counted)
        rc = lam_ring_producer_counter(&state->producer, "sent", &state->sent);
    if (rc == 0 && state->counted)
        rc = lam_ring_consumer_counter(&state->consumer, "received", &state->received);
    return bench_said(rc, &error);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    lam_ring_consumer_detach(&state->consumer);
    lam_ring_producer_close(&state->producer);
    lam_ring_producer_detach(&state->producer);
    bench_rings_leave(&state->rings);
}

static __attribute__((noinline)) void *claim_timed_slowly(
    struct lam_ring_producer *producer, uint32_t bytes)
{
    void *payload = NULL;

    bench_must(lam_ring_producer_claim_timed_until(producer, bytes, LAM_DEADLINE_NEVER, &payload));
    return payload;
}

BENCH_INLINE void send_sized(
    uint32_t bytes, struct lam_ring_producer *producer, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        void *payload;

        if (lam_ring_producer_try_claim_timed(producer, bytes, &payload) != 1)
            payload = claim_timed_slowly(producer, bytes);
        bench_fill(payload, bytes, value++);
        lam_ring_producer_commit_timed(producer, bytes, 0, 0);
    }
}

BENCH_INLINE void send_one_batch(
    uint32_t bytes, struct lam_ring_producer *producer, uint32_t event_count, uint64_t value)
{
    uint64_t cell_count = lam_ring_producer_batch_cells(producer, event_count, bytes);
    struct lam_ring_batch batch;

    if (lam_ring_producer_try_claim_batch(producer, cell_count, &batch) != 1)
        bench_must(
            lam_ring_producer_claim_batch_until(producer, cell_count, LAM_DEADLINE_NEVER, &batch));
    for (uint32_t i = 0; i < event_count; i++) {
        void *payload;

        LAM_ASSERT(lam_ring_batch_stage_timed(&batch, bytes, 0, 0, &payload) == 1);
        bench_fill(payload, bytes, value++);
    }
    lam_ring_batch_commit_timed(&batch);
}

BENCH_INLINE void send_batches(uint32_t bytes, struct lam_ring_producer *producer,
    lam_atomic_u64 *sent, uint32_t batch, uint64_t count, uint64_t value)
{
    for (uint64_t done = 0; done < count; done += batch) {
        send_one_batch(bytes, producer, batch, value + done);
        if (sent != NULL)
            lam_ring_counter_add(sent, batch);
    }
}

BENCH_INLINE void send_counted(uint32_t bytes, struct lam_ring_producer *producer,
    lam_atomic_u64 *sent, uint64_t count, uint64_t value)
{
    for (uint64_t done = 0; done < count; done++) {
        send_sized(bytes, producer, 1, value + done);
        lam_ring_counter_add(sent, 1);
    }
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct state *state = lane->state;
    uint32_t bytes = lane->shape.payload_bytes, batch = lane->shape.batch;

    if (batch > 1)
        BENCH_BY_SIZE(bytes, send_batches, &state->producer, state->sent, batch, count, value);
    else if (state->counted)
        BENCH_BY_SIZE(bytes, send_counted, &state->producer, state->sent, count, value);
    else
        BENCH_BY_SIZE(bytes, send_sized, &state->producer, count, value);
}

BENCH_INLINE uint64_t receive_sized(uint32_t bytes, struct lam_ring_consumer *consumer,
    lam_atomic_u64 *received, uint64_t batch, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t done = 0; done < count; done += batch) {
        for (uint64_t i = 0; i < batch; i++) {
            struct lam_event event = peek(consumer);

            bench_must(lam_ring_consumer_unwrap(consumer, &event));
            sum += bench_sum(event.payload, bytes);
        }
        lam_ring_consumer_release(consumer);
        if (received != NULL)
            lam_ring_counter_add(received, batch);
    }
    return sum;
}

static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    struct state *state = lane->state;
    uint32_t bytes = lane->shape.payload_bytes;

    if (lane->shape.batch == 1)
        return BENCH_BY_SIZE(bytes, receive_sized, &state->consumer, state->received, 1, count);
    return BENCH_BY_SIZE(
        bytes, receive_sized, &state->consumer, state->received, lane->shape.batch, count);
}

#define LOOPS .layer = 0, .attach = attach, .detach = detach, .send = send, .receive = receive

const struct bench_subject bench_ring_timestamp = {
    .name = "timestamp", .open = open_timestamp, LOOPS};
const struct bench_subject bench_ring_histogram = {
    .name = "timestamp+histogram", .open = open_histogram, LOOPS};
const struct bench_subject bench_ring_counters = {.name = "counters", .open = open_counters, LOOPS};
const struct bench_subject bench_ring_all = {
    .name = "counters+timestamp+histogram", .open = open_all, LOOPS};
