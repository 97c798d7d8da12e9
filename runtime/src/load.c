/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c: modules through the dynamic loader.
 *
 * The loader knows objects by their name, and hands out the one that it has when a name comes
 * again. So each copy keeps its descriptor open as long as it is loaded: its name, which holds the
 * descriptor's number, is then nobody else's.
 */

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lamina/base/assert.h"
#include "lamina/runtime/runtime.h"
#include "linux/image.h"

/* One loaded copy. */
struct copy {
    int fd;
    void *handle;
    const struct lam_module_description *description;
    struct image_stamp stamp;
};

struct lam_runtime_module {
    struct copy copy;
    char path[];
};

static int refuse(
    const char *path, const char *field, uint64_t found, uint64_t expected, struct lam_error *error)
{
    return lam_error_set(error, -EPROTO, "module %s: %s is %llu, expected %llu: build it anew",
        path, field, (unsigned long long)found, (unsigned long long)expected);
}

/* Whatever the file says is input, until it has been looked at here. */
static int check(
    const char *path, const struct lam_module_description *description, struct lam_error *error)
{
    if (description->abi != LAM_MODULE_ABI)
        return refuse(path, "the ABI", description->abi, LAM_MODULE_ABI, error);
    if (description->description_bytes != sizeof(*description))
        return refuse(path, "the description's size", description->description_bytes,
            sizeof(*description), error);
    if (description->name == NULL || description->version == NULL)
        return lam_error_set(error, -EPROTO, "module %s has no name or no version", path);
    if (description->method_count > LAM_MODULE_METHODS_MAX ||
        (description->method_count > 0 && description->methods == NULL))
        return refuse(path, "the number of methods", description->method_count,
            LAM_MODULE_METHODS_MAX, error);
    for (uint32_t i = 0; i < description->method_count; i++)
        if (description->methods[i].name == NULL || description->methods[i].call == NULL)
            return lam_error_set(
                error, -EPROTO, "module %s: method %u has no name or no code", path, i);
    return 0;
}

static void close_copy(struct copy *copy)
{
    if (copy->handle != NULL)
        (void)dlclose(copy->handle);
    if (copy->fd >= 0)
        (void)close(copy->fd);
}

static int open_copy(struct copy *copy, const char *path, struct lam_error *error)
{
    char name[64];
    int rc = 0;

    memset(copy, 0, sizeof(*copy));
    copy->fd = image_copy(path, &copy->stamp, error);
    if (copy->fd < 0)
        return copy->fd;
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", copy->fd);
    copy->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (copy->handle != NULL)
        copy->description = dlsym(copy->handle, LAM_MODULE_SYMBOL);
    if (copy->description == NULL)
        rc = lam_error_set(error, -ENOEXEC, "module %s: %s", path, dlerror());
    else
        rc = check(path, copy->description, error);
    if (rc != 0)
        close_copy(copy);
    return rc;
}

int lam_runtime_load(struct lam_runtime_module **module, const char *path, struct lam_error *error)
{
    size_t path_bytes = strlen(path) + 1;
    struct lam_runtime_module *made = malloc(sizeof(*made) + path_bytes);
    int rc;

    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", path);
    memcpy(made->path, path, path_bytes);
    rc = open_copy(&made->copy, path, error);
    if (rc != 0) {
        free(made);
        return rc;
    }
    *module = made;
    return 0;
}

void lam_runtime_unload(struct lam_runtime_module *module)
{
    if (module == NULL)
        return;
    close_copy(&module->copy);
    free(module);
}

int lam_runtime_refresh(struct lam_runtime_module *module, struct lam_error *error)
{
    struct image_stamp now;
    struct copy fresh;
    int rc = image_stamp_of(module->path, &now, error);

    if (rc != 0 || memcmp(&now, &module->copy.stamp, sizeof(now)) == 0)
        return rc;
    rc = open_copy(&fresh, module->path, error);
    if (rc != 0)
        return rc;
    close_copy(&module->copy);
    module->copy = fresh;
    return 1;
}

const struct lam_module_description *lam_runtime_describe(const struct lam_runtime_module *module)
{
    return module->copy.description;
}

int lam_module_call(
    const struct lam_runtime_module *module, const char *method, struct lam_module_call *call)
{
    const struct lam_module_description *description = module->copy.description;

    for (uint32_t i = 0; i < description->method_count; i++) {
        size_t bytes = 0;
        int rc;

        if (strcmp(description->methods[i].name, method) != 0)
            continue;
        rc = description->methods[i].call(
            call->arguments, call->argument_bytes, call->result, call->result_capacity, &bytes);
        if (rc == 0 && bytes > call->result_capacity)
            return -EPROTO;
        if (rc == 0)
            call->result_bytes = bytes;
        return rc;
    }
    return -ENOENT;
}
