/* SPDX-License-Identifier: Apache-2.0 */
/* What a file says, as option structs and as modules in a runtime. */
#include "option.h"

#include "lamina/base/assert.h"
#include "lamina/runtime/dependency.h"
#include "lamina/runtime/registry.h"

#include <stdio.h>
#include <string.h>

const struct lam_runtime_options *lam_runtime_config_options(
    const struct lam_runtime_config *config)
{
    return &config->top.runtime;
}

const struct lam_runtime_serving *lam_runtime_config_serving(
    const struct lam_runtime_config *config)
{
    return &config->top.serving;
}

uint32_t lam_runtime_config_count(const struct lam_runtime_config *config)
{
    return config->module_count;
}

const struct lam_runtime_wanted *lam_runtime_config_module(
    const struct lam_runtime_config *config, uint32_t index)
{
    LAM_ASSERT(index < config->module_count);
    return &config->modules[index].wanted;
}

/* The name of a method that @error is about, where the file has it; else the module. */
static const struct lam_config_node *find_place(
    const struct lam_config_node *module, const struct lam_error *error)
{
    static const char *const stages[] = {"cache", "retry", "batch"};
    char path[32];

    for (size_t i = 0; error != NULL && i < sizeof(stages) / sizeof(stages[0]); i++) {
        const struct lam_config_node *node = lam_config_at(module, stages[i]);
        uint32_t at = 0;

        node = node != NULL ? lam_config_at(node, "methods") : NULL;
        node = node != NULL ? lam_config_first(node) : NULL;
        for (; node != NULL; node = lam_config_next(node)) {
            (void)snprintf(path, sizeof(path), " %s.methods[%u] ", stages[i], at++);
            if (strstr(error->text, path) != NULL)
                return node;
        }
    }
    return module;
}

static int blame(
    const struct lam_runtime_config *config, uint32_t index, int rc, struct lam_error *error)
{
    uint32_t line, column;

    lam_config_place(find_place(config->nodes[index], error), &line, &column);
    return lam_error_prefix(error, rc, "%s:%u:%u: modules.%s: ", lam_config_file_name(config->file),
        line, column, lam_config_key(config->nodes[index]));
}

struct modules {
    struct lam_module *all[LAM_RUNTIME_MODULES_MAX];
    uint32_t count;
};

static struct modules what_is_loaded(struct lam_runtime *runtime)
{
    struct modules modules;

    modules.count = lam_runtime_order(runtime, modules.all, LAM_RUNTIME_MODULES_MAX);
    return modules;
}

static int is_among(const struct modules *modules, const struct lam_module *module)
{
    for (uint32_t i = 0; i < modules->count; i++)
        if (modules->all[i] == module)
            return 1;
    return 0;
}

/* Is it one of the first @count modules of the file, or one that others need? */
static int is_ours(
    const struct lam_runtime_config *config, struct lam_module *module, uint32_t count)
{
    struct lam_module_stat stat;

    lam_module_look(module, &stat);
    while (!stat.is_brought && count-- > 0)
        if (strcmp(config->modules[count].wanted.options.name, stat.name) == 0)
            return 1;
    return (int)stat.is_brought;
}

/* What the first @count modules of the file brought, each before what it needs. */
static void unload_all(const struct lam_runtime_config *config, struct lam_runtime *runtime,
    const struct modules *before, uint32_t count)
{
    struct modules now = what_is_loaded(runtime);
    uint64_t drain_ns = config->top.runtime.drain_ns;

    while (now.count-- > 0)
        if (!is_among(before, now.all[now.count]) && is_ours(config, now.all[now.count], count))
            (void)lam_runtime_unload(now.all[now.count],
                lam_deadline_after_ns(drain_ns != 0 ? drain_ns : LAM_NS_PER_S), NULL);
}

/* All modules are there. Returns 0, or blames the first that cannot. */
static int start_splits(
    const struct lam_runtime_config *config, struct lam_runtime *runtime, struct lam_error *error)
{
    for (uint32_t i = 0; i < config->module_count; i++) {
        const struct option_split *split = config->modules[i].split;
        int rc = 0;

        if (split != NULL)
            rc = lam_module_split_start(
                lam_runtime_find(runtime, config->modules[i].wanted.options.name),
                lam_runtime_find(runtime, split->candidate), &split->options, error);
        if (rc != 0)
            return blame(config, i, rc, error);
    }
    return 0;
}

int lam_runtime_config_load(
    struct lam_runtime_config *config, struct lam_runtime *runtime, struct lam_error *error)
{
    const char *registry = config->top.registry;
    int rc = registry != NULL ? lam_runtime_read_registry(runtime, registry, error) : 0;
    struct modules before = what_is_loaded(runtime);
    struct lam_discovery *discovery; /* ends with the runtime */
    uint32_t i;

    for (i = 0; rc == 0 && i < config->module_count; i++) {
        const struct lam_runtime_wanted *wanted = &config->modules[i].wanted;
        struct lam_module *module;

        rc = lam_runtime_load(runtime, wanted->reference, &wanted->options, &module, error);
        if (rc != 0) {
            unload_all(config, runtime, &before, i);
            return blame(config, i, rc, error);
        }
    }
    if (rc == 0)
        rc = start_splits(config, runtime, error);
    if (rc == 0 && config->top.discover != NULL)
        rc = lam_discover_start(runtime, &config->top.discover->options, &discovery, error);
    if (rc != 0)
        unload_all(config, runtime, &before, i);
    return rc;
}
