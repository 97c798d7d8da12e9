/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_ARENA_H
#define LAM_SCHEMA_ARENA_H

/*
 * arena.h: memory that lives as long as the schema, and lists and names within it.
 *
 * Nothing is freed one by one. Memory that runs out ends the process with a message: limits on
 * files and names keep any schema far below what a machine has.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schema_arena;

struct schema_arena *arena_create(void);
void arena_destroy(struct schema_arena *arena);

/* @bytes zeroed bytes, aligned for any object. Never NULL. */
void *arena_alloc(struct schema_arena *arena, size_t bytes);

/* A terminated copy of @bytes bytes. */
char *arena_copy(struct schema_arena *arena, const char *text, size_t bytes);

__attribute__((format(printf, 2, 3))) char *arena_format(
    struct schema_arena *arena, const char *format, ...);

/* Pointers in the order in which they were added. Zeroed is empty. */
struct list {
    void **items;
    size_t count;
    size_t capacity;
};

void list_add(struct schema_arena *arena, struct list *list, void *item);

/* Text to pointer; the first of a name stays. Zeroed is empty. */
struct name_map {
    struct name_slot *slots;
    size_t capacity;
    size_t count;
};

/* What @name (not terminated, @bytes long) stands for, or NULL. */
void *name_map_find(const struct name_map *map, const char *name, size_t bytes);

/* Add @value under @name, which the map keeps. Returns what was there before, else NULL. */
void *name_map_add(struct schema_arena *arena, struct name_map *map, const char *name, void *value);

#endif
