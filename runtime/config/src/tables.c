/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of runtime.yaml: one table for each option struct. What they say is what is accepted,
 * what is explained, and where it goes. Ranges that the runtime checks itself stand here too,
 * because only here the message has a line.
 *
 * No row has a default: a field that the file does not name stays 0, which is its default.
 */
#include "option.h"

/* ---- struct lam_module_options ---- */

/* By enum lam_module_host. */
static const char *const hosts[] = {"process", "worker", NULL};

#define MODULE(member) INTO(struct option_module, wanted.options.member)

const struct lam_config_field option_module_fields[] = {
    {.key = "reference",
        .kind = LAM_CONFIG_TEXT,
        .doc = "a path with a /, or a name to be looked for in the directories; default its name "
               "here",
        .min = 1,
        .max = 4000,
        INTO(struct option_module, wanted.reference)},
    {.key = "host",
        .kind = LAM_CONFIG_WORD,
        .doc = "process: here, trusted, nanoseconds; worker: in a process of its own, whose crash "
               "is an error; default process",
        .words = hosts,
        MODULE(host)},
    {.key = "config",
        .kind = LAM_CONFIG_TEXT,
        .doc = "text that is handed to its init",
        INTO(struct option_module, config_text)},
    {.key = "config_hex",
        .kind = LAM_CONFIG_TEXT,
        .doc = "bytes that are handed to its init, two hexadecimal digits each; instead of config",
        INTO(struct option_module, config_hex)},
    {.key = "config_file",
        .kind = LAM_CONFIG_TEXT,
        .flags = OPTION_PATH,
        .doc = "a file whose bytes are handed to its init; instead of config",
        .min = 1,
        .max = 4000,
        INTO(struct option_module, config_file)},
    {.key = "counts_calls",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: its calls are counted and timed for the metrics",
        MODULE(counts_calls)},
    {.key = "sandbox",
        .kind = LAM_CONFIG_RECORD,
        .flags = OPTION_POINTER,
        .doc = "what it may do in its worker",
        .max = sizeof(struct lam_sandbox_options),
        .fields = option_sandbox_fields,
        MODULE(sandbox)},
    {.key = "breaker",
        .kind = LAM_CONFIG_RECORD,
        .flags = OPTION_POINTER,
        .doc = "leave it alone while it fails; {} for the defaults; without it off",
        .max = sizeof(struct lam_breaker_options),
        .fields = option_breaker_fields,
        MODULE(breaker)},
    {.key = "cache",
        .kind = LAM_CONFIG_RECORD,
        .flags = OPTION_POINTER,
        .doc = "keep answers and give them again; {} for the defaults; without it off",
        .max = sizeof(struct lam_cache_options),
        .fields = option_cache_fields,
        MODULE(cache)},
    {.key = "limits",
        .kind = LAM_CONFIG_RECORD,
        .flags = OPTION_POINTER,
        .doc = "quotas of its calls; without it off",
        .max = sizeof(struct lam_limits_options),
        .fields = option_limits_fields,
        MODULE(limits)},
    {0}};

static const struct lam_config_field module_row = {
    .key = "module", .kind = LAM_CONFIG_RECORD, .doc = "a module", .fields = option_module_fields};

/* ---- struct lam_remote_options, and where metrics are served ---- */

#define SERVING(member) INTO(struct lam_runtime_serving, member)

static const struct lam_config_field serve_fields[] = {
    {.key = "endpoint",
        .kind = LAM_CONFIG_NAME,
        .doc = "under this name lamina module and others find the host; default runtime",
        SERVING(remote.endpoint)},
    {.key = "directory",
        .kind = LAM_CONFIG_TEXT,
        .flags = OPTION_PATH,
        .doc = "where the socket is; default $LAMINA_RUN_DIR, or what Lamina has instead",
        .min = 1,
        .max = 400,
        SERVING(remote.directory)},
    {.key = "clients",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "clients at a time; default 16",
        .min = 1,
        .max = UINT32_MAX,
        SERVING(remote.clients_max)},
    {.key = "threads",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "requests that run at once; default 4",
        .min = 1,
        .max = LAM_REMOTE_THREADS_MAX,
        SERVING(remote.threads)},
    {.key = "queue",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "requests that run or wait; default 64",
        .min = 1,
        .max = LAM_REMOTE_QUEUE_MAX,
        SERVING(remote.queue_max)},
    {.key = "changes",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: clients may load, reload and unload, and so run code as this process",
        SERVING(remote.lets_change)},
    {.key = "bytes",
        .kind = LAM_CONFIG_BYTES,
        .doc = "the largest request, and the largest answer; default 1MiB",
        .min = 1,
        .max = LAM_REMOTE_BYTES_MAX,
        SERVING(remote.bytes_max)},
    {.key = "call",
        .kind = LAM_CONFIG_DURATION,
        .doc = "no call's deadline is later; default 30s",
        .min = 1,
        .max = OPTION_HOUR,
        SERVING(remote.call_ns_max)},
    {0}};

