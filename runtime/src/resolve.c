/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define SUFFIX ".so"

/* What is asked for. */
struct wanted {
    const char *reference;
    size_t name_bytes; /* of it, up to the @ */
    uint32_t has_range;
    struct lam_range range;
};

int lam_resolve_fits(
    const char *file, const char *name, size_t name_bytes, struct lam_version *version)
{
    char text[LAM_VERSION_TEXT_BYTES];
    size_t bytes = strlen(file), middle;

    if (bytes < name_bytes + strlen(SUFFIX) || strncmp(file, name, name_bytes) != 0 ||
        strcmp(file + bytes - strlen(SUFFIX), SUFFIX) != 0)
        return 0;
    middle = bytes - name_bytes - strlen(SUFFIX);
    if (middle == 0)
        return 1;
    if (file[name_bytes] != '-' || middle > sizeof(text))
        return 0;
    memcpy(text, file + name_bytes + 1, middle - 1);
    text[middle - 1] = '\0';
    return lam_version_parse(text, version) == 0 ? 2 : 0;
}

/* The newest NAME-VERSION.so of @folder that fits. Returns 1 and sets *@version, or 0. */
static int find_newest(const char *folder, const struct wanted *wanted, struct lam_version *version)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    int is_found = 0;

    if (directory == NULL)
        return 0;
    while ((entry = readdir(directory)) != NULL) {
        struct lam_version one;

        if (lam_resolve_fits(entry->d_name, wanted->reference, wanted->name_bytes, &one) != 2 ||
            !lam_range_has(&wanted->range, one) ||
            (is_found && lam_version_compare(one, *version) <= 0))
            continue;
        *version = one;
        is_found = 1;
    }
    (void)closedir(directory);
    return is_found;
}

/* Returns 1 it is there, 0, or -ENOMEM. */
static int take_plain(const char *folder, const struct wanted *wanted, struct lam_found *found)
{
    if (asprintf(
            &found->path, "%s/%.*s" SUFFIX, folder, (int)wanted->name_bytes, wanted->reference) < 0)
        return -ENOMEM;
    if (access(found->path, F_OK) == 0)
        return 1;
    free(found->path);
    return 0;
}

static int take_newest(const char *folder, const struct wanted *wanted, struct lam_found *found)
{
    char text[LAM_VERSION_TEXT_BYTES];

    if (!find_newest(folder, wanted, &found->version))
        return 0;
    if (asprintf(&found->path, "%s/%.*s-%s" SUFFIX, folder, (int)wanted->name_bytes,
            wanted->reference, lam_version_format(found->version, text)) < 0)
        return -ENOMEM;
    found->has_version = 1;
    return 1;
}

/* Who asks for a range wants the newest that fits; who does not, the one without a version. */
static int look_into(const char *folder, const struct wanted *wanted, struct lam_found *found)
{
    int rc =
        wanted->has_range ? take_newest(folder, wanted, found) : take_plain(folder, wanted, found);

    if (rc == 0)
        rc = wanted->has_range ? take_plain(folder, wanted, found)
                               : take_newest(folder, wanted, found);
    return rc;
}

static int look_into_all(
    const char *directories, const struct wanted *wanted, struct lam_found *found)
{
    int rc = 0;

    while (*directories != '\0' && rc == 0) {
        size_t length = strcspn(directories, ":");
        char *folder = strndup(directories, length);

        rc = folder == NULL ? -ENOMEM : look_into(folder, wanted, found);
        free(folder);
        directories += length + (directories[length] == ':');
    }
    return rc;
}

static int find(const struct lam_runtime *runtime, const struct wanted *wanted,
    struct lam_found *found, struct lam_error *error)
{
    struct lam_registry *registry = (struct lam_registry *)&runtime->registry;
    int rc =
        lam_registry_find(registry, wanted->reference, wanted->name_bytes, &wanted->range, found);

    if (rc == 0)
        rc = look_into_all(runtime->directories, wanted, found);
    if (rc < 0)
        return lam_error_set(error, rc, "out of memory");
    if (rc == 1)
        return 0;
    if (runtime->directories[0] == '\0')
        return lam_error_set(error, -ENOENT,
            "module %s: a name without a slash is looked for in the registry and in directories: "
            "it is not registered, and no directories were given",
            wanted->reference);
    return lam_error_set(error, -ENOENT, "module %s: no %.*s" SUFFIX "%s in %s", wanted->reference,
        (int)wanted->name_bytes, wanted->reference,
        wanted->has_range ? ", and no version of it that fits," : "", runtime->directories);
}

int lam_resolve(const struct lam_runtime *runtime, const char *reference, struct lam_found *found,
    struct lam_error *error)
{
    struct wanted wanted = {.reference = reference, .name_bytes = strcspn(reference, "@")};
    int rc;

    memset(found, 0, sizeof(*found));
    (void)lam_range_parse(&found->range, NULL, NULL); /* any */
    if (strchr(reference, '/') != NULL) {
        found->path = strdup(reference);
        return found->path != NULL ? 0 : lam_error_set(error, -ENOMEM, "out of memory");
    }
    if (wanted.name_bytes == 0)
        return lam_error_set(error, -EINVAL, "module \"%s\": it has no name", reference);
    wanted.has_range = reference[wanted.name_bytes] == '@';
    rc = lam_range_parse(
        &wanted.range, wanted.has_range ? reference + wanted.name_bytes + 1 : NULL, error);
    if (rc != 0)
        return lam_error_prefix(error, rc, "module %s: ", reference);
    rc = find(runtime, &wanted, found, error);
    found->range = wanted.range;
    return rc;
}

void lam_found_free(struct lam_found *found)
{
    free(found->path);
    found->path = NULL;
}

int lam_found_check(
    const struct lam_found *found, struct lam_version *version, struct lam_error *error)
{
    static const struct lam_version nothing;
    char named[LAM_VERSION_TEXT_BYTES], said[LAM_VERSION_TEXT_BYTES];

    if (found->has_version && lam_version_compare(*version, nothing) == 0)
        *version = found->version;
    if (found->has_version && lam_version_compare(*version, found->version) != 0)
        return lam_error_set(error, -EPROTO,
            "module %s: it was found as version %s, and says that it is %s", found->path,
            lam_version_format(found->version, named), lam_version_format(*version, said));
    if (!lam_range_has(&found->range, *version))
        return lam_error_set(error, -ENOENT,
            "module %s: it is version %s, which is not what was asked for", found->path,
            lam_version_format(*version, said));
    return 0;
}
