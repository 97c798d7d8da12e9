/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.c: a handle, and those of its generations that were replaced.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "path/path.h"
#include "usage.h"

struct lam_module *lam_module_create(struct lam_runtime *runtime, const char *name)
{
    struct lam_module *module = aligned_alloc(128, sizeof(*module));
    pthread_condattr_t monotonic;

    if (module == NULL)
        return NULL;
    memset(module, 0, sizeof(*module));
    module->runtime = runtime;
    memcpy(module->name, name, strlen(name)); /* its length was checked */
    module->name_hash = lam_method_id(name);
    LAM_ASSERT(pthread_mutex_init(&module->change, NULL) == 0);
    LAM_ASSERT(pthread_mutex_init(&module->gate, NULL) == 0);
    LAM_ASSERT(pthread_condattr_init(&monotonic) == 0);
    LAM_ASSERT(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    LAM_ASSERT(pthread_cond_init(&module->opened, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
    LAM_ASSERT(pthread_mutex_init(&module->counted, NULL) == 0);
    lam_metrics_init(&module->metrics);
    return module;
}

void lam_module_destroy(struct lam_module *module)
{
    LAM_ASSERT(module->draining == NULL);
    lam_path_close(module->path);
    lam_usage_forget(module);
    (void)pthread_mutex_destroy(&module->counted);
    lam_metrics_fini(&module->metrics);
    (void)pthread_cond_destroy(&module->opened);
    (void)pthread_mutex_destroy(&module->gate);
    (void)pthread_mutex_destroy(&module->change);
    free(module->reference);
    free(module->config);
    free(module->wish);
    free(module);
}

uint32_t lam_module_collect(struct lam_module *module)
{
    struct lam_generation **at, *ended = NULL;
    uint32_t count = 0;

    LAM_ASSERT(pthread_mutex_lock(&module->runtime->lock) == 0);
    for (at = &module->draining; *at != NULL;) {
        struct lam_generation *generation = *at;

        if (lam_generation_count(generation) == 0) {
            *at = generation->next;
            generation->next = ended;
            ended = generation;
        } else {
            at = &generation->next;
            count++;
        }
    }
    LAM_ASSERT(pthread_mutex_unlock(&module->runtime->lock) == 0);
    while (ended != NULL) {
        struct lam_generation *generation = ended;

        ended = generation->next;
        lam_generation_close(generation);
    }
    return count;
}
