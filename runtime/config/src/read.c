/* SPDX-License-Identifier: Apache-2.0 */
/* A file to option structs: reading it, and what no table can say. */
#include "option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* 1 where a module is called so. */
static int is_in_file(const struct lam_runtime_config *config, const char *name)
{
    return lam_config_at(lam_config_at(lam_config_root(config->file), "modules"), name) != NULL;
}

/* What is written where an option has no meaning is a mistake, and not without effect. */
static void check_module(struct lam_runtime_config *config, const struct option_module *module,
    const struct lam_config_node *node)
{
    const struct lam_module_options *options = &module->wanted.options;
    int configs = (module->config_text != NULL) + (module->config_hex != NULL) +
                  (module->config_file != NULL);

    if (configs > 1)
        (void)lam_config_problem(
            config->file, node, "give one of config, config_hex and config_file");
    if (options->sandbox != NULL && options->host != LAM_MODULE_IN_WORKER)
        (void)lam_config_problem(config->file, lam_config_at(node, "sandbox"),
            "nothing holds a module in this process: say host: worker");
    if (options->pool != NULL && options->host != LAM_MODULE_IN_WORKER)
        (void)lam_config_problem(
            config->file, lam_config_at(node, "pool"), "a pool has workers: say host: worker");
    if (module->split != NULL && lam_config_at(node, "can_split") != NULL && !options->can_split)
        (void)lam_config_problem(config->file, lam_config_at(node, "can_split"),
            "split sends calls to another module, and can_split: false forbids it: take one out");
    if (module->split != NULL && !is_in_file(config, module->split->candidate))
        (void)lam_config_problem(config->file,
            lam_config_at(lam_config_at(node, "split"), "candidate"),
            "there is no module \"%s\" in this file", module->split->candidate);
}

static void fill_module(struct lam_runtime_config *config, const struct lam_config_node *node)
{
    struct option_module *module = &config->modules[config->module_count];

    config->nodes[config->module_count++] = node;
    option_fill(config, module, node, option_module_fields);
    module->wanted.options.name = lam_config_key(node);
    if (module->wanted.reference == NULL)
        module->wanted.reference = lam_config_key(node);
    /* A path; a name is looked for in the directories. */
    else if (strchr(module->wanted.reference, '/') != NULL)
        module->wanted.reference = option_path(config, module->wanted.reference);
    check_module(config, module, node);
    if (module->split != NULL)
        module->wanted.options.can_split = 1;
    option_fill_config(config, module, node);
}

/* What the modules of watched directories are loaded with. */
static void fill_discover(struct lam_runtime_config *config, const struct lam_config_node *node)
{
    struct option_discover *discover = config->top.discover;
    const struct lam_config_node *module = lam_config_at(node, "module");

    if (module == NULL)
        return;
    if (discover->module.wanted.reference != NULL || discover->module.split != NULL)
        (void)lam_config_problem(
            config->file, module, "what is found has no reference and no split of its own");
    else
        check_module(config, &discover->module, module);
    option_fill_config(config, &discover->module, module);
    discover->options.module = discover->module.wanted.options;
}

/* Permissions as chmod has them: a number of the file would be a decimal one. */
static void fill_mode(struct lam_runtime_config *config, const struct lam_config_node *node)
{
    const char *text = lam_config_text(node);
    uint32_t mode = (uint32_t)strtoul(text, NULL, 8);

    if (strspn(text, "01234567") != strlen(text) || mode > 0777 || (mode & 0600) != 0600)
        (void)lam_config_problem(config->file, node,
            "\"%s\" is no such mode: three or four octal digits, as in 0660, and 6 or 7 for this "
            "user",
            text);
    config->top.serving.remote.mode = mode;
}

static void fill(struct lam_runtime_config *config)
{
    const struct lam_config_node *root = lam_config_root(config->file);
    const struct lam_config_node *modules = lam_config_at(root, "modules");
    const struct lam_runtime_metrics *metrics;
    const struct lam_config_node *serve;
    uint32_t count = lam_config_length(modules);

    config->modules = option_allocate(config, count * sizeof(*config->modules));
    config->nodes = option_allocate(config, count * sizeof(struct lam_config_node *));
    if (config->is_out_of_memory)
        return;
    option_fill(config, &config->top, root, option_root.fields);
    serve = lam_config_at(root, "serve");
    if (serve != NULL && lam_config_at(serve, "mode") != NULL)
        fill_mode(config, lam_config_at(serve, "mode"));
    metrics = config->top.serving.metrics;
    if (metrics != NULL && metrics->socket != NULL &&
        (metrics->address != NULL || metrics->port != 0))
        (void)lam_config_problem(config->file, lam_config_at(root, "metrics"),
            "give a socket, or an address and a port");
    if (config->top.discover != NULL)
        fill_discover(config, lam_config_at(root, "discover"));
    for (const struct lam_config_node *node = lam_config_first(modules); node != NULL;
         node = lam_config_next(node))
        fill_module(config, node);
}

static struct lam_runtime_config *create(const char *name, char **report)
{
    struct lam_runtime_config *config = calloc(1, sizeof(*config));

    *report = NULL;
    if (config == NULL)
        return NULL;
    config->folder = lam_config_folder(name);
    if (config->folder == NULL || lam_config_create(&config->file, &option_root) != 0) {
        lam_runtime_config_destroy(config);
        return NULL;
    }
    return config;
}

/* Ends both ways of reading: @made holds a file that was read, or was not. */
static int finish(
    struct lam_runtime_config **config, struct lam_runtime_config *made, int rc, char **report)
{
    if (rc == 0)
        rc = lam_config_check(made->file);
    if (rc == 0) {
        fill(made);
        if (made->is_out_of_memory)
            rc = -ENOMEM;
        else if (lam_config_problem_count(made->file) > 0)
            rc = -EINVAL;
    }
    if (rc == 0) {
        *config = made;
        return 0;
    }
    if (rc != -ENOMEM)
        *report = strdup(lam_config_report(made->file));
    lam_runtime_config_destroy(made);
    return rc;
}

int lam_runtime_config_read(struct lam_runtime_config **config, const char *path,
    const char *const *sets, size_t set_count, char **report)
{
    struct lam_runtime_config *made = create(path, report);
    int rc;

    if (made == NULL)
        return -ENOMEM;
    rc = lam_config_read_file(made->file, path);
    for (size_t i = 0; rc == 0 && i < set_count; i++)
        lam_config_set(made->file, sets[i], "KEY=VALUE or modules.NAME.KEY=VALUE");
    return finish(config, made, rc, report);
}

int lam_runtime_config_read_text(struct lam_runtime_config **config, const char *name,
    const char *text, size_t bytes, char **report)
{
    struct lam_runtime_config *made = create(name, report);

    if (made == NULL)
        return -ENOMEM;
    return finish(config, made, lam_config_read_text(made->file, name, text, bytes), report);
}

void lam_runtime_config_destroy(struct lam_runtime_config *config)
{
    struct option_memory *next;

    if (config == NULL)
        return;
    for (struct option_memory *memory = config->memory; memory != NULL; memory = next) {
        next = memory->next;
        free(memory);
    }
    lam_config_destroy(config->file);
    free(config->folder);
    free(config);
}
