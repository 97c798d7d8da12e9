/* SPDX-License-Identifier: Apache-2.0 */
/*
 * any.c: a module with one method of its own, and one for every other id.
 */
#include "lamina/runtime/module.h"

static int known(struct lam_call *call)
{
    return lam_call_answer(call, NULL, 0);
}

static int others(struct lam_call *call)
{
    return lam_call_answer(call, &call->method, sizeof(call->method));
}

#define METHODS(METHOD)                                                                            \
    METHOD(known, "known", 0)                                                                      \
    METHOD(others, LAM_METHOD_ANY, 0)
LAM_MODULE("any", LAM_VERSION(1, 0, 0), METHODS, .features = 0);
