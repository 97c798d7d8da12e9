/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.c: a module with a state, which its next code takes over.
 *
 *     cc -shared -fPIC -O2 -o counter.so counter.c
 *
 * It has no LAM_MODULE_CONCURRENT: the host lets one call in at a time, and nothing here is atomic.
 *
 *     add   a little-endian int64 to the counter; get   nothing. The answer is the counter.
 *     -EINVAL the request is not of that length; -ERANGE it would not fit, and stays as it was
 */
#include <stdlib.h>

#include "lamina/runtime/module.h"

struct counter {
    int64_t value;
};

static int start(struct lam_call *call)
{
    call->state = calloc(1, sizeof(struct counter));
    return call->state != NULL ? 0 : -ENOMEM;
}

static int stop(struct lam_call *call)
{
    free(call->state);
    return 0;
}

/* What is saved is read by another build, so its form is said: a little-endian int64. */
static int answer(struct lam_call *call)
{
    const struct counter *counter = (const struct counter *)call->state;
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)counter->value >> (8 * i));
    return lam_call_answer(call, bytes, sizeof(bytes));
}

static int64_t number(const struct lam_call *call)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value |= (uint64_t)((const uint8_t *)call->request)[i] << (8 * i);
    return (int64_t)value;
}

static int add(struct lam_call *call)
{
    struct counter *counter = (struct counter *)call->state;
    int64_t sum;

    if (call->request_bytes != 8)
        return -EINVAL;
    if (__builtin_add_overflow(counter->value, number(call), &sum))
        return -ERANGE;
    counter->value = sum;
    (void)lam_call_gauge(call, "value", (uint64_t)sum);
    return answer(call);
}

static int get(struct lam_call *call)
{
    return call->request_bytes == 0 ? answer(call) : -EINVAL;
}

static int restore(struct lam_call *call)
{
    if (call->request_bytes != 8)
        return -EINVAL;
    ((struct counter *)call->state)->value = number(call);
    return 0;
}

#define METHODS(METHOD) METHOD(add, "add", 0) METHOD(get, "get", LAM_METHOD_IDEMPOTENT)

LAM_MODULE("counter", LAM_VERSION(1, 0, 0), METHODS, .init = start, .shutdown = stop,
    .save = answer, .restore = restore);
