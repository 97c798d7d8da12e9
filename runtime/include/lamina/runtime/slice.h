/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SLICE_H
#define LAM_RUNTIME_SLICE_H

/*
 * lamina/runtime/slice.h: a place in an arena, for those who have the arena at another address.
 *
 * Runtime, floor 6. Offset and length, of fixed width: it may lie in a message, or in memory that
 * another process writes. Then it is input: copy it once, resolve the copy. Any thread; wait-free;
 * nothing here reads the arena.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lam_slice {
    uint64_t offset; /* from the beginning of the arena */
    uint64_t bytes;
};

/* Whether all of it lies within an arena of @arena_bytes. An empty one may lie at the end. */
static inline int lam_slice_is_inside(struct lam_slice slice, uint64_t arena_bytes)
{
    return slice.offset <= arena_bytes && slice.bytes <= arena_bytes - slice.offset;
}

/* Its first byte in the arena of @arena_bytes at @arena, or NULL: not all of it lies in there. */
static inline void *lam_slice_at(struct lam_slice slice, void *arena, uint64_t arena_bytes)
{
    return lam_slice_is_inside(slice, arena_bytes) ? (uint8_t *)arena + slice.offset : NULL;
}

/*
 * The @bytes from @from on of *@slice, as a slice of the same arena. Returns 1 and sets *@part, or
 * 0: they are not all in it, or it has no end that 64 bits hold.
 */
static inline int lam_slice_part(
    struct lam_slice slice, uint64_t from, uint64_t bytes, struct lam_slice *part)
{
    struct lam_slice within = {from, bytes};

    if (slice.offset > UINT64_MAX - slice.bytes || !lam_slice_is_inside(within, slice.bytes))
        return 0;
    within.offset += slice.offset;
    *part = within;
    return 1;
}

/*
 * The @bytes at @at as a slice of the arena of @arena_bytes at @arena. Returns 1 and sets *@slice,
 * or 0: they are not all in it.
 */
static inline int lam_slice_of(const void *arena, uint64_t arena_bytes, const void *at,
    uint64_t bytes, struct lam_slice *slice)
{
    uint64_t from = (uint64_t)(uintptr_t)at - (uint64_t)(uintptr_t)arena;
    struct lam_slice found = {from, bytes};

    if ((uintptr_t)at < (uintptr_t)arena || !lam_slice_is_inside(found, arena_bytes))
        return 0;
    *slice = found;
    return 1;
}

#ifdef __cplusplus
}
#endif

#endif
