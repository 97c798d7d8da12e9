/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calc.c: methods that are given values, not bytes; on the wire they are MessagePack.
 *
 *     lamina-schema -o calc.h calc.fbs
 *     cc -shared -fPIC -O2 -o calc.so calc.c $(pkg-config --cflags --libs lamina-codecs)
 *
 *     add, divide   Operands to Number; -ERANGE, -EDOM
 *     summarize     Row to Summary; -ERANGE
 *     keep          Operands, without results: their sum is kept
 *     recall        no arguments, to Number: what was kept last
 *     forget        neither: 0 is kept
 */
#include "calc.h"

#include "lamina/runtime/typed_method.h"

static int64_t kept;

static int add(struct lam_call *call, const struct calc_Operands *in, struct calc_Number *out)
{
    (void)call;
    out->label = in->label;
    return __builtin_add_overflow(in->a, in->b, &out->value) ? -ERANGE : 0;
}
LAM_TYPED_METHOD(add, msgpack, calc_Operands, calc_Number)

static int divide(struct lam_call *call, const struct calc_Operands *in, struct calc_Number *out)
{
    (void)call;
    if (in->b == 0 || (in->a == INT64_MIN && in->b == -1))
        return -EDOM;
    out->label = in->label;
    out->value = in->a / in->b;
    return 0;
}
LAM_TYPED_METHOD(divide, msgpack, calc_Operands, calc_Number)

static int summarize(struct lam_call *call, const struct calc_Row *in, struct calc_Summary *out)
{
    (void)call;
    out->count = in->numbers.count;
    for (uint32_t i = 0; i < in->numbers.count; i++) {
        int64_t number = in->numbers.data[i];

        if (__builtin_add_overflow(out->sum, number, &out->sum))
            return -ERANGE;
        out->least = i == 0 || number < out->least ? number : out->least;
        out->largest = i == 0 || number > out->largest ? number : out->largest;
    }
    return 0;
}
LAM_TYPED_METHOD(summarize, msgpack, calc_Row, calc_Summary)

static int keep(struct lam_call *call, const struct calc_Operands *in)
{
    (void)call;
    return __builtin_add_overflow(in->a, in->b, &kept) ? -ERANGE : 0;
}
LAM_TYPED_METHOD_IN(keep, msgpack, calc_Operands)

static int recall(struct lam_call *call, struct calc_Number *out)
{
    (void)call;
    out->value = kept;
    return 0;
}
LAM_TYPED_METHOD_OUT(recall, msgpack, calc_Number)

static int forget(struct lam_call *call)
{
    (void)call;
    kept = 0;
    return 0;
}
LAM_TYPED_METHOD_NONE(forget)

#define PURE (LAM_METHOD_IDEMPOTENT | LAM_METHOD_CACHEABLE)
#define METHODS(METHOD)                                                                            \
    METHOD(LAM_TYPED(add), "add", PURE)                                                            \
    METHOD(LAM_TYPED(divide), "divide", PURE)                                                      \
    METHOD(LAM_TYPED(summarize), "summarize", PURE)                                                \
    METHOD(LAM_TYPED(keep), "keep", LAM_METHOD_IDEMPOTENT)                                         \
    METHOD(LAM_TYPED(recall), "recall", LAM_METHOD_IDEMPOTENT)                                     \
    METHOD(LAM_TYPED(forget), "forget", LAM_METHOD_IDEMPOTENT)

/* Kept in a variable of all calls: so it takes one call at a time. */
LAM_MODULE("calc", LAM_VERSION(1, 0, 0), METHODS, .features = 0);
