/* SPDX-License-Identifier: Apache-2.0 */

/*
 * types.c: from the names of types to the types, and whether they may stand where they stand.
 */

#include "front.h"

#include <errno.h>
#include <string.h>

/* What @draft names, into @type as if it stood alone: element becomes kind. */
static int resolve_name(struct front *front, const char *name_space, const struct draft_type *draft,
    struct schema_type *type)
{
    const struct schema_declaration *found = names_find(front, name_space, draft->name);

    if (found == NULL)
        return names_undefined(front, name_space, draft);
    switch (found->kind) {
    case SCHEMA_DECLARES_ENUM:
        type->enumeration = (const struct schema_enum *)found;
        type->kind = type->enumeration->underlying;
        return 0;
    case SCHEMA_DECLARES_UNION:
        type->enumeration = (const struct schema_enum *)found;
        type->kind = SCHEMA_UNION;
        return 0;
    case SCHEMA_DECLARES_STRUCT:
    case SCHEMA_DECLARES_TABLE:
        type->record = (const struct schema_record *)found;
        type->kind = found->kind == SCHEMA_DECLARES_STRUCT ? SCHEMA_STRUCT : SCHEMA_TABLE;
        return 0;
    default:
        return schema_error_at(
            front->diagnostics, &draft->place, "\"%s\" is a service, not a type", draft->name);
    }
}

int types_resolve_one(struct front *front, const char *name_space, const struct draft_type *draft,
    struct schema_type *type)
{
    bool is_many = draft->kind == SCHEMA_VECTOR || draft->kind == SCHEMA_ARRAY;
    int result = 0;

    *type = (struct schema_type){.kind = is_many ? draft->element : draft->kind};
    if (type->kind == SCHEMA_NONE)
        result = resolve_name(front, name_space, draft, type);
    if (is_many) {
        type->element = type->kind;
        type->kind = draft->kind;
        type->array_count = draft->array_count;
    }
    return result;
}

static int check_struct_field(struct front *front, const struct draft_field *field)
{
    const struct schema_type *type = &field->field.type;
    enum schema_kind kind = type->kind == SCHEMA_ARRAY ? type->element : type->kind;

    if (schema_kind_is_scalar(kind) || kind == SCHEMA_STRUCT)
        return 0;
    return schema_error_at(front->diagnostics, &field->type.whole,
        "a struct holds only scalars, enums, structs and fixed arrays of these, and a %s is not",
        schema_kind_name(kind));
}

static int check_table_field(struct front *front, const struct draft_field *field)
{
    if (field->field.type.kind != SCHEMA_ARRAY)
        return 0;
    return schema_error_at(front->diagnostics, &field->type.whole,
        "a fixed array can only be in a struct; a table holds a vector, without the length");
}

/* The field with the tag of union @field, which goes before it. */
static struct draft_field *make_tag(struct front *front, struct draft_field *field)
{
    struct draft_field *tag = arena_alloc(front->arena, sizeof(*tag));

    tag->field = (struct schema_field){
        .name = arena_format(front->arena, "%s_type", field->field.name),
        .place = field->field.place,
        .parent = field->field.parent,
        .type = {.kind = SCHEMA_U8, .enumeration = field->field.type.enumeration},
        .is_union_tag = true,
        .companion = &field->field,
        .max = UINT32_MAX,
        .max_text = UINT32_MAX,
    };
    if (field->field.type.kind == SCHEMA_VECTOR) {
        tag->field.type.kind = SCHEMA_VECTOR;
        tag->field.type.element = SCHEMA_U8;
    }
    field->field.companion = &tag->field;
    return tag;
}

static bool is_union(const struct schema_type *type)
{
    return type->kind == SCHEMA_UNION ||
           (type->kind == SCHEMA_VECTOR && type->element == SCHEMA_UNION);
}

