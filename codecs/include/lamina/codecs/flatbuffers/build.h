/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_FLATBUFFERS_BUILD_H
#define LAM_CODECS_FLATBUFFERS_BUILD_H

/*
 * lamina/codecs/flatbuffers/build.h: a message written front to back at its final address.
 *
 * Codecs, floor 1. The builder writes into memory of the caller's, such as a claimed message of a
 * ring, at a cursor that only goes forward. It never allocates, never moves what it wrote, and
 * never writes outside the memory. Generated code stands on it; its users call little more than
 * lam_fb_builder_init().
 *
 * Errors stick: after the first one all calls do nothing, opened vectors are NULL, and finish
 * returns it. So only those calls need a check whose pointer is written through.
 *
 *   -ENOSPC  the memory is too small
 *   -EINVAL  an object was given twice, a vector that is not the last one was extended, or a
 *            required part is missing at the end
 *
 * Handles are 32-bit positions in the message, 0 for none. One thread. Wait-free.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lamina/codecs/flatbuffers/read.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Private but for @error. */
struct lam_fb_builder {
    unsigned char *base;
    uint32_t used;
    uint32_t capacity;
    uint32_t missing; /* required parts of opened objects that were not given yet */
    int error;        /* 0 or the first error */
};

/* A vector of strings while it is built. */
struct lam_fb_strings_at {
    uint32_t at;
    uint32_t count;
};

/*
 * Start with an empty message in the @capacity bytes at @memory, which the builder keeps until
 * finish. @memory is aligned to the schema's alignment (NS_Table_ALIGN), relative to which the
 * message is laid out. Bytes above 2 GiB are not used.
 */
static inline void lam_fb_builder_init(struct lam_fb_builder *b, void *memory, size_t capacity)
{
    b->base = (unsigned char *)memory;
    b->used = 0;
    b->capacity = capacity < INT32_MAX ? (uint32_t)capacity : INT32_MAX;
    b->missing = 0;
    b->error = 0;
}

/*
 * Let @error stick, if it is the first one.
 */
static inline void lam_fb_fail(struct lam_fb_builder *b, int error)
{
    if (b->error == 0)
        b->error = error;
}

/* Stores of one scalar at @at in the message. */
#define LAM_FB_STORE(suffix, type)                                                                 \
    static inline void lam_fb_store_##suffix(struct lam_fb_builder *b, uint32_t at, type value)    \
    {                                                                                              \
        memcpy(b->base + at, &value, sizeof(value));                                               \
    }                                                                                              \
    /* Field at @place of @table, whose slot lies @back bytes before the table. */                 \
    static inline void lam_fb_set_##suffix(                                                        \
        struct lam_fb_builder *b, uint32_t table, uint32_t back, uint16_t place, type value)       \
    {                                                                                              \
        if (table == 0)                                                                            \
            return;                                                                                \
        memcpy(b->base + table + place, &value, sizeof(value));                                    \
        memcpy(b->base + table - back, &place, sizeof(place));                                     \
    }

LAM_FB_STORE(i8, int8_t)
LAM_FB_STORE(u8, uint8_t)
LAM_FB_STORE(i16, int16_t)
LAM_FB_STORE(u16, uint16_t)
LAM_FB_STORE(i32, int32_t)
LAM_FB_STORE(u32, uint32_t)
LAM_FB_STORE(i64, int64_t)
LAM_FB_STORE(u64, uint64_t)
LAM_FB_STORE(f32, float)
LAM_FB_STORE(f64, double)
#undef LAM_FB_STORE

/*
 * Move the cursor to where (cursor + @ahead) is a multiple of @align, and @bytes further; what is
 * skipped for alignment is cleared.
 *
 * Returns the position before the @bytes, or 0 and -ENOSPC sticks. (The first object of a message
 * has a position of its own, lam_fb_start().)
 */
static inline uint32_t lam_fb_advance(
    struct lam_fb_builder *b, uint32_t ahead, uint32_t align, uint64_t bytes)
{
    uint32_t skip = (0U - (b->used + ahead)) & (align - 1);
    uint32_t at;

