/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C header as a whole. It is written into memory and comes out only when it is right.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emit_c.h"

#ifndef LAMINA_VERSION
#define LAMINA_VERSION "unknown"
#endif

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* e->base: prefix, namespace and name of the file, so that it is unique like names of types are. */
static void choose_base(struct emit *e)
{
    const struct schema *schema = e->schema;
    const char *name_space = "";
    const char *name = file_name(schema->files[0]->path);

    for (size_t i = 0; i < schema->declaration_count && name_space[0] == '\0'; i++) {
        if (emit_is_own(e, schema->declarations[i]))
            name_space = schema->declarations[i]->name_space;
    }
    (void)snprintf(e->base, sizeof(e->base), "%s%s%s%.*s", e->options->prefix, name_space,
        name_space[0] != '\0' ? "_" : "", (int)strcspn(name, "."), name);
    for (char *at = e->base; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at))
            *at = '_';
    }
    if (isdigit((unsigned char)e->base[0]))
        e->base[0] = 'n';
}

static void put_guard(struct emit *e, const char *before)
{
    emit_put(e, "%s", before);
    for (const char *at = e->base; *at != '\0'; at++)
        emit_put(e, "%c", toupper((unsigned char)*at));
    emit_put(e, "_FBS_H\n");
}

static void put_banner(struct emit *e)
{
    emit_put(e,
        "/*\n * Made by lamina-schema %s from %s, schema hash 0x%016" PRIx64
        ".\n * Change the schema, not this file.\n *\n",
        LAMINA_VERSION, file_name(e->schema->files[0]->path), e->schema->hash);
    emit_put(e,
        " * For each table T, here with its namespace before it:\n"
        " *\n"
        " *   struct T            a plain value; T_init, T_pack, T_unpack, T_msgpack_pack...\n"
        " *   struct T_view       a look into a verified message: T_verify, T_root, T_get_FIELD,\n"
        " *                       T_has_FIELD; borrowed from the message, as long as it lives\n"
        " *   struct T_at         a table being built in place: T_start, T_set_FIELD (copies),\n"
        " *                       T_open_FIELD (fill what is returned), T_extend_FIELD (append to\n"
        " *                       the last vector), T_vector_open (an element), T_finish\n"
        " *   T_flatbuffers, T_msgpack   the codecs, for channels\n"
        " *\n"
        " * Errors while building stick until T_finish returns them; what an open or extend "
        "returns\n"
        " * is NULL then, and is checked before it is written through.\n */\n");
}

/* "sub/other.fbs" is generated as "sub/other.h". */
static void put_include(struct emit *e, const struct schema_file *file)
{
    size_t length = strlen(file->spelled);

    if (length > 4 && strcmp(file->spelled + length - 4, ".fbs") == 0)
        length -= 4;
    emit_put(e, "#include \"%.*s.h\"\n", (int)length, file->spelled);
}

static bool type_is_from(const struct schema_type *type, const struct schema_file *file)
{
    if (type->record != NULL && type->record->declaration.file == file)
        return true;
    return type->enumeration != NULL && type->enumeration->declaration.file == file;
}

/* Whether a type of @file is named in a type of this one: only then is its header needed. */
static bool is_used(const struct emit *e, const struct schema_file *file)
{
    for (size_t i = 0; i < e->schema->record_count; i++) {
        const struct schema_record *record = e->schema->order[i];

        if (!emit_is_own(e, &record->declaration))
            continue;
        for (size_t j = 0; j < record->field_count; j++) {
            const struct schema_enum *members = record->fields[j]->type.enumeration;

            if (type_is_from(&record->fields[j]->type, file))
                return true;
            for (size_t k = 0; members != NULL && k < members->value_count; k++) {
                if (type_is_from(&members->values[k].type, file))
                    return true;
            }
        }
    }
    return false;
}

static void put_head(struct emit *e)
{
    const struct schema *schema = e->schema;
    const char *before = "\n";

    put_banner(e);
    put_guard(e, "#ifndef ");
    put_guard(e, "#define ");
    emit_put(e, "\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n\n"
                "#include \"lamina/codecs/flatbuffers/codec.h\"\n"
                "#include \"lamina/codecs/msgpack/codec.h\"\n");
    for (size_t i = 1; i < schema->file_count; i++) {
        if (!is_used(e, schema->files[i]))
            continue;
        emit_put(e, "%s", before);
        before = "";
        put_include(e, schema->files[i]);
    }
    emit_put(e, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
}

/* Calls @emit for each of the file's own tables, or structs. */
static void each_record(
    struct emit *e, bool is_struct, void (*emit)(struct emit *, const struct schema_record *))
{
    for (size_t i = 0; i < e->schema->record_count; i++) {
        const struct schema_record *record = e->schema->order[i];

        if (record->is_struct == is_struct && emit_is_own(e, &record->declaration))
            emit(e, record);
    }
}

static int put_all(struct emit *e)
{
    int rc;

    put_head(e);
    for (size_t i = 0; i < e->schema->enum_count; i++) {
        const struct schema_enum *enumeration = e->schema->enums[i];

        if (emit_is_own(e, &enumeration->declaration))
            emit_enum(e, enumeration);
    }
    each_record(e, true, emit_struct);
    each_record(e, false, emit_table_types);
    each_record(e, false, emit_table_value);
    each_record(e, false, emit_reader);
    each_record(e, false, emit_builder);
    rc = emit_types(e);
    if (rc != 0)
        return rc;
    each_record(e, false, emit_codecs);
    emit_put(e, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
    return emit_check_symbols(e);
}

static void emit_free(struct emit *e)
{
    for (size_t i = 0; i < e->symbol_count; i++)
        free(e->symbols[i].name);
    free(e->symbols);
    free(e->types);
    emit_layout_free(e);
}

/* All into @text, malloc'ed. */
static int emit_to_memory(struct emit *e, char **text, size_t *bytes)
{
    int rc = emit_check(e);

    if (rc == 0)
        rc = emit_layout_tables(e);
    if (rc != 0)
        return rc;
    e->out = open_memstream(text, bytes);
    if (e->out == NULL)
        return -ENOMEM;
    rc = put_all(e);
    if (fclose(e->out) != 0 || e->failed)
        return rc != 0 ? rc : -ENOMEM;
    return rc;
}

int emit_header(const struct schema *schema, const struct emit_options *options,
    struct schema_diagnostics *diagnostics, FILE *out)
{
    struct emit e = {.schema = schema, .options = options, .diagnostics = diagnostics};
    char *text = NULL;
    size_t bytes = 0;
    int rc;

    choose_base(&e);
    rc = emit_to_memory(&e, &text, &bytes);
    emit_free(&e);
    if (rc == 0 && fwrite(text, 1, bytes, out) != bytes)
        rc = -EIO;
    free(text);
    return rc;
}
