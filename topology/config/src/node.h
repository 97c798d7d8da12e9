/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CONFIG_NODE_H
#define LAM_CONFIG_NODE_H

/*
 * node.h: what a config is made of, for the sources of this library alone.
 *
 * yaml.c builds the tree of nodes, override.c changes it, bind.c holds it against the tables.
 */

#include "lamina/config/config.h"

enum node_shape { NODE_SCALAR, NODE_LIST, NODE_MAPPING };

struct lam_config_node {
    const struct lam_config_field *field; /* NULL until bound */
    struct lam_config_node *parent;
    struct lam_config_node *first;
    struct lam_config_node *last;
    struct lam_config_node *next;
    const char *key;
    const char *text;   /* NODE_SCALAR */
    const char *origin; /* the override that set it */
    uint64_t number;
    int word;
    enum node_shape shape;
    uint32_t child_count;
    uint32_t index; /* among its siblings */
    uint32_t line;  /* from 1; 0: not in the file */
    uint32_t column;
    uint32_t key_line;
    uint32_t key_column;
    unsigned quoted : 1;
    unsigned is_default : 1;
};

struct problem {
    const char *text;
    uint32_t line;
    uint32_t column;
};

struct chunk {
    struct chunk *next;
    size_t used_bytes;
    size_t size_bytes;
    char bytes[];
};

struct lam_config {
    const struct lam_config_field *root_field;
    struct lam_config_node *root;
    const char *name;   /* of the file, for messages */
    const char *source; /* its bytes, ended by a zero */
    size_t source_bytes;
    struct chunk *chunks;
    struct problem problems[LAM_CONFIG_PROBLEMS_MAX];
    uint32_t problem_count;
    int failed; /* first error code that makes the rest pointless */
    char *report;
};

/* Memory that lives as long as the config; zeroed. NULL: -ENOMEM is in config->failed. */
void *config_allocate(struct lam_config *config, size_t bytes);
char *config_copy_text(struct lam_config *config, const char *text, size_t bytes);

/* A new last child of @parent (NULL: the root). NULL when memory is out. */
struct lam_config_node *config_add_node(
    struct lam_config *config, struct lam_config_node *parent, enum node_shape shape);

/* The child of @node under @key, or NULL. */
struct lam_config_node *config_child(const struct lam_config_node *node, const char *key);

/* The row for @key in @fields, or NULL. */
const struct lam_config_field *config_field(const struct lam_config_field *fields, const char *key);

/* ' (did you mean "x"?)' for the field or the child nearest to @key, or "". */
struct hint {
    char text[96];
};
struct hint config_field_hint(const struct lam_config_field *fields, const char *key);
struct hint config_child_hint(const struct lam_config_node *node, const char *key);

/* Parse a config's source into nodes. 0 or -EINVAL, -ENOMEM. */
int config_parse(struct lam_config *config);

/* Hold a scalar against its row; notes problems. */
void config_bind_scalar(struct lam_config *config, struct lam_config_node *node);
int config_is_name(const char *text);

/* Note a problem at a place of the file; @line 0 is the file as a whole. */
__attribute__((format(printf, 4, 5))) int config_problem_at(
    struct lam_config *config, uint32_t line, uint32_t column, const char *format, ...);

/* "edges.steps.depth" of @node into @path. */
void config_path(const struct lam_config_node *node, char *path, size_t bytes);

/* Text of a user's, fit for a terminal and short: control characters become '?'. */
struct shown {
    char text[64];
};
struct shown config_shown(const char *text);

#endif
