/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One ring for many producers: sides 1 and up publish, side 0 reads what all of them say.
 */
#include "lamina/ring/many.h"

#include "ring_ends.h"

struct state {
    struct lam_ring ring;
    struct lam_ring_many_producer producer;
    struct lam_ring_consumer consumer;
    enum lam_wait_mode wait;
};

static int open_ring(struct bench_lane *lane, enum lam_wait_mode wait)
{
    struct state *state = bench_private_memory(sizeof(*state));
    struct lam_error error = {""};
    struct lam_ring_options options = {.backing = LAM_BACKING_MEMFD,
        .name = "bench.many",
        .depth = lane->shape.depth,
        .cell_bytes = lane->shape.cell_bytes,
        .waiting = LAM_RING_SPIN_ONLY,
        .producers = LAM_RING_MANY_PRODUCERS};

    lane->state = state;
    state->wait = wait;
    return bench_said(lam_ring_create(&state->ring, &options, &error), &error);
}

static int open_spin(struct bench_lane *lane)
{
    return open_ring(lane, LAM_WAIT_SPIN);
}

static int open_yield(struct bench_lane *lane)
{
    return open_ring(lane, LAM_WAIT_YIELD);
}

static int attach_consumer(struct state *state)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST, .wait = state->wait};
    struct lam_error error = {""};

    if (state->wait == LAM_WAIT_YIELD)
        options.spin_ns = 1;
    return bench_said(
        lam_ring_consumer_attach(&state->consumer, &state->ring, &options, &error), &error);
}

static int attach_producer(struct state *state)
{
    struct lam_ring_attach_options attach = {.access = LAM_ACCESS_WRITE};
    struct lam_ring_many_options options = {.wait = state->wait};
    struct lam_error error = {""};
    struct lam_ring inherited = state->ring;
    int data_fd, control_fd, rc;

    if (state->wait == LAM_WAIT_YIELD)
        options.spin_ns = 1;
    lam_ring_fds(&inherited, &data_fd, &control_fd);
    rc = lam_ring_attach_fds(&state->ring, data_fd, control_fd, &attach, &error);
    if (rc == 0)
        rc = lam_ring_many_attach(&state->producer, &state->ring, &options, &error);
    return bench_said(rc, &error);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    return side == 0 ? attach_consumer(lane->state) : attach_producer(lane->state);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    if (side == 0) {
        lam_ring_consumer_detach(&state->consumer);
    } else {
        lam_ring_many_close(&state->producer);
        lam_ring_many_detach(&state->producer);
    }
    lam_ring_detach(&state->ring);
}

static __attribute__((noinline)) void *claim_many_slowly(
    struct lam_ring_many_producer *producer, uint32_t bytes)
{
    void *payload = NULL;

    bench_must(lam_ring_many_claim_until(producer, bytes, LAM_DEADLINE_NEVER, &payload));
    return payload;
}

BENCH_INLINE void send_sized(
    uint32_t bytes, struct lam_ring_many_producer *producer, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        void *payload = NULL;

        if (lam_ring_many_try_claim(producer, bytes, &payload) != 1)
            payload = claim_many_slowly(producer, bytes);
        bench_fill(payload, bytes, value++);
        lam_ring_many_commit(producer, bytes, 0, 0);
    }
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct state *state = lane->state;

    BENCH_BY_SIZE(lane->shape.payload_bytes, send_sized, &state->producer, count, value);
}

BENCH_INLINE uint64_t receive_sized(
    uint32_t bytes, struct lam_ring_consumer *consumer, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        sum += bench_sum(peek(consumer).payload, bytes);
        lam_ring_consumer_release(consumer);
    }
    return sum;
}

static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    struct state *state = lane->state;

    return BENCH_BY_SIZE(lane->shape.payload_bytes, receive_sized, &state->consumer, count);
}

#define LOOPS .layer = 0, .attach = attach, .detach = detach, .send = send, .receive = receive

const struct bench_subject bench_ring_many = {.name = "many", .open = open_spin, LOOPS};
const struct bench_subject bench_ring_many_yield = {.name = "yield", .open = open_yield, LOOPS};
