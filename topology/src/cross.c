/* SPDX-License-Identifier: Apache-2.0 */
/* What no table can say: how the parts of a plan fit each other and the machine. */
#include "lamina/base/assert.h"
#include "lamina/config/config.h"
#include "lamina/ring/ring.h"
#include "lamina/topology/plan.h"
#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct lam_config_node *plan_node(
    const struct lam_plan *plan, const char *group, const char *name, const char *key)
{
    char path[128];
    struct lam_config_node *node;

    (void)snprintf(path, sizeof(path), "%s.%s%s%s", group, name, key != NULL ? "." : "",
        key != NULL ? key : "");
    node = lam_config_find(plan->config, path);
    LAM_ASSERT(node != NULL);
    return node;
}

static void check_end(
    struct lam_plan *plan, const struct lam_topology_edge *edge, const char *key, const char *role)
{
    const char *words[LAM_TOPOLOGY_ROLES_MAX];
    const char *near;

    if (lam_plan_role(plan, role) != NULL)
        return;
    for (uint32_t i = 0; i < plan->role_count; i++)
        words[i] = plan->roles[i].name;
    near = lam_config_nearest(role, words, plan->role_count);
    (void)lam_config_problem(plan->config, plan_node(plan, "edges", edge->name, key),
        "there is no role \"%s\"%s%s%s", role, near != NULL ? " (did you mean \"" : "",
        near != NULL ? near : "", near != NULL ? "\"?)" : "");
}

/* A ring has one producer, and a fan-in one consumer that reads them all. */
static void check_single(struct lam_plan *plan, const struct lam_topology_edge *edge,
    const char *key, const char *name, const char *instead)
{
    const struct lam_plan_role *role = lam_plan_role(plan, name);

    if (role == NULL || role->count == 1)
        return;
    (void)lam_config_problem(plan->config, plan_node(plan, "edges", edge->name, key),
        "role \"%s\" has %u processes, but this end must be one process%s", name, role->count,
        instead);
}

static void check_edge(struct lam_plan *plan, const struct lam_topology_edge *edge)
{
    check_end(plan, edge, "from", edge->from);
    check_end(plan, edge, "to", edge->to);
    if (strcmp(edge->from, edge->to) == 0)
        (void)lam_config_problem(plan->config, plan_node(plan, "edges", edge->name, "to"),
            "an edge leads from one role to another");
    if (edge->direction == LAM_TOPOLOGY_FAN_IN)
        check_single(plan, edge, "to", edge->to, "");
    else
        check_single(plan, edge, "from", edge->from,
            edge->direction == LAM_TOPOLOGY_BROADCAST ? " (or did you mean direction: fan-in?)"
                                                      : "");
    if (edge->schema[0] != '\0' && edge->type[0] == '\0')
        (void)lam_config_problem(plan->config, plan_node(plan, "edges", edge->name, "schema"),
            "a schema needs a type: say which of its tables this edge carries");
    if (edge->consumer_count > LAM_RING_CONSUMER_COUNT_MAX)
        (void)lam_config_problem(plan->config, plan_node(plan, "edges", edge->name, "to"),
            "%u consumers: a ring takes at most %d", edge->consumer_count,
            LAM_RING_CONSUMER_COUNT_MAX);
    if (edge->depth > UINT64_MAX / 4 / edge->cell_bytes ||
        edge->depth * edge->cell_bytes > UINT64_C(1) << 44)
        (void)lam_config_problem(plan->config, plan_node(plan, "edges", edge->name, "depth"),
            "%" PRIu64 " cells of %u bytes are more than a ring can be", edge->depth,
            edge->cell_bytes);
}

/* Roles and edges share the short names of --set and of rings' ends. */
static void check_names(struct lam_plan *plan)
{
    for (uint32_t i = 0; i < plan->edge_count; i++)
        if (lam_plan_role(plan, plan->edges[i].name) != NULL)
            (void)lam_config_problem(plan->config,
                plan_node(plan, "edges", plan->edges[i].name, NULL),
                "there is a role of this name too: --set could not tell them apart");
}

