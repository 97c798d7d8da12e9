/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"
#include "payload.h"
#include "probes.h"

struct cursor {
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 sequence;
};

struct cursors {
    struct cursor written, read;
};

/* One direction, as one side sees it. */
struct ring {
    uint8_t *slots;
    struct cursors *cursors;
    uint64_t slot_count;
    uint64_t slot_bytes;
    uint64_t next;   /* sequence of the next message */
    uint64_t offset; /* of its slot, bytes */
    uint64_t end;    /* of the slots, bytes */
    uint64_t bound;  /* what we know of the other's cursor: below it we may go */
};

struct pair {
    struct ring there, back;
};

/* Payloads lie where they do in an event, behind 16 bytes. */
#define SLOT_HEADER_BYTES 16

static void ring_open(struct ring *ring, const struct bench_shape *shape)
{
    ring->slot_bytes = bench_message_cells(shape) * shape->cell_bytes;
    ring->slot_count = shape->depth * shape->cell_bytes / ring->slot_bytes;
    ring->end = ring->slot_count * ring->slot_bytes;
    ring->slots = bench_shared_memory(ring->end);
    ring->cursors = bench_shared_memory(sizeof(*ring->cursors));
}

static int open_pair(struct bench_lane *lane)
{
    struct pair *pair = bench_private_memory(sizeof(*pair));

    ring_open(&pair->there, &lane->shape);
    ring_open(&pair->back, &lane->shape);
    lane->state = pair;
    return 0;
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct pair *pair = lane->state;

    /* The writer may fill the ring once before it looks at the reader. */
    if (side == 0)
        pair->there.bound = pair->there.slot_count;
    else
        pair->back.bound = pair->back.slot_count;
    return 0;
}

BENCH_INLINE uint8_t *payload_now(const struct ring *ring)
{
    return ring->slots + ring->offset + SLOT_HEADER_BYTES;
}

BENCH_INLINE void step(struct ring *ring)
{
    ring->next++;
    ring->offset += ring->slot_bytes;
    if (ring->offset == ring->end)
        ring->offset = 0;
}

/* Both return the new bound. They take what changes by value: see stamped.c. */

static __attribute__((noinline)) uint64_t await_room(
    const struct ring *ring, uint64_t next, uint64_t count)
{
    uint32_t looks = 0;

    for (;;) {
        uint64_t bound = lam_load_acquire(&ring->cursors->read.sequence) + ring->slot_count;

        if (bound - next >= count)
            return bound;
        bench_pause(&looks);
    }
}

static __attribute__((noinline)) uint64_t await_message(const struct ring *ring, uint64_t next)
{
    uint32_t looks = 0;
    uint64_t bound;

    while ((bound = lam_load_acquire(&ring->cursors->written.sequence)) == next)
        bench_pause(&looks);
    return bound;
}

BENCH_INLINE void put(struct ring *ring, uint32_t bytes, uint64_t value)
{
    bench_fill(payload_now(ring), bytes, value);
    step(ring);
}

BENCH_INLINE void publish(struct ring *ring)
{
    lam_store_release(&ring->cursors->written.sequence, ring->next);
}

BENCH_INLINE void put_one(struct ring *ring, uint32_t bytes, uint64_t value)
{
    if (ring->next == ring->bound)
        ring->bound = await_room(ring, ring->next, 1);
    put(ring, bytes, value);
    publish(ring);
}

/* @shared: the same ring, where its pointers may be read from. */
BENCH_INLINE uint64_t take(struct ring *ring, const struct ring *shared, uint32_t bytes)
{
    uint64_t sum;

    if (ring->next == ring->bound)
        ring->bound = await_message(shared, ring->next);
    sum = bench_sum(payload_now(ring), bytes);
    step(ring);
    return sum;
}

BENCH_INLINE void release(struct ring *ring)
{
    lam_store_release(&ring->cursors->read.sequence, ring->next);
}

BENCH_INLINE uint64_t take_one(struct ring *ring, uint32_t bytes)
{
    uint64_t sum = take(ring, ring, bytes);

    release(ring);
    return sum;
}

BENCH_INLINE uint64_t ask_sized(uint32_t bytes, struct pair *pair, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        put_one(&pair->there, bytes, value);
        value = take_one(&pair->back, bytes);
    }
    return value;
}

static uint64_t ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    return BENCH_BY_SIZE(lane->shape.payload_bytes, ask_sized, lane->state, count, value);
}

BENCH_INLINE uint64_t answer_sized(uint32_t bytes, struct pair *pair, uint64_t count)
{
    uint64_t value = 0;

    for (uint64_t i = 0; i < count; i++) {
        value = take_one(&pair->there, bytes);
        put_one(&pair->back, bytes, value);
    }
    return value;
}

static uint64_t answer(struct bench_lane *lane, uint64_t count)
{
    return BENCH_BY_SIZE(lane->shape.payload_bytes, answer_sized, lane->state, count);
}

BENCH_INLINE void send_sized(
    uint32_t bytes, struct ring *shared, uint64_t batch, uint64_t count, uint64_t value)
{
    struct ring ring = *shared;

    for (uint64_t sent = 0; sent < count; sent += batch) {
        if (ring.bound - ring.next < batch)
            ring.bound = await_room(shared, ring.next, batch);
        for (uint64_t i = 0; i < batch; i++)
            put(&ring, bytes, value++);
        publish(&ring);
    }
    *shared = ring;
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct pair *pair = lane->state;

    if (lane->shape.batch == 1)
        BENCH_BY_SIZE(lane->shape.payload_bytes, send_sized, &pair->there, 1, count, value);
    else
        BENCH_BY_SIZE(
            lane->shape.payload_bytes, send_sized, &pair->there, lane->shape.batch, count, value);
}

BENCH_INLINE uint64_t receive_sized(
    uint32_t bytes, struct ring *shared, uint64_t batch, uint64_t count)
{
    struct ring ring = *shared;
    uint64_t sum = 0;

    for (uint64_t received = 0; received < count; received += batch) {
        for (uint64_t i = 0; i < batch; i++)
            sum += take(&ring, shared, bytes);
        release(&ring);
    }
    *shared = ring;
    return sum;
}

static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    struct pair *pair = lane->state;

    if (lane->shape.batch == 1)
        return BENCH_BY_SIZE(lane->shape.payload_bytes, receive_sized, &pair->there, 1, count);
    return BENCH_BY_SIZE(
        lane->shape.payload_bytes, receive_sized, &pair->there, lane->shape.batch, count);
}

const struct bench_subject bench_probe_cursor = {.name = "cursor",
    .layer = -1,
    .open = open_pair,
    .attach = attach,
    .ask = ask,
    .answer = answer,
    .send = send,
    .receive = receive};
