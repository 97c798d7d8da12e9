/* SPDX-License-Identifier: Apache-2.0 */
/*
 * greeter.c: a module. Built twice, with another word each time.
 */

#include <errno.h>
#include <stdio.h>

#include "lamina/runtime/module.h"

static int greet(
    const void *arguments, size_t bytes, void *result, size_t capacity, size_t *result_bytes)
{
    int length =
        snprintf(result, capacity, "%s, %.*s", GREETING, (int)bytes, (const char *)arguments);

    *result_bytes = (size_t)length;
    return *result_bytes < capacity ? 0 : -ENOSPC;
}

static const struct lam_module_method methods[] = {{"greet", greet}};

LAM_MODULE_EXPORT("greeter", GREETING, methods);
