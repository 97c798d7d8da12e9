/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_FROM_SCHEMA_H
#define LAM_CODECS_FROM_SCHEMA_H

/*
 * lamina/codecs/from_schema.h: a codec from the text that a channel carries, for tools that print
 * messages of types they were not compiled with.
 *
 * Codecs, floor 1. The text is input like any other: another process wrote it. The codec can verify
 * and describe; it has no plain struct, so it neither encodes nor decodes.
 */

#include <stddef.h>

#include "lamina/base/error.h"
#include "lamina/codecs/arena.h"
#include "lamina/codecs/codec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An arena of this size is enough for any text that fits into a channel's 64 KiB. */
#define LAM_FROM_SCHEMA_ARENA_BYTES (1U << 20)

/*
 * Make @codec of the @bytes of @text, which are borrowed for the call; what the codec needs is
 * copied into @arena, where it lives until the arena is reset.
 *
 * Of the members, verify and describe can be called; bound, encode and decode are NULL. type_hash
 * is what the text says. One thread a call.
 *
 * Returns 0, or
 *   -EBADMSG  the text is no schema; @error (may be NULL) has the line and the reason
 *   -ENOSPC   the arena is too small; it is left as it was
 */
int lam_codec_from_schema(const char *text, size_t bytes, struct lam_arena *arena,
    struct lam_codec *codec, struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
