/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MessagePack into plain structs, and the same walk without a value for verify(). Every count was
 * held against the bytes left before memory is taken for it.
 */
#include <errno.h>
#include <math.h>

#include "lamina/codecs/msgpack/codec.h"
#include "lamina/codecs/msgpack/read.h"

#include "value.h"
#include "way.h"

#define FIELDS_MAX 4096

struct decode {
    struct lam_mp_reader reader;
    const struct lam_root *root;
    struct lam_arena *arena;
    struct lam_error *error;
    uint32_t depth;
    bool stores; /* false: only look */
};

/* Which fields of a table were there. */
struct seen {
    uint64_t bits[FIELDS_MAX / 64];
};

static int decode_table(struct decode *d, const struct lam_step *step, uint16_t type, char *value);

static int refuse(struct decode *d, const struct lam_step *step, const char *reason)
{
    char way[LAM_WAY_BYTES];

    if (d->error == NULL)
        return -EBADMSG;
    lam_way_print(d->root->types[d->root->root].name, step, way);
    return lam_error_set(d->error, -EBADMSG, "%s: at byte %zu of %zu: %s", way,
        lam_mp_offset(&d->reader), (size_t)(d->reader.end - d->reader.begin), reason);
}

/* The outcome of a getter of the reader. */
static int got(struct decode *d, const struct lam_step *step, int rc)
{
    return rc == 0 ? 0 : refuse(d, step, d->reader.reason);
}

/* Memory for @size bytes of the value; NULL when only looking, which is no error. */
static int take(struct decode *d, size_t size, size_t align, char **to)
{
    *to = NULL;
    if (!d->stores)
        return 0;
    if (d->arena != NULL)
        *to = lam_arena_take(d->arena, size, align);
    return *to != NULL ? 0 : -ENOSPC;
}

static void store(char *at, const void *from, size_t size)
{
    if (at != NULL)
        memcpy(at, from, size);
}

static int decode_float(struct decode *d, const struct lam_step *step, unsigned kind, char *at)
{
    double value;
    float single;
    int rc = got(d, step, lam_mp_get_f64(&d->reader, &value));

    if (rc != 0)
        return rc;
    if (kind == LAM_KIND_F64) {
        store(at, &value, sizeof(value));
        return 0;
    }
    if (isfinite(value) && fabs(value) > (double)__FLT_MAX__)
        return refuse(d, step, "too large for a float");
    single = (float)value;
    store(at, &single, sizeof(single));
    return 0;
}

static bool kind_is_unsigned(unsigned kind)
{
    return kind == LAM_KIND_U8 || kind == LAM_KIND_U16 || kind == LAM_KIND_U32 ||
           kind == LAM_KIND_U64;
}

static int decode_integer(struct decode *d, const struct lam_step *step, unsigned kind, char *at)
{
    unsigned bits = 8 * lam_kind_bytes(kind);
    uint64_t u;
    int64_t i;
    int64_t most;
    int rc;

    LAM_ASSERT(bits >= 8);
    if (kind_is_unsigned(kind)) {
        rc = got(d, step, lam_mp_get_u64(&d->reader, &u));
        if (rc == 0 && bits < 64 && u >> bits != 0)
            rc = refuse(d, step, "an integer is too large for its field");
    } else {
        rc = got(d, step, lam_mp_get_i64(&d->reader, &i));
        u = rc == 0 ? (uint64_t)i : 0;
        most = INT64_MAX >> (64 - bits);
        if (rc == 0 && (i < -most - 1 || i > most))
            rc = refuse(d, step, "an integer does not fit its field");
    }
    if (rc == 0)
        store(at, &u, bits / 8);
    return rc;
}

static int decode_scalar(struct decode *d, const struct lam_step *step, unsigned kind, char *at)
{
    uint8_t value;
    int rc;

    if (kind == LAM_KIND_F32 || kind == LAM_KIND_F64)
        return decode_float(d, step, kind, at);
    if (kind != LAM_KIND_BOOL)
        return decode_integer(d, step, kind, at);
    rc = got(d, step, lam_mp_get_bool(&d->reader, &value));
    if (rc == 0)
        store(at, &value, sizeof(value));
    return rc;
}

