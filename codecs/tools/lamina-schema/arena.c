/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include "lamina/base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 65536u

struct arena_block {
    struct arena_block *before;
    max_align_t bytes[];
};

struct schema_arena {
    struct arena_block *block;
    char *next;
    size_t left;
};

static void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes);

    if (memory == NULL) {
        fputs("lamina-schema: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

struct schema_arena *arena_create(void)
{
    return allocate(sizeof(struct schema_arena));
}

void arena_destroy(struct schema_arena *arena)
{
    if (arena == NULL)
        return;
    while (arena->block != NULL) {
        struct arena_block *before = arena->block->before;

        free(arena->block);
        arena->block = before;
    }
    free(arena);
}

void *arena_alloc(struct schema_arena *arena, size_t bytes)
{
    const size_t align = _Alignof(max_align_t);
    void *memory;

    bytes = (bytes + align - 1) / align * align;
    if (bytes > arena->left) {
        size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        struct arena_block *block = allocate(sizeof(*block) + size);

        block->before = arena->block;
        arena->block = block;
        arena->next = (char *)block->bytes;
        arena->left = size;
    }
    memory = arena->next;
    arena->next += bytes;
    arena->left -= bytes;
    return memory;
}

char *arena_copy(struct schema_arena *arena, const char *text, size_t bytes)
{
    char *copy = arena_alloc(arena, bytes + 1);

    if (bytes != 0)
        memcpy(copy, text, bytes);
    return copy;
}

char *arena_format(struct schema_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_list again;
    char *text;
    int bytes;

    va_start(arguments, format);
    va_copy(again, arguments);
    bytes = vsnprintf(NULL, 0, format, arguments);
    LAM_ASSERT(bytes >= 0);
    text = arena_alloc(arena, (size_t)bytes + 1);
    bytes = vsnprintf(text, (size_t)bytes + 1, format, again);
    LAM_ASSERT(bytes >= 0);
    va_end(again);
    va_end(arguments);
    return text;
}

void list_add(struct schema_arena *arena, struct list *list, void *item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        void **items = arena_alloc(arena, capacity * sizeof(*items));

        if (list->count != 0)
            memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

struct name_slot {
    const char *name;
    size_t bytes;
    void *value;
};

static size_t slot_of(const struct name_map *map, const char *name, size_t bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t slot;

    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    slot = (size_t)(hash ^ hash >> 32) & (map->capacity - 1);
    while (map->slots[slot].name != NULL &&
           (map->slots[slot].bytes != bytes || memcmp(map->slots[slot].name, name, bytes) != 0))
        slot = (slot + 1) & (map->capacity - 1);
    return slot;
}

void *name_map_find(const struct name_map *map, const char *name, size_t bytes)
{
    if (map->capacity == 0)
        return NULL;
    return map->slots[slot_of(map, name, bytes)].value;
}

static void name_map_grow(struct schema_arena *arena, struct name_map *map)
{
    struct name_map larger = {
        .capacity = map->capacity == 0 ? 16 : map->capacity * 2, .count = map->count};

    larger.slots = arena_alloc(arena, larger.capacity * sizeof(*larger.slots));
    for (size_t i = 0; i < map->capacity; i++) {
        const struct name_slot *old = &map->slots[i];

        if (old->name != NULL)
            larger.slots[slot_of(&larger, old->name, old->bytes)] = *old;
    }
    *map = larger;
}

void *name_map_add(struct schema_arena *arena, struct name_map *map, const char *name, void *value)
{
    size_t bytes = strlen(name);
    struct name_slot *slot;

    LAM_ASSERT(value != NULL);
    if ((map->count + 1) * 2 > map->capacity)
        name_map_grow(arena, map);
    slot = &map->slots[slot_of(map, name, bytes)];
    if (slot->name != NULL)
        return slot->value;
    *slot = (struct name_slot){name, bytes, value};
    map->count++;
    return NULL;
}
