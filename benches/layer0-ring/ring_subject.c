/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 0 as a subject: events claimed, written, committed, peeked, added up, released.
 */
#include "ring_ends.h"

struct state {
    struct bench_rings rings;
    struct lam_ring_producer producer;
    struct lam_ring_consumer consumer;
    enum lam_wait_mode wait;
};

/* A ring whose ends only spin or yield publishes without looking for sleepers. */
static int open_rings(struct bench_lane *lane, enum lam_wait_mode wait)
{
    struct state *state = bench_private_memory(sizeof(*state));
    struct lam_ring_options options = {.waiting = LAM_RING_MAY_SLEEP};

    if (wait == LAM_WAIT_SPIN || wait == LAM_WAIT_YIELD)
        options.waiting = LAM_RING_SPIN_ONLY;
    lane->state = state;
    state->wait = wait;
    return bench_rings_create(&state->rings, &lane->shape, &options);
}

static int open_spin(struct bench_lane *lane)
{
    return open_rings(lane, LAM_WAIT_SPIN);
}

static int open_hybrid(struct bench_lane *lane)
{
    return open_rings(lane, LAM_WAIT_HYBRID);
}

static int open_yield(struct bench_lane *lane)
{
    return open_rings(lane, LAM_WAIT_YIELD);
}

static int open_futex(struct bench_lane *lane)
{
    return open_rings(lane, LAM_WAIT_FUTEX);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;
    struct lam_ring *out, *in;
    struct lam_ring_producer_options producer = {.wait = state->wait};
    struct lam_ring_consumer_options consumer = {.start = LAM_RING_HEAD, .wait = state->wait};
    struct lam_error error = {""};
    int rc = bench_rings_take(&state->rings, side, &out, &in);

    /* Who yields is short of CPUs: a spin before it would only be in the way. */
    if (state->wait == LAM_WAIT_YIELD)
        producer.spin_ns = consumer.spin_ns = 1;
    if (rc == 0 && out != NULL)
        rc = lam_ring_producer_attach(&state->producer, out, &producer, &error);
    if (rc == 0)
        rc = lam_ring_consumer_attach(&state->consumer, in, &consumer, &error);
    return bench_said(rc, &error);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    lam_ring_consumer_detach(&state->consumer);
    if (side <= 1) {
        lam_ring_producer_close(&state->producer);
        lam_ring_producer_detach(&state->producer);
    }
    bench_rings_leave(&state->rings);
}

/* In a round trip the next event is never there yet: one call that waits for it. */
BENCH_INLINE uint64_t await_one(struct lam_ring_consumer *consumer, uint32_t bytes)
{
    struct lam_event event = {.payload = NULL};
    uint64_t sum;

    bench_must(lam_ring_consumer_peek_until(consumer, LAM_DEADLINE_NEVER, &event));
    sum = bench_sum(event.payload, bytes);
    lam_ring_consumer_release(consumer);
    return sum;
}

BENCH_INLINE uint64_t ask_sized(uint32_t bytes, struct state *state, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        put_one(&state->producer, bytes, value);
        value = await_one(&state->consumer, bytes);
    }
    return value;
}

static uint64_t ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    return BENCH_BY_SIZE(lane->shape.payload_bytes, ask_sized, lane->state, count, value);
}

BENCH_INLINE uint64_t answer_sized(uint32_t bytes, struct state *state, uint64_t count)
{
    uint64_t value = 0;

    for (uint64_t i = 0; i < count; i++) {
        value = await_one(&state->consumer, bytes);
        put_one(&state->producer, bytes, value);
    }
    return value;
}

static uint64_t answer(struct bench_lane *lane, uint64_t count)
{
    return BENCH_BY_SIZE(lane->shape.payload_bytes, answer_sized, lane->state, count);
}

BENCH_INLINE void send_sized(
    uint32_t bytes, struct lam_ring_producer *producer, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++)
        put_one(producer, bytes, value++);
}

BENCH_INLINE void send_batches(uint32_t bytes, struct lam_ring_producer *producer,
    const struct bench_shape *shape, uint64_t count, uint64_t value)
{
    uint64_t cell_count = shape->batch * bench_message_cells(shape);
    struct lam_ring_batch batch;

    for (uint64_t sent = 0; sent < count; sent += shape->batch) {
        if (lam_ring_producer_try_claim_batch(producer, cell_count, &batch) != 1)
            bench_must(lam_ring_producer_claim_batch_until(
                producer, cell_count, LAM_DEADLINE_NEVER, &batch));
        for (uint32_t i = 0; i < shape->batch; i++) {
            void *payload;

            LAM_ASSERT(lam_ring_batch_stage(&batch, bytes, 0, 0, &payload) == 1);
            bench_fill(payload, bytes, value++);
        }
        lam_ring_batch_commit(&batch);
    }
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct state *state = lane->state;
    uint32_t bytes = lane->shape.payload_bytes;

    if (lane->shape.batch == 1)
        BENCH_BY_SIZE(bytes, send_sized, &state->producer, count, value);
    else
        BENCH_BY_SIZE(bytes, send_batches, &state->producer, &lane->shape, count, value);
}

BENCH_INLINE uint64_t receive_sized(
    uint32_t bytes, struct lam_ring_consumer *consumer, uint64_t batch, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t received = 0; received < count; received += batch) {
        for (uint64_t i = 0; i < batch; i++)
            sum += bench_sum(peek(consumer).payload, bytes);
        lam_ring_consumer_release(consumer);
    }
    return sum;
}

static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    struct state *state = lane->state;
    uint32_t bytes = lane->shape.payload_bytes;

    if (lane->shape.batch == 1)
        return BENCH_BY_SIZE(bytes, receive_sized, &state->consumer, 1, count);
    return BENCH_BY_SIZE(bytes, receive_sized, &state->consumer, lane->shape.batch, count);
}

static uint64_t skim(struct bench_lane *lane, uint64_t count)
{
    struct state *state = lane->state;
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        sum += *(const uint64_t *)peek(&state->consumer).payload;
        lam_ring_consumer_release(&state->consumer);
    }
    return sum;
}

#define LOOPS                                                                                      \
    .layer = 0, .attach = attach, .detach = detach, .ask = ask, .answer = answer, .send = send,    \
    .receive = receive, .skim = skim

const struct bench_subject bench_ring = {.name = "ring", .open = open_spin, LOOPS};
const struct bench_subject bench_ring_hybrid = {.name = "hybrid", .open = open_hybrid, LOOPS};
const struct bench_subject bench_ring_yield = {.name = "yield", .open = open_yield, LOOPS};
const struct bench_subject bench_ring_futex = {.name = "futex", .open = open_futex, LOOPS};
