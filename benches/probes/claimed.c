/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"
#include "payload.h"
#include "probes.h"

/* Whoever loads the slot's own sequence + 1 may read its payload. */
struct slot {
    lam_atomic_u64 stamp;
    uint64_t spare;
    uint8_t payload[];
};

struct shared {
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 tail; /* the next to be claimed */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 read; /* all below it is read */
};

struct claimed {
    uint8_t *slots;
    struct shared *shared;
    uint64_t slot_count, slot_bytes;
    uint64_t bound; /* writer: sequences below may be written */
    uint64_t next;  /* reader */
};

static int open_ring(struct bench_lane *lane)
{
    struct claimed *ring = bench_private_memory(sizeof(*ring));

    ring->slot_bytes = bench_message_cells(&lane->shape) * lane->shape.cell_bytes;
    ring->slot_count = 1;
    while (2 * ring->slot_count * ring->slot_bytes <= lane->shape.depth * lane->shape.cell_bytes)
        ring->slot_count *= 2;
    ring->slots = bench_shared_memory(ring->slot_count * ring->slot_bytes);
    ring->shared = bench_shared_memory(sizeof(*ring->shared));
    ring->bound = ring->slot_count;
    lane->state = ring;
    return 0;
}

BENCH_INLINE struct slot *slot_at(const struct claimed *ring, uint64_t sequence)
{
    uint64_t index = sequence & (ring->slot_count - 1);

    return (struct slot *)(void *)(ring->slots + index * ring->slot_bytes);
}

static __attribute__((noinline)) void await_room(struct claimed *ring, uint64_t sequence)
{
    uint32_t looks = 0;

    while ((ring->bound = lam_load_acquire(&ring->shared->read) + ring->slot_count) <= sequence)
        bench_pause(&looks);
}

BENCH_INLINE void send_sized(uint32_t bytes, struct claimed *ring, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t sequence = lam_add_acq_rel(&ring->shared->tail, 1);
        struct slot *slot = slot_at(ring, sequence);

        if (sequence >= ring->bound)
            await_room(ring, sequence);
        bench_fill(slot->payload, bytes, value++);
        lam_store_release(&slot->stamp, sequence + 1);
    }
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    BENCH_BY_SIZE(lane->shape.payload_bytes, send_sized, lane->state, count, value);
}

BENCH_INLINE uint64_t receive_sized(uint32_t bytes, struct claimed *ring, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        const struct slot *slot = slot_at(ring, ring->next);
        uint32_t looks = 0;

        while (lam_load_acquire(&slot->stamp) != ring->next + 1)
            bench_pause(&looks);
        sum += bench_sum(slot->payload, bytes);
        lam_store_release(&ring->shared->read, ++ring->next);
    }
    return sum;
}

static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    return BENCH_BY_SIZE(lane->shape.payload_bytes, receive_sized, lane->state, count);
}

const struct bench_subject bench_probe_claimed = {
    .name = "claimed", .layer = -1, .open = open_ring, .send = send, .receive = receive};
