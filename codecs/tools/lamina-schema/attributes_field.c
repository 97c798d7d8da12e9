/* SPDX-License-Identifier: Apache-2.0 */
#include "attributes.h"

#include <errno.h>
#include <string.h>

static int refuse(struct front *front, const struct schema_attribute *attribute, const char *what)
{
    return schema_error_at(
        front->diagnostics, &attribute->place, "\"%s\" %s", attribute->name, what);
}

int apply_deprecated(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    (void)front;
    (void)attribute;
    field->deprecated = true;
    return 0;
}

int apply_required(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    if (schema_kind_is_scalar(field->type.kind))
        return refuse(front, attribute, "is not for scalars: an absent one has its default");
    if (field->has_default)
        return refuse(front, attribute, "contradicts the default value of the field");
    field->required = true;
    return 0;
}

int apply_key(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    if (!schema_kind_is_scalar(field->type.kind) && field->type.kind != SCHEMA_STRING)
        return refuse(front, attribute, "is for scalars and strings only");
    if (field->type.kind == SCHEMA_STRING && field->has_default)
        return refuse(front, attribute, "makes a string required, so that it has no default");
    field->key = true;
    /* An absent string has no place in a sorted vector: as in flatc. */
    if (field->type.kind == SCHEMA_STRING)
        field->required = true;
    return 0;
}

int apply_shared(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    if (field->type.kind != SCHEMA_STRING &&
        !(field->type.kind == SCHEMA_VECTOR && field->type.element == SCHEMA_STRING))
        return refuse(front, attribute, "is for strings only");
    field->shared = true;
    return 0;
}

int apply_hash(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    static const char *const names[] = {
        "fnv1_16", "fnv1a_16", "fnv1_32", "fnv1a_32", "fnv1_64", "fnv1a_64"};
    static const unsigned char bytes[] = {2, 2, 4, 4, 8, 8};
    enum schema_kind kind =
        field->type.kind == SCHEMA_VECTOR ? field->type.element : field->type.kind;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], attribute->text) != 0)
            continue;
        if (schema_kind_is_integer(kind) && schema_kind_size(kind) == bytes[i])
            return 0;
        return schema_error_at(front->diagnostics, &attribute->place,
            "hash \"%s\" needs an integer of %u bits", names[i], bytes[i] * 8u);
    }
    return refuse(
        front, attribute, "is one of fnv1_16, fnv1a_16, fnv1_32, fnv1a_32, fnv1_64, fnv1a_64");
}

int apply_force_align(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    int64_t align = attribute->integer;

    if (field->type.kind != SCHEMA_VECTOR)
        return refuse(front, attribute, "is for structs and for vectors in tables");
    if (attribute->form != SCHEMA_ATTRIBUTE_INTEGER || align < 1 || align > SCHEMA_ALIGN_MAX ||
        (align & (align - 1)) != 0)
        return schema_error_at(front->diagnostics, &attribute->place,
            "\"force_align\" is a power of two from 1 to %u", SCHEMA_ALIGN_MAX);
    field->force_align = (uint32_t)align;
    return 0;
}

static bool is_bytes(const struct schema_field *field)
{
    return field->type.kind == SCHEMA_VECTOR && field->type.element == SCHEMA_U8 &&
           field->type.enumeration == NULL;
}

int apply_nested_flatbuffer(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    struct draft_type draft = {
        .name = attribute->text, .place = attribute->place, .whole = attribute->place};
    const char *name_space = field->parent->declaration.name_space;
    struct schema_type type;
    int result;

    if (!is_bytes(field))
        return refuse(front, attribute, "is for [ubyte] only");
    if (attribute->form != SCHEMA_ATTRIBUTE_TEXT || attribute->text[0] == '\0' ||
        strlen(attribute->text) > SCHEMA_FULL_NAME_MAX)
        return refuse(front, attribute, "needs the name of a table");
    result = types_resolve_one(front, name_space, &draft, &type);
    if (result != 0)
        return result;
    if (type.kind != SCHEMA_TABLE)
        return refuse(front, attribute, "needs the name of a table");
    field->nested_flatbuffer = type.record;
    return 0;
}

int apply_flexbuffer(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    if (!is_bytes(field))
        return refuse(front, attribute, "is for [ubyte] only");
    field->flexbuffer = true;
    return 0;
}

static int bound(struct front *front, const struct schema_attribute *attribute, uint32_t *max)
{
    if (attribute->form != SCHEMA_ATTRIBUTE_INTEGER || attribute->integer < 0 ||
        attribute->integer > INT32_MAX)
        return refuse(front, attribute, "is a number from 0 to 2147483647");
    *max = (uint32_t)attribute->integer;
    return 0;
}

int apply_max(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    if (field->type.kind != SCHEMA_STRING && field->type.kind != SCHEMA_VECTOR)
        return refuse(front, attribute, "bounds strings and vectors only");
    return bound(front, attribute, &field->max);
}

int apply_max_text(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute)
{
    if (field->type.kind != SCHEMA_VECTOR || field->type.element != SCHEMA_STRING)
        return refuse(front, attribute, "bounds the strings of a vector of strings only");
    return bound(front, attribute, &field->max_text);
}
