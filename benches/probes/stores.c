/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/atomic.h"

#include "payload.h"
#include "probes.h"

/* A stamped slot that nobody reads: what of a publish is stores alone. */
struct slot {
    lam_atomic_u64 stamp;
    uint64_t spare;
    uint8_t payload[];
};

struct stores {
    uint8_t *slots;
    uint64_t slot_bytes;
    uint64_t slot_count;
    uint64_t next;
    uint64_t offset; /* of the next slot, bytes */
};

static int open_slots(struct bench_lane *lane)
{
    struct stores *stores = bench_private_memory(sizeof(*stores));

    stores->slot_bytes = bench_message_cells(&lane->shape) * lane->shape.cell_bytes;
    stores->slot_count = lane->shape.depth * lane->shape.cell_bytes / stores->slot_bytes;
    stores->slots = bench_shared_memory(stores->slot_count * stores->slot_bytes);
    lane->state = stores;
    return 0;
}

BENCH_INLINE void send_sized(uint32_t bytes, struct stores *shared, uint64_t count, uint64_t value)
{
    struct stores stores = *shared;
    uint64_t end = stores.slot_count * stores.slot_bytes;

    for (uint64_t i = 0; i < count; i++) {
        struct slot *slot = (struct slot *)(void *)(stores.slots + stores.offset);

        bench_fill(slot->payload, bytes, value++);
        lam_store_release(&slot->stamp, ++stores.next);
        stores.offset += stores.slot_bytes;
        if (stores.offset == end)
            stores.offset = 0;
    }
    *shared = stores;
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    BENCH_BY_SIZE(lane->shape.payload_bytes, send_sized, lane->state, count, value);
}

const struct bench_subject bench_probe_stores = {
    .name = "stores", .layer = -1, .open = open_slots, .send = send};
