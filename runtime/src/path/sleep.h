/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SLEEP_H
#define LAM_RUNTIME_SLEEP_H

/*
 * sleep.h: let time pass, in the thread of a call.
 */

#include <time.h>

#include "lamina/base/clock.h"

static inline void lam_sleep_until(uint64_t at_ns)
{
    struct timespec at = {
        .tv_sec = (time_t)(at_ns / LAM_NS_PER_S), .tv_nsec = (long)(at_ns % LAM_NS_PER_S)};

    while (lam_clock_now_ns() < at_ns)
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

#endif
