/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_FLATBUFFERS_VERIFY_H
#define LAM_CODECS_FLATBUFFERS_VERIFY_H

/*
 * lamina/codecs/flatbuffers/verify.h: whether bytes can be read through their views.
 *
 * Codecs, floor 1. After a 0 every reader of the type stays inside the bytes, at aligned addresses,
 * and ends. That holds for the bytes as they were: verify a copy, or bytes that their writer can
 * no longer change. What the values mean is not checked: an enum may hold an unknown number, a
 * string may be no UTF-8, and padding may hold anything.
 *
 * Checked: the start is aligned to the schema's alignment; the identifier; every offset points
 * forward, inside, and to an aligned place; every vtable is whole, even, and its fields lie inside
 * their table, aligned; vectors fit and their elements are aligned (but for empty ones, which
 * official builders place at any multiple of four); strings end in NUL; required fields are there;
 * and the work is bounded. Fields that the type does not know are left alone, so that a newer
 * writer can be read.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/error.h"
#include "lamina/codecs/schema.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bounds on the work, so that small bytes can not ask for much. */
struct lam_fb_limits {
    uint32_t depth;  /* tables in tables */
    uint32_t tables; /* tables visited, however often the same one */
    uint64_t bytes;  /* bytes visited, likewise; 0 is 64 times the message */
};

/* What lam_fb_verify() uses. */
#define LAM_FB_LIMITS_DEFAULT                                                                      \
    {                                                                                              \
        64, 1000000, 0                                                                             \
    }

/*
 * Check the @size bytes at @bytes, borrowed for the call, as a message of @root.
 *
 * Any thread. Time is bounded by the limits. About 5 ns a field, and nothing per element of vectors
 * of scalars and structs.
 *
 * Returns 0, or -EBADMSG and in @error (may be NULL) the path, the offset and the reason.
 */
int lam_fb_verify(
    const struct lam_root *root, const void *bytes, size_t size, struct lam_error *error);

/*
 * The same with other limits. @limits is borrowed for the call.
 */
int lam_fb_verify_within(const struct lam_root *root, const void *bytes, size_t size,
    const struct lam_fb_limits *limits, struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
