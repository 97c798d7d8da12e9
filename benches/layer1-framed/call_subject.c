/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and replies over two plain channels as a subject, asked and answered in place; and one
 * request to four workers, whose answers are gathered: all four are side 1's, so that nobody is put
 * off a CPU.
 */
#include <errno.h>

#include "lamina/framed/call.h"
#include "lamina/framed/scatter.h"

#include "layers.h"
#include "payload.h"
#include "rings.h"

#define WORKERS 4

struct state {
    struct lam_ring there, back[WORKERS];
    uint32_t worker_count;
    struct lam_framed_sender senders[WORKERS];
    struct lam_framed_receiver receivers[WORKERS];
    struct lam_caller caller;
    struct lam_responder responders[WORKERS];
    struct lam_scatter scatter;
};

static int create(struct lam_ring *ring, const struct bench_shape *shape)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_MEMFD,
        .name = "bench.call",
        .depth = shape->depth,
        .cell_bytes = shape->cell_bytes,
        .waiting = LAM_RING_SPIN_ONLY};
    struct lam_error error = {""};

    return bench_said(lam_ring_create(ring, &options, &error), &error);
}

static int open_with(struct bench_lane *lane, uint32_t worker_count)
{
    struct state *state = bench_private_memory(sizeof(*state));
    int rc = create(&state->there, &lane->shape);

    lane->state = state;
    state->worker_count = worker_count;
    for (uint32_t i = 0; rc == 0 && i < worker_count; i++)
        rc = create(&state->back[i], &lane->shape);
    return rc;
}

static int open_call(struct bench_lane *lane)
{
    return open_with(lane, 1);
}

static int open_scatter(struct bench_lane *lane)
{
    return open_with(lane, WORKERS);
}

/* In the other process: the same objects, opened anew. */
static int reopen(struct lam_ring *ring, enum lam_access access)
{
    struct lam_ring_attach_options options = {.access = access};
    struct lam_ring own = *ring;
    struct lam_error error = {""};
    int data, control;

    lam_ring_fds(&own, &data, &control);
    return bench_said(lam_ring_attach_fds(ring, data, control, &options, &error), &error);
}

static int attach_sender(struct lam_framed_sender *sender, struct lam_ring *ring)
{
    struct lam_framed_sender_options options = {.producer.wait = LAM_WAIT_SPIN};
    struct lam_error error = {""};

    return bench_said(lam_framed_sender_attach(sender, ring, &options, &error), &error);
}

static int attach_receiver(struct lam_framed_receiver *receiver, struct lam_ring *ring)
{
    struct lam_framed_receiver_options options = {.consumer.wait = LAM_WAIT_SPIN};
    struct lam_error error = {""};

    return bench_said(lam_framed_receiver_attach(receiver, ring, &options, &error), &error);
}

static int attach_asker(struct state *state)
{
    struct lam_framed_sender *senders[1] = {&state->senders[0]};
    struct lam_framed_receiver *receivers[WORKERS];
    const struct lam_scatter_options options = {.worker_count = state->worker_count,
        .sender_count = 1,
        .senders = senders,
        .receivers = receivers};
    int rc = attach_sender(&state->senders[0], &state->there);

    for (uint32_t i = 0; rc == 0 && i < state->worker_count; i++) {
        receivers[i] = &state->receivers[i];
        rc = attach_receiver(&state->receivers[i], &state->back[i]);
    }
    if (rc == 0)
        rc = lam_scatter_init(&state->scatter, &options, NULL);
    return rc != 0 ? rc
                   : lam_caller_attach(
                         &state->caller, &state->senders[0], &state->receivers[0], NULL, NULL);
}

static int attach_answerer(struct state *state)
{
    int rc = reopen(&state->there, LAM_ACCESS_READ);

    for (uint32_t i = 0; rc == 0 && i < state->worker_count; i++) {
        rc = reopen(&state->back[i], LAM_ACCESS_WRITE);
        if (rc == 0)
            rc = attach_sender(&state->senders[i], &state->back[i]);
        if (rc == 0)
            rc = attach_receiver(&state->receivers[i], &state->there);
        if (rc == 0)
            rc = lam_responder_attach(&state->responders[i], &state->receivers[i], NULL, NULL);
        if (rc == 0)
            rc = lam_responder_add(&state->responders[i], 0, &state->senders[i]);
    }
    return rc;
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    return side == 0 ? attach_asker(lane->state) : attach_answerer(lane->state);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    if (side == 0) {
        lam_caller_detach(&state->caller);
        lam_scatter_release(&state->scatter);
        lam_framed_sender_detach(&state->senders[0]);
    }
    for (uint32_t i = 0; i < state->worker_count; i++) {
        if (side != 0) {
            lam_responder_detach(&state->responders[i]);
            lam_framed_sender_detach(&state->senders[i]);
        }
        lam_framed_receiver_detach(&state->receivers[i]);
        lam_ring_detach(&state->back[i]);
    }
    lam_ring_detach(&state->there);
}

