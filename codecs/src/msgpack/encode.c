/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain structs into MessagePack, by msgpack-c's packer and a sink of our own: the caller's buffer,
 * or none, which counts. One failed write fails the whole value, since the packer may have written
 * the head of an item whose body did not fit.
 */
#include <errno.h>
#include <msgpack/pack.h>

#include "lamina/codecs/msgpack/codec.h"

#include "value.h"

struct sink {
    char *bytes; /* NULL: only count */
    size_t used;
    size_t capacity;
};

struct encode {
    msgpack_packer packer;
    const struct lam_type *types;
    uint32_t depth;
};

static int encode_table(struct encode *e, uint16_t type, const char *value);

static int sink_write(void *data, const char *bytes, size_t size)
{
    struct sink *sink = data;

    if (size > sink->capacity - sink->used)
        return -1;
    if (sink->bytes != NULL)
        memcpy(sink->bytes + sink->used, bytes, size);
    sink->used += size;
    return 0;
}

/* What msgpack-c answers to a write that fails is not zero; here it always means no room. */
static int room(int rc)
{
    return rc == 0 ? 0 : -ENOSPC;
}

static int encode_string(struct encode *e, const char *data, size_t size)
{
    int rc = room(msgpack_pack_str(&e->packer, size));

    if (rc == 0 && size != 0)
        rc = room(msgpack_pack_str_body(&e->packer, data, size));
    return rc;
}

static int encode_bytes(struct encode *e, struct lam_value_span span)
{
    int rc = room(msgpack_pack_bin(&e->packer, span.count));

    if (rc == 0 && span.count != 0)
        rc = room(msgpack_pack_bin_body(&e->packer, span.data, span.count));
    return rc;
}

/* Integers in their shortest form. */
static int encode_scalar(struct encode *e, unsigned kind, const char *at)
{
    uint64_t u = 0;
    unsigned bits = 8 * lam_kind_bytes(kind);
    float single;
    double value;

    if (kind == LAM_KIND_F32) {
        memcpy(&single, at, sizeof(single));
        return room(msgpack_pack_float(&e->packer, single));
    }
    if (kind == LAM_KIND_F64) {
        memcpy(&value, at, sizeof(value));
        return room(msgpack_pack_double(&e->packer, value));
    }
    memcpy(&u, at, bits / 8);
    if (kind == LAM_KIND_BOOL)
        return room(u != 0 ? msgpack_pack_true(&e->packer) : msgpack_pack_false(&e->packer));
    if (kind == LAM_KIND_U8 || kind == LAM_KIND_U16 || kind == LAM_KIND_U32 || kind == LAM_KIND_U64)
        return room(msgpack_pack_uint64(&e->packer, u));
    return room(msgpack_pack_int64(&e->packer, (int64_t)(u << (64 - bits)) >> (64 - bits)));
}

static int encode_struct(struct encode *e, uint16_t type, const char *at);

static int encode_member(struct encode *e, const struct lam_field *field, const char *at)
{
    return field->kind == LAM_KIND_STRUCT ? encode_struct(e, field->type, at)
                                          : encode_scalar(e, field->kind, at);
}

static int encode_struct(struct encode *e, uint16_t type, const char *at)
{
    const struct lam_type *t = &e->types[type];
    int rc = room(msgpack_pack_map(&e->packer, t->field_count));

    for (uint32_t i = 0; rc == 0 && i < t->field_count; i++) {
        const struct lam_field *field = &t->fields[i];
        const char *from = at + field->place;

        rc = encode_string(e, field->name, strlen(field->name));
        if (rc == 0 && field->length != 0)
            rc = room(msgpack_pack_array(&e->packer, field->length));
        for (uint32_t j = 0; rc == 0 && j < (field->length != 0 ? field->length : 1); j++)
            rc = encode_member(e, field, from + (size_t)j * lam_element_bytes(e->types, field));
    }
    return rc;
}

static int encode_element(
    struct encode *e, const struct lam_field *field, const char *data, uint32_t index)
{
    struct lam_value_span string;

    switch (field->kind) {
    case LAM_KIND_TABLE:
        return encode_table(
            e, field->type, data + (size_t)index * e->types[field->type].value_bytes);
    case LAM_KIND_STRING:
        string = lam_value_load_span(data + (size_t)index * sizeof(struct lam_string));
        if (string.data == NULL && string.count != 0)
            return -EINVAL;
        return encode_string(e, string.data, string.count);
    default:
        return encode_member(e, field, data + (size_t)index * lam_element_bytes(e->types, field));
    }
}

