/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.c: the host's side of a sandbox: it asks, and looks at the report. What a worker says
 * here it says before it has the image, so that it is not the module that speaks.
 */
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

struct worker_order lam_worker_confinement(
    const struct lam_generation *generation, uint64_t deadline_ns)
{
    return (struct worker_order){.entry = LINK_SANDBOX,
        .request = generation->sandbox->wish,
        .request_bytes = generation->sandbox->wish->bytes,
        .deadline_ns = deadline_ns};
}

int lam_worker_is_confined(
    struct lam_generation *generation, const struct lam_reply *answer, struct lam_error *error)
{
    struct lam_error why = {""};
    int rc = lam_sandbox_take_report(generation->sandbox, answer->data, answer->bytes, &why);

    return rc == 0 ? 0 : lam_error_set(error, rc, "module %s: %s", generation->file, why.text);
}
