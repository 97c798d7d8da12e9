/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 1 with extensions on every message. A receiver that does not find them, or finds another
 * correlation than was sent, ends the bench; a wrong CRC32C is an error of its receive.
 */
#include "lamina/framed/framed.h"

#include "layers.h"
#include "loops.h"
#include "rings.h"

struct state {
    struct bench_rings rings;
    struct lam_framed_sender sender;
    struct lam_framed_receiver receiver;
    uint32_t flags; /* of every message */
};

static int open_rings(struct bench_lane *lane, uint32_t flags)
{
    struct state *state = bench_private_memory(sizeof(*state));
    struct lam_ring_options options = {.waiting = LAM_RING_SPIN_ONLY};

    lane->state = state;
    state->flags = flags;
    return bench_rings_create(&state->rings, &lane->shape, &options);
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

BENCH_INLINE void put_extended(uint32_t bytes, struct state *state, uint64_t value)
{
    struct lam_framed_correlation words = {.id = value, .scope = bytes};
    struct lam_framed_correlation *correlation =
        state->flags & LAM_EVENT_CORRELATION ? &words : NULL;
    uint16_t extensions = (uint16_t)(state->flags & ~(uint32_t)LAM_EVENT_CORRELATION);
    struct lam_framed_sender *sender = &state->sender;
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
    struct lam_framed_receiver *receiver = &state->receiver;
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
