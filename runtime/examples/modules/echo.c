/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo.c: the smallest module: what came goes back.
 *
 *     cc -shared -fPIC -O2 -o echo.so echo.c
 *
 * It counts what it does under names of its own, and says in the log what it finds odd.
 */
#include "lamina/runtime/module.h"

static int echo(struct lam_call *call)
{
    (void)lam_call_count(call, "echoes", 1);
    (void)lam_call_measure(call, "echo_bytes", call->request_bytes);
    if (call->request_bytes == 0)
        lam_call_log(call, LAM_LEVEL_DEBUG, "an empty request");
    return lam_call_answer(call, call->request, call->request_bytes);
}

/* Who called, so that a caller sees what a module is told of it. */
static int whoami(struct lam_call *call)
{
    return lam_call_answer(call, call->caller, strlen(call->caller));
}

#define METHODS(METHOD)                                                                            \
    METHOD(echo, "echo", LAM_METHOD_IDEMPOTENT | LAM_METHOD_CACHEABLE)                             \
    METHOD(whoami, "whoami", LAM_METHOD_IDEMPOTENT)

LAM_MODULE("echo", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
