/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"
#include "payload.h"
#include "probes.h"

/* The payload begins in the line of the word, as an event's does behind its header. */
struct buffer {
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 number;
    uint64_t spare;
    uint8_t payload[];
};

struct exchange {
    struct buffer *to_answer;
    struct buffer *to_ask;
    uint64_t number;
};

static int open_buffers(struct bench_lane *lane)
{
    uint64_t stride = (sizeof(struct buffer) + lane->shape.payload_bytes + 4095) & ~UINT64_C(4095);
    uint8_t *memory = bench_shared_memory(2 * stride);
    struct exchange *exchange = bench_private_memory(sizeof(*exchange));

    exchange->to_answer = (struct buffer *)(void *)memory;
    exchange->to_ask = (struct buffer *)(void *)(memory + stride);
    lane->state = exchange;
    return 0;
}

BENCH_INLINE void put(struct buffer *buffer, uint32_t bytes, uint64_t number, uint64_t value)
{
    bench_fill(buffer->payload, bytes, value);
    lam_store_release(&buffer->number, number);
}

BENCH_INLINE uint64_t take(struct buffer *buffer, uint32_t bytes, uint64_t number)
{
    uint32_t looks = 0;

    while (lam_load_acquire(&buffer->number) != number)
        bench_pause(&looks);
    return bench_sum(buffer->payload, bytes);
}

BENCH_INLINE uint64_t ask_sized(
    uint32_t bytes, struct exchange *exchange, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = ++exchange->number;

        put(exchange->to_answer, bytes, number, value);
        value = take(exchange->to_ask, bytes, number);
    }
    return value;
}

static uint64_t ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    return BENCH_BY_SIZE(lane->shape.payload_bytes, ask_sized, lane->state, count, value);
}

BENCH_INLINE uint64_t answer_sized(uint32_t bytes, struct exchange *exchange, uint64_t count)
{
    uint64_t value = 0;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = ++exchange->number;

        value = take(exchange->to_answer, bytes, number);
        put(exchange->to_ask, bytes, number, value);
    }
    return value;
}

static uint64_t answer(struct bench_lane *lane, uint64_t count)
{
    return BENCH_BY_SIZE(lane->shape.payload_bytes, answer_sized, lane->state, count);
}

const struct bench_subject bench_probe_buffer2 = {
    .name = "buffer2", .layer = -1, .open = open_buffers, .ask = ask, .answer = answer};
