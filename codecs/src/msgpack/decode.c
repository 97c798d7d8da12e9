/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MessagePack into plain structs, and the same walk without a value for verify(). Every count was
 * held against the bytes left before memory is taken for it.
 */
#include <errno.h>

#include "lamina/codecs/msgpack/codec.h"

#include "msgpack/decode.h"

static int decode_table(
    struct lam_mp_decode *d, const struct lam_step *step, uint16_t type, char *value);

static int decode_struct(
    struct lam_mp_decode *d, const struct lam_step *step, uint16_t type, char *at);

static int decode_member(
    struct lam_mp_decode *d, struct lam_step *step, const struct lam_field *field, char *at)
{
    uint32_t bytes = lam_element_bytes(d->root->types, field);
    uint32_t count = 1;
    int rc = 0;

    if (field->length != 0)
        rc = lam_mp_decode_got(d, step, lam_mp_get_array(&d->reader, &count));
    if (rc == 0 && field->length != 0 && count != field->length)
        rc = lam_mp_decode_refuse(d, step, "an array has another length");
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        char *to = at != NULL ? at + field->place + (size_t)i * bytes : NULL;

        step->index = field->length != 0 ? i : LAM_NO_INDEX;
        rc = field->kind == LAM_KIND_STRUCT ? decode_struct(d, step, field->type, to)
                                            : lam_mp_decode_scalar(d, step, field->kind, to);
    }
    return rc;
}

static int decode_struct(
    struct lam_mp_decode *d, const struct lam_step *step, uint16_t type, char *at)
{
    const struct lam_type *t = &d->root->types[type];
    struct lam_step inner = {step, NULL, LAM_NO_INDEX};
    struct lam_mp_seen seen = {{0}};
    uint32_t next = 0;
    uint32_t known = 0;
    uint32_t count;
    int rc = lam_mp_decode_got(d, step, lam_mp_get_map(&d->reader, &count));

    if (rc == 0 && at != NULL)
        memset(at, 0, t->inline_bytes);
    for (; rc == 0 && count != 0; count--) {
        rc = lam_mp_decode_key(d, step, t, &next, &inner.field);
        if (rc != 0 || inner.field == NULL)
            continue;
        inner.index = LAM_NO_INDEX;
        rc = lam_mp_decode_mark(d, &inner, &seen, next);
        if (rc == 0)
            rc = decode_member(d, &inner, inner.field, at);
        known++;
        next++;
    }
    if (rc == 0 && known != t->field_count)
        rc = lam_mp_decode_refuse(d, step, "a struct lacks a member");
    return rc;
}

static int decode_element(
    struct lam_mp_decode *d, const struct lam_step *step, const struct lam_field *field, char *at)
{
    switch (field->kind) {
    case LAM_KIND_TABLE:
        return decode_table(d, step, field->type, at);
    case LAM_KIND_STRING:
        return lam_mp_decode_string(d, step, at);
    case LAM_KIND_STRUCT:
        return decode_struct(d, step, field->type, at);
    default:
        return lam_mp_decode_scalar(d, step, field->kind, at);
    }
}

/* Bytes of one element of a vector in a plain struct. */
static size_t value_stride(const struct lam_mp_decode *d, const struct lam_field *field)
{
    if (field->kind == LAM_KIND_TABLE)
        return d->root->types[field->type].value_bytes;
    if (field->kind == LAM_KIND_STRING)
        return sizeof(struct lam_string);
    return lam_element_bytes(d->root->types, field);
}

static int decode_vector(
    struct lam_mp_decode *d, struct lam_step *step, const struct lam_field *field, char *at)
{
    size_t stride = value_stride(d, field);
    uint32_t count;
    char *data = NULL;
    int rc;

    if (field->kind == LAM_KIND_U8)
        return lam_mp_decode_bytes(d, step, at);
    rc = lam_mp_decode_got(d, step, lam_mp_get_array(&d->reader, &count));
    if (rc == 0)
        rc = lam_mp_decode_take(d, count * stride,
            field->kind == LAM_KIND_STRUCT ? d->root->types[field->type].align : 8, &data);
    for (step->index = 0; rc == 0 && step->index < count; step->index++)
        rc = decode_element(d, step, field, data != NULL ? data + step->index * stride : NULL);
    if (rc == 0 && data != NULL && at != NULL)
        lam_value_store_span(at, data, count);
    return rc;
}

/* A struct or table of its own in the arena, and a pointer to it. */
static int decode_nested(
    struct lam_mp_decode *d, const struct lam_step *step, const struct lam_field *field, char *at)
{
    const struct lam_type *type = &d->root->types[field->type];
    bool is_struct = field->kind == LAM_KIND_STRUCT;
    char *nested;
    int rc = lam_mp_decode_take(d, is_struct ? type->inline_bytes : type->value_bytes,
        is_struct ? type->align : 8, &nested);

    if (rc == 0)
        rc = is_struct ? decode_struct(d, step, field->type, nested)
                       : decode_table(d, step, field->type, nested);
    if (rc == 0 && nested != NULL && at != NULL)
        lam_value_store_pointer(at, nested);
    return rc;
}

/* What a pointer in the plain struct refers to: a struct, a table, or a string of a union. */
static int decode_member_of_union(
    struct lam_mp_decode *d, const struct lam_step *step, const struct lam_field *member, char *at)
{
    char *string;
    int rc;

