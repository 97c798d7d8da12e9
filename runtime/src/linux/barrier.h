/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_BARRIER_H
#define LAM_RUNTIME_BARRIER_H

/*
 * barrier.h: a fence of which the frequent side pays nothing.
 *
 * Of two threads that each store one word and load the other's, at least one sees the other's
 * store if each has a sequentially consistent fence between the two. Here one side is a call, which
 * has a compiler's barrier only, and the other is the end of a generation, which has the kernel run
 * a full fence on every thread of this process (membarrier, private expedited). Where the kernel
 * has no membarrier both sides fence.
 */

#include "lamina/base/atomic.h"

extern lam_atomic_u32 lam_barrier_fences; /* 1: no membarrier here */

/* Before the first use of the others. Any thread, any number of times. */
void lam_barrier_init(void);

/* The rare side: microseconds. */
void lam_barrier_heavy(void);

/* The frequent side. */
static inline void lam_barrier_light(void)
{
    /* Relaxed: set before any thread could come here, never changed. */
    if (__builtin_expect(lam_load_relaxed(&lam_barrier_fences) != 0, 0))
        lam_fence_seq_cst();
    __asm__("" : : : "memory");
}

#endif
