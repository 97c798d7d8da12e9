/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan from its text: what is resolved, what is refused and where the message points. The machine
 * is made up, so that the answers are the same everywhere.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lamina/config/config.h"
#include "lamina/topology/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

TestSuite(plan, .timeout = 10);

#define HEAD  "name: t\n"
#define ROLES "roles:\n  one: {command: [x]}\n  many: {command: [x], count: 3}\n"
#define EDGE  "edges:\n  e: {from: one, to: many, direction: broadcast}\n"

/* Eight cores, 0 to 3 on memory node 0, 4 to 7 on node 1, and 64 MiB of shared memory. */
static struct lam_machine machine_of_8(void)
{
    struct lam_machine machine = {.core_count = 8, .shm_free_bytes = 64 << 20};

    machine.cpus[0] = 0xff;
    machine.nodes = 3;
    machine.node_cpus[0][0] = 0x0f;
    machine.node_cpus[1][0] = 0xf0;
    return machine;
}

static int read_plan(const char *text, struct lam_plan **plan, char **report)
{
    struct lam_machine machine = machine_of_8();

    return lam_plan_read_text(plan, "t.yaml", text, strlen(text), &machine, report);
}

static struct lam_plan *accepted(const char *text)
{
    struct lam_plan *plan = NULL;
    char *report = NULL;

    cr_assert(eq(int, read_plan(text, &plan, &report), 0), "%s", report != NULL ? report : "");
    return plan;
}

/* The first line of the report. */
static void expect(const char *text, const char *message)
{
    struct lam_plan *plan = NULL;
    char *report = NULL;
    size_t length;

    cr_assert(eq(int, read_plan(text, &plan, &report), -EINVAL));
    length = strcspn(report, "\n");
    cr_expect(length == strlen(message) && strncmp(report, message, length) == 0,
        "for:\n%s\nexpected: %s\nfound:    %s", text, message, report);
    free(report);
}

Test(plan, counts_and_rings_follow_from_the_directions)
{
    struct lam_plan *plan =
        accepted(HEAD ROLES "edges:\n"
                            "  b: {from: one, to: many, direction: broadcast}\n"
                            "  p: {from: one, to: many, direction: per-worker}\n"
                            "  f: {from: many, to: one, direction: fan-in}\n");
    const struct lam_topology_edge *edge = lam_plan_edge(plan, "b");
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];

    cr_expect(eq(u32, plan->instance_count, 4));
    cr_expect(eq(u32, edge->ring_count, 1));
    cr_expect(eq(u32, edge->consumer_count, 3));
    lam_plan_ring_name(plan, edge, 0, name);
    cr_expect(eq(str, name, "t.b"));
    edge = lam_plan_edge(plan, "p");
    cr_expect(eq(u32, edge->ring_count, 3));
    cr_expect(eq(u32, edge->consumer_count, 1));
    lam_plan_ring_name(plan, edge, 2, name);
    cr_expect(eq(str, name, "t.p.2"));
    cr_expect(eq(u32, lam_plan_edge(plan, "f")->ring_count, 3));
    lam_plan_destroy(plan);
}

Test(plan, instances_are_numbered_role_after_role)
{
    struct lam_plan *plan = accepted(HEAD ROLES);
    uint32_t index = 9;
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];

    cr_expect(eq(str, (char *)lam_plan_instance(plan, 0, &index)->name, "one"));
    lam_plan_end_name(&plan->roles[0], 0, name);
    cr_expect(eq(str, name, "one"));
    cr_expect(eq(str, (char *)lam_plan_instance(plan, 3, &index)->name, "many"));
    cr_expect(eq(u32, index, 2));
    lam_plan_end_name(&plan->roles[1], 2, name);
    cr_expect(eq(str, name, "many.2"));
    lam_plan_destroy(plan);
}

Test(plan, an_automatic_count_is_the_cores_less_one_and_at_least_two)
{
    const char *text = HEAD "roles:\n  w: {command: [x], count: auto}\n";
    struct lam_machine machine = machine_of_8();
    struct lam_plan *plan = accepted(text);
    char *report;

    cr_expect(eq(u32, plan->roles[0].count, 7));
    lam_plan_destroy(plan);
    machine.core_count = 1;
    cr_assert(eq(int, lam_plan_read_text(&plan, "t", text, strlen(text), &machine, &report), 0));
    cr_expect(eq(u32, plan->roles[0].count, 2));
    lam_plan_destroy(plan);
}

