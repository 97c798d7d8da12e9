/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_COUNT_H
#define LAM_RING_COUNT_H

/*
 * Counters in control: any end reads them, one writes each.
 */

#include "lamina/base/atomic.h"
#include "lamina/base/wait.h"

/* Count one: each counter has one writer, so no read-modify-write. */
static inline void lam_ring_count(lam_atomic_u64 *counter)
{
    lam_store_relaxed(counter, lam_load_relaxed(counter) + 1);
}

static inline void lam_ring_count_many(lam_atomic_u64 *counter, uint64_t count)
{
    lam_store_relaxed(counter, lam_load_relaxed(counter) + count);
}

/* Count a wait that is over, by the rung that it came to; sleeps were counted one by one. */
static inline void lam_ring_count_wait(
    enum lam_wait_rung rung, lam_atomic_u64 *spin_waits, lam_atomic_u64 *yield_waits)
{
    if (rung == LAM_WAIT_RUNG_SPIN)
        lam_ring_count(spin_waits);
    else if (rung == LAM_WAIT_RUNG_YIELD)
        lam_ring_count(yield_waits);
}

#endif
