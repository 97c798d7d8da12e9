/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lamina/base/atomic.h"

#include "clock.h"
#include "loops.h"
#include "probes.h"

/* A buffer whose reader sleeps until the word says "new": one call to wake, one to sleep. */
struct buffer {
    _Alignas(LAM_HOT_BYTES) lam_atomic_u32 taken; /* by the reader */
    _Alignas(LAM_HOT_BYTES) lam_atomic_u32 number;
    uint32_t spare[3];
    uint8_t payload[];
};

struct sleeper {
    struct buffer *out, *in; /* of this process */
    uint32_t sent, taken;
};

static int open_buffers(struct bench_lane *lane)
{
    uint64_t stride = (sizeof(struct buffer) + lane->shape.payload_bytes + 4095) & ~UINT64_C(4095);
    uint8_t *memory = bench_shared_memory(2 * stride);
    struct sleeper *sleeper = bench_private_memory(sizeof(*sleeper));

    sleeper->out = (struct buffer *)(void *)memory;
    sleeper->in = (struct buffer *)(void *)(memory + stride);
    lane->state = sleeper;
    return 0;
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct sleeper *sleeper = lane->state;
    struct buffer *there = sleeper->out;

    if (side > 0) {
        sleeper->out = sleeper->in;
        sleeper->in = there;
    }
    return 0;
}

BENCH_INLINE void put_sleeper(uint32_t bytes, struct sleeper *sleeper, uint64_t value)
{
    uint32_t looks = 0;

    /* There is one buffer. In a round trip it was always taken. */
    while (lam_load_acquire(&sleeper->out->taken) != sleeper->sent)
        bench_pause(&looks);
    bench_fill(sleeper->out->payload, bytes, value);
    lam_store_release(&sleeper->out->number, ++sleeper->sent);
    (void)syscall(SYS_futex, &sleeper->out->number, FUTEX_WAKE, 1, NULL, NULL, 0);
}

BENCH_INLINE uint64_t take_sleeper(uint32_t bytes, struct sleeper *sleeper, int is_late)
{
    uint32_t number;
    uint64_t sum;

    (void)is_late;
    while ((number = lam_load_acquire(&sleeper->in->number)) == sleeper->taken)
        (void)syscall(SYS_futex, &sleeper->in->number, FUTEX_WAIT, number, NULL, NULL, 0);
    sum = bench_sum(sleeper->in->payload, bytes);
    lam_store_release(&sleeper->in->taken, ++sleeper->taken);
    return sum;
}

BENCH_LOOPS(sleeper, struct sleeper)

const struct bench_subject bench_probe_sleeper = {.name = "sleeper",
    .layer = -1,
    .open = open_buffers,
    .attach = attach,
    .ask = ask_sleeper,
    .answer = answer_sleeper,
    .send = send_sleeper,
    .receive = receive_sleeper};
