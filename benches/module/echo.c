/* SPDX-License-Identifier: Apache-2.0 */
/* The module that bench-module calls: it copies, and it passes on. */
#include "lamina/runtime/module.h"

static int echo(struct lam_call *call)
{
    return lam_call_answer(call, call->request, call->request_bytes);
}

/* A call within a call: what the module "echo" answers. */
static int relay(struct lam_call *call)
{
    struct lam_module_reply reply = {.data = call->reply, .capacity = call->reply_capacity};
    int rc = lam_call_module(
        call, "echo", LAM_METHOD_ID("echo"), call->request, call->request_bytes, &reply);

    call->reply_bytes = reply.bytes;
    return rc;
}

static void at_once(struct lam_call *calls, int32_t *results, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        results[i] = echo(lam_batch_at(calls, i));
}

#define METHODS(METHOD)                                                                            \
    METHOD(echo, "echo", LAM_METHOD_IDEMPOTENT) METHOD(relay, "relay", LAM_METHOD_IDEMPOTENT)
LAM_MODULE(
    "echo", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT, .batch = at_once);