Test(plan, hybrid_waits_do_not_spin_where_processes_exceed_cores)
{
    struct lam_machine machine = machine_of_8();
    struct lam_plan *plan = accepted(HEAD ROLES EDGE);
    char *report;

    cr_expect(eq(int, plan->edges[0].wait, LAM_WAIT_HYBRID));
    lam_plan_destroy(plan);
    machine.core_count = 3;
    cr_assert(eq(int,
        lam_plan_read_text(&plan, "t", HEAD ROLES EDGE, strlen(HEAD ROLES EDGE), &machine, &report),
        0));
    cr_expect(eq(int, plan->edges[0].asked, LAM_WAIT_HYBRID));
    cr_expect(eq(int, plan->edges[0].wait, LAM_WAIT_FUTEX));
    lam_plan_destroy(plan);
}

Test(plan, a_dumped_plan_reads_as_the_same_plan)
{
    struct lam_plan *plan = accepted(
        "name: t\ngrace: 3s\nparameters: {a: \"x\\\"y\\\\ \\u00e9\\n#: z\", b: \"\"}\n"
        "roles:\n  one: {command: [\"/bin/a b\", \"\", \"--x=[1]\"], main: true, cpus: [1, 3]}\n"
        "  many: {count: auto, policy: restart, restart_limit: 7, restart_backoff: 1s}\n"
        "edges:\n  e: {from: one, to: many, direction: broadcast, type: a.B, depth: 64,\n"
        "      cell: 128, message: 1MiB, waiting: yield, node: 1}\n");
    char *first = NULL, *second = NULL;
    size_t bytes;
    FILE *out = open_memstream(&first, &bytes);

    cr_assert(eq(int, lam_plan_dump(plan, out), 0));
    (void)fclose(out);
    lam_plan_destroy(plan);
    plan = accepted(first);
    cr_expect(eq(str, (char *)plan->parameters[0].value, "x\"y\\ \xc3\xa9\n#: z"));
    cr_expect(eq(u32, plan->roles[1].count, 7));
    cr_expect(eq(u64, plan->edges[0].message_bytes, 1 << 20));
    out = open_memstream(&second, &bytes);
    cr_assert(eq(int, lam_plan_dump(plan, out), 0));
    (void)fclose(out);
    cr_expect(eq(str, first, second));
    lam_plan_destroy(plan);
    free(first);
    free(second);
}

Test(plan, ends_of_edges_are_roles)
{
    expect(HEAD ROLES "edges:\n  e: {from: ona, to: many, direction: broadcast}\n",
        "t.yaml:6:13: edges.e.from: there is no role \"ona\" (did you mean \"one\"?)");
    expect(HEAD ROLES "edges:\n  e: {from: one, to: zebra, direction: broadcast}\n",
        "t.yaml:6:22: edges.e.to: there is no role \"zebra\"");
    expect(HEAD ROLES "edges:\n  e: {from: one, to: one, direction: broadcast}\n",
        "t.yaml:6:22: edges.e.to: an edge leads from one role to another");
}

Test(plan, the_single_end_of_an_edge_is_one_process)
{
    expect(HEAD ROLES "edges:\n  e: {from: many, to: one, direction: broadcast}\n",
        "t.yaml:6:13: edges.e.from: role \"many\" has 3 processes, but this end must be one "
        "process (or did you mean direction: fan-in?)");
    expect(HEAD ROLES "edges:\n  e: {from: one, to: many, direction: fan-in}\n",
        "t.yaml:6:22: edges.e.to: role \"many\" has 3 processes, but this end must be one process");
    expect(HEAD ROLES "edges:\n  e: {from: many, to: one, direction: per-worker}\n",
        "t.yaml:6:13: edges.e.from: role \"many\" has 3 processes, but this end must be one "
        "process");
}

