/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flaky.c: a module whose methods fail as often as the last "fail" said, then answer how often they
 * were called since.
 */
#include <stdlib.h>
#include <unistd.h>

#include "lamina/runtime/module.h"

struct plan {
    int32_t failures; /* calls that fail yet */
    int32_t kind;     /* 0: by a result; 1: by an answer that cannot be; */
};

static struct plan plan;
static uint32_t calls;

static int fail(struct lam_call *call)
{
    if (call->request_bytes != sizeof(plan))
        return -EINVAL;
    memcpy(&plan, call->request, sizeof(plan));
    calls = 0;
    return 0;
}

/* It needs no more room than it says, also where it fails. */
static int answer(struct lam_call *call)
{
    calls++;
    if (plan.failures == 0)
        return lam_call_answer(call, &calls, sizeof(calls));
    plan.failures--;
    if (plan.kind == 0)
        return -EAGAIN;
    call->reply_bytes = call->reply_capacity + 1;
    return 0;
}

static int count(struct lam_call *call)
{
    return lam_call_answer(call, &calls, sizeof(calls));
}

/* The deadline that it was given. */
static int deadline(struct lam_call *call)
{
    return lam_call_answer(call, &call->deadline_ns, sizeof(call->deadline_ns));
}

static int die(struct lam_call *call)
{
    (void)call;
    abort();
}

#define METHODS(METHOD)                                                                            \
    METHOD(fail, "fail", 0)                                                                        \
    METHOD(answer, "safe", LAM_METHOD_IDEMPOTENT)                                                  \
    METHOD(answer, "once", 0)                                                                      \
    METHOD(count, "calls", 0)                                                                      \
    METHOD(deadline, "deadline", 0)                                                                \
    METHOD(deadline, "patient", 0)                                                                 \
    METHOD(die, "die", 0)

LAM_MODULE("flaky", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