static const struct lam_config_field metrics_fields[] = {
    {.key = "address",
        .kind = LAM_CONFIG_TEXT,
        .doc = "an address of this machine, in numbers; default 127.0.0.1",
        .min = 1,
        .max = 64,
        INTO(struct lam_runtime_metrics, address)},
    {.key = "port",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "a port; default any that is free",
        .min = 1,
        .max = 65535,
        INTO(struct lam_runtime_metrics, port)},
    {.key = "socket",
        .kind = LAM_CONFIG_TEXT,
        .flags = OPTION_PATH,
        .doc = "a Unix socket, instead of address and port",
        .min = 1,
        .max = 100,
        INTO(struct lam_runtime_metrics, socket)},
    {0}};

/* ---- struct lam_runtime_options ---- */

static const struct lam_config_field sum_item = {
    .key = "sum", .kind = LAM_CONFIG_TEXT, .doc = "64 hexadecimal digits", .min = 64, .max = 64};

#define TOP(member) INTO(struct option_top, member)

static const struct lam_config_field root_fields[] = {
    {.key = "directories",
        .kind = LAM_CONFIG_LIST,
        .flags = OPTION_PATH,
        .doc = "where modules are looked for by name, in this order; default none",
        .min = 1,
        .max = 64,
        .fields = &option_path_item,
        TOP(runtime.directories)},
    {.key = "registry",
        .kind = LAM_CONFIG_TEXT,
        .flags = OPTION_PATH,
        .doc = "a file that lists modules by name and version; names are looked for there first",
        .min = 1,
        .max = 4000,
        TOP(registry)},
    {.key = "checks_owner",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: only files of root and of this user that nobody else may write",
        TOP(runtime.checks_owner)},
    {.key = "allowed_sha256",
        .kind = LAM_CONFIG_LIST,
        .flags = OPTION_SPACED,
        .doc = "the sums of all that may run; default any",
        .min = 1,
        .max = 512,
        .fields = &sum_item,
        TOP(runtime.allowed_sha256)},
    {.key = "worker",
        .kind = LAM_CONFIG_TEXT,
        .flags = OPTION_PATH,
        .doc = "the program of workers; default lamina_worker beside this program, or where Lamina "
               "is installed",
        .min = 1,
        .max = 4000,
        TOP(runtime.worker)},
    {.key = "depth",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "calls within calls; default 5",
        .min = 1,
        .max = LAM_RUNTIME_DEPTH_MAX,
        TOP(runtime.depth_max)},
    {.key = "arena",
        .kind = LAM_CONFIG_BYTES,
        .doc = "memory that each call may take; default 64KiB",
        .min = 1,
        .max = 1 << 20,
        TOP(runtime.arena_bytes)},
    {.key = "drain",
        .kind = LAM_CONFIG_DURATION,
        .doc = "how long a code that was replaced may finish its calls; default 30s",
        .min = 1,
        .max = OPTION_HOUR,
        TOP(runtime.drain_ns)},
    {.key = "trace",
        .kind = LAM_CONFIG_RECORD,
        .flags = OPTION_POINTER,
        .doc = "spans of calls; without it off",
        .max = sizeof(struct lam_trace_options),
        .fields = option_trace_fields,
        TOP(runtime.trace)},
    {.key = "serve",
        .kind = LAM_CONFIG_RECORD,
        .doc = "the endpoint at which lamina module host serves",
        .fields = serve_fields,
        TOP(serving)},
    {.key = "metrics",
        .kind = LAM_CONFIG_RECORD,
        .flags = OPTION_POINTER,
        .doc = "metrics for Prometheus over HTTP, at /metrics; without it none",
        .max = sizeof(struct lam_runtime_metrics),
        .fields = metrics_fields,
        TOP(serving.metrics)},
    {.key = "modules",
        .kind = LAM_CONFIG_MAP,
        .fallback = "",
        .doc = "what is loaded, by the name that it has here, in this order",
        .max = LAM_RUNTIME_MODULES_MAX,
        .fields = &module_row},
    {0}};

const struct lam_config_field option_root = {
    .key = "runtime", .kind = LAM_CONFIG_RECORD, .doc = "one runtime", .fields = root_fields};

const struct lam_config_field *lam_runtime_config_table(void)
{
    return &option_root;
}
