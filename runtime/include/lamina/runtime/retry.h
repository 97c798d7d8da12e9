/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_RETRY_H
#define LAM_RUNTIME_RETRY_H

/*
 * lamina/runtime/retry.h: call again what failed, and give a deadline to calls without one.
 *
 * Runtime, floor 6. A method that says LAM_METHOD_IDEMPOTENT is called again when the host says
 * that its call failed, after a pause that doubles, never past the call's deadline, and no more
 * often than a budget allows: a module that is down is not asked a multiple of what it was asked.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RETRY_TRIES_MAX         16
#define LAM_RETRY_METHODS_MAX       64
#define LAM_RETRY_HEDGE_THREADS_MAX 64
#define LAM_RETRY_HEDGE_RUNS        64

/* What is another way for one method. Zero: as for all. */
struct lam_retry_method {
    const char *name;
    uint64_t deadline_ns;
    uint32_t tries_max; /* 1: never again */
    uint32_t reserved;  /* 0 */
};

/* Zero is the default of each. Everything is copied. */
struct lam_retry_options {
    uint32_t tries_max;         /* the first included: at most LAM_RETRY_TRIES_MAX; default 3 */
    uint32_t retries_results;   /* 1: after what the method returned below zero, too, but for
                                 -ENOSPC */
    uint32_t retries_unreached; /* 1: other methods, too, where no worker was there to be reached */
    uint32_t jitter_percent;    /* of a pause, at random, up to so much less; default 50 */
    uint64_t pause_ns;          /* before the second try; default 1 ms */
    uint64_t pause_max_ns;      /* what it does not grow beyond; default 100 ms */
    uint32_t
        budget_percent;   /* of its calls a thread may try so many again, in the long run: at most
                                100; default 20 */
    uint32_t budget_min;  /* and so many without having called before; default 10 */
    uint64_t deadline_ns; /* from its begin, of a call that has no deadline; default none */
    const struct lam_retry_method *methods;
    uint32_t method_count; /* at most LAM_RETRY_METHODS_MAX */
    /*
     * With hedge_ns, a call of the program to an idempotent method of a module that takes several
     * calls at once runs in one of so many threads, made at load; after hedge_ns a second one runs
     * the same beside it, and the first answer is the answer. Of a deadline the caller has its
     * error at once then. Who comes second ends by itself, with buffers of its own: the module is
     * not replaced before, and lam_runtime_destroy() waits for it. Where no thread is free a call
     * runs in its caller's.
     */
    uint32_t hedge_threads; /* 2 to LAM_RETRY_HEDGE_THREADS_MAX; default 4 */
    uint64_t hedge_ns;      /* default: no hedging */
    /*
     * With hedge_percentile hedge_ns is the delay until LAM_RETRY_HEDGE_RUNS runs have ended. From
     * then on it is what so many thousandths of the runs did not exceed, known to 3.2 %, within
     * the bounds, and learned anew behind each LAM_RETRY_HEDGE_RUNS; runs of long ago fade away.
     * Two looks at the clock for each run.
     */
    uint32_t hedge_percentile; /* below 1000; default: always hedge_ns */
    uint32_t reserved;         /* 0 */
    uint64_t hedge_min_ns;     /* default 0 */
    uint64_t hedge_max_ns;     /* default: no bound */
};

struct lam_retry_stat {
    uint64_t again;      /* tries behind the first, ever */
    uint64_t no_budget;  /* calls that were not tried again because of the budget */
    uint64_t no_time;    /* or because of their deadline */
    uint64_t raced;      /* runs that were begun in a thread of hedging */
    uint64_t hedged;     /* calls that a second thread ran, too */
    uint64_t hedges_won; /* and answered first */
    uint32_t hedging;    /* threads of hedging that run a call now */
    uint32_t reserved;
    uint64_t hedge_delay_ns; /* after which a call is hedged now; 0: no hedging */
};

/* What was tried again. Any thread. Returns 0, or -ENOENT the module was loaded without it. */
int lam_retry_look(struct lam_module *module, struct lam_retry_stat *stat);

#ifdef __cplusplus
}
#endif

#endif
