/* SPDX-License-Identifier: Apache-2.0 */
#include "path/limits_quota.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/sleep.h"

/* ---- callers ---- */

void lam_limits_open_quota(
    struct limits_quota *quota, uint32_t calls, uint64_t bytes, uint32_t queue_max)
{
    lam_gate_init(&quota->calls, calls, queue_max);
    lam_gate_init(&quota->bytes, bytes, queue_max);
}

void lam_limits_close_quota(struct limits_quota *quota)
{
    lam_gate_fini(&quota->calls);
    lam_gate_fini(&quota->bytes);
}

static struct limits_caller *make_caller(const struct lam_limits *limits, const char *name)
{
    const struct lam_limits_options *options = &limits->options;
    struct limits_caller *caller = aligned_alloc(64, sizeof(*caller));

    if (caller == NULL)
        return NULL;
    memset(caller, 0, sizeof(*caller));
    memcpy(caller->name, name, strnlen(name, sizeof(caller->name) - 1));
    lam_limits_open_quota(
        &caller->quota, options->caller_calls_max, options->caller_bytes_max, options->queue_max);
    lam_bucket_init(&caller->quota.rate, options->caller_calls_per_s, options->caller_burst,
        options->queue_max);
    return caller;
}

void lam_limits_end_caller(struct limits_caller *caller)
{
    lam_limits_close_quota(&caller->quota);
    free(caller);
}

/* The one of that name, made when it first calls. NULL: no memory, or too many of them. */
static struct limits_caller *find_caller(struct lam_limits *limits, const char *name)
{
    uint32_t hash = lam_method_id(name);

    for (uint32_t i = 0; i < LIMITS_CALLER_PLACES; i++) {
        lam_atomic_u64 *place = &limits->callers[(hash + i) % LIMITS_CALLER_PLACES];
        /* C2, pairs with C1: the caller is complete. */
        uint64_t found = lam_load_acquire(place);
        struct limits_caller *caller = (struct limits_caller *)(uintptr_t)found;

        if (caller == NULL) {
            caller = make_caller(limits, name);
            if (caller == NULL || lam_cas_acq_rel(place, &found, (uint64_t)(uintptr_t)caller))
                return caller; /* C1 */
            lam_limits_end_caller(caller);
            caller = (struct limits_caller *)(uintptr_t)found;
        }
        if (strncmp(caller->name, name, sizeof(caller->name) - 1) == 0)
            return caller;
    }
    return NULL;
}

/* ---- in and out ---- */

static int is_within(const struct lam_frame *frame)
{
    const struct lam_frame *outer = frame->outer;

    while (outer != NULL && outer->module != frame->module)
        outer = outer->outer;
    return outer != NULL;
}

/* Tokens of both, and the time when they are there. Returns 0, or which has none. */
static enum lam_limit take_tokens(
    struct lam_limits *limits, const struct limits_pass *pass, uint64_t deadline_ns)
{
    struct lam_bucket *own = pass->caller != NULL ? &pass->caller->quota.rate : NULL;
    uint64_t now_ns = lam_clock_now_ns(), at_ns = now_ns, own_ns = now_ns;

    if (own != NULL && own->token_ns != 0 && !lam_bucket_take(own, now_ns, deadline_ns, &own_ns))
        return LAM_LIMIT_CALLER_RATE;
    if (limits->quota.rate.token_ns != 0 &&
        !lam_bucket_take(&limits->quota.rate, now_ns, deadline_ns, &at_ns)) {
        if (own != NULL && own->token_ns != 0)
            lam_bucket_give_back(own);
        return LAM_LIMIT_RATE;
    }
    if (own_ns > at_ns)
        at_ns = own_ns;
    if (at_ns > now_ns)
        lam_sleep_until(at_ns);
    return LAM_LIMIT_NONE;
}

static void leave_quota(struct limits_quota *quota, uint64_t bytes)
{
    lam_gate_leave(&quota->bytes, bytes);
    lam_gate_leave(&quota->calls, 1);
}

