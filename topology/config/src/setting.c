/* SPDX-License-Identifier: Apache-2.0 */
/* What programs that read a file do around it: settings of a command line, the file's folder. */
#include "lamina/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTING_PATH_MAX 256

void lam_config_set(struct lam_config *config, const char *setting, const char *form)
{
    const char *equals = strchr(setting, '=');
    char path[SETTING_PATH_MAX];
    char origin[512];

    (void)snprintf(origin, sizeof(origin), "--set %s", setting);
    if (equals == NULL || equals == setting || (size_t)(equals - setting) >= sizeof(path)) {
        (void)lam_config_problem(config, NULL, "%s: a setting is written %s", origin, form);
        return;
    }
    memcpy(path, setting, (size_t)(equals - setting));
    path[equals - setting] = '\0';
    (void)lam_config_override(config, path, equals + 1, origin);
}

char *lam_config_folder(const char *name)
{
    const char *slash = strrchr(name, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(name, (size_t)(slash - name) + 1);
    char *real = folder != NULL ? realpath(folder, NULL) : NULL;

    /* A file that was read by another name than that of a file: the folder that we are in. */
    if (real == NULL && folder != NULL)
        real = realpath(".", NULL);
    free(folder);
    return real;
}
