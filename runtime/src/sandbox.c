/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c: what is asked of workers, and what they say became of it.
 */
#include "wish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define FILES_DEFAULT 1024
#define PATHS_BYTES   65536

const char *lam_sandbox_layer_name(enum lam_sandbox_layer layer)
{
    static const char *const names[LAM_SANDBOX_LAYERS] = {
        "privileges", "limits", "calls", "files", "users", "network", "ipc", "mounts", "pids"};

    return (unsigned)layer < LAM_SANDBOX_LAYERS ? names[layer] : "?";
}

/* Each path of "/a:/b" is absolute and there: a typing error would only be seen much later. */
static int check_paths(const char *field, const char *paths, struct lam_error *error)
{
    char one[4096];

    if (strlen(paths) >= PATHS_BYTES)
        return lam_error_set(
            error, -EINVAL, "sandbox.%s is longer than %d bytes", field, PATHS_BYTES - 1);
    while (*paths != '\0') {
        size_t length = strcspn(paths, ":");

        if (paths[0] != '/' || length >= sizeof(one))
            return lam_error_set(error, -EINVAL, "sandbox.%s: %.*s is not an absolute path", field,
                (int)length, paths);
        memcpy(one, paths, length);
        one[length] = '\0';
        if (access(one, F_OK) != 0)
            return lam_error_set(error, -errno, "sandbox.%s: %s: %s", field, one, strerror(errno));
        paths += length + (paths[length] == ':');
    }
    return 0;
}

static int check(const struct lam_sandbox_options *options, struct lam_error *error)
{
    uint32_t by_path = LAM_SANDBOX_BIT(LAM_SANDBOX_FILES) | LAM_SANDBOX_BIT(LAM_SANDBOX_MOUNTS);

    if ((options->layers & ~LAM_SANDBOX_ALL) != 0)
        return lam_error_set(error, -EINVAL, "sandbox.layers is 0x%x, of which 0x%x is no layer",
            options->layers, options->layers & ~LAM_SANDBOX_ALL);
    if (options->strict > 1 || options->network > 1)
        return lam_error_set(error, -EINVAL, "sandbox.%s is %u, and must be 0 or 1",
            options->strict > 1 ? "strict" : "network",
            options->strict > 1 ? options->strict : options->network);
    if (options->layers != 0 && (options->layers & by_path) == 0 &&
        (options->readable != NULL || options->writable != NULL))
        return lam_error_set(error, -EINVAL,
            "sandbox.%s is given, and neither files nor mounts is among the layers",
            options->readable != NULL ? "readable" : "writable");
    if (options->files != 0 && options->files < LAM_SANDBOX_FILES_MIN)
        return lam_error_set(error, -EINVAL, "sandbox.files is %u, and a worker needs %d at least",
            options->files, LAM_SANDBOX_FILES_MIN);
    if (options->network && (options->layers & LAM_SANDBOX_BIT(LAM_SANDBOX_NETWORK)) != 0)
        return lam_error_set(
            error, -EINVAL, "sandbox.network is 1, and the layer network would leave it none");
    return 0;
}

static uint64_t or_no_end(uint64_t value)
{
    return value == 0 ? UINT64_MAX : value;
}

int lam_sandbox_wish(const struct lam_sandbox_options *options, uint64_t memory_bytes,
    struct sandbox_wish **wish, struct lam_error *error)
{
    static const struct lam_sandbox_options defaults;
    const char *readable, *writable;
    uint64_t bytes;
    int rc;

