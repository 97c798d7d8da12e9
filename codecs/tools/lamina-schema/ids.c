/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ids.c: which slot of the vtable belongs to which field of a table.
 *
 * Either every field says its id, or none does and declaration order counts. A union takes two: the
 * id that it says is that of the value, the one below that of its tag.
 */

#include "front.h"

#include <errno.h>
#include <string.h>

static const struct schema_attribute *id_of(const struct schema_field *field)
{
    return schema_attribute_find(
        &(field->is_union_tag ? field->companion : field)->attributes, "id");
}

/* Whether all fields say their id; sets *@all. */
static int check_all_or_none(struct front *front, const struct draft_record *record, bool *all)
{
    const struct schema_field *with = NULL;
    const struct schema_field *without = NULL;
    int result;

    for (size_t i = 0; i < record->fields.count; i++) {
        const struct draft_field *field = record->fields.items[i];

        if (id_of(&field->field) != NULL)
            with = with == NULL ? &field->field : with;
        else
            without = without == NULL ? &field->field : without;
    }
    *all = with != NULL;
    if (with == NULL || without == NULL)
        return 0;
    result = schema_error_at(front->diagnostics, &without->place,
        "field \"%s\" has no id, but others of \"%s\" have: all fields or none",
        without->is_union_tag ? without->companion->name : without->name,
        record->record.declaration.name);
    schema_note_at(front->diagnostics, &id_of(with)->place, "the first id is here");
    return result;
}

static int written_id(
    struct front *front, const struct draft_record *record, struct schema_field *field, size_t *id)
{
    const struct schema_attribute *attribute = id_of(field);
    int64_t number = attribute->integer;
    size_t count = record->fields.count;

    if (attribute->form != SCHEMA_ATTRIBUTE_INTEGER || number < 0)
        return schema_error_at(
            front->diagnostics, &attribute->place, "an id is a number from 0 upwards");
    if (field->companion != NULL && number == 0)
        return schema_error_at(front->diagnostics, &attribute->place,
            "the id of a union is at least 1: the one below belongs to its tag");
    if ((uint64_t)number >= count)
        return schema_error_at(front->diagnostics, &attribute->place,
            "id %lld leaves a gap: the ids of \"%s\" run from 0 to %zu", (long long)number,
            record->record.declaration.name, count - 1);
    *id = (size_t)number - (field->is_union_tag ? 1 : 0);
    return 0;
}

/* No gaps: as many different ids below the count as there are fields. */
static int take_written(
    struct front *front, const struct draft_record *record, struct schema_field **by_id)
{
    int result = 0;

    for (size_t i = 0; i < record->fields.count && !front_gave_up(front); i++) {
        struct schema_field *field = &((struct draft_field *)record->fields.items[i])->field;
        size_t id = 0;

        if (field->companion != NULL && !field->is_union_tag && result != 0)
            continue; /* its tag, just before, had the message */
        if (written_id(front, record, field, &id) != 0) {
            result = -EINVAL;
        } else if (by_id[id] != NULL) {
            result = schema_error_at(front->diagnostics, &id_of(field)->place,
                "id %zu is taken already%s", id,
                field->is_union_tag ? " (the tag of a union has the id below)" : "");
            schema_note_at(
                front->diagnostics, &id_of(by_id[id])->place, "by \"%s\"", by_id[id]->name);
        } else {
            by_id[id] = field;
        }
    }
    return result;
}

static int assign(struct front *front, struct draft_record *record)
{
    size_t count = record->fields.count;
    struct schema_field **by_id =
        arena_alloc(front->arena, (count + 1) * sizeof(struct schema_field *));
    bool written = false;
    int result = check_all_or_none(front, record, &written);

    if (result == 0 && written)
        result = take_written(front, record, by_id);
    if (result != 0)
        return result;
    for (size_t i = 0; i < count; i++) {
        if (!written)
            by_id[i] = &((struct draft_field *)record->fields.items[i])->field;
        by_id[i]->id = (uint16_t)i;
        by_id[i]->vtable_offset = (uint16_t)(4 + 2 * i);
        if (by_id[i]->is_union_tag)
            by_id[i]->deprecated = by_id[i]->companion->deprecated;
    }
    record->record.by_id = by_id;
    return 0;
}

int ids_assign(struct front *front)
{
    int result = 0;

    for (size_t i = 0; i < front->records.count && !front_gave_up(front); i++) {
        struct draft_record *record = front->records.items[i];

        if (!record->record.is_struct && assign(front, record) != 0)
            result = -EINVAL;
    }
    return result;
}
