/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of what decides how many calls go where. */
#include "option.h"

/* ---- struct lam_limits_options ---- */

#define LIMITS(member) INTO(struct lam_limits_options, member)

/* By enum lam_limits_full. */
static const char *const fulls[] = {"shed", "wait", "degrade", NULL};

const struct lam_config_field option_limits_fields[] = {
    {.key = "calls",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "calls that are inside at a time; default no limit",
        .min = 1,
        .max = UINT32_MAX,
        LIMITS(calls_max)},
    {.key = "caller_calls",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "the same of one caller",
        .min = 1,
        .max = UINT32_MAX,
        LIMITS(caller_calls_max)},
    {.key = "calls_per_s",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "calls a second; default no limit",
        .min = 1,
        .max = LAM_LIMITS_RATE_MAX,
        LIMITS(calls_per_s)},
    {.key = "caller_calls_per_s",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "the same of one caller",
        .min = 1,
        .max = LAM_LIMITS_RATE_MAX,
        LIMITS(caller_calls_per_s)},
    {.key = "burst",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "of calls_per_s so many at once; default 1",
        .min = 1,
        .max = UINT32_MAX,
        LIMITS(burst)},
    {.key = "caller_burst",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "of caller_calls_per_s so many at once; default 1",
        .min = 1,
        .max = UINT32_MAX,
        LIMITS(caller_burst)},
    {.key = "request",
        .kind = LAM_CONFIG_BYTES,
        .doc = "the longest request; default no limit",
        .min = 1,
        .max = UINT64_C(1) << 40,
        LIMITS(request_bytes_max)},
    {.key = "reply",
        .kind = LAM_CONFIG_BYTES,
        .doc = "the longest answer; default no limit",
        .min = 1,
        .max = UINT64_C(1) << 40,
        LIMITS(reply_bytes_max)},
    {.key = "full",
        .kind = LAM_CONFIG_WORD,
        .doc = "what becomes of a call above a quota: shed fails, wait waits by its deadline, "
               "degrade calls the fallback; default shed",
        .words = fulls,
        LIMITS(full)},
    {.key = "queue",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "how many wait at each quota; default 64",
        .min = 1,
        .max = UINT32_MAX,
        LIMITS(queue_max)},
    {.key = "fallback_module",
        .kind = LAM_CONFIG_TEXT,
        .doc = "of degrade; default this one, without a limit",
        .min = 1,
        .max = LAM_NAME_BYTES_MAX - 1,
        LIMITS(fallback_module)},
    {.key = "fallback_method",
        .kind = LAM_CONFIG_TEXT,
        .doc = "of degrade; default the same",
        .min = 1,
        .max = LAM_NAME_BYTES_MAX - 1,
        LIMITS(fallback_method)},
    {0}};

/* ---- struct lam_trace_options ---- */

const struct lam_config_field option_trace_fields[] = {
    {.key = "ring",
        .kind = LAM_CONFIG_NUMBER,
        .flags = LAM_CONFIG_POWER_OF_TWO,
        .doc = "spans that are kept for lam_trace_read(); default none",
        .min = 1,
        .max = LAM_TRACE_RING_MAX,
        INTO(struct lam_trace_options, ring_spans)},
    {.key = "sample_every",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "one of so many calls is traced; default all",
        .min = 1,
        .max = UINT32_MAX,
        INTO(struct lam_trace_options, sample_every)},
    {0}};

/* ---- struct lam_pool_options ---- */

#define POOL(member) INTO(struct lam_pool_options, member)

/* By enum lam_pool_choice. */
static const char *const choices[] = {
    "round-robin", "least-loaded", "two-choices", "by-key", "random", NULL};

