/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_BREAKER_H
#define LAM_RUNTIME_BREAKER_H

/*
 * lamina/runtime/breaker.h: leave a module alone that fails, and find out when it works again.
 *
 * Runtime, floor 6. Closed, calls pass and are counted. Where too many of a window failed, or were
 * slow, it opens: calls fail at once (LAM_FAILURE_OPEN, with the ms until probes). After a time it
 * is half-open: a bounded number of calls goes in as probes. If all of them do well it closes; if
 * one does not it is open again.
 *
 * With follows_health it also opens when the module's health says so, before calls have failed, and
 * a module that is well again gets probes at first, not all that waits.
 *
 * While it is closed a call writes only memory of its own thread; the window is judged when a call
 * was bad. Its state changes are events (LAM_EVENT_BREAKER).
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_BREAKER_PROBES_MAX 1000

/* Zero is the default of each. */
struct lam_breaker_options {
    uint64_t window_ns;       /* how far back is looked; default 10 s */
    uint64_t open_ns;         /* until probes; default 5 s */
    uint64_t slow_ns;         /* a call that takes longer is slow; two looks at the clock for each;
                                  default: none is slow */
    uint32_t window_calls;    /* nor more calls back than that: at least 2 * calls_min; default:
                                  any number */
    uint32_t calls_min;       /* of fewer calls nothing is said; default 20 */
    uint32_t failure_percent; /* from so many on it opens; default 50 */
    uint32_t slow_percent;    /* and from so many slow ones on; default 100; needs slow_ns */
    uint32_t probes;          /* at most LAM_BREAKER_PROBES_MAX; default 1 */
    uint32_t counts_results;  /* 1: what the method itself returns below zero is a failure, too, but
                                  for -ENOSPC. 0: only what the host says of a call */
    uint32_t resets_on_reload; /* 1: a new generation begins with a closed one */
    /* 1: open for as long as health.h calls the module UNREADY or DOWN, and half-open at the first
     * call behind that, whatever open_ns is; a forced state stays. Needs health options. */
    uint32_t follows_health;
};

/* The value of LAM_EVENT_BREAKER. */
enum lam_breaker_state {
    LAM_BREAKER_CLOSED = 0,
    LAM_BREAKER_OPEN = 1,
    LAM_BREAKER_HALF_OPEN = 2,
    LAM_BREAKER_FORCED_OPEN = 3,
    LAM_BREAKER_FORCED_CLOSED = 4, /* calls pass whatever they do */
};

struct lam_breaker_stat {
    enum lam_breaker_state state;
    uint32_t opened;  /* how often it did, by itself */
    uint64_t refused; /* calls that it did not let in, ever */
    uint32_t probes;  /* HALF_OPEN: that were let in, of this round */
    uint32_t reserved;
    /* Of the window: what was counted since the bad call that began it. */
    uint64_t calls, failures, slow;
    uint64_t until_ns; /* monotonic; OPEN: when probes may come, LAM_DEADLINE_NEVER: when it is
                          well again; 0 otherwise */
};

/*
 * How the breaker of @module is. Any thread; what moves meanwhile is from between before and now.
 *
 * Returns 0, or -ENOENT the module was loaded without one.
 */
int lam_breaker_look(struct lam_module *module, struct lam_breaker_stat *stat);

/*
 * Put it into @state, which is FORCED_OPEN or FORCED_CLOSED: it stays so over reloads, until it is
 * put into CLOSED, from where it goes on by itself with a new window. Any thread.
 *
 * Returns 0; -ENOENT the module was loaded without one; -EINVAL another state.
 */
int lam_breaker_force(struct lam_module *module, enum lam_breaker_state state);

#ifdef __cplusplus
}
#endif

#endif
