/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as a file of its own grammar: what `up` puts on the status page for the roles to read. */
#include "lamina/topology/plan.h"

#include "grammar.h"

#include <errno.h>
#include <inttypes.h>

/* Always quoted, so that no text is ever taken for something else. */
static void put_text(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            (void)fprintf(out, "\\x%02x", (unsigned)*text);
        else
            (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

static void dump_role(const struct lam_plan_role *role, FILE *out)
{
    (void)fprintf(out, "  %s:\n", role->name);
    for (uint32_t i = 0; i < role->argument_count; i++) {
        (void)fputs(i == 0 ? "    command: [" : ", ", out);
        put_text(out, role->arguments[i]);
    }
    (void)fputs(role->argument_count > 0 ? "]\n" : "", out);
    (void)fprintf(out, "    count: %u\n    main: %s\n    policy: %s\n", role->count,
        role->is_main ? "true" : "false", grammar_policies[role->policy]);
    (void)fprintf(out, "    restart_limit: %u\n    restart_backoff: %" PRIu64 "ns\n",
        role->restart_limit, role->restart_backoff_ns);
    for (uint32_t i = 0; i < role->cpu_count; i++)
        (void)fprintf(out, "%s%u", i == 0 ? "    cpus: [" : ", ", role->cpus[i]);
    (void)fputs(role->cpu_count > 0 ? "]\n" : "", out);
    if (role->node >= 0)
        (void)fprintf(out, "    node: %d\n", role->node);
}

static void dump_edge(const struct lam_topology_edge *edge, FILE *out)
{
    (void)fprintf(out, "  %s:\n    from: %s\n    to: %s\n    direction: %s\n    type: ", edge->name,
        edge->from, edge->to, grammar_directions[edge->direction]);
    put_text(out, edge->type);
    (void)fputs("\n    schema: ", out);
    put_text(out, edge->schema);
    (void)fprintf(out,
        "\n    codec: %s\n    depth: %" PRIu64 "\n    cell: %u\n    message: %" PRIu64
        "\n    waiting: %s\n    backing: named\n    policy: gate\n",
        edge->codec, edge->depth, edge->cell_bytes, edge->message_bytes,
        grammar_waits[edge->asked]);
    if (edge->node >= 0)
        (void)fprintf(out, "    node: %d\n", edge->node);
}

int lam_plan_dump(const struct lam_plan *plan, FILE *out)
{
    (void)fprintf(out, "name: %s\ngrace: %" PRIu64 "ns\n", plan->name, plan->grace_ns);
    for (uint32_t i = 0; i < plan->parameter_count; i++) {
        (void)fprintf(out, "%s  %s: ", i == 0 ? "parameters:\n" : "", plan->parameters[i].key);
        put_text(out, plan->parameters[i].value);
        (void)fputc('\n', out);
    }
    (void)fputs("roles:\n", out);
    for (uint32_t i = 0; i < plan->role_count; i++)
        dump_role(&plan->roles[i], out);
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        (void)fputs(i == 0 ? "edges:\n" : "", out);
        dump_edge(&plan->edges[i], out);
    }
    return ferror(out) ? -EIO : 0;
}
