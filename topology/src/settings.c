/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --set: short names for places in the file.
 *
 * ROLE.KEY and EDGE.KEY stand for roles.ROLE.KEY and edges.EDGE.KEY, a bare PARAMETER for
 * parameters.PARAMETER; a full path and the file's own scalars (name, grace) are understood too.
 */
#include "plan.h"

#include <stdio.h>
#include <string.h>

#define SETTING_MAX 256 /* bytes of the left side, with its zero */

static int has_entry(struct lam_config *config, const char *group, const char *name)
{
    char path[SETTING_MAX + 16];

    (void)snprintf(path, sizeof(path), "%s.%s", group, name);
    return lam_config_find(config, path) != NULL;
}

/* The group that has an entry @name, or NULL. */
static const char *group_of(struct lam_config *config, const char *name, int has_key)
{
    if (!has_key)
        return has_entry(config, "parameters", name) ? "parameters" : NULL;
    if (has_entry(config, "roles", name))
        return "roles";
    return has_entry(config, "edges", name) ? "edges" : NULL;
}

static int is_top_key(const char *name)
{
    for (const struct lam_config_field *field = lam_plan_table()->fields; field->key; field++)
        if (strcmp(field->key, name) == 0)
            return 1;
    return 0;
}

/* Every name that could have been meant by the first word of a setting. */
static const char *nearest_name(struct lam_config *config, const char *name)
{
    static const char *const groups[] = {"roles", "edges", "parameters"};
    const char *words[256];
    size_t count = 0;

    for (size_t i = 0; i < 3; i++) {
        struct lam_config_node *node = lam_config_find(config, groups[i]);

        if (node == NULL)
            continue;
        for (node = lam_config_first(node); node != NULL && count < 254;
             node = lam_config_next(node))
            if (lam_config_key(node) != NULL)
                words[count++] = lam_config_key(node);
    }
    return lam_config_nearest(name, words, count);
}

static void refuse_name(struct lam_config *config, const char *origin, const char *name)
{
    const char *near = nearest_name(config, name);

    if (near != NULL)
        (void)lam_config_problem(config, NULL,
            "%s: there is no role, edge or parameter \"%s\" (did you mean \"%s\"?)", origin, name,
            near);
    else
        (void)lam_config_problem(
            config, NULL, "%s: there is no role, edge or parameter \"%s\"", origin, name);
}

void plan_set(struct lam_config *config, const char *setting)
{
    const char *equals = strchr(setting, '=');
    char origin[SETTING_MAX + 8];
    char path[SETTING_MAX + 16];
    char name[SETTING_MAX];
    const char *group;
    size_t length;

    (void)snprintf(origin, sizeof(origin), "--set %.200s", setting);
    if (equals == NULL || equals == setting || equals - setting >= SETTING_MAX) {
        (void)lam_config_problem(
            config, NULL, "%s: a setting is written NAME=VALUE or ROLE.KEY=VALUE", origin);
        return;
    }
    length = (size_t)(equals - setting);
    (void)snprintf(path, sizeof(path), "%.*s", (int)length, setting);
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, "."), path);
    group = group_of(config, name, strchr(path, '.') != NULL);
    if (group != NULL)
        (void)snprintf(path, sizeof(path), "%s.%.*s", group, (int)length, setting);
    if (group == NULL && !is_top_key(name))
        refuse_name(config, origin, name);
    else
        (void)lam_config_override(config, path, equals + 1, origin);
}
