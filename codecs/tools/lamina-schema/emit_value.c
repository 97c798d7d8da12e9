/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types that hold values: enums, structs as they lie in messages, plain structs of tables.
 */
#include "emit_c.h"

static void emit_enum_name(struct emit *e, const struct schema_enum *enumeration, const char *name)
{
    char text[48];

    emit_declare(e, &enumeration->declaration.place, "%s_name", name);
    emit_put(e,
        "/* The name of @value as the schema writes it, or NULL when it has none. */\n"
        "static inline const char *%s_name(%s value)\n{\n    switch (value) {\n",
        name, name);
    for (size_t i = 0; i < enumeration->value_count; i++) {
        emit_integer(enumeration->underlying, enumeration->values[i].bits, text);
        emit_put(e, "    case %s:\n        return \"%s\";\n", text, enumeration->values[i].name);
    }
    emit_put(e, "    default:\n        return NULL;\n    }\n}\n\n");
}

void emit_enum(struct emit *e, const struct schema_enum *enumeration)
{
    const struct schema_place *place = &enumeration->declaration.place;
    char name[EMIT_NAME_BYTES];
    char type[EMIT_NAME_BYTES];
    char text[48];

    emit_c_name(e, &enumeration->declaration, name);
    emit_scalar_type(e, enumeration->underlying, NULL, type);
    emit_docs(e, &enumeration->declaration.docs, "");
    emit_declare(e, place, "%s", name);
    emit_put(e, "typedef %s %s;\n", type, name);
    for (size_t i = 0; i < enumeration->value_count; i++) {
        const struct schema_enum_value *value = &enumeration->values[i];

        emit_docs(e, &value->docs, "");
        emit_integer(enumeration->underlying, value->bits, text);
        emit_declare(e, &value->place, "%s_%s", name, value->name);
        emit_put(e, "#define %s_%s ((%s)%s)\n", name, value->name, name, text);
    }
    emit_put(e, "\n");
    emit_enum_name(e, enumeration, name);
}

static void emit_struct_member(struct emit *e, const struct schema_field *field, uint32_t index)
{
    enum schema_kind kind = emit_element(field);
    char type[EMIT_NAME_BYTES];
    char member[EMIT_NAME_BYTES];

    (void)emit_member(field->name, member, sizeof(member));
    emit_docs(e, &field->docs, "    ");
    if (kind == SCHEMA_STRUCT)
        emit_c_name(e, &field->type.record->declaration, type);
    else /* a byte that is neither 0 nor 1 is no bool to C, so one is a uint8_t here */
        emit_scalar_type(e, kind == SCHEMA_BOOL ? SCHEMA_U8 : kind, field->type.enumeration, type);
    emit_put(e, "    %s%s %s", kind == SCHEMA_STRUCT ? "struct " : "", type, member);
    if (field->type.kind == SCHEMA_ARRAY)
        emit_put(e, "[%u]", field->type.array_count);
    emit_put(e, kind == SCHEMA_BOOL ? "; /* 0 is false */\n" : ";\n");
    if (field->padding_after != 0)
        emit_put(e, "    uint8_t lam_padding_%u[%u];\n", index, field->padding_after);
}

void emit_struct(struct emit *e, const struct schema_record *record)
{
    const struct schema_place *place = &record->declaration.place;
    char name[EMIT_NAME_BYTES];
    char member[EMIT_NAME_BYTES];

    emit_c_name(e, &record->declaration, name);
    emit_docs(e, &record->declaration.docs, "");
    emit_declare(e, place, "%s", name);
    emit_declare(e, place, "%s_span", name);
    emit_put(e, record->force_align != 0 ? "struct __attribute__((aligned(%u))) " : "struct ",
        record->force_align);
    emit_put(e, "%s {\n", name);
    for (size_t i = 0; i < record->field_count; i++)
        emit_struct_member(e, record->fields[i], (uint32_t)i);
    emit_put(e, "};\n");
    emit_put(e, "LAM_STATIC_ASSERT(sizeof(struct %s) == %u, \"size of %s\");\n", name, record->size,
        record->declaration.full_name);
    for (size_t i = 0; i < record->field_count; i++)
        emit_put(e, "LAM_STATIC_ASSERT(offsetof(struct %s, %s) == %u, \"place of %s.%s\");\n", name,
            emit_member(record->fields[i]->name, member, sizeof(member)), record->fields[i]->offset,
            record->declaration.full_name, record->fields[i]->name);
    emit_put(e, "LAM_SPAN(%s_span, struct %s);\n\n", name, name);
}