    if (b->error != 0)
        return 0;
    if (skip + bytes > b->capacity - b->used) {
        b->error = -ENOSPC;
        return 0;
    }
    for (uint32_t i = 0; i < skip; i++)
        b->base[b->used + i] = 0;
    at = b->used + skip;
    b->used = at + (uint32_t)bytes;
    return at;
}

/*
 * Begin the message: the offset of the root, and the four characters of @identifier unless NULL.
 */
static inline void lam_fb_start(struct lam_fb_builder *b, const char *identifier)
{
    uint32_t size = identifier != NULL ? 8 : 4;

    if (b->error != 0)
        return;
    if (b->used != 0) {
        b->error = -EINVAL;
        return;
    }
    if (size > b->capacity) {
        b->error = -ENOSPC;
        return;
    }
    memset(b->base, 0, size);
    if (identifier != NULL)
        memcpy(b->base + 4, identifier, 4);
    b->used = size;
}

/*
 * Open a table at the cursor, all fields absent, and let the offset at @link refer to it. Its
 * vtable lies just before it. @required more parts are missing from now on.
 *
 * Returns the table, or 0 after an error.
 */
static inline uint32_t lam_fb_open_table(struct lam_fb_builder *b, uint32_t link,
    uint16_t vtable_bytes, uint16_t inline_bytes, uint32_t align, uint32_t required)
{
    uint64_t bytes = (uint64_t)vtable_bytes + inline_bytes;
    uint32_t vtable = lam_fb_advance(b, vtable_bytes, align, bytes);

    if (vtable == 0)
        return 0;
    memset(b->base + vtable, 0, (size_t)bytes);
    lam_fb_store_u16(b, vtable, vtable_bytes);
    lam_fb_store_u16(b, vtable + 2, inline_bytes);
    lam_fb_store_u32(b, vtable + vtable_bytes, vtable_bytes);
    lam_fb_store_u32(b, link, vtable + vtable_bytes - link);
    b->missing += required;
    return vtable + vtable_bytes;
}

/*
 * Take the offset at @place of @table, whose slot lies @back bytes before the table, for an object
 * that follows. @required is 1 when it is one of the missing parts.
 *
 * Returns the link, or 0: the table is none, or -EINVAL sticks since the object was given already.
 */
static inline uint32_t lam_fb_link(
    struct lam_fb_builder *b, uint32_t table, uint32_t back, uint16_t place, uint32_t required)
{
    if (table == 0 || b->error != 0) {
        lam_fb_fail(b, -EINVAL);
        return 0;
    }
    if (lam_fb_load_u16(b->base + table - back) != 0) {
        b->error = -EINVAL;
        return 0;
    }
    lam_fb_store_u16(b, table - back, place);
    b->missing -= required;
    return table + place;
}

/*
 * Take offset @index of the vector of @count offsets at @vector, as lam_fb_link() does.
 */
static inline uint32_t lam_fb_link_element(
    struct lam_fb_builder *b, uint32_t vector, uint32_t count, uint32_t index)
{
    uint32_t link = vector + 4 + 4 * index;

    if (vector == 0 || b->error != 0 || index >= count || lam_fb_load_u32(b->base + link) != 0) {
        lam_fb_fail(b, -EINVAL);
        return 0;
    }
    b->missing -= 1;
    return link;
}

/*
 * Open a vector of @count elements at the cursor, not cleared, and let @link refer to it. The
 * caller writes every element before finish: what lay there before would be sent otherwise.
 *
 * Returns the first element, also of an empty vector, or NULL after an error.
 */
static inline void *lam_fb_open_vector(
    struct lam_fb_builder *b, uint32_t link, uint32_t count, uint32_t element_bytes, uint32_t align)
{
    uint64_t bytes = 4 + (uint64_t)count * element_bytes;
    uint32_t at;

    if (link == 0)
        return NULL;
    at = lam_fb_advance(b, 4, align < 4 ? 4 : align, bytes);
    if (at == 0)
        return NULL;
    lam_fb_store_u32(b, at, count);
    lam_fb_store_u32(b, link, at - link);
    return b->base + at + 4;
}

/*
 * Add @more elements, not cleared, to the vector that the offset at @link refers to, which is the
 * last object of the message so far, or is opened now when the offset is 0.
 *
 * Returns the first new element, or NULL after an error.
 */