const struct lam_config_field option_pool_fields[] = {{.key = "min",
                                                          .kind = LAM_CONFIG_NUMBER,
                                                          .doc = "workers at least; default 1",
                                                          .min = 1,
                                                          .max = LAM_POOL_WORKERS_MAX,
                                                          POOL(workers_min)},
    {.key = "max",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "workers at most; default 4, or min if that is more",
        .min = 1,
        .max = LAM_POOL_WORKERS_MAX,
        POOL(workers_max)},
    {.key = "choice",
        .kind = LAM_CONFIG_WORD,
        .doc = "which worker a call goes to; default round-robin",
        .words = choices,
        POOL(choice)},
    {.key = "key_bytes",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "of by-key: so many bytes at the request's start; default all of it",
        .min = 1,
        .max = UINT32_MAX,
        POOL(key_bytes)},
    {.key = "load_up",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "thousandths of what all workers can do, above which one is added; default 800",
        .min = 1,
        .max = 1000000,
        POOL(load_up)},
    {.key = "load_down",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "and below which one is taken away; default 300",
        .min = 1,
        .max = 1000000,
        POOL(load_down)},
    {.key = "window",
        .kind = LAM_CONFIG_DURATION,
        .doc = "over which the load is seen; default 1s",
        .min = 1000000,
        .max = OPTION_HOUR,
        POOL(window_ns)},
    {.key = "cooldown",
        .kind = LAM_CONFIG_DURATION,
        .doc = "between two changes of their number; default 30s",
        .min = 1,
        .max = OPTION_HOUR,
        POOL(cooldown_ns)},
    {0}};

/* ---- struct lam_split_options, and between whom ---- */

#define SPLIT(member) INTO(struct option_split, options.member)

/* By enum lam_split_by. */
static const char *const keys[] = {"call", "caller", "request", NULL};

static const struct lam_config_field step_fields[] = {{.key = "percent",
                                                          .kind = LAM_CONFIG_NUMBER,
                                                          .flags = LAM_CONFIG_REQUIRED,
                                                          .doc = "of the calls, to the candidate",
                                                          .max = 100,
                                                          INTO(struct lam_split_step, percent)},
    {.key = "time",
        .kind = LAM_CONFIG_DURATION,
        .doc = "before the next step",
        .max = 1000 * OPTION_HOUR,
        INTO(struct lam_split_step, ns)},
    {0}};

static const struct lam_config_field step_row = {
    .key = "step", .kind = LAM_CONFIG_RECORD, .doc = "a step", .fields = step_fields};

const struct lam_config_field option_split_fields[] = {
    {.key = "candidate",
        .kind = LAM_CONFIG_NAME,
        .flags = LAM_CONFIG_REQUIRED,
        .doc = "the module that gets a share of the calls",
        INTO(struct option_split, candidate)},
    {.key = "steps",
        .kind = LAM_CONFIG_LIST,
        .flags = LAM_CONFIG_REQUIRED | OPTION_COUNT(struct option_split, options.step_count),
        .doc = "the share, step by step; the last one stays",
        .min = 1,
        .max = LAM_SPLIT_STEPS_MAX,
        .fields = &step_row,
        SPLIT(steps)},
    {.key = "by",
        .kind = LAM_CONFIG_WORD,
        .doc = "what goes to one side together: nothing, a caller's calls, or requests that begin "
               "alike; default call",
        .words = keys,
        SPLIT(by)},
    {.key = "key_bytes",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "of request: so many bytes at its start",
        .min = 1,
        .max = LAM_SPLIT_KEY_BYTES_MAX,
        SPLIT(key_bytes)},
    {.key = "failure_percent",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "from so many failures on the share is taken back; default 10",
        .min = 1,
        .max = 100,
        SPLIT(failure_percent)},
    {.key = "calls_min",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "of fewer calls in a window nothing is said; default 20",
        .min = 1,
        .max = UINT32_MAX,
        SPLIT(calls_min)},
    {.key = "promotes",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: behind the last step, which is 100, the candidate's code takes the module's "
               "place",
        SPLIT(promotes)},
    {.key = "window",
        .kind = LAM_CONFIG_DURATION,
        .doc = "over which failures are counted; default 10s",
        .min = 1,
        .max = OPTION_HOUR,
        SPLIT(window_ns)},
    {0}};
