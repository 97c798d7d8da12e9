/* SPDX-License-Identifier: Apache-2.0 */
/* From the values of a record to the fields of a struct, as its table says. */
#include "option.h"

#include "lamina/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *option_allocate(struct lam_runtime_config *config, size_t bytes)
{
    struct option_memory *memory = calloc(1, sizeof(*memory) + bytes);

    if (memory == NULL) {
        config->is_out_of_memory = 1;
        return NULL;
    }
    memory->next = config->memory;
    config->memory = memory;
    return memory->bytes;
}

const char *option_path(struct lam_runtime_config *config, const char *path)
{
    size_t bytes = strlen(config->folder) + strlen(path) + 2;
    char *whole;

    if (path[0] == '/')
        return path;
    whole = option_allocate(config, bytes);
    if (whole != NULL)
        (void)snprintf(whole, bytes, "%s/%s", config->folder, path);
    return whole;
}

static void store_pointer(void *into, const struct lam_config_field *field, const void *pointer)
{
    LAM_ASSERT(field->bytes == sizeof(pointer));
    memcpy(into, &pointer, sizeof(pointer));
}

/* A list of texts as one: "a:b". NULL where memory is out. */
static const char *join(struct lam_runtime_config *config, const struct lam_config_node *list,
    const struct lam_config_field *field)
{
    char separator = (field->flags & OPTION_SPACED) != 0 ? ' ' : ':';
    char *joined;
    size_t bytes = 1;
    size_t used = 0;

    for (const struct lam_config_node *node = lam_config_first(list); node != NULL;
         node = lam_config_next(node))
        bytes += strlen(config->folder) + strlen(lam_config_text(node)) + 2;
    joined = option_allocate(config, bytes);
    for (const struct lam_config_node *node = lam_config_first(list);
         node != NULL && joined != NULL; node = lam_config_next(node)) {
        const char *text = lam_config_text(node);

        if ((field->flags & OPTION_PATH) != 0)
            text = option_path(config, text);
        if (text == NULL)
            return NULL;
        if (separator == ':' && strchr(text, ':') != NULL)
            (void)lam_config_problem(config->file, node, "a path with a ':' cannot be listed");
        used += (size_t)snprintf(joined + used, bytes - used, "%.*s%s", used > 0, &separator, text);
    }
    return joined;
}

/* A list of texts as an array of them, in the order of the file. */
static void store_array(struct lam_runtime_config *config, void *record, void *into,
    const struct lam_config_node *list, const struct lam_config_field *field)
{
    uint32_t count = lam_config_length(list), at = 0;
    const char **array = option_allocate(config, count * sizeof(*array));

    for (const struct lam_config_node *node = lam_config_first(list); node != NULL && array != NULL;
         node = lam_config_next(node))
        array[at++] = lam_config_text(node);
    store_pointer(into, field, array);
    memcpy((char *)record + (field->flags >> OPTION_COUNT_SHIFT), &at, sizeof(at));
}

static uint64_t bits_of(const struct lam_config_node *list)
{
    uint64_t bits = 0;

    for (const struct lam_config_node *node = lam_config_first(list); node != NULL;
         node = lam_config_next(node))
        bits |= UINT64_C(1) << lam_config_word(node);
    return bits;
}

static void store_number(void *into, const struct lam_config_field *field, uint64_t number)
{
    uint32_t narrow = (uint32_t)number;

    LAM_ASSERT(field->bytes == sizeof(number) || field->bytes == sizeof(narrow));
    if (field->bytes == sizeof(number)) {
        memcpy(into, &number, sizeof(number));
        return;
    }
    LAM_ASSERT(number == narrow || number == UINT64_MAX); /* its row has a bound */
    memcpy(into, &narrow, sizeof(narrow));
}

static void store_record(struct lam_runtime_config *config, void *into,
    const struct lam_config_node *node, const struct lam_config_field *field)
{
    void *record = into;

    if ((field->flags & OPTION_POINTER) != 0) {
        record = option_allocate(config, field->max);
        store_pointer(into, field, record);
    }
    if (record != NULL)
        option_fill(config, record, node, field->fields);
}

/* A list of records, in place or behind a pointer. */
static void store_records(struct lam_runtime_config *config, void *record, void *into,
    const struct lam_config_node *list, const struct lam_config_field *field)
{
    size_t stride = field->fields[0].bytes;
    uint32_t count = 0;
    char *items = into;

    if ((field->flags & OPTION_ARRAY) != 0) {
        items = option_allocate(config, lam_config_length(list) * stride);
        store_pointer(into, field, items);
    }
    for (const struct lam_config_node *node = lam_config_first(list); node != NULL && items != NULL;
         node = lam_config_next(node))
        option_fill(config, items + stride * count++, node, field->fields[0].fields);
    memcpy((char *)record + (field->flags >> OPTION_COUNT_SHIFT), &count, sizeof(count));
}

static void store(struct lam_runtime_config *config, void *record,
    const struct lam_config_node *node, const struct lam_config_field *field)
{
    void *into = (char *)record + field->offset;

    switch (field->kind) {
    case LAM_CONFIG_TEXT:
    case LAM_CONFIG_NAME:
        store_pointer(into, field,
            (field->flags & OPTION_PATH) != 0 ? option_path(config, lam_config_text(node))
                                              : lam_config_text(node));
        return;
    case LAM_CONFIG_WORD:
        store_number(into, field, (uint64_t)lam_config_word(node));
        return;
    case LAM_CONFIG_LIST:
        if (field->fields[0].kind == LAM_CONFIG_WORD)
            store_number(into, field, bits_of(node));
        else if (field->fields[0].kind == LAM_CONFIG_RECORD)
            store_records(config, record, into, node, field);
        else if ((field->flags & OPTION_ARRAY) != 0)
            store_array(config, record, into, node, field);
        else
            store_pointer(into, field, join(config, node, field));
        return;
    case LAM_CONFIG_RECORD:
        store_record(config, into, node, field);
        return;
    case LAM_CONFIG_MAP:
        LAM_ASSERT(field->bytes == 0);
        return;
    default:
        store_number(into, field, lam_config_word(node) < 0 ? lam_config_number(node) : UINT64_MAX);
        return;
    }
}

void option_fill(struct lam_runtime_config *config, void *into,
    const struct lam_config_node *record, const struct lam_config_field *fields)
{
    for (const struct lam_config_field *field = fields; field->key != NULL; field++) {
        const struct lam_config_node *node = lam_config_at(record, field->key);

        if (node != NULL && field->bytes != 0)
            store(config, into, node, field);
    }
}
