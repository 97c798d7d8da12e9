/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_CODEC_H
#define LAM_CODECS_CODEC_H

/*
 * lamina/codecs/codec.h: how a value of one type becomes bytes, and bytes become the value.
 *
 * Codecs, floor 1. A codec is a constant table of functions over bytes. It knows nothing of rings,
 * keeps no state, allocates nothing; any thread may use it at any time. Three kinds are shipped:
 * pod (lamina/codecs/pod.h), and for each table of a schema the two that lamina-schema generates,
 * NS_Table_flatbuffers and NS_Table_msgpack.
 *
 * Bytes are input: another process may have written them. No function here trusts them, and none
 * reads them twice expecting the same; yet a caller who wants decode() or verify() to mean anything
 * later must own the bytes, or know that their writer no longer can change them.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/error.h"
#include "lamina/codecs/arena.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_codec {
    /* "pod", "msgpack" or "flatbuffers". */
    const char *name;

    /* Full name of the type, "lamina.inference.Step". */
    const char *type_name;

    /*
     * Says that two ends mean the same bytes: made of the codec's name and of all of the type that
     * matters to them (lamina-schema --hash). Never 0. A channel carries it, and an end with
     * another one is refused.
     */
    uint64_t type_hash;

    /*
     * Codec and type in words, one line a fact, ends in NUL (lamina/codecs/schema.h). A channel
     * carries a copy, so that tools without the type can print its messages.
     */
    const char *schema;
    size_t schema_bytes; /* without the NUL */

    /* Size and alignment of the plain struct that encode() reads and decode() fills. */
    size_t value_bytes;
    size_t value_align;

    /*
     * Not 0: encoding and decoding are plain copies of this many bytes, of which every pattern is
     * a value. Who likes to may copy and save the calls.
     */
    size_t plain_bytes;

    /*
     * Address of the first encoded byte is a multiple of this, a power of two. The giver of the
     * buffer sees to it: encode() asserts it, verify() and decode() refuse.
     */
    size_t payload_align;

    /* What the functions below need to know of the type; private to the codec. */
    const void *type;

    /*
     * Bytes that @value needs at most once encoded. Walks @value, which it borrows for the call.
     *
     * Returns the bound, or SIZE_MAX when @value can not be encoded at all (a required part is
     * missing, or it is larger than the format allows).
     */
    size_t (*bound)(const struct lam_codec *codec, const void *value);

    /*
     * Write @value into @buffer, @capacity bytes, front to back, and its size into *@size. Both
     * are borrowed for the call; nothing outside @buffer is written, and on error what is in it
     * means nothing.
     *
     * Returns 0, or
     *   -ENOSPC  @capacity is too small; never so when it is at least bound()
     *   -EINVAL  @value lacks a required part or nests deeper than LAM_CODEC_DEPTH_MAX
     */
    int (*encode)(const struct lam_codec *codec, const void *value, void *buffer, size_t capacity,
        size_t *size);

    /*
     * Verify the @size bytes at @bytes and write their value into @value. What the value points to
     * is copied into @arena: nothing refers to @bytes afterwards. The value lives until the arena
     * is reset. @arena may be NULL for types that point to nothing.
     *
     * Returns 0, or
     *   -EBADMSG  the bytes are not a value of this type (ask verify() why)
     *   -ENOSPC   the arena is too small; it is left as it was
     */
    int (*decode)(const struct lam_codec *codec, const void *bytes, size_t size, void *value,
        struct lam_arena *arena);

    /*
     * Check that the @size bytes at @bytes are a value of this type and can be read through their
     * views or decoded.
     *
     * Returns 0, or -EBADMSG and in @error (may be NULL) the path, the offset and the reason.
     */
    int (*verify)(
        const struct lam_codec *codec, const void *bytes, size_t size, struct lam_error *error);

    /*
     * Print the value in the @size bytes at @bytes as one line of JSON into @text, @capacity bytes,
     * always terminated, cut short where it does not fit. @text may be NULL when @capacity is 0.
     *
     * Returns the length of the whole line, as snprintf does, or -EBADMSG.
     */
    int64_t (*describe)(
        const struct lam_codec *codec, const void *bytes, size_t size, char *text, size_t capacity);
};

#ifdef __cplusplus
#define LAM_ALIGNOF(type) alignof(type)
#else
#define LAM_ALIGNOF(type) _Alignof(type)
#endif

/* Tables in tables, vectors in vectors: a value deeper than this is refused. */
#define LAM_CODEC_DEPTH_MAX 64

#ifdef __cplusplus
}
#endif

#endif
