/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_COPY_H
#define LAM_CODECS_COPY_H

/*
 * lamina/codecs/copy.h: the copy of a plain struct into a message and out of it.
 *
 * Codecs, floor 1. Any thread; wait-free; no memory of its own.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lamina/base/atomic.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Up to here structs are copied word by word. */
#define LAM_CODEC_COPY_SMALL_BYTES 128

/* The rest of lam_codec_copy(). A call, so that no compiler warns of sizes that do not occur. */
void lam_codec_copy_large(void *to, const void *from, size_t bytes);

/*
 * Copy @bytes, which do not overlap.
 *
 * A small struct was mostly written a moment ago, field by field. Wide loads of it would have to
 * wait until those stores have left the core; words find them under way.
 */
LAM_INLINE void lam_codec_copy(void *to, const void *from, size_t bytes)
{
    const unsigned char *source = (const unsigned char *)from;
    unsigned char *target = (unsigned char *)to;
    size_t at = 0;

    if (bytes > LAM_CODEC_COPY_SMALL_BYTES) {
        lam_codec_copy_large(to, from, bytes);
        return;
    }
    for (; at + 8 <= bytes; at += 8) {
        uint64_t word;

        memcpy(&word, source + at, 8);
        word = lam_opaque_u64(word); /* or the compiler would make one call of the loop */
        memcpy(target + at, &word, 8);
    }
    for (; at < bytes; at++)
        target[at] = source[at];
}

#ifdef __cplusplus
}
#endif

#endif
