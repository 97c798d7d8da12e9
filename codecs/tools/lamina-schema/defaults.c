/* SPDX-License-Identifier: Apache-2.0 */

/*
 * defaults.c: what an absent field of a table means.
 */

#include "front.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_name(const struct draft_value *value, const char *name)
{
    return value->form == DRAFT_NAME && strcmp(value->text, name) == 0;
}

static int refuse(struct front *front, const struct draft_field *field, const char *what)
{
    return schema_error_at(front->diagnostics, &field->preset.place, "%s", what);
}

static uint64_t double_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

double schema_default_double(const struct schema_field *field)
{
    double value;

    memcpy(&value, &field->default_bits, sizeof(value));
    return value;
}

static int float_default(struct front *front, struct draft_field *field)
{
    const struct draft_value *preset = &field->preset;
    double value;

    if (preset->form != DRAFT_INTEGER && preset->form != DRAFT_FLOAT)
        return refuse(front, field, "expected a number, inf or nan");
    value = strtod(preset->text, NULL);
    if (isinf(value) && preset->text[0] != 'i')
        return refuse(front, field, "this number does not fit into a double");
    if (field->field.type.kind == SCHEMA_F32 && isfinite(value)) {
        if (fabs(value) > (double)FLT_MAX && isinf((float)value))
            return refuse(front, field, "this number does not fit into a float");
        value = (double)(float)value;
    }
    if (isnan(value))
        field->field.default_bits = UINT64_C(0x7ff8000000000000);
    else
        field->field.default_bits = double_bits(preset->negative ? -value : value);
    return 0;
}

static int bool_default(struct front *front, struct draft_field *field)
{
    const struct draft_value *preset = &field->preset;

    if (is_name(preset, "true") || is_name(preset, "false")) {
        field->field.default_bits = preset->text[0] == 't';
        return 0;
    }
    if (preset->form == DRAFT_INTEGER && !preset->negative && preset->bytes == 1 &&
        (preset->text[0] == '0' || preset->text[0] == '1')) {
        field->field.default_bits = (uint64_t)(preset->text[0] - '0');
        return 0;
    }
    return refuse(front, field, "expected true or false");
}

static int integer_default(struct front *front, struct draft_field *field)
{
    enum schema_kind kind = field->field.type.kind;

    if (field->preset.form != DRAFT_INTEGER)
        return refuse(front, field, "expected an integer");
    if (!number_integer(&field->preset, kind, &field->field.default_bits))
        return schema_error_at(front->diagnostics, &field->preset.place,
            "this number does not fit into %s, which holds %s", schema_kind_name(kind),
            number_range(kind));
    return 0;
}

/* The value of @enumeration called by the @bytes at @name, with or without the enum's own name. */
static const struct schema_enum_value *enum_value(
    struct front *front, const struct draft_field *field, const char *name, size_t bytes)
{
    const struct schema_enum *enumeration = field->field.type.enumeration;
    char *copy = arena_copy(front->arena, name, bytes);
    char *dot = strrchr(copy, '.');

    if (dot != NULL) {
        *dot = '\0';
        if ((const struct schema_declaration *)enumeration !=
            names_find(front, field->field.parent->declaration.name_space, copy))
            return NULL;
        copy = dot + 1;
    }
    return enums_find_name(enumeration, copy);
}

static int no_enum_value(
    struct front *front, const struct draft_field *field, const char *name, size_t bytes)
{
    const struct schema_enum *enumeration = field->field.type.enumeration;
    const char **names = arena_alloc(front->arena, enumeration->value_count * sizeof(const char *));
    const char *shown = arena_copy(front->arena, name, bytes < 128 ? bytes : 128);
    const char *nearest;

    for (size_t i = 0; i < enumeration->value_count; i++)
        names[i] = enumeration->values[i].name;
    nearest = names_nearest(shown, names, enumeration->value_count);
    if (nearest == NULL)
        return schema_error_at(front->diagnostics, &field->preset.place,
            "enum \"%s\" has no value \"%s\"", enumeration->declaration.name, shown);
    return schema_error_at(front->diagnostics, &field->preset.place,
        "enum \"%s\" has no value \"%s\"; did you mean \"%s\"?", enumeration->declaration.name,
        shown, nearest);
}

