/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_MSGPACK_DECODE_H
#define LAM_CODECS_MSGPACK_DECODE_H

/*
 * decode.h: what reading MessagePack into plain structs is made of: scalars, strings, keys.
 * Internal to codecs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lamina/codecs/codec.h"
#include "lamina/codecs/msgpack/read.h"

#include "value.h"
#include "way.h"

#define LAM_MP_FIELDS_MAX 4096

struct lam_mp_decode {
    struct lam_mp_reader reader;
    const struct lam_root *root;
    struct lam_arena *arena;
    struct lam_error *error;
    uint32_t depth;
    bool stores; /* false: only look */
};

/* Which fields of a table were there. */
struct lam_mp_seen {
    uint64_t bits[LAM_MP_FIELDS_MAX / 64];
};

/* Says @reason with the way and the offset. Returns -EBADMSG. */
int lam_mp_decode_refuse(struct lam_mp_decode *d, const struct lam_step *step, const char *reason);

/* The outcome @rc of a getter of the reader: 0, or refused for the reader's reason. */
int lam_mp_decode_got(struct lam_mp_decode *d, const struct lam_step *step, int rc);

/* Memory for @size bytes of the value; NULL when only looking, which is no error. */
int lam_mp_decode_take(struct lam_mp_decode *d, size_t size, size_t align, char **to);

/* The next value into @at, of which there is none when only looking. */
int lam_mp_decode_scalar(
    struct lam_mp_decode *d, const struct lam_step *step, unsigned kind, char *at);
int lam_mp_decode_string(struct lam_mp_decode *d, const struct lam_step *step, char *at);
int lam_mp_decode_bytes(struct lam_mp_decode *d, const struct lam_step *step, char *at);

/*
 * The next key of a map of @type: its field in *@field and its index in *@next, or NULL when the
 * type does not know it and its value was passed over.
 */
int lam_mp_decode_key(struct lam_mp_decode *d, const struct lam_step *step,
    const struct lam_type *type, uint32_t *next, const struct lam_field **field);

/* Note that field @index was there; refused when it was before. */
int lam_mp_decode_mark(
    struct lam_mp_decode *d, const struct lam_step *step, struct lam_mp_seen *seen, uint32_t index);

bool lam_mp_decode_was_seen(const struct lam_mp_seen *seen, uint32_t index);

#endif
