/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_RANDOM_H
#define LAM_TESTS_SEQUENCER_PROOF_RANDOM_H

/*
 * random.h: numbers from a seed; each part of a simulation has its own, so that one more number
 * drawn in one does not change all the others.
 */

#include <stdint.h>

struct random {
    uint64_t state;
};

/* SplitMix64, "Fast splittable pseudorandom number generators", Steele, Lea, Flood, 2014. */
static inline uint64_t random_next(struct random *random)
{
    uint64_t value = random->state += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

/* From 0 to @count - 1. */
static inline uint64_t random_below(struct random *random, uint64_t count)
{
    return random_next(random) % count;
}

/* Once in @of times. */
static inline int random_once_in(struct random *random, uint64_t of)
{
    return random_below(random, of) == 0;
}

#endif
