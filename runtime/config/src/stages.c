/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of what holds a module, and of what stands on the way of its calls. */
#include "option.h"

const struct lam_config_field option_path_item = {
    .key = "path", .kind = LAM_CONFIG_TEXT, .doc = "a path", .min = 1, .max = 4000};

static const struct lam_config_field method_item = {.key = "method",
    .kind = LAM_CONFIG_TEXT,
    .doc = "the name of a method",
    .min = 1,
    .max = LAM_NAME_BYTES_MAX - 1};

/* Of a duration: no end. */
static const char *const never[] = {"never", NULL};

/* ---- struct lam_sandbox_options ---- */

/* By enum lam_sandbox_layer. */
static const char *const sandbox_layers[] = {
    "privileges", "limits", "calls", "files", "users", "network", "ipc", "mounts", "pids", NULL};

static const struct lam_config_field sandbox_layer = {.key = "layer",
    .kind = LAM_CONFIG_WORD,
    .doc = "a layer; lamina module doctor says which this kernel has",
    .words = sandbox_layers};

const struct lam_config_field option_sandbox_fields[] = {
    {.key = "layers",
        .kind = LAM_CONFIG_LIST,
        .doc = "what is asked of the kernel; default privileges, limits, calls, and files where a "
               "path is given",
        .min = 1,
        .max = LAM_SANDBOX_LAYERS,
        .fields = &sandbox_layer,
        INTO(struct lam_sandbox_options, layers)},
    {.key = "strict",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: not loaded where a layer that is asked for is not active",
        INTO(struct lam_sandbox_options, strict)},
    {.key = "readable",
        .kind = LAM_CONFIG_LIST,
        .flags = OPTION_PATH,
        .doc = "files and folders that it may read and run; default what the loader needs",
        .min = 1,
        .max = 64,
        .fields = &option_path_item,
        INTO(struct lam_sandbox_options, readable)},
    {.key = "writable",
        .kind = LAM_CONFIG_LIST,
        .flags = OPTION_PATH,
        .doc = "files and folders that it may change; default none",
        .min = 1,
        .max = 64,
        .fields = &option_path_item,
        INTO(struct lam_sandbox_options, writable)},
    {.key = "memory",
        .kind = LAM_CONFIG_BYTES,
        .doc = "address space beyond what its worker needs itself; default no end",
        .min = 1,
        .max = UINT64_C(1) << 47,
        INTO(struct lam_sandbox_options, memory_bytes)},
    {.key = "file",
        .kind = LAM_CONFIG_BYTES,
        .doc = "the largest file that it may write; default no end",
        .min = 1,
        .max = UINT64_C(1) << 60,
        INTO(struct lam_sandbox_options, file_bytes)},
    {.key = "reply",
        .kind = LAM_CONFIG_BYTES,
        .doc = "the longest answer",
        .min = 1,
        .max = LAM_WORKER_REPLY_BYTES_MAX,
        INTO(struct lam_sandbox_options, reply_bytes)},
    {.key = "cpu_s",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "seconds of CPU time of a worker's life; default no end",
        .min = 1,
        .max = UINT32_MAX,
        INTO(struct lam_sandbox_options, cpu_s)},
    {.key = "files",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "open descriptors, of which its worker has 12 itself; default 1024",
        .min = LAM_SANDBOX_FILES_MIN,
        .max = UINT32_MAX,
        INTO(struct lam_sandbox_options, files)},
    {.key = "processes",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "processes beside its own; default none",
        .max = UINT32_MAX,
        INTO(struct lam_sandbox_options, processes)},
    {.key = "network",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: it may have sockets of its own",
        INTO(struct lam_sandbox_options, network)},
    {0}};

/* ---- struct lam_breaker_options ---- */

#define BREAKER(member) INTO(struct lam_breaker_options, member)

const struct lam_config_field option_breaker_fields[] = {
    {.key = "window",
        .kind = LAM_CONFIG_DURATION,
        .doc = "how far back is looked; default 10s",
        .min = 1,
        .max = OPTION_HOUR,
        BREAKER(window_ns)},
    {.key = "open",
        .kind = LAM_CONFIG_DURATION,
        .doc = "how long it stays open before probes; default 5s",
        .min = 1,
        .max = OPTION_HOUR,
        BREAKER(open_ns)},
    {.key = "slow",
        .kind = LAM_CONFIG_DURATION,
        .doc = "a call that takes longer is slow; default none is",
        .min = 1,
        .max = OPTION_HOUR,
        BREAKER(slow_ns)},
    {.key = "window_calls",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "nor more calls back than that; at least twice calls_min; default any number",
        .min = 1,
        .max = UINT32_MAX,
        BREAKER(window_calls)},
    {.key = "calls_min",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "of fewer calls nothing is said; default 20",
        .min = 1,
        .max = UINT32_MAX,
        BREAKER(calls_min)},
    {.key = "failure_percent",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "from so many failures on it opens; default 50",
        .min = 1,
        .max = 100,
        BREAKER(failure_percent)},
    {.key = "slow_percent",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "and from so many slow calls on; default 100; needs slow",
        .min = 1,
        .max = 100,
        BREAKER(slow_percent)},
    {.key = "probes",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "calls that are let in to find out whether it works again; default 1",
        .min = 1,
        .max = LAM_BREAKER_PROBES_MAX,
        BREAKER(probes)},
    {.key = "counts_results",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: what a method itself returns below zero is a failure, too",
        BREAKER(counts_results)},
    {.key = "resets_on_reload",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: a new generation begins with a closed one",
        BREAKER(resets_on_reload)},
    {.key = "follows_health",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: open while the module's health is not well, then probes; needs health",
        BREAKER(follows_health)},
    {0}};

