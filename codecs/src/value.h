/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_VALUE_H
#define LAM_CODECS_VALUE_H

/*
 * value.h: plain structs as the walkers see them: bytes at known places. Internal to codecs.
 *
 * A span of whatever type, and a string, is a pointer and a 32-bit count; both are loaded and
 * stored by copying, since the walkers do not know the struct's type.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lamina/codecs/schema.h"
#include "lamina/codecs/span.h"

struct lam_value_span {
    const void *data;
    uint32_t count;
};

static inline struct lam_value_span lam_value_load_span(const void *at)
{
    struct lam_value_span span;

    memcpy(&span.data, at, sizeof(span.data));
    memcpy(&span.count, (const char *)at + offsetof(struct lam_u8_span, count), 4);
    return span;
}

static inline void lam_value_store_span(void *at, const void *data, uint32_t count)
{
    memcpy(at, &data, sizeof(data));
    memcpy((char *)at + offsetof(struct lam_u8_span, count), &count, 4);
}

/* Pointer to a struct or to a nested plain struct. */
static inline const void *lam_value_load_pointer(const void *at)
{
    const void *pointer;

    memcpy(&pointer, at, sizeof(pointer));
    return pointer;
}

static inline void lam_value_store_pointer(void *at, const void *pointer)
{
    memcpy(at, &pointer, sizeof(pointer));
}

static inline bool lam_field_is_vector(const struct lam_field *field)
{
    return (field->flags & LAM_FIELD_VECTOR) != 0;
}

/* A scalar that lies inline, not an element of a vector. */
static inline bool lam_field_is_scalar(const struct lam_field *field)
{
    return field->kind < LAM_KIND_STRING && !lam_field_is_vector(field);
}

static inline bool lam_field_is_skipped(const struct lam_field *field)
{
    return (field->flags & LAM_FIELD_DEPRECATED) != 0;
}

/* Whether the plain struct @value has something to say in @field. */
static inline bool lam_value_has(const void *value, const struct lam_field *field)
{
    const char *at = (const char *)value + field->value_place;

    if (!lam_field_is_scalar(field))
        return lam_value_load_pointer(at) != NULL;
    if ((field->flags & LAM_FIELD_OPTIONAL) != 0)
        return at[lam_kind_bytes(field->kind)] != 0; /* struct lam_optional_... */
    return true;
}

/* Tag of the union in @field, whose plain struct holds it at @at. */
static inline uint8_t *lam_value_tag(const struct lam_field *field, const void *at)
{
    return (uint8_t *)(uintptr_t)at - field->value_place + field[-1].value_place;
}

/* The member of the union in @field whose tag is @tag, or NULL. */
static inline const struct lam_field *lam_union_member(
    const struct lam_type *types, const struct lam_field *field, uint8_t tag)
{
    const struct lam_type *type = &types[field->type];

    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].slot == tag)
            return &type->fields[i];
    }
    return NULL;
}

/* A run of elements, or a member of a union, that is nowhere. */
static inline bool lam_value_is_torn(const void *value, const struct lam_field *field)
{
    const char *at = (const char *)value + field->value_place;

    if (field->kind == LAM_KIND_UNION)
        return lam_value_load_pointer(at) == NULL && *lam_value_tag(field, at) != 0;
    if (!lam_field_is_vector(field) && field->kind != LAM_KIND_STRING)
        return false;
    return lam_value_load_pointer(at) == NULL && lam_value_load_span(at).count != 0;
}

/* Bytes and alignment of one element of a vector of @field's kind, as it lies in a message. */
static inline uint32_t lam_element_bytes(
    const struct lam_type *types, const struct lam_field *field)
{
    return field->kind == LAM_KIND_STRUCT ? types[field->type].inline_bytes
                                          : lam_kind_bytes(field->kind);
}

static inline uint32_t lam_element_align(
    const struct lam_type *types, const struct lam_field *field)
{
    uint32_t align =
        field->kind == LAM_KIND_STRUCT ? types[field->type].align : lam_kind_bytes(field->kind);

    return field->length > align ? field->length : align;
}

#endif