static int add_name(struct front *front, struct name_map *names, struct draft_field *field)
{
    const struct draft_field *first = name_map_add(front->arena, names, field->field.name, field);
    int result;

    if (first == NULL)
        return 0;
    result = schema_error_at(front->diagnostics, &field->field.place,
        field->field.is_union_tag ? "the tag \"%s\" of this union is a field already"
                                  : "field \"%s\" is declared a second time",
        field->field.name);
    schema_note_at(front->diagnostics, &first->field.place,
        first->field.is_union_tag ? "it is the tag of this union" : "first declared here");
    return result;
}

static int resolve_field(struct front *front, struct draft_record *record,
    struct draft_field *field, struct list *fields, struct name_map *names)
{
    const char *name_space = record->record.declaration.name_space;
    int result = types_resolve_one(front, name_space, &field->type, &field->field.type);

    if (result == 0)
        result = record->record.is_struct ? check_struct_field(front, field)
                                          : check_table_field(front, field);
    if (result == 0 && is_union(&field->field.type)) {
        struct draft_field *tag = make_tag(front, field);

        list_add(front->arena, fields, tag);
        result = add_name(front, names, tag);
    }
    list_add(front->arena, fields, field);
    if (add_name(front, names, field) != 0)
        result = -EINVAL;
    return result;
}

static int resolve_record(struct front *front, struct draft_record *record)
{
    struct list fields = {0};
    struct name_map names = {0};
    int result = 0;

    if (record->record.is_struct && record->fields.count == 0)
        return schema_error_at(front->diagnostics, &record->record.declaration.place,
            "struct \"%s\" has no fields", record->record.declaration.name);
    for (size_t i = 0; i < record->fields.count && !front_gave_up(front); i++)
        if (resolve_field(front, record, record->fields.items[i], &fields, &names) != 0)
            result = -EINVAL;
    if (fields.count > SCHEMA_FIELD_COUNT_MAX)
        result = schema_error_at(front->diagnostics, &record->record.declaration.place,
            "more than %u fields in \"%s\", tags of unions included", SCHEMA_FIELD_COUNT_MAX,
            record->record.declaration.name);
    record->fields = fields;
    record->record.fields = (struct schema_field *const *)fields.items;
    record->record.by_id = record->record.fields;
    record->record.field_count = fields.count;
    return result;
}

static int resolve_union(struct front *front, struct draft_enum *draft)
{
    const char *name_space = draft->enumeration.declaration.name_space;
    int result = 0;

    for (size_t i = 1; i < draft->values.count && !front_gave_up(front); i++) {
        struct draft_enum_value *value = draft->values.items[i];
        struct schema_type *type = &value->value.type;

        if (types_resolve_one(front, name_space, &value->type, type) != 0)
            result = -EINVAL;
        else if (type->kind != SCHEMA_TABLE && type->kind != SCHEMA_STRUCT &&
                 type->kind != SCHEMA_STRING)
            result = schema_error_at(front->diagnostics, &value->type.whole,
                "a union member is a table, a struct or a string, which \"%s\" is not",
                type->enumeration != NULL ? type->enumeration->declaration.name
                                          : schema_kind_name(type->kind));
    }
    return result;
}

/* The values in one array, as generators want them. */
static void finish_enum(struct front *front, struct draft_enum *draft)
{
    struct schema_enum_value *values =
        arena_alloc(front->arena, draft->values.count * sizeof(*values));

    for (size_t i = 0; i < draft->values.count; i++)
        values[i] = ((const struct draft_enum_value *)draft->values.items[i])->value;
    draft->enumeration.values = values;
    draft->enumeration.value_count = draft->values.count;
}

int types_resolve(struct front *front)
{
    int result = 0;

    for (size_t i = 0; i < front->enums.count; i++) {
        struct draft_enum *draft = front->enums.items[i];

        if (draft->enumeration.is_union && resolve_union(front, draft) != 0)
            result = -EINVAL;
        finish_enum(front, draft);
    }
    for (size_t i = 0; i < front->records.count && !front_gave_up(front); i++)
        if (resolve_record(front, front->records.items[i]) != 0)
            result = -EINVAL;
    return result;
}