    if (options == NULL)
        options = &defaults;
    readable = options->readable == NULL ? "" : options->readable;
    writable = options->writable == NULL ? "" : options->writable;
    rc = check(options, error);
    if (rc == 0)
        rc = check_paths("readable", readable, error);
    if (rc == 0)
        rc = check_paths("writable", writable, error);
    if (rc != 0)
        return rc;
    bytes = sizeof(**wish) + strlen(readable) + strlen(writable) + 2;
    *wish = calloc(1, bytes);
    if (*wish == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for a sandbox");
    **wish = (struct sandbox_wish){.bytes = (uint32_t)bytes,
        .layers = options->layers | LAM_SANDBOX_BIT(LAM_SANDBOX_PRIVILEGES),
        .memory_bytes =
            or_no_end(options->memory_bytes != 0 ? options->memory_bytes : memory_bytes),
        .file_bytes = or_no_end(options->file_bytes),
        .reply_bytes = or_no_end(options->reply_bytes),
        .cpu_s = options->cpu_s,
        .files = options->files == 0 ? FILES_DEFAULT : options->files,
        .processes = options->processes,
        .network = options->network,
        .strict = options->strict,
        .writable_at = (uint32_t)strlen(readable) + 1};
    if (options->layers == 0)
        (*wish)->layers = LAM_SANDBOX_DEFAULT;
    if (options->layers == 0 && (options->readable != NULL || options->writable != NULL))
        (*wish)->layers |= LAM_SANDBOX_BIT(LAM_SANDBOX_FILES);
    memcpy((*wish)->paths, readable, strlen(readable) + 1);
    memcpy((*wish)->paths + (*wish)->writable_at, writable, strlen(writable) + 1);
    return 0;
}

struct lam_sandbox *lam_sandbox_create(const struct sandbox_wish *wish)
{
    struct lam_sandbox *made = calloc(1, sizeof(*made) + wish->bytes);

    if (made == NULL)
        return NULL;
    memcpy(made + 1, wish, wish->bytes);
    made->wish = (const void *)(made + 1);
    return made;
}

static int is_sane(const struct lam_sandbox_state *state, uint32_t is_asked)
{
    return state->is_asked == is_asked && state->is_active <= is_asked && state->error <= 0 &&
           memchr(state->step, '\0', sizeof(state->step)) != NULL;
}

int lam_sandbox_take_report(
    struct lam_sandbox *sandbox, const void *bytes, uint64_t count, struct lam_error *error)
{
    struct lam_sandbox_report report;

    if (count != sizeof(report))
        return lam_error_set(error, -EPROTO, "a worker's report of its sandbox makes no sense");
    memcpy(&report, bytes, sizeof(report));
    for (uint32_t i = 0; i < LAM_SANDBOX_LAYERS; i++) {
        const struct lam_sandbox_state *state = &report.layers[i];
        const char *name = lam_sandbox_layer_name((enum lam_sandbox_layer)i);

        if (!is_sane(state, sandbox->wish->layers >> i & 1))
            return lam_error_set(
                error, -EPROTO, "a worker's report of its layer %s makes no sense", name);
        if (state->is_asked && !state->is_active && sandbox->wish->strict)
            return lam_error_set(error, -ENOTSUP,
                "the sandbox is strict, and its layer %s is not active: %s: %s", name, state->step,
                strerror(-state->error));
        if (sandbox->is_known && sandbox->report.layers[i].is_active && !state->is_active)
            return lam_error_set(error, -ENOTSUP,
                "the layer %s of the sandbox was active, and is not any more: %s: %s", name,
                state->step, strerror(-state->error));
    }
    if (!sandbox->is_known)
        sandbox->report = report;
    sandbox->is_known = 1;
    return 0;
}

int lam_module_sandbox(struct lam_module *module, struct lam_sandbox_report *report)
{
    const struct lam_generation *generation;
    int rc = 0;

    LAM_ASSERT(pthread_mutex_lock(&module->change) == 0);
    /* Relaxed: changed under the mutex, and never the gate there. */
    generation = (void *)(uintptr_t)lam_load_relaxed(&module->current);
    if (generation == NULL)
        rc = -ENODEV;
    else if (generation->sandbox == NULL)
        rc = -ENOTSUP;
    else
        *report = generation->sandbox->report;
    LAM_ASSERT(pthread_mutex_unlock(&module->change) == 0);
    for (uint32_t i = 0; rc >= 0 && i < LAM_SANDBOX_LAYERS; i++)
        rc += report->layers[i].is_asked && !report->layers[i].is_active;
    return rc;
}