/* "Red Blue": one value, or several of a bit_flags enum. */
static int enum_text_default(struct front *front, struct draft_field *field)
{
    const char *at = field->preset.text;
    unsigned count = 0;

    while (*(at += strspn(at, " ")) != '\0') {
        size_t bytes = strcspn(at, " ");
        const struct schema_enum_value *value = enum_value(front, field, at, bytes);

        if (value == NULL)
            return no_enum_value(front, field, at, bytes);
        if (++count > 1 && !field->field.type.enumeration->bit_flags)
            return refuse(front, field, "only values of a bit_flags enum can be combined");
        field->field.default_bits |= value->bits;
        at += bytes;
    }
    return count > 0 ? 0 : refuse(front, field, "expected the name of an enum value");
}

static int enum_default(struct front *front, struct draft_field *field)
{
    const struct schema_enum *enumeration = field->field.type.enumeration;
    int result;

    if (field->preset.form == DRAFT_NAME || field->preset.form == DRAFT_STRING)
        return enum_text_default(front, field);
    result = integer_default(front, field);
    if (result == 0 && !enumeration->bit_flags &&
        enums_find_bits(enumeration, field->field.default_bits) == NULL)
        return schema_error_at(front->diagnostics, &field->preset.place,
            "enum \"%s\" has no value with this number", enumeration->declaration.name);
    return result;
}

/* Absent means zero, which must then be a value. */
static int missing_default(struct front *front, const struct draft_field *field)
{
    const struct schema_enum *enumeration = field->field.type.enumeration;

    if (field->field.is_union_tag || !schema_kind_is_scalar(field->field.type.kind) ||
        enumeration == NULL || enumeration->bit_flags || enums_find_bits(enumeration, 0) != NULL)
        return 0;
    return schema_error_at(front->diagnostics, &field->field.place,
        "enum \"%s\" has no value 0: field \"%s\" needs a default (or = null)",
        enumeration->declaration.name, field->field.name);
}

static int scalar_default(struct front *front, struct draft_field *field)
{
    if (is_name(&field->preset, "null")) {
        if (field->field.key)
            return refuse(front, field, "a key cannot be null");
        field->field.optional = true;
        return 0;
    }
    if (field->field.type.enumeration != NULL)
        return enum_default(front, field);
    if (field->field.type.kind == SCHEMA_BOOL)
        return bool_default(front, field);
    if (schema_kind_is_float(field->field.type.kind))
        return float_default(front, field);
    return integer_default(front, field);
}

static int field_default(struct front *front, struct draft_field *field)
{
    if (field->preset.form == DRAFT_NOTHING)
        return field->field.parent->is_struct ? 0 : missing_default(front, field);
    if (field->field.parent->is_struct)
        return refuse(front, field, "fields of a struct are always there and have no default");
    if (schema_kind_is_scalar(field->field.type.kind))
        return scalar_default(front, field);
    if (is_name(&field->preset, "null"))
        return refuse(front, field, "only scalars need this: without a default it is optional");
    if (field->field.type.kind == SCHEMA_STRING && field->preset.form == DRAFT_STRING) {
        field->field.default_string = field->preset.text;
        field->field.default_string_bytes = (uint32_t)field->preset.bytes;
        return 0;
    }
    if (field->field.type.kind == SCHEMA_VECTOR && field->preset.form == DRAFT_EMPTY_VECTOR)
        return 0;
    if (field->field.type.kind == SCHEMA_STRING)
        return refuse(front, field, "expected text in quotes");
    if (field->field.type.kind == SCHEMA_VECTOR)
        return refuse(front, field, "the only default of a vector is []");
    return schema_error_at(front->diagnostics, &field->preset.place, "a %s has no default",
        schema_kind_name(field->field.type.kind));
}

int defaults_resolve(struct front *front)
{
    int result = 0;

    for (size_t i = 0; i < front->records.count; i++) {
        struct draft_record *record = front->records.items[i];

        for (size_t j = 0; j < record->fields.count && !front_gave_up(front); j++)
            if (field_default(front, record->fields.items[j]) != 0)
                result = -EINVAL;
    }
    return result;
}
