/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings in Rust: the crates disruptor and disruptor-mp. Their loops are in rust/, compiled by
 * cargo.
 */
#include <errno.h>

#include "payload.h"
#include "peers.h"

struct pair; /* of rust/lib.rs */

enum crate {
    DISRUPTOR = 0,
    DISRUPTOR_MP = 1,
};

struct pair *bench_rust_open(uint32_t which, uint32_t payload_bytes);
int bench_rust_attach(struct pair *pair, uint32_t side);
void bench_rust_detach(struct pair *pair, uint32_t side);
uint64_t bench_rust_ask(struct pair *pair, uint64_t count, uint64_t value);
uint64_t bench_rust_answer(struct pair *pair, uint64_t count);
void bench_rust_send(struct pair *pair, uint32_t batch, uint64_t count, uint64_t value);
uint64_t bench_rust_receive(struct pair *pair, uint32_t batch, uint64_t count);

static int open_pair(struct bench_lane *lane, enum crate which)
{
    lane->state = bench_rust_open(which, lane->shape.payload_bytes);
    return lane->state != NULL ? 0 : -EINVAL;
}

static int open_disruptor(struct bench_lane *lane)
{
    return open_pair(lane, DISRUPTOR);
}

static int open_disruptor_mp(struct bench_lane *lane)
{
    return open_pair(lane, DISRUPTOR_MP);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    return bench_rust_attach(lane->state, side) == 0 ? 0 : -EIO;
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    bench_rust_detach(lane->state, side);
}

static uint64_t ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    return bench_rust_ask(lane->state, count, value);
}

static uint64_t answer(struct bench_lane *lane, uint64_t count)
{
    return bench_rust_answer(lane->state, count);
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    bench_rust_send(lane->state, lane->shape.batch, count, value);
}

static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    return bench_rust_receive(lane->state, lane->shape.batch, count);
}

#define LOOPS                                                                                      \
    .layer = -1, .attach = attach, .detach = detach, .ask = ask, .answer = answer, .send = send,   \
    .receive = receive

const struct bench_subject bench_peer_disruptor = {
    .name = "disruptor", .open = open_disruptor, LOOPS};
const struct bench_subject bench_peer_disruptor_mp = {
    .name = "disruptor_mp", .open = open_disruptor_mp, LOOPS};
