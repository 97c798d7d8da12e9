/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SCHEMA_SOURCES_H
#define TEST_SCHEMA_SOURCES_H

/*
 * sources.h: schemas in memory, for tests that need no file system.
 */

#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const char *path;
    const char *text;
};

struct sources {
    const struct source *items;
    size_t count;
};

static inline int sources_read(void *context, const char *path, char **text, size_t *bytes)
{
    const struct sources *sources = context;

    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->items[i].path, path) != 0)
            continue;
        *bytes = strlen(sources->items[i].text);
        *text = malloc(*bytes + 1);
        if (*text == NULL)
            return -ENOMEM;
        memcpy(*text, sources->items[i].text, *bytes + 1);
        return 0;
    }
    return -ENOENT;
}

/* Load the first of @count @items, with folder "lib" to look for includes in. */
static inline int sources_load(const struct source *items, size_t count,
    struct schema_diagnostics *diagnostics, struct schema **schema)
{
    static const char *const dirs[] = {"lib"};
    struct sources sources = {items, count};
    struct schema_load_options options = {
        .include_dirs = dirs,
        .include_dir_count = 1,
        .read = sources_read,
        .read_context = &sources,
    };

    schema_diagnostics_init(diagnostics);
    return schema_load(items[0].path, &options, diagnostics, schema);
}

/* Load @text as t.fbs. */
static inline int text_load(
    const char *text, struct schema_diagnostics *diagnostics, struct schema **schema)
{
    struct source source = {"t.fbs", text};

    return sources_load(&source, 1, diagnostics, schema);
}

/* @format with its one %s replaced by the text that repeats @part @count times. */
static inline char *repeated(const char *format, const char *part, size_t count)
{
    size_t part_bytes = strlen(part);
    char *many = malloc(count * part_bytes + 1);
    char *text = NULL;

    if (many == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        memcpy(many + i * part_bytes, part, part_bytes);
    many[count * part_bytes] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (asprintf(&text, format, many) < 0)
        abort();
#pragma GCC diagnostic pop
    free(many);
    return text;
}

#endif
