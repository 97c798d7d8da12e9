/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_METRICS_H
#define LAM_RUNTIME_METRICS_H

/*
 * metrics.h: what a module counts under names of its own.
 */

#include <pthread.h>

#include "lamina/base/atomic.h"
#include "lamina/base/histogram.h"
#include "lamina/runtime/abi.h"

struct lam_metric_value {
    char name[LAM_NAME_BYTES_MAX];
    enum lam_metric kind;
    lam_atomic_u64 value;
    struct lam_histogram *histogram; /* of that kind; guarded by the lock */
};

struct lam_metrics {
    pthread_mutex_t lock;
    lam_atomic_u32 count;
    struct lam_metric_value *values[LAM_METRICS_MAX];
};

void lam_metrics_init(struct lam_metrics *metrics);
void lam_metrics_fini(struct lam_metrics *metrics);

/* struct lam_host.metric */
int lam_metric_note(
    const struct lam_call *call, enum lam_metric kind, const char *name, uint64_t value);

#endif