static void check_roles(struct lam_plan *plan, const struct lam_machine *machine)
{
    const struct lam_plan_role *main_role = NULL;
    char path[1024];

    for (uint32_t i = 0; i < plan->role_count; i++) {
        const struct lam_plan_role *role = &plan->roles[i];

        if (role->is_main && main_role != NULL)
            (void)lam_config_problem(plan->config, plan_node(plan, "roles", role->name, "main"),
                "role \"%s\" is the main one already", main_role->name);
        if (role->is_main && main_role == NULL)
            main_role = role;
        if (role->argument_count > 0 && machine->path != NULL &&
            lam_plan_find_program(plan, role->arguments[0], machine, path, sizeof(path)) != 0)
            (void)lam_config_problem(plan->config, plan_node(plan, "roles", role->name, "command"),
                "no program \"%s\": %s", role->arguments[0],
                strchr(role->arguments[0], '/') != NULL
                    ? "there is no such executable file"
                    : "it is neither beside this program nor on PATH");
    }
    if (plan->instance_count > LAM_TOPOLOGY_INSTANCES_MAX)
        (void)lam_config_problem(plan->config, lam_config_find(plan->config, "roles"),
            "%u processes in all: at most %d", plan->instance_count, LAM_TOPOLOGY_INSTANCES_MAX);
}

static void check_cpus(struct lam_plan *plan, const struct lam_machine *machine)
{
    for (uint32_t i = 0; i < plan->role_count; i++) {
        const struct lam_plan_role *role = &plan->roles[i];

        for (uint32_t j = 0; j < role->cpu_count; j++)
            if ((machine->cpus[role->cpus[j] / 64] >> (role->cpus[j] % 64) & 1) == 0)
                (void)lam_config_problem(plan->config, plan_node(plan, "roles", role->name, "cpus"),
                    "CPU %u is not one that this process may use (%u cores)", role->cpus[j],
                    machine->core_count);
    }
}

static void check_nodes(struct lam_plan *plan, const struct lam_machine *machine)
{
    for (uint32_t i = 0; i < plan->role_count; i++) {
        const struct lam_plan_role *role = &plan->roles[i];
        uint64_t usable = 0;

        if (role->node < 0)
            continue;
        for (size_t j = 0; j < LAM_MACHINE_CPUS_MAX / 64; j++)
            usable |= machine->node_cpus[role->node][j] & machine->cpus[j];
        if (usable == 0)
            (void)lam_config_problem(plan->config, plan_node(plan, "roles", role->name, "node"),
                "memory node %d has no CPU that this process may use", role->node);
        else if (role->cpu_count > 0)
            (void)lam_config_problem(plan->config, plan_node(plan, "roles", role->name, "node"),
                "give cpus or a node, not both");
    }
    for (uint32_t i = 0; i < plan->edge_count; i++)
        if (plan->edges[i].node >= 0 && (machine->nodes >> plan->edges[i].node & 1) == 0)
            (void)lam_config_problem(plan->config,
                plan_node(plan, "edges", plan->edges[i].name, "node"), "there is no memory node %d",
                plan->edges[i].node);
}

static void check_memory(struct lam_plan *plan, const struct lam_machine *machine)
{
    uint64_t needed = lam_plan_bytes(plan);

    if (needed > machine->shm_free_bytes)
        (void)lam_config_problem(plan->config, lam_config_find(plan->config, "edges"),
            "the rings need %" PRIu64 " bytes of /dev/shm, which has %" PRIu64
            " free: make depth smaller, or the mount larger (mount -o remount,size=... /dev/shm)",
            needed, machine->shm_free_bytes);
}

void plan_cross_check(struct lam_plan *plan, const struct lam_machine *machine)
{
    check_names(plan);
    check_roles(plan, machine);
    check_cpus(plan, machine);
    check_nodes(plan, machine);
    for (uint32_t i = 0; i < plan->edge_count; i++)
        check_edge(plan, &plan->edges[i]);
    if (lam_config_problem_count(plan->config) == 0)
        check_memory(plan, machine);
}
