/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.c: the host's side of a sandbox: it asks, and looks at the report. What a worker says
 * here it says before it has the image, so that it is not the module that speaks.
 */
#include "worker/worker.h"

/*
 * A PID namespace takes a process that begins in it; and a filter takes its time to be made, which
 * a spare has, and a call that waits for a successor has not.
 */
void lam_worker_argument(const struct lam_sandbox *sandbox, char letters[WORKER_LETTERS_MAX + 1])
{
    const struct sandbox_wish *wish = sandbox->wish;

    if ((wish->layers & LAM_SANDBOX_BIT(LAM_SANDBOX_PIDS)) != 0)
        *letters++ = WORKER_IN_PIDS;
    if ((wish->layers & LAM_SANDBOX_BIT(LAM_SANDBOX_USERS)) != 0)
        *letters++ = WORKER_WITH_USERS;
    if ((wish->layers & LAM_SANDBOX_BIT(LAM_SANDBOX_CALLS)) != 0)
        *letters++ = WORKER_HAS_CALLS;
    if (wish->processes != 0)
        *letters++ = WORKER_MAY_FORK;
    if (wish->network != 0)
        *letters++ = WORKER_HAS_NETWORK;
    *letters = '\0';
}

struct worker_order lam_worker_confinement(
    const struct lam_generation *generation, uint64_t deadline_ns)
{
    return (struct worker_order){.entry = LINK_SANDBOX,
        .request = generation->sandbox->wish,
        .request_bytes = generation->sandbox->wish->bytes,
        .deadline_ns = deadline_ns};
}

int lam_worker_is_confined(struct lam_generation *generation, const struct lam_module_reply *answer,
    struct lam_error *error)
{
    struct lam_error why = {""};
    int rc = lam_sandbox_take_report(generation->sandbox, answer->data, answer->bytes, &why);

    return rc == 0 ? 0 : lam_error_set(error, rc, "module %s: %s", generation->file, why.text);
}
