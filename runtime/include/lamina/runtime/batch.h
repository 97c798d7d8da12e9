/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_BATCH_H
#define LAM_RUNTIME_BATCH_H

/*
 * lamina/runtime/batch.h: calls of one method that come at the same time go to the module at once.
 *
 * Runtime, floor 6. The last stage of a module's path. The first call waits for others of the same
 * method, until count_max are there, or wait_ns are over, or the deadline of one of them comes;
 * then its thread hands all of them to the module's batch entry (runtime/ABI.md), and each call
 * returns what the module said of it. One that stays alone goes to its method. A call within a call
 * does not wait for others: it goes to its method at once.
 *
 * A call that is in the hands of the module stays until the entry returns, whatever its deadline.
 * At a module that takes one call at a time a batch waits for its turn until the latest deadline
 * of its calls.
 *
 * The module has to have a batch entry and to be in this process: otherwise its load, and every
 * reload to such a one, is refused with -ENOTSUP.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_BATCH_COUNT_MAX     256
#define LAM_BATCH_COUNT_DEFAULT 16
#define LAM_BATCH_WAIT_DEFAULT  (UINT64_C(50) * 1000)

/* Zero is the default of each. Everything is copied. */
struct lam_batch_options {
    uint32_t count_max;         /* calls in a batch: 2 to LAM_BATCH_COUNT_MAX; default 16 */
    uint32_t method_count;      /* at most LAM_METHODS_MAX */
    const char *const *methods; /* those whose calls are collected; default: all */
    uint64_t wait_ns;           /* how long the first waits, at most; default 50 us */
};

/* A look at it. Counts begin with the load. */
struct lam_batch_stat {
    uint64_t batches; /* that the module was given */
    uint64_t calls;   /* that were in them */
    uint64_t alone;   /* calls that waited, and nobody came */
    uint64_t largest; /* batch so far */
    uint64_t waiting; /* calls that are being collected now */
};

/*
 * Any thread; what moves meanwhile is from between before and now.
 *
 * Returns 0, or -ENOENT this module has no batches.
 */
int lam_batch_look(struct lam_module *module, struct lam_batch_stat *stat);

/* Let those go that are being collected now. Any thread. Returns 0, or -ENOENT. */
int lam_batch_flush(struct lam_module *module);

#ifdef __cplusplus
}
#endif

#endif
