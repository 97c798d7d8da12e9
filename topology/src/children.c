/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a running topology: start, death, policy. */
#include "supervisor.h"

#include "lamina/base/clock.h"
#include "member.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define BACKOFF_DOUBLINGS_MAX 6

/* One CPU for each process where the list is long enough, else all of the list, or of the node. */
static void choose_cpus(const struct lam_plan_role *role, uint32_t index,
    const struct lam_machine *machine, struct process_options *options)
{
    for (uint32_t cpu = 0; role->node >= 0 && cpu < LAM_MACHINE_CPUS_MAX; cpu++)
        if ((machine->node_cpus[role->node][cpu / 64] & machine->cpus[cpu / 64]) >> (cpu % 64) & 1)
            options->node_cpus[options->cpu_count++] = cpu;
    options->cpus = options->node_cpus;
    if (role->cpu_count == 0)
        return;
    options->cpus = role->cpus;
    options->cpu_count = role->cpu_count;
    if (role->cpu_count >= role->count) {
        options->cpus = &role->cpus[index];
        options->cpu_count = 1;
    }
}

static int has_main(const struct lam_plan *plan)
{
    for (uint32_t i = 0; i < plan->role_count; i++)
        if (plan->roles[i].is_main)
            return 1;
    return 0;
}

static void note_start(struct supervisor *supervisor, uint32_t instance)
{
    struct child *child = &supervisor->children[instance];
    struct status_instance *row = &supervisor->status.page->instances[instance];

    child->started_ns = lam_clock_now_ns();
    child->restart_at_ns = 0;
    child->is_running = 1;
    lam_store_relaxed(&row->pid, (uint32_t)child->process.pid);
    lam_store_relaxed(&row->started_ns, child->started_ns);
}

int children_start(struct supervisor *supervisor, uint32_t instance, struct lam_error *error)
{
    struct child *child = &supervisor->children[instance];
    struct status_instance *row = &supervisor->status.page->instances[instance];
    struct process_options options = {0};
    const struct lam_plan_role *role;
    char path[1024];
    char number[16];
    uint32_t index;
    int code;

    role = lam_plan_instance(supervisor->plan, instance, &index);
    code = lam_plan_find_program(
        supervisor->plan, role->arguments[0], supervisor->machine, path, sizeof(path));
    if (code != 0)
        return lam_error_set(
            error, code, "role %s: no program \"%s\"", role->name, role->arguments[0]);
    (void)snprintf(number, sizeof(number), "%u", index);
    const char *const environment[] = {MEMBER_TOPOLOGY, supervisor->plan->name, MEMBER_ROLE,
        role->name, MEMBER_INDEX, number, NULL};

    options.path = path;
    options.arguments = role->arguments;
    options.environment = environment;
    options.keeps_stdin = role->is_main || (instance == 0 && !has_main(supervisor->plan));
    options.stdout_to_stderr = supervisor->options->json && !options.keeps_stdin;
    choose_cpus(role, index, supervisor->machine, &options);
    /* Before the process can look: it takes its own number of starts from here. */
    lam_store_relaxed(&row->starts, ++child->starts);
    lam_store_release(&row->run, STATUS_RUNNING);
    code = process_start(&child->process, &options, error);
    if (code != 0) {
        lam_store_release(&row->run, STATUS_DIED);
        return lam_error_prefix(error, code, "role %s: ", role->name);
    }
    note_start(supervisor, instance);
    return 0;
}

static void describe_cause(int cause, char *text, size_t bytes)
{
    if (cause >= 0)
        (void)snprintf(text, bytes, "exited with code %d", cause);
    else
        (void)snprintf(text, bytes, "was killed by signal %d (%s)", -cause, strsignal(-cause));
}

/* "workers.2 (pid 4711) was killed by signal 9 (Killed) at step 812, 3.2 s after its start" */
static void describe_death(
    const struct supervisor *supervisor, uint32_t instance, int cause, char *text, size_t bytes)
{
    const struct child *child = &supervisor->children[instance];
    double seconds = (double)(lam_clock_now_ns() - child->started_ns) / 1e9;
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    const struct lam_plan_role *role;
    struct lam_topology_peer peer;
    char how[96];
    char where[64];
    uint32_t index;

    role = lam_plan_instance(supervisor->plan, instance, &index);
    lam_plan_end_name(role, index, name);
    describe_cause(cause, how, sizeof(how));
    status_read(&supervisor->status, instance, &peer);
    if (peer.state == LAM_TOPOLOGY_READY || peer.step > 0)
        (void)snprintf(where, sizeof(where), "at step %" PRIu64, peer.step);
    else
        (void)snprintf(where, sizeof(where), "before it was ready");
    (void)snprintf(text, bytes, "%s (pid %d) %s %s, %.1f s after its start", name,
        (int)child->process.pid, how, where, seconds);
}

static void plan_restart(struct supervisor *supervisor, uint32_t instance, const char *death)
{
    struct child *child = &supervisor->children[instance];
    const struct lam_plan_role *role;
    uint32_t doublings = child->starts - 1;
    uint32_t index;

    role = lam_plan_instance(supervisor->plan, instance, &index);
    if (child->starts > role->restart_limit) {
        supervisor_log(supervisor, "%s; its %u restarts are used up: stopping the others", death,
            role->restart_limit);
        supervisor->result = LAM_SUPERVISE_FAILED;
        supervisor_enter(supervisor, PHASE_STOPPING);
        return;
    }
    if (doublings > BACKOFF_DOUBLINGS_MAX)
        doublings = BACKOFF_DOUBLINGS_MAX;
    child->restart_at_ns = lam_deadline_after_ns(role->restart_backoff_ns << doublings);
    supervisor_log(supervisor, "%s; policy restart: starting it again (%u of %u)", death,
        child->starts, role->restart_limit);
}

