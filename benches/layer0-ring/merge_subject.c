/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring for each of many producers behind one consumer call: sides 1 and up publish, side 0 reads
 * from all rings in turn.
 */
#include "lamina/ring/merge.h"

#include "crew.h"
#include "ring_ends.h"

struct state {
    struct lam_ring rings[BENCH_READERS_MAX];
    struct lam_ring_consumer consumers[BENCH_READERS_MAX];
    struct lam_ring_merge merge;
    struct lam_ring_producer producer;
    enum lam_wait_mode wait;
};

static int open_rings(struct bench_lane *lane, enum lam_wait_mode wait)
{
    struct state *state = bench_private_memory(sizeof(*state));
    struct lam_error error = {""};
    struct lam_ring_options options = {.backing = LAM_BACKING_MEMFD,
        .name = "bench.merge",
        .depth = lane->shape.depth,
        .cell_bytes = lane->shape.cell_bytes,
        .waiting = LAM_RING_SPIN_ONLY};
    int rc = 0;

    lane->state = state;
    state->wait = wait;
    for (uint32_t i = 0; i < lane->shape.readers && rc == 0; i++)
        rc = lam_ring_create(&state->rings[i], &options, &error);
    return bench_said(rc, &error);
}

static int open_spin(struct bench_lane *lane)
{
    return open_rings(lane, LAM_WAIT_SPIN);
}

static int open_yield(struct bench_lane *lane)
{
    return open_rings(lane, LAM_WAIT_YIELD);
}

static int attach_consumers(struct state *state, uint32_t count)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST, .wait = state->wait};
    struct lam_error error = {""};
    uint32_t index;
    int rc = 0;

    if (state->wait == LAM_WAIT_YIELD)
        options.spin_ns = 1;
    lam_ring_merge_init(&state->merge, NULL);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        rc = lam_ring_consumer_attach(&state->consumers[i], &state->rings[i], &options, &error);
        if (rc == 0)
            bench_must(lam_ring_merge_add(&state->merge, &state->consumers[i], &index));
    }
    return bench_said(rc, &error);
}

static int attach_producer(struct state *state, struct lam_ring *ring)
{
    struct lam_ring_attach_options attach = {.access = LAM_ACCESS_WRITE};
    struct lam_ring_producer_options options = {.wait = state->wait};
    struct lam_error error = {""};
    struct lam_ring inherited = *ring;
    int data_fd, control_fd, rc;

    if (state->wait == LAM_WAIT_YIELD)
        options.spin_ns = 1;
    lam_ring_fds(&inherited, &data_fd, &control_fd);
    rc = lam_ring_attach_fds(ring, data_fd, control_fd, &attach, &error);
    if (rc == 0)
        rc = lam_ring_producer_attach(&state->producer, ring, &options, &error);
    return bench_said(rc, &error);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    return side == 0 ? attach_consumers(state, lane->shape.readers)
                     : attach_producer(state, &state->rings[side - 1]);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    if (side > 0) {
        lam_ring_producer_close(&state->producer);
        lam_ring_producer_detach(&state->producer);
    }
    for (uint32_t i = 0; i < lane->shape.readers; i++) {
        if (side == 0)
            lam_ring_consumer_detach(&state->consumers[i]);
        lam_ring_detach(&state->rings[i]);
    }
}

BENCH_INLINE void send_sized(
    uint32_t bytes, struct lam_ring_producer *producer, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++)
        put_one(producer, bytes, value++);
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct state *state = lane->state;

    BENCH_BY_SIZE(lane->shape.payload_bytes, send_sized, &state->producer, count, value);
}

BENCH_INLINE uint64_t receive_sized(uint32_t bytes, struct lam_ring_merge *merge, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        struct lam_event event = {.payload = NULL};
        uint32_t index;

        if (lam_ring_merge_try_peek(merge, &event, &index) != 1)
            bench_must(lam_ring_merge_peek_until(merge, LAM_DEADLINE_NEVER, &event, &index));
        sum += bench_sum(event.payload, bytes);
        bench_must(lam_ring_merge_release(merge));
    }
    return sum;
}

static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    struct state *state = lane->state;

    return BENCH_BY_SIZE(lane->shape.payload_bytes, receive_sized, &state->merge, count);
}

#define LOOPS .layer = 0, .attach = attach, .detach = detach, .send = send, .receive = receive

const struct bench_subject bench_ring_merge = {.name = "merge", .open = open_spin, LOOPS};
const struct bench_subject bench_ring_merge_yield = {.name = "yield", .open = open_yield, LOOPS};
