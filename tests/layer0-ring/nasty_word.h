/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_NASTY_WORD_H
#define LAM_TEST_NASTY_WORD_H

/*
 * nasty_word.h: words that a peer that means harm stores, by a seed.
 */

#include "ring_stream.h"

static inline uint64_t pick_from(uint64_t *random, uint64_t count)
{
    return test_random(random) % count;
}

/* A word that is likely to hurt: small, huge, near a power of two, or near @there. */
static inline uint64_t nasty_word(uint64_t *random, uint64_t there)
{
    switch (pick_from(random, 6)) {
    case 0:
        return pick_from(random, 4);
    case 1:
        return UINT64_MAX - pick_from(random, 4);
    case 2:
        return (UINT64_C(1) << pick_from(random, 64)) + pick_from(random, 3) - 1;
    case 3:
        return there + pick_from(random, 200) - 100;
    case 4:
        return pick_from(random, 1 << 16) << 32 | pick_from(random, 5000);
    default:
        return test_random(random);
    }
}

#endif
