/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FNV-1a, 64 bits, with a final mix: texts of types are short and hashed once. It guards against
 * mistakes, not against someone who looks for two texts of one hash.
 */
#include "lamina/codecs/schema.h"

uint64_t lam_schema_hash(const char *text, size_t bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    return hash != 0 ? hash : 1;
}