    if (member->kind != LAM_KIND_STRING)
        return decode_nested(d, step, member, at);
    rc = lam_mp_decode_take(d, sizeof(struct lam_string), _Alignof(struct lam_string), &string);
    if (rc == 0)
        rc = lam_mp_decode_string(d, step, string);
    if (rc == 0 && string != NULL && at != NULL)
        lam_value_store_pointer(at, string);
    return rc;
}

/* A map of one pair. A member that is not known is passed over and reads as none. */
static int decode_union(
    struct lam_mp_decode *d, const struct lam_step *step, const struct lam_field *field, char *at)
{
    const struct lam_type *type = &d->root->types[field->type];
    const struct lam_field *member = NULL;
    uint32_t next = 0;
    uint32_t count;
    int rc = lam_mp_decode_got(d, step, lam_mp_get_map(&d->reader, &count));

    if (rc == 0 && count != 1)
        rc = lam_mp_decode_refuse(d, step, "a union is a map of one pair");
    if (rc == 0)
        rc = lam_mp_decode_key(d, step, type, &next, &member);
    if (rc != 0 || member == NULL)
        return rc;
    rc = decode_member_of_union(d, step, member, at);
    if (rc == 0 && at != NULL)
        *lam_value_tag(field, at) = (uint8_t)member->slot;
    return rc;
}

static int decode_field(
    struct lam_mp_decode *d, struct lam_step *step, const struct lam_field *field, char *at)
{
    int rc;

    if (lam_field_is_vector(field))
        return decode_vector(d, step, field, at);
    if (field->kind == LAM_KIND_STRING)
        return lam_mp_decode_string(d, step, at);
    if (field->kind == LAM_KIND_UNION)
        return decode_union(d, step, field, at);
    if (field->kind >= LAM_KIND_STRUCT)
        return decode_nested(d, step, field, at);
    rc = lam_mp_decode_scalar(d, step, field->kind, at);
    if (rc == 0 && at != NULL && (field->flags & LAM_FIELD_OPTIONAL) != 0)
        at[lam_kind_bytes(field->kind)] = 1;
    return rc;
}

static int check_required(struct lam_mp_decode *d, const struct lam_step *step,
    const struct lam_type *t, const struct lam_mp_seen *seen)
{
    struct lam_step inner = {step, NULL, LAM_NO_INDEX};

    for (uint32_t i = 0; i < t->field_count; i++) {
        inner.field = &t->fields[i];
        if ((inner.field->flags & LAM_FIELD_REQUIRED) != 0 && !lam_mp_decode_was_seen(seen, i))
            return lam_mp_decode_refuse(d, &inner, "a required field is absent");
    }
    return 0;
}

static int decode_fields(
    struct lam_mp_decode *d, const struct lam_step *step, const struct lam_type *t, char *value)
{
    struct lam_step inner = {step, NULL, LAM_NO_INDEX};
    struct lam_mp_seen seen = {{0}};
    uint32_t next = 0;
    uint32_t count;
    int rc = lam_mp_decode_got(d, step, lam_mp_get_map(&d->reader, &count));

    for (; rc == 0 && count != 0; count--) {
        rc = lam_mp_decode_key(d, step, t, &next, &inner.field);
        if (rc != 0 || inner.field == NULL || lam_mp_try_nil(&d->reader) == 1)
            continue;
        inner.index = LAM_NO_INDEX;
        rc = lam_mp_decode_mark(d, &inner, &seen, next);
        if (rc == 0)
            rc = decode_field(
                d, &inner, inner.field, value != NULL ? value + inner.field->value_place : NULL);
        next++;
    }
    return rc == 0 ? check_required(d, step, t, &seen) : rc;
}

static int decode_table(
    struct lam_mp_decode *d, const struct lam_step *step, uint16_t type, char *value)
{
    int rc;

    if (d->depth == LAM_CODEC_DEPTH_MAX)
        return lam_mp_decode_refuse(d, step, "tables are nested too deep");
    if (value != NULL)
        lam_type_init(&d->root->types[type], value);
    d->depth++;
    rc = decode_fields(d, step, &d->root->types[type], value);
    d->depth--;
    return rc;
}

static int decode(struct lam_mp_decode *d, const void *bytes, size_t size, void *value)
{
    int rc;

    lam_mp_init(&d->reader, bytes, size);
    rc = decode_table(d, NULL, d->root->root, value);
    if (rc == 0 && d->reader.at != d->reader.end)
        rc = lam_mp_decode_refuse(d, NULL, "more bytes follow the value");
    return rc;
}

int lam_mp_codec_decode(const struct lam_codec *codec, const void *bytes, size_t size, void *value,
    struct lam_arena *arena)
{
    struct lam_mp_decode d = {.root = codec->type, .arena = arena, .stores = true};
    size_t before = arena != NULL ? arena->used : 0;
    int rc = decode(&d, bytes, size, value);

    if (rc != 0 && arena != NULL)
        arena->used = before;
    return rc;
}

int lam_mp_codec_verify(
    const struct lam_codec *codec, const void *bytes, size_t size, struct lam_error *error)
{
    struct lam_mp_decode d = {.root = codec->type, .error = error};

    return decode(&d, bytes, size, NULL);
}
