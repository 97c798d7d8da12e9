/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builders: places are constants, so a scalar is two stores.
 */
#include "emit_c.h"

/* One function of a field: what it returns, what it does, what it takes besides the table. */
static void put_head(struct emit *e, const char *result, const char *verb, const char *name,
    const struct schema_field *field)
{
    emit_declare(e, &field->place, "%s_%s_%s", name, verb, field->name);
    emit_put(e, "static inline %s%s_%s_%s(\n    struct lam_fb_builder *b, struct %s_at table",
        result, name, verb, field->name, name);
}

/* lam_fb_link() with the constants of the field. */
static void put_link(struct emit *e, const struct schema_field *field, bool again)
{
    const struct emit_layout *layout = &e->layouts[field->parent->order_index];

    emit_put(e, "lam_fb_link%s(b, table.at, %u, %u, %u)", again ? "_again" : "",
        layout->vtable_bytes - field->vtable_offset, layout->places[field->id],
        field->required ? 1U : 0U);
}

static void build_scalar(struct emit *e, const char *name, const struct schema_field *field)
{
    const struct emit_layout *layout = &e->layouts[field->parent->order_index];
    char type[EMIT_NAME_BYTES];

    emit_scalar_type(e, field->type.kind, field->type.enumeration, type);
    put_head(e, "void ", "set", name, field);
    emit_put(e, ", %s value)\n{\n    lam_fb_set_%s(b, table.at, %u, %u, value);\n}\n\n", type,
        emit_suffix(field->type.kind), layout->vtable_bytes - field->vtable_offset,
        layout->places[field->id]);
}

static void build_struct(struct emit *e, const char *name, const struct schema_field *field)
{
    char type[EMIT_NAME_BYTES];

    emit_c_name(e, &field->type.record->declaration, type);
    put_head(e, "void ", "set", name, field);
    emit_put(e,
        ", const struct %s *value)\n{\n"
        "    lam_fb_put_struct(b, ",
        type);
    put_link(e, field, false);
    emit_put(e, ", value, sizeof(*value));\n}\n\n");
}

static void build_string(struct emit *e, const char *name, const struct schema_field *field)
{
    put_head(e, "void ", "set", name, field);
    emit_put(e, ", const char *data, size_t size)\n{\n    lam_fb_put_string(b, ");
    put_link(e, field, false);
    emit_put(e, ", data, size);\n}\n\n");
    put_head(e, "char *", "open", name, field);
    emit_put(e, ", size_t size)\n{\n    return lam_fb_open_string(b, ");
    put_link(e, field, false);
    emit_put(e, ", size);\n}\n\n");
}

/* Vectors of scalars and structs: copied, opened to be filled in place, or grown at the end. */
static void build_vector(struct emit *e, const char *name, const struct schema_field *field)
{
    enum schema_kind kind = emit_element(field);
    uint32_t bytes = emit_element_bytes(field);
    uint32_t align = emit_element_align(field);
    char type[EMIT_NAME_BYTES];
    char pointer[EMIT_NAME_BYTES + 16];

    if (kind == SCHEMA_STRUCT)
        emit_c_name(e, &field->type.record->declaration, type);
    else
        emit_scalar_type(e, kind == SCHEMA_BOOL ? SCHEMA_U8 : kind, NULL, type);
    (void)snprintf(
        pointer, sizeof(pointer), "%s%s *", kind == SCHEMA_STRUCT ? "struct " : "", type);
    put_head(e, "void ", "set", name, field);
    emit_put(e, ", const %sdata, uint32_t count)\n{\n    lam_fb_put_vector(b, ", pointer);
    put_link(e, field, false);
    emit_put(e, ", data, count, %u, %u);\n}\n\n", bytes, align);
    put_head(e, pointer, "open", name, field);
    emit_put(e, ", uint32_t count)\n{\n    return (%s)lam_fb_open_vector(\n        b, ", pointer);
    put_link(e, field, false);
    emit_put(e, ", count, %u, %u);\n}\n\n", bytes, align);
    put_head(e, pointer, "extend", name, field);
    emit_put(e, ", uint32_t more)\n{\n    return (%s)lam_fb_extend_vector(\n        b, ", pointer);
    put_link(e, field, true);
    emit_put(e, ", more, %u, %u);\n}\n\n", bytes, align);
}

/* Vectors of strings and of tables: opened with a count, then each element once. */
static void build_objects(struct emit *e, const char *name, const struct schema_field *field)
{
    char type[EMIT_NAME_BYTES] = "lam_fb_strings";
    char result[EMIT_NAME_BYTES + 32];

    if (emit_element(field) == SCHEMA_TABLE)
        emit_c_name(e, &field->type.record->declaration, type);
    (void)snprintf(result, sizeof(result), "struct %s_%s ", type,
        emit_element(field) == SCHEMA_TABLE ? "vector_at" : "at");
    put_head(e, result, "open", name, field);
    emit_put(e, ", uint32_t count)\n{\n    %svector;\n\n    vector.at = lam_fb_open_offsets(b, ",
        result);
    put_link(e, field, false);
    emit_put(e, ", count);\n    vector.count = count;\n    return vector;\n}\n\n");
}

/* lam_fb_open_table() with the constants of @record. */
static void put_open(struct emit *e, const struct schema_record *record)
{
    const struct emit_layout *layout = &e->layouts[record->order_index];

    emit_put(e, "%u, %u, %u, %u)", layout->vtable_bytes, layout->inline_bytes, layout->align,
        layout->required_count);
}

