/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verified messages into plain structs. Each walk is as deep as the message, which verify bounded.
 */
#include <errno.h>

#include "lamina/codecs/flatbuffers/codec.h"

#include "value.h"

struct unpack {
    const struct lam_type *types;
    struct lam_arena *arena;
};

static int copy_table(
    const struct unpack *unpack, uint16_t type, const unsigned char *table, void *value);

static void *take(const struct unpack *unpack, size_t size, size_t align)
{
    return unpack->arena != NULL ? lam_arena_take(unpack->arena, size, align) : NULL;
}

/* A copy of @size bytes, with one NUL behind it when it is a string. */
static const void *copy(
    const struct unpack *unpack, const void *from, size_t size, size_t align, bool is_string)
{
    char *to = take(unpack, size + is_string, align);

    if (to == NULL)
        return NULL;
    memcpy(to, from, size);
    if (is_string)
        to[size] = '\0';
    return to;
}

static int copy_string(const struct unpack *unpack, const unsigned char *object, void *at)
{
    uint32_t size = lam_fb_load_u32(object);
    const void *data = copy(unpack, object + 4, size, 1, true);

    if (data == NULL)
        return -ENOSPC;
    lam_value_store_span(at, data, size);
    return 0;
}

static int copy_objects(const struct unpack *unpack, const struct lam_field *field,
    const unsigned char *vector, void *at)
{
    uint32_t count = lam_fb_load_u32(vector);
    size_t stride = field->kind == LAM_KIND_STRING ? sizeof(struct lam_string)
                                                   : unpack->types[field->type].value_bytes;
    char *data = take(unpack, count * stride, _Alignof(max_align_t));

    if (data == NULL)
        return -ENOSPC;
    for (uint32_t i = 0; i < count; i++) {
        const unsigned char *object = lam_fb_follow(vector + 4 + 4 * (size_t)i);
        char *element = data + i * stride;
        int rc = field->kind == LAM_KIND_STRING ? copy_string(unpack, object, element)
                                                : copy_table(unpack, field->type, object, element);

        if (rc != 0)
            return rc;
    }
    lam_value_store_span(at, data, count);
    return 0;
}

static int copy_vector(const struct unpack *unpack, const struct lam_field *field,
    const unsigned char *vector, void *at)
{
    uint32_t count = lam_fb_load_u32(vector);
    const void *data;

    if (field->kind == LAM_KIND_STRING || field->kind == LAM_KIND_TABLE)
        return copy_objects(unpack, field, vector, at);
    data = copy(unpack, vector + 4, (size_t)count * lam_element_bytes(unpack->types, field),
        lam_element_align(unpack->types, field), false);
    if (data == NULL)
        return -ENOSPC;
    lam_value_store_span(at, data, count);
    return 0;
}

static int copy_nested(
    const struct unpack *unpack, const struct lam_field *field, const unsigned char *from, void *at)
{
    const struct lam_type *type = &unpack->types[field->type];
    void *nested;
    int rc = 0;

    if (field->kind == LAM_KIND_STRUCT) {
        nested = take(unpack, type->inline_bytes, type->align);
        if (nested != NULL)
            memcpy(nested, from, type->inline_bytes);
    } else {
        nested = take(unpack, type->value_bytes, _Alignof(max_align_t));
        if (nested != NULL)
            rc = copy_table(unpack, field->type, lam_fb_follow(from), nested);
    }
    if (nested == NULL)
        return -ENOSPC;
    lam_value_store_pointer(at, nested);
    return rc;
}

/* A member that is not known, or not there, reads as none. */
static int copy_union(
    const struct unpack *unpack, const struct lam_field *field, const unsigned char *from, char *at)
{
    uint8_t *tag = lam_value_tag(field, at);
    const struct lam_field *member =
        from != NULL ? lam_union_member(unpack->types, field, *tag) : NULL;
    struct lam_string *string;
    int rc;

    if (member == NULL) {
        *tag = 0;
        return 0;
    }
    if (member->kind == LAM_KIND_STRUCT)
        return copy_nested(unpack, member, lam_fb_follow(from), at);
    if (member->kind == LAM_KIND_TABLE)
        return copy_nested(unpack, member, from, at);
    string = take(unpack, sizeof(*string), _Alignof(struct lam_string));
    if (string == NULL)
        return -ENOSPC;
    rc = copy_string(unpack, lam_fb_follow(from), string);
    lam_value_store_pointer(at, string);
    return rc;
}

static int copy_field(
    const struct unpack *unpack, const struct lam_field *field, const unsigned char *from, char *at)
{
    if (lam_field_is_scalar(field)) {
        memcpy(at, from, lam_kind_bytes(field->kind));
        if (field->kind == LAM_KIND_BOOL)
            *at = (char)(*at != 0); /* any other byte would be no bool to C */
        if ((field->flags & LAM_FIELD_OPTIONAL) != 0)
            at[lam_kind_bytes(field->kind)] = 1;
        return 0;
    }
    if (lam_field_is_vector(field))
        return copy_vector(unpack, field, lam_fb_follow(from), at);
    if (field->kind == LAM_KIND_STRING)
        return copy_string(unpack, lam_fb_follow(from), at);
    return copy_nested(unpack, field, from, at);
}

static int copy_table(
    const struct unpack *unpack, uint16_t type, const unsigned char *table, void *value)
{
    const struct lam_type *t = &unpack->types[type];

    lam_type_init(t, value);
    for (uint32_t i = 0; i < t->field_count; i++) {
        const struct lam_field *field = &t->fields[i];
        const unsigned char *from = lam_fb_field(table, field->slot);
        char *at = (char *)value + field->value_place;
        int rc;

        if (lam_field_is_skipped(field) || (from == NULL && field->kind != LAM_KIND_UNION))
            continue;
        rc = field->kind == LAM_KIND_UNION ? copy_union(unpack, field, from, at)
                                           : copy_field(unpack, field, from, at);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int lam_fb_copy_table(const struct lam_type *types, uint16_t type, const unsigned char *table,
    void *value, struct lam_arena *arena)
{
    struct unpack unpack = {types, arena};
    size_t mark = arena != NULL ? arena->used : 0;
    int rc = copy_table(&unpack, type, table, value);

    if (rc != 0 && arena != NULL)
        arena->used = mark;
    return rc;
}

int lam_fb_codec_verify(
    const struct lam_codec *codec, const void *bytes, size_t size, struct lam_error *error)
{
    return lam_fb_verify(codec->type, bytes, size, error);
}

int lam_fb_codec_decode(const struct lam_codec *codec, const void *bytes, size_t size, void *value,
    struct lam_arena *arena)
{
    const struct lam_root *root = codec->type;
    int rc = lam_fb_verify(root, bytes, size, NULL);

    if (rc != 0)
        return rc;
    return lam_fb_copy_table(root->types, root->root, lam_fb_root(bytes), value, arena);
}
