/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_ARENA_H
#define LAM_CODECS_ARENA_H

/*
 * lamina/codecs/arena.h: room for what a decoded value points to, in the caller's memory.
 *
 * Codecs, floor 1. A bump allocator: taking is an addition, giving back is one reset for all.
 * It never calls malloc and never grows; when it is full it says so.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "lamina/base/assert.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fields are private, but for @used and @capacity, which may be read. */
struct lam_arena {
    unsigned char *base;
    size_t used;
    size_t capacity;
};

/*
 * Make an arena of @capacity bytes at @memory, which the arena keeps: the caller frees it after the
 * last use of anything taken from it. @memory may be NULL when @capacity is 0.
 */
static inline void lam_arena_init(struct lam_arena *arena, void *memory, size_t capacity)
{
    LAM_ASSERT(memory != NULL || capacity == 0);
    arena->base = (unsigned char *)memory;
    arena->used = 0;
    arena->capacity = capacity;
}

/*
 * Take back all that was taken: every pointer from this arena is dead.
 */
static inline void lam_arena_reset(struct lam_arena *arena)
{
    arena->used = 0;
}

/*
 * Borrow @size bytes aligned to @align (a power of two), not cleared, until the next reset. One
 * thread. Wait-free.
 *
 * Returns the bytes, never NULL for @size 0 in an arena with room, or NULL when they do not fit;
 * then nothing changed.
 */
static inline void *lam_arena_take(struct lam_arena *arena, size_t size, size_t align)
{
    size_t skip;

    LAM_ASSERT(align != 0 && (align & (align - 1)) == 0);
    if (arena->base == NULL)
        return NULL;
    skip = (size_t)(-(uintptr_t)(arena->base + arena->used)) & (align - 1);
    if (skip > arena->capacity - arena->used || size > arena->capacity - arena->used - skip)
        return NULL;
    arena->used += skip + size;
    return arena->base + arena->used - size;
}

#ifdef __cplusplus
}
#endif

#endif
