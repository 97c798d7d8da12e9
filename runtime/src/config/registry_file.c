/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_file.c: the registry as a file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/config/config.h"
#include "lamina/runtime/registry.h"
#include "lamina/runtime/version.h"

static const struct lam_config_field entry_fields[] = {{.key = "name",
                                                           .kind = LAM_CONFIG_TEXT,
                                                           .flags = LAM_CONFIG_REQUIRED,
                                                           .doc = "what references call it",
                                                           .min = 1,
                                                           .max = LAM_NAME_BYTES_MAX - 1},
    {.key = "version",
        .kind = LAM_CONFIG_TEXT,
        .flags = LAM_CONFIG_REQUIRED,
        .doc = "MAJOR.MINOR.PATCH, as the module says it",
        .max = LAM_VERSION_TEXT_BYTES - 1},
    {.key = "path",
        .kind = LAM_CONFIG_TEXT,
        .flags = LAM_CONFIG_REQUIRED,
        .doc = "its file, absolute or from the folder of this one",
        .min = 1,
        .max = 4095},
    {.key = "sha256",
        .kind = LAM_CONFIG_TEXT,
        .doc = "64 hexadecimal digits that its bytes must have; default: not checked",
        .min = 64,
        .max = 64},
    {0}};

static const struct lam_config_field entry_row[] = {
    {.key = "module", .kind = LAM_CONFIG_RECORD, .fields = entry_fields}, {0}};

static const struct lam_config_field fields[] = {{.key = "modules",
                                                     .kind = LAM_CONFIG_LIST,
                                                     .flags = LAM_CONFIG_REQUIRED,
                                                     .doc = "each module, version by version",
                                                     .max = LAM_REGISTRY_ENTRIES_MAX,
                                                     .fields = entry_row},
    {0}};

static const struct lam_config_field root_row = {
    .key = "registry", .kind = LAM_CONFIG_RECORD, .fields = fields};

/* A path of the file is from the file's own folder. */
static char *absolute(const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    char *whole;

    if (path[0] == '/')
        return strdup(path);
    if (asprintf(&whole, "%.*s/%s", slash == NULL ? 1 : (int)(slash - file),
            slash == NULL ? "." : file, path) < 0)
        return NULL;
    return whole;
}

static int take_entry(
    struct lam_config *config, const struct lam_config_node *node, struct lam_registry_entry *entry)
{
    const struct lam_config_node *version = lam_config_at(node, "version");
    const struct lam_config_node *sum = lam_config_at(node, "sha256");

    if (lam_version_parse(lam_config_text(version), &entry->version) != 0)
        return lam_config_problem(
            config, version, "\"%s\" is not MAJOR.MINOR.PATCH", lam_config_text(version));
    entry->name = lam_config_text(lam_config_at(node, "name"));
    entry->sha256 = sum != NULL ? lam_config_text(sum) : NULL;
    entry->path =
        absolute(lam_config_file_name(config), lam_config_text(lam_config_at(node, "path")));
    return entry->path != NULL ? 0 : -ENOMEM;
}

static int register_all(
    struct lam_runtime *runtime, struct lam_config *config, struct lam_error *error)
{
    const struct lam_config_node *list = lam_config_find(config, "modules");
    uint32_t count = lam_config_length(list), taken = 0;
    struct lam_registry_entry *entries = calloc(count + 1, sizeof(*entries));
    int rc = entries != NULL ? 0 : lam_error_set(error, -ENOMEM, "registry: out of memory");

    for (const struct lam_config_node *node = lam_config_first(list); node != NULL && rc == 0;
         node = lam_config_next(node))
        rc = take_entry(config, node, &entries[taken++]);
    if (rc == -EINVAL)
        (void)lam_error_set(error, rc, "%s", lam_config_report(config));
    if (rc == 0)
        rc = lam_runtime_register(runtime, entries, count, error);
    while (taken-- > 0)
        free((char *)entries[taken].path);
    free(entries);
    return rc;
}

int lam_runtime_read_registry(
    struct lam_runtime *runtime, const char *path, struct lam_error *error)
{
    struct lam_config *config;
    int rc = lam_config_create(&config, &root_row);

    if (rc != 0)
        return lam_error_set(error, rc, "registry %s: out of memory", path);
    rc = lam_config_read_file(config, path);
    if (rc == 0)
        rc = lam_config_check(config);
    if (rc != 0)
        (void)lam_error_set(error, rc, "%s", lam_config_report(config));
    else
        rc = register_all(runtime, config, error);
    lam_config_destroy(config);
    return rc;
}
