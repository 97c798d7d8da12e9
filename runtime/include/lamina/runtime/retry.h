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

#define LAM_RETRY_TRIES_MAX   16
#define LAM_RETRY_METHODS_MAX 64

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
    uint32_t reserved;     /* 0 */
};

struct lam_retry_stat {
    uint64_t again;     /* tries behind the first, ever */
    uint64_t no_budget; /* calls that were not tried again because of the budget */
    uint64_t no_time;   /* or because of their deadline */
};

/* What was tried again. Any thread. Returns 0, or -ENOENT the module was loaded without it. */
int lam_retry_look(struct lam_module *module, struct lam_retry_stat *stat);

#ifdef __cplusplus
}
#endif

#endif
