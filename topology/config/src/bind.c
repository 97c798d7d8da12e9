/* SPDX-License-Identifier: Apache-2.0 */
/* The tree held against the tables: unknown keys, missing keys, wrong shapes, defaults. */
#include "lamina/base/assert.h"
#include "node.h"

#include <errno.h>
#include <string.h>

static void bind(
    struct lam_config *config, struct lam_config_node *node, const struct lam_config_field *field);

static const char *shape_of_kind(enum lam_config_kind kind)
{
    if (kind == LAM_CONFIG_LIST)
        return "a list";
    return kind == LAM_CONFIG_RECORD || kind == LAM_CONFIG_MAP ? "a map of keys" : "one value";
}

static int shape_fits(const struct lam_config_node *node, enum lam_config_kind kind)
{
    if (kind == LAM_CONFIG_LIST)
        return node->shape == NODE_LIST;
    if (kind == LAM_CONFIG_RECORD || kind == LAM_CONFIG_MAP)
        return node->shape == NODE_MAPPING;
    return node->shape == NODE_SCALAR;
}

static void refuse_unknown(struct lam_config *config, const struct lam_config_node *node,
    const struct lam_config_field *fields)
{
    char path[192];

    if (config->problem_count >= LAM_CONFIG_PROBLEMS_MAX) {
        config->problem_count++; /* counted, not worth a search for the nearest */
        return;
    }
    config_path(node, path, sizeof(path));
    (void)config_problem_at(config, node->key_line, node->key_column, "%s: unknown key%s", path,
        config_field_hint(fields, node->key).text);
}

/* Defaults become nodes like any other, so that readers of the tree need not know of them. */
static void add_default(
    struct lam_config *config, struct lam_config_node *record, const struct lam_config_field *field)
{
    int is_record = field->kind == LAM_CONFIG_RECORD || field->kind == LAM_CONFIG_MAP;
    int is_list = field->kind == LAM_CONFIG_LIST;
    struct lam_config_node *node;

    LAM_ASSERT(!is_list || field->fallback[0] == '\0');
    node = config_add_node(
        config, record, is_list ? NODE_LIST : (is_record ? NODE_MAPPING : NODE_SCALAR));
    if (node == NULL)
        return;
    node->key = field->key;
    node->text = field->fallback;
    node->is_default = 1;
    node->quoted = 1;
    bind(config, node, field);
}

static void add_missing(struct lam_config *config, struct lam_config_node *record)
{
    char path[192];

    for (const struct lam_config_field *field = record->field->fields; field->key != NULL;
         field++) {
        if (config_child(record, field->key) != NULL)
            continue;
        if ((field->flags & LAM_CONFIG_REQUIRED) != 0) {
            config_path(record, path, sizeof(path));
            (void)config_problem_at(config, record->key_line, record->key_column,
                "%s%s%s is missing: %s", path, path[0] != '\0' ? ": " : "", field->key, field->doc);
        } else if (field->fallback != NULL) {
            add_default(config, record, field);
        }
    }
}

static void bind_record(struct lam_config *config, struct lam_config_node *record)
{
    const struct lam_config_field *fields = record->field->fields;

    for (struct lam_config_node *child = record->first; child != NULL; child = child->next) {
        const struct lam_config_field *field = config_field(fields, child->key);

        if (field == NULL)
            refuse_unknown(config, child, fields);
        else
            bind(config, child, field);
    }
    add_missing(config, record);
}

static void bind_items(struct lam_config *config, struct lam_config_node *node)
{
    const struct lam_config_field *field = node->field;

    if (node->child_count < field->min)
        (void)lam_config_problem(
            config, node, "%u given: at least %u needed", node->child_count, (unsigned)field->min);
    if (field->max != 0 && node->child_count > field->max)
        (void)lam_config_problem(
            config, node, "%u given: at most %u allowed", node->child_count, (unsigned)field->max);
    for (struct lam_config_node *child = node->first; child != NULL; child = child->next) {
        if (field->kind == LAM_CONFIG_MAP && !config_is_name(child->key))
            (void)config_problem_at(config, child->key_line, child->key_column,
                "\"%s\" is not a name: a letter, then letters, digits, - or _, at most %d in all",
                config_shown(child->key).text, LAM_CONFIG_NAME_MAX);
        bind(config, child, &field->fields[0]);
    }
}

static void bind(
    struct lam_config *config, struct lam_config_node *node, const struct lam_config_field *field)
{
    node->field = field;
    if (!shape_fits(node, field->kind)) {
        (void)lam_config_problem(config, node, "%s is expected here%s%s",
            shape_of_kind(field->kind), field->doc != NULL ? ": " : "",
            field->doc != NULL ? field->doc : "");
        return;
    }
    if (field->kind == LAM_CONFIG_RECORD)
        bind_record(config, node);
    else if (field->kind == LAM_CONFIG_LIST || field->kind == LAM_CONFIG_MAP)
        bind_items(config, node);
    else
        config_bind_scalar(config, node);
}

int lam_config_check(struct lam_config *config)
{
    if (config->failed != 0)
        return config->failed;
    LAM_ASSERT(config->root != NULL);
    bind(config, config->root, config->root_field);
    if (config->failed == 0 && config->problem_count > 0)
        config->failed = -EINVAL;
    return config->failed;
}
