/* SPDX-License-Identifier: Apache-2.0 */

/*
 * enums.c: the numbers of enum values and union members.
 */

#include "front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_attribute(const struct schema_attributes *attributes, const char *name)
{
    return schema_attribute_find(attributes, name) != NULL;
}

static int written_value(
    struct front *front, const struct schema_enum *enumeration, struct draft_enum_value *value)
{
    const struct draft_value *written = &value->written;

    if (written->form != DRAFT_INTEGER)
        return schema_error_at(front->diagnostics, &written->place,
            "the value of \"%s\" is not an integer", value->value.name);
    if (!number_integer(written, enumeration->underlying, &value->value.bits))
        return schema_error_at(front->diagnostics, &written->place,
            "the value of \"%s\" does not fit into %s, which holds %s", value->value.name,
            schema_kind_name(enumeration->underlying), number_range(enumeration->underlying));
    return 0;
}

static uint64_t largest(enum schema_kind kind)
{
    unsigned bits = schema_kind_size(kind) * 8;

    return UINT64_MAX >> (64 - bits + (schema_kind_is_signed(kind) ? 1 : 0));
}

/* Numbers as written, or one more than the one before. */
static int number_values(struct front *front, struct draft_enum *draft)
{
    uint64_t next = 0;
    bool full = false;

    for (size_t i = 0; i < draft->values.count; i++) {
        struct draft_enum_value *value = draft->values.items[i];

        value->value.bits = next;
        if (value->written.form != DRAFT_NOTHING) {
            int result = written_value(front, &draft->enumeration, value);

            if (result != 0)
                return result;
        } else if (full) {
            return schema_error_at(front->diagnostics, &value->value.place,
                "the value of \"%s\" would be one more than %s can hold", value->value.name,
                schema_kind_name(draft->enumeration.underlying));
        }
        full = value->value.bits == largest(draft->enumeration.underlying);
        next = value->value.bits + 1;
    }
    return 0;
}

/* The number of a flag is its bit. */
static int shift_flags(struct front *front, struct draft_enum *draft)
{
    const struct schema_enum *enumeration = &draft->enumeration;
    uint64_t bits = (uint64_t)schema_kind_size(enumeration->underlying) * 8;

    if (enumeration->is_signed)
        return schema_error_at(front->diagnostics,
            &schema_attribute_find(&enumeration->declaration.attributes, "bit_flags")->place,
            "bit_flags needs an unsigned type, not %s", schema_kind_name(enumeration->underlying));
    for (size_t i = 0; i < draft->values.count; i++) {
        struct draft_enum_value *value = draft->values.items[i];

        if (value->value.bits >= bits)
            return schema_error_at(front->diagnostics,
                value->written.form != DRAFT_NOTHING ? &value->written.place : &value->value.place,
                "flag \"%s\" would be bit %llu, but %s has %llu bits", value->value.name,
                (unsigned long long)value->value.bits, schema_kind_name(enumeration->underlying),
                (unsigned long long)bits);
        value->value.bits = UINT64_C(1) << value->value.bits;
    }
    return 0;
}

static int check_names(struct front *front, struct draft_enum *draft)
{
    int result = 0;

    for (size_t i = 0; i < draft->values.count; i++) {
        struct draft_enum_value *value = draft->values.items[i];
        const struct draft_enum_value *first =
            name_map_add(front->arena, &draft->names, value->value.name, value);

        if (first == NULL)
            continue;
        result = schema_error_at(front->diagnostics, &value->value.place,
            "\"%s\" has a value \"%s\" already", draft->enumeration.declaration.name,
            value->value.name);
        if (draft->enumeration.is_union && first == draft->values.items[0])
            schema_note_at(front->diagnostics, &first->value.place,
                "every union has the member NONE of itself");
        else
            schema_note_at(front->diagnostics, &first->value.place, "first declared here");
    }
    return result;
}

static int by_bits(const void *left, const void *right)
{
    const struct draft_enum_value *a = *(const struct draft_enum_value *const *)left;
    const struct draft_enum_value *b = *(const struct draft_enum_value *const *)right;

    if (a->value.bits != b->value.bits)
        return a->value.bits < b->value.bits ? -1 : 1;
    /* in the order of the file, so that the second one gets the message */
    if (a->value.place.line != b->value.place.line)
        return a->value.place.line < b->value.place.line ? -1 : 1;
    return (a->value.place.column > b->value.place.column) -
           (a->value.place.column < b->value.place.column);
}

static int check_numbers(struct front *front, struct draft_enum *draft)
{
    size_t count = draft->values.count;
    struct draft_enum_value **sorted =
        arena_alloc(front->arena, count * sizeof(struct draft_enum_value *));
    int result = 0;

    memcpy(sorted, draft->values.items, count * sizeof(struct draft_enum_value *));
    draft->sorted = sorted;
    qsort(sorted, count, sizeof(struct draft_enum_value *), by_bits);
    for (size_t i = 1; i < count; i++) {
        const struct schema_enum_value *first = &sorted[i - 1]->value;
        const struct schema_enum_value *second = &sorted[i]->value;

        if (first->bits != second->bits)
            continue;
        result = schema_error_at(front->diagnostics, &second->place,
            "\"%s\" has the same value as \"%s\"", second->name, first->name);
        schema_note_at(front->diagnostics, &first->place, "\"%s\" is here", first->name);
    }
    return result;
}

const struct schema_enum_value *enums_find_bits(
    const struct schema_enum *enumeration, uint64_t bits)
{
    const struct draft_enum *draft = (const struct draft_enum *)enumeration; /* its first member */
    size_t low = 0;
    size_t high = draft->values.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (draft->sorted[middle]->value.bits < bits)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == draft->values.count || draft->sorted[low]->value.bits != bits)
        return NULL;
    return &draft->sorted[low]->value;
}

const struct schema_enum_value *enums_find_name(
    const struct schema_enum *enumeration, const char *name)
{
    const struct draft_enum *draft = (const struct draft_enum *)enumeration;
    const struct draft_enum_value *found = name_map_find(&draft->names, name, strlen(name));

    return found == NULL ? NULL : &found->value;
}

static int resolve_enum(struct front *front, struct draft_enum *draft)
{
    int result;

    draft->enumeration.bit_flags =
        !draft->enumeration.is_union &&
        has_attribute(&draft->enumeration.declaration.attributes, "bit_flags");
    result = check_names(front, draft);
    if (result == 0)
        result = number_values(front, draft);
    if (result == 0 && draft->enumeration.bit_flags)
        result = shift_flags(front, draft);
    if (result == 0)
        result = check_numbers(front, draft);
    return result;
}

int enums_resolve(struct front *front)
{
    int result = 0;

    for (size_t i = 0; i < front->enums.count && !front_gave_up(front); i++)
        if (resolve_enum(front, front->enums.items[i]) != 0)
            result = -EINVAL;
    return result;
}
