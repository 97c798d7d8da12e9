/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_MSGPACK_READ_H
#define LAM_CODECS_MSGPACK_READ_H

/*
 * lamina/codecs/msgpack/read.h: MessagePack from anyone, one token at a time.
 *
 * Codecs, floor 1. A reader pulls tokens out of bounded bytes. It allocates nothing, copies
 * nothing, and never looks outside: a count or a length that the bytes left can not hold is refused
 * where it stands, before anyone asks memory for it. Strings and bytes are borrowed from the input.
 *
 * Integers are read by value: any width that fits. UTF-8 and the order and uniqueness of keys are
 * not checked here.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/error.h"
#include "lamina/codecs/span.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_MP_DEPTH_MAX 256

enum lam_mp_kind {
    LAM_MP_NIL = 1,
    LAM_MP_BOOL,  /* u is 0 or 1 */
    LAM_MP_UINT,  /* u; every integer from 0 up */
    LAM_MP_INT,   /* i; every integer below 0 */
    LAM_MP_F32,   /* f */
    LAM_MP_F64,   /* f */
    LAM_MP_STR,   /* data, count bytes */
    LAM_MP_BIN,   /* data, count bytes */
    LAM_MP_EXT,   /* data, count bytes, of ext_type */
    LAM_MP_ARRAY, /* count values follow */
    LAM_MP_MAP    /* count pairs of values follow */
};

struct lam_mp_token {
    enum lam_mp_kind kind;
    int8_t ext_type;
    uint32_t count;
    uint64_t u;
    int64_t i;
    double f;
    const unsigned char *data;
};

/* Private but for @reason, which says why a call returned -EBADMSG. */
struct lam_mp_reader {
    const unsigned char *begin;
    const unsigned char *at;
    const unsigned char *end;
    const char *reason;
};

/*
 * Read the @size bytes at @bytes, which the reader keeps as long as it is used.
 */
void lam_mp_init(struct lam_mp_reader *reader, const void *bytes, size_t size);

/* Bytes read so far: where the next token starts, or the one that was refused. */
static inline size_t lam_mp_offset(const struct lam_mp_reader *reader)
{
    return (size_t)(reader->at - reader->begin);
}

/*
 * The next token.
 *
 * Returns 1, or 0 at the end, or -EBADMSG and the reader stays before it: cut short, the byte 0xc1,
 * or a count that the bytes left can not hold.
 */
int lam_mp_next(struct lam_mp_reader *reader, struct lam_mp_token *token);

/*
 * Pass over one value, whatever it contains. No recursion.
 *
 * Returns 0, or -EBADMSG: as above, nothing is left, or deeper than LAM_MP_DEPTH_MAX.
 */
int lam_mp_skip(struct lam_mp_reader *reader);

/*
 * Check that the @size bytes are exactly one value. What passes can also be given to a parser that
 * allocates by declared counts.
 *
 * Returns 0, or -EBADMSG and in @error (may be NULL) the offset and the reason.
 */
int lam_mp_check(const void *bytes, size_t size, struct lam_error *error);

/*
 * The next value, which has to be of the kind that the name says. Integers may have any width;
 * floats may be written as floats of either width, or as integers that a double holds exactly.
 *
 * Each returns 0, or -EBADMSG and the reader stays before the value.
 */
int lam_mp_get_bool(struct lam_mp_reader *reader, uint8_t *value);
int lam_mp_get_u64(struct lam_mp_reader *reader, uint64_t *value);
int lam_mp_get_i64(struct lam_mp_reader *reader, int64_t *value);
int lam_mp_get_f64(struct lam_mp_reader *reader, double *value);
int lam_mp_get_str(struct lam_mp_reader *reader, struct lam_string *value);
int lam_mp_get_bin(struct lam_mp_reader *reader, struct lam_u8_span *value);
int lam_mp_get_array(struct lam_mp_reader *reader, uint32_t *count);
int lam_mp_get_map(struct lam_mp_reader *reader, uint32_t *count);

/*
 * Pass over a nil.
 *
 * Returns 1, or 0 when something else comes next.
 */
int lam_mp_try_nil(struct lam_mp_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
