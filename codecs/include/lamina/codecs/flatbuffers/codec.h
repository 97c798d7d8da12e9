/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_FLATBUFFERS_CODEC_H
#define LAM_CODECS_FLATBUFFERS_CODEC_H

/*
 * lamina/codecs/flatbuffers/codec.h: plain structs to FlatBuffers and back, for any table.
 *
 * Codecs, floor 1. The functions of a generated codec NS_Table_flatbuffers, whose @type is a struct
 * lam_root. Contracts: lamina/codecs/codec.h. Nothing is allocated.
 */

#include "lamina/codecs/codec.h"
#include "lamina/codecs/flatbuffers/build.h"
#include "lamina/codecs/flatbuffers/verify.h"
#include "lamina/codecs/schema.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Exact, not only a bound: encode() writes this many bytes. */
size_t lam_fb_codec_bound(const struct lam_codec *codec, const void *value);

int lam_fb_codec_encode(
    const struct lam_codec *codec, const void *value, void *buffer, size_t capacity, size_t *size);

int lam_fb_codec_decode(const struct lam_codec *codec, const void *bytes, size_t size, void *value,
    struct lam_arena *arena);

int lam_fb_codec_verify(
    const struct lam_codec *codec, const void *bytes, size_t size, struct lam_error *error);

int64_t lam_fb_codec_describe(
    const struct lam_codec *codec, const void *bytes, size_t size, char *text, size_t capacity);

/* The last members of a struct lam_codec. */
#define LAM_FB_CODEC_FUNCTIONS                                                                     \
    lam_fb_codec_bound, lam_fb_codec_encode, lam_fb_codec_decode, lam_fb_codec_verify,             \
        lam_fb_codec_describe

/*
 * Copy the verified table at @table, of type number @type among @types, into its plain struct
 * @value, and what that points to into @arena (may be NULL for types that point to nothing).
 *
 * Returns 0, or -ENOSPC and @arena is left as it was.
 */
int lam_fb_copy_table(const struct lam_type *types, uint16_t type, const unsigned char *table,
    void *value, struct lam_arena *arena);

#ifdef __cplusplus
}
#endif

#endif