void emit_table_types(struct emit *e, const struct schema_record *record)
{
    static const char *const suffixes[] = {"", "_span", "_view", "_views", "_at", "_vector_at"};
    char name[EMIT_NAME_BYTES];

    emit_c_name(e, &record->declaration, name);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        emit_declare(e, &record->declaration.place, "%s%s", name, suffixes[i]);
    emit_put(e, "/* table %s: value, view in a message, place while it is built; and vectors */\n",
        record->declaration.full_name);
    emit_put(e, "struct %s;\n", name);
    emit_put(e, "LAM_SPAN(%s_span, struct %s);\n", name, name);
    emit_put(
        e, "struct %s_view {\n    const unsigned char *at; /* NULL when absent */\n};\n", name);
    emit_put(e,
        "struct %s_views {\n    const unsigned char *vector; /* NULL when absent */\n"
        "    uint32_t count;\n};\n",
        name);
    emit_put(e, "struct %s_at {\n    uint32_t at;\n};\n", name);
    emit_put(e, "struct %s_vector_at {\n    uint32_t at;\n    uint32_t count;\n};\n\n", name);
}

/* The type of a field in the plain struct, up to the blank before its name. */
static void put_value_type(struct emit *e, const struct schema_field *field)
{
    enum schema_kind kind = emit_element(field);
    char type[EMIT_NAME_BYTES];

    if (kind == SCHEMA_UNION) {
        emit_put(e, "const void *");
    } else if (kind == SCHEMA_STRING) {
        emit_put(e, emit_is_vector(field) ? "struct lam_string_span " : "struct lam_string ");
    } else if (kind == SCHEMA_STRUCT || kind == SCHEMA_TABLE) {
        emit_c_name(e, &field->type.record->declaration, type);
        emit_put(e, emit_is_vector(field) ? "struct %s_span " : "const struct %s *", type);
    } else if (emit_is_vector(field)) {
        emit_put(e, "struct lam_%s_span ", emit_suffix(kind));
    } else if (field->optional) {
        emit_put(e, "struct lam_optional_%s ", emit_suffix(kind));
    } else {
        emit_scalar_type(e, kind, field->type.enumeration, type);
        emit_put(e, "%s ", type);
    }
}

static void put_value_note(struct emit *e, const struct schema_field *field)
{
    char type[EMIT_NAME_BYTES];

    if (field->type.kind == SCHEMA_UNION)
        emit_put(e, " /* %swhat %s says, or NULL */", field->required ? "required: " : "",
            field->companion->name);
    else if (field->required)
        emit_put(e, " /* required */");
    else if (field->type.enumeration != NULL && (emit_is_vector(field) || field->optional)) {
        emit_c_name(e, &field->type.enumeration->declaration, type);
        emit_put(e, " /* %s */", type);
    } else if (emit_element(field) == SCHEMA_BOOL && (emit_is_vector(field) || field->optional))
        emit_put(e, " /* bool */");
    else if (field->flexbuffer)
        emit_put(e, " /* holds a flexbuffer */");
    else if (field->nested_flatbuffer != NULL)
        emit_put(
            e, " /* holds a message of %s */", field->nested_flatbuffer->declaration.full_name);
}

void emit_table_value(struct emit *e, const struct schema_record *record)
{
    char name[EMIT_NAME_BYTES];
    char member[EMIT_NAME_BYTES];
    bool is_empty = true;

    emit_c_name(e, &record->declaration, name);
    emit_docs(e, &record->declaration.docs, "");
    emit_put(e, "struct %s {\n", name);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct schema_field *field = record->fields[i];

        if (field->deprecated)
            continue;
        is_empty = false;
        emit_docs(e, &field->docs, "    ");
        emit_put(e, "    ");
        put_value_type(e, field);
        emit_put(e, "%s;", emit_member(field->name, member, sizeof(member)));
        put_value_note(e, field);
        emit_put(e, "\n");
    }
    if (is_empty)
        emit_put(e, "    uint8_t lam_empty; /* C has no struct without members */\n");
    emit_put(e, "};\n\n");
}
