/* SPDX-License-Identifier: Apache-2.0 */
/* What a file says, as option structs and as modules in a runtime. */
#include "option.h"

#include "lamina/base/assert.h"
#include "lamina/runtime/registry.h"

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

static int blame(
    const struct lam_runtime_config *config, uint32_t index, int rc, struct lam_error *error)
{
    uint32_t line, column;

    lam_config_place(config->nodes[index], &line, &column);
    return lam_error_prefix(error, rc, "%s:%u:%u: modules.%s: ", lam_config_file_name(config->file),
        line, column, lam_config_key(config->nodes[index]));
}

/* By name: the handle of a name is the same, however often it is loaded. */
static void unload(
    const struct lam_runtime_config *config, struct lam_runtime *runtime, uint32_t index)
{
    struct lam_module *module =
        lam_runtime_find(runtime, config->modules[index].wanted.options.name);
    uint64_t drain_ns = config->top.runtime.drain_ns;

    if (module != NULL)
        (void)lam_runtime_unload(
            module, lam_deadline_after_ns(drain_ns != 0 ? drain_ns : LAM_NS_PER_S), NULL);
}

static void unload_all(
    const struct lam_runtime_config *config, struct lam_runtime *runtime, uint32_t count)
{
    while (count-- > 0)
        unload(config, runtime, count);
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
    struct lam_discovery *discovery; /* ends with the runtime */
    uint32_t i;

    for (i = 0; rc == 0 && i < config->module_count; i++) {
        const struct lam_runtime_wanted *wanted = &config->modules[i].wanted;
        struct lam_module *module;

        rc = lam_runtime_load(runtime, wanted->reference, &wanted->options, &module, error);
        if (rc != 0) {
            unload_all(config, runtime, i);
            return blame(config, i, rc, error);
        }
    }
    if (rc == 0)
        rc = start_splits(config, runtime, error);
    if (rc == 0 && config->top.discover != NULL)
        rc = lam_discover_start(runtime, &config->top.discover->options, &discovery, error);
    if (rc != 0)
        unload_all(config, runtime, i);
    return rc;
}
