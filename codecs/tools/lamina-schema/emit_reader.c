/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers: one look into the vtable a call, borrowed results.
 */
#include <string.h>

#include "emit_c.h"

static void put_head(
    struct emit *e, const char *type, const char *name, const struct schema_field *field)
{
    emit_declare(e, &field->place, "%s_get_%s", name, field->name);
    emit_put(
        e, "static inline %s%s_get_%s(struct %s_view view)\n{\n", type, name, field->name, name);
}

static void read_scalar(struct emit *e, const char *name, const struct schema_field *field)
{
    enum schema_kind kind = field->type.kind;
    char type[EMIT_NAME_BYTES + 1];
    char text[48];

    emit_scalar_type(e, kind, field->type.enumeration, type);
    emit_default(field, text);
    (void)snprintf(type + strlen(type), 2, " ");
    put_head(e, type, name, field);
    emit_put(e,
        "    const unsigned char *at = lam_fb_field(view.at, %u);\n\n    if (at == NULL)\n"
        "        return %s;\n    return lam_fb_load_%s(at)%s;\n}\n\n",
        field->vtable_offset, text, emit_suffix(kind), kind == SCHEMA_BOOL ? " != 0" : "");
}

static void read_vector(struct emit *e, const char *name, const struct schema_field *field)
{
    enum schema_kind kind = emit_element(field);
    char type[EMIT_NAME_BYTES];
    char span[EMIT_NAME_BYTES + 32];

    if (kind == SCHEMA_STRUCT) {
        emit_c_name(e, &field->type.record->declaration, type);
        (void)snprintf(span, sizeof(span), "struct %s_span ", type);
    } else {
        emit_scalar_type(e, kind == SCHEMA_BOOL ? SCHEMA_U8 : kind, NULL, type);
        (void)snprintf(span, sizeof(span), "struct lam_%s_span ", emit_suffix(kind));
    }
    put_head(e, span, name, field);
    emit_put(e,
        "    const unsigned char *vector = lam_fb_object(view.at, %u);\n    %sspan;\n\n"
        "    span.data = (const %s%s *)lam_fb_vector_data(vector);\n"
        "    span.count = lam_fb_vector_count(vector);\n    return span;\n}\n\n",
        field->vtable_offset, span, kind == SCHEMA_STRUCT ? "struct " : "", type);
}

/* Vectors of strings and of tables: still in the message, element by element. */
static void read_objects(struct emit *e, const char *name, const struct schema_field *field)
{
    char type[EMIT_NAME_BYTES];
    char views[EMIT_NAME_BYTES + 32];

    if (emit_element(field) == SCHEMA_STRING) {
        (void)snprintf(views, sizeof(views), "struct lam_fb_strings ");
    } else {
        emit_c_name(e, &field->type.record->declaration, type);
        (void)snprintf(views, sizeof(views), "struct %s_views ", type);
    }
    put_head(e, views, name, field);
    emit_put(e,
        "    %sviews;\n\n    views.vector = lam_fb_object(view.at, %u);\n"
        "    views.count = lam_fb_vector_count(views.vector);\n    return views;\n}\n\n",
        views, field->vtable_offset);
}

static void read_one(struct emit *e, const char *name, const struct schema_field *field)
{
    char type[EMIT_NAME_BYTES];
    char result[EMIT_NAME_BYTES + 32];

    if (field->type.kind == SCHEMA_STRING) {
        put_head(e, "struct lam_string ", name, field);
        emit_put(e, "    return lam_fb_string_view(lam_fb_object(view.at, %u));\n}\n\n",
            field->vtable_offset);
        return;
    }
    emit_c_name(e, &field->type.record->declaration, type);
    if (field->type.kind == SCHEMA_STRUCT) {
        (void)snprintf(result, sizeof(result), "const struct %s *", type);
        put_head(e, result, name, field);
        emit_put(e, "    return (%s)(const void *)lam_fb_field(view.at, %u);\n}\n\n", result,
            field->vtable_offset);
        return;
    }
    (void)snprintf(result, sizeof(result), "struct %s_view ", type);
    put_head(e, result, name, field);
    emit_put(e,
        "    %snested;\n\n    nested.at = lam_fb_object(view.at, %u);\n    return nested;\n}\n\n",
        result, field->vtable_offset);
}

