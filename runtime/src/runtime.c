/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.c: the modules of a runtime, by name.
 */
#include "lamina/runtime/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "discover.h"
#include "internal.h"
#include "linux/spawn.h"
#include "path/limits_quota.h"
#include "path/middleware.h"
#include "path/split.h"
#include "path/trace.h"
#include "trust.h"

#define DEPTH_DEFAULT 5
#define ARENA_DEFAULT (UINT64_C(64) << 10)
#define DRAIN_DEFAULT (30 * LAM_NS_PER_S)

static int fill_in(struct lam_runtime_options *options, struct lam_error *error)
{
    if (options->depth_max > LAM_RUNTIME_DEPTH_MAX)
        return lam_error_set(error, -EINVAL, "depth_max is %u, at most %d", options->depth_max,
            LAM_RUNTIME_DEPTH_MAX);
    if (options->arena_bytes > SEAT_ARENA_BYTES)
        return lam_error_set(error, -EINVAL, "arena_bytes is %llu, at most %u",
            (unsigned long long)options->arena_bytes, SEAT_ARENA_BYTES);
    if (options->reserved != 0 || options->loads_dependencies > 1)
        return lam_error_set(error, -EINVAL, "reserved is %u, not 0, or loads_dependencies %u",
            options->reserved, options->loads_dependencies);
    if (options->checks_owner > 1)
        return lam_error_set(
            error, -EINVAL, "checks_owner is %u, not 0 or 1", options->checks_owner);
    if (options->depth_max == 0)
        options->depth_max = DEPTH_DEFAULT;
    if (options->arena_bytes == 0)
        options->arena_bytes = ARENA_DEFAULT;
    if (options->drain_ns == 0)
        options->drain_ns = DRAIN_DEFAULT;
    if (options->log == NULL)
        options->log = lam_log_to_stderr;
    return 0;
}

static char *find_worker(const char *given)
{
    char found[4096];

    if (given != NULL)
        return strdup(given);
    spawn_find_program(found, sizeof(found));
    return strdup(found);
}

static void init_locks(struct lam_runtime *runtime)
{
    pthread_mutexattr_t recursive;

    LAM_ASSERT(pthread_mutex_init(&runtime->lock, NULL) == 0);
    LAM_ASSERT(pthread_mutex_init(&runtime->graph, NULL) == 0);
    LAM_ASSERT(pthread_mutexattr_init(&recursive) == 0);
    LAM_ASSERT(pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE) == 0);
    LAM_ASSERT(pthread_mutex_init(&runtime->loading, &recursive) == 0);
    (void)pthread_mutexattr_destroy(&recursive);
    lam_keeper_init(&runtime->keeper);
    lam_registry_init(&runtime->registry);
}

int lam_runtime_create(struct lam_runtime **runtime, const struct lam_runtime_options *options,
    struct lam_error *error)
{
    struct lam_runtime *made = calloc(1, sizeof(*made));
    int rc;

    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for a runtime");
    if (options != NULL)
        made->options = *options;
    rc = fill_in(&made->options, error);
    if (rc == 0)
        rc = lam_middleware_copy(&made->middleware, made->options.middleware, error);
    made->options.middleware = NULL;
    if (rc == 0)
        rc = lam_tracing_open(&made->tracing, made->options.trace, error);
    made->options.trace = NULL;
    if (rc == 0)
        rc = lam_limits_copy(&made->limits, made->options.limits, error);
    made->options.limits = NULL;
    if (rc == 0) {
        made->directories =
            strdup(made->options.directories != NULL ? made->options.directories : "");
        made->options.directories = NULL;
        made->worker = find_worker(made->options.worker);
        made->options.worker = NULL;
        if (made->directories == NULL || made->worker == NULL)
            rc = lam_error_set(error, -ENOMEM, "out of memory for a runtime");
    }
    if (rc == 0)
        rc = lam_allowed_parse(&made->allowed, made->options.allowed_sha256, error);
    made->options.allowed_sha256 = NULL;
    if (rc != 0) {
        free(made->directories);
        free(made->worker);
        free(made->middleware);
        free(made->limits);
        lam_tracing_close(made->tracing);
        free(made);
        return rc;
    }
    made->host = &lam_host_table;
    lam_barrier_init();
    init_locks(made);
    *runtime = made;
    return 0;
}

struct lam_module *lam_runtime_handle_at(const struct lam_runtime *runtime, uint32_t index)
{
    /* Relaxed: the count that covers it was read with acquire. */
    return (struct lam_module *)(uintptr_t)lam_load_relaxed(&runtime->modules[index]);
}

struct lam_module *lam_runtime_handle(struct lam_runtime *runtime, const char *name)
{
    uint32_t hash = lam_method_id(name);
    /* T2, pairs with T1 in add(): the handles below are complete. */
    uint32_t count = lam_load_acquire(&runtime->module_count);

    for (uint32_t i = 0; i < count; i++) {
        struct lam_module *module = lam_runtime_handle_at(runtime, i);

        if (module->name_hash == hash && strcmp(module->name, name) == 0)
            return module;
    }
    return NULL;
}

struct lam_module *lam_runtime_find(struct lam_runtime *runtime, const char *name)
{
    struct lam_module *module = lam_runtime_handle(runtime, name);

    /* Relaxed: a call looks again. */
    return module != NULL && lam_load_relaxed(&module->current) != 0 ? module : NULL;
}

/* Each before what it needs, the latest first. */
static void unload_all(struct lam_runtime *runtime)
{
    struct lam_module *modules[LAM_RUNTIME_MODULES_MAX];
    uint32_t count = lam_runtime_order(runtime, modules, LAM_RUNTIME_MODULES_MAX);

    while (count-- > 0)
        LAM_ASSERT(lam_runtime_unload(modules[count], 0, NULL) == 0);
}

void lam_runtime_destroy(struct lam_runtime *runtime)
{
    if (runtime == NULL)
        return;
    lam_discover_end(runtime);
    for (uint32_t i = lam_load_acquire(&runtime->module_count); i-- > 0;) /* T2 */
        lam_split_end(lam_runtime_handle_at(runtime, i)->path);
    lam_keeper_stop(&runtime->keeper); /* a probe would be inside a module */
    for (uint32_t i = lam_load_acquire(&runtime->module_count); i-- > 0;) /* T2 */
        lam_generation_await_guests(lam_runtime_handle_at(runtime, i));
    unload_all(runtime);
    for (uint32_t i = lam_load_acquire(&runtime->module_count); i-- > 0;) { /* T2 */
        struct lam_module *module = lam_runtime_handle_at(runtime, i);

        LAM_ASSERT(lam_module_collect(module) == 0);
        lam_module_destroy(module);
    }
    lam_keeper_fini(&runtime->keeper);
    lam_registry_fini(&runtime->registry);
    free(runtime->allowed.sums);
    (void)pthread_mutex_destroy(&runtime->loading);
    (void)pthread_mutex_destroy(&runtime->graph);
    (void)pthread_mutex_destroy(&runtime->lock);
    free(runtime->directories);
    free(runtime->worker);
    free(runtime->middleware);
    free(runtime->limits);
    lam_tracing_close(runtime->tracing);
    free(runtime->feed);
    free(runtime);
}

uint32_t lam_runtime_collect(struct lam_runtime *runtime)
{
    uint32_t modules = lam_load_acquire(&runtime->module_count), count = 0; /* T2 */

    for (uint32_t i = 0; i < modules; i++)
        count += lam_module_collect(lam_runtime_handle_at(runtime, i));
    return count;
}
