/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer target: any bytes as a schema. Built by the fuzz preset:
 *     build/fuzz/tests/fuzz_schema -max_len=4096 -timeout=5 CORPUS
 *
 * A line "//// NAME" starts a further file, so that includes are reached too.
 */

#include "dump.h"
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const char *text;
    size_t bytes;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The part of the input behind the line "//// @path"; the first part is t.fbs. */
static int read_part(void *context, const char *path, char **text, size_t *bytes)
{
    const struct input *input = context;
    const char *begin = input->text;
    const char *end;
    char line[600];

    if (strcmp(path, "t.fbs") != 0) {
        int length = snprintf(line, sizeof(line), "//// %s\n", path);

        if (length < 0 || length >= (int)sizeof(line))
            return -ENOENT;
        begin = memmem(input->text, input->bytes, line, (size_t)length);
        if (begin == NULL)
            return -ENOENT;
        begin += length;
    }
    *bytes = (size_t)(input->text + input->bytes - begin);
    end = memmem(begin, *bytes, "\n//// ", 6);
    if (end != NULL)
        *bytes = (size_t)(end - begin);
    *text = malloc(*bytes + 1);
    if (*text == NULL)
        return -ENOMEM;
    memcpy(*text, begin, *bytes);
    return 0;
}

static void check(const struct schema *schema)
{
    static FILE *nothing;

    if (nothing == NULL)
        nothing = fopen("/dev/null", "we");
    if (nothing == NULL || dump_schema(schema, nothing) != 0)
        abort();
    for (size_t i = 0; i < schema->record_count; i++)
        if (schema->order[i]->order_index != i || schema->order[i]->align_max == 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {(const char *)data, size};
    struct schema_load_options options = {.read = read_part, .read_context = &input};
    struct schema_diagnostics diagnostics;
    struct schema *schema = NULL;

    schema_diagnostics_init(&diagnostics);
    if (schema_load("t.fbs", &options, &diagnostics, &schema) == 0)
        check(schema);
    else if (schema_diagnostics_text(&diagnostics)[0] == '\0')
        abort(); /* an error without a word */
    schema_destroy(schema);
    schema_diagnostics_fini(&diagnostics);
    return 0;
}
