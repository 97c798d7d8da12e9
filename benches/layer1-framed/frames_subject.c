/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages larger than half the ring as a subject: written piece by piece into their frames, put
 * together by the receiver, and added up there.
 */
#include "lamina/framed/framed.h"

#include "layers.h"
#include "payload.h"
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
    struct lam_ring *out, *in;
    struct lam_framed_sender_options sender = {
        .message_bytes_max = lane->shape.payload_bytes, .producer.wait = LAM_WAIT_SPIN};
    struct lam_framed_receiver_options receiver = {.message_bytes_max = lane->shape.payload_bytes,
        .consumer = {.start = LAM_RING_HEAD, .wait = LAM_WAIT_SPIN}};
    struct lam_error error = {""};
    int rc = bench_rings_take(&state->rings, side, &out, &in);

    if (rc == 0 && out != NULL)
        rc = lam_framed_sender_attach(&state->sender, out, &sender, &error);
    if (rc == 0)
        rc = lam_framed_receiver_attach(&state->receiver, in, &receiver, &error);
    return bench_said(rc, &error);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    lam_framed_receiver_detach(&state->receiver);
    if (side <= 1) {
        lam_framed_sender_close(&state->sender);
        lam_framed_sender_detach(&state->sender);
    }
    bench_rings_leave(&state->rings);
}

/* As bench_fill(): the seed stands first and last. Pieces are whole words. */
static void fill_piece(
    uint64_t *piece, uint64_t piece_bytes, uint64_t offset, uint64_t total_bytes, uint64_t seed)
{
    memcpy(piece, (const uint8_t *)bench_template + offset, piece_bytes);
    if (offset == 0)
        piece[0] = seed;
    if (offset + piece_bytes == total_bytes)
        piece[piece_bytes / 8 - 1] = seed;
}

static void put_one(struct lam_framed_sender *sender, uint64_t bytes, uint64_t value)
{
    uint64_t piece_bytes;
    void *piece;

    bench_must(lam_framed_sender_open_stream(sender, bytes, 0, NULL));
    for (uint64_t offset = 0; offset < bytes; offset += piece_bytes) {
        bench_must(
            lam_framed_sender_claim_piece_until(sender, LAM_DEADLINE_NEVER, &piece, &piece_bytes));
        fill_piece(piece, piece_bytes, offset, bytes, value);
        lam_framed_sender_commit_piece(sender, piece_bytes);
    }
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct state *state = lane->state;

    for (uint64_t i = 0; i < count; i++)
        put_one(&state->sender, lane->shape.payload_bytes, value++);
}

static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    struct state *state = lane->state;
    struct lam_framed_message message = {.payload = bench_template};
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        bench_must(
            lam_framed_receiver_receive_until(&state->receiver, LAM_DEADLINE_NEVER, &message));
        sum += bench_sum(message.payload, lane->shape.payload_bytes);
        lam_framed_receiver_release(&state->receiver, &message);
    }
    return sum;
}

const struct bench_subject bench_framed_frames = {.name = "frames",
    .layer = 1,
    .open = open_rings,
    .attach = attach,
    .detach = detach,
    .send = send,
    .receive = receive};
