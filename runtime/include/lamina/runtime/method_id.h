/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_METHOD_ID_H
#define LAM_RUNTIME_METHOD_ID_H

/*
 * lamina/runtime/method_id.h: the number of a method, from its name.
 *
 * Runtime, floor 6. 32-bit FNV-1a over the bytes of the name, without its terminator (Fowler, Noll,
 * Vo: offset basis 2166136261, prime 16777619; exclusive or first, then multiply).
 *
 * LAM_METHOD_ID() of a literal is folded by the compiler, in initialisers too; it is not what C
 * calls an integer constant expression, so it is no case label. lam_method_id() is for names that
 * come at run time. Both are the same number.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of a literal: longer ones do not compile. */
#define LAM_METHOD_NAME_LENGTH_MAX 48

#define LAM_FNV_BASIS UINT32_C(2166136261)
#define LAM_FNV_PRIME UINT32_C(16777619)

/* One byte more, as long as there is one. */
#define LAM_FNV_STEP(hash, name, i)                                                                \
    (((hash) ^ ((i) < sizeof(name) - 1 ? (uint8_t)(name)[(i) < sizeof(name) ? (i) : 0] : 0U)) *    \
        ((i) < sizeof(name) - 1 ? LAM_FNV_PRIME : 1U))
#define LAM_FNV_4(hash, name, i)                                                                   \
    LAM_FNV_STEP(                                                                                  \
        LAM_FNV_STEP(LAM_FNV_STEP(LAM_FNV_STEP(hash, name, i), name, (i) + 1), name, (i) + 2),     \
        name, (i) + 3)
#define LAM_FNV_16(hash, name, i)                                                                  \
    LAM_FNV_4(LAM_FNV_4(LAM_FNV_4(LAM_FNV_4(hash, name, i), name, (i) + 4), name, (i) + 8), name,  \
        (i) + 12)

/* Of the literal @name; nothing else compiles. */
#define LAM_METHOD_ID(name)                                                                        \
    ((uint32_t)(LAM_FNV_16(                                                                        \
                    LAM_FNV_16(LAM_FNV_16(LAM_FNV_BASIS, name, 0U), name, 16U), name, 32U) +       \
                0U * (uint32_t)sizeof(                                                             \
                         char[sizeof("" name) - 1 <= LAM_METHOD_NAME_LENGTH_MAX ? 1 : -1])))

/* Of the string @name. */
static inline uint32_t lam_method_id(const char *name)
{
    uint32_t hash = LAM_FNV_BASIS;

    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * LAM_FNV_PRIME;
    return hash;
}

#ifdef __cplusplus
}
#endif

#endif
