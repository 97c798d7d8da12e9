/* SPDX-License-Identifier: Apache-2.0 */
/* Where endpoints are. */
#include "lamina/framed/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int lam_endpoint_directory(char path[LAM_ENDPOINT_PATH_MAX + 1], struct lam_error *error)
{
    const char *set = getenv("LAMINA_RUN_DIR");
    const char *session = getenv("XDG_RUNTIME_DIR");
    int length;

    if (set != NULL && set[0] != '\0')
        length = snprintf(path, LAM_ENDPOINT_PATH_MAX + 1, "%s", set);
    else if (is_directory("/run/lamina"))
        length = snprintf(path, LAM_ENDPOINT_PATH_MAX + 1, "/run/lamina");
    else if (session != NULL && session[0] != '\0')
        length = snprintf(path, LAM_ENDPOINT_PATH_MAX + 1, "%s/lamina", session);
    else
        return lam_error_set(
            error, -ENOENT, "no directory for endpoints: set LAMINA_RUN_DIR, or make /run/lamina");
    if (length > LAM_ENDPOINT_PATH_MAX)
        return lam_error_set(error, -ENAMETOOLONG,
            "the directory for endpoints has a name of %d bytes: at most %d", length,
            LAM_ENDPOINT_PATH_MAX);
    return 0;
}
