/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "lamina/codecs/msgpack/read.h"

#define DOUBLE_EXACT_MAX (UINT64_C(1) << 53)

/* The next token when it is of @kind, else -EBADMSG and the reader stays before it. */
static int get(struct lam_mp_reader *reader, struct lam_mp_token *token, enum lam_mp_kind kind,
    const char *reason)
{
    const unsigned char *before = reader->at;
    int rc = lam_mp_next(reader, token);

    if (rc == 1 && token->kind == kind)
        return 0;
    if (rc >= 0) {
        reader->at = before;
        reader->reason = rc == 0 ? "a value is missing" : reason;
    }
    return -EBADMSG;
}

int lam_mp_get_bool(struct lam_mp_reader *reader, uint8_t *value)
{
    struct lam_mp_token token;
    int rc = get(reader, &token, LAM_MP_BOOL, "not a boolean");

    if (rc == 0)
        *value = (uint8_t)token.u;
    return rc;
}

int lam_mp_get_u64(struct lam_mp_reader *reader, uint64_t *value)
{
    struct lam_mp_token token;
    int rc = get(reader, &token, LAM_MP_UINT, "not an integer from 0 up");

    if (rc == 0)
        *value = token.u;
    return rc;
}

int lam_mp_get_i64(struct lam_mp_reader *reader, int64_t *value)
{
    const unsigned char *before = reader->at;
    struct lam_mp_token token;
    int rc = lam_mp_next(reader, &token);

    if (rc == 1 && (token.kind == LAM_MP_INT ||
                       (token.kind == LAM_MP_UINT && token.u <= (uint64_t)INT64_MAX))) {
        *value = (int64_t)(token.kind == LAM_MP_INT ? (uint64_t)token.i : token.u);
        return 0;
    }
    if (rc >= 0) {
        reader->at = before;
        reader->reason = rc == 0 ? "a value is missing" : "not a signed integer of 64 bits";
    }
    return -EBADMSG;
}

static int to_double(const struct lam_mp_token *token, double *value)
{
    switch (token->kind) {
    case LAM_MP_F32:
    case LAM_MP_F64:
        *value = token->f;
        return 0;
    case LAM_MP_UINT:
        *value = (double)token->u;
        return token->u <= DOUBLE_EXACT_MAX ? 0 : -EBADMSG;
    case LAM_MP_INT:
        *value = (double)token->i;
        return token->i >= -(int64_t)DOUBLE_EXACT_MAX ? 0 : -EBADMSG;
    default:
        return -EBADMSG;
    }
}

int lam_mp_get_f64(struct lam_mp_reader *reader, double *value)
{
    const unsigned char *before = reader->at;
    struct lam_mp_token token;
    double found;
    int rc = lam_mp_next(reader, &token);

    if (rc == 1 && to_double(&token, &found) == 0) {
        *value = found;
        return 0;
    }
    if (rc >= 0) {
        reader->at = before;
        reader->reason = rc == 0 ? "a value is missing" : "not a number that a double holds";
    }
    return -EBADMSG;
}

int lam_mp_get_str(struct lam_mp_reader *reader, struct lam_string *value)
{
    struct lam_mp_token token;
    int rc = get(reader, &token, LAM_MP_STR, "not a string");

    if (rc == 0) {
        value->data = (const char *)token.data;
        value->size = token.count;
    }
    return rc;
}

int lam_mp_get_bin(struct lam_mp_reader *reader, struct lam_u8_span *value)
{
    struct lam_mp_token token;
    int rc = get(reader, &token, LAM_MP_BIN, "not bytes (bin)");

    if (rc == 0) {
        value->data = token.data;
        value->count = token.count;
    }
    return rc;
}

int lam_mp_get_array(struct lam_mp_reader *reader, uint32_t *count)
{
    struct lam_mp_token token;
    int rc = get(reader, &token, LAM_MP_ARRAY, "not an array");

    if (rc == 0)
        *count = token.count;
    return rc;
}

int lam_mp_get_map(struct lam_mp_reader *reader, uint32_t *count)
{
    struct lam_mp_token token;
    int rc = get(reader, &token, LAM_MP_MAP, "not a map");

    if (rc == 0)
        *count = token.count;
    return rc;
}

int lam_mp_try_nil(struct lam_mp_reader *reader)
{
    if (reader->at == reader->end || *reader->at != 0xc0)
        return 0;
    reader->at++;
    return 1;
}
