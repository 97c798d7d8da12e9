/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_STARTS_H
#define LAM_TEST_STARTS_H

/*
 * Where the sequences of a ring start in a test that counts: just before 32, 63 and 64 bits are
 * used up.
 */

#include <stdint.h>
#include <stdlib.h>

static inline uint64_t test_start(uint64_t which)
{
    static const uint64_t starts[] = {
        (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 63) - 3, UINT64_MAX - 2};

    return starts[which % 3];
}

/* For a program that makes many rings: each starts before another of them, in turns. */
static inline uint64_t test_next_start(void)
{
    static uint64_t rings;

    return test_start(rings++);
}

/*
 * @first, a little before 64 bits are used up, or as far before another of them: that which
 * LAMINA_TEST_START names, 32 or 63. So a suite can be run at each.
 */
static inline uint64_t test_start_from(uint64_t first)
{
    const char *bits = getenv("LAMINA_TEST_START");

    if (bits == NULL || first == 0 || -first > 65536)
        return first;
    return first + (UINT64_C(1) << (atoi(bits) & 63));
}

#endif
