/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types as constant data for the walkers of the runtime. Each header has all that its tables
 * reach, those of included schemas too, so that a number means a place in one array.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "emit_c.h"

static const char *kind_name(enum schema_kind kind)
{
    static const char *const names[] = {[SCHEMA_BOOL] = "BOOL",
        [SCHEMA_I8] = "I8",
        [SCHEMA_U8] = "U8",
        [SCHEMA_I16] = "I16",
        [SCHEMA_U16] = "U16",
        [SCHEMA_I32] = "I32",
        [SCHEMA_U32] = "U32",
        [SCHEMA_I64] = "I64",
        [SCHEMA_U64] = "U64",
        [SCHEMA_F32] = "F32",
        [SCHEMA_F64] = "F64",
        [SCHEMA_STRING] = "STRING",
        [SCHEMA_STRUCT] = "STRUCT",
        [SCHEMA_TABLE] = "TABLE",
        [SCHEMA_UNION] = "UNION"};

    return names[kind];
}

static int collect(struct emit *e)
{
    e->types = malloc((e->schema->declaration_count + 1) * sizeof(*e->types));
    if (e->types == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < e->schema->record_count; i++) {
        const struct schema_record *record = e->schema->order[i];

        if (!record->is_struct && emit_is_own(e, &record->declaration))
            emit_reach(&record->declaration, e->types, &e->type_count);
    }
    return 0;
}

/* The number of the type of @field in this header, or what stands for none. */
static void put_type_number(struct emit *e, const struct schema_field *field)
{
    const void *type = field->type.record != NULL ? (const void *)field->type.record
                                                  : (const void *)field->type.enumeration;

    for (uint32_t i = 0; i < e->type_count && !field->deprecated && !field->is_union_tag; i++) {
        if (type == (const void *)e->types[i]) {
            emit_put(e, "%" PRIu32, i);
            return;
        }
    }
    emit_put(e, "LAM_TYPE_NONE");
}

static void put_flags(struct emit *e, const struct schema_field *field)
{
    unsigned flags = 0;

    flags |= emit_is_vector(field) ? 1U : 0U;
    flags |= field->required && !field->deprecated ? 2U : 0U;
    flags |= field->deprecated ? 4U : 0U;
    flags |= field->optional ? 8U : 0U;
    flags |= field->is_union_tag ? 16U : 0U;
    emit_put(e, "%u", flags);
}

static void put_table_field(struct emit *e, const char *name, const struct schema_field *field)
{
    const struct emit_layout *layout = &e->layouts[field->parent->order_index];
    char member[EMIT_NAME_BYTES];

    emit_put(e, "    {\"%s\", ", field->name);
    if (field->deprecated) {
        emit_put(e, "LAM_KIND_BOOL, 4, LAM_TYPE_NONE, %u, 0, 0, 0, 0},\n", field->vtable_offset);
        return;
    }
    emit_put(e, "LAM_KIND_%s, ", kind_name(emit_element(field)));
    put_flags(e, field);
    emit_put(e, ", ");
    put_type_number(e, field);
    emit_put(e,
        ", %u, %u,\n        (uint32_t)offsetof(struct %s, %s), %" PRIu32 ", UINT64_C(%" PRIu64
        ")},\n",
        field->vtable_offset, layout->places[field->id], name,
        emit_member(field->name, member, sizeof(member)),
        emit_is_vector(field) ? field->force_align : 0, emit_preset(field));
}

static void put_struct_member(struct emit *e, const struct schema_field *field)
{
    emit_put(e, "    {\"%s\", LAM_KIND_%s, 0, ", field->name, kind_name(emit_element(field)));
    put_type_number(e, field);
    emit_put(e, ", 0, %" PRIu32 ", 0, %" PRIu32 ", 0},\n", field->offset,
        field->type.kind == SCHEMA_ARRAY ? field->type.array_count : 0);
}

/* Members of a union: NONE is not one. */
static void put_union_members(struct emit *e, uint32_t index)
{
    const struct schema_enum *members = (const struct schema_enum *)e->types[index];

    emit_put(e, "static const struct lam_field %s_members_%" PRIu32 "[] = {\n", e->base, index);
    for (size_t i = 0; i < members->value_count; i++) {
        const struct schema_enum_value *member = &members->values[i];
        uint32_t type = 0;

        if (member->type.kind == SCHEMA_NONE)
            continue;
        emit_put(e, "    {\"%s\", LAM_KIND_%s, 0, ", member->name, kind_name(member->type.kind));
        while (type < e->type_count &&
               (const void *)e->types[type] != (const void *)member->type.record)
            type++;
        if (type < e->type_count)
            emit_put(e, "%" PRIu32, type);
        else
            emit_put(e, "LAM_TYPE_NONE");
        emit_put(e, ", %u, 0, 0, 0, 0},\n", (unsigned)member->bits);
    }
    emit_put(e, "};\n");
}

