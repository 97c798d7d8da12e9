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

/*
 * Three descriptors: from the first comes what this call does; where that is 'b' it waits for a
 * byte from the second, where that is 'f' for one from the third, and fails. Answers what it did,
 * as often as there is room.
 */
static int race(struct lam_call *call)
{
    int fds[3];
    char what, byte;

    memcpy(fds, call->request, sizeof(fds));
    if (read(fds[0], &what, 1) != 1 || (what == 'b' && read(fds[1], &byte, 1) != 1))
        return -EIO;
    if (what == 'f') {
        if (read(fds[2], &byte, 1) != 1)
            return -EIO;
        call->reply_bytes = call->reply_capacity + 1;
        return 0;
    }
    memset(call->reply, what, call->reply_capacity);
    call->reply_bytes = call->reply_capacity;
    return 0;
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
    METHOD(race, "race", LAM_METHOD_IDEMPOTENT)                                                    \
    METHOD(race, "alone", 0)                                                                       \
    METHOD(die, "die", 0)

LAM_MODULE("flaky", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
