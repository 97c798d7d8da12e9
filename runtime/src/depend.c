/* SPDX-License-Identifier: Apache-2.0 */
#include "depend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* ---- the graph, under its lock ---- */

static void lock(struct lam_runtime *runtime)
{
    LAM_ASSERT(pthread_mutex_lock(&runtime->graph) == 0);
}

static void unlock(struct lam_runtime *runtime)
{
    LAM_ASSERT(pthread_mutex_unlock(&runtime->graph) == 0);
}

static const struct lam_need *need_of(const struct lam_generation *generation, const char *name)
{
    for (uint32_t i = 0; generation != NULL && i < generation->needs.count; i++)
        if (!generation->needs.all[i].is_optional &&
            strcmp(generation->needs.all[i].name, name) == 0)
            return &generation->needs.all[i];
    return NULL;
}

/* Does @module need @name in one of the two that it may come to be? */
static const struct lam_need *need_of_module(const struct lam_module *module, const char *name)
{
    const struct lam_need *need = need_of(module->now, name);

    return need != NULL ? need : need_of(module->next, name);
}

static int does_fit(const struct lam_module *module, const struct lam_range *range)
{
    return lam_range_has(range, module->now->version) &&
           (module->next == NULL || lam_range_has(range, module->next->version));
}

/* A name and its outer ones, as "a -> b -> c". */
static void write_chain(const struct lam_chain *chain, char *text, size_t bytes)
{
    size_t used;

    if (chain->outer != NULL)
        write_chain(chain->outer, text, bytes);
    used = strlen(text);
    (void)snprintf(text + used, bytes - used, "%s%s", used == 0 ? "" : " -> ", chain->name);
}

static int refuse_cycle(const struct lam_chain *chain, const char *name, struct lam_error *error)
{
    const struct lam_chain last = {name, chain};
    char text[LAM_ERROR_TEXT_BYTES / 2] = "";

    write_chain(&last, text, sizeof(text));
    return lam_error_set(error, -ELOOP, "module %s: it would need itself: %s", name, text);
}

