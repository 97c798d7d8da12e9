/* SPDX-License-Identifier: Apache-2.0 */
#include "msgpack/decode.h"

#include <errno.h>
#include <math.h>

int lam_mp_decode_refuse(struct lam_mp_decode *d, const struct lam_step *step, const char *reason)
{
    char way[LAM_WAY_BYTES];

    if (d->error == NULL)
        return -EBADMSG;
    lam_way_print(d->root->types[d->root->root].name, step, way);
    return lam_error_set(d->error, -EBADMSG, "%s: at byte %zu of %zu: %s", way,
        lam_mp_offset(&d->reader), (size_t)(d->reader.end - d->reader.begin), reason);
}

/* The outcome of a getter of the reader. */
int lam_mp_decode_got(struct lam_mp_decode *d, const struct lam_step *step, int rc)
{
    return rc == 0 ? 0 : lam_mp_decode_refuse(d, step, d->reader.reason);
}

/* Memory for @size bytes of the value; NULL when only looking, which is no error. */
int lam_mp_decode_take(struct lam_mp_decode *d, size_t size, size_t align, char **to)
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

static int decode_float(
    struct lam_mp_decode *d, const struct lam_step *step, unsigned kind, char *at)
{
    double value;
    float single;
    int rc = lam_mp_decode_got(d, step, lam_mp_get_f64(&d->reader, &value));

    if (rc != 0)
        return rc;
    if (kind == LAM_KIND_F64) {
        store(at, &value, sizeof(value));
        return 0;
    }
    if (isfinite(value) && fabs(value) > (double)__FLT_MAX__)
        return lam_mp_decode_refuse(d, step, "too large for a float");
    single = (float)value;
    store(at, &single, sizeof(single));
    return 0;
}

static bool kind_is_unsigned(unsigned kind)
{
    return kind == LAM_KIND_U8 || kind == LAM_KIND_U16 || kind == LAM_KIND_U32 ||
           kind == LAM_KIND_U64;
}

static int decode_integer(
    struct lam_mp_decode *d, const struct lam_step *step, unsigned kind, char *at)
{
    unsigned bits = 8 * lam_kind_bytes(kind);
    uint64_t u;
    int64_t i;
    int64_t most;
    int rc;

    LAM_ASSERT(bits >= 8);
    if (kind_is_unsigned(kind)) {
        rc = lam_mp_decode_got(d, step, lam_mp_get_u64(&d->reader, &u));
        if (rc == 0 && bits < 64 && u >> bits != 0)
            rc = lam_mp_decode_refuse(d, step, "an integer is too large for its field");
    } else {
        rc = lam_mp_decode_got(d, step, lam_mp_get_i64(&d->reader, &i));
        u = rc == 0 ? (uint64_t)i : 0;
        most = INT64_MAX >> (64 - bits);
        if (rc == 0 && (i < -most - 1 || i > most))
            rc = lam_mp_decode_refuse(d, step, "an integer does not fit its field");
    }
    if (rc == 0)
        store(at, &u, bits / 8);
    return rc;
}

int lam_mp_decode_scalar(
    struct lam_mp_decode *d, const struct lam_step *step, unsigned kind, char *at)
{
    uint8_t value;
    int rc;

    if (kind == LAM_KIND_F32 || kind == LAM_KIND_F64)
        return decode_float(d, step, kind, at);
    if (kind != LAM_KIND_BOOL)
        return decode_integer(d, step, kind, at);
    rc = lam_mp_decode_got(d, step, lam_mp_get_bool(&d->reader, &value));
    if (rc == 0)
        store(at, &value, sizeof(value));
    return rc;
}

int lam_mp_decode_string(struct lam_mp_decode *d, const struct lam_step *step, char *at)
{
    struct lam_string string;
    char *to;
    int rc = lam_mp_decode_got(d, step, lam_mp_get_str(&d->reader, &string));

    if (rc == 0)
        rc = lam_mp_decode_take(d, (size_t)string.size + 1, 1, &to);
    if (rc != 0 || to == NULL || at == NULL)
        return rc;
    memcpy(to, string.data, string.size);
    to[string.size] = '\0';
    lam_value_store_span(at, to, string.size);
    return 0;
}

int lam_mp_decode_bytes(struct lam_mp_decode *d, const struct lam_step *step, char *at)
{
    struct lam_u8_span bytes;
    char *to;
    int rc = lam_mp_decode_got(d, step, lam_mp_get_bin(&d->reader, &bytes));

    if (rc == 0)
        rc = lam_mp_decode_take(d, bytes.count, 1, &to);
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
int lam_mp_decode_key(struct lam_mp_decode *d, const struct lam_step *step,
    const struct lam_type *type, uint32_t *next, const struct lam_field **field)
{
    struct lam_string name;
    int rc = lam_mp_decode_got(d, step, lam_mp_get_str(&d->reader, &name));

    if (rc != 0)
        return rc;
    *field = find_field(type, name, next);
    if (*field == NULL)
        return lam_mp_decode_got(d, step, lam_mp_skip(&d->reader));
    return 0;
}

int lam_mp_decode_mark(
    struct lam_mp_decode *d, const struct lam_step *step, struct lam_mp_seen *seen, uint32_t index)
{
    if (index >= LAM_MP_FIELDS_MAX)
        return 0;
    if ((seen->bits[index / 64] >> (index % 64) & 1) != 0)
        return lam_mp_decode_refuse(d, step, "a key is there twice");
    seen->bits[index / 64] |= UINT64_C(1) << (index % 64);
    return 0;
}

bool lam_mp_decode_was_seen(const struct lam_mp_seen *seen, uint32_t index)
{
    return index < LAM_MP_FIELDS_MAX && (seen->bits[index / 64] >> (index % 64) & 1) != 0;
}
