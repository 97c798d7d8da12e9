/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tell_metrics.c: the names of metrics that a worker is told, so that it can say of a further one
 * whether there is a place for it. Other workers and other generations have made some of them.
 */
#include <string.h>

#include "worker/worker.h"

static int tell(
    struct lam_worker *worker, const struct lam_metric_value *value, uint64_t deadline_ns)
{
    struct lam_protocol_header header = {.type = LAM_PROTOCOL_EVENT};
    struct link_event event = {.is_metric = 1, .kind = (uint32_t)value->kind, .string_count = 1};
    struct iovec parts[3];

    parts[1] = (struct iovec){.iov_base = &event, .iov_len = sizeof(event)};
    parts[2] = (struct iovec){
        .iov_base = (void *)(uintptr_t)value->name, .iov_len = strlen(value->name) + 1};
    return lam_link_send(&worker->link, &header, parts, 3, deadline_ns);
}

int lam_worker_tell_metrics(
    const struct lam_generation *generation, struct lam_worker *worker, uint64_t deadline_ns)
{
    const struct lam_module *module = generation->module;
    uint32_t count;
    int rc = 0;

    if (module == NULL)
        return 0;
    /* N2, pairs with N1 in add() of metrics.c: the entries below are complete. */
    count = lam_load_acquire(&module->metrics.count);
    while (rc == 0 && worker->metrics_told < count)
        rc = tell(worker, module->metrics.values[worker->metrics_told++], deadline_ns);
    return rc;
}