static int decode_string(struct decode *d, const struct lam_step *step, char *at)
{
    struct lam_string string;
    char *to;
    int rc = got(d, step, lam_mp_get_str(&d->reader, &string));

    if (rc == 0)
        rc = take(d, (size_t)string.size + 1, 1, &to);
    if (rc != 0 || to == NULL || at == NULL)
        return rc;
    memcpy(to, string.data, string.size);
    to[string.size] = '\0';
    lam_value_store_span(at, to, string.size);
    return 0;
}

static int decode_bytes(struct decode *d, const struct lam_step *step, char *at)
{
    struct lam_u8_span bytes;
    char *to;
    int rc = got(d, step, lam_mp_get_bin(&d->reader, &bytes));

    if (rc == 0)
        rc = take(d, bytes.count, 1, &to);
    if (rc != 0 || to == NULL || at == NULL)
        return rc;
    memcpy(to, bytes.data, bytes.count);
    lam_value_store_span(at, to, bytes.count);
    return 0;
}

/* The field called @name, looked for from *@next on: writers keep the order, so the first fits. */
static const struct lam_field *find_field(
    const struct lam_type *type, struct lam_string name, uint32_t *next)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        uint32_t index = *next + i < type->field_count ? *next + i : *next + i - type->field_count;
        const struct lam_field *field = &type->fields[index];

        if ((field->flags & (LAM_FIELD_DEPRECATED | LAM_FIELD_TAG)) != 0 ||
            strlen(field->name) != name.size || memcmp(field->name, name.data, name.size) != 0)
            continue;
        *next = index;
        return field;
    }
    return NULL;
}

/*
 * The next key of a map of @type: its field in *@field, or NULL when the type does not know it and
 * its value was passed over.
 */
static int next_key(struct decode *d, const struct lam_step *step, const struct lam_type *type,
    uint32_t *next, const struct lam_field **field)
{
    struct lam_string name;
    int rc = got(d, step, lam_mp_get_str(&d->reader, &name));

    if (rc != 0)
        return rc;
    *field = find_field(type, name, next);
    if (*field == NULL)
        return got(d, step, lam_mp_skip(&d->reader));
    return 0;
}

static int mark(struct decode *d, const struct lam_step *step, struct seen *seen, uint32_t index)
{
    if (index >= FIELDS_MAX)
        return 0;
    if ((seen->bits[index / 64] >> (index % 64) & 1) != 0)
        return refuse(d, step, "a key is there twice");
    seen->bits[index / 64] |= UINT64_C(1) << (index % 64);
    return 0;
}

static bool was_seen(const struct seen *seen, uint32_t index)
{
    return index < FIELDS_MAX && (seen->bits[index / 64] >> (index % 64) & 1) != 0;
}

static int decode_struct(struct decode *d, const struct lam_step *step, uint16_t type, char *at);

static int decode_member(
    struct decode *d, struct lam_step *step, const struct lam_field *field, char *at)
{
    uint32_t bytes = lam_element_bytes(d->root->types, field);
    uint32_t count = 1;
    int rc = 0;

    if (field->length != 0)
        rc = got(d, step, lam_mp_get_array(&d->reader, &count));
    if (rc == 0 && field->length != 0 && count != field->length)
        rc = refuse(d, step, "an array has another length");
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        char *to = at != NULL ? at + field->place + (size_t)i * bytes : NULL;

        step->index = field->length != 0 ? i : LAM_NO_INDEX;
        rc = field->kind == LAM_KIND_STRUCT ? decode_struct(d, step, field->type, to)
                                            : decode_scalar(d, step, field->kind, to);
    }
    return rc;
}

