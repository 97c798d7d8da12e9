/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_USAGE_H
#define LAM_RUNTIME_USAGE_H

/*
 * usage.h: how often each method was called, how it ended, and how long it took.
 *
 * Each thread counts for itself, in memory that no other thread writes: a block for each generation
 * that it has called, found by its seat. Who reads adds them up. When a generation ends, its counts
 * are kept with the module under its version, so that nothing ever counts backwards.
 */

#include "lamina/base/atomic.h"
#include "lamina/runtime/runtime.h"

struct lam_generation;
struct lam_module;

/* Bucket i counts calls of at most 2^i ns that the one before does not; the last one all others. */
#define USAGE_BUCKETS 38

/* One method: the lone writer is the thread in that seat, then whoever sits there next. */
struct lam_usage_method {
    lam_atomic_u64 failures; /* negative, but for an answer that found no room */
    lam_atomic_u64 timeouts; /* of them, that had not ended by the deadline */
    lam_atomic_u64 crashes;  /* of them, that ended their worker */
    lam_atomic_u64 total_ns;
    lam_atomic_u64 buckets[USAGE_BUCKETS]; /* how many calls that were is their sum */
};

/* What the reader makes of it. */
struct lam_usage_sum {
    uint64_t calls, failures, timeouts, crashes, total_ns;
    uint64_t buckets[USAGE_BUCKETS];
};

/* Of generations of one version that have ended: their sums, and those of the same method in it. */
struct lam_usage_past {
    struct lam_usage_past *next;
    struct lam_version version;
    char method[LAM_NAME_BYTES_MAX];
    struct lam_usage_sum sum;
};

/* Start counting. Returns 0 or -ENOMEM. */
int lam_usage_open(struct lam_generation *generation);

/* It serves now: who reads sees it. Ended by lam_usage_close(). */
void lam_usage_begin(struct lam_generation *generation);

/* No call is inside: keep what was counted. */
void lam_usage_close(struct lam_generation *generation);

/* The module is gone. */
void lam_usage_forget(struct lam_module *module);

typedef void (*lam_usage_visit_fn)(void *context, const struct lam_version *version,
    const char *method, const struct lam_usage_sum *sum);

/* Every version and method of the module that was called, once each. Any thread. */
void lam_usage_visit(struct lam_module *module, lam_usage_visit_fn visit, void *context);

#endif
