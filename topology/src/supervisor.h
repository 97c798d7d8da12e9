/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_SUPERVISOR_H
#define LAM_TOPOLOGY_SUPERVISOR_H

/*
 * supervisor.h: the state of a running topology.
 *
 * supervise.c owns its life and its phases, children.c the processes one by one.
 */

#include <stdio.h>

#include "lamina/base/lock.h"
#include "lamina/topology/plan.h"
#include "lamina/topology/supervise.h"
#include "linux/events.h"
#include "linux/process.h"
#include "status.h"

/* The phases follow each other in this order; any may be left out. */
enum phase {
    PHASE_RUNNING,  /* deaths are met by policy */
    PHASE_DRAINING, /* main has ended: the others have the grace to do so by themselves */
    PHASE_STOPPING, /* SIGTERM was sent */
    PHASE_KILLING   /* SIGKILL was sent */
};

struct child {
    struct process process;
    uint32_t starts;
    uint64_t started_ns;
    uint64_t restart_at_ns; /* 0: no restart is due */
    int is_running;
};

struct supervisor {
    const struct lam_plan *plan;
    const struct lam_machine *machine;
    const struct lam_supervise_options *options;
    struct status status;
    struct lam_lock lock; /* of the status page: this topology is ours */
    struct lam_ring *rings;
    struct events events;
    enum phase phase;
    uint64_t phase_end_ns;
    int result;
    struct child children[LAM_TOPOLOGY_INSTANCES_MAX];
};

__attribute__((format(printf, 2, 3))) void supervisor_log(
    const struct supervisor *supervisor, const char *format, ...);

/* Go on to @phase, if that is further than now. */
void supervisor_enter(struct supervisor *supervisor, enum phase phase);

/* Start process @instance of the plan. 0 or -errno of process_start(). */
int children_start(struct supervisor *supervisor, uint32_t instance, struct lam_error *error);

/* See who has ended, and do what the policy says. */
void children_reap(struct supervisor *supervisor);

/* Start again whose pause is over. */
void children_restart(struct supervisor *supervisor);

/* How many run or are due to; when the next restart is due. */
uint32_t children_left(const struct supervisor *supervisor);
uint64_t children_next_restart_ns(const struct supervisor *supervisor);

void children_signal(struct supervisor *supervisor, int signal);

/* "workers.1 and workers.3" of all that run, for a log line. */
void children_running_names(const struct supervisor *supervisor, char *text, size_t bytes);

#endif