void lam_limits_leave(struct lam_limits *limits, const struct limits_pass *pass)
{
    if (pass->is_within)
        return;
    leave_quota(&limits->quota, pass->bytes);
    if (pass->caller != NULL)
        leave_quota(&pass->caller->quota, pass->bytes);
}

/* A place and so many bytes. Returns 0, or -EAGAIN or -ETIMEDOUT and *@is_bytes: of which. */
static int enter_quota(
    struct limits_quota *quota, uint64_t bytes, uint64_t deadline_ns, int *is_bytes)
{
    int rc = lam_gate_enter(&quota->calls, 1, deadline_ns);

    *is_bytes = 0;
    if (rc != 0)
        return rc;
    rc = lam_gate_enter(&quota->bytes, bytes, deadline_ns);
    if (rc != 0) {
        *is_bytes = 1;
        lam_gate_leave(&quota->calls, 1);
    }
    return rc;
}

/* Into both. Returns 0, or where there is no room, and *@rc: -EAGAIN or -ETIMEDOUT. */
static enum lam_limit enter_quotas(
    struct lam_limits *limits, const struct limits_pass *pass, uint64_t deadline_ns, int *rc)
{
    struct limits_caller *caller = pass->caller;
    int is_bytes = 0;

    *rc = caller != NULL ? enter_quota(&caller->quota, pass->bytes, deadline_ns, &is_bytes) : 0;
    if (*rc != 0)
        return is_bytes ? LAM_LIMIT_CALLER_BYTES : LAM_LIMIT_CALLER_CALLS;
    *rc = enter_quota(&limits->quota, pass->bytes, deadline_ns, &is_bytes);
    if (*rc == 0)
        return LAM_LIMIT_NONE;
    if (caller != NULL)
        leave_quota(&caller->quota, pass->bytes);
    return is_bytes ? LAM_LIMIT_BYTES : LAM_LIMIT_CALLS;
}

/* The request, and the room that is lent for the answer. */
static uint64_t bytes_of(const struct lam_limits *limits, const struct lam_call *call)
{
    uint64_t most = limits->options.reply_bytes_max, room = call->reply_capacity, bytes;

    if (most != 0 && room > most)
        room = most;
    return __builtin_add_overflow(call->request_bytes, room, &bytes) ? UINT64_MAX : bytes;
}

enum lam_limit lam_limits_enter(
    struct lam_limits *limits, const struct lam_frame *frame, struct limits_pass *pass, int *rc)
{
    enum lam_limit limit = LAM_LIMIT_NONE;

    *rc = -EAGAIN;
    *pass = (struct limits_pass){.bytes = bytes_of(limits, &frame->call),
        .is_within = frame->outer != NULL && is_within(frame)};
    if (limits->has_callers) {
        pass->caller = find_caller(limits, frame->call.caller);
        if (pass->caller == NULL)
            return LAM_LIMIT_CALLER_CALLS;
    }
    if (!pass->is_within)
        limit = enter_quotas(limits, pass, frame->call.deadline_ns, rc);
    if (limit != LAM_LIMIT_NONE || !limits->has_rate)
        return limit;
    limit = take_tokens(limits, pass, frame->call.deadline_ns);
    if (limit != LAM_LIMIT_NONE) {
        *rc = -EAGAIN;
        lam_limits_leave(limits, pass);
    }
    return limit;
}

static uint32_t pressure_of(const struct limits_quota *quota, uint64_t now_ns)
{
    uint32_t calls = lam_gate_pressure(&quota->calls);
    uint32_t bytes = lam_gate_fullness(&quota->bytes);
    uint32_t rate = quota->rate.token_ns != 0 ? lam_bucket_pressure(&quota->rate, now_ns) : 0;

    calls = calls > bytes ? calls : bytes;
    return calls > rate ? calls : rate;
}

uint32_t lam_limits_pressure(const struct lam_limits *limits, const struct limits_caller *caller)
{
    uint64_t now_ns = limits->has_rate ? lam_clock_now_ns() : 0;
    uint32_t all = pressure_of(&limits->quota, now_ns);
    uint32_t own = caller != NULL ? pressure_of(&caller->quota, now_ns) : 0;

    return all > own ? all : own;
}
