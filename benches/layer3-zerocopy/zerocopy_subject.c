/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 3 as a subject: a FlatBuffers message built where it is read, verified, and added up there;
 * beside it a struct of fixed layout, written and read in place.
 */
#include "lamina/codecs/pod.h"
#include "lamina/zerocopy/zerocopy.h"

#include "layers.h"
#include "loops.h"
#include "message.h"
#include "payload.h"
#include "rings.h"

/* What a table of one struct, or of one vector, adds to its bytes at most. */
#define TABLE_BYTES(bytes) ((bytes) == BENCH_EVENT_BYTES ? 48 : 80)

struct state {
    struct bench_rings rings;
    struct lam_zerocopy_sender sender;
    struct lam_zerocopy_receiver receiver;
    const struct lam_codec *codec;
    struct lam_pod pod;
};

static int open_rings(struct bench_lane *lane, const struct lam_codec *codec)
{
    struct state *state = lane->state;
    struct lam_ring_options options = {.waiting = LAM_RING_SPIN_ONLY};
    struct lam_error error = {""};
    int rc = lam_typed_channel_describe(&options, codec, &error);

    state->codec = codec;
    if (rc != 0)
        return bench_said(rc, &error);
    return bench_rings_create(&state->rings, &lane->shape, &options);
}

static int open_table(struct bench_lane *lane)
{
    lane->state = bench_private_memory(sizeof(struct state));
    return open_rings(lane, &bench_Message_flatbuffers);
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

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;
    struct lam_ring *out, *in;
    struct lam_zerocopy_sender_options sender = {.producer.wait = LAM_WAIT_SPIN};
    struct lam_zerocopy_receiver_options receiver = {
        .framed.consumer = {.start = LAM_RING_HEAD, .wait = LAM_WAIT_SPIN}};
    struct lam_error error = {""};
    int rc = bench_rings_take(&state->rings, side, &out, &in);

    if (rc == 0 && out != NULL)
        rc = lam_zerocopy_sender_attach(&state->sender, out, state->codec, &sender, &error);
    if (rc == 0)
        rc = lam_zerocopy_receiver_attach(&state->receiver, in, state->codec, &receiver, &error);
    return bench_said(rc, &error);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    lam_zerocopy_receiver_detach(&state->receiver);
    if (side <= 1) {
        lam_zerocopy_sender_close(&state->sender);
        lam_zerocopy_sender_detach(&state->sender);
    }
    bench_rings_leave(&state->rings);
}

static __attribute__((noinline)) void view_slowly(
    struct lam_zerocopy_receiver *receiver, struct lam_zerocopy_view *view)
{
    bench_must(lam_zerocopy_receiver_view_until(receiver, LAM_DEADLINE_NEVER, view));
}

BENCH_INLINE void next_view(struct state *state, struct lam_zerocopy_view *view, int is_late)
{
    if (is_late || lam_zerocopy_receiver_try_view(&state->receiver, view) != 1)
        view_slowly(&state->receiver, view);
}

/* A table: small events are a struct in it, all else a vector of words. */

BENCH_INLINE void put_table(uint32_t bytes, struct state *state, uint64_t value)
{
    struct lam_zerocopy_sender *sender = &state->sender;
    struct lam_fb_builder b;
    struct bench_Message_at at;

    if (lam_zerocopy_sender_try_claim(sender, bytes + TABLE_BYTES(bytes), &b) != 1)
        bench_must(lam_zerocopy_sender_claim_until(
            sender, bytes + TABLE_BYTES(bytes), LAM_DEADLINE_NEVER, &b));
    at = bench_Message_start(&b);
    if (bytes == BENCH_EVENT_BYTES) {
        struct bench_Event event;

        bench_fill(&event, bytes, value);
        bench_Message_set_event(&b, at, &event);
    } else {
        uint64_t *words = bench_Message_open_words(&b, at, bytes / 8);

        LAM_ASSERT(words != NULL);
        bench_fill(words, bytes, value);
    }
    bench_must(lam_zerocopy_sender_commit(sender, &b, 0));
}

BENCH_INLINE const void *table_bytes(uint32_t bytes, const struct lam_zerocopy_view *view)
{
    struct bench_Message_view message = bench_Message_root(view->payload);

    if (bytes == BENCH_EVENT_BYTES)
        return bench_Message_get_event(message);
    return bench_Message_get_words(message).data;
}

BENCH_INLINE uint64_t take_table(uint32_t bytes, struct state *state, int is_late)
{
    struct lam_zerocopy_view view;
    uint64_t sum;

    next_view(state, &view, is_late);
    sum = bench_sum(table_bytes(bytes, &view), bytes);
    lam_zerocopy_receiver_release(&state->receiver, &view);
    return sum;
}

static uint64_t skim_table(struct bench_lane *lane, uint64_t count)
{
    struct state *state = lane->state;
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        struct lam_zerocopy_view view;

        next_view(state, &view, 0);
        sum += *(const uint64_t *)table_bytes(lane->shape.payload_bytes, &view);
        lam_zerocopy_receiver_release(&state->receiver, &view);
    }
    return sum;
}

/* A struct, through a plain pointer on both sides. */

static __attribute__((noinline)) void *claim_slowly(
    struct lam_zerocopy_sender *sender, uint32_t bytes)
{
    void *payload = NULL;

    bench_must(lam_zerocopy_sender_claim_bytes_until(sender, bytes, LAM_DEADLINE_NEVER, &payload));
    return payload;
}

BENCH_INLINE void put_pod(uint32_t bytes, struct state *state, uint64_t value)
{
    void *payload;

    if (lam_zerocopy_sender_try_claim_bytes(&state->sender, bytes, &payload) != 1)
        payload = claim_slowly(&state->sender, bytes);
    bench_fill(payload, bytes, value);
    lam_zerocopy_sender_commit_bytes(&state->sender, bytes, 0);
}

BENCH_INLINE uint64_t take_pod(uint32_t bytes, struct state *state, int is_late)
{
    struct lam_zerocopy_view view;
    uint64_t sum;

    next_view(state, &view, is_late);
    sum = bench_sum(view.payload, bytes);
    lam_zerocopy_receiver_release(&state->receiver, &view);
    return sum;
}

BENCH_LOOPS(table, struct state)
BENCH_LOOPS(pod, struct state)

const struct bench_subject bench_zerocopy = {.name = "zerocopy",
    .layer = 3,
    .open = open_table,
    .attach = attach,
    .detach = detach,
    .ask = ask_table,
    .answer = answer_table,
    .send = send_table,
    .receive = receive_table,
    .skim = skim_table};

const struct bench_subject bench_zerocopy_pod = {.name = "pod",
    .layer = 3,
    .open = open_pod,
    .attach = attach,
    .detach = detach,
    .ask = ask_pod,
    .answer = answer_pod,
    .send = send_pod,
    .receive = receive_pod};
