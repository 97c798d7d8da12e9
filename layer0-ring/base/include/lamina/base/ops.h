/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_OPS_H
#define LAM_BASE_OPS_H

/*
 * lamina/base/ops.h: the few things that a ring asks of the machine, behind one table.
 *
 * Base, floor 0. Clock, futex, yield and liveness: everything that can surprise a ring. Production
 * uses the Linux table; a simulation puts its own in place before any ring exists, and then every
 * wait, deadline and death is the simulation's to decide.
 */

#include <stdint.h>

#include "lamina/base/atomic.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_base_ops {
    /* Monotonic nanoseconds. Any thread, often: about 20 ns here. */
    uint64_t (*now_ns)(void);

    /*
     * Sleep while *@word is @expected, across processes, no longer than to @deadline_ns. May wake
     * early and says nothing about why: the caller looks again.
     */
    void (*futex_wait)(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns);

    /* Wake all that sleep on @word, in every process. Returns how many there were. */
    int (*futex_wake_all)(lam_atomic_u32 *word);

    /* Let another thread run on this core. */
    void (*yield)(void);

    /* 1 somebody else holds the lock on @byte of @fd's object, 0 nobody does, -errno unknown. */
    int (*lock_probe)(int fd, uint64_t byte);
};

/* The Linux table. */
extern const struct lam_base_ops lam_base_linux;

/* The table in use. Changed only while the process has no ring and no second thread. */
extern const struct lam_base_ops *lam_base;

#ifdef __cplusplus
}
#endif

#endif
