/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priority lanes as a subject: all messages in one lane, or in all by turns. Each lane has the
 * depth that a plain channel has beside it. The turns are counted, not worked out from the bytes
 * that arrive: or an answer's cell would be asked for only when they are there, a quarter of a
 * round trip later than beside it.
 */
#include "lamina/framed/framed.h"

#include "layers.h"
#include "loops.h"

#define TURNS_MAX 16

struct state {
    struct lam_lanes there, back;
    struct lam_lanes_sender sender;
    struct lam_lanes_receiver receiver;
    uint64_t turns_max;
    uint32_t turn;
};

static int create(struct lam_lanes *lanes, const struct bench_shape *shape)
{
    struct lam_error error = {""};
    struct lam_ring_options options = {.backing = LAM_BACKING_MEMFD,
        .name = "bench.lanes",
        .depth = shape->depth,
        .cell_bytes = shape->cell_bytes,
        .waiting = LAM_RING_SPIN_ONLY};
    int rc = 0;

    for (int lane = 0; rc == 0 && lane < LAM_LANE_COUNT; lane++)
        rc = lam_ring_create(&lanes->rings[lane], &options, &error);
    return bench_said(rc, &error);
}

static int open_with(struct bench_lane *lane, uint64_t turns_max)
{
    struct state *state = bench_private_memory(sizeof(*state));
    int rc;

    lane->state = state;
    state->turns_max = turns_max;
    rc = create(&state->there, &lane->shape);
    return rc != 0 ? rc : create(&state->back, &lane->shape);
}

static int open_strict(struct bench_lane *lane)
{
    return open_with(lane, 0);
}

static int open_bounded(struct bench_lane *lane)
{
    return open_with(lane, TURNS_MAX);
}

static int reopen(struct lam_lanes *lanes, enum lam_access access)
{
    struct lam_ring_attach_options options = {.access = access};
    struct lam_error error = {""};
    int data[LAM_LANE_COUNT], control[LAM_LANE_COUNT];

    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        lam_ring_fds(&lanes->rings[lane], &data[lane], &control[lane]);
    return bench_said(lam_lanes_attach_fds(lanes, data, control, &options, &error), &error);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;
    struct lam_lanes_sender_options sender = {.sender.producer.wait = LAM_WAIT_SPIN};
    struct lam_lanes_receiver_options receiver = {
        .receiver.consumer = {.start = LAM_RING_HEAD, .wait = LAM_WAIT_SPIN},
        .turns_max = state->turns_max};
    struct lam_error error = {""};
    int rc = 0;

    if (side > 0)
        rc = reopen(&state->there, LAM_ACCESS_READ);
    if (side > 0 && rc == 0)
        rc = reopen(&state->back, LAM_ACCESS_WRITE);
    if (rc == 0)
        rc = lam_lanes_sender_attach(
            &state->sender, side == 0 ? &state->there : &state->back, &sender, &error);
    if (rc == 0)
        rc = lam_lanes_receiver_attach(
            &state->receiver, side == 0 ? &state->back : &state->there, &receiver, &error);
    return bench_said(rc, &error);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    lam_lanes_receiver_detach(&state->receiver);
    lam_lanes_sender_close(&state->sender);
    lam_lanes_sender_detach(&state->sender);
    lam_lanes_detach(&state->there);
    lam_lanes_detach(&state->back);
}

BENCH_INLINE void put(
    uint32_t bytes, struct lam_lanes_sender *sender, enum lam_lane lane, uint64_t value)
{
    void *payload;

    if (lam_lanes_sender_try_claim(sender, lane, bytes, &payload) != 1)
        bench_must(lam_lanes_sender_claim_until(sender, lane, bytes, LAM_DEADLINE_NEVER, &payload));
    bench_fill(payload, bytes, value);
    lam_lanes_sender_commit(sender, lane, bytes, 0);
}

BENCH_INLINE uint64_t take(uint32_t bytes, struct lam_lanes_receiver *receiver, int is_late)
{
    struct lam_framed_message message = {.payload = NULL};
    enum lam_lane lane;
    uint64_t sum;

    if (is_late || lam_lanes_receiver_try_receive(receiver, &message, &lane) != 1)
        bench_must(lam_lanes_receiver_receive_until(receiver, LAM_DEADLINE_NEVER, &message, &lane));
    sum = bench_sum(message.payload, bytes);
    lam_lanes_receiver_release(receiver, lane, &message);
    return sum;
}

BENCH_INLINE void put_critical(uint32_t bytes, struct state *state, uint64_t value)
{
    put(bytes, &state->sender, LAM_LANE_CRITICAL, value);
}

BENCH_INLINE uint64_t take_critical(uint32_t bytes, struct state *state, int is_late)
{
    return take(bytes, &state->receiver, is_late);
}

BENCH_INLINE void put_low(uint32_t bytes, struct state *state, uint64_t value)
{
    put(bytes, &state->sender, LAM_LANE_LOW, value);
}

BENCH_INLINE uint64_t take_low(uint32_t bytes, struct state *state, int is_late)
{
    return take(bytes, &state->receiver, is_late);
}

BENCH_INLINE void put_mixed(uint32_t bytes, struct state *state, uint64_t value)
{
    uint32_t turn = state->turn;

    state->turn = turn == LAM_LANE_LOW ? LAM_LANE_CRITICAL : turn + 1;
    put(bytes, &state->sender, (enum lam_lane)turn, value);
}

BENCH_INLINE uint64_t take_mixed(uint32_t bytes, struct state *state, int is_late)
{
    return take(bytes, &state->receiver, is_late);
}

BENCH_LOOPS(critical, struct state)
BENCH_LOOPS(low, struct state)
BENCH_LOOPS(mixed, struct state)

#define LANES(loops)                                                                               \
    .layer = 1, .attach = attach, .detach = detach, .ask = ask_##loops, .answer = answer_##loops,  \
    .send = send_##loops, .receive = receive_##loops

const struct bench_subject bench_lanes_critical = {
    .name = "critical", .open = open_strict, LANES(critical)};
const struct bench_subject bench_lanes_low = {.name = "low", .open = open_strict, LANES(low)};
const struct bench_subject bench_lanes_mixed = {.name = "mixed", .open = open_strict, LANES(mixed)};
const struct bench_subject bench_lanes_bounded = {
    .name = "mixed-bounded", .open = open_bounded, LANES(mixed)};