BENCH_INLINE uint64_t ask_sized(uint32_t bytes, struct state *state, uint64_t count, uint64_t value)
{
    struct lam_caller *caller = &state->caller;

    for (uint64_t i = 0; i < count; i++) {
        struct lam_ticket ticket;
        struct lam_reply reply;
        void *payload = NULL;

        bench_must(lam_caller_claim_until(caller, bytes, LAM_DEADLINE_NEVER, &payload));
        bench_fill(payload, bytes, value);
        ticket = lam_caller_commit(caller, bytes, 1, LAM_DEADLINE_NEVER);
        bench_must(lam_caller_take_until(caller, &ticket, LAM_DEADLINE_NEVER, &reply));
        bench_must(reply.outcome);
        value = bench_sum(reply.payload, bytes);
        bench_must(lam_caller_release(caller, &reply));
    }
    return value;
}

static uint64_t ask_call(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    return BENCH_BY_SIZE(
        lane->shape.payload_bytes, ask_sized, (struct state *)lane->state, count, value);
}

/* The next request of one worker, answered by what it sums up to. */
BENCH_INLINE uint64_t answer_one(uint32_t bytes, struct lam_responder *responder)
{
    struct lam_request request;
    void *payload = NULL;
    uint64_t value;

    bench_must(lam_responder_receive_until(responder, LAM_DEADLINE_NEVER, &request));
    value = bench_sum(request.payload, bytes);
    bench_must(lam_responder_claim_until(responder, &request, bytes, LAM_DEADLINE_NEVER, &payload));
    bench_fill(payload, bytes, value);
    lam_responder_commit(responder, &request, bytes, 1, 0);
    return value;
}

BENCH_INLINE uint64_t answer_sized(uint32_t bytes, struct state *state, uint64_t count)
{
    uint64_t value = 0;

    for (uint64_t i = 0; i < count; i++)
        for (uint32_t worker = 0; worker < state->worker_count; worker++)
            value = answer_one(bytes, &state->responders[worker]);
    return value;
}

static uint64_t answer(struct bench_lane *lane, uint64_t count)
{
    return BENCH_BY_SIZE(
        lane->shape.payload_bytes, answer_sized, (struct state *)lane->state, count);
}

/* Every answer is read; they are alike, and the last one makes the next question. */
BENCH_INLINE uint64_t gather_sized(
    uint32_t bytes, struct state *state, uint64_t count, uint64_t value)
{
    struct lam_scatter *scatter = &state->scatter;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t sum = 0;
        void *payload = NULL;

        bench_must(lam_scatter_claim_until(scatter, bytes, LAM_DEADLINE_NEVER, &payload));
        bench_fill(payload, bytes, value);
        lam_scatter_commit(scatter, bytes, 1, LAM_DEADLINE_NEVER);
        bench_must(lam_scatter_gather_until(scatter, LAM_DEADLINE_NEVER));
        for (uint32_t worker = 0; worker < WORKERS; worker++) {
            const struct lam_reply *reply = lam_scatter_reply(scatter, worker);

            bench_must(reply->outcome);
            value = bench_sum(reply->payload, bytes);
            sum += value;
        }
        if (sum != WORKERS * value)
            bench_failed(-EBADMSG);
    }
    return value;
}

static uint64_t ask_scatter(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    return BENCH_BY_SIZE(
        lane->shape.payload_bytes, gather_sized, (struct state *)lane->state, count, value);
}

const struct bench_subject bench_call = {.name = "call",
    .layer = 1,
    .open = open_call,
    .attach = attach,
    .detach = detach,
    .ask = ask_call,
    .answer = answer};
const struct bench_subject bench_scatter = {.name = "scatter-4",
    .layer = 1,
    .open = open_scatter,
    .attach = attach,
    .detach = detach,
    .ask = ask_scatter,
    .answer = answer};
