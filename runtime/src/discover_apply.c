/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover_apply.c: what a name's files are now, and what its module has to become.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "discover.h"

#define SUFFIX ".so"

int lam_discover_parse(const char *file, char name[LAM_NAME_BYTES_MAX])
{
    size_t bytes = strlen(file), dash;
    struct lam_version version;

    if (file[0] == '.' || bytes <= strlen(SUFFIX) ||
        strcmp(file + bytes - strlen(SUFFIX), SUFFIX) != 0)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)file[i] < ' ' || file[i] == 0x7f || file[i] == '@')
            return 0;
    for (dash = bytes; dash-- > 0;)
        if (file[dash] == '-')
            break;
    if (dash == 0 || dash > bytes || lam_resolve_fits(file, file, dash, &version) != 2)
        dash = 0;
    bytes = dash != 0 ? dash : bytes - strlen(SUFFIX);
    if (bytes >= LAM_NAME_BYTES_MAX)
        return 0;
    memset(name, 0, LAM_NAME_BYTES_MAX);
    memcpy(name, file, bytes);
    return dash != 0 ? 2 : 1;
}

/* Its newest version in @folder. Returns 1 or 0. */
static int find_newest(const char *folder, const char *name, struct lam_version *version)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    int is_found = 0;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        struct lam_version one;

        if (lam_resolve_fits(entry->d_name, name, strlen(name), &one) != 2 ||
            (is_found && lam_version_compare(one, *version) < 0))
            continue;
        *version = one;
        is_found = 1;
    }
    if (directory != NULL)
        (void)closedir(directory);
    return is_found;
}

/* A link that leads nowhere is there, too, and is told of. */
static int is_there(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* The file that counts. Returns 1 and fills @path, or 0 there is none. */
static int choose(const struct lam_discovery *discovery, const struct discover_name *name,
    char *path, size_t bytes)
{
    for (uint32_t i = 0; i < discovery->directory_count; i++) {
        const char *folder = discovery->directories[i];
        char text[LAM_VERSION_TEXT_BYTES];
        struct lam_version version;

        (void)snprintf(path, bytes, "%s/%s" SUFFIX, folder, name->name);
        if (is_there(path))
            return 1;
        if (name->has_versions && find_newest(folder, name->name, &version)) {
            (void)snprintf(path, bytes, "%s/%s-%s" SUFFIX, folder, name->name,
                lam_version_format(version, text));
            return 1;
        }
    }
    return 0;
}

static void count(struct lam_discovery *discovery, uint64_t *counter, int modules)
{
    LAM_ASSERT(pthread_mutex_lock(&discovery->lock) == 0);
    (*counter)++;
    discovery->stat.modules += (uint32_t)modules;
    LAM_ASSERT(pthread_mutex_unlock(&discovery->lock) == 0);
}

void lam_discover_tell(struct lam_discovery *discovery, const char *name, int rc, const char *text)
{
    const struct lam_runtime_options *options = &discovery->runtime->options;

    count(discovery, &discovery->stat.failures, 0);
    options->log(options->log_context, name, LAM_LEVEL_WARN, text, NULL, 0);
    lam_event_tell_name(discovery->runtime, name, LAM_EVENT_DISCOVERY, rc, text);
}

/* What is no regular file is not even opened. Returns 0 or -errno with @error. */
static int identify(const char *path, struct discover_file *file, struct lam_error *error)
{
    struct stat status;
    int rc = stat(path, &status) == 0 ? 0 : -errno;

    memset(file, 0, sizeof(*file));
    if (rc != 0 && lstat(path, &status) != 0) /* then the link itself */
        return lam_error_set(error, rc, "module %s: %s", path, strerror(-rc));
    *file = (struct discover_file){.device = status.st_dev,
        .inode = status.st_ino,
        .bytes = (uint64_t)status.st_size,
        .changed_ns =
            (uint64_t)status.st_mtim.tv_sec * LAM_NS_PER_S + (uint64_t)status.st_mtim.tv_nsec};
    if (rc != 0)
        return lam_error_set(error, rc, "module %s: %s", path, strerror(-rc));
    if (!S_ISREG(status.st_mode))
        return lam_error_set(error, -ENOEXEC, "module %s: not a regular file", path);
    return 0;
}

static int is_same(const struct discover_file *a, const struct discover_file *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static int unload(struct lam_discovery *discovery, struct discover_name *name)
{
    struct lam_error error = {""};
    int rc = lam_runtime_unload(
        name->module, lam_deadline_after_ns(discovery->runtime->options.drain_ns), &error);

    name->waits = rc == -EBUSY;
    if (rc < 0 && rc != -ENODEV) {
        lam_discover_tell(discovery, name->name, rc, error.text);
        return 0;
    }
    name->module = NULL;
    count(discovery, &discovery->stat.unloads, -1);
    return 1;
}

static int load(struct lam_discovery *discovery, struct discover_name *name, const char *path,
    struct lam_error *error)
{
    struct lam_module_options options = discovery->options.module;
    int rc;

    options.name = name->name;
    rc = lam_runtime_load(discovery->runtime, path, &options, &name->module, error);
    if (rc == 0)
        count(discovery, &discovery->stat.loads, 1);
    else
        name->module = NULL;
    return rc;
}

static int reload(struct lam_discovery *discovery, struct discover_name *name, const char *path,
    struct lam_error *error)
{
    struct lam_reload_options options = {
        .reference = path, .keep_state = discovery->options.keeps_state};
    int rc = lam_runtime_reload(name->module, &options, error);

    if (rc >= 0)
        count(discovery, &discovery->stat.reloads, 0);
    return rc;
}

/* Load it, or reload it to what is at @path. Returns 1 it was, or 0. */
static int become(struct lam_discovery *discovery, struct discover_name *name, const char *path)
{
    struct lam_error error = {""};
    struct discover_file file;
    int rc = identify(path, &file, &error), is_forced = (int)name->is_forced;

    name->is_forced = 0;
    if (!is_forced && (is_same(&file, &name->failed) || is_same(&file, &name->loaded)))
        return 0;
    if (name->module != NULL && lam_runtime_find(discovery->runtime, name->name) != name->module) {
        name->module = NULL; /* somebody has unloaded it */
        count(discovery, &discovery->stat.unloads, -1);
    }
    if (name->module == NULL ? !discovery->options.loads : !discovery->options.reloads)
        return 0;
    if (rc == 0)
        rc = name->module == NULL ? load(discovery, name, path, &error)
                                  : reload(discovery, name, path, &error);
    name->waits = rc == -ENOENT;
    if (rc < 0) {
        name->failed = file;
        lam_discover_tell(discovery, name->name, rc, error.text);
        return 0;
    }
    name->loaded = file;
    memset(&name->failed, 0, sizeof(name->failed));
    return 1;
}

int lam_discover_apply(struct lam_discovery *discovery, struct discover_name *name)
{
    char path[4096];

    name->due_ns = LAM_DEADLINE_NEVER;
    if (choose(discovery, name, path, sizeof(path)))
        return become(discovery, name, path);
    memset(&name->failed, 0, sizeof(name->failed));
    memset(&name->loaded, 0, sizeof(name->loaded));
    name->waits = 0;
    return name->module != NULL && discovery->options.unloads ? unload(discovery, name) : 0;
}
