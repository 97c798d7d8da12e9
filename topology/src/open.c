/* SPDX-License-Identifier: Apache-2.0 */
/* A role's process and the topology that it is part of. */
#include "lamina/topology/topology.h"

#include "lamina/base/assert.h"
#include "member.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The name of the topology that @file means: its bare name, or what the file says. */
static int find_name(const char *file, char name[LAM_TOPOLOGY_NAME_BYTES], struct lam_error *error)
{
    struct lam_machine machine;
    struct lam_plan *plan;
    char *report;
    int code;

    if (strpbrk(file, "./") == NULL) {
        (void)snprintf(name, LAM_TOPOLOGY_NAME_BYTES, "%s", file);
        return 0;
    }
    lam_machine_any(&machine);
    code = lam_plan_read(&plan, file, NULL, 0, &machine, &report);
    if (code != 0) {
        (void)lam_error_set(error, code, "%s", report != NULL ? report : "out of memory");
        free(report);
        return code;
    }
    (void)snprintf(name, LAM_TOPOLOGY_NAME_BYTES, "%s", plan->name);
    lam_plan_destroy(plan);
    return 0;
}

/* What `lamina up` put into the environment of its processes. */
static int find_self(const char **file, const char **role, uint32_t *index, struct lam_error *error)
{
    const char *number = getenv(MEMBER_INDEX);

    *file = getenv(MEMBER_TOPOLOGY);
    *role = getenv(MEMBER_ROLE);
    if (*file == NULL || *role == NULL || number == NULL)
        return lam_error_set(error, -EINVAL,
            "not started by `lamina up`: give the topology's file, the role and its index");
    *index = (uint32_t)strtoul(number, NULL, 10);
    return 0;
}

static int find_instance(
    struct lam_topology *topology, const char *role, uint32_t index, struct lam_error *error)
{
    topology->role = lam_plan_role(topology->plan, role);
    if (topology->role == NULL)
        return lam_error_set(
            error, -EINVAL, "topology %s has no role \"%s\"", topology->plan->name, role);
    if (index >= topology->role->count)
        return lam_error_set(error, -EINVAL, "role %s has %u processes: there is no number %u",
            role, topology->role->count, index);
    topology->index = index;
    lam_plan_end_name(topology->role, index, topology->end_name);
    topology->row = &topology->status.page->instances[topology->role->first_instance + index];
    return 0;
}

/* Nobody started a process of a role without a command: it enters its own row. */
static void enter(struct lam_topology *topology)
{
    struct status_instance *row = topology->row;

    if (topology->role->argument_count == 0) {
        lam_store_relaxed(&row->starts, lam_load_relaxed(&row->starts) + 1);
        lam_store_relaxed(&row->pid, (uint32_t)getpid());
        lam_store_release(&row->run, STATUS_RUNNING);
    }
    topology->starts = lam_load_acquire(&row->starts);
}

int lam_topology_open(struct lam_topology **topology, const char *file, const char *role,
    uint32_t index, struct lam_error *error)
{
    char name[LAM_TOPOLOGY_NAME_BYTES];
    struct lam_topology *made;
    int code = 0;

    if (file == NULL)
        code = find_self(&file, &role, &index, error);
    if (code == 0)
        code = find_name(file, name, error);
    if (code != 0)
        return code;
    if (role == NULL)
        return lam_error_set(error, -EINVAL, "no role was given");
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory");
    code = status_attach(&made->status, name, LAM_ACCESS_WRITE, error);
    if (code != 0) {
        free(made);
        return code;
    }
    code = status_plan(&made->status, &made->plan, error);
    if (code == 0)
        code = find_instance(made, role, index, error);
    if (code != 0) {
        made->role = NULL;
        lam_topology_close(made);
        return code;
    }
    enter(made);
    *topology = made;
    return 0;
}

void lam_topology_close(struct lam_topology *topology)
{
    if (topology == NULL)
        return;
    if (topology->role != NULL && topology->role->argument_count == 0)
        lam_store_release(&topology->row->run, STATUS_ENDED);
    for (uint32_t i = 0; i < LAM_TOPOLOGY_PARAMETERS_MAX; i++)
        free(topology->paths[i]);
    lam_plan_destroy(topology->plan);
    status_close(&topology->status);
    free(topology);
}
