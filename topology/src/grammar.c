/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a topology's file. What this table says is what is accepted and what is explained. */
#include "grammar.h"

#include "lamina/topology/plan.h"

const char *const grammar_policies[] = {"stop", "restart", NULL};
const char *const grammar_directions[] = {"broadcast", "per-worker", "fan-in", NULL};
/* In the order of enum lam_wait_mode. */
const char *const grammar_waits[] = {"hybrid", "spin", "yield", "futex", NULL};

static const char *const automatic[] = {"auto", NULL};
static const char *const any[] = {"any", NULL};
static const char *const codecs[] = {"flatbuffers", "msgpack", NULL};
static const char *const backings[] = {"named", NULL};
static const char *const end_policies[] = {"gate", NULL};

static const struct lam_config_field parameter = {
    .key = "parameter", .kind = LAM_CONFIG_TEXT, .doc = "any text, for the roles", .max = 4096};

static const struct lam_config_field argument = {
    .key = "argument", .kind = LAM_CONFIG_TEXT, .doc = "an argument of the command", .max = 4096};

static const struct lam_config_field cpu = {
    .key = "cpu", .kind = LAM_CONFIG_NUMBER, .doc = "number of a CPU", .max = 1023};

static const struct lam_config_field role_fields[] = {
    {.key = "command",
        .kind = LAM_CONFIG_LIST,
        .doc = "program and arguments, as a list; without it, processes join by themselves",
        .min = 1,
        .max = LAM_PLAN_ARGUMENTS_MAX,
        .fields = &argument},
    {.key = "count",
        .kind = LAM_CONFIG_NUMBER,
        .fallback = "1",
        .doc = "processes of this role; auto is the number of cores less one, at least 2",
        .min = 1,
        .max = LAM_TOPOLOGY_INSTANCES_MAX,
        .words = automatic},
    {.key = "main",
        .kind = LAM_CONFIG_FLAG,
        .fallback = "false",
        .doc = "when this role has ended with code 0, the topology ends"},
    {.key = "policy",
        .kind = LAM_CONFIG_WORD,
        .fallback = "stop",
        .doc = "what a death of one of its processes leads to",
        .words = grammar_policies},
    {.key = "restart_limit",
        .kind = LAM_CONFIG_NUMBER,
        .fallback = "5",
        .doc = "restarts of one process before the topology stops",
        .max = 1000000},
    {.key = "restart_backoff",
        .kind = LAM_CONFIG_DURATION,
        .fallback = "50ms",
        .doc = "pause before a restart; doubles with each, to 64 times this",
        .max = UINT64_C(60000000000)},
    {.key = "cpus",
        .kind = LAM_CONFIG_LIST,
        .doc = "one CPU for each process if there are enough, else all share them",
        .min = 1,
        .max = LAM_PLAN_CPUS_MAX,
        .fields = &cpu},
    {.key = "node",
        .kind = LAM_CONFIG_NUMBER,
        .fallback = "any",
        .doc = "run on the CPUs of this memory node; instead of cpus",
        .max = LAM_MACHINE_NODES_MAX - 1,
        .words = any},
    {0}};

