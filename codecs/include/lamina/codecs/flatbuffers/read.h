/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_FLATBUFFERS_READ_H
#define LAM_CODECS_FLATBUFFERS_READ_H

/*
 * lamina/codecs/flatbuffers/read.h: what generated readers stand on.
 *
 * Codecs, floor 1. Never checks: the bytes were verified (lamina/codecs/flatbuffers/verify.h) and
 * no longer change. All functions are wait-free; any thread. What they return is borrowed from the
 * message.
 *
 * FlatBuffers are little-endian, and vectors are lent as they lie, so the host must be too.
 */

#include <stdint.h>
#include <string.h>

#include "lamina/codecs/span.h"

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Lamina lends FlatBuffers vectors in place: only little-endian hosts"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Loads of one scalar at any address. */
#define LAM_FB_LOAD(suffix, type)                                                                  \
    static inline type lam_fb_load_##suffix(const void *at)                                        \
    {                                                                                              \
        type value;                                                                                \
                                                                                                   \
        memcpy(&value, at, sizeof(value));                                                         \
        return value;                                                                              \
    }

LAM_FB_LOAD(i8, int8_t)
LAM_FB_LOAD(u8, uint8_t)
LAM_FB_LOAD(i16, int16_t)
LAM_FB_LOAD(u16, uint16_t)
LAM_FB_LOAD(i32, int32_t)
LAM_FB_LOAD(u32, uint32_t)
LAM_FB_LOAD(i64, int64_t)
LAM_FB_LOAD(u64, uint64_t)
LAM_FB_LOAD(f32, float)
LAM_FB_LOAD(f64, double)
#undef LAM_FB_LOAD

/*
 * Where the object lies that the offset at @link refers to.
 */
static inline const unsigned char *lam_fb_follow(const unsigned char *link)
{
    return link + lam_fb_load_u32(link);
}

/*
 * The root table of a message that starts at @message.
 */
static inline const unsigned char *lam_fb_root(const void *message)
{
    return lam_fb_follow((const unsigned char *)message);
}

/*
 * Where the field of @slot lies in the inline part of @table, or NULL when it is absent.
 */
static inline const unsigned char *lam_fb_field(const unsigned char *table, uint16_t slot)
{
    const unsigned char *vtable = table - lam_fb_load_i32(table);
    uint16_t place;

    if (slot >= lam_fb_load_u16(vtable))
        return NULL;
    place = lam_fb_load_u16(vtable + slot);
    return place != 0 ? table + place : NULL;
}

/*
 * The string, table or vector that the field of @slot refers to, or NULL when it is absent.
 */
static inline const unsigned char *lam_fb_object(const unsigned char *table, uint16_t slot)
{
    const unsigned char *link = lam_fb_field(table, slot);

    return link != NULL ? lam_fb_follow(link) : NULL;
}

/* Elements of the vector at @vector; 0 for NULL. */
static inline uint32_t lam_fb_vector_count(const unsigned char *vector)
{
    return vector != NULL ? lam_fb_load_u32(vector) : 0;
}

/* First element of the vector at @vector; NULL for NULL. */
static inline const void *lam_fb_vector_data(const unsigned char *vector)
{
    return vector != NULL ? vector + 4 : NULL;
}

/* The string at @object; its data is NULL for NULL. */
static inline struct lam_string lam_fb_string_view(const unsigned char *object)
{
    struct lam_string string;

    string.data = (const char *)lam_fb_vector_data(object);
    string.size = lam_fb_vector_count(object);
    return string;
}

/* A vector of strings, still in the message. */
struct lam_fb_strings {
    const unsigned char *vector;
    uint32_t count;
};

/* String @index, below the count (asserted). */
static inline struct lam_string lam_fb_strings_at(struct lam_fb_strings strings, uint32_t index)
{
    LAM_ASSERT(index < strings.count);
    return lam_fb_string_view(lam_fb_follow(strings.vector + 4 + 4 * (size_t)index));
}

#ifdef __cplusplus
}
#endif

#endif
