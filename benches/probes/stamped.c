/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"
#include "crew.h"
#include "payload.h"
#include "probes.h"

/* Whoever loads the slot's own sequence + 1 may read its payload. */
struct slot {
    lam_atomic_u64 stamp;
    uint64_t spare;
    uint8_t payload[];
};

struct cursor {
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 sequence; /* all below it is read */
};

/* One direction, as one side sees it. */
struct ring {
    uint8_t *slots;
    struct cursor *cursors;
    uint64_t slot_count;
    uint64_t slot_bytes;
    uint64_t next;   /* sequence of the next message */
    uint64_t offset; /* of its slot, bytes */
    uint64_t end;    /* of the slots, bytes */
    uint64_t bound;  /* writer: sequences below may be written */
    uint32_t reader_count;
    uint32_t reader; /* which cursor is ours */
};

struct pair {
    struct ring there, back;
};

static void ring_open(struct ring *ring, const struct bench_shape *shape)
{
    ring->slot_bytes = bench_message_cells(shape) * shape->cell_bytes;
    ring->slot_count = shape->depth * shape->cell_bytes / ring->slot_bytes;
    ring->end = ring->slot_count * ring->slot_bytes;
    ring->slots = bench_shared_memory(ring->end);
    ring->cursors = bench_shared_memory(BENCH_READERS_MAX * sizeof(*ring->cursors));
    ring->bound = ring->slot_count;
    ring->reader_count = shape->readers;
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

    if (side > 0)
        pair->there.reader = side - 1;
    return 0;
}

BENCH_INLINE struct slot *slot_now(const struct ring *ring)
{
    return (struct slot *)(void *)(ring->slots + ring->offset);
}

BENCH_INLINE void step(struct ring *ring)
{
    ring->next++;
    ring->offset += ring->slot_bytes;
    if (ring->offset == ring->end)
        ring->offset = 0;
}

/*
 * Waits until @count more messages behind @next have room. Returns the bound. It takes what changes
 * by value: the loops below keep that in registers, where a pointer would have it stored each time.
 */
static __attribute__((noinline)) uint64_t await_room(
    const struct ring *ring, uint64_t next, uint64_t count)
{
    uint32_t looks = 0;

    for (;;) {
        uint64_t lowest = lam_load_acquire(&ring->cursors[0].sequence);

        for (uint32_t i = 1; i < ring->reader_count; i++) {
            uint64_t sequence = lam_load_acquire(&ring->cursors[i].sequence);

            if (sequence < lowest)
                lowest = sequence;
        }
        if (lowest + ring->slot_count - next >= count)
            return lowest + ring->slot_count;
        bench_pause(&looks);
    }
}

BENCH_INLINE void put(struct ring *ring, uint32_t bytes, uint64_t value)
{
    struct slot *slot = slot_now(ring);

    bench_fill(slot->payload, bytes, value);
    lam_store_release(&slot->stamp, ring->next + 1);
    step(ring);
}

BENCH_INLINE const struct slot *await_message(const struct ring *ring, uint32_t bytes)
{
    const struct slot *slot = slot_now(ring);
    uint32_t looks = 0;

    while (lam_load_acquire(&slot->stamp) != ring->next + 1)
        bench_pause(&looks);
    return slot;
}

BENCH_INLINE void release(struct ring *ring)
{
    lam_store_release(&ring->cursors[ring->reader].sequence, ring->next);
}

BENCH_INLINE void put_one(struct ring *ring, uint32_t bytes, uint64_t value)
{
    if (ring->next == ring->bound)
        ring->bound = await_room(ring, ring->next, 1);
    put(ring, bytes, value);
}

BENCH_INLINE uint64_t take_one(struct ring *ring, uint32_t bytes)
{
    uint64_t sum = bench_sum(await_message(ring, bytes)->payload, bytes);

    step(ring);
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

/* The ring's words stay in registers in the loops: nobody else changes our copy. */
BENCH_INLINE void send_sized(
    uint32_t bytes, struct ring *shared, uint64_t batch, uint64_t count, uint64_t value)
{
    struct ring ring = *shared;

    for (uint64_t sent = 0; sent < count; sent += batch) {
        if (ring.bound - ring.next < batch)
            ring.bound = await_room(shared, ring.next, batch);
        for (uint64_t i = 0; i < batch; i++)
            put(&ring, bytes, value++);
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
        for (uint64_t i = 0; i < batch; i++) {
            sum += bench_sum(await_message(&ring, bytes)->payload, bytes);
            step(&ring);
        }
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

const struct bench_subject bench_probe_stamped = {.name = "stamped",
    .layer = -1,
    .open = open_pair,
    .attach = attach,
    .ask = ask,
    .answer = answer,
    .send = send,
    .receive = receive};
