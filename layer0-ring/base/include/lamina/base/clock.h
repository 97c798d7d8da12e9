/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_CLOCK_H
#define LAM_BASE_CLOCK_H

/*
 * lamina/base/clock.h: time, in nanoseconds of the monotonic clock.
 *
 * Base, floor 0. Every deadline is absolute, so that a wait which is resumed does not grow.
 */

#include <stdint.h>

#include "lamina/base/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_DEADLINE_NEVER UINT64_MAX
#define LAM_NS_PER_MS      UINT64_C(1000000)
#define LAM_NS_PER_S       UINT64_C(1000000000)

/* Monotonic nanoseconds since an unknown start. Any thread. */
static inline uint64_t lam_clock_now_ns(void)
{
    return lam_base->now_ns();
}

/* The deadline @duration_ns from now; LAM_DEADLINE_NEVER where the sum does not fit. */
static inline uint64_t lam_deadline_after_ns(uint64_t duration_ns)
{
    uint64_t now_ns = lam_clock_now_ns();

    return duration_ns > LAM_DEADLINE_NEVER - now_ns ? LAM_DEADLINE_NEVER : now_ns + duration_ns;
}

#ifdef __cplusplus
}
#endif

#endif
