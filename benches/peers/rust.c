/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings and transports in Rust, each a crate. Their loops are in rust/, compiled by cargo.
 */
#include "transport.h"

struct pair; /* of rust/lib.rs */

enum crate {
    DISRUPTOR = 0,
    DISRUPTOR_MP = 1,
    MYELON = 2,
    MYELON_SIZED = 3,
    MEMLINK = 4,
    ICEORYX2 = 5,
};

struct pair *bench_rust_open(uint32_t which, uint32_t payload_bytes, uint32_t slots);
void bench_rust_clean(uint32_t run);
int bench_rust_attach(struct pair *pair, uint32_t side);
void bench_rust_detach(struct pair *pair, uint32_t side);
uint64_t bench_rust_ask(struct pair *pair, uint64_t count, uint64_t value);
uint64_t bench_rust_answer(struct pair *pair, uint64_t count);
void bench_rust_send(struct pair *pair, uint32_t batch, uint64_t count, uint64_t value);
uint64_t bench_rust_receive(struct pair *pair, uint32_t batch, uint64_t count);

/* For the loops in Rust: the same code that fills and adds up elsewhere. */
void bench_peer_fill(void *payload, uint32_t bytes, uint64_t seed);
uint64_t bench_peer_sum(const void *payload, uint32_t bytes);

void bench_peer_fill(void *payload, uint32_t bytes, uint64_t seed)
{
    bench_fill(payload, bytes, seed);
}

uint64_t bench_peer_sum(const void *payload, uint32_t bytes)
{
    return bench_sum(payload, bytes);
}

static int open_pair(struct bench_lane *lane, enum crate which)
{
    lane->state = bench_rust_open(which, lane->shape.payload_bytes, bench_peer_slots(&lane->shape));
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

static int open_myelon(struct bench_lane *lane)
{
    return open_pair(lane, MYELON);
}

static int open_myelon_sized(struct bench_lane *lane)
{
    return open_pair(lane, MYELON_SIZED);
}

static int open_memlink(struct bench_lane *lane)
{
    return open_pair(lane, MEMLINK);
}

static int open_iceoryx2(struct bench_lane *lane)
{
    return open_pair(lane, ICEORYX2);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    return bench_rust_attach(lane->state, side) == 0 ? 0 : -EIO;
}

void bench_peer_clean_rust(int run)
{
    bench_rust_clean((uint32_t)run);
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
const struct bench_subject bench_peer_myelon = {.name = "myelon", .open = open_myelon, LOOPS};
const struct bench_subject bench_peer_myelon_sized = {
    .name = "myelon_sized", .open = open_myelon_sized, LOOPS};
const struct bench_subject bench_peer_memlink = {
    .name = "memlink_shm", .open = open_memlink, LOOPS};
const struct bench_subject bench_peer_iceoryx2 = {.name = "iceoryx2", .open = open_iceoryx2, LOOPS};
