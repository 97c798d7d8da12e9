/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_CLOCK_H
#define LAM_BENCH_CLOCK_H

/*
 * clock.h: the time of a bench, and the pause of a wait.
 */

#include <sched.h>
#include <stdint.h>
#include <time.h>

#include "lamina/base/atomic.h"

#define BENCH_NS_PER_US UINT64_C(1000)
#define BENCH_NS_PER_MS UINT64_C(1000000)
#define BENCH_NS_PER_S  UINT64_C(1000000000)

/* Looks in vain before a waiting end gives its core away for a moment. */
extern uint32_t bench_looks_before_yield;

static inline uint64_t bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * BENCH_NS_PER_S + (uint64_t)now.tv_nsec;
}

/*
 * One step of a wait, the same in the probes as in the ladder of lamina/base/wait.h: a pause. With
 * a core for each end the yield is never reached inside a window.
 */
static inline void bench_pause(uint32_t *looks)
{
    if (__builtin_expect(++*looks >= bench_looks_before_yield, 0)) {
        *looks = 0;
        sched_yield();
    } else {
        lam_pause();
    }
}

#endif