void *lam_fb_extend_vector(
    struct lam_fb_builder *b, uint32_t link, uint32_t more, uint32_t element_bytes, uint32_t align);

/*
 * lam_fb_link(), but a vector that is there already is given again, to be extended.
 */
static inline uint32_t lam_fb_link_again(
    struct lam_fb_builder *b, uint32_t table, uint32_t back, uint16_t place, uint32_t required)
{
    if (table != 0 && b->error == 0 && lam_fb_load_u16(b->base + table - back) != 0)
        return table + place;
    return lam_fb_link(b, table, back, place, required);
}

/*
 * Open a vector of @count offsets, none of them given yet.
 *
 * Returns the vector, or 0 after an error.
 */
static inline uint32_t lam_fb_open_offsets(struct lam_fb_builder *b, uint32_t link, uint32_t count)
{
    void *data = lam_fb_open_vector(b, link, count, 4, 4);

    if (data == NULL)
        return 0;
    memset(data, 0, 4 * (size_t)count);
    b->missing += count;
    return (uint32_t)((unsigned char *)data - b->base) - 4;
}

/*
 * Open a string of @size bytes, not cleared, its terminator in place, and let @link refer to it.
 *
 * Returns its first byte, or NULL after an error.
 */
static inline char *lam_fb_open_string(struct lam_fb_builder *b, uint32_t link, size_t size)
{
    uint32_t at;

    if (link == 0)
        return NULL;
    at = lam_fb_advance(b, 0, 4, size < INT32_MAX ? (uint64_t)size + 5 : INT32_MAX);
    if (at == 0)
        return NULL;
    lam_fb_store_u32(b, at, (uint32_t)size);
    lam_fb_store_u32(b, link, at - link);
    b->base[at + 4 + size] = 0;
    return (char *)b->base + at + 4;
}

/*
 * Copy the @size bytes at @data as a string.
 */
static inline void lam_fb_put_string(
    struct lam_fb_builder *b, uint32_t link, const char *data, size_t size)
{
    char *to = lam_fb_open_string(b, link, size);

    if (to != NULL && size != 0)
        memcpy(to, data, size);
}

/*
 * Copy the @count elements at @data as a vector.
 */
static inline void lam_fb_put_vector(struct lam_fb_builder *b, uint32_t link, const void *data,
    uint32_t count, uint32_t element_bytes, uint32_t align)
{
    void *to = lam_fb_open_vector(b, link, count, element_bytes, align);

    if (to != NULL && count != 0)
        memcpy(to, data, (size_t)count * element_bytes);
}

/*
 * Copy the struct of @size bytes at @data to @link, where it lies inline.
 */
static inline void lam_fb_put_struct(
    struct lam_fb_builder *b, uint32_t link, const void *data, size_t size)
{
    if (link != 0)
        memcpy(b->base + link, data, size);
}

/*
 * Copy the struct of @size bytes at @data to the cursor, and let @link refer to it, as members of
 * unions are.
 */
static inline void lam_fb_put_object(
    struct lam_fb_builder *b, uint32_t link, const void *data, size_t size, uint32_t align)
{
    uint32_t at = link != 0 ? lam_fb_advance(b, 0, align, size) : 0;

    if (at == 0)
        return;
    memcpy(b->base + at, data, size);
    lam_fb_store_u32(b, link, at - link);
}

/*
 * Copy string @index of @strings.
 */
static inline void lam_fb_strings_set(struct lam_fb_builder *b, struct lam_fb_strings_at strings,
    uint32_t index, const char *data, size_t size)
{
    lam_fb_put_string(b, lam_fb_link_element(b, strings.at, strings.count, index), data, size);
}

/*
 * End the message: nothing may be written to it afterwards.
 *
 * Returns 0 and the size of the message in *@size, or the error that stuck, or -EINVAL when a
 * required part is missing.
 */
static inline int lam_fb_finish(struct lam_fb_builder *b, size_t *size)
{
    if (b->error == 0 && (b->missing != 0 || b->used <= 8))
        b->error = -EINVAL;
    if (b->error != 0)
        return b->error;
    *size = b->used;
    return 0;
}

#ifdef __cplusplus
}
#endif

#endif
