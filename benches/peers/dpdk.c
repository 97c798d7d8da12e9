/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DPDK's rte_ring with elements by value, one producer and one consumer: the calls that copy
 * (dpdk), and those that lend the slots (dpdk_zc).
 *
 * Its inline functions need memory alone. What rte_ring_init() would set is set here: its archive
 * wants the whole environment layer, which a queue in our own memory does not use.
 */
#include <rte_ring.h>
#include <rte_ring_peek_zc.h>

#include "event.h"
#include "loops.h"

struct pair {
    struct rte_ring *out, *in; /* of this process */
};

static struct rte_ring *open_ring(uint32_t event_bytes)
{
    uint64_t bytes = sizeof(struct rte_ring) + (uint64_t)BENCH_PEER_SLOTS * event_bytes;
    struct rte_ring *ring = bench_shared_memory(bytes);

    ring->flags = RING_F_SP_ENQ | RING_F_SC_DEQ;
    ring->prod.sync_type = RTE_RING_SYNC_ST;
    ring->cons.sync_type = RTE_RING_SYNC_ST;
    ring->size = BENCH_PEER_SLOTS;
    ring->mask = BENCH_PEER_SLOTS - 1;
    ring->capacity = BENCH_PEER_SLOTS - 1;
    return ring;
}

static int open_pair(struct bench_lane *lane)
{
    struct pair *pair = bench_private_memory(sizeof(*pair));

    if (!bench_peer_takes(&lane->shape))
        return -EINVAL;
    pair->out = open_ring(lane->shape.payload_bytes);
    pair->in = open_ring(lane->shape.payload_bytes);
    lane->state = pair;
    return 0;
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct pair *pair = lane->state;
    struct rte_ring *there = pair->out;

    if (side > 0) {
        pair->out = pair->in;
        pair->in = there;
    }
    return 0;
}

/* Copies. */

BENCH_INLINE void put_copy(uint32_t bytes, struct pair *pair, uint64_t value)
{
    struct bench_event event;
    uint32_t looks = 0;

    bench_fill(&event, bytes, value);
    while (rte_ring_sp_enqueue_elem(pair->out, &event, bytes) != 0)
        bench_pause(&looks);
}

BENCH_INLINE uint64_t take_copy(uint32_t bytes, struct pair *pair, int is_late)
{
    struct bench_event event;
    uint32_t looks = 0;

    (void)is_late;
    while (rte_ring_sc_dequeue_elem(pair->in, &event, bytes) != 0)
        bench_pause(&looks);
    return bench_sum(&event, bytes);
}

BENCH_LOOPS(copy, struct pair)

BENCH_INLINE void send_copies(
    uint32_t bytes, struct pair *pair, uint32_t batch, uint64_t count, uint64_t value)
{
    uint8_t events[BENCH_PEER_BATCH_MAX * BENCH_EVENT_BYTES] __attribute__((aligned(16)));
    uint32_t looks = 0;

    for (uint64_t sent = 0; sent < count; sent += batch) {
        for (uint32_t i = 0; i < batch; i++)
            bench_fill(events + i * bytes, bytes, value++);
        while (rte_ring_sp_enqueue_bulk_elem(pair->out, events, bytes, batch, NULL) == 0)
            bench_pause(&looks);
    }
}

BENCH_INLINE uint64_t receive_copies(
    uint32_t bytes, struct pair *pair, uint32_t batch, uint64_t count)
{
    uint8_t events[BENCH_PEER_BATCH_MAX * BENCH_EVENT_BYTES] __attribute__((aligned(16)));
    uint64_t received = 0, sum = 0;
    uint32_t looks = 0;

    while (received < count) {
        uint32_t found = rte_ring_sc_dequeue_burst_elem(pair->in, events, bytes, batch, NULL);

        if (found == 0)
            bench_pause(&looks);
        for (uint32_t i = 0; i < found; i++)
            sum += bench_sum(events + i * bytes, bytes);
        received += found;
    }
    return sum;
}

static void send_dpdk(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    if (lane->shape.batch == 1)
        send_copy(lane, count, value);
    else
        BENCH_BY_SIZE(
            lane->shape.payload_bytes, send_copies, lane->state, lane->shape.batch, count, value);
}

