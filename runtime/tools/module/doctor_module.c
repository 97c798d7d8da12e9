/* SPDX-License-Identifier: Apache-2.0 */
/* The module that `lamina module doctor` loads into a worker, to see what becomes of it there. */
#include "lamina/runtime/module.h"

static int echo(struct lam_call *call)
{
    return lam_call_answer(call, call->request, call->request_bytes);
}

#define METHODS(METHOD) METHOD(echo, "echo", LAM_METHOD_IDEMPOTENT)
LAM_MODULE("doctor", LAM_VERSION(1, 0, 0), METHODS, .features = 0);
