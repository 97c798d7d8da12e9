/* SPDX-License-Identifier: Apache-2.0 */
/*
 * math.c: numbers that come as bytes. A request is a row of little-endian int64.
 *
 *     cc -shared -fPIC -O2 -o math.so math.c
 *
 * A request is input: its length is looked at before it is read, and it need not be aligned.
 *
 *     add, mul   two numbers; sum   any number of them. The answer is one.
 *     -EINVAL    the request is not of that length
 *     -ERANGE    the result is no int64
 */
#include "lamina/runtime/module.h"

#define NUMBER_BYTES UINT64_C(8)

static int64_t number_at(const struct lam_call *call, uint64_t index)
{
    const uint8_t *at = (const uint8_t *)call->request + index * NUMBER_BYTES;
    uint64_t number = 0;

    for (uint64_t i = 0; i < NUMBER_BYTES; i++)
        number |= (uint64_t)at[i] << (8 * i);
    return (int64_t)number;
}

static int answer(struct lam_call *call, int64_t number)
{
    uint8_t bytes[NUMBER_BYTES];

    for (uint64_t i = 0; i < NUMBER_BYTES; i++)
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
    return lam_call_answer(call, bytes, sizeof(bytes));
}

static int add(struct lam_call *call)
{
    int64_t result;

    if (call->request_bytes != 2 * NUMBER_BYTES)
        return -EINVAL;
    if (__builtin_add_overflow(number_at(call, 0), number_at(call, 1), &result))
        return -ERANGE;
    return answer(call, result);
}

static int mul(struct lam_call *call)
{
    int64_t result;

    if (call->request_bytes != 2 * NUMBER_BYTES)
        return -EINVAL;
    if (__builtin_mul_overflow(number_at(call, 0), number_at(call, 1), &result))
        return -ERANGE;
    return answer(call, result);
}

static int sum(struct lam_call *call)
{
    int64_t result = 0;

    if (call->request_bytes % NUMBER_BYTES != 0)
        return -EINVAL;
    for (uint64_t i = 0; i < call->request_bytes / NUMBER_BYTES; i++)
        if (__builtin_add_overflow(result, number_at(call, i), &result))
            return -ERANGE;
    return answer(call, result);
}

#define PURE (LAM_METHOD_IDEMPOTENT | LAM_METHOD_CACHEABLE)
#define METHODS(METHOD)                                                                            \
    METHOD(add, "add", PURE)                                                                       \
    METHOD(mul, "mul", PURE)                                                                       \
    METHOD(sum, "sum", PURE)

LAM_MODULE("math", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
