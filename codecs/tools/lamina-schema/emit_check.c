/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the schema may say and the generator can not: refused here, with the place, before a line
 * is written.
 */
#include <errno.h>

#include "emit_c.h"

/* Whether @file includes @target, through however many others. */
static bool includes(const struct schema_file *file, const struct schema_file *target)
{
    const struct schema_file *found[SCHEMA_FILE_COUNT_MAX] = {file};
    size_t count = 1;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < found[i]->include_count; j++) {
            const struct schema_file *next = found[i]->includes[j];
            size_t k = 0;

            if (next == target)
                return true;
            while (k < count && found[k] != next)
                k++;
            if (k == count && count < SCHEMA_FILE_COUNT_MAX)
                found[count++] = next;
        }
    }
    return false;
}

/* In C one of two headers comes first, and there the types of the other are not complete. */
static int check_circle(struct emit *e, const struct schema_field *field)
{
    const struct schema_record *record = field->type.record;

    if (record == NULL || !emit_is_own(e, &field->parent->declaration) ||
        emit_is_own(e, &record->declaration) ||
        !includes(record->declaration.file, e->schema->files[0]))
        return 0;
    return schema_error_at(e->diagnostics, &field->place,
        "%s and %s include each other, for which C is not generated; put %s and %s into one file",
        e->schema->files[0]->path, record->declaration.file->path, field->parent->declaration.name,
        record->declaration.name);
}

static int check_field(struct emit *e, const struct schema_field *field)
{
    if (field->deprecated)
        return 0;
    if (emit_element(field) == SCHEMA_UNION && emit_is_vector(field))
        return schema_error_at(e->diagnostics, &field->place,
            "vectors of unions are not generated; use a vector of tables that have a %s",
            field->type.enumeration->declaration.name);
    if (field->default_string != NULL)
        return schema_error_at(
            e->diagnostics, &field->place, "a default of a string is not generated; leave it out");
    return check_circle(e, field);
}

int emit_check(struct emit *e)
{
    int rc = 0;

    for (size_t i = 0; i < e->schema->enum_count; i++) {
        if (e->schema->enums[i]->is_union && e->schema->enums[i]->value_count < 2)
            rc = schema_error_at(e->diagnostics, &e->schema->enums[i]->declaration.place,
                "a union without members is not generated; give it one");
    }

    for (size_t i = 0; i < e->schema->record_count; i++) {
        const struct schema_record *record = e->schema->order[i];

        if (record->is_struct && record->field_count == 0)
            rc = schema_error_at(e->diagnostics, &record->declaration.place,
                "a struct without members has no size in C; give it one");
        for (size_t j = 0; j < record->field_count; j++) {
            if (check_field(e, record->fields[j]) != 0)
                rc = -EINVAL;
        }
    }
    return rc;
}
