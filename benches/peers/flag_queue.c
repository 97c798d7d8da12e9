/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of the broadcast queue of inference engines (vLLM's shm_broadcast, of 2025), from its
 * description: 10 slots, in each a flag "written" and one flag for each reader side by side, polls
 * that yield the CPU. Its flags are bytes, here words, since our atomics have no bytes: they share
 * one line as the bytes do. The payload is written and read in place; the original pickles into it.
 */
#include <sched.h>

#include "crew.h"
#include "transport.h"

#define SLOTS 10

struct flags {
    _Alignas(LAM_HOT_BYTES) lam_atomic_u32 written;
    lam_atomic_u32 read[BENCH_READERS_MAX];
};

struct queue {
    struct flags *flags;
    uint8_t *chunks;
    uint64_t chunk_bytes;
    uint32_t next;
};

struct end {
    struct queue out, in;
    uint32_t readers, reader;
};

static void open_queue(struct queue *queue, const struct bench_shape *shape)
{
    queue->chunk_bytes = (shape->payload_bytes + UINT64_C(4095)) & ~UINT64_C(4095);
    queue->flags = bench_shared_memory(SLOTS * sizeof(*queue->flags));
    queue->chunks = bench_shared_memory(SLOTS * queue->chunk_bytes);
}

static int open_pair(struct bench_lane *lane)
{
    struct end *end = bench_private_memory(sizeof(*end));

    open_queue(&end->out, &lane->shape);
    open_queue(&end->in, &lane->shape);
    end->readers = lane->shape.readers;
    lane->state = end;
    return 0;
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct end *end = lane->state;
    struct queue there = end->out;

    if (side > 0) {
        end->out = end->in;
        end->in = there;
        end->reader = side - 1;
    }
    return 0;
}

static int is_free(struct flags *flags, uint32_t readers)
{
    uint32_t count = 0;

    if (lam_load_acquire(&flags->written) == 0)
        return 1;
    for (uint32_t i = 0; i < readers; i++)
        count += lam_load_acquire(&flags->read[i]);
    return count == readers;
}

static void step(struct queue *queue)
{
    if (++queue->next == SLOTS)
        queue->next = 0;
}

/*
 * A reader may have seen "written" of the lap before: so its own flag publishes the payload too.
 */
BENCH_INLINE void put_flags(uint32_t bytes, struct end *end, uint64_t value)
{
    struct queue *queue = &end->out;
    struct flags *flags = &queue->flags[queue->next];

    while (!is_free(flags, end->readers))
        sched_yield();
    lam_store_relaxed(&flags->written, 0);
    bench_fill(queue->chunks + queue->next * queue->chunk_bytes, bytes, value);
    for (uint32_t i = 0; i < end->readers; i++)
        lam_store_release(&flags->read[i], 0);
    lam_store_release(&flags->written, 1);
    step(queue);
}

BENCH_INLINE uint64_t take_flags(uint32_t bytes, struct end *end, int is_late)
{
    struct queue *queue = &end->in;
    struct flags *flags = &queue->flags[queue->next];
    uint64_t sum;

    (void)is_late;
    while (
        lam_load_acquire(&flags->written) == 0 || lam_load_acquire(&flags->read[end->reader]) != 0)
        sched_yield();
    sum = bench_sum(queue->chunks + queue->next * queue->chunk_bytes, bytes);
    lam_store_release(&flags->read[end->reader], 1);
    step(queue);
    return sum;
}

BENCH_LOOPS(flags, struct end)

const struct bench_subject bench_peer_flags = {.name = "flag_queue",
    .layer = -1,
    .open = open_pair,
    .attach = attach,
    .ask = ask_flags,
    .answer = answer_flags,
    .send = send_flags,
    .receive = receive_flags};
