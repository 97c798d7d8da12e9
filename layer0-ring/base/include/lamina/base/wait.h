/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_WAIT_H
#define LAM_BASE_WAIT_H

/*
 * lamina/base/wait.h: the ladder that a waiting end climbs: spin, yield, sleep.
 *
 * Base, floor 0. The ladder knows no ring: a waiter looks at its condition, and between two looks
 * calls lam_wait_step(), which pauses or yields and now and then asks for more: to look whether the
 * peer lives, to sleep, or to give up. Private to one thread.
 */

#include <errno.h>
#include <stdint.h>

#include "lamina/base/clock.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lam_wait_mode {
    LAM_WAIT_HYBRID = 0, /* spin for a while, then sleep */
    LAM_WAIT_SPIN = 1,   /* spin only: a core of its own */
    LAM_WAIT_YIELD = 2,  /* spin for a while, then give the core away between looks */
    LAM_WAIT_FUTEX = 3,  /* sleep at once */
};

/* How long a waiter spins before it yields or sleeps, unless told otherwise. */
#define LAM_WAIT_SPIN_NS_DEFAULT UINT64_C(20000)

/* How often a waiter asks whether its peer lives; a sleep is never longer. */
#define LAM_WAIT_CHECK_NS (4 * LAM_NS_PER_MS)

/* What lam_wait_step() asks of the waiter. */
enum lam_wait_verdict {
    LAM_WAIT_LOOK = 0,  /* look at the condition again */
    LAM_WAIT_CHECK = 1, /* the same, and see whether the peer is alive */
    LAM_WAIT_PARK = 2,  /* announce, look again, sleep until lam_wait_park_until() */
};

struct lam_wait {
    /* Fields are private. */
    uint64_t deadline_ns;
    uint64_t spin_until_ns; /* end of the spin window; 0 not begun */
    uint64_t check_at_ns;   /* when the peer is looked at next */
    uint64_t spin_ns;
    uint32_t steps;
    enum lam_wait_mode mode;
};

/* Begin a wait that ends at @deadline_ns. @spin_ns: the spin window of HYBRID and YIELD. */
static inline void lam_wait_init(
    struct lam_wait *wait, enum lam_wait_mode mode, uint64_t spin_ns, uint64_t deadline_ns)
{
    wait->deadline_ns = deadline_ns;
    wait->spin_until_ns = 0;
    wait->check_at_ns = 0;
    wait->spin_ns = spin_ns;
    wait->steps = 0;
    wait->mode = mode;
}

/*
 * The rare part of a step: reads the clock. See lam_wait_step().
 */
int lam_wait_step_slow(struct lam_wait *wait);

/*
 * One step of a wait. Pauses or yields; does not sleep.
 *
 * Returns a verdict (enum lam_wait_verdict), or
 *   -ETIMEDOUT the deadline has passed
 */
static inline int lam_wait_step(struct lam_wait *wait)
{
    /* The clock costs as much as a line transfer: once in 64 pauses is often enough. */
    if ((++wait->steps & 63) != 0 && wait->mode != LAM_WAIT_FUTEX) {
        lam_pause();
        return LAM_WAIT_LOOK;
    }
    return lam_wait_step_slow(wait);
}

/* The end of a sleep asked for by LAM_WAIT_PARK: the deadline, or the next look at the peer. */
static inline uint64_t lam_wait_park_until(const struct lam_wait *wait)
{
    return wait->check_at_ns < wait->deadline_ns ? wait->check_at_ns : wait->deadline_ns;
}

#ifdef __cplusplus
}
#endif

#endif
