/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.c: quotas on the way of a call, and what becomes of calls that find them used up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/limits_quota.h"

#define QUEUE_DEFAULT 64

/* ---- what is too much ---- */

static int refuse(struct lam_limits *limits, enum lam_limit limit, struct lam_module_reply *reply)
{
    (void)lam_add_acq_rel(&limits->refused[limit], 1);
    return lam_reply_fail(reply, LAM_FAILURE_LIMITED, (int32_t)limit, -ECANCELED);
}

/* Another method of the same code, past the limits. */
static int degrade_here(
    struct lam_limits *limits, enum lam_limit limit, struct lam_passage *passage)
{
    const struct lam_method *own = passage->method;
    struct lam_call *call = &passage->frame->call;
    uint32_t own_id = call->method;
    int rc;

    passage->method = lam_generation_serve(passage->generation, limits->fallback);
    if (passage->method == NULL) {
        passage->method = own;
        return refuse(limits, limit, passage->reply);
    }
    (void)lam_add_acq_rel(&limits->degraded, 1);
    call->method = limits->fallback;
    call->pressure = 1000;
    rc = lam_path_go_on(passage);
    call->method = own_id;
    passage->method = own;
    return rc;
}

static int degrade(struct lam_limits *limits, enum lam_limit limit, struct lam_passage *passage)
{
    const struct lam_call *call = &passage->frame->call;
    struct lam_module *other;

    if (limits->fallback_module[0] == '\0')
        return degrade_here(limits, limit, passage);
    other = lam_runtime_find(passage->frame->module->runtime, limits->fallback_module);
    if (other == NULL)
        return refuse(limits, limit, passage->reply);
    (void)lam_add_acq_rel(&limits->degraded, 1);
    return lam_call_run(other, call->caller,
        limits->fallback != 0 ? limits->fallback : call->method, call->request, call->request_bytes,
        passage->reply, call->deadline_ns);
}

/* With no more room for the answer than the quota. */
static int go_on_bounded(struct lam_limits *limits, struct lam_passage *passage)
{
    struct lam_module_reply *reply = passage->reply;
    uint64_t most = limits->options.reply_bytes_max, room = reply->capacity;
    int rc;

    if (most == 0)
        return lam_path_go_on(passage);
    if (room > most)
        passage->frame->call.reply_capacity = reply->capacity = most;
    rc = lam_path_go_on(passage);
    passage->frame->call.reply_capacity = reply->capacity = room;
    /* To ask again with more room would be in vain. */
    if (rc == -ENOSPC && reply->failure == LAM_FAILURE_NONE && reply->bytes > most)
        return refuse(limits, LAM_LIMIT_REPLY_BYTES, reply);
    return rc;
}

static int run(void *state, struct lam_passage *passage)
{
    struct lam_limits *limits = state;
    const struct lam_limits_options *options = &limits->options;
    struct lam_call *call = &passage->frame->call;
    enum lam_limit limit;
    struct limits_pass pass;
    int rc;

    if (options->request_bytes_max != 0 && call->request_bytes > options->request_bytes_max)
        return refuse(limits, LAM_LIMIT_REQUEST_BYTES, passage->reply);
    limit = lam_limits_enter(limits, passage->frame, &pass, &rc);
    if (__builtin_expect(limit != LAM_LIMIT_NONE, 0)) {
        if (rc == -ETIMEDOUT)
            return lam_reply_fail(passage->reply, LAM_FAILURE_BUSY, (int32_t)limit, rc);
        return options->full == LAM_LIMITS_DEGRADE ? degrade(limits, limit, passage)
                                                   : refuse(limits, limit, passage->reply);
    }
    call->pressure = lam_limits_pressure(limits, pass.caller);
    rc = go_on_bounded(limits, passage);
    lam_limits_leave(limits, &pass);
    return rc;
}

/* ---- open and close ---- */

static int is_name(const char *name)
{
    return name[0] != '\0' && strnlen(name, LAM_NAME_BYTES_MAX) < LAM_NAME_BYTES_MAX;
}

static int check_rates(
    const struct lam_limits_options *given, const char *name, struct lam_error *error)
{
    const struct {
        const char *name, *burst_name;
        uint64_t rate;
        uint32_t burst;
    } rates[] = {{"calls_per_s", "burst", given->calls_per_s, given->burst},
        {"caller_calls_per_s", "caller_burst", given->caller_calls_per_s, given->caller_burst}};

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        if (rates[i].rate > LAM_LIMITS_RATE_MAX)
            return lam_error_set(error, -EINVAL, "module %s: limits: %s is %llu, at most %llu",
                name, rates[i].name, (unsigned long long)rates[i].rate,
                (unsigned long long)LAM_LIMITS_RATE_MAX);
        if (rates[i].rate == 0 && rates[i].burst != 0)
            return lam_error_set(error, -EINVAL, "module %s: limits: %s is %u, but %s is not set",
                name, rates[i].burst_name, rates[i].burst, rates[i].name);
    }
    return 0;
}

