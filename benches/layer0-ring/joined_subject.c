/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring that lossy readers have joined who never run: side 1 holds the ends of all of them. What
 * is measured is the producer's publish alone.
 */
#include "ring_ends.h"

struct state {
    struct bench_rings rings;
    struct lam_ring_producer producer;
    struct lam_ring_consumer *readers; /* shape.joined of them, in side 1 */
};

static int open_ring(struct bench_lane *lane)
{
    struct state *state = bench_private_memory(sizeof(*state));
    struct lam_ring_options options = {.waiting = LAM_RING_SPIN_ONLY};

    lane->state = state;
    return bench_rings_create(&state->rings, &lane->shape, &options);
}

static int join(struct state *state, struct lam_ring *ring, uint32_t count)
{
    struct lam_ring_consumer_options options = {
        .start = LAM_RING_HEAD, .policy = LAM_RING_LOSSY, .wait = LAM_WAIT_SPIN};
    struct lam_error error = {""};
    int rc = 0;

    state->readers = bench_private_memory((count + 1) * sizeof(*state->readers));
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = lam_ring_consumer_attach(&state->readers[i], ring, &options, &error);
    return bench_said(rc, &error);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;
    struct lam_ring_producer_options options = {.wait = LAM_WAIT_SPIN};
    struct lam_error error = {""};
    struct lam_ring *out, *in;
    int rc = bench_rings_take(&state->rings, side, &out, &in);

    if (rc == 0 && side == 1)
        rc = join(state, in, lane->shape.joined);
    if (rc == 0 && side == 0)
        rc = bench_said(lam_ring_producer_attach(&state->producer, out, &options, &error), &error);
    return rc;
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    if (side == 0)
        lam_ring_producer_detach(&state->producer);
    for (uint32_t i = 0; side == 1 && i < lane->shape.joined; i++)
        lam_ring_consumer_detach(&state->readers[i]);
    bench_rings_leave(&state->rings);
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

const struct bench_subject bench_ring_joined = {.name = "joined",
    .layer = 0,
    .open = open_ring,
    .attach = attach,
    .detach = detach,
    .send = send};