Test(plan, missing_keys_say_what_they_are_for)
{
    expect("roles: {a: {}}\n", "t.yaml:1:1: name is missing: of the topology: its rings are "
                               "NAME.EDGE; one of a name can be up at a time");
    expect(HEAD, "t.yaml:1:1: roles is missing: processes, by name");
    expect(HEAD ROLES "edges:\n  e: {from: one, to: many}\n",
        "t.yaml:6:3: edges.e: direction is missing: broadcast (one ring that all read), "
        "per-worker (a ring to each) or fan-in (a ring from each)");
}

Test(plan, names_of_roles_and_edges_differ)
{
    expect(HEAD ROLES "edges:\n  one: {from: one, to: many, direction: broadcast}\n",
        "t.yaml:6:8: edges.one: there is a role of this name too: --set could not tell them "
        "apart");
}

Test(plan, one_role_at_most_is_the_main_one)
{
    expect(HEAD "roles:\n  a: {main: true}\n  b: {main: true}\n",
        "t.yaml:4:13: roles.b.main: role \"a\" is the main one already");
}

Test(plan, processors_must_exist)
{
    expect(HEAD "roles:\n  a: {cpus: [0, 9]}\n",
        "t.yaml:3:13: roles.a.cpus: CPU 9 is not one that this process may use (8 cores)");
}

Test(plan, memory_nodes_must_exist)
{
    struct lam_plan *plan = accepted(HEAD "roles:\n  a: {node: 1}\n  b: {}\nedges:\n  e: {from: "
                                          "a, to: b, direction: broadcast, node: 0}\n");

    cr_expect(eq(int, plan->roles[0].node, 1));
    cr_expect(eq(int, plan->roles[1].node, -1));
    cr_expect(eq(int, plan->edges[0].node, 0));
    lam_plan_destroy(plan);
    expect(HEAD "roles:\n  a: {node: 2}\n",
        "t.yaml:3:13: roles.a.node: memory node 2 has no CPU that this process may use");
    expect(HEAD "roles:\n  a: {node: 1, cpus: [4]}\n",
        "t.yaml:3:13: roles.a.node: give cpus or a node, not both");
    expect(HEAD ROLES "edges:\n  e: {from: one, to: many, direction: broadcast, node: 2}\n",
        "t.yaml:6:56: edges.e.node: there is no memory node 2");
}

Test(plan, a_ring_takes_at_most_64_consumers)
{
    expect(HEAD "roles:\n  a: {}\n  b: {count: 65}\nedges:\n  e: {from: a, to: b, direction: "
                "broadcast}\n",
        "t.yaml:6:20: edges.e.to: 65 consumers: a ring takes at most 64");
}

Test(plan, there_is_a_limit_on_processes)
{
    expect(HEAD "roles:\n  a: {count: 200}\n  b: {count: 57}\n",
        "t.yaml:3:3: roles: 257 processes in all: at most 256");
}

Test(plan, rings_that_do_not_fit_are_refused_with_the_figures)
{
    struct lam_plan *plan = NULL;
    char *report = NULL;

    cr_assert(eq(int,
        read_plan(HEAD ROLES "edges:\n  e: {from: one, to: many, direction: broadcast, depth: "
                             "2097152}\n",
            &plan, &report),
        -EINVAL));
    cr_expect(strncmp(report, "t.yaml:6:3: edges: the rings need ", 34) == 0, "%s", report);
    cr_expect(
        strstr(report, " bytes of /dev/shm, which has 67108864 free: make depth smaller") != NULL,
        "%s", report);
    free(report);
}

Test(plan, ranges_are_those_of_the_ring)
{
    expect(HEAD ROLES "edges:\n  e: {from: one, to: many, direction: broadcast, depth: 1000}\n",
        "t.yaml:6:57: edges.e.depth: 1000 is not a power of two (next: 1024)");
    expect(HEAD ROLES "edges:\n  e: {from: one, to: many, direction: broadcast, cell: 16}\n",
        "t.yaml:6:56: edges.e.cell: 16 is too small: at least 32B");
    expect(HEAD ROLES "edges:\n  e: {from: one, to: many, direction: broadcast, cell: 96}\n",
        "t.yaml:6:56: edges.e.cell: 96 is not a power of two (next: 128B)");
    expect(HEAD ROLES "edges:\n  e: {from: one, to: many, direction: broadcast, cell: 64KiB, "
                      "depth: 4294967296}\n",
        "t.yaml:6:70: edges.e.depth: 4294967296 cells of 65536 bytes are more than a ring can be");
}

