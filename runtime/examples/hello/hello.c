/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello: load a module, call it, replace its code, call it again.
 *
 *     hello_runtime FIRST.so SECOND.so
 */

#include <stdio.h>

#include "lamina/runtime/runtime.h"

static int greet(struct lam_module *module)
{
    char text[64];
    struct lam_module_reply reply = {.data = text, .capacity = sizeof(text)};
    int rc =
        lam_module_call(module, LAM_METHOD_ID("greet"), "world", 5, &reply, LAM_DEADLINE_NEVER);

    return rc != 0 ? rc : printf("%.*s\n", (int)reply.bytes, text) < 0;
}

int main(int argc, char **argv)
{
    struct lam_reload_options second = {.reference = argc == 3 ? argv[2] : NULL};
    struct lam_error error = {""};
    struct lam_runtime *runtime = NULL;
    struct lam_module *module;
    int rc;

    if (argc != 3)
        return fprintf(stderr, "usage: hello_runtime FIRST.so SECOND.so\n") != 0;
    rc = lam_runtime_create(&runtime, NULL, &error);
    if (rc == 0)
        rc = lam_runtime_load(runtime, argv[1], NULL, &module, &error);
    if (rc == 0)
        rc = greet(module);
    if (rc == 0)
        rc = lam_runtime_reload(module, &second, &error);
    if (rc == 0)
        rc = greet(module);
    if (rc != 0)
        fprintf(stderr, "hello: %s\n", error.text);
    lam_runtime_destroy(runtime);
    return rc != 0;
}