/* One reader a member: nothing unless it is the one that is there. */
static void read_member(struct emit *e, const char *name, const struct schema_field *field,
    const struct schema_enum_value *member)
{
    char type[EMIT_NAME_BYTES];
    char result[EMIT_NAME_BYTES + 32];
    char tag[EMIT_NAME_BYTES];

    emit_c_name(e, &field->type.enumeration->declaration, tag);
    if (member->type.kind == SCHEMA_STRING) {
        (void)snprintf(result, sizeof(result), "struct lam_string ");
    } else {
        emit_c_name(e, &member->type.record->declaration, type);
        (void)snprintf(result, sizeof(result),
            member->type.kind == SCHEMA_STRUCT ? "const struct %s *" : "struct %s_view ", type);
    }
    emit_declare(e, &field->place, "%s_get_%s_as_%s", name, field->name, member->name);
    emit_put(e,
        "static inline %s%s_get_%s_as_%s(struct %s_view view)\n{\n"
        "    const unsigned char *at = %s_get_%s(view) == %s_%s ? lam_fb_object(view.at, %u) : "
        "NULL;\n",
        result, name, field->name, member->name, name, name, field->companion->name, tag,
        member->name, field->vtable_offset);
    if (member->type.kind == SCHEMA_STRING)
        emit_put(e, "\n    return lam_fb_string_view(at);\n}\n\n");
    else if (member->type.kind == SCHEMA_STRUCT)
        emit_put(e, "\n    return (%s)(const void *)at;\n}\n\n", result);
    else
        emit_put(e, "    %smember;\n\n    member.at = at;\n    return member;\n}\n\n", result);
}

static void read_union(struct emit *e, const char *name, const struct schema_field *field)
{
    const struct schema_enum *members = field->type.enumeration;

    for (size_t i = 0; i < members->value_count; i++) {
        if (members->values[i].type.kind != SCHEMA_NONE)
            read_member(e, name, field, &members->values[i]);
    }
}

static void read_field(struct emit *e, const char *name, const struct schema_field *field)
{
    enum schema_kind kind = emit_element(field);

    emit_docs(e, &field->docs, "");
    if (field->type.kind == SCHEMA_UNION)
        read_union(e, name, field);
    else if (schema_kind_is_scalar(field->type.kind))
        read_scalar(e, name, field);
    else if (!emit_is_vector(field))
        read_one(e, name, field);
    else if (kind == SCHEMA_STRING || kind == SCHEMA_TABLE)
        read_objects(e, name, field);
    else
        read_vector(e, name, field);
    emit_declare(e, &field->place, "%s_has_%s", name, field->name);
    emit_put(e,
        "static inline bool %s_has_%s(struct %s_view view)\n{\n"
        "    return lam_fb_field(view.at, %u) != NULL;\n}\n\n",
        name, field->name, name, field->vtable_offset);
}

void emit_reader(struct emit *e, const struct schema_record *record)
{
    const struct schema_place *place = &record->declaration.place;
    char name[EMIT_NAME_BYTES];

    emit_c_name(e, &record->declaration, name);
    emit_declare(e, place, "%s_root", name);
    emit_declare(e, place, "%s_views_at", name);
    emit_put(e,
        "/* ---- %s: reading ---- */\n\n"
        "/* The root of the message at @message, which %s_verify() found good. */\n"
        "static inline struct %s_view %s_root(const void *message)\n{\n    struct %s_view view;\n\n"
        "    view.at = lam_fb_root(message);\n    return view;\n}\n\n",
        record->declaration.full_name, name, name, name, name);
    emit_put(e,
        "/* Element @index, below the count (asserted). */\n"
        "static inline struct %s_view %s_views_at(\n    struct %s_views views, uint32_t index)\n{\n"
        "    struct %s_view view;\n\n    LAM_ASSERT(index < views.count);\n"
        "    view.at = lam_fb_follow(views.vector + 4 + 4 * (size_t)index);\n"
        "    return view;\n}\n\n",
        name, name, name, name);
    for (size_t i = 0; i < record->field_count; i++) {
        if (!record->fields[i]->deprecated)
            read_field(e, name, record->fields[i]);
    }
}
