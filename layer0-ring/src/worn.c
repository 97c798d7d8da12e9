/* SPDX-License-Identifier: Apache-2.0 */
#include "worn.h"

/* One word's share of a run of bits. */
struct span {
    uint64_t *word;
    uint64_t mask;
    uint64_t first; /* bit number in the word */
    uint64_t count;
};

static struct span span_at(const struct lam_ring_worn *worn, uint64_t sequence, uint64_t left)
{
    uint64_t index = sequence & worn->cell_mask;
    uint64_t room = worn->cell_mask + 1 - index; /* the map may be shorter than a word */
    struct span span = {.word = &worn->words[index >> 6], .first = index & 63};

    span.count = 64 - span.first;
    if (span.count > left)
        span.count = left;
    if (span.count > room)
        span.count = room;
    span.mask = (span.count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << span.count) - 1) << span.first;
    return span;
}

void lam_ring_worn_set(const struct lam_ring_worn *worn, uint64_t sequence, uint64_t count)
{
    while (count != 0) {
        struct span span = span_at(worn, sequence, count);

        *span.word |= span.mask;
        sequence += span.count;
        count -= span.count;
    }
}

void lam_ring_worn_clear(const struct lam_ring_worn *worn, uint64_t sequence, uint64_t count)
{
    while (count != 0) {
        struct span span = span_at(worn, sequence, count);

        *span.word &= ~span.mask;
        sequence += span.count;
        count -= span.count;
    }
}

uint64_t lam_ring_worn_count_clear(
    const struct lam_ring_worn *worn, uint64_t sequence, uint64_t count)
{
    uint64_t clear = 0;

    while (count != 0) {
        struct span span = span_at(worn, sequence, count);

        clear += (uint64_t)__builtin_popcountll(~*span.word & span.mask);
        sequence += span.count;
        count -= span.count;
    }
    return clear;
}

uint64_t lam_ring_worn_find_clear(
    const struct lam_ring_worn *worn, uint64_t sequence, uint64_t count)
{
    while (count != 0) {
        struct span span = span_at(worn, sequence, count);
        uint64_t clear = ~*span.word & span.mask;

        if (clear != 0)
            return sequence + (uint64_t)__builtin_ctzll(clear) - span.first;
        sequence += span.count;
        count -= span.count;
    }
    return sequence;
}
