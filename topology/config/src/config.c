/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a config, its memory and its accessors. */
#include "lamina/config/config.h"

#include "lamina/base/assert.h"
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES 16384

void *config_allocate(struct lam_config *config, size_t bytes)
{
    struct chunk *chunk = config->chunks;
    size_t rounded = (bytes + 15) & ~(size_t)15;

    if (chunk == NULL || chunk->size_bytes - chunk->used_bytes < rounded) {
        size_t size = rounded > CHUNK_BYTES ? rounded : CHUNK_BYTES;

        chunk = calloc(1, sizeof(*chunk) + size + 16);
        if (chunk == NULL) {
            config->failed = -ENOMEM;
            return NULL;
        }
        /* The header is 24 bytes: start where nodes are aligned. */
        chunk->used_bytes = (16 - offsetof(struct chunk, bytes) % 16) % 16;
        chunk->size_bytes = size + chunk->used_bytes;
        chunk->next = config->chunks;
        config->chunks = chunk;
    }
    chunk->used_bytes += rounded;
    return chunk->bytes + chunk->used_bytes - rounded;
}

char *config_copy_text(struct lam_config *config, const char *text, size_t bytes)
{
    char *copy = config_allocate(config, bytes + 1);

    if (copy != NULL)
        memcpy(copy, text, bytes);
    return copy;
}

struct lam_config_node *config_add_node(
    struct lam_config *config, struct lam_config_node *parent, enum node_shape shape)
{
    struct lam_config_node *node = config_allocate(config, sizeof(*node));

    if (node == NULL)
        return NULL;
    node->shape = shape;
    node->word = -1;
    node->parent = parent;
    if (parent == NULL) {
        config->root = node;
        return node;
    }
    node->index = parent->child_count++;
    if (parent->last != NULL)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

struct lam_config_node *config_child(const struct lam_config_node *node, const char *key)
{
    for (struct lam_config_node *child = node->first; child != NULL; child = child->next)
        if (child->key != NULL && strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

const struct lam_config_field *config_field(const struct lam_config_field *fields, const char *key)
{
    for (; fields->key != NULL; fields++)
        if (strcmp(fields->key, key) == 0)
            return fields;
    return NULL;
}

int lam_config_create(struct lam_config **config, const struct lam_config_field *root)
{
    LAM_ASSERT(root->kind == LAM_CONFIG_RECORD);
    *config = calloc(1, sizeof(**config));
    if (*config == NULL)
        return -ENOMEM;
    (*config)->root_field = root;
    (*config)->name = "";
    (*config)->source = "";
    return 0;
}

void lam_config_destroy(struct lam_config *config)
{
    struct chunk *next;

    if (config == NULL)
        return;
    for (struct chunk *chunk = config->chunks; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(config->report);
    free(config);
}

int lam_config_read_text(
    struct lam_config *config, const char *name, const char *text, size_t bytes)
{
    LAM_ASSERT(config->root == NULL && config->failed == 0);
    config->name = config_copy_text(config, name, strlen(name));
    config->source = config_copy_text(
        config, text, bytes > LAM_CONFIG_FILE_BYTES_MAX ? LAM_CONFIG_FILE_BYTES_MAX : bytes);
    if (config->name == NULL || config->source == NULL)
        return -ENOMEM;
    if (bytes > LAM_CONFIG_FILE_BYTES_MAX) {
        (void)config_problem_at(config, 0, 0, "larger than the %d bytes that such a file may have",
            LAM_CONFIG_FILE_BYTES_MAX);
        config->failed = -EFBIG;
        return -EFBIG;
    }
    config->source_bytes = bytes;
    config->failed = config_parse(config);
    return config->failed;
}

/* Reads at most one byte more than allowed, so that a pipe without end is refused too. */
static ssize_t read_all(int file, char *text, size_t room)
{
    size_t used = 0;

    while (used < room) {
        ssize_t got = read(file, text + used, room - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

int lam_config_read_file(struct lam_config *config, const char *path)
{
    char *text = malloc(LAM_CONFIG_FILE_BYTES_MAX + 1);
    ssize_t bytes = -ENOMEM;
    int file;

    if (text == NULL)
        return -ENOMEM;
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        bytes = read_all(file, text, LAM_CONFIG_FILE_BYTES_MAX + 1);
        (void)close(file);
    } else {
        bytes = -errno;
    }
    if (bytes < 0) {
        config->name = config_copy_text(config, path, strlen(path));
        if (config->name != NULL)
            (void)config_problem_at(config, 0, 0, "%s", strerror((int)-bytes));
        config->failed = (int)bytes;
    } else {
        (void)lam_config_read_text(config, path, text, (size_t)bytes);
    }
    free(text);
    return config->failed;
}

const char *lam_config_file_name(const struct lam_config *config)
{
    return config->name;
}

struct lam_config_node *lam_config_root(struct lam_config *config)
{
    LAM_ASSERT(config->root != NULL);
    return config->root;
}

struct lam_config_node *lam_config_find(struct lam_config *config, const char *path)
{
    struct lam_config_node *node = config->root;
    char key[64];

    while (node != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");

        if (length >= sizeof(key))
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        node = config_child(node, key);
        path += length + (path[length] == '.');
    }
    return node;
}

struct lam_config_node *lam_config_at(const struct lam_config_node *node, const char *key)
{
    LAM_ASSERT(node->field != NULL);
    LAM_ASSERT(
        node->field->kind != LAM_CONFIG_RECORD || config_field(node->field->fields, key) != NULL);
    return config_child(node, key);
}

struct lam_config_node *lam_config_first(const struct lam_config_node *node)
{
    return node->first;
}

struct lam_config_node *lam_config_next(const struct lam_config_node *node)
{
    return node->next;
}

uint32_t lam_config_length(const struct lam_config_node *node)
{
    return node->child_count;
}

const char *lam_config_key(const struct lam_config_node *node)
{
    return node->key;
}

const char *lam_config_text(const struct lam_config_node *node)
{
    LAM_ASSERT(node->shape == NODE_SCALAR);
    return node->text;
}

uint64_t lam_config_number(const struct lam_config_node *node)
{
    LAM_ASSERT(node->field != NULL);
    return node->number;
}

int lam_config_word(const struct lam_config_node *node)
{
    LAM_ASSERT(node->field != NULL);
    return node->word;
}

const char *lam_config_origin(const struct lam_config_node *node)
{
    return node->origin;
}

int lam_config_in_file(const struct lam_config_node *node)
{
    return !node->is_default && node->origin == NULL;
}

void lam_config_place(const struct lam_config_node *node, uint32_t *line, uint32_t *column)
{
    *line = node->origin == NULL ? node->line : 0;
    *column = node->origin == NULL ? node->column : 0;
}