static void put_members(struct emit *e, uint32_t index)
{
    const struct schema_record *record = (const struct schema_record *)e->types[index];
    const struct schema_enum *enumeration = (const struct schema_enum *)e->types[index];
    bool is_enum = e->types[index]->kind == SCHEMA_DECLARES_ENUM;
    char name[EMIT_NAME_BYTES];

    emit_c_name(e, e->types[index], name);
    emit_put(e, "static const struct %s %s_members_%" PRIu32 "[] = {\n",
        is_enum ? "lam_enum_value" : "lam_field", e->base, index);
    for (size_t i = 0; is_enum && i < enumeration->value_count; i++)
        emit_put(e, "    {\"%s\", UINT64_C(%" PRIu64 ")},\n", enumeration->values[i].name,
            enumeration->values[i].bits);
    for (size_t i = 0; !is_enum && i < record->field_count; i++) {
        if (record->is_struct)
            put_struct_member(e, record->fields[i]);
        else
            put_table_field(e, name, record->by_id[i]);
    }
    if (!is_enum && record->field_count == 0)
        emit_put(e, "    {\"\", LAM_KIND_BOOL, 4, LAM_TYPE_NONE, 0, 0, 0, 0, 0},\n");
    emit_put(e, "};\n");
}

static void put_type(struct emit *e, uint32_t index)
{
    const struct schema_record *record = (const struct schema_record *)e->types[index];
    const struct schema_enum *enumeration = (const struct schema_enum *)e->types[index];
    const struct emit_layout *layout;
    char name[EMIT_NAME_BYTES];

    emit_put(e, "    {\"%s\", ", e->types[index]->full_name);
    if (e->types[index]->kind == SCHEMA_DECLARES_ENUM) {
        emit_put(e,
            "LAM_FORM_%s, LAM_KIND_%s, 0, 0, 0, 0, %zu, 0, NULL, %s_members_%" PRIu32 "},\n",
            enumeration->bit_flags ? "FLAGS" : "ENUM", kind_name(enumeration->underlying),
            enumeration->value_count, e->base, index);
        return;
    }
    if (e->types[index]->kind == SCHEMA_DECLARES_UNION) {
        emit_put(e, "LAM_FORM_UNION, 0, 0, 0, 0, 0, %zu, 0, %s_members_%" PRIu32 ", NULL},\n",
            enumeration->value_count - 1, e->base, index);
        return;
    }
    if (record->is_struct) {
        emit_put(e,
            "LAM_FORM_STRUCT, 0, %" PRIu32 ", %" PRIu32 ", 0, 0, %zu, 0, %s_members_%" PRIu32
            ", NULL},\n",
            record->align, record->size, record->field_count, e->base, index);
        return;
    }
    layout = &e->layouts[record->order_index];
    emit_c_name(e, &record->declaration, name);
    emit_put(e,
        "LAM_FORM_TABLE, 0, %" PRIu32 ", %" PRIu32 ", %" PRIu32
        ",\n        (uint32_t)sizeof(struct %s), %zu, %" PRIu32 ", %s_members_%" PRIu32
        ", NULL},\n",
        layout->align, layout->inline_bytes, layout->vtable_bytes, name, record->field_count,
        layout->required_count, e->base, index);
}

int emit_types(struct emit *e)
{
    int rc = collect(e);

    if (rc != 0 || e->type_count == 0)
        return rc;
    emit_put(e, "/* ---- The types as data, for verify, pack, unpack and printing ---- */\n\n");
    for (uint32_t i = 0; i < e->type_count; i++) {
        if (e->types[i]->kind == SCHEMA_DECLARES_UNION)
            put_union_members(e, i);
        else
            put_members(e, i);
    }
    emit_put(e, "static const struct lam_type %s_types[] = {\n", e->base);
    for (uint32_t i = 0; i < e->type_count; i++)
        put_type(e, i);
    emit_put(e, "};\n\n");
    return 0;
}
