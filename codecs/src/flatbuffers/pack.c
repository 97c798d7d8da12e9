/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain structs into messages. bound() is the same walk as encode() with a cursor and no bytes, so
 * what it returns is exact.
 */
#include <errno.h>

#include "lamina/codecs/flatbuffers/codec.h"

#include "value.h"

/* A way through a value: the bytes are written when @b is not NULL, else only counted. */
struct pack {
    struct lam_fb_builder *b;
    const struct lam_type *types;
    uint64_t used; /* the cursor when counting */
    uint32_t depth;
};

static int pack_table(struct pack *pack, uint32_t link, uint16_t type, const void *value);

static uint64_t align_up(uint64_t at, uint32_t align)
{
    return (at + align - 1) & ~(uint64_t)(align - 1);
}

static void count_vector(struct pack *pack, uint64_t bytes, uint32_t align)
{
    pack->used = align_up(pack->used + 4, align < 4 ? 4 : align) + bytes;
}

static void pack_string(struct pack *pack, uint32_t link, const char *data, uint32_t size)
{
    if (pack->b != NULL)
        lam_fb_put_string(pack->b, link, data, size);
    else
        count_vector(pack, (uint64_t)size + 1, 4);
}

static int pack_element(struct pack *pack, uint32_t link, const struct lam_field *field,
    struct lam_value_span span, uint32_t index)
{
    struct lam_value_span string;

    if (field->kind == LAM_KIND_TABLE)
        return pack_table(pack, link, field->type,
            (const char *)span.data + (size_t)index * pack->types[field->type].value_bytes);
    string = lam_value_load_span((const struct lam_string *)span.data + index);
    if (string.data == NULL && string.count != 0)
        return -EINVAL;
    pack_string(pack, link, string.data, string.count);
    return 0;
}

static int pack_objects(
    struct pack *pack, uint32_t link, const struct lam_field *field, struct lam_value_span span)
{
    uint32_t vector = 0;

