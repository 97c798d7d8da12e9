/* SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"
#include "probes.h"

struct copy {
    uint8_t *memory;
    uint64_t slot_count;
    uint64_t index;
};

/* As many bytes as the ring's cells have, so that both meet the same caches. */
static int open_copy(struct bench_lane *lane)
{
    struct copy *copy = bench_private_memory(sizeof(*copy));
    uint64_t bytes = lane->shape.depth * lane->shape.cell_bytes;

    copy->memory = bench_shared_memory(bytes);
    copy->slot_count = bytes / lane->shape.payload_bytes;
    lane->state = copy;
    return 0;
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct copy *copy = lane->state;

    for (uint64_t i = 0; i < count; i++) {
        bench_fill(copy->memory + copy->index * lane->shape.payload_bytes,
            lane->shape.payload_bytes, value++);
        if (++copy->index == copy->slot_count)
            copy->index = 0;
    }
}

/* Nothing arrives; the sum of the seeds is what a reader would have seen. */
static uint64_t skim(struct bench_lane *lane, uint64_t count)
{
    return count + count * (count - 1) / 2;
}

const struct bench_subject bench_probe_memcpy = {
    .name = "memcpy", .layer = -1, .open = open_copy, .send = send, .skim = skim};