static void build_table(struct emit *e, const char *name, const struct schema_field *field)
{
    char type[EMIT_NAME_BYTES];
    char result[EMIT_NAME_BYTES + 32];

    emit_c_name(e, &field->type.record->declaration, type);
    (void)snprintf(result, sizeof(result), "struct %s_at ", type);
    put_head(e, result, "open", name, field);
    emit_put(e, ")\n{\n    %snested;\n    uint32_t link = ", result);
    put_link(e, field, false);
    emit_put(e, ";\n\n    nested.at = lam_fb_open_table(b, link, ");
    put_open(e, field->type.record);
    emit_put(e, ";\n    return nested;\n}\n\n");
}

/* One function a member: it sets the tag too. */
static void build_member(struct emit *e, const char *name, const struct schema_field *field,
    const struct schema_enum_value *member)
{
    const struct schema_field *tag = field->companion;
    const struct emit_layout *layout = &e->layouts[field->parent->order_index];
    bool is_table = member->type.kind == SCHEMA_TABLE;
    bool is_string = member->type.kind == SCHEMA_STRING;
    const char *verb = is_table ? "open" : "set";
    char type[EMIT_NAME_BYTES] = "";

    if (!is_string)
        emit_c_name(e, &member->type.record->declaration, type);
    emit_declare(e, &field->place, "%s_%s_%s_as_%s", name, verb, field->name, member->name);
    emit_put(e, is_table ? "static inline struct %s_at " : "static inline void ", type);
    emit_put(e, "%s_%s_%s_as_%s(\n    struct lam_fb_builder *b, struct %s_at table", name, verb,
        field->name, member->name, name);
    if (is_string)
        emit_put(e, ", const char *data, size_t size");
    else if (!is_table)
        emit_put(e, ", const struct %s *value", type);
    emit_put(e,
        is_table ? ")\n{\n    struct %s_at nested;\n    uint32_t link = "
                 : ")\n{\n    uint32_t link = ",
        type);
    put_link(e, field, false);
    emit_put(e, ";\n\n    lam_fb_set_u8(b, table.at, %u, %u, %u);\n",
        layout->vtable_bytes - tag->vtable_offset, layout->places[tag->id], (unsigned)member->bits);
    if (is_table) {
        emit_put(e, "    nested.at = lam_fb_open_table(b, link, ");
        put_open(e, member->type.record);
        emit_put(e, ";\n    return nested;\n}\n\n");
    } else if (is_string) {
        emit_put(e, "    lam_fb_put_string(b, link, data, size);\n}\n\n");
    } else {
        emit_put(e, "    lam_fb_put_object(b, link, value, sizeof(*value), %u);\n}\n\n",
            member->type.record->align);
    }
}

static void build_union(struct emit *e, const char *name, const struct schema_field *field)
{
    const struct schema_enum *members = field->type.enumeration;

    for (size_t i = 0; i < members->value_count; i++) {
        if (members->values[i].type.kind != SCHEMA_NONE)
            build_member(e, name, field, &members->values[i]);
    }
}

static void build_field(struct emit *e, const char *name, const struct schema_field *field)
{
    enum schema_kind kind = emit_element(field);

    if (field->is_union_tag)
        return; /* whoever gives the member sets it */
    if (kind == SCHEMA_UNION)
        build_union(e, name, field);
    else if (emit_is_vector(field) && (kind == SCHEMA_STRING || kind == SCHEMA_TABLE))
        build_objects(e, name, field);
    else if (emit_is_vector(field))
        build_vector(e, name, field);
    else if (kind == SCHEMA_STRING)
        build_string(e, name, field);
    else if (kind == SCHEMA_TABLE)
        build_table(e, name, field);
    else if (kind == SCHEMA_STRUCT)
        build_struct(e, name, field);
    else
        build_scalar(e, name, field);
}

/* Beginning a message, a table in a vector, and the end. */
static void build_ends(struct emit *e, const struct schema_record *record, const char *name)
{
    const struct schema_place *place = &record->declaration.place;
    char identifier[EMIT_IDENTIFIER_BYTES];

    emit_identifier(e, record, identifier);
    emit_declare(e, place, "%s_start", name);
    emit_put(e,
        "/* Begin a message in @b, fresh from lam_fb_builder_init(). */\n"
        "static inline struct %s_at %s_start(struct lam_fb_builder *b)\n{\n    struct %s_at "
        "table;\n\n"
        "    lam_fb_start(b, %s);\n    table.at = lam_fb_open_table(b, 0, ",
        name, name, name, identifier);
    put_open(e, record);
    emit_put(e, ";\n    return table;\n}\n\n");
    emit_declare(e, place, "%s_finish", name);
    emit_put(e,
        "/* End the message: 0 and its size in *@size, or the first error since the start. */\n"
        "static inline int %s_finish(struct lam_fb_builder *b, size_t *size)\n{\n"
        "    return lam_fb_finish(b, size);\n}\n\n",
        name);
    emit_declare(e, place, "%s_vector_open", name);
    emit_put(e,
        "/* Open element @index of @vector. */\nstatic inline struct %s_at %s_vector_open(\n"
        "    struct lam_fb_builder *b, struct %s_vector_at vector, uint32_t index)\n{\n"
        "    struct %s_at table;\n"
        "    uint32_t link = lam_fb_link_element(b, vector.at, vector.count, index);\n\n"
        "    table.at = lam_fb_open_table(b, link, ",
        name, name, name, name);
    put_open(e, record);
    emit_put(e, ";\n    return table;\n}\n\n");
}

void emit_builder(struct emit *e, const struct schema_record *record)
{
    char name[EMIT_NAME_BYTES];

    emit_c_name(e, &record->declaration, name);
    emit_put(e, "/* ---- %s: building ---- */\n\n", record->declaration.full_name);
    build_ends(e, record, name);
    for (size_t i = 0; i < record->field_count; i++) {
        if (!record->fields[i]->deprecated)
            build_field(e, name, record->fields[i]);
    }
}