Test(plan, a_schema_needs_a_type)
{
    expect(HEAD ROLES "edges:\n  e: {from: one, to: many, direction: broadcast, schema: a.fbs}\n",
        "t.yaml:6:58: edges.e.schema: a schema needs a type: say which of its tables this edge "
        "carries");
}

Test(plan, a_program_that_is_nowhere_is_refused)
{
    const char *text = HEAD "roles:\n  a: {command: [no-such-program]}\n  b: {command: [./no]}\n";
    struct lam_machine machine = machine_of_8();
    struct lam_plan *plan;
    char *report;

    machine.path = "/usr/bin:/bin";
    cr_assert(eq(
        int, lam_plan_read_text(&plan, "t.yaml", text, strlen(text), &machine, &report), -EINVAL));
    cr_expect(strstr(report, "t.yaml:3:16: roles.a.command: no program \"no-such-program\": it is "
                             "neither beside this program nor on PATH\n") != NULL,
        "%s", report);
    cr_expect(strstr(report, "t.yaml:4:16: roles.b.command: no program \"./no\": there is no such "
                             "executable file\n") != NULL,
        "%s", report);
    free(report);
}

/* --set */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    cr_assert(file != NULL);
    (void)fputs(text, file);
    cr_assert(eq(int, fclose(file), 0));
}

/* The report after @set on a fixed file; "" when it was accepted. */
static void expect_set(const char *set, const char *message)
{
    struct lam_machine machine = machine_of_8();
    struct lam_plan *plan = NULL;
    char path[] = "/tmp/lamina-plan-XXXXXX";
    int file = mkstemp(path);
    char *report = NULL;

    cr_assert(file >= 0);
    write_file(path, HEAD "parameters: {input: x}\n" ROLES EDGE);
    (void)lam_plan_read(&plan, path, &set, 1, &machine, &report);
    cr_expect(eq(str, report != NULL ? report : (char *)"", (char *)message));
    lam_plan_destroy(plan);
    free(report);
    (void)remove(path);
}

Test(plan, settings_name_a_role_an_edge_or_a_parameter)
{
    expect_set("input=y=z", "");
    expect_set("many.count=4", "");
    expect_set("many.cpus=1,2", "");
    expect_set("e.depth=64", "");
    expect_set("name=other", "");
    expect_set("grace=1s", "");
    expect_set("roles.many.count=4", "");
    expect_set("parameters.input=4", "");
}

Test(plan, wrong_settings_are_refused_by_name)
{
    expect_set("inptu=y", "--set inptu=y: there is no role, edge or parameter \"inptu\" (did you "
                          "mean \"input\"?)\n");
    expect_set("mny.count=4", "--set mny.count=4: there is no role, edge or parameter \"mny\" (did "
                              "you mean \"many\"?)\n");
    expect_set("many.count=many",
        "--set many.count=many: roles.many.count: \"many\" is not a whole number (decimal digits "
        "only), nor auto\n");
    expect_set(
        "e.depth=100", "--set e.depth=100: edges.e.depth: 100 is not a power of two (next: 128)\n");
    expect_set("many", "--set many: a setting is written NAME=VALUE or ROLE.KEY=VALUE\n");
    expect_set("=1", "--set =1: a setting is written NAME=VALUE or ROLE.KEY=VALUE\n");
}

Test(plan, a_setting_of_a_wrong_key_is_refused_with_the_nearest)
{
    struct lam_machine machine = machine_of_8();
    const char *set = "many.cuont=4";
    char path[] = "/tmp/lamina-plan-XXXXXX";
    struct lam_plan *plan = NULL;
    char *report = NULL;

    cr_assert(mkstemp(path) >= 0);
    write_file(path, HEAD ROLES EDGE);
    cr_assert(eq(int, lam_plan_read(&plan, path, &set, 1, &machine, &report), -EINVAL));
    cr_expect(
        strstr(report, "roles.many.cuont: there is no such key (did you mean \"count\"?)") != NULL,
        "%s", report);
    free(report);
    (void)remove(path);
}