    if (pack->b != NULL)
        vector = lam_fb_open_offsets(pack->b, link, span.count);
    else
        count_vector(pack, 4 * (uint64_t)span.count, 4);
    for (uint32_t i = 0; i < span.count; i++) {
        int rc;

        if (pack->b != NULL && pack->b->error != 0)
            return pack->b->error;
        rc = pack_element(pack,
            pack->b != NULL ? lam_fb_link_element(pack->b, vector, span.count, i) : 0, field, span,
            i);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void pack_object(struct pack *pack, uint32_t link, uint16_t type, const void *data)
{
    const struct lam_type *t = &pack->types[type];

    if (pack->b != NULL)
        lam_fb_put_object(pack->b, link, data, t->inline_bytes, t->align);
    else
        pack->used = align_up(pack->used, t->align) + t->inline_bytes;
}

/* The member that the tag says; the tag is a scalar and was packed as one. */
static int pack_union(
    struct pack *pack, uint32_t link, const struct lam_field *field, const char *at)
{
    const struct lam_field *member =
        lam_union_member(pack->types, field, *lam_value_tag(field, at));
    const void *value = lam_value_load_pointer(at);
    struct lam_value_span string;

    if (member == NULL)
        return -EINVAL;
    if (member->kind == LAM_KIND_TABLE)
        return pack_table(pack, link, member->type, value);
    if (member->kind == LAM_KIND_STRUCT) {
        pack_object(pack, link, member->type, value);
        return 0;
    }
    string = lam_value_load_span(value);
    if (string.data == NULL && string.count != 0)
        return -EINVAL;
    pack_string(pack, link, string.data, string.count);
    return 0;
}

static int pack_reference(
    struct pack *pack, uint32_t link, const struct lam_field *field, const char *at)
{
    struct lam_value_span span;

    if (field->kind == LAM_KIND_UNION)
        return pack_union(pack, link, field, at);
    if (field->kind == LAM_KIND_TABLE && !lam_field_is_vector(field))
        return pack_table(pack, link, field->type, lam_value_load_pointer(at));
    span = lam_value_load_span(at);
    if (!lam_field_is_vector(field)) {
        pack_string(pack, link, span.data, span.count);
        return 0;
    }
    if (field->kind == LAM_KIND_STRING || field->kind == LAM_KIND_TABLE)
        return pack_objects(pack, link, field, span);
    if (pack->b != NULL)
        lam_fb_put_vector(pack->b, link, span.data, span.count,
            lam_element_bytes(pack->types, field), lam_element_align(pack->types, field));
    else
        count_vector(pack, (uint64_t)span.count * lam_element_bytes(pack->types, field),
            lam_element_align(pack->types, field));
    return 0;
}

static int pack_field(struct pack *pack, uint32_t table, const struct lam_type *type,
    const struct lam_field *field, const char *at)
{
    bool is_struct = field->kind == LAM_KIND_STRUCT && !lam_field_is_vector(field);
    uint16_t place = (uint16_t)field->place;

    if (!lam_field_is_scalar(field) && !is_struct)
        return pack_reference(pack,
            pack->b != NULL
                ? lam_fb_link(pack->b, table, type->vtable_bytes - field->slot, place, 0)
                : 0,
            field, at);
    if (pack->b == NULL || table == 0)
        return 0;
    memcpy(pack->b->base + table + place, is_struct ? lam_value_load_pointer(at) : at,
        lam_element_bytes(pack->types, field));
    lam_fb_store_u16(pack->b, table - type->vtable_bytes + field->slot, place);
    return 0;
}

static int pack_fields(
    struct pack *pack, uint32_t table, const struct lam_type *type, const char *value)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct lam_field *field = &type->fields[i];
        int rc;

        if (lam_field_is_skipped(field))
            continue;
        if (!lam_value_has(value, field)) {
            if ((field->flags & LAM_FIELD_REQUIRED) != 0 || lam_value_is_torn(value, field))
                return -EINVAL;
            continue;
        }
        rc = pack_field(pack, table, type, field, value + field->value_place);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int pack_table(struct pack *pack, uint32_t link, uint16_t type, const void *value)
{
    const struct lam_type *t = &pack->types[type];
    uint32_t table = 0;
    int rc;

    if (pack->depth == LAM_CODEC_DEPTH_MAX)
        return -EINVAL;
    if (pack->b != NULL)
        table = lam_fb_open_table(
            pack->b, link, (uint16_t)t->vtable_bytes, (uint16_t)t->inline_bytes, t->align, 0);
    else
        pack->used = align_up(pack->used + t->vtable_bytes, t->align) + t->inline_bytes;
    if (pack->b != NULL && pack->b->error != 0)
        return pack->b->error;
    pack->depth++;
    rc = pack_fields(pack, table, t, value);
    pack->depth--;
    return rc;
}

size_t lam_fb_codec_bound(const struct lam_codec *codec, const void *value)
{
    const struct lam_root *root = codec->type;
    struct pack pack = {NULL, root->types, root->identifier != NULL ? 8 : 4, 0};

    if (pack_table(&pack, 0, root->root, value) != 0 || pack.used > INT32_MAX)
        return SIZE_MAX;
    return (size_t)pack.used;
}

int lam_fb_codec_encode(
    const struct lam_codec *codec, const void *value, void *buffer, size_t capacity, size_t *size)
{
    const struct lam_root *root = codec->type;
    struct lam_fb_builder b;
    struct pack pack = {&b, root->types, 0, 0};
    int rc;

    LAM_ASSERT(((uintptr_t)buffer & (codec->payload_align - 1)) == 0);
    lam_fb_builder_init(&b, buffer, capacity);
    lam_fb_start(&b, root->identifier);
    if (b.error != 0)
        return b.error;
    rc = pack_table(&pack, 0, root->root, value);
    if (rc != 0)
        return rc;
    return lam_fb_finish(&b, size);
}
