/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BASE_WAIT_H
#define LAM_BASE_WAIT_H

/*
 * lamina/base/wait.h: the ladder that a waiting end climbs: spin, yield, sleep.
 *
 * Base, floor 0. The ladder knows no ring: a waiter looks at its condition, and between two looks
 * calls lam_wait_step(), which pauses or yields and now and then asks for more: to look whether the
 * peer lives, to sleep, or to give up. Private to one thread.
 *
 * How long it spins, and how often it yields before it sleeps, an end learns from its own waits
 * (struct lam_cadence): events that come every 10 us are spun for, those of every 10 ms are slept
 * for at once.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "lamina/base/clock.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lam_wait_mode {
    LAM_WAIT_HYBRID = 0, /* spin while it pays, then yield while it pays, then sleep */
    LAM_WAIT_SPIN = 1,   /* spin only: a core of its own */
    LAM_WAIT_YIELD = 2,  /* spin for a while, then give the core away between looks */
    LAM_WAIT_FUTEX = 3,  /* sleep, without a spin before */
};

/* How long a waiter spins before it yields or sleeps, when nothing is known of its waits. */
#define LAM_WAIT_SPIN_NS_DEFAULT UINT64_C(20000)

/* The longest window that is learned: about what a sleep and its wake-up cost. */
#define LAM_WAIT_SPIN_NS_MAX UINT64_C(100000)

/* Waits that usually take longer than this are not spun for. */
#define LAM_WAIT_WORTH_NS UINT64_C(50000)

/* How often a waiter that learns yields before it sleeps, at most: HYBRID, and FUTEX. */
#define LAM_WAIT_YIELDS_MAX       16
#define LAM_WAIT_FUTEX_YIELDS_MAX 2

/*
 * How often a waiter asks whether its peer lives; a sleep is never longer. A death is to be known
 * within 10 ms, and an idle waiter is to cost less than a hundredth of a core.
 */
#define LAM_WAIT_CHECK_NS (8 * LAM_NS_PER_MS)

/* What lam_wait_step() asks of the waiter. */
enum lam_wait_verdict {
    LAM_WAIT_LOOK = 0,      /* look at the condition again */
    LAM_WAIT_CHECK = 1,     /* look at everything, and see whether the peer is alive */
    LAM_WAIT_PARK = 2,      /* announce, look again, sleep until lam_wait_park_until() */
    LAM_WAIT_LOOK_WIDE = 3, /* a microsecond has gone by: look at what changes seldom, too */
};

/* The rung that a wait has come to. */
enum lam_wait_rung {
    LAM_WAIT_RUNG_SPIN = 0,
    LAM_WAIT_RUNG_YIELD = 1,
    LAM_WAIT_RUNG_SLEEP = 2,
};

/* What an end has learned of its waits. Lives as long as the end, and is private to it. */
struct lam_cadence {
    uint64_t usual_ns; /* how long they take of late, an eighth of it the last; 0 at once */
    uint64_t fixed_ns; /* the window that was asked for; 0: it is learned */
    uint32_t yields;   /* how often it pays to yield before a sleep */
};

struct lam_wait {
    /* Fields are private. */
    uint64_t deadline_ns;
    uint64_t begin_ns;      /* its first look at the clock */
    uint64_t last_ns;       /* the last look at the clock, or when a sleeper was rung for */
    uint64_t spin_until_ns; /* end of the spin window */
    uint64_t check_at_ns;   /* when the peer is looked at next; 0 the clock was not looked at */
    uint64_t spin_ns;
    struct lam_cadence *cadence; /* NULL: nothing is learned */
    struct lam_watch watch;
    uint32_t steps;
    uint32_t yields; /* left before a sleep */
    enum lam_wait_rung rung;
    enum lam_wait_mode mode;
};

/* Know nothing. @spin_ns: the spin window of HYBRID and YIELD, 0 to learn that of HYBRID. */
static inline void lam_cadence_init(struct lam_cadence *cadence, uint64_t spin_ns)
{
    cadence->usual_ns = 0;
    cadence->fixed_ns = spin_ns;
    cadence->yields = LAM_WAIT_YIELDS_MAX;
}

/* The spin window for a next wait: fixed, or what is likely to pay, 0 where nothing is. */
uint64_t lam_cadence_spin_ns(const struct lam_cadence *cadence);

/* Begin a wait that ends at @deadline_ns and learns nothing. @spin_ns: the spin window. */
static inline void lam_wait_init(
    struct lam_wait *wait, enum lam_wait_mode mode, uint64_t spin_ns, uint64_t deadline_ns)
{
    wait->deadline_ns = deadline_ns;
    wait->begin_ns = 0;
    wait->last_ns = 0;
    wait->spin_until_ns = 0;
    wait->check_at_ns = 0;
    wait->spin_ns = spin_ns;
    wait->cadence = NULL;
    wait->watch.word = NULL;
    wait->steps = 0;
    wait->yields = 0;
    wait->rung = LAM_WAIT_RUNG_SPIN;
    wait->mode = mode;
}

/*
 * Begin a wait by what @cadence has learned, kept by the caller until lam_wait_end(), which adds to
 * it.
 */
static inline void lam_wait_begin(struct lam_wait *wait, enum lam_wait_mode mode,
    struct lam_cadence *cadence, uint64_t deadline_ns)
{
    lam_wait_init(wait, mode, 0, deadline_ns);
    wait->cadence = cadence;
}

/*
 * Tell a spinning waiter which word it spins on: where the CPU can, it rests until that is stored
 * to (lamina/base/cpu_wait.h). Only with a condition that another thread makes true by that store;
 * one that comes true otherwise is seen some microseconds later.
 */
static inline void lam_wait_watch(
    struct lam_wait *wait, const lam_atomic_u64 *word, uint64_t value, int until_equal)
{
    wait->watch.word = word;
    wait->watch.value = value;
    wait->watch.until_equal = until_equal;
}

/*
 * The rare part of a step: reads the clock. See lam_wait_step().
 */
int lam_wait_step_slow(struct lam_wait *wait);

/*
 * One step of a wait. Pauses, yields or rests the core for some microseconds; does not sleep.
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

/*
 * A sleep is over. @rung_ns: when the waker says that it rang, so that the wait is not thought
 * longer than it was by what waking up took; a time that cannot be is not believed.
 */
void lam_wait_woken(struct lam_wait *wait, uint64_t rung_ns);

/* What a wait that looked at the clock teaches. */
void lam_wait_learn(struct lam_wait *wait);

/* A wait was over before the clock was worth a look. */
static inline void lam_cadence_quick(struct lam_cadence *cadence)
{
    if (cadence->usual_ns != 0)
        cadence->usual_ns -= (cadence->usual_ns + 7) / 8;
}

/*
 * The wait is over, by its condition or by its deadline: learn from it. Once, at its end.
 *
 * Returns the rung that it came to.
 */
static inline enum lam_wait_rung lam_wait_end(struct lam_wait *wait)
{
    struct lam_cadence *cadence = wait->cadence;

    if (cadence != NULL && wait->check_at_ns == 0)
        lam_cadence_quick(cadence);
    else if (cadence != NULL)
        lam_wait_learn(wait);
    return wait->rung;
}

#ifdef __cplusplus
}
#endif

#endif
