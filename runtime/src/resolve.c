/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c: from what a user calls a module to its file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

int lam_resolve(
    const struct lam_runtime *runtime, const char *reference, char **path, struct lam_error *error)
{
    const char *at = runtime->directories;

    if (strchr(reference, '/') != NULL) {
        *path = strdup(reference);
        return *path != NULL ? 0 : lam_error_set(error, -ENOMEM, "out of memory");
    }
    if (*at == '\0')
        return lam_error_set(error, -ENOENT,
            "module %s: a name without a slash is looked for in directories, and none were given",
            reference);
    while (*at != '\0') {
        size_t length = strcspn(at, ":");

        if (asprintf(path, "%.*s/%s.so", (int)length, at, reference) < 0)
            return lam_error_set(error, -ENOMEM, "out of memory");
        if (access(*path, F_OK) == 0)
            return 0;
        free(*path);
        at += length + (at[length] == ':');
    }
    return lam_error_set(
        error, -ENOENT, "module %s: no %s.so in %s", reference, reference, runtime->directories);
}