static int check(const struct lam_limits_options *given, const char *name, struct lam_error *error)
{
    uint64_t most =
        given->bytes_max > given->caller_bytes_max ? given->bytes_max : given->caller_bytes_max;

    if (most > LAM_LIMITS_BYTES_MAX)
        return lam_error_set(error, -EINVAL,
            "module %s: limits: bytes_max or caller_bytes_max is %llu, at most %llu", name,
            (unsigned long long)most, (unsigned long long)LAM_LIMITS_BYTES_MAX);
    if ((unsigned)given->full > LAM_LIMITS_DEGRADE)
        return lam_error_set(
            error, -EINVAL, "module %s: limits: full is %d, at most 2", name, (int)given->full);
    if (given->queue_max != 0 && given->full != LAM_LIMITS_WAIT)
        return lam_error_set(error, -EINVAL,
            "module %s: limits: queue_max is %u, but full is not LAM_LIMITS_WAIT", name,
            given->queue_max);
    if (given->full != LAM_LIMITS_DEGRADE &&
        (given->fallback_module != NULL || given->fallback_method != NULL))
        return lam_error_set(error, -EINVAL,
            "module %s: limits: a fallback is named, but full is not LAM_LIMITS_DEGRADE", name);
    if (given->full == LAM_LIMITS_DEGRADE) {
        if (given->fallback_module == NULL && given->fallback_method == NULL)
            return lam_error_set(error, -EINVAL,
                "module %s: limits: full is LAM_LIMITS_DEGRADE, and no fallback is named", name);
        if ((given->fallback_module != NULL && !is_name(given->fallback_module)) ||
            (given->fallback_method != NULL && !is_name(given->fallback_method)))
            return lam_error_set(error, -EINVAL,
                "module %s: limits: the name of a fallback has to be of 1 to %d bytes", name,
                LAM_NAME_BYTES_MAX - 1);
    }
    return check_rates(given, name, error);
}

int lam_limits_copy(struct lam_limits_options **copy, const struct lam_limits_options *options,
    struct lam_error *error)
{
    int rc;

    *copy = NULL;
    if (options == NULL)
        return 0;
    rc = check(options, "*", error);
    if (rc == 0 && options->full == LAM_LIMITS_DEGRADE)
        rc = lam_error_set(error, -EINVAL,
            "module *: limits: full is LAM_LIMITS_DEGRADE, and a fallback is a module's own");
    if (rc != 0)
        return rc;
    *copy = malloc(sizeof(**copy));
    if (*copy == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for limits");
    **copy = *options;
    (*copy)->fallback_module = (*copy)->fallback_method = NULL;
    return 0;
}

static void fill_in(struct lam_limits *limits, const struct lam_limits_options *given)
{
    struct lam_limits_options *options = &limits->options;

    *options = *given;
    if (options->full == LAM_LIMITS_WAIT && options->queue_max == 0)
        options->queue_max = QUEUE_DEFAULT;
    if (given->full == LAM_LIMITS_DEGRADE && given->fallback_module != NULL)
        memcpy(limits->fallback_module, given->fallback_module, strlen(given->fallback_module));
    if (given->full == LAM_LIMITS_DEGRADE && given->fallback_method != NULL)
        limits->fallback = lam_method_id(given->fallback_method);
    options->fallback_module = options->fallback_method = NULL;
    limits->has_rate = given->calls_per_s != 0 || given->caller_calls_per_s != 0;
    limits->has_callers = given->caller_calls_max != 0 || given->caller_calls_per_s != 0 ||
                          given->caller_bytes_max != 0;
    lam_limits_open_quota(
        &limits->quota, options->calls_max, options->bytes_max, options->queue_max);
    lam_bucket_init(&limits->quota.rate, options->calls_per_s, options->burst, options->queue_max);
}

static int open_limits(void **state, struct lam_module *module,
    const struct lam_module_options *options, struct lam_error *error)
{
    const struct lam_limits_options *given = options->limits;
    struct lam_limits *limits;
    int rc;

    if (given == NULL)
        given = module->runtime->limits;
    if (given == NULL)
        return 0;
    rc = check(given, module->name, error);
    if (rc != 0)
        return rc;
    limits = aligned_alloc(64, sizeof(*limits));
    if (limits == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);
    memset(limits, 0, sizeof(*limits));
    fill_in(limits, given);
    *state = limits;
    return 1;
}

static void close_limits(void *state)
{
    struct lam_limits *limits = state;

    for (uint32_t i = 0; i < LIMITS_CALLER_PLACES; i++)
        if (lam_load_relaxed(&limits->callers[i]) != 0) /* relaxed: nobody calls */
            lam_limits_end_caller(
                (struct limits_caller *)(uintptr_t)lam_load_relaxed(&limits->callers[i]));
    lam_limits_close_quota(&limits->quota);
    free(limits);
}

const struct lam_stage_kind lam_stage_limits = {
    .name = "limits", .open = open_limits, .run = run, .close = close_limits};

int lam_limits_look(struct lam_module *module, struct lam_limits_stat *stat)
{
    struct lam_path *path = lam_path_of(module);
    const struct lam_limits *limits = lam_path_find(path, &lam_stage_limits);

    *stat = (struct lam_limits_stat){.inside = 0};
    if (limits != NULL) {
        stat->inside = (uint32_t)lam_gate_inside(&limits->quota.calls);
        stat->waiting =
            lam_gate_waiting(&limits->quota.calls) + lam_gate_waiting(&limits->quota.bytes);
        stat->bytes = lam_gate_inside(&limits->quota.bytes);
        stat->pressure = lam_limits_pressure(limits, NULL);
        /* Relaxed, both: they stand for themselves. */
        stat->degraded = lam_load_relaxed(&limits->degraded);
        for (uint32_t i = 0; i < LAM_LIMIT_COUNT; i++)
            stat->refused[i] = lam_load_relaxed(&limits->refused[i]);
    }
    lam_path_close(path);
    return limits != NULL ? 0 : -ENOENT;
}
