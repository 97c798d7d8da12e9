/* SPDX-License-Identifier: Apache-2.0 */
/* The text of one type as a channel carries it, for whoever makes channels without its header. */
#include "channel.h"

#include "emit_c.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct schema_record *find_table(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->declaration_count; i++)
        if (schema->declarations[i]->kind == SCHEMA_DECLARES_TABLE &&
            strcmp(schema->declarations[i]->full_name, name) == 0)
            return (const struct schema_record *)schema->declarations[i];
    return NULL;
}

static void refuse(const struct schema *schema, const char *name)
{
    fprintf(stderr, "%s: there is no table %s; its tables:", schema->files[0]->path, name);
    for (size_t i = 0; i < schema->declaration_count; i++)
        if (schema->declarations[i]->kind == SCHEMA_DECLARES_TABLE)
            fprintf(stderr, " %s", schema->declarations[i]->full_name);
    fputs("\n", stderr);
}

int channel_write(const struct schema *schema, const char *type, const char *codec, FILE *out)
{
    const struct schema_record *record = find_table(schema, type);
    struct emit e = {.schema = schema};
    uint64_t hash;
    char *text;

    if (record == NULL) {
        refuse(schema, type);
        return -EINVAL;
    }
    text = emit_text(&e, record);
    if (text == NULL)
        return -ENOMEM;
    hash = emit_codec_hash(record, codec);
    fprintf(out, "%016" PRIx64 "\nlamina 1 %s %016" PRIx64 "\n%s", hash, codec, hash, text);
    free(text);
    return ferror(out) ? -EIO : 0;
}
