/* SPDX-License-Identifier: Apache-2.0 */
/*
 * any.c: a module with one method of its own, and one for every other id, which answers with that;
 * "deadline" with its own.
 */
#include "lamina/runtime/module.h"

static int known(struct lam_call *call)
{
    return lam_call_answer(call, NULL, 0);
}

static int others(struct lam_call *call)
{
    if (call->method == LAM_METHOD_ID("deadline"))
        return lam_call_answer(call, &call->deadline_ns, sizeof(call->deadline_ns));
    return lam_call_answer(call, &call->method, sizeof(call->method));
}

#define METHODS(METHOD)                                                                            \
    METHOD(known, "known", 0)                                                                      \
    METHOD(others, LAM_METHOD_ANY, 0)
LAM_MODULE("any", LAM_VERSION(1, 0, 0), METHODS, .features = 0);
