/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the schema may say and the generator can not: refused here, with the place, before a line
 * is written.
 */
#include <errno.h>

#include "emit_c.h"

static int check_field(struct emit *e, const struct schema_field *field)
{
    if (field->deprecated)
        return 0;
    if (emit_element(field) == SCHEMA_UNION)
        return schema_error_at(e->diagnostics, &field->place,
            "unions are not generated yet; use one optional table for each member of %s",
            field->type.enumeration->declaration.name);
    if (field->default_string != NULL)
        return schema_error_at(
            e->diagnostics, &field->place, "a default of a string is not generated; leave it out");
    if (field->flexbuffer)
        return schema_error_at(e->diagnostics, &field->place,
            "flexbuffers are not generated; leave the attribute out to get the bytes");
    return 0;
}

int emit_check(struct emit *e)
{
    int rc = 0;

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