/* ---- struct lam_cache_options ---- */

#define CACHE(member) INTO(struct lam_cache_options, member)

const struct lam_config_field option_cache_fields[] = {
    {.key = "bytes",
        .kind = LAM_CONFIG_BYTES,
        .doc = "kept at a time, requests and 96 bytes for each included; default 8MiB",
        .min = LAM_CACHE_BYTES_MIN,
        .max = UINT64_C(1) << 40,
        CACHE(bytes_max)},
    {.key = "ttl",
        .kind = LAM_CONFIG_DURATION,
        .doc = "how long an answer is kept; never: until others need its room; default 60s",
        .min = 1,
        .max = UINT64_MAX - 1,
        .words = never,
        CACHE(ttl_ns)},
    {.key = "error_ttl",
        .kind = LAM_CONFIG_DURATION,
        .doc = "the same of a status other than 0; default none is kept",
        .min = 1,
        .max = UINT64_MAX - 1,
        .words = never,
        CACHE(error_ttl_ns)},
    {.key = "methods",
        .kind = LAM_CONFIG_LIST,
        .flags = OPTION_ARRAY | OPTION_COUNT(struct lam_cache_options, method_count),
        .doc = "whose answers are kept; default those that their module calls cacheable",
        .min = 1,
        .max = LAM_METHODS_MAX,
        .fields = &method_item,
        CACHE(methods)},
    {.key = "shards",
        .kind = LAM_CONFIG_NUMBER,
        .flags = LAM_CONFIG_POWER_OF_TWO,
        .doc = "parts with a lock, and an order of use, of their own; default 1",
        .min = 1,
        .max = LAM_CACHE_SHARDS_MAX,
        CACHE(shard_count)},
    {0}};

/* ---- struct lam_batch_options ---- */

#define BATCH(member) INTO(struct lam_batch_options, member)

const struct lam_config_field option_batch_fields[] = {{.key = "calls",
                                                           .kind = LAM_CONFIG_NUMBER,
                                                           .doc = "calls in a batch; default 16",
                                                           .min = 2,
                                                           .max = LAM_BATCH_COUNT_MAX,
                                                           BATCH(count_max)},
    {.key = "wait",
        .kind = LAM_CONFIG_DURATION,
        .doc = "how long the first one waits, at most; default 50us",
        .min = 1,
        .max = OPTION_HOUR,
        BATCH(wait_ns)},
    {.key = "methods",
        .kind = LAM_CONFIG_LIST,
        .flags = OPTION_ARRAY | OPTION_COUNT(struct lam_batch_options, method_count),
        .doc = "whose calls are collected; default all",
        .min = 1,
        .max = LAM_METHODS_MAX,
        .fields = &method_item,
        BATCH(methods)},
    {0}};

/* ---- struct lam_health_options ---- */

#define HEALTH(member) INTO(struct lam_health_options, member)

/* LAM_HEALTH_BY_PROBE and LAM_HEALTH_BY_CALLS, bit by bit. */
static const char *const asked[] = {"probes", "calls", NULL};

static const struct lam_config_field asked_item = {
    .key = "by", .kind = LAM_CONFIG_WORD, .doc = "what is looked at", .words = asked};

const struct lam_config_field option_health_fields[] = {
    {.key = "by",
        .kind = LAM_CONFIG_LIST,
        .doc = "probes, calls, or both; default probes",
        .min = 1,
        .max = 2,
        .fields = &asked_item,
        HEALTH(by)},
    {.key = "failures",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "in a row that are too many; default 3",
        .min = 1,
        .max = UINT32_MAX,
        HEALTH(failures)},
    {.key = "successes",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "in a row until it is ready; default 2",
        .min = 1,
        .max = UINT32_MAX,
        HEALTH(successes)},
    {.key = "interval",
        .kind = LAM_CONFIG_DURATION,
        .doc = "between two probes; default 10s",
        .min = 1000000,
        .max = OPTION_HOUR,
        HEALTH(interval_ns)},
    {.key = "timeout",
        .kind = LAM_CONFIG_DURATION,
        .doc = "for each; default 5s",
        .min = 1,
        .max = OPTION_HOUR,
        HEALTH(timeout_ns)},
    {0}};
