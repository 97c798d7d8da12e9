/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a running topology: its page and rings, one loop, its phases, its end. */
#include "lamina/topology/supervise.h"

#include "lamina/base/clock.h"
#include "supervisor.h"
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void supervisor_log(const struct supervisor *supervisor, const char *format, ...)
{
    FILE *log = supervisor->options->log;
    va_list arguments;

    /* One write a line, because the roles write to the same place. */
    char line[1024];

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    (void)fprintf(log, "lamina up: %s: %s\n", supervisor->plan->name, line);
    (void)fflush(log);
}

void supervisor_enter(struct supervisor *supervisor, enum phase phase)
{
    if (phase <= supervisor->phase)
        return;
    supervisor->phase = phase;
    supervisor->phase_end_ns = lam_deadline_after_ns(supervisor->plan->grace_ns);
    if (phase >= PHASE_STOPPING)
        lam_store_relaxed(&supervisor->status.page->stopping, 1);
    if (phase == PHASE_STOPPING)
        children_signal(supervisor, SIGTERM);
    if (phase == PHASE_KILLING) {
        supervisor->phase_end_ns = LAM_DEADLINE_NEVER;
        children_signal(supervisor, SIGKILL);
    }
}

/* A page of our name exists: 0 when its owner was dead and all that it left is gone now. */
static int take_over(const struct lam_plan *plan, struct lam_error *error)
{
    struct status old;
    struct lam_plan *old_plan;
    struct lam_lock lock = {.fd = -1};
    int code;

    code = status_attach(&old, plan->name, LAM_ACCESS_WRITE, error);
    if (code == -ENOENT)
        return 0; /* its owner has just removed it */
    if (code != 0)
        return code;
    code = lam_lock_take(&lock, old.segment.fd, 0);
    if (code == -EBUSY) {
        (void)lam_error_set(error, code,
            "topology \"%s\" is up already, under process %u: stop that one, or choose another "
            "name with --set name=OTHER",
            plan->name, old.page->up_pid);
    } else if (code != 0) {
        (void)lam_error_set(error, code, "%s: lock: %s", old.segment.path, strerror(-code));
    } else {
        if (status_plan(&old, &old_plan, NULL) == 0) {
            wire_remove_stale(old_plan);
            lam_plan_destroy(old_plan);
        }
        (void)lam_segment_unlink(&old.segment);
        lam_lock_drop(&lock);
    }
    status_close(&old);
    return code;
}

/* Make the page and give it its name, which makes the topology ours. */
static int claim(struct supervisor *supervisor, struct lam_error *error)
{
    uint32_t flags = supervisor->options->json ? STATUS_FLAG_JSON : 0;
    int code = take_over(supervisor->plan, error);

    if (code != 0)
        return code;
    code = status_create(&supervisor->status, supervisor->plan, flags, error);
    if (code != 0)
        return code;
    supervisor->status.page->started_ns = lam_clock_now_ns();
    code = lam_lock_take(&supervisor->lock, supervisor->status.segment.fd, 0);
    if (code == 0) {
        code = lam_segment_appear(&supervisor->status.segment, error);
        if (code == -EEXIST)
            code = lam_error_set(
                error, -EBUSY, "topology \"%s\" is just being started", supervisor->plan->name);
    } else {
        (void)lam_error_set(error, code, "lock of the status page: %s", strerror(-code));
    }
    if (code != 0) {
        lam_lock_drop(&supervisor->lock);
        status_close(&supervisor->status);
    }
    return code;
}

static void disclaim(struct supervisor *supervisor)
{
    (void)lam_segment_unlink(&supervisor->status.segment);
    lam_lock_drop(&supervisor->lock);
    status_close(&supervisor->status);
}

static int start_all(struct supervisor *supervisor, struct lam_error *error)
{
    for (uint32_t i = 0; i < supervisor->plan->instance_count; i++) {
        uint32_t index;
        int code;

        if (lam_plan_instance(supervisor->plan, i, &index)->argument_count == 0)
            continue;
        code = children_start(supervisor, i, error);
        if (code != 0)
            return code;
    }
    return 0;
}

