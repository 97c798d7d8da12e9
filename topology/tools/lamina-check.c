/* SPDX-License-Identifier: Apache-2.0 */
/* lamina check: read a topology's file, and show what `up` would make of it. */
#include "arguments.h"

#include "lamina/config/config.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] =
    "usage: lamina check FILE [--set NAME=VALUE]... [--dump]\n"
    "       lamina check --explain\n"
    "\n"
    "Reads the topology in FILE as `lamina up` would, starts nothing, and prints its plan.\n"
    "\n"
    "  --dump      print the plan as a file with everything resolved\n"
    "  --explain   print all keys of such a file, with ranges and defaults\n"
    "\n"
    "exit: 0 right, 2 wrong file or setting\n";

static const char *const direction_names[] = {"broadcast", "per-worker", "fan-in"};
static const char *const wait_names[] = {"hybrid", "spin", "yield", "futex"};

static void print_roles(const struct lam_plan *plan)
{
    (void)printf("\n%-16s %5s  %-8s %-5s %s\n", "role", "count", "policy", "main", "command");
    for (uint32_t i = 0; i < plan->role_count; i++) {
        const struct lam_plan_role *role = &plan->roles[i];

        (void)printf("%-16s %5u  %-8s %-5s", role->name, role->count,
            role->policy == LAM_PLAN_RESTART ? "restart" : "stop", role->is_main ? "yes" : "");
        for (uint32_t j = 0; j < role->argument_count; j++)
            (void)printf(" %s", role->arguments[j]);
        (void)printf("%s\n", role->argument_count == 0 ? " (joins by itself)" : "");
    }
}

static void print_edges(const struct lam_plan *plan)
{
    (void)printf("\n%-16s %-11s %-28s %5s %9s %10s %12s  %s\n", "edge", "direction", "from -> to",
        "rings", "depth", "MiB each", "message", "waiting");
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        const struct lam_topology_edge *edge = &plan->edges[i];
        char ends[80];

        (void)snprintf(ends, sizeof(ends), "%s -> %s", edge->from, edge->to);
        (void)printf("%-16s %-11s %-28s %5u %9" PRIu64 " %10.2f %12" PRIu64 "  %s", edge->name,
            direction_names[edge->direction], ends, edge->ring_count, edge->depth,
            (double)lam_plan_ring_bytes(plan, edge) / 1048576, edge->message_bytes,
            wait_names[edge->asked]);
        (void)printf(
            "%s\n", edge->wait != edge->asked ? " (futex: more processes than cores)" : "");
    }
}

static void print_notes(const struct lam_plan *plan)
{
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        const struct lam_topology_edge *edge = &plan->edges[i];
        uint64_t most = lam_plan_event_bytes_max(edge);

        if (edge->message_bytes > most)
            (void)printf("\nnote: %s: messages above %" PRIu64
                         " bytes, half the ring, travel in frames and are copied once more\n",
                edge->name, most);
    }
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct lam_machine machine;
    struct lam_plan *plan;
    uint32_t rings = 0;

    arguments_read(&arguments, argc, argv, " --dump --explain", help);
    if (arguments.explain) {
        lam_config_explain(lam_plan_table(), stdout);
        return 0;
    }
    plan = arguments_plan(&arguments, &machine);
    arguments_types(plan, &machine);
    if (arguments.dump) {
        (void)lam_plan_dump(plan, stdout);
    } else {
        for (uint32_t i = 0; i < plan->edge_count; i++)
            rings += plan->edges[i].ring_count;
        (void)printf("%s: %u processes on %u cores, %u rings, %.1f MiB of /dev/shm (%.1f free)\n",
            plan->name, plan->instance_count, plan->core_count, rings,
            (double)lam_plan_bytes(plan) / 1048576, (double)machine.shm_free_bytes / 1048576);
        print_roles(plan);
        print_edges(plan);
        print_notes(plan);
    }
    lam_plan_destroy(plan);
    return fflush(stdout) == 0 ? 0 : 1;
}