static const struct lam_config_field edge_fields[] = {{.key = "from",
                                                          .kind = LAM_CONFIG_NAME,
                                                          .flags = LAM_CONFIG_REQUIRED,
                                                          .doc = "the role that produces"},
    {.key = "to",
        .kind = LAM_CONFIG_NAME,
        .flags = LAM_CONFIG_REQUIRED,
        .doc = "the role that consumes"},
    {.key = "direction",
        .kind = LAM_CONFIG_WORD,
        .flags = LAM_CONFIG_REQUIRED,
        .doc = "broadcast (one ring that all read), per-worker (a ring to each) or fan-in (a ring "
               "from each)",
        .words = grammar_directions},
    {.key = "type",
        .kind = LAM_CONFIG_TEXT,
        .fallback = "",
        .doc = "what it carries, as namespace.Table",
        .max = 95},
    {.key = "schema",
        .kind = LAM_CONFIG_TEXT,
        .fallback = "",
        .doc = "the .fbs that declares the type, relative to this file: the rings then carry its "
               "hash, and ends of another type are refused when they attach",
        .max = 1023},
    {.key = "codec",
        .kind = LAM_CONFIG_WORD,
        .fallback = "flatbuffers",
        .doc = "how messages of the type are encoded",
        .words = codecs},
    {.key = "depth",
        .kind = LAM_CONFIG_NUMBER,
        .flags = LAM_CONFIG_POWER_OF_TWO,
        .fallback = "4096",
        .doc = "cells of each ring",
        .min = 2,
        .max = UINT64_C(1) << 32},
    {.key = "cell",
        .kind = LAM_CONFIG_BYTES,
        .flags = LAM_CONFIG_POWER_OF_TWO,
        .fallback = "64",
        .doc = "bytes of a cell",
        .min = 32,
        .max = 65536},
    {.key = "message",
        .kind = LAM_CONFIG_BYTES,
        .fallback = "4KiB",
        .doc = "the largest message",
        .min = 1,
        .max = UINT64_C(1) << 40},
    {.key = "waiting",
        .kind = LAM_CONFIG_WORD,
        .fallback = "hybrid",
        .doc =
            "how ends wait; hybrid spins, then sleeps, and sleeps at once when ends exceed cores",
        .words = grammar_waits},
    {.key = "backing",
        .kind = LAM_CONFIG_WORD,
        .fallback = "named",
        .doc = "where the ring lies: named is /dev/shm",
        .words = backings},
    {.key = "node",
        .kind = LAM_CONFIG_NUMBER,
        .fallback = "any",
        .doc = "take the rings' memory from this memory node while it has some",
        .max = LAM_MACHINE_NODES_MAX - 1,
        .words = any},
    {.key = "policy",
        .kind = LAM_CONFIG_WORD,
        .fallback = "gate",
        .doc = "what a slow consumer does to the producer: gate holds it back",
        .words = end_policies},
    {0}};

static const struct lam_config_field role = {
    .key = "role", .kind = LAM_CONFIG_RECORD, .doc = "a role", .fields = role_fields};

static const struct lam_config_field edge = {
    .key = "edge", .kind = LAM_CONFIG_RECORD, .doc = "an edge", .fields = edge_fields};

static const struct lam_config_field topology_fields[] = {
    {.key = "name",
        .kind = LAM_CONFIG_NAME,
        .flags = LAM_CONFIG_REQUIRED,
        .doc = "of the topology: its rings are NAME.EDGE; one of a name can be up at a time"},
    {.key = "grace",
        .kind = LAM_CONFIG_DURATION,
        .fallback = "2s",
        .doc = "from SIGTERM to SIGKILL, and what the others have to end after main has ended",
        .max = UINT64_C(3600000000000)},
    {.key = "parameters",
        .kind = LAM_CONFIG_MAP,
        .fallback = "",
        .doc = "free text for the roles, changed by --set NAME=VALUE",
        .max = LAM_TOPOLOGY_PARAMETERS_MAX,
        .fields = &parameter},
    {.key = "roles",
        .kind = LAM_CONFIG_MAP,
        .flags = LAM_CONFIG_REQUIRED,
        .doc = "processes, by name",
        .min = 1,
        .max = LAM_TOPOLOGY_ROLES_MAX,
        .fields = &role},
    {.key = "edges",
        .kind = LAM_CONFIG_MAP,
        .fallback = "",
        .doc = "channels between roles, by name",
        .max = LAM_TOPOLOGY_EDGES_MAX,
        .fields = &edge},
    {0}};

static const struct lam_config_field topology = {
    .key = "topology", .kind = LAM_CONFIG_RECORD, .doc = "one topology", .fields = topology_fields};

const struct lam_config_field *lam_plan_table(void)
{
    return &topology;
}
