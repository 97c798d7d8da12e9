/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_SUPERVISE_H
#define LAM_TOPOLOGY_SUPERVISE_H

/*
 * lamina/topology/supervise.h: run a plan: rings, processes, deaths, the end.
 *
 * Topology, floor 5. This is what `lamina up` calls. The calling process becomes the parent of all
 * roles: it must have one thread, and loses SIGINT, SIGTERM and SIGHUP to this call until it
 * returns. It sends no message and reads none.
 */

#include <stdio.h>

#include "lamina/base/error.h"
#include "lamina/topology/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lam_supervise_result {
    LAM_SUPERVISE_DONE = 0,         /* all ended with code 0 */
    LAM_SUPERVISE_FAILED = 1,       /* a role died, and its policy or limit said stop */
    LAM_SUPERVISE_INTERRUPTED = 130 /* a signal asked for the end */
};

struct lam_supervise_options {
    int json;  /* standard output is for the main role alone */
    FILE *log; /* for one line an event; kept until the call returns */
};

/*
 * Make the rings of @plan, start its processes, watch them until all have ended, remove the rings.
 *
 * The topology ends when its main role has ended with code 0 (without a main role: when all have),
 * when a death meets policy stop or the limit of restarts, or on a signal; a second signal ends it
 * at once. Whoever is left then gets SIGTERM, and SIGKILL after the plan's grace. A role that dies
 * is logged with its cause and step.
 *
 * Blocks until the end. Returns an enum lam_supervise_result, or, when nothing was started,
 *   -EBUSY  a topology of that name is up; @error says under which process
 *   -ENOENT, -EACCES  a program cannot be started
 *   -ENOSPC, -EEXIST and others of lam_ring_create()
 *   -errno  of the system call that @error names
 */
int lam_supervise(const struct lam_plan *plan, const struct lam_machine *machine,
    const struct lam_supervise_options *options, struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
