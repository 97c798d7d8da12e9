/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 1 with extensions on every message. A receiver that does not find them, or finds another
 * correlation than was sent, ends the bench; a wrong CRC32C is an error of its receive.
 */
#include "framed_ends.h"
#include "layers.h"
#include "loops.h"

struct state {
    struct framed_ends ends;
    uint32_t flags; /* of every message */
};

static int open_rings(struct bench_lane *lane, uint32_t flags)
{
    struct state *state = bench_private_memory(sizeof(*state));

    lane->state = state;
    state->flags = flags;
    return framed_ends_create(&state->ends, lane);
}

static int open_correlation(struct bench_lane *lane)
{
    return open_rings(lane, LAM_EVENT_CORRELATION);
}

static int open_timestamp(struct bench_lane *lane)
{
    return open_rings(lane, LAM_EVENT_TIMESTAMP);
}

static int open_crc32c(struct bench_lane *lane)
{
    return open_rings(lane, LAM_EVENT_CRC32C);
}

static int open_all(struct bench_lane *lane)
{
    return open_rings(lane, LAM_EVENT_CORRELATION | LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    return framed_ends_attach(&((struct state *)lane->state)->ends, side, LAM_WAIT_SPIN);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    framed_ends_detach(&((struct state *)lane->state)->ends, side);
}

BENCH_INLINE void put_extended(uint32_t bytes, struct state *state, uint64_t value)
{
    struct lam_framed_correlation words = {.id = value, .scope = bytes};
    struct lam_framed_correlation *correlation =
        state->flags & LAM_EVENT_CORRELATION ? &words : NULL;
    uint16_t extensions = (uint16_t)(state->flags & ~(uint32_t)LAM_EVENT_CORRELATION);
    struct lam_framed_sender *sender = &state->ends.sender;
    void *payload;

    if (lam_framed_sender_try_claim_extended(sender, bytes, correlation, extensions, &payload) != 1)
        bench_must(lam_framed_sender_claim_extended_until(
            sender, bytes, correlation, extensions, LAM_DEADLINE_NEVER, &payload));
    bench_fill(payload, bytes, value);
    lam_framed_sender_commit(sender, bytes, 0);
}

/* The first word of every payload is the value that it was made from. */
BENCH_INLINE void check(
    uint32_t bytes, const struct state *state, const struct lam_framed_message *message)
{
    const struct lam_framed_correlation *correlation = message->correlation;

    if (message->flags != state->flags)
        bench_failed(-EBADMSG);
    if (correlation != NULL &&
        (correlation->scope != bytes || correlation->id != *(const uint64_t *)message->payload))
        bench_failed(-EBADMSG);
}

BENCH_INLINE uint64_t take_extended(uint32_t bytes, struct state *state, int is_late)
{
    struct lam_framed_receiver *receiver = &state->ends.receiver;
    struct lam_framed_message message = {.payload = NULL};
    uint64_t sum;

    if (is_late || lam_framed_receiver_try_receive(receiver, &message) != 1)
        bench_must(lam_framed_receiver_receive_until(receiver, LAM_DEADLINE_NEVER, &message));
    check(bytes, state, &message);
    sum = bench_sum(message.payload, bytes);
    lam_framed_receiver_release(receiver, &message);
    return sum;
}

BENCH_LOOPS(extended, struct state)

#define LOOPS                                                                                      \
    .layer = 1, .attach = attach, .detach = detach, .ask = ask_extended,                           \
    .answer = answer_extended, .send = send_extended, .receive = receive_extended

const struct bench_subject bench_framed_correlation = {
    .name = "correlation", .open = open_correlation, LOOPS};
const struct bench_subject bench_framed_timestamp = {
    .name = "timestamp", .open = open_timestamp, LOOPS};
const struct bench_subject bench_framed_crc32c = {.name = "crc32c", .open = open_crc32c, LOOPS};
const struct bench_subject bench_framed_all = {
    .name = "correlation+timestamp+crc32c", .open = open_all, LOOPS};
