/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c: a module's first code: its handle, what that keeps of its options, and its service.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "names.h"
#include "path/path.h"

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
    int rc =
        options->host == LAM_MODULE_IN_WORKER
            ? lam_sandbox_wish(options->sandbox, runtime->options.worker_memory_bytes, &wish, error)
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
        if (rc == 0) /* relaxed: for those who look */
            lam_store_relaxed(&(*module)->is_brought, outer != NULL);
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
    const char *fault = options->name != NULL ? lam_module_name_fault(options->name) : NULL;

    if (fault != NULL)
        return lam_error_set(error, -EINVAL, "module %s: its name %s", reference, fault);
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
