/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of edges: what `up` writes into a ring, for its ends to compare when they attach.
 *
 * The schema compiler knows how a type is put into words; asking the program, not linking it, keeps
 * codecs out of a topology that has no types.
 */
#include "lamina/config/config.h"
#include "lamina/ring/ring.h"
#include "lamina/topology/plan.h"
#include "linux/capture.h"
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMPILER   "lamina-schema"
#define HASH_CHARS 17 /* sixteen digits and a newline, before the text */

static void schema_path(
    const struct lam_plan *plan, const struct lam_topology_edge *edge, char *path, size_t bytes)
{
    char folder[1024];

    lam_plan_directory(plan, folder, sizeof(folder));
    if (edge->schema[0] == '/')
        (void)snprintf(path, bytes, "%s", edge->schema);
    else
        (void)snprintf(path, bytes, "%s/%s", folder, edge->schema);
}

/* "0123456789abcdef\n" and the text. */
static int take_answer(struct lam_plan_type *type, char *answer, size_t bytes)
{
    char *end;

    if (bytes <= HASH_CHARS || answer[HASH_CHARS - 1] != '\n')
        return -EPROTO;
    type->hash = strtoull(answer, &end, 16);
    if (end != answer + HASH_CHARS - 1 || type->hash == 0)
        return -EPROTO;
    type->answer = answer;
    type->text = answer + HASH_CHARS;
    type->text_bytes = (uint32_t)(bytes - HASH_CHARS);
    return 0;
}

static int ask(struct lam_plan *plan, const struct lam_topology_edge *edge, const char *compiler,
    struct lam_plan_type *type)
{
    char schema[2048];
    const char *const arguments[] = {
        COMPILER, "--channel", edge->type, "--codec", edge->codec, schema, NULL};
    size_t bytes = 0;
    char *answer;
    int code;

    schema_path(plan, edge, schema, sizeof(schema));
    code = capture(compiler, arguments, LAM_RING_SCHEMA_BYTES_MAX, &answer, &bytes);
    if (code == 0) {
        code = take_answer(type, answer, bytes);
        if (code != 0)
            free(answer);
    }
    return code;
}

static void resolve(struct lam_plan *plan, uint32_t index, const struct lam_machine *machine)
{
    const struct lam_topology_edge *edge = &plan->edges[index];
    const struct lam_config_node *node = plan_node(plan, "edges", edge->name, "type");
    char compiler[2048];
    int code;

    if (lam_plan_find_program(plan, COMPILER, machine, compiler, sizeof(compiler)) != 0) {
        (void)lam_config_problem(plan->config, plan_node(plan, "edges", edge->name, "schema"),
            "no program " COMPILER " beside this one or on PATH, to read the schema");
        return;
    }
    code = ask(plan, edge, compiler, &plan->types[index]);
    if (code == -ECHILD)
        (void)lam_config_problem(plan->config, node,
            COMPILER " has no type \"%s\" from %s (its own message stands above)", edge->type,
            edge->schema);
    else if (code != 0)
        (void)lam_config_problem(plan->config, node, "%s: %s", compiler, strerror(-code));
}

int lam_plan_resolve_types(struct lam_plan *plan, const struct lam_machine *machine, char **report)
{
    *report = NULL;
    for (uint32_t i = 0; i < plan->edge_count; i++)
        if (plan->edges[i].schema[0] != '\0' && plan->types[i].text == NULL)
            resolve(plan, i, machine);
    if (lam_config_problem_count(plan->config) == 0)
        return 0;
    *report = strdup(lam_config_report(plan->config));
    return -EINVAL;
}