static int encode_vector(
    struct encode *e, const struct lam_field *field, struct lam_value_span span)
{
    int rc;

    if (field->kind == LAM_KIND_U8)
        return encode_bytes(e, span);
    rc = room(msgpack_pack_array(&e->packer, span.count));
    for (uint32_t i = 0; rc == 0 && i < span.count; i++)
        rc = encode_element(e, field, span.data, i);
    return rc;
}

/* A map of one pair: the name of the member, and the member. */
static int encode_union(struct encode *e, const struct lam_field *field, const char *at)
{
    const struct lam_field *member = lam_union_member(e->types, field, *lam_value_tag(field, at));
    const void *value = lam_value_load_pointer(at);
    int rc;

    if (member == NULL)
        return -EINVAL;
    rc = room(msgpack_pack_map(&e->packer, 1));
    if (rc == 0)
        rc = encode_string(e, member->name, strlen(member->name));
    if (rc != 0)
        return rc;
    return member->kind == LAM_KIND_STRUCT ? encode_struct(e, member->type, value)
                                           : encode_element(e, member, value, 0);
}

static int encode_field(struct encode *e, const struct lam_field *field, const char *at)
{
    if (field->kind == LAM_KIND_UNION)
        return encode_union(e, field, at);
    if (lam_field_is_scalar(field))
        return encode_scalar(e, field->kind, at);
    if (lam_field_is_vector(field))
        return encode_vector(e, field, lam_value_load_span(at));
    if (field->kind == LAM_KIND_STRING)
        return encode_string(e, lam_value_load_span(at).data, lam_value_load_span(at).count);
    if (field->kind == LAM_KIND_STRUCT)
        return encode_struct(e, field->type, lam_value_load_pointer(at));
    return encode_table(e, field->type, lam_value_load_pointer(at));
}

/* Tags are not written: the name of the member says as much. */
static bool is_hidden(const struct lam_field *field)
{
    return (field->flags & (LAM_FIELD_DEPRECATED | LAM_FIELD_TAG)) != 0;
}

/* How many fields of the value are there, or -EINVAL. */
static int count_fields(const struct lam_type *t, const char *value)
{
    int count = 0;

    for (uint32_t i = 0; i < t->field_count; i++) {
        const struct lam_field *field = &t->fields[i];

        if (is_hidden(field))
            continue;
        if (lam_value_has(value, field))
            count++;
        else if ((field->flags & LAM_FIELD_REQUIRED) != 0 || lam_value_is_torn(value, field))
            return -EINVAL;
    }
    return count;
}

static int encode_table(struct encode *e, uint16_t type, const char *value)
{
    const struct lam_type *t = &e->types[type];
    int count = count_fields(t, value);
    int rc;

    if (count < 0 || e->depth == LAM_CODEC_DEPTH_MAX)
        return -EINVAL;
    e->depth++;
    rc = room(msgpack_pack_map(&e->packer, (size_t)count));
    for (uint32_t i = 0; rc == 0 && i < t->field_count; i++) {
        const struct lam_field *field = &t->fields[i];

        if (is_hidden(field) || !lam_value_has(value, field))
            continue;
        rc = encode_string(e, field->name, strlen(field->name));
        if (rc == 0)
            rc = encode_field(e, field, value + field->value_place);
    }
    e->depth--;
    return rc;
}

static int encode(const struct lam_codec *codec, const void *value, struct sink *sink)
{
    const struct lam_root *root = codec->type;
    struct encode e = {.types = root->types};

    msgpack_packer_init(&e.packer, sink, sink_write);
    return encode_table(&e, root->root, value);
}

size_t lam_mp_codec_bound(const struct lam_codec *codec, const void *value)
{
    struct sink sink = {NULL, 0, SIZE_MAX};

    return encode(codec, value, &sink) == 0 ? sink.used : SIZE_MAX;
}

int lam_mp_codec_encode(
    const struct lam_codec *codec, const void *value, void *buffer, size_t capacity, size_t *size)
{
    struct sink sink = {buffer, 0, capacity};
    int rc = encode(codec, value, &sink);

    LAM_ASSERT(buffer != NULL || capacity == 0);
    if (rc == 0)
        *size = sink.used;
    return rc;
}
