/* SPDX-License-Identifier: Apache-2.0 */
/*
 * greeter.c: a module. Built twice, with another word each time.
 */

#include <stdio.h>

#include "lamina/runtime/module.h"

static int greet(struct lam_call *call)
{
    char text[64];
    int length = snprintf(text, sizeof(text), "%s, %.*s", GREETING, (int)call->request_bytes,
        (const char *)call->request);

    return length < (int)sizeof(text) ? lam_call_answer(call, text, (uint64_t)length) : -EINVAL;
}

#define METHODS(METHOD) METHOD(greet, "greet", LAM_METHOD_IDEMPOTENT)
LAM_MODULE("greeter", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
