/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A type in words, as channels carry it and its hash is made of: lamina/codecs/schema.h.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "emit_c.h"

static const struct schema_declaration *declaration_of(const struct schema_field *field)
{
    if (field->deprecated || field->is_union_tag)
        return NULL;
    if (field->type.record != NULL)
        return &field->type.record->declaration;
    return field->type.enumeration != NULL ? &field->type.enumeration->declaration : NULL;
}

/* Append @found unless it is there, or NULL. */
static void reach(const struct schema_declaration *found, const struct schema_declaration **types,
    uint32_t *type_count)
{
    for (uint32_t i = 0; i < *type_count; i++) {
        if (types[i] == found)
            return;
    }
    if (found != NULL)
        types[(*type_count)++] = found;
}

void emit_reach(const struct schema_declaration *declaration,
    const struct schema_declaration **types, uint32_t *type_count)
{
    /*
     * The list is its own queue: whoever is appended is looked at later. No recursion, and the
     * order depends on nothing but the types.
     */
    uint32_t next = *type_count;

    for (reach(declaration, types, type_count); next < *type_count; next++) {
        const struct schema_record *record = (const struct schema_record *)types[next];
        const struct schema_enum *members = (const struct schema_enum *)types[next];
        bool is_record = types[next]->kind == SCHEMA_DECLARES_TABLE ||
                         types[next]->kind == SCHEMA_DECLARES_STRUCT;

        for (size_t i = 0; is_record && i < record->field_count; i++)
            reach(declaration_of(record->by_id[i]), types, type_count);
        for (size_t i = 0; !is_record && members->is_union && i < members->value_count; i++) {
            if (members->values[i].type.record != NULL)
                reach(&members->values[i].type.record->declaration, types, type_count);
        }
    }
}

static void put_field_type(FILE *out, const struct schema_field *field)
{
    static const char *const names[] = {[SCHEMA_BOOL] = "bool",
        [SCHEMA_I8] = "i8",
        [SCHEMA_U8] = "u8",
        [SCHEMA_I16] = "i16",
        [SCHEMA_U16] = "u16",
        [SCHEMA_I32] = "i32",
        [SCHEMA_U32] = "u32",
        [SCHEMA_I64] = "i64",
        [SCHEMA_U64] = "u64",
        [SCHEMA_F32] = "f32",
        [SCHEMA_F64] = "f64",
        [SCHEMA_STRING] = "string",
        [SCHEMA_STRUCT] = "struct",
        [SCHEMA_TABLE] = "table",
        [SCHEMA_UNION] = "union"};
    const struct schema_declaration *declaration = declaration_of(field);

    (void)fprintf(out, "%s%s", emit_is_vector(field) ? "[" : "", names[emit_element(field)]);
    if (declaration != NULL)
        (void)fprintf(out, "/%s", declaration->full_name);
    if (field->type.kind == SCHEMA_ARRAY)
        (void)fprintf(out, ":%" PRIu32, field->type.array_count);
    (void)fprintf(out, "%s", emit_is_vector(field) ? "]" : "");
}

static void put_table(FILE *out, const struct schema_record *record)
{
    (void)fprintf(out, "table %s %zu\n", record->declaration.full_name, record->field_count);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct schema_field *field = record->by_id[i];

        (void)fprintf(out, "%s %u ", field->name, field->vtable_offset);
        if (field->deprecated) {
            (void)fprintf(out, "deprecated\n");
            continue;
        }
        if (field->is_union_tag) {
            (void)fprintf(out, "tag\n");
            continue;
        }
        put_field_type(out, field);
        if (field->required)
            (void)fprintf(out, " required");
        if (field->optional)
            (void)fprintf(out, " optional");
        if (emit_preset(field) != 0)
            (void)fprintf(out, " =%" PRIu64, emit_preset(field));
        (void)fprintf(out, "\n");
    }
}

static void put_struct(FILE *out, const struct schema_record *record)
{
    (void)fprintf(out, "struct %s %zu %" PRIu32 " %" PRIu32 "\n", record->declaration.full_name,
        record->field_count, record->size, record->align);
    for (size_t i = 0; i < record->field_count; i++) {
        (void)fprintf(out, "%s %" PRIu32 " ", record->fields[i]->name, record->fields[i]->offset);
        put_field_type(out, record->fields[i]);
        (void)fprintf(out, "\n");
    }
}

static void put_union(FILE *out, const struct schema_enum *members)
{
    (void)fprintf(out, "union %s %zu\n", members->declaration.full_name, members->value_count - 1);
    for (size_t i = 0; i < members->value_count; i++) {
        const struct schema_enum_value *member = &members->values[i];

        if (member->type.kind == SCHEMA_STRING)
            (void)fprintf(out, "%s %" PRIu64 " string\n", member->name, member->bits);
        else if (member->type.kind != SCHEMA_NONE)
            (void)fprintf(out, "%s %" PRIu64 " %s/%s\n", member->name, member->bits,
                member->type.kind == SCHEMA_STRUCT ? "struct" : "table",
                member->type.record->declaration.full_name);
    }
}

static void put_enum(FILE *out, const struct schema_enum *enumeration)
{
    (void)fprintf(out, "%s %s %zu %s\n", enumeration->bit_flags ? "flags" : "enum",
        enumeration->declaration.full_name, enumeration->value_count,
        emit_suffix(enumeration->underlying));
    for (size_t i = 0; i < enumeration->value_count; i++)
        (void)fprintf(
            out, "%s %" PRIu64 "\n", enumeration->values[i].name, enumeration->values[i].bits);
}

static void put_root(struct emit *e, const struct schema_record *record, FILE *out)
{
    (void)fprintf(out, "root %s %" PRIu32 " ", record->declaration.full_name, record->align_max);
    if (record != e->schema->root || e->schema->file_identifier[0] == '\0') {
        (void)fprintf(out, "-\n");
        return;
    }
    for (size_t i = 0; i < 4; i++)
        (void)fprintf(out, "%02x", (unsigned char)e->schema->file_identifier[i]);
    (void)fprintf(out, "\n");
}

char *emit_text(struct emit *e, const struct schema_record *record)
{
    const struct schema_declaration **types =
        malloc((e->schema->declaration_count + 1) * sizeof(*types));
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = types != NULL ? open_memstream(&text, &bytes) : NULL;
    uint32_t count = 0;

    if (out != NULL) {
        emit_reach(&record->declaration, types, &count);
        put_root(e, record, out);
        for (uint32_t i = 0; i < count; i++) {
            if (types[i]->kind == SCHEMA_DECLARES_TABLE)
                put_table(out, (const struct schema_record *)types[i]);
            else if (types[i]->kind == SCHEMA_DECLARES_STRUCT)
                put_struct(out, (const struct schema_record *)types[i]);
            else if (types[i]->kind == SCHEMA_DECLARES_UNION)
                put_union(out, (const struct schema_enum *)types[i]);
            else
                put_enum(out, (const struct schema_enum *)types[i]);
        }
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(types);
    return text;
}
