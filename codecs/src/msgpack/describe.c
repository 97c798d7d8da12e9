/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any MessagePack as JSON, without a type and without recursion.
 */
#include <errno.h>
#include <stdbool.h>

#include "lamina/codecs/msgpack/codec.h"
#include "lamina/codecs/msgpack/read.h"

#include "print.h"

/* An array or map that is being printed. */
struct open {
    uint64_t left; /* values to come, keys included */
    bool is_map;
    bool is_fresh; /* nothing printed yet */
};

static void print_ext(struct lam_print *print, const struct lam_mp_token *token)
{
    lam_print_text(print, "{\"ext\":");
    lam_print_i64(print, token->ext_type);
    lam_print_text(print, ",\"data\":");
    lam_print_hex(print, token->data, token->count);
    lam_print_text(print, "}");
}

static void print_token(struct lam_print *print, const struct lam_mp_token *token)
{
    switch (token->kind) {
    case LAM_MP_NIL:
        lam_print_text(print, "null");
        break;
    case LAM_MP_BOOL:
        lam_print_text(print, token->u != 0 ? "true" : "false");
        break;
    case LAM_MP_UINT:
        lam_print_u64(print, token->u);
        break;
    case LAM_MP_INT:
        lam_print_i64(print, token->i);
        break;
    case LAM_MP_F32:
    case LAM_MP_F64:
        lam_print_float(print, token->f, token->kind == LAM_MP_F64);
        break;
    case LAM_MP_STR:
        lam_print_string(print, (const char *)token->data, token->count);
        break;
    case LAM_MP_BIN:
        lam_print_hex(print, token->data, token->count);
        break;
    case LAM_MP_EXT:
        print_ext(print, token);
        break;
    case LAM_MP_ARRAY:
        lam_print_text(print, "[");
        break;
    case LAM_MP_MAP:
        lam_print_text(print, "{");
        break;
    }
}

/* What stands before the next value of @open. A key that is no string gets quotes. */
static bool begin_value(
    struct lam_print *print, struct open *open, const struct lam_mp_token *token)
{
    bool is_key = open->is_map && open->left % 2 == 0;

    if (!open->is_fresh)
        lam_print_text(print, open->is_map && !is_key ? ":" : ",");
    open->is_fresh = false;
    open->left--;
    return is_key && token->kind != LAM_MP_STR && token->kind != LAM_MP_BIN;
}

/* Refuses keys that are arrays or maps: JSON has none. */
static int print_all(struct lam_print *print, struct lam_mp_reader *reader)
{
    struct open open[LAM_MP_DEPTH_MAX + 1] = {{1, false, true}};
    struct lam_mp_token token;
    unsigned depth = 0;

    while (lam_mp_next(reader, &token) == 1) {
        bool is_opening = token.kind == LAM_MP_ARRAY || token.kind == LAM_MP_MAP;
        bool quotes = begin_value(print, &open[depth], &token);

        if (quotes && (is_opening || token.kind == LAM_MP_EXT))
            return -EBADMSG;
        lam_print_text(print, quotes ? "\"" : "");
        print_token(print, &token);
        lam_print_text(print, quotes ? "\"" : "");
        if (is_opening)
            open[++depth] =
                (struct open){token.kind == LAM_MP_MAP ? 2 * (uint64_t)token.count : token.count,
                    token.kind == LAM_MP_MAP, true};
        while (depth > 0 && open[depth].left == 0)
            lam_print_text(print, open[depth--].is_map ? "}" : "]");
    }
    return 0;
}

int64_t lam_mp_codec_describe(
    const struct lam_codec *codec, const void *bytes, size_t size, char *text, size_t capacity)
{
    struct lam_mp_reader reader;
    struct lam_print print;

    (void)codec;
    if (lam_mp_check(bytes, size, NULL) != 0)
        return -EBADMSG;
    lam_mp_init(&reader, bytes, size);
    lam_print_init(&print, text, capacity);
    if (print_all(&print, &reader) != 0)
        return -EBADMSG;
    return lam_print_fini(&print);
}