/* Is @target needed by what @chain ends with, by way of others? */
static int find_cycle(struct lam_runtime *runtime, const char *target,
    const struct lam_generation *from, const struct lam_chain *chain, struct lam_error *error)
{
    for (uint32_t i = 0; from != NULL && i < from->needs.count; i++) {
        const struct lam_need *need = &from->needs.all[i];
        const struct lam_chain next = {need->name, chain};
        struct lam_module *module;
        int rc;

        if (need->is_optional)
            continue;
        if (strcmp(need->name, target) == 0)
            return refuse_cycle(chain, target, error);
        module = lam_runtime_handle(runtime, need->name);
        if (module == NULL || module->visit == runtime->visits)
            continue;
        module->visit = runtime->visits;
        rc = find_cycle(runtime, target, module->now, &next, error);
        if (rc == 0)
            rc = find_cycle(runtime, target, module->next, &next, error);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int check_need(struct lam_runtime *runtime, const struct lam_need *need, const char *name,
    struct lam_error *error)
{
    const struct lam_module *module = lam_runtime_handle(runtime, need->name);
    char text[LAM_VERSION_TEXT_BYTES];

    if (module == NULL || module->now == NULL)
        return need->is_optional
                   ? 0
                   : lam_error_set(error, -ENOENT, "module %s: it needs %s %s, which is not loaded",
                         name, need->name, need->text);
    if (!does_fit(module, &need->range))
        return lam_error_set(error, -ERANGE, "module %s: it needs %s %s, and %s %s is loaded", name,
            need->name, need->text, need->name, lam_version_format(module->now->version, text));
    return 0;
}

static int check_dependants(
    const struct lam_module *module, struct lam_version version, struct lam_error *error)
{
    struct lam_runtime *runtime = module->runtime;
    uint32_t count = lam_load_acquire(&runtime->module_count); /* T2 */
    char text[LAM_VERSION_TEXT_BYTES];

    for (uint32_t i = 0; i < count; i++) {
        const struct lam_module *other = lam_runtime_handle_at(runtime, i);
        const struct lam_generation *both[] = {other->now, other->next};

        for (uint32_t j = 0; j < 2 && other != module; j++) {
            const struct lam_need *need = need_of(both[j], module->name);

            if (need != NULL && !lam_range_has(&need->range, version))
                return lam_error_set(error, -ERANGE,
                    "module %s: %s needs %s %s, and it would be %s", module->name, other->name,
                    module->name, need->text, lam_version_format(version, text));
        }
    }
    return 0;
}

int lam_depend_begin(
    struct lam_module *module, struct lam_generation *generation, struct lam_error *error)
{
    const struct lam_chain chain = {module->name, NULL};
    int rc = 0;

    lock(module->runtime);
    module->runtime->visits++;
    rc = find_cycle(module->runtime, module->name, generation, &chain, error);
    for (uint32_t i = 0; i < generation->needs.count && rc == 0; i++)
        rc = check_need(module->runtime, &generation->needs.all[i], module->name, error);
    if (rc == 0)
        rc = check_dependants(module, generation->version, error);
    if (rc == 0)
        module->next = generation;
    unlock(module->runtime);
    return rc;
}

void lam_depend_end(struct lam_module *module, int is_taken)
{
    lock(module->runtime);
    if (is_taken)
        module->now = module->next;
    module->next = NULL;
    unlock(module->runtime);
}

int lam_depend_leave(struct lam_module *module, struct lam_error *error)
{
    struct lam_runtime *runtime = module->runtime;
    char names[LAM_ERROR_TEXT_BYTES / 2] = "";
    size_t used = 0;
    uint32_t count;

    lock(runtime);
    count = lam_load_acquire(&runtime->module_count); /* T2 */
    for (uint32_t i = 0; i < count; i++) {
        const struct lam_module *other = lam_runtime_handle_at(runtime, i);

        if (other == module || need_of_module(other, module->name) == NULL)
            continue;
        (void)snprintf(
            names + used, sizeof(names) - used, "%s%s", used == 0 ? "" : ", ", other->name);
        used = strlen(names);
    }
    if (used == 0)
        module->now = NULL;
    unlock(runtime);
    return used == 0
               ? 0
               : lam_error_set(error, -EBUSY, "module %s: it is needed by %s", module->name, names);
}

/* ---- loading what is needed ---- */

static int is_loaded(struct lam_runtime *runtime, const char *name)
{
    const struct lam_module *module = lam_runtime_handle(runtime, name);
    int is_there;

    lock(runtime);
    is_there = module != NULL && module->now != NULL;
    unlock(runtime);
    return is_there;
}

static int is_in_chain(const struct lam_chain *chain, const char *name)
{
    while (chain != NULL && strcmp(chain->name, name) != 0)
        chain = chain->outer;
    return chain != NULL;
}

static int bring(struct lam_runtime *runtime, const struct lam_need *need,
    enum lam_module_host host, const struct lam_chain *chain, struct lam_error *error)
{
    struct lam_module_options options = {.host = host, .name = need->name};
    char reference[LAM_NAME_BYTES_MAX + 1 + LAM_RANGE_TEXT_BYTES];
    char text[LAM_ERROR_TEXT_BYTES / 2] = "";
    struct lam_module *module;

    if (is_in_chain(chain, need->name))
        return refuse_cycle(chain, need->name, error);
    if (!runtime->options.loads_dependencies) {
        const struct lam_chain last = {need->name, chain};

        write_chain(&last, text, sizeof(text));
        return lam_error_set(error, -ENOENT, "module %s: it needs %s %s, which is not loaded (%s)",
            chain->name, need->name, need->text, text);
    }
    (void)snprintf(reference, sizeof(reference), need->text[0] != '\0' ? "%s@%s" : "%s", need->name,
        need->text);
    return lam_runtime_load_within(runtime, reference, &options, chain, &module, error);
}

int lam_depend_bring(struct lam_runtime *runtime, const struct lam_generation *generation,
    enum lam_module_host host, const struct lam_chain *chain, struct lam_error *error)
{
    int rc = 0;

    for (uint32_t i = 0; i < generation->needs.count && rc == 0; i++) {
        const struct lam_need *need = &generation->needs.all[i];

        if (need->is_optional || is_loaded(runtime, need->name))
            continue;
        rc = bring(runtime, need, host, chain, error);
        if (rc != 0 && rc != -ELOOP && runtime->options.loads_dependencies)
            rc = lam_error_prefix(error, rc, "module %s: it needs %s: ", chain->name, need->name);
    }
    return rc;
}

/* ---- the order ---- */

static void put(struct lam_runtime *runtime, struct lam_module *module, struct lam_module **modules,
    uint32_t capacity, uint32_t *count)
{
    if (module == NULL || module->now == NULL || module->visit == runtime->visits)
        return;
    module->visit = runtime->visits;
    for (uint32_t i = 0; i < module->now->needs.count; i++)
        if (!module->now->needs.all[i].is_optional)
            put(runtime, lam_runtime_handle(runtime, module->now->needs.all[i].name), modules,
                capacity, count);
    if (*count < capacity)
        modules[*count] = module;
    (*count)++;
}

uint32_t lam_runtime_order(
    struct lam_runtime *runtime, struct lam_module **modules, uint32_t capacity)
{
    uint32_t handles, count = 0;

    lock(runtime);
    handles = lam_load_acquire(&runtime->module_count); /* T2 */
    runtime->visits++;
    for (uint32_t i = 0; i < handles; i++)
        put(runtime, lam_runtime_handle_at(runtime, i), modules, capacity, &count);
    unlock(runtime);
    return count;
}
