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

#define LAM_FUTEX_WORDS_MAX 128

/* A word that a waiter looks at, and the value that it waits for, or for the end of. */
struct lam_watch {
    const lam_atomic_u64 *word; /* NULL: nothing to watch */
    uint64_t value;
    int until_equal; /* 1: until the word is @value; 0: until it no longer is */
};

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

    /*
     * The same for @count words, at most LAM_FUTEX_WORDS_MAX: sleep while each still is what is
     * expected of it. Where the kernel cannot (before Linux 5.16) it naps for at most 1 ms instead.
     */
    void (*futex_wait_any)(lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count,
        uint64_t deadline_ns);

    /* Let another thread run on this core. */
    void (*yield)(void);

    /*
     * Rest the core until @word is stored to, for some microseconds at most: lam_cpu_wait() of
     * lamina/base/cpu_wait.h. NULL: waiters pause instead. Returns 1, or 0: this cannot be done.
     */
    int (*cpu_wait)(const struct lam_watch *watch);

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
