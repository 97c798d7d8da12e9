/* SPDX-License-Identifier: Apache-2.0 */
/* From a file that satisfies its table to a plan. */
#include "lamina/topology/plan.h"

#include "grammar.h"
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t auto_count(const struct lam_machine *machine)
{
    return machine->core_count > 3 ? machine->core_count - 1 : 2;
}

static const char *text_at(const struct lam_config_node *node, const char *key)
{
    return lam_config_text(lam_config_at(node, key));
}

static uint64_t number_at(const struct lam_config_node *node, const char *key)
{
    return lam_config_number(lam_config_at(node, key));
}

/* The node under `node`; -1 for any. */
static int node_at(const struct lam_config_node *node)
{
    const struct lam_config_node *value = lam_config_at(node, "node");

    return lam_config_word(value) == 0 ? -1 : (int)lam_config_number(value);
}

static void fill_role(
    struct lam_plan *plan, const struct lam_config_node *node, const struct lam_machine *machine)
{
    struct lam_plan_role *role = &plan->roles[plan->role_count++];
    const struct lam_config_node *count = lam_config_at(node, "count");
    const struct lam_config_node *command = lam_config_at(node, "command");
    const struct lam_config_node *cpus = lam_config_at(node, "cpus");

    role->name = lam_config_key(node);
    role->count =
        lam_config_word(count) == 0 ? auto_count(machine) : (uint32_t)lam_config_number(count);
    role->node = node_at(node);
    role->is_main = (int)number_at(node, "main");
    role->policy = (enum lam_plan_policy)lam_config_word(lam_config_at(node, "policy"));
    role->restart_limit = (uint32_t)number_at(node, "restart_limit");
    role->restart_backoff_ns = number_at(node, "restart_backoff");
    if (command != NULL)
        for (node = lam_config_first(command); node != NULL; node = lam_config_next(node))
            role->arguments[role->argument_count++] = lam_config_text(node);
    if (cpus != NULL)
        for (node = lam_config_first(cpus); node != NULL; node = lam_config_next(node))
            role->cpus[role->cpu_count++] = (uint32_t)lam_config_number(node);
    role->first_instance = plan->instance_count;
    plan->instance_count += role->count;
}

static void fill_edge(struct lam_plan *plan, const struct lam_config_node *node)
{
    struct lam_topology_edge *edge = &plan->edges[plan->edge_count++];
    const struct lam_plan_role *from = lam_plan_role(plan, text_at(node, "from"));
    const struct lam_plan_role *to = lam_plan_role(plan, text_at(node, "to"));

    edge->name = lam_config_key(node);
    edge->type = text_at(node, "type");
    edge->schema = text_at(node, "schema");
    edge->codec = text_at(node, "codec");
    edge->from = text_at(node, "from");
    edge->to = text_at(node, "to");
    edge->direction =
        (enum lam_topology_direction)lam_config_word(lam_config_at(node, "direction"));
    edge->asked = (enum lam_wait_mode)lam_config_word(lam_config_at(node, "waiting"));
    edge->depth = number_at(node, "depth");
    edge->cell_bytes = (uint32_t)number_at(node, "cell");
    edge->message_bytes = number_at(node, "message");
    edge->node = node_at(node);
    edge->ring_count = 1;
    edge->consumer_count = 1;
    if (edge->direction == LAM_TOPOLOGY_BROADCAST && to != NULL)
        edge->consumer_count = to->count;
    else if (edge->direction == LAM_TOPOLOGY_PER_WORKER && to != NULL)
        edge->ring_count = to->count;
    else if (edge->direction == LAM_TOPOLOGY_FAN_IN && from != NULL)
        edge->ring_count = from->count;
    edge->wait = edge->asked;
    /* Spinning where there are not cores for all takes the core from whom one waits for. */
    if (edge->asked == LAM_WAIT_HYBRID && plan->instance_count > plan->core_count)
        edge->wait = LAM_WAIT_FUTEX;
}

static void fill(struct lam_plan *plan, const struct lam_machine *machine)
{
    const struct lam_config_node *root = lam_config_root(plan->config);
    const struct lam_config_node *node;

    plan->name = text_at(root, "name");
    plan->grace_ns = number_at(root, "grace");
    plan->core_count = machine->core_count;
    for (node = lam_config_first(lam_config_at(root, "parameters")); node != NULL;
         node = lam_config_next(node)) {
        struct lam_plan_parameter *parameter = &plan->parameters[plan->parameter_count++];

        parameter->key = lam_config_key(node);
        parameter->value = lam_config_text(node);
        parameter->is_set = lam_config_origin(node) != NULL;
    }
    for (node = lam_config_first(lam_config_at(root, "roles")); node != NULL;
         node = lam_config_next(node))
        fill_role(plan, node, machine);
    for (node = lam_config_first(lam_config_at(root, "edges")); node != NULL;
         node = lam_config_next(node))
        fill_edge(plan, node);
}

/* Ends both ways of reading: @plan holds a config that was read, or failed to. */
static int finish(struct lam_plan **plan, struct lam_plan *made, int code,
    const struct lam_machine *machine, char **report)
{
    if (code == 0)
        code = lam_config_check(made->config);
    if (code == 0) {
        fill(made, machine);
        plan_cross_check(made, machine);
        if (lam_config_problem_count(made->config) > 0)
            code = -EINVAL;
    }
    if (code == 0) {
        *plan = made;
        return 0;
    }
    *report = strdup(lam_config_report(made->config));
    lam_plan_destroy(made);
    return code;
}

static struct lam_plan *new_plan(char **report)
{
    struct lam_plan *plan = calloc(1, sizeof(*plan));

    *report = NULL;
    if (plan != NULL && lam_config_create(&plan->config, lam_plan_table()) != 0) {
        free(plan);
        return NULL;
    }
    return plan;
}

int lam_plan_read(struct lam_plan **plan, const char *path, const char *const *sets,
    size_t set_count, const struct lam_machine *machine, char **report)
{
    struct lam_plan *made = new_plan(report);
    int code;

    if (made == NULL)
        return -ENOMEM;
    code = lam_config_read_file(made->config, path);
    for (size_t i = 0; code == 0 && i < set_count; i++)
        plan_set(made->config, sets[i]);
    return finish(plan, made, code, machine, report);
}

int lam_plan_read_text(struct lam_plan **plan, const char *name, const char *text, size_t bytes,
    const struct lam_machine *machine, char **report)
{
    struct lam_plan *made = new_plan(report);

    if (made == NULL)
        return -ENOMEM;
    return finish(
        plan, made, lam_config_read_text(made->config, name, text, bytes), machine, report);
}

void lam_plan_destroy(struct lam_plan *plan)
{
    if (plan == NULL)
        return;
    for (uint32_t i = 0; i < plan->edge_count; i++)
        free(plan->types[i].answer);
    lam_config_destroy(plan->config);
    free(plan);
}
