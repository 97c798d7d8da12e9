/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ZEROCOPY_HELD_H
#define LAM_ZEROCOPY_HELD_H

/*
 * lamina/zerocopy/held.h: which messages a receiver still holds.
 *
 * Zero-copy, layer 3. A ring takes messages back in order; a receiver may be done with them in any
 * order. This is the window between: numbers in the order of arrival, a bit for each that says it
 * was released, and for each what may be handed back once it and all before it are. It knows no
 * ring and never waits.
 */

#include <stdint.h>

#include "lamina/base/assert.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_ZEROCOPY_HELD_MAX 64

/* Fields are private. */
struct lam_zerocopy_held {
    uint64_t first;    /* number of the oldest message in the window, which is held */
    uint64_t released; /* bit i: message first + i was released */
    uint32_t count;    /* messages in the window */
    uint64_t ends[LAM_ZEROCOPY_HELD_MAX]; /* by number modulo 64 */
};

static inline void lam_zerocopy_held_init(struct lam_zerocopy_held *held)
{
    held->first = 0;
    held->released = 0;
    held->count = 0;
}

static inline int lam_zerocopy_held_is_full(const struct lam_zerocopy_held *held)
{
    return held->count == LAM_ZEROCOPY_HELD_MAX;
}

/* Hold one more message, which ends at @end. Not when full. Returns its number. */
static inline uint64_t lam_zerocopy_held_add(struct lam_zerocopy_held *held, uint64_t end)
{
    uint64_t number = held->first + held->count;

    LAM_ASSERT(held->count < LAM_ZEROCOPY_HELD_MAX);
    held->ends[number % LAM_ZEROCOPY_HELD_MAX] = end;
    held->count++;
    return number;
}

/*
 * Release message @number, which is held: anything else is a programmer's error and aborts.
 *
 * Returns 1 and in *@end how far messages can be handed back, or 0: an older one is still held.
 */
static inline int lam_zerocopy_held_drop(
    struct lam_zerocopy_held *held, uint64_t number, uint64_t *end)
{
    uint64_t index = number - held->first;
    uint32_t run;

    LAM_ASSERT(index < held->count && (held->released >> index & 1) == 0);
    held->released |= UINT64_C(1) << index;
    if (index != 0)
        return 0;
    run = ~held->released == 0 ? LAM_ZEROCOPY_HELD_MAX : (uint32_t)__builtin_ctzll(~held->released);
    held->released = run == LAM_ZEROCOPY_HELD_MAX ? 0 : held->released >> run;
    held->first += run;
    held->count -= run;
    *end = held->ends[(held->first - 1) % LAM_ZEROCOPY_HELD_MAX];
    return 1;
}

#ifdef __cplusplus
}
#endif

#endif
