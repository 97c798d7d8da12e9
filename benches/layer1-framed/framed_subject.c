/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 1 as a subject: messages written and added up where they lie.
 */
#include "framed_ends.h"
#include "layers.h"
#include "payload.h"

struct state {
    struct framed_ends ends;
    enum lam_wait_mode wait;
};

static int open_rings(struct bench_lane *lane, enum lam_wait_mode wait)
{
    struct state *state = bench_private_memory(sizeof(*state));

    lane->state = state;
    state->wait = wait;
    return framed_ends_create(&state->ends, lane);
}

static int open_spin(struct bench_lane *lane)
{
    return open_rings(lane, LAM_WAIT_SPIN);
}

static int open_yield(struct bench_lane *lane)
{
    return open_rings(lane, LAM_WAIT_YIELD);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    return framed_ends_attach(&state->ends, side, state->wait);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    framed_ends_detach(&((struct state *)lane->state)->ends, side);
}

static __attribute__((noinline)) void *claim_slowly(
    struct lam_framed_sender *sender, uint32_t bytes)
{
    void *payload = NULL;

    bench_must(lam_framed_sender_claim_until(sender, bytes, LAM_DEADLINE_NEVER, &payload));
    return payload;
}

static __attribute__((noinline)) struct lam_framed_message receive_slowly(
    struct lam_framed_receiver *receiver)
{
    struct lam_framed_message message = {.payload = NULL};

    bench_must(lam_framed_receiver_receive_until(receiver, LAM_DEADLINE_NEVER, &message));
    return message;
}

BENCH_INLINE void put_one(struct lam_framed_sender *sender, uint32_t bytes, uint64_t value)
{
    void *payload;

    if (lam_framed_sender_try_claim(sender, bytes, &payload) != 1)
        payload = claim_slowly(sender, bytes);
    bench_fill(payload, bytes, value);
    lam_framed_sender_commit(sender, bytes, 0);
}

BENCH_INLINE struct lam_framed_message next_message(struct lam_framed_receiver *receiver)
{
    struct lam_framed_message message = {.payload = NULL};

    return lam_framed_receiver_try_receive(receiver, &message) == 1 ? message
                                                                    : receive_slowly(receiver);
}

/* In a round trip the next message is never there yet: one call that waits for it. */
BENCH_INLINE uint64_t await_one(struct lam_framed_receiver *receiver, uint32_t bytes)
{
    struct lam_framed_message message = {.payload = NULL};
    uint64_t sum;

    bench_must(lam_framed_receiver_receive_until(receiver, LAM_DEADLINE_NEVER, &message));
    sum = bench_sum(message.payload, bytes);
    lam_framed_receiver_release(receiver, &message);
    return sum;
}

BENCH_INLINE uint64_t ask_sized(uint32_t bytes, struct state *state, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        put_one(&state->ends.sender, bytes, value);
        value = await_one(&state->ends.receiver, bytes);
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
        value = await_one(&state->ends.receiver, bytes);
        put_one(&state->ends.sender, bytes, value);
    }
    return value;
}

static uint64_t answer(struct bench_lane *lane, uint64_t count)
{
    return BENCH_BY_SIZE(lane->shape.payload_bytes, answer_sized, lane->state, count);
}

BENCH_INLINE void send_sized(
    uint32_t bytes, struct lam_framed_sender *sender, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++)
        put_one(sender, bytes, value++);
}

BENCH_INLINE void send_batches(uint32_t bytes, struct lam_framed_sender *sender,
    uint32_t message_count, uint64_t count, uint64_t value)
{
    struct lam_framed_batch batch;

    for (uint64_t sent = 0; sent < count; sent += message_count) {
        if (lam_framed_sender_try_claim_batch(sender, message_count, bytes, &batch) != 1)
            bench_must(lam_framed_sender_claim_batch_until(
                sender, message_count, bytes, LAM_DEADLINE_NEVER, &batch));
        for (uint32_t i = 0; i < message_count; i++) {
            void *payload;

            LAM_ASSERT(lam_framed_batch_stage(&batch, bytes, 0, &payload) == 1);
            bench_fill(payload, bytes, value++);
        }
        lam_framed_batch_commit(&batch);
    }
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct state *state = lane->state;
    uint32_t bytes = lane->shape.payload_bytes;

    if (lane->shape.batch == 1)
        BENCH_BY_SIZE(bytes, send_sized, &state->ends.sender, count, value);
    else
        BENCH_BY_SIZE(bytes, send_batches, &state->ends.sender, lane->shape.batch, count, value);
}

BENCH_INLINE uint64_t receive_sized(
    uint32_t bytes, struct lam_framed_receiver *receiver, uint64_t batch, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t received = 0; received < count; received += batch) {
        struct lam_framed_message message = {.payload = NULL};

        for (uint64_t i = 0; i < batch; i++) {
            message = next_message(receiver);
            sum += bench_sum(message.payload, bytes);
        }
        /* The last one stands for all before it. */
        lam_framed_receiver_release(receiver, &message);
    }
    return sum;
}

static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    struct state *state = lane->state;
    uint32_t bytes = lane->shape.payload_bytes;

    if (lane->shape.batch == 1)
        return BENCH_BY_SIZE(bytes, receive_sized, &state->ends.receiver, 1, count);
    return BENCH_BY_SIZE(bytes, receive_sized, &state->ends.receiver, lane->shape.batch, count);
}

static uint64_t skim(struct bench_lane *lane, uint64_t count)
{
    struct state *state = lane->state;
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        struct lam_framed_message message = next_message(&state->ends.receiver);

        sum += *(const uint64_t *)message.payload;
        lam_framed_receiver_release(&state->ends.receiver, &message);
    }
    return sum;
}

#define LOOPS                                                                                      \
    .layer = 1, .attach = attach, .detach = detach, .ask = ask, .answer = answer, .send = send,    \
    .receive = receive, .skim = skim

const struct bench_subject bench_framed = {.name = "framed", .open = open_spin, LOOPS};
const struct bench_subject bench_framed_yield = {.name = "yield", .open = open_yield, LOOPS};
