/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 2 as a subject: values of the caller's, encoded into the message and decoded out of it. The
 * main one is pod, a struct as large as the payload; beside it a table through MessagePack.
 */
#include "lamina/codecs/pod.h"
#include "lamina/typed/typed.h"

#include "layers.h"
#include "loops.h"
#include "message.h"
#include "payload.h"
#include "rings.h"

struct state {
    struct bench_rings rings;
    struct lam_typed_sender sender;
    struct lam_typed_receiver receiver;
    const struct lam_codec *codec;
    struct lam_pod pod;
    uint64_t *out; /* the value that is sent, in private memory */
    uint64_t *in;  /* pod: the value received; else the arena's memory */
    struct lam_arena arena;
};

static int open_rings(struct bench_lane *lane, const struct lam_codec *codec)
{
    struct state *state = lane->state;
    uint64_t bytes = lane->shape.payload_bytes;
    struct lam_ring_options options = {.waiting = LAM_RING_SPIN_ONLY};
    struct lam_error error = {""};
    int rc = lam_typed_channel_describe(&options, codec, &error);

    state->codec = codec;
    state->out = bench_private_memory(bytes);
    state->in = bench_private_memory(bytes + 4096);
    lam_arena_init(&state->arena, state->in, bytes + 4096);
    if (rc != 0)
        return bench_said(rc, &error);
    return bench_rings_create(&state->rings, &lane->shape, &options);
}

static int open_pod(struct bench_lane *lane)
{
    struct state *state = bench_private_memory(sizeof(*state));
    struct lam_pod_field field = {"words", LAM_KIND_U64, 0, lane->shape.payload_bytes};
    struct lam_pod_type type = {"words", lane->shape.payload_bytes, 8, &field, 1};
    struct lam_error error = {""};
    int rc = lam_pod_init(&state->pod, &type, &error);

    lane->state = state;
    return rc != 0 ? bench_said(rc, &error) : open_rings(lane, &state->pod.codec);
}

static int open_msgpack(struct bench_lane *lane)
{
    lane->state = bench_private_memory(sizeof(struct state));
    return open_rings(lane, &bench_Message_msgpack);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;
    struct lam_ring *out, *in;
    struct lam_typed_sender_options sender = {.framed.producer.wait = LAM_WAIT_SPIN};
    struct lam_typed_receiver_options receiver = {
        .framed.consumer = {.start = LAM_RING_HEAD, .wait = LAM_WAIT_SPIN}};
    struct lam_error error = {""};
    int rc = bench_rings_take(&state->rings, side, &out, &in);

    if (rc == 0 && out != NULL)
        rc = lam_typed_sender_attach(&state->sender, out, state->codec, &sender, &error);
    if (rc == 0)
        rc = lam_typed_receiver_attach(&state->receiver, in, state->codec, &receiver, &error);
    return bench_said(rc, &error);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    lam_typed_receiver_detach(&state->receiver);
    if (side <= 1) {
        lam_typed_sender_close(&state->sender);
        lam_typed_sender_detach(&state->sender);
    }
    bench_rings_leave(&state->rings);
}

BENCH_INLINE void put(struct state *state, const void *value)
{
    if (lam_typed_sender_try_send(&state->sender, value, NULL) != 1)
        bench_must(lam_typed_sender_send_until(&state->sender, value, NULL, LAM_DEADLINE_NEVER));
}

BENCH_INLINE void take(struct state *state, void *value, struct lam_arena *arena, int is_late)
{
    if (is_late || lam_typed_receiver_try_receive(&state->receiver, value, arena, NULL) != 1)
        bench_must(lam_typed_receiver_receive_until(
            &state->receiver, LAM_DEADLINE_NEVER, value, arena, NULL));
}

/* A struct: filled in private memory, received into private memory. */

BENCH_INLINE void put_pod(uint32_t bytes, struct state *state, uint64_t value)
{
    bench_fill(state->out, bytes, value);
    put(state, state->out);
}

BENCH_INLINE uint64_t take_pod(uint32_t bytes, struct state *state, int is_late)
{
    take(state, state->in, NULL, is_late);
    return bench_sum(state->in, bytes);
}

/* A table: small events are a struct in it, all else a vector of words. */

BENCH_INLINE void put_table(uint32_t bytes, struct state *state, uint64_t value)
{
    struct bench_Message message;

    bench_Message_init(&message);
    bench_fill(state->out, bytes, value);
    if (bytes == BENCH_EVENT_BYTES) {
        message.event = (const struct bench_Event *)state->out;
    } else {
        message.words.data = state->out;
        message.words.count = bytes / 8;
    }
    put(state, &message);
}

BENCH_INLINE uint64_t take_table(uint32_t bytes, struct state *state, int is_late)
{
    struct bench_Message message;

    lam_arena_reset(&state->arena);
    take(state, &message, &state->arena, is_late);
    return bench_sum(
        bytes == BENCH_EVENT_BYTES ? (const void *)message.event : message.words.data, bytes);
}

BENCH_LOOPS(pod, struct state)
BENCH_LOOPS(table, struct state)

const struct bench_subject bench_typed_pod = {.name = "typed",
    .layer = 2,
    .open = open_pod,
    .attach = attach,
    .detach = detach,
    .ask = ask_pod,
    .answer = answer_pod,
    .send = send_pod,
    .receive = receive_pod};

const struct bench_subject bench_typed_msgpack = {.name = "msgpack",
    .layer = 2,
    .open = open_msgpack,
    .attach = attach,
    .detach = detach,
    .ask = ask_table,
    .answer = answer_table,
    .send = send_table,
    .receive = receive_table};
