/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello: load a module, call it, replace its file, call it again.
 *
 *     hello_runtime FIRST.so SECOND.so
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lamina/runtime/runtime.h"

static int greet(struct lam_runtime_module *module)
{
    char text[64];
    struct lam_module_call call = {"world", 5, text, sizeof(text), 0};
    int rc = lam_module_call(module, "greet", &call);

    return rc != 0 ? rc : printf("%s: %s\n", lam_runtime_describe(module)->name, text) < 0;
}

int main(int argc, char **argv)
{
    struct lam_error error = {""};
    struct lam_runtime_module *module;
    char file[64];
    int rc;

    if (argc != 3)
        return fprintf(stderr, "usage: hello_runtime FIRST.so SECOND.so\n") != 0;
    (void)snprintf(file, sizeof(file), "/tmp/lamina-hello-%ld.so", (long)getpid());
    if (symlink(argv[1], file) != 0 || lam_runtime_load(&module, file, &error) != 0)
        return fprintf(stderr, "%s: %s\n", file, error.text) != 0;
    rc = greet(module);
    if (unlink(file) != 0 || symlink(argv[2], file) != 0)
        perror(file);
    if (lam_runtime_refresh(module, &error) != 1)
        return fprintf(stderr, "%s: %s\n", file, error.text) != 0;
    rc |= greet(module);
    lam_runtime_unload(module);
    return unlink(file) != 0 || rc != 0;
}
