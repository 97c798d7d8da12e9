/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client and its daemon as a subject: side 0 connects, side 1 serves. Messages as messages, and
 * as requests with replies; neither end sleeps, as in the plain channel beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lamina/framed/client.h"
#include "lamina/framed/daemon.h"

#include "layers.h"
#include "loops.h"

#define LANE LAM_LANE_CRITICAL

struct state {
    int serves; /* this side is the daemon's */
    struct lam_lanes_sender *lanes;
    struct lam_client client;
    struct lam_daemon daemon;
    char directory[64];
};

static int open_daemon(struct bench_lane *lane)
{
    struct state *state = bench_private_memory(sizeof(*state));

    lane->state = state;
    (void)snprintf(state->directory, sizeof(state->directory), "/tmp/lamina-bench.XXXXXX");
    return mkdtemp(state->directory) == NULL ? -errno : 0;
}

static int serve(struct state *state, const struct bench_shape *shape)
{
    struct lam_daemon_options options = {.name = "bench",
        .directory = state->directory,
        .clients_max = 1,
        .depth = shape->depth * 2,
        .cell_bytes = shape->cell_bytes,
        .share_percent = {50, 25, 25},
        .waiting = LAM_RING_SPIN_ONLY,
        .wait = LAM_WAIT_SPIN};
    struct lam_daemon_event event;
    struct lam_error error = {""};
    int rc = lam_daemon_create(&state->daemon, &options, &error);

    state->serves = 1;
    if (rc == 0)
        rc = lam_daemon_wait_until(&state->daemon, LAM_DEADLINE_NEVER, &event);
    if (rc == 0)
        state->lanes = lam_daemon_lanes(&state->daemon, event.client);
    return bench_said(rc, &error);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;
    struct lam_client_options options = {
        .endpoint = "bench", .directory = state->directory, .wait = LAM_WAIT_SPIN};
    struct lam_error error = {""};
    int rc;

    if (side == 1)
        return serve(state, &lane->shape);
    rc = lam_client_connect(
        &state->client, &options, lam_deadline_after_ns(20 * LAM_NS_PER_S), &error);
    state->lanes = &state->client.link->sender;
    return bench_said(rc, &error);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct state *state = lane->state;

    if (side == 0) {
        lam_client_disconnect(&state->client, 0, NULL);
        return;
    }
    lam_daemon_destroy(&state->daemon);
    (void)rmdir(state->directory);
}

BENCH_INLINE void put_message(uint32_t bytes, struct state *state, uint64_t value)
{
    void *payload;

    if (lam_lanes_sender_try_claim(state->lanes, LANE, bytes, &payload) != 1)
        bench_must(
            lam_lanes_sender_claim_until(state->lanes, LANE, bytes, LAM_DEADLINE_NEVER, &payload));
    bench_fill(payload, bytes, value);
    lam_lanes_sender_commit(state->lanes, LANE, bytes, 1);
}

BENCH_INLINE uint64_t take_message(uint32_t bytes, struct state *state, int is_late)
{
    struct lam_framed_message message;
    struct lam_daemon_event event;
    enum lam_lane lane;
    uint64_t sum;

    (void)is_late;
    if (state->serves) {
        bench_must(lam_daemon_wait_until(&state->daemon, LAM_DEADLINE_NEVER, &event));
        return bench_sum(event.message.payload, bytes);
    }
    bench_must(lam_client_receive_until(&state->client, LAM_DEADLINE_NEVER, &message, &lane));
    sum = bench_sum(message.payload, bytes);
    lam_client_release(&state->client, lane, &message);
    return sum;
}

BENCH_LOOPS(message, struct state)

static uint64_t ask_request(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    static uint64_t bytes[BENCH_PAYLOAD_BYTES_MAX / 8];
    struct state *state = lane->state;
    struct iovec part = {bytes, lane->shape.payload_bytes};
    struct lam_reply reply;

    for (uint64_t i = 0; i < count; i++) {
        bench_fill(bytes, lane->shape.payload_bytes, value);
        bench_must(lam_client_request_until(
            &state->client, LANE, &part, 1, 1, LAM_DEADLINE_NEVER, &reply));
        value = bench_sum(reply.payload, lane->shape.payload_bytes);
        lam_client_release_reply(&state->client, &reply);
    }
    return value;
}

static uint64_t answer_request(struct bench_lane *lane, uint64_t count)
{
    uint32_t bytes = lane->shape.payload_bytes;
    struct state *state = lane->state;
    uint64_t value = 0;

    for (uint64_t i = 0; i < count; i++) {
        struct lam_daemon_event event;
        void *payload = NULL;

        bench_must(lam_daemon_wait_until(&state->daemon, LAM_DEADLINE_NEVER, &event));
        value = bench_sum(event.message.payload, bytes);
        bench_must(lam_daemon_try_claim_reply(&state->daemon, &event.request, bytes, &payload));
        bench_fill(payload, bytes, value);
        lam_daemon_commit_reply(&state->daemon, &event.request, bytes, 1, 0);
    }
    return value;
}

const struct bench_subject bench_daemon = {.name = "daemon",
    .layer = 1,
    .open = open_daemon,
    .attach = attach,
    .detach = detach,
    .ask = ask_message,
    .answer = answer_message,
    .send = send_message,
    .receive = receive_message};
const struct bench_subject bench_daemon_request = {.name = "daemon-request",
    .layer = 1,
    .open = open_daemon,
    .attach = attach,
    .detach = detach,
    .ask = ask_request,
    .answer = answer_request};
