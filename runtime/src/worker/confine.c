/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.c: the host's side of a sandbox: it asks, and looks at the report. What a worker says
 * here it says before it has the image, so that it is not the module that speaks.
 */
#include <errno.h>

#include "worker/worker.h"

/* A PID namespace takes a process that begins in it. */
const char *lam_worker_argument(const struct lam_sandbox *sandbox)
{
    if ((sandbox->wish->layers & LAM_SANDBOX_BIT(LAM_SANDBOX_PIDS)) == 0)
        return NULL;
    return (sandbox->wish->layers & LAM_SANDBOX_BIT(LAM_SANDBOX_USERS)) != 0
               ? WORKER_IN_USERS_AND_PIDS
               : WORKER_IN_PIDS;
}

int lam_worker_confine(struct lam_generation *generation, struct lam_worker *worker,
    uint64_t deadline_ns, struct lam_error *error)
{
    struct lam_sandbox *sandbox = generation->sandbox;
    struct lam_sandbox_report report;
    struct lam_reply reply = {.data = &report, .capacity = sizeof(report)};
    struct worker_order order = {.entry = LINK_SANDBOX,
        .request = sandbox->wish,
        .request_bytes = sandbox->wish->bytes,
        .deadline_ns = deadline_ns};
    struct lam_error why = {""};
    int rc = lam_worker_ask(generation, worker, &order, &reply);

    if (rc != 0)
        return lam_error_set(
            error, rc, "module %s: its worker ended while it confined itself", generation->file);
    rc = lam_sandbox_take_report(sandbox, &report, reply.bytes, &why);
    return rc == 0 ? 0 : lam_error_set(error, rc, "module %s: %s", generation->file, why.text);
}