static uint64_t receive_dpdk(struct bench_lane *lane, uint64_t count)
{
    if (lane->shape.batch == 1)
        return receive_copy(lane, count);
    return BENCH_BY_SIZE(
        lane->shape.payload_bytes, receive_copies, lane->state, lane->shape.batch, count);
}

/* In place. */

BENCH_INLINE uint64_t fill_slots(uint32_t bytes, void *slots, uint32_t count, uint64_t value)
{
    for (uint32_t i = 0; i < count; i++)
        bench_fill((uint8_t *)slots + i * bytes, bytes, value++);
    return value;
}

BENCH_INLINE uint64_t sum_slots(uint32_t bytes, const void *slots, uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += bench_sum((const uint8_t *)slots + i * bytes, bytes);
    return sum;
}

BENCH_INLINE uint64_t put_slots(
    uint32_t bytes, struct rte_ring *ring, uint32_t batch, uint64_t value)
{
    struct rte_ring_zc_data lent;
    uint32_t looks = 0;

    while (rte_ring_enqueue_zc_bulk_elem_start(ring, bytes, batch, &lent, NULL) == 0)
        bench_pause(&looks);
    value = fill_slots(bytes, lent.ptr1, batch == 1 ? 1 : lent.n1, value);
    if (batch > 1)
        value = fill_slots(bytes, lent.ptr2, batch - lent.n1, value);
    rte_ring_enqueue_zc_elem_finish(ring, batch);
    return value;
}

/* Takes 1 to @batch events; says how many. */
BENCH_INLINE uint32_t take_slots(
    uint32_t bytes, struct rte_ring *ring, uint32_t batch, uint64_t *sum)
{
    struct rte_ring_zc_data lent;
    uint32_t looks = 0, found;

    while ((found = rte_ring_dequeue_zc_burst_elem_start(ring, bytes, batch, &lent, NULL)) == 0)
        bench_pause(&looks);
    *sum += sum_slots(bytes, lent.ptr1, batch == 1 ? 1 : lent.n1);
    if (batch > 1)
        *sum += sum_slots(bytes, lent.ptr2, found - lent.n1);
    rte_ring_dequeue_zc_elem_finish(ring, found);
    return found;
}

BENCH_INLINE void put_zc(uint32_t bytes, struct pair *pair, uint64_t value)
{
    (void)put_slots(bytes, pair->out, 1, value);
}

BENCH_INLINE uint64_t take_zc(uint32_t bytes, struct pair *pair, int is_late)
{
    uint64_t sum = 0;

    (void)is_late;
    (void)take_slots(bytes, pair->in, 1, &sum);
    return sum;
}

BENCH_LOOPS(zc, struct pair)

BENCH_INLINE void send_slots(
    uint32_t bytes, struct pair *pair, uint32_t batch, uint64_t count, uint64_t value)
{
    for (uint64_t sent = 0; sent < count; sent += batch)
        value = put_slots(bytes, pair->out, batch, value);
}

BENCH_INLINE uint64_t receive_slots(
    uint32_t bytes, struct pair *pair, uint32_t batch, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t received = 0; received < count;)
        received += take_slots(bytes, pair->in, batch, &sum);
    return sum;
}

static void send_dpdk_zc(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    if (lane->shape.batch == 1)
        send_zc(lane, count, value);
    else
        BENCH_BY_SIZE(
            lane->shape.payload_bytes, send_slots, lane->state, lane->shape.batch, count, value);
}

static uint64_t receive_dpdk_zc(struct bench_lane *lane, uint64_t count)
{
    if (lane->shape.batch == 1)
        return receive_zc(lane, count);
    return BENCH_BY_SIZE(
        lane->shape.payload_bytes, receive_slots, lane->state, lane->shape.batch, count);
}

const struct bench_subject bench_peer_dpdk = {.name = "dpdk",
    .layer = -1,
    .open = open_pair,
    .attach = attach,
    .ask = ask_copy,
    .answer = answer_copy,
    .send = send_dpdk,
    .receive = receive_dpdk};
const struct bench_subject bench_peer_dpdk_zc = {.name = "dpdk_zc",
    .layer = -1,
    .open = open_pair,
    .attach = attach,
    .ask = ask_zc,
    .answer = answer_zc,
    .send = send_dpdk_zc,
    .receive = receive_dpdk_zc};
