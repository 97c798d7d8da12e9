/* SPDX-License-Identifier: Apache-2.0 */

/*
 * layout.c: sizes, offsets and alignments of structs, and of the inline parts of tables.
 *
 * As the format demands: a member lies at the next multiple of its alignment, which for a struct is
 * the largest of its members or what force_align says; the end is padded to the alignment.
 */

#include "front.h"

#include "lamina/base/assert.h"

#include <errno.h>

/* Bytes that the inline part of a table may have: the vtable counts them in 16 bits. */
#define TABLE_BYTES_MAX 65535u

static int layout_struct(struct front *front, struct draft_record *draft, unsigned depth);

static struct draft_record *draft_of(const struct schema_record *record)
{
    return (struct draft_record *)record; /* its first member */
}

static uint32_t round_up(uint32_t value, uint32_t align)
{
    return (value + align - 1) / align * align;
}

/* Size and alignment of @field; structs that it consists of are laid out already. */
static int measure(struct front *front, struct schema_field *field)
{
    const struct schema_type *type = &field->type;
    enum schema_kind kind = type->kind == SCHEMA_ARRAY ? type->element : type->kind;
    uint64_t size;

    LAM_ASSERT(kind != SCHEMA_STRUCT || type->record != NULL);
    size = kind == SCHEMA_STRUCT ? type->record->size : schema_kind_size(kind);
    field->align = kind == SCHEMA_STRUCT ? type->record->align : (uint32_t)size;
    if (type->kind == SCHEMA_ARRAY)
        size *= type->array_count;
    if (size > SCHEMA_STRUCT_BYTES_MAX)
        return schema_error_at(front->diagnostics, &field->place,
            "array of %llu bytes; a struct has at most %u", (unsigned long long)size,
            SCHEMA_STRUCT_BYTES_MAX);
    field->size = (uint32_t)size;
    return 0;
}

/* The struct inside @field, laid out first. */
static int layout_member(
    struct front *front, struct draft_record *record, struct draft_field *field, unsigned depth)
{
    struct draft_record *inner = draft_of(field->field.type.record);
    int result;

    if (inner->layout == LAYOUT_ENTERED)
        return schema_error_at(front->diagnostics, &field->type.place,
            "struct \"%s\" would contain itself", inner->record.declaration.name);
    result = layout_struct(front, inner, depth + 1);
    if (result != 0)
        return result;
    if (inner->depth + 1 > record->depth)
        record->depth = inner->depth + 1;
    if (record->depth > SCHEMA_STRUCT_DEPTH_MAX)
        return schema_error_at(front->diagnostics, &field->type.place,
            "structs within structs more than %u deep", SCHEMA_STRUCT_DEPTH_MAX);
    return 0;
}

static int force_struct_align(struct front *front, struct schema_record *record)
{
    const struct schema_attribute *attribute =
        schema_attribute_find(&record->declaration.attributes, "force_align");
    int64_t align;

    if (attribute == NULL)
        return 0;
    align = attribute->integer;
    if (attribute->form != SCHEMA_ATTRIBUTE_INTEGER || align < record->align ||
        align > SCHEMA_ALIGN_MAX || (align & (align - 1)) != 0)
        return schema_error_at(front->diagnostics, &attribute->place,
            "\"force_align\" is a power of two from the natural alignment %u to %u", record->align,
            SCHEMA_ALIGN_MAX);
    record->force_align = (uint32_t)align;
    record->align = (uint32_t)align;
    return 0;
}

static int place_members(struct front *front, struct draft_record *draft, unsigned depth)
{
    struct schema_record *record = &draft->record;
    uint32_t end = 0;

    record->align = 1;
    draft->depth = 1;
    for (size_t i = 0; i < draft->fields.count; i++) {
        struct draft_field *field = draft->fields.items[i];
        int result = 0;

        if (field->field.type.record != NULL)
            result = layout_member(front, draft, field, depth);
        if (result == 0)
            result = measure(front, &field->field);
        if (result != 0)
            return result;
        field->field.offset = round_up(end, field->field.align);
        end = field->field.offset + field->field.size;
        if (end > SCHEMA_STRUCT_BYTES_MAX)
            return schema_error_at(front->diagnostics, &field->field.place,
                "struct \"%s\" has more than %u bytes", record->declaration.name,
                SCHEMA_STRUCT_BYTES_MAX);
        if (field->field.align > record->align)
            record->align = field->field.align;
    }
    record->size = end;
    return 0;
}

static int layout_struct(struct front *front, struct draft_record *draft, unsigned depth)
{
    struct schema_record *record = &draft->record;
    int result;

    LAM_ASSERT(record->is_struct);
    if (draft->layout == LAYOUT_DONE)
        return record->align == 0 ? -EINVAL : 0; /* that one had its message */
    if (depth > SCHEMA_STRUCT_DEPTH_MAX)
        return schema_error_at(front->diagnostics, &record->declaration.place,
            "structs within structs more than %u deep", SCHEMA_STRUCT_DEPTH_MAX);
    draft->layout = LAYOUT_ENTERED;
    result = place_members(front, draft, depth);
    if (result == 0)
        result = force_struct_align(front, record);
    draft->layout = LAYOUT_DONE;
    if (result != 0) {
        record->align = 0;
        return result;
    }
    record->size = round_up(record->size, record->align);
    for (size_t i = 0; i < record->field_count; i++) {
        struct schema_field *field = record->fields[i];
        uint32_t end = i + 1 < record->field_count ? record->fields[i + 1]->offset : record->size;

        field->padding_after = end - field->offset - field->size;
    }
    return 0;
}

static int layout_table(struct front *front, struct draft_record *draft)
{
    uint64_t bytes = 4; /* the offset of the vtable */

    draft->record.align = 4;
    for (size_t i = 0; i < draft->fields.count; i++) {
        struct schema_field *field = &((struct draft_field *)draft->fields.items[i])->field;
        int result = measure(front, field);

        if (result != 0)
            return result;
        bytes += field->size;
        if (bytes > TABLE_BYTES_MAX)
            return schema_error_at(front->diagnostics, &field->place,
                "the fields of table \"%s\" need more than %u bytes; put some in a vector",
                draft->record.declaration.name, TABLE_BYTES_MAX);
        if (field->align > draft->record.align)
            draft->record.align = field->align;
    }
    return 0;
}

int layout_structs(struct front *front)
{
    int result = 0;

    for (size_t i = 0; i < front->records.count && !front_gave_up(front); i++) {
        struct draft_record *record = front->records.items[i];

        if (record->record.is_struct && layout_struct(front, record, 1) != 0)
            result = -EINVAL;
    }
    if (result != 0)
        return result;
    for (size_t i = 0; i < front->records.count && !front_gave_up(front); i++) {
        struct draft_record *record = front->records.items[i];

        if (!record->record.is_struct && layout_table(front, record) != 0)
            result = -EINVAL;
    }
    return result;
}
