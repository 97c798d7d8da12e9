/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.c: names are found without a lock, and only ever added.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void lam_metrics_init(struct lam_metrics *metrics)
{
    LAM_ASSERT(pthread_mutex_init(&metrics->lock, NULL) == 0);
}

void lam_metrics_fini(struct lam_metrics *metrics)
{
    /* Relaxed: no call is left. */
    for (uint32_t i = 0; i < lam_load_relaxed(&metrics->count); i++) {
        free(metrics->values[i]->histogram);
        free(metrics->values[i]);
    }
    (void)pthread_mutex_destroy(&metrics->lock);
}

static struct lam_metric_value *find(
    const struct lam_metrics *metrics, enum lam_metric kind, const char *name)
{
    /* N2, pairs with N1 in add(): the entries below are complete. */
    uint32_t count = lam_load_acquire(&metrics->count);

    for (uint32_t i = 0; i < count; i++)
        if (metrics->values[i]->kind == kind && strcmp(metrics->values[i]->name, name) == 0)
            return metrics->values[i];
    return NULL;
}

static struct lam_metric_value *make(enum lam_metric kind, const char *name)
{
    struct lam_metric_value *value = calloc(1, sizeof(*value));

    if (value == NULL)
        return NULL;
    value->kind = kind;
    memcpy(value->name, name, strlen(name)); /* bounded by lam_metric_note() */
    if (kind == LAM_METRIC_HISTOGRAM) {
        value->histogram = calloc(1, sizeof(*value->histogram));
        if (value->histogram == NULL) {
            free(value);
            return NULL;
        }
    }
    return value;
}

static struct lam_metric_value *add(
    struct lam_metrics *metrics, enum lam_metric kind, const char *name)
{
    struct lam_metric_value *value;
    uint32_t count;

    LAM_ASSERT(pthread_mutex_lock(&metrics->lock) == 0);
    value = find(metrics, kind, name);         /* another thread may have been quicker */
    count = lam_load_relaxed(&metrics->count); /* relaxed: changed under the lock */
    if (value == NULL && count < LAM_METRICS_MAX)
        value = make(kind, name);
    if (value != NULL && find(metrics, kind, name) == NULL) {
        metrics->values[count] = value;
        lam_store_release(&metrics->count, count + 1); /* N1, pairs with N2 in find() */
    }
    LAM_ASSERT(pthread_mutex_unlock(&metrics->lock) == 0);
    return value;
}

int lam_metric_note(
    const struct lam_call *call, enum lam_metric kind, const char *name, uint64_t value)
{
    const struct lam_frame *frame = call->frame;
    struct lam_metrics *metrics = &frame->module->metrics;
    struct lam_metric_value *found;

    if (strnlen(name, LAM_NAME_BYTES_MAX) == LAM_NAME_BYTES_MAX ||
        (unsigned)kind > LAM_METRIC_HISTOGRAM)
        return -EINVAL;
    found = find(metrics, kind, name);
    if (found == NULL)
        found = add(metrics, kind, name);
    if (found == NULL)
        return -ENOSPC;
    if (kind == LAM_METRIC_COUNTER)
        (void)lam_add_acq_rel(&found->value, value);
    else if (kind == LAM_METRIC_GAUGE)
        lam_store_relaxed(&found->value, value); /* relaxed: it stands for itself */
    if (kind == LAM_METRIC_HISTOGRAM) {
        LAM_ASSERT(pthread_mutex_lock(&metrics->lock) == 0);
        (void)lam_add_acq_rel(&found->value, value); /* their sum */
        lam_histogram_record(found->histogram, value);
        LAM_ASSERT(pthread_mutex_unlock(&metrics->lock) == 0);
    }
    return 0;
}
