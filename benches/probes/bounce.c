/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"
#include "payload.h"
#include "probes.h"

struct line {
    _Alignas(LAM_HOT_BYTES) lam_atomic_u64 word;
};

struct bounce {
    struct line *to_answer;
    struct line *to_ask; /* the same line in bounce1 */
    uint64_t token;      /* the last one seen */
    uint32_t side;
};

static int open_lines(struct bench_lane *lane, uint32_t line_count)
{
    struct line *lines = bench_shared_memory(line_count * sizeof(*lines));
    struct bounce *bounce = bench_private_memory(sizeof(*bounce));

    bounce->to_answer = &lines[0];
    bounce->to_ask = &lines[line_count - 1];
    lane->state = bounce;
    return 0;
}

static int open_one(struct bench_lane *lane)
{
    return open_lines(lane, 1);
}

static int open_two(struct bench_lane *lane)
{
    return open_lines(lane, 2);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    struct bounce *bounce = lane->state;

    bounce->side = side;
    return 0;
}

/* Odd tokens ask, even tokens answer, and each is made from the one that was received. */
BENCH_INLINE uint64_t next_token(lam_atomic_u64 *word, uint64_t awaited)
{
    uint64_t token;
    uint32_t looks = 0;

    while ((token = lam_load_acquire(word)) != awaited)
        bench_pause(&looks);
    return token;
}

static uint64_t ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct bounce *bounce = lane->state;
    lam_atomic_u64 *out = &bounce->to_answer->word, *in = &bounce->to_ask->word;
    uint64_t token = bounce->token;

    for (uint64_t i = 0; i < count; i++) {
        lam_store_release(out, token + 1);
        token = next_token(in, token + 2);
    }
    bounce->token = token;
    return token;
}

static uint64_t answer(struct bench_lane *lane, uint64_t count)
{
    struct bounce *bounce = lane->state;
    lam_atomic_u64 *in = &bounce->to_answer->word, *out = &bounce->to_ask->word;
    uint64_t token = bounce->token;

    /* Further sides of a larger crew stand by. */
    if (bounce->side > 1)
        return 0;
    for (uint64_t i = 0; i < count; i++) {
        token = next_token(in, token + 1) + 1;
        lam_store_release(out, token);
    }
    bounce->token = token;
    return token;
}

const struct bench_subject bench_probe_bounce1 = {.name = "bounce1",
    .layer = -1,
    .open = open_one,
    .attach = attach,
    .ask = ask,
    .answer = answer};
const struct bench_subject bench_probe_bounce2 = {.name = "bounce2",
    .layer = -1,
    .open = open_two,
    .attach = attach,
    .ask = ask,
    .answer = answer};
