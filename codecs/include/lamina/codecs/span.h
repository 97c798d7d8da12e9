/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_SPAN_H
#define LAM_CODECS_SPAN_H

/*
 * lamina/codecs/span.h: borrowed runs of values, as views return them and plain structs hold them.
 *
 * Codecs, floor 1. A span owns nothing. Its pointer is NULL when the field is absent, and not NULL
 * when the field is there and empty. All spans have the same layout, which the walkers use.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/assert.h"

/* Declare `struct name`, a run of @type. */
#define LAM_SPAN(name, type)                                                                       \
    struct name {                                                                                  \
        const type *data;                                                                          \
        uint32_t count;                                                                            \
    }

/* Text of @size bytes; a NUL follows them, which is not counted. UTF-8 by convention, unchecked. */
struct lam_string {
    const char *data;
    uint32_t size;
};

LAM_SPAN(lam_i8_span, int8_t);
LAM_SPAN(lam_u8_span, uint8_t); /* also of booleans: 0 is false, anything else true */
LAM_SPAN(lam_i16_span, int16_t);
LAM_SPAN(lam_u16_span, uint16_t);
LAM_SPAN(lam_i32_span, int32_t);
LAM_SPAN(lam_u32_span, uint32_t);
LAM_SPAN(lam_i64_span, int64_t);
LAM_SPAN(lam_u64_span, uint64_t);
LAM_SPAN(lam_f32_span, float);
LAM_SPAN(lam_f64_span, double);
LAM_SPAN(lam_string_span, struct lam_string);

/* A scalar that may be absent, in a plain struct. */
#define LAM_OPTIONAL(name, type)                                                                   \
    struct name {                                                                                  \
        type value;                                                                                \
        uint8_t is_present;                                                                        \
    }

LAM_OPTIONAL(lam_optional_i8, int8_t);
LAM_OPTIONAL(lam_optional_u8, uint8_t); /* also of booleans */
LAM_OPTIONAL(lam_optional_i16, int16_t);
LAM_OPTIONAL(lam_optional_u16, uint16_t);
LAM_OPTIONAL(lam_optional_i32, int32_t);
LAM_OPTIONAL(lam_optional_u32, uint32_t);
LAM_OPTIONAL(lam_optional_i64, int64_t);
LAM_OPTIONAL(lam_optional_u64, uint64_t);
LAM_OPTIONAL(lam_optional_f32, float);
LAM_OPTIONAL(lam_optional_f64, double);

/* @literal, a string constant, as a struct lam_string. */
static inline struct lam_string lam_string_of(const char *data, size_t size)
{
    struct lam_string string;

    LAM_ASSERT(size <= UINT32_MAX);
    string.data = data;
    string.size = (uint32_t)size;
    return string;
}

#define LAM_STRING(literal) lam_string_of("" literal, sizeof(literal) - 1)

LAM_STATIC_ASSERT(offsetof(struct lam_string, size) == offsetof(struct lam_u8_span, count) &&
                      sizeof(struct lam_string) == sizeof(struct lam_u8_span),
    "walkers read every span by one layout");

#endif
