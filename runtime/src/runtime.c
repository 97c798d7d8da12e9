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
#include "path/middleware.h"
#include "path/path.h"
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

/* A handle for @name, new or of a module that was unloaded. */
static int take_handle(struct lam_runtime *runtime, const char *name, struct lam_module **module,
    struct lam_error *error)
{
    uint32_t count;

    *module = lam_runtime_handle(runtime, name);
    if (*module != NULL)
        return 0;
    count = lam_load_relaxed(&runtime->module_count); /* relaxed: changed under the lock */
    if (count == LAM_RUNTIME_MODULES_MAX)
        return lam_error_set(error, -ENOSPC, "module %s: this runtime has had %d names already",
            name, LAM_RUNTIME_MODULES_MAX);
    *module = lam_module_create(runtime, name);
    if (*module == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", name);
    lam_store_relaxed(&runtime->modules[count], (uint64_t)(uintptr_t)*module);
    lam_store_release(
        &runtime->module_count, count + 1); /* T1, pairs with T2 in lam_runtime_handle() */
    return 0;
}

static void swap_path(struct lam_module *module, struct lam_path *path)
{
    struct lam_path *old;

    LAM_ASSERT(pthread_mutex_lock(&module->runtime->lock) == 0);
    old = module->path;
    module->path = path;
    LAM_ASSERT(pthread_mutex_unlock(&module->runtime->lock) == 0);
    lam_path_close(old);
}

/* What the handle keeps for its generations. */
static int keep(struct lam_module *module, const char *reference,
    const struct lam_module_options *options, struct sandbox_wish **wish, struct lam_error *error)
{
    char *copy = strdup(reference);
    void *config = malloc(options->config_bytes + 1);
    struct lam_path *path = NULL;
    int rc = copy != NULL && config != NULL
                 ? lam_path_open(&path, module, options, error)
                 : lam_error_set(error, -ENOMEM, "module %s: out of memory", module->name);

    if (rc != 0) {
        free(copy);
        free(config);
        return rc;
    }
    if (options->config_bytes != 0)
        memcpy(config, options->config, options->config_bytes);
    free(module->reference);
    free(module->config);
    free(module->wish);
    module->wish = *wish;
    *wish = NULL;
    module->reference = copy;
    module->config = config;
    module->config_bytes = options->config_bytes;
    module->host = options->host;
    module->has_pool = options->pool != NULL;
    module->pool = (struct lam_pool_options){.workers_min = 1, .workers_max = 1};
    if (options->pool != NULL)
        module->pool = *options->pool;
    LAM_ASSERT(lam_pool_check(&module->pool, NULL) == 0); /* it was looked at */
    swap_path(module, path);
    return 0;
}

/* Under the change lock of the handle. */
static int put_into_service(struct lam_module *module, struct lam_generation *generation,
    const char *reference, const struct lam_module_options *options, struct sandbox_wish **wish,
    struct lam_error *error)
{
    int rc = 0;

    /* Relaxed, both: changed under the mutex, and for those who look. */
    if (lam_load_relaxed(&module->current) != 0)
        rc = lam_error_set(error, -EEXIST,
            "a module %s is loaded: reload it, or give this one another name", module->name);
    if (rc == 0)
        rc = lam_depend_begin(module, generation, error);
    if (rc != 0)
        return rc;
    rc = keep(module, reference, options, wish, error);
    if (rc == 0)
        rc = lam_generation_start(generation, module, error);
    if (rc == 0) {
        (void)lam_generation_publish(module, generation);
        lam_store_relaxed(&module->phase, LAM_MODULE_SERVING);
    }
    lam_depend_end(module, rc == 0);
    return rc;
}

static int load(struct lam_runtime *runtime, const char *reference, const struct lam_found *found,
    const struct lam_module_options *options, const struct lam_chain *outer,
    struct lam_module **module, struct lam_error *error)
{
    struct lam_chain chain = {options->name, outer};
    struct sandbox_wish *wish = NULL;
    struct lam_generation *generation;
    int rc = options->host == LAM_MODULE_IN_WORKER
                 ? lam_sandbox_wish(options->sandbox, &wish, error)
                 : 0;

    if (rc == 0)
        rc = lam_generation_open(&generation, runtime, wish, found, error);
    if (rc != 0) {
        free(wish);
        return rc;
    }
    if (chain.name == NULL)
        chain.name = generation->name;
    rc = lam_depend_bring(runtime, generation, options->host, &chain, error);
    if (rc == 0)
        rc = take_handle(runtime, chain.name, module, error);
    if (rc == 0) {
        LAM_ASSERT(pthread_mutex_lock(&(*module)->change) == 0);
        rc = put_into_service(*module, generation, reference, options, &wish, error);
        LAM_ASSERT(pthread_mutex_unlock(&(*module)->change) == 0);
    }
    if (rc != 0)
        lam_generation_close(generation);
    free(wish); /* unless the handle keeps it */
    return rc;
}

static int check_options(struct lam_runtime *runtime, const char *reference,
    const struct lam_module_options *options, struct lam_error *error)
{
    if (options->name != NULL &&
        (options->name[0] == '\0' ||
            strnlen(options->name, LAM_NAME_BYTES_MAX) == LAM_NAME_BYTES_MAX))
        return lam_error_set(error, -EINVAL, "module %s: its name has to be of 1 to %d bytes",
            reference, LAM_NAME_BYTES_MAX - 1);
    if ((unsigned)options->host > LAM_MODULE_IN_WORKER)
        return lam_error_set(
            error, -EINVAL, "module %s: there is no host %d", reference, (int)options->host);
    if (options->host == LAM_MODULE_IN_PROCESS && options->sandbox != NULL)
        return lam_error_set(
            error, -EINVAL, "module %s: only a module in a worker has a sandbox", reference);
    if (options->host == LAM_MODULE_IN_PROCESS && options->pool != NULL)
        return lam_error_set(
            error, -EINVAL, "module %s: only a module in workers has a pool", reference);
    if (options->pool != NULL) {
        struct lam_pool_options pool = *options->pool;
        int rc = lam_pool_check(&pool, error);

        if (rc != 0)
            return rc;
    }
    if (options->host == LAM_MODULE_IN_WORKER && runtime->worker[0] == '\0')
        return lam_error_set(error, -ENOENT,
            "module %s: there is no lamina_worker to run it: give options.worker", reference);
    return 0;
}

int lam_runtime_load_within(struct lam_runtime *runtime, const char *reference,
    const struct lam_module_options *options, const struct lam_chain *outer,
    struct lam_module **module, struct lam_error *error)
{
    static const struct lam_module_options defaults;
    struct lam_found found;
    int rc;

    if (options == NULL)
        options = &defaults;
    rc = check_options(runtime, reference, options, error);
    if (rc != 0)
        return rc;
    (void)lam_runtime_collect(runtime);
    rc = lam_resolve(runtime, reference, &found, error);
    if (rc != 0)
        return rc;
    LAM_ASSERT(pthread_mutex_lock(&runtime->loading) == 0);
    rc = load(runtime, reference, &found, options, outer, module, error);
    LAM_ASSERT(pthread_mutex_unlock(&runtime->loading) == 0);
    lam_found_free(&found);
    if (rc == 0)
        lam_event_tell(*module, LAM_EVENT_LOADED, (int64_t)(*module)->generations, reference);
    return rc;
}

int lam_runtime_load(struct lam_runtime *runtime, const char *reference,
    const struct lam_module_options *options, struct lam_module **module, struct lam_error *error)
{
    return lam_runtime_load_within(runtime, reference, options, NULL, module, error);
}