static void meet_death(
    struct supervisor *supervisor, uint32_t instance, int cause, const char *death)
{
    const struct lam_plan_role *role;
    uint32_t index;

    if (supervisor->phase >= PHASE_STOPPING && (cause == -SIGTERM || cause == -SIGKILL))
        return; /* by our own hand */
    role = lam_plan_instance(supervisor->plan, instance, &index);
    if (supervisor->phase >= PHASE_STOPPING) {
        supervisor_log(supervisor, "%s, while stopping", death);
    } else if (supervisor->phase == PHASE_DRAINING) {
        supervisor_log(supervisor, "%s, after the main role had ended", death);
        supervisor->result = LAM_SUPERVISE_FAILED;
    } else if (role->policy == LAM_PLAN_RESTART) {
        plan_restart(supervisor, instance, death);
    } else {
        supervisor_log(supervisor, "%s; policy stop: stopping the others", death);
        supervisor->result = LAM_SUPERVISE_FAILED;
        supervisor_enter(supervisor, PHASE_STOPPING);
    }
}

static int all_ended(const struct supervisor *supervisor, const struct lam_plan_role *role)
{
    for (uint32_t i = 0; i < role->count; i++)
        if (lam_load_relaxed(&supervisor->status.page->instances[role->first_instance + i].run) !=
            STATUS_ENDED)
            return 0;
    return 1;
}

static void note_end(struct supervisor *supervisor, uint32_t instance, int cause)
{
    struct status_instance *row = &supervisor->status.page->instances[instance];
    const struct lam_plan_role *role;
    char death[320] = "";
    uint32_t index;

    supervisor->children[instance].is_running = 0;
    if (cause != 0)
        describe_death(supervisor, instance, cause, death, sizeof(death));
    /* Before anything follows from it: whoever sees the others stop can see why. */
    lam_store_relaxed(&row->cause, (uint32_t)cause);
    lam_store_release(&row->run, cause == 0 ? STATUS_ENDED : STATUS_DIED);
    if (cause != 0)
        meet_death(supervisor, instance, cause, death);
    role = lam_plan_instance(supervisor->plan, instance, &index);
    if (role->is_main && cause == 0 && all_ended(supervisor, role))
        supervisor_enter(supervisor, PHASE_DRAINING);
}

void children_reap(struct supervisor *supervisor)
{
    for (uint32_t i = 0; i < supervisor->plan->instance_count; i++) {
        struct child *child = &supervisor->children[i];
        int cause;

        if (child->is_running && process_reap(&child->process, &cause))
            note_end(supervisor, i, cause);
    }
}

void children_restart(struct supervisor *supervisor)
{
    uint64_t now_ns = lam_clock_now_ns();

    for (uint32_t i = 0; i < supervisor->plan->instance_count; i++) {
        struct child *child = &supervisor->children[i];
        struct lam_error error;

        if (child->restart_at_ns == 0 || child->restart_at_ns > now_ns)
            continue;
        child->restart_at_ns = 0;
        if (supervisor->phase != PHASE_RUNNING)
            continue;
        if (children_start(supervisor, i, &error) != 0) {
            supervisor_log(supervisor, "cannot start it again: %s", error.text);
            supervisor->result = LAM_SUPERVISE_FAILED;
            supervisor_enter(supervisor, PHASE_STOPPING);
        }
    }
}

uint32_t children_left(const struct supervisor *supervisor)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < supervisor->plan->instance_count; i++)
        left += supervisor->children[i].is_running || supervisor->children[i].restart_at_ns != 0;
    return left;
}

uint64_t children_next_restart_ns(const struct supervisor *supervisor)
{
    uint64_t next_ns = LAM_DEADLINE_NEVER;

    for (uint32_t i = 0; i < supervisor->plan->instance_count; i++)
        if (supervisor->children[i].restart_at_ns != 0 &&
            supervisor->children[i].restart_at_ns < next_ns)
            next_ns = supervisor->children[i].restart_at_ns;
    return next_ns;
}

void children_signal(struct supervisor *supervisor, int signal)
{
    for (uint32_t i = 0; i < supervisor->plan->instance_count; i++) {
        supervisor->children[i].restart_at_ns = 0;
        if (supervisor->children[i].is_running)
            process_signal(&supervisor->children[i].process, signal);
    }
}

void children_running_names(const struct supervisor *supervisor, char *text, size_t bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < supervisor->plan->instance_count && used < bytes; i++) {
        char name[LAM_TOPOLOGY_RING_NAME_BYTES];
        const struct lam_plan_role *role;
        uint32_t index;

        if (!supervisor->children[i].is_running)
            continue;
        role = lam_plan_instance(supervisor->plan, i, &index);
        lam_plan_end_name(role, index, name);
        used += (size_t)snprintf(text + used, bytes - used, "%s%s", used > 0 ? ", " : "", name);
    }
}