static int decode_struct(struct decode *d, const struct lam_step *step, uint16_t type, char *at)
{
    const struct lam_type *t = &d->root->types[type];
    struct lam_step inner = {step, NULL, LAM_NO_INDEX};
    struct seen seen = {{0}};
    uint32_t next = 0;
    uint32_t known = 0;
    uint32_t count;
    int rc = got(d, step, lam_mp_get_map(&d->reader, &count));

    if (rc == 0 && at != NULL)
        memset(at, 0, t->inline_bytes);
    for (; rc == 0 && count != 0; count--) {
        rc = next_key(d, step, t, &next, &inner.field);
        if (rc != 0 || inner.field == NULL)
            continue;
        inner.index = LAM_NO_INDEX;
        rc = mark(d, &inner, &seen, next);
        if (rc == 0)
            rc = decode_member(d, &inner, inner.field, at);
        known++;
        next++;
    }
    if (rc == 0 && known != t->field_count)
        rc = refuse(d, step, "a struct lacks a member");
    return rc;
}

static int decode_element(
    struct decode *d, const struct lam_step *step, const struct lam_field *field, char *at)
{
    switch (field->kind) {
    case LAM_KIND_TABLE:
        return decode_table(d, step, field->type, at);
    case LAM_KIND_STRING:
        return decode_string(d, step, at);
    case LAM_KIND_STRUCT:
        return decode_struct(d, step, field->type, at);
    default:
        return decode_scalar(d, step, field->kind, at);
    }
}

/* Bytes of one element of a vector in a plain struct. */
static size_t value_stride(const struct decode *d, const struct lam_field *field)
{
    if (field->kind == LAM_KIND_TABLE)
        return d->root->types[field->type].value_bytes;
    if (field->kind == LAM_KIND_STRING)
        return sizeof(struct lam_string);
    return lam_element_bytes(d->root->types, field);
}

static int decode_vector(
    struct decode *d, struct lam_step *step, const struct lam_field *field, char *at)
{
    size_t stride = value_stride(d, field);
    uint32_t count;
    char *data = NULL;
    int rc;

    if (field->kind == LAM_KIND_U8)
        return decode_bytes(d, step, at);
    rc = got(d, step, lam_mp_get_array(&d->reader, &count));
    if (rc == 0)
        rc = take(d, count * stride,
            field->kind == LAM_KIND_STRUCT ? d->root->types[field->type].align : 8, &data);
    for (step->index = 0; rc == 0 && step->index < count; step->index++)
        rc = decode_element(d, step, field, data != NULL ? data + step->index * stride : NULL);
    if (rc == 0 && data != NULL && at != NULL)
        lam_value_store_span(at, data, count);
    return rc;
}

/* A struct or table of its own in the arena, and a pointer to it. */
static int decode_nested(
    struct decode *d, const struct lam_step *step, const struct lam_field *field, char *at)
{
    const struct lam_type *type = &d->root->types[field->type];
    bool is_struct = field->kind == LAM_KIND_STRUCT;
    char *nested;
    int rc = take(d, is_struct ? type->inline_bytes : type->value_bytes,
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
    struct decode *d, const struct lam_step *step, const struct lam_field *member, char *at)
{
    char *string;
    int rc;

    if (member->kind != LAM_KIND_STRING)
        return decode_nested(d, step, member, at);
    rc = take(d, sizeof(struct lam_string), _Alignof(struct lam_string), &string);
    if (rc == 0)
        rc = decode_string(d, step, string);
    if (rc == 0 && string != NULL && at != NULL)
        lam_value_store_pointer(at, string);
    return rc;
}

/* A map of one pair. A member that is not known is passed over and reads as none. */
static int decode_union(
    struct decode *d, const struct lam_step *step, const struct lam_field *field, char *at)
{
    const struct lam_type *type = &d->root->types[field->type];
    const struct lam_field *member = NULL;
    uint32_t next = 0;
    uint32_t count;
    int rc = got(d, step, lam_mp_get_map(&d->reader, &count));

