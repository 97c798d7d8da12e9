/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stranger.c: a shared object that is no module, or with ABI one of another time.
 */
#ifdef ABI
#include "lamina/runtime/module.h"

static int echo(struct lam_call *call)
{
    return lam_call_answer(call, call->request, call->request_bytes);
}

static const struct lam_method methods[] = {{"echo", LAM_METHOD_ID("echo"), 0, echo}};
__attribute__((visibility("default"))) extern const struct lam_descriptor lam_module_descriptor;
const struct lam_descriptor lam_module_descriptor = {.bytes = sizeof(struct lam_descriptor),
    .abi = ABI,
    .method_count = 1,
    .method_bytes = sizeof(struct lam_method),
    .name = "test",
    .methods = methods,
    .dependency_bytes = sizeof(struct lam_dependency)};
#else
int nobody_looks_for_this(void);
int nobody_looks_for_this(void)
{
    return 0;
}
#endif
