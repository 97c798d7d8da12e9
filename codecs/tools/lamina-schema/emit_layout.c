/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inline part of each table: one place for each field, fixed here, so that setting a field is
 * a store at a constant place. Large fields first, and what fits into the gap behind the table's
 * first word before them.
 */
#include <errno.h>
#include <stdlib.h>

#include "emit_c.h"

/* The best field to put at @at: the largest alignment that is met there, then the lowest id. */
static const struct schema_field *choose(
    const struct schema_record *record, const uint16_t *places, uint32_t at)
{
    const struct schema_field *best = NULL;

    for (size_t id = 0; id < record->field_count; id++) {
        const struct schema_field *field = record->by_id[id];

        if (places[id] != 0 || field->deprecated || at % field->align != 0)
            continue;
        if (best == NULL || field->align > best->align)
            best = field;
    }
    return best;
}

static uint32_t fields_to_place(const struct schema_record *record, struct emit_layout *layout)
{
    uint32_t count = 0;

    for (size_t id = 0; id < record->field_count; id++) {
        const struct schema_field *field = record->by_id[id];

        if (field->deprecated)
            continue;
        count++;
        if (field->required)
            layout->required_count++;
        if (field->align > layout->align)
            layout->align = field->align;
    }
    return count;
}

static int lay_out(struct emit *e, const struct schema_record *record, struct emit_layout *layout)
{
    uint32_t at = 4;
    uint32_t left;

    layout->places = calloc(record->field_count + 1, sizeof(layout->places[0]));
    if (layout->places == NULL)
        return -ENOMEM;
    layout->align = 4;
    layout->vtable_bytes = 4 + 2 * (uint32_t)record->field_count;
    left = fields_to_place(record, layout);
    while (left != 0) {
        const struct schema_field *field = choose(record, layout->places, at);

        if (field == NULL) {
            at++;
            continue;
        }
        if (at + field->size > UINT16_MAX)
            return schema_error_at(e->diagnostics, &record->declaration.place,
                "the inline part of %s is larger than 65535 bytes; put structs into vectors",
                record->declaration.full_name);
        layout->places[field->id] = (uint16_t)at;
        at += field->size;
        left--;
    }
    layout->inline_bytes = at;
    return 0;
}

int emit_layout_tables(struct emit *e)
{
    const struct schema *schema = e->schema;

    e->layouts = calloc(schema->record_count + 1, sizeof(e->layouts[0]));
    if (e->layouts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < schema->record_count; i++) {
        int rc;

        if (schema->order[i]->is_struct)
            continue;
        rc = lay_out(e, schema->order[i], &e->layouts[i]);
        if (rc != 0)
            return rc;
    }
    return 0;
}

void emit_layout_free(struct emit *e)
{
    for (size_t i = 0; e->layouts != NULL && i < e->schema->record_count; i++)
        free(e->layouts[i].places);
    free(e->layouts);
}