    if (rc == 0 && count != 1)
        rc = refuse(d, step, "a union is a map of one pair");
    if (rc == 0)
        rc = next_key(d, step, type, &next, &member);
    if (rc != 0 || member == NULL)
        return rc;
    rc = decode_member_of_union(d, step, member, at);
    if (rc == 0 && at != NULL)
        *lam_value_tag(field, at) = (uint8_t)member->slot;
    return rc;
}

static int decode_field(
    struct decode *d, struct lam_step *step, const struct lam_field *field, char *at)
{
    int rc;

    if (lam_field_is_vector(field))
        return decode_vector(d, step, field, at);
    if (field->kind == LAM_KIND_STRING)
        return decode_string(d, step, at);
    if (field->kind == LAM_KIND_UNION)
        return decode_union(d, step, field, at);
    if (field->kind >= LAM_KIND_STRUCT)
        return decode_nested(d, step, field, at);
    rc = decode_scalar(d, step, field->kind, at);
    if (rc == 0 && at != NULL && (field->flags & LAM_FIELD_OPTIONAL) != 0)
        at[lam_kind_bytes(field->kind)] = 1;
    return rc;
}

static int check_required(struct decode *d, const struct lam_step *step, const struct lam_type *t,
    const struct seen *seen)
{
    struct lam_step inner = {step, NULL, LAM_NO_INDEX};

    for (uint32_t i = 0; i < t->field_count; i++) {
        inner.field = &t->fields[i];
        if ((inner.field->flags & LAM_FIELD_REQUIRED) != 0 && !was_seen(seen, i))
            return refuse(d, &inner, "a required field is absent");
    }
    return 0;
}

static int decode_fields(
    struct decode *d, const struct lam_step *step, const struct lam_type *t, char *value)
{
    struct lam_step inner = {step, NULL, LAM_NO_INDEX};
    struct seen seen = {{0}};
    uint32_t next = 0;
    uint32_t count;
    int rc = got(d, step, lam_mp_get_map(&d->reader, &count));

    for (; rc == 0 && count != 0; count--) {
        rc = next_key(d, step, t, &next, &inner.field);
        if (rc != 0 || inner.field == NULL || lam_mp_try_nil(&d->reader) == 1)
            continue;
        inner.index = LAM_NO_INDEX;
        rc = mark(d, &inner, &seen, next);
        if (rc == 0)
            rc = decode_field(
                d, &inner, inner.field, value != NULL ? value + inner.field->value_place : NULL);
        next++;
    }
    return rc == 0 ? check_required(d, step, t, &seen) : rc;
}

static int decode_table(struct decode *d, const struct lam_step *step, uint16_t type, char *value)
{
    int rc;

    if (d->depth == LAM_CODEC_DEPTH_MAX)
        return refuse(d, step, "tables are nested too deep");
    if (value != NULL)
        lam_type_init(&d->root->types[type], value);
    d->depth++;
    rc = decode_fields(d, step, &d->root->types[type], value);
    d->depth--;
    return rc;
}

static int decode(struct decode *d, const void *bytes, size_t size, void *value)
{
    int rc;

    lam_mp_init(&d->reader, bytes, size);
    rc = decode_table(d, NULL, d->root->root, value);
    if (rc == 0 && d->reader.at != d->reader.end)
        rc = refuse(d, NULL, "more bytes follow the value");
    return rc;
}

int lam_mp_codec_decode(const struct lam_codec *codec, const void *bytes, size_t size, void *value,
    struct lam_arena *arena)
{
    struct decode d = {.root = codec->type, .arena = arena, .stores = true};
    size_t before = arena != NULL ? arena->used : 0;
    int rc = decode(&d, bytes, size, value);

    if (rc != 0 && arena != NULL)
        arena->used = before;
    return rc;
}

int lam_mp_codec_verify(
    const struct lam_codec *codec, const void *bytes, size_t size, struct lam_error *error)
{
    struct decode d = {.root = codec->type, .error = error};

    return decode(&d, bytes, size, NULL);
}
