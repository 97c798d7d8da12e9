/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_MSGPACK_CODEC_H
#define LAM_CODECS_MSGPACK_CODEC_H

/*
 * lamina/codecs/msgpack/codec.h: plain structs to MessagePack and back, for any table.
 *
 * Codecs, floor 1. The functions of a generated codec NS_Table_msgpack, whose @type is a struct
 * lam_root. Contracts: lamina/codecs/codec.h. Nothing is allocated.
 *
 * A table is a map from the names of its fields; absent fields are not in it, scalars always are,
 * and unknown keys are passed over, so that a newer writer can be read. A struct is a map of all
 * its members, a union a map of one pair: the name of the member, the member. Vectors are arrays,
 * but [ubyte] is bin. Enums are integers. Keys come in any order, each once. A nil stands for an
 * absent field.
 */

#include "lamina/codecs/codec.h"
#include "lamina/codecs/schema.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Exact, not only a bound: encode() writes this many bytes. */
size_t lam_mp_codec_bound(const struct lam_codec *codec, const void *value);

int lam_mp_codec_encode(
    const struct lam_codec *codec, const void *value, void *buffer, size_t capacity, size_t *size);

int lam_mp_codec_decode(const struct lam_codec *codec, const void *bytes, size_t size, void *value,
    struct lam_arena *arena);

int lam_mp_codec_verify(
    const struct lam_codec *codec, const void *bytes, size_t size, struct lam_error *error);

/* Prints any MessagePack, without looking at the type; bin as text of hexadecimal digits. */
int64_t lam_mp_codec_describe(
    const struct lam_codec *codec, const void *bytes, size_t size, char *text, size_t capacity);

/* The last members of a struct lam_codec. */
#define LAM_MP_CODEC_FUNCTIONS                                                                     \
    lam_mp_codec_bound, lam_mp_codec_encode, lam_mp_codec_decode, lam_mp_codec_verify,             \
        lam_mp_codec_describe

#ifdef __cplusplus
}
#endif

#endif
