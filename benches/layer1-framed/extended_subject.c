/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 1 with an extension on every message. A receiver that does not find it, or finds another
 * value in it than was sent, ends the bench.
 */
#include "lamina/framed/framed.h"

#include "layers.h"
#include "loops.h"
#include "rings.h"

struct state {
    struct bench_rings rings;
    struct lam_framed_sender sender;
    struct lam_framed_receiver receiver;
};

static int open_rings(struct bench_lane *lane)
{
    struct state *state = bench_private_memory(sizeof(*state));
    struct lam_ring_options options = {.waiting = LAM_RING_SPIN_ONLY};

    lane->state = state;
    return bench_rings_create(&state->rings, &lane->shape, &options);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;
    struct lam_framed_sender_options sender = {.producer.wait = LAM_WAIT_SPIN};
    struct lam_framed_receiver_options receiver = {
        .consumer = {.start = LAM_RING_HEAD, .wait = LAM_WAIT_SPIN}};
    struct lam_error error = {""};
    struct lam_ring *out, *in;
    int rc = bench_rings_take(&state->rings, side, &out, &in);

    if (rc == 0)
        rc = lam_framed_sender_attach(&state->sender, out, &sender, &error);
    if (rc == 0)
        rc = lam_framed_receiver_attach(&state->receiver, in, &receiver, &error);
    return bench_said(rc, &error);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    lam_framed_receiver_detach(&state->receiver);
    lam_framed_sender_close(&state->sender);
    lam_framed_sender_detach(&state->sender);
    bench_rings_leave(&state->rings);
}

BENCH_INLINE void put_correlated(uint32_t bytes, struct state *state, uint64_t value)
{
    struct lam_framed_correlation correlation = {.id = value, .scope = bytes};
    struct lam_framed_sender *sender = &state->sender;
    void *payload;

    if (lam_framed_sender_try_claim_correlated(sender, bytes, &correlation, &payload) != 1)
        bench_must(lam_framed_sender_claim_correlated_until(
            sender, bytes, &correlation, LAM_DEADLINE_NEVER, &payload));
    bench_fill(payload, bytes, value);
    lam_framed_sender_commit(sender, bytes, 0);
}

/* The first word of every payload is the value that it was made from. */
BENCH_INLINE uint64_t take_correlated(uint32_t bytes, struct state *state, int is_late)
{
    struct lam_framed_receiver *receiver = &state->receiver;
    struct lam_framed_message message = {.payload = NULL};
    uint64_t sum;

    if (is_late || lam_framed_receiver_try_receive(receiver, &message) != 1)
        bench_must(lam_framed_receiver_receive_until(receiver, LAM_DEADLINE_NEVER, &message));
    if (message.correlation == NULL || message.correlation->scope != bytes ||
        message.correlation->id != *(const uint64_t *)message.payload)
        bench_failed(-EBADMSG);
    sum = bench_sum(message.payload, bytes);
    lam_framed_receiver_release(receiver, &message);
    return sum;
}

BENCH_LOOPS(correlated, struct state)

const struct bench_subject bench_framed_correlation = {.name = "correlation",
    .layer = 1,
    .open = open_rings,
    .attach = attach,
    .detach = detach,
    .ask = ask_correlated,
    .answer = answer_correlated,
    .send = send_correlated,
    .receive = receive_correlated};
