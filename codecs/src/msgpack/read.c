/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/codecs/msgpack/read.h"

#include <errno.h>
#include <string.h>

/* What follows the first byte of a token: the width of its number, then its meaning. */
struct form {
    uint8_t kind;
    uint8_t width;  /* bytes of the value or of the count behind the first byte */
    uint8_t fixed;  /* ext: bytes of data when there is no count */
    uint8_t is_int; /* the value is signed */
};

/* 0xc0 to 0xdf. */
static const struct form forms[32] = {{LAM_MP_NIL, 0, 0, 0}, {0, 0, 0, 0}, {LAM_MP_BOOL, 0, 0, 0},
    {LAM_MP_BOOL, 0, 0, 0}, {LAM_MP_BIN, 1, 0, 0}, {LAM_MP_BIN, 2, 0, 0}, {LAM_MP_BIN, 4, 0, 0},
    {LAM_MP_EXT, 1, 0, 0}, {LAM_MP_EXT, 2, 0, 0}, {LAM_MP_EXT, 4, 0, 0}, {LAM_MP_F32, 4, 0, 0},
    {LAM_MP_F64, 8, 0, 0}, {LAM_MP_UINT, 1, 0, 0}, {LAM_MP_UINT, 2, 0, 0}, {LAM_MP_UINT, 4, 0, 0},
    {LAM_MP_UINT, 8, 0, 0}, {LAM_MP_UINT, 1, 0, 1}, {LAM_MP_UINT, 2, 0, 1}, {LAM_MP_UINT, 4, 0, 1},
    {LAM_MP_UINT, 8, 0, 1}, {LAM_MP_EXT, 0, 1, 0}, {LAM_MP_EXT, 0, 2, 0}, {LAM_MP_EXT, 0, 4, 0},
    {LAM_MP_EXT, 0, 8, 0}, {LAM_MP_EXT, 0, 16, 0}, {LAM_MP_STR, 1, 0, 0}, {LAM_MP_STR, 2, 0, 0},
    {LAM_MP_STR, 4, 0, 0}, {LAM_MP_ARRAY, 2, 0, 0}, {LAM_MP_ARRAY, 4, 0, 0}, {LAM_MP_MAP, 2, 0, 0},
    {LAM_MP_MAP, 4, 0, 0}};

static int refuse(struct lam_mp_reader *reader, const char *reason)
{
    reader->reason = reason;
    return -EBADMSG;
}

void lam_mp_init(struct lam_mp_reader *reader, const void *bytes, size_t size)
{
    reader->begin = bytes;
    reader->at = bytes;
    reader->end = size != 0 ? reader->begin + size : reader->begin;
    reader->reason = "";
}

static uint64_t load_big(const unsigned char *at, unsigned width)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++)
        value = value << 8 | at[i];
    return value;
}

static void set_int(struct lam_mp_token *token, int64_t value)
{
    token->kind = value < 0 ? LAM_MP_INT : LAM_MP_UINT;
    token->i = value;
    token->u = (uint64_t)value;
}

static void set_float(struct lam_mp_token *token, uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float single;

    if (token->kind == LAM_MP_F64) {
        memcpy(&token->f, &bits, sizeof(bits));
        return;
    }
    memcpy(&single, &low, sizeof(low));
    token->f = (double)single;
}

/* A token with @count bytes or values behind it; @at is behind its head. */
static int set_body(struct lam_mp_reader *reader, struct lam_mp_token *token, unsigned kind,
    uint64_t count, const unsigned char *at)
{
    uint64_t left = (uint64_t)(reader->end - at);

    if (count > left || (kind == LAM_MP_MAP && 2 * count > left))
        return refuse(reader, "a count or a length is larger than what is left");
    token->kind = kind;
    token->count = (uint32_t)count;
    token->data = at;
    reader->at = kind == LAM_MP_ARRAY || kind == LAM_MP_MAP ? at : at + count;
    return 1;
}

/* A token whose first byte is below 0xc0 or above 0xdf. */
static int next_short(struct lam_mp_reader *reader, struct lam_mp_token *token, unsigned first)
{
    const unsigned char *at = reader->at + 1;

    if (first >= 0xa0 && first < 0xc0)
        return set_body(reader, token, LAM_MP_STR, first & 31, at);
    if (first >= 0x90 && first < 0xa0)
        return set_body(reader, token, LAM_MP_ARRAY, first & 15, at);
    if (first >= 0x80 && first < 0x90)
        return set_body(reader, token, LAM_MP_MAP, first & 15, at);
    set_int(token, (int8_t)first);
    reader->at = at;
    return 1;
}

static int next_ext(struct lam_mp_reader *reader, struct lam_mp_token *token,
    const struct form *form, const unsigned char *at)
{
    uint64_t count = form->width != 0 ? load_big(at, form->width) : form->fixed;

    at += form->width;
    if (at == reader->end)
        return refuse(reader, "the message ends inside a value");
    token->ext_type = (int8_t)*at;
    return set_body(reader, token, LAM_MP_EXT, count, at + 1);
}

int lam_mp_next(struct lam_mp_reader *reader, struct lam_mp_token *token)
{
    const unsigned char *at = reader->at;
    const struct form *form;
    uint64_t value;
    unsigned first;

    if (at == reader->end)
        return 0;
    first = *at++;
    if (first < 0xc0 || first > 0xdf)
        return next_short(reader, token, first);
    form = &forms[first - 0xc0];
    if (form->kind == 0)
        return refuse(reader, "the byte 0xc1 means nothing");
    if (form->width > reader->end - at)
        return refuse(reader, "the message ends inside a value");
    if (form->kind == LAM_MP_EXT)
        return next_ext(reader, token, form, at);
    value = load_big(at, form->width);
    at += form->width;
    if (form->kind >= LAM_MP_STR)
        return set_body(reader, token, form->kind, value, at);
    token->kind = form->kind;
    token->u = form->kind == LAM_MP_BOOL ? first & 1 : value;
    if (form->is_int != 0 && form->width != 0)
        set_int(token, (int64_t)(value << (64 - 8 * form->width)) >> (64 - 8 * form->width));
    else if (form->kind == LAM_MP_F32 || form->kind == LAM_MP_F64)
        set_float(token, value);
    reader->at = at;
    return 1;
}

int lam_mp_skip(struct lam_mp_reader *reader)
{
    uint64_t left[LAM_MP_DEPTH_MAX + 1] = {1}; /* values still to come, at each depth */
    struct lam_mp_token token;
    unsigned depth = 0;

    for (;;) {
        int rc;

        while (left[depth] == 0) {
            if (depth-- == 0)
                return 0;
        }
        left[depth]--;
        rc = lam_mp_next(reader, &token);
        if (rc <= 0)
            return rc == 0 ? refuse(reader, "the message ends inside a value") : rc;
        if (token.kind != LAM_MP_ARRAY && token.kind != LAM_MP_MAP)
            continue;
        if (depth == LAM_MP_DEPTH_MAX)
            return refuse(reader, "values are nested too deep");
        left[++depth] = token.kind == LAM_MP_MAP ? 2 * (uint64_t)token.count : token.count;
    }
}

int lam_mp_check(const void *bytes, size_t size, struct lam_error *error)
{
    struct lam_mp_reader reader;
    int rc;

    lam_mp_init(&reader, bytes, size);
    rc = lam_mp_skip(&reader);
    if (rc == 0 && reader.at != reader.end)
        rc = refuse(&reader, "more bytes follow the value");
    if (rc != 0)
        return lam_error_set(
            error, rc, "at byte %zu of %zu: %s", lam_mp_offset(&reader), size, reader.reason);
    return 0;
}
