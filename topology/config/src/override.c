/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of a command line over those of the file.
 *
 * They change the tree before it is held against the tables, so both go through the same checks.
 */
#include "node.h"

#include <errno.h>
#include <string.h>

/* The row of what stands under @key in something of the row @field, or NULL. */
static const struct lam_config_field *row_below(
    const struct lam_config_field *field, const char *key)
{
    if (field->kind == LAM_CONFIG_RECORD)
        return config_field(field->fields, key);
    return field->kind == LAM_CONFIG_MAP ? &field->fields[0] : NULL;
}

/* Next piece of a dotted path into @key; NULL at its end, or where a piece is too long. */
static const char *next_key(const char *path, char key[64])
{
    size_t length = strcspn(path, ".");

    if (length == 0 || length >= 64)
        return NULL;
    memcpy(key, path, length);
    key[length] = '\0';
    return path + length + (path[length] == '.');
}

static int refuse_path(struct lam_config *config, const struct lam_config_node *node,
    const struct lam_config_field *field, const char *key, const char *origin)
{
    struct hint hint = {""};
    char path[192];

    config_path(node, path, sizeof(path));
    if (field->kind == LAM_CONFIG_RECORD)
        hint = config_field_hint(field->fields, key);
    else if (field->kind == LAM_CONFIG_MAP)
        hint = config_child_hint(node, key);
    (void)config_problem_at(config, 0, 0, "%s: %s: %s%s%s: there is no such key%s", origin,
        config->name, path, path[0] != '\0' ? "." : "", config_shown(key).text, hint.text);
    return -ENOENT;
}

static struct lam_config_node *add_item(struct lam_config *config, struct lam_config_node *list,
    const char *text, size_t length, const char *origin)
{
    struct lam_config_node *item = config_add_node(config, list, NODE_SCALAR);

    if (item == NULL)
        return NULL;
    item->origin = origin;
    item->text = config_copy_text(config, text, length);
    return item->text != NULL ? item : NULL;
}

/* "a,b,c" or "[a, b, c]" */
static int set_list(
    struct lam_config *config, struct lam_config_node *list, const char *value, const char *origin)
{
    size_t length = strlen(value);
    const char *end;

    list->shape = NODE_LIST;
    if (length >= 2 && value[0] == '[' && value[length - 1] == ']') {
        value++;
        length -= 2;
    }
    end = value + length;
    while (value < end) {
        const char *comma = memchr(value, ',', (size_t)(end - value));
        const char *stop = comma != NULL ? comma : end;

        while (value < stop && *value == ' ')
            value++;
        if (add_item(config, list, value, (size_t)(stop - value), origin) == NULL)
            return -ENOMEM;
        value = stop + 1;
    }
    return 0;
}

static int set_value(struct lam_config *config, struct lam_config_node *node,
    const struct lam_config_field *field, const char *value, const char *origin)
{
    node->origin = config_copy_text(config, origin, strlen(origin));
    if (node->origin == NULL)
        return -ENOMEM;
    node->line = 0;
    if (field->kind == LAM_CONFIG_RECORD || field->kind == LAM_CONFIG_MAP) {
        (void)config_problem_at(config, 0, 0, "%s: names a group of keys: add .KEY", origin);
        return -EINVAL;
    }
    node->first = NULL;
    node->last = NULL;
    node->child_count = 0;
    if (field->kind == LAM_CONFIG_LIST)
        return set_list(config, node, value, node->origin);
    node->shape = NODE_SCALAR;
    node->text = config_copy_text(config, value, strlen(value));
    return node->text == NULL ? -ENOMEM : 0;
}

/* The node under @key, made if a record's table knows it and the file left it out. */
static struct lam_config_node *step_into(struct lam_config *config, struct lam_config_node *node,
    const struct lam_config_field *below, const char *key)
{
    struct lam_config_node *child = config_child(node, key);
    int is_group = below->kind == LAM_CONFIG_RECORD || below->kind == LAM_CONFIG_MAP;

    if (child != NULL)
        return child;
    child = config_add_node(config, node, is_group ? NODE_MAPPING : NODE_SCALAR);
    if (child == NULL)
        return NULL;
    child->key = config_copy_text(config, key, strlen(key));
    return child->key != NULL ? child : NULL;
}

int lam_config_override(
    struct lam_config *config, const char *path, const char *value, const char *origin)
{
    const struct lam_config_field *field = config->root_field;
    struct lam_config_node *node = config->root;
    const char *rest = path;
    char key[64];

    if (config->failed != 0)
        return config->failed;
    while (*rest != '\0') {
        const struct lam_config_field *below;

        rest = next_key(rest, key);
        if (rest == NULL)
            return refuse_path(config, node, field, path, origin);
        below = row_below(field, key);
        if (below == NULL || node->shape != NODE_MAPPING ||
            (field->kind == LAM_CONFIG_MAP && config_child(node, key) == NULL))
            return refuse_path(config, node, field, key, origin);
        node = step_into(config, node, below, key);
        if (node == NULL)
            return -ENOMEM;
        field = below;
    }
    return set_value(config, node, field, value, origin);
}
