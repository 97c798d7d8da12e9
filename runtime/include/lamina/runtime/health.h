/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_HEALTH_H
#define LAM_RUNTIME_HEALTH_H

/*
 * lamina/runtime/health.h: whether a module is well, asked again and again.
 *
 * Runtime, floor 6. The module's health entry is asked: each worker that is idle by the runtime's
 * own thread, or, in this process, the module itself in its turn by a thread that is made for it
 * with the first probe; one that is busy is asked the next time. 0 is ready; a positive number is
 * alive and not ready; a negative one, no answer in time, or an end is a failure. A module without
 * the entry is ready as long as it answers.
 *
 * Nobody takes a thread out of a module in this process: a probe there that does not return fails
 * again after each timeout_ns, and no other is begun in that code; other modules, and the next code
 * of this one, are asked as ever. For lam_runtime_unload() and lam_runtime_reload() it is a call
 * that runs, and 1 says that it still does; lam_runtime_destroy() waits for it.
 *
 * A worker that fails is replaced, and one that is not ready is passed over by its pool. A module
 * that is not ready as a whole, or that fails in this process, gives UNREADY at once. So does one
 * whose calls fail, if they are counted; a breaker that follows_health (breaker.h) is open then,
 * and lets a bounded number of calls in when it is well again. A new generation is let in until it
 * has been judged.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lam_health_state {
    LAM_HEALTH_UNKNOWN = 0, /* calls go through */
    LAM_HEALTH_READY = 1,
    LAM_HEALTH_UNREADY = 2, /* alive, or its calls fail */
    LAM_HEALTH_DOWN = 3,    /* it fails, and nobody can replace it: in this process */
};

#define LAM_HEALTH_BY_PROBES 1u
/* Calls that end by a crash, an exit, the deadline or an answer that is not believed, one after the
 * other; what a method returns is no failure. A module that is unready by them is let in again
 * after an interval. */
#define LAM_HEALTH_BY_CALLS 2u

/* Zero is the default of each. */
struct lam_health_options {
    uint32_t by;          /* LAM_HEALTH_BY_...; default by probes */
    uint32_t failures;    /* in a row that are too many, of either kind; default 3 */
    uint32_t successes;   /* in a row until it is ready; default 2 */
    uint32_t reserved;    /* 0 */
    uint64_t interval_ns; /* between two probes; default 10 s; at least 1 ms */
    uint64_t timeout_ns;  /* for each; default 5 s */
};

struct lam_health_stat {
    enum lam_health_state state;
    uint32_t reserved; /* 0 */
    uint64_t probes;   /* that were answered, or whose time was over */
    uint64_t failures; /* of them */
    uint64_t replaced; /* workers, for their health */
    uint64_t refused;  /* calls */
};

/*
 * Look at the health of a module. Any thread.
 *
 * Returns 0, or -ENOENT its options switched it off.
 */
int lam_health_look(struct lam_module *module, struct lam_health_stat *stat);

#ifdef __cplusplus
}
#endif

#endif
