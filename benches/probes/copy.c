/* SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"
#include "probes.h"

struct copy {
    uint8_t *memory;
    uint64_t depth_bytes;
    uint64_t message_bytes;
    uint64_t at;
};

/* Where an event's payload begins: the alignment of a copy's target is a good part of its price. */
#define HEADER_BYTES 16

/* The places of messages in the ring, one after the other; the last one may end behind it. */
static int open_copy(struct bench_lane *lane)
{
    struct copy *copy = bench_private_memory(sizeof(*copy));

    copy->depth_bytes = lane->shape.depth * lane->shape.cell_bytes;
    copy->message_bytes = bench_message_cells(&lane->shape) * lane->shape.cell_bytes;
    copy->memory = bench_shared_memory(copy->depth_bytes + copy->message_bytes);
    lane->state = copy;
    return 0;
}

/* The next place of this process. */
static uint8_t *step(struct bench_lane *lane)
{
    struct copy *copy = lane->state;
    uint8_t *place = copy->memory + copy->at + HEADER_BYTES;

    copy->at = (copy->at + copy->message_bytes) & (copy->depth_bytes - 1);
    return place;
}

static void send(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++)
        bench_fill(step(lane), lane->shape.payload_bytes, value++);
}

/* Nobody waits here: whoever orders it knows that the copies are made. */
static uint64_t receive(struct bench_lane *lane, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i++)
        sum += bench_sum(step(lane), lane->shape.payload_bytes);
    return sum;
}

/* Nothing is looked at; the sum of the seeds is what a reader would have seen. */
static uint64_t skim(struct bench_lane *lane, uint64_t count)
{
    return count + count * (count - 1) / 2;
}

const struct bench_subject bench_probe_memcpy = {.name = "memcpy",
    .layer = -1,
    .open = open_copy,
    .send = send,
    .receive = receive,
    .skim = skim};
