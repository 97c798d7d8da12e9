/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FNV-1a, 64 bits, with a final mix: texts of types are short and hashed once. It guards against
 * mistakes, not against someone who looks for two texts of one hash.
 */
#include "lamina/codecs/schema.h"

#include <string.h>

static uint64_t take(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t lam_schema_hash(const char *codec_name, const char *text, size_t bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    hash = take(hash, codec_name, strlen(codec_name) + 1);
    hash = take(hash, text, bytes);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    return hash != 0 ? hash : 1;
}