static void phase_is_over(struct supervisor *supervisor)
{
    char names[256];

    children_running_names(supervisor, names, sizeof(names));
    if (supervisor->phase == PHASE_DRAINING) {
        supervisor_log(supervisor, "%s did not end after the main role had: stopping", names);
        supervisor->result = LAM_SUPERVISE_FAILED;
        supervisor_enter(supervisor, PHASE_STOPPING);
    } else if (supervisor->phase == PHASE_STOPPING) {
        supervisor_log(supervisor, "%s did not end on SIGTERM: killing", names);
        supervisor_enter(supervisor, PHASE_KILLING);
    }
}

static void meet_signal(struct supervisor *supervisor, int signal)
{
    if (supervisor->phase >= PHASE_STOPPING) {
        supervisor_enter(supervisor, PHASE_KILLING);
        return;
    }
    supervisor_log(supervisor, "stopping on signal %d (%s)", signal, strsignal(signal));
    supervisor->result = LAM_SUPERVISE_INTERRUPTED;
    supervisor_enter(supervisor, PHASE_STOPPING);
}

static int is_over(const struct supervisor *supervisor)
{
    if (children_left(supervisor) > 0)
        return 0;
    /* Where all join by themselves there is nobody to wait for but the user. */
    for (uint32_t i = 0; i < supervisor->plan->role_count; i++)
        if (supervisor->plan->roles[i].argument_count > 0)
            return 1;
    return supervisor->phase != PHASE_RUNNING;
}

static void watch(struct supervisor *supervisor)
{
    const struct process *running[LAM_TOPOLOGY_INSTANCES_MAX];

    while (!is_over(supervisor)) {
        uint64_t deadline_ns = children_next_restart_ns(supervisor);
        uint32_t count = 0;
        int signal;

        if (supervisor->phase != PHASE_RUNNING && supervisor->phase_end_ns < deadline_ns)
            deadline_ns = supervisor->phase_end_ns;
        for (uint32_t i = 0; i < supervisor->plan->instance_count; i++)
            if (supervisor->children[i].is_running)
                running[count++] = &supervisor->children[i].process;
        signal = events_wait(&supervisor->events, running, count, deadline_ns);
        children_reap(supervisor);
        if (signal != 0)
            meet_signal(supervisor, signal);
        children_restart(supervisor);
        if (supervisor->phase != PHASE_RUNNING && children_left(supervisor) > 0 &&
            lam_clock_now_ns() >= supervisor->phase_end_ns)
            phase_is_over(supervisor);
    }
}

/* With page and rings in place: to the end. 0 or the error of a first start. */
static int run(struct supervisor *supervisor, struct lam_error *error)
{
    int code = start_all(supervisor, error);

    if (code != 0)
        supervisor_enter(supervisor, PHASE_STOPPING);
    else
        supervisor_log(supervisor, "%u processes, %u rings, %.1f MiB of shared memory",
            supervisor->plan->instance_count, wire_ring_count(supervisor->plan),
            (double)lam_plan_bytes(supervisor->plan) / 1048576);
    watch(supervisor);
    return code;
}

int lam_supervise(const struct lam_plan *plan, const struct lam_machine *machine,
    const struct lam_supervise_options *options, struct lam_error *error)
{
    struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
    int result;
    int code;

    if (supervisor == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory");
    supervisor->plan = plan;
    supervisor->machine = machine;
    supervisor->options = options;
    code = events_open(&supervisor->events, error);
    if (code == 0) {
        code = claim(supervisor, error);
        if (code == 0) {
            code = wire_create(plan, &supervisor->rings, error);
            if (code == 0) {
                code = run(supervisor, error);
                wire_destroy(supervisor->rings, wire_ring_count(plan));
                free(supervisor->rings);
            }
            disclaim(supervisor);
        }
        events_close(&supervisor->events);
    }
    result = supervisor->result;
    free(supervisor);
    return code != 0 ? code : result;
}
