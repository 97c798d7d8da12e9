/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_MAP_H
#define LAM_SEQUENCER_MAP_H

/*
 * map.h: from a transport's number of a connection to its place. A table of a fixed size, never
 * more than half full: what is looked for is near where it belongs.
 */

#include <stdint.h>
#include <stdlib.h>

struct map {
    uint64_t *keys; /* 0: none */
    uint32_t *values;
    uint32_t mask;
};

/* For @count keys at most. Returns 0, or -1: no memory. */
static inline int map_create(struct map *map, uint32_t count)
{
    uint32_t size = 4;

    while (size < 2 * count)
        size *= 2;
    map->mask = size - 1;
    map->keys = calloc(size, sizeof(*map->keys));
    map->values = calloc(size, sizeof(*map->values));
    return map->keys == NULL || map->values == NULL ? -1 : 0;
}

static inline void map_destroy(struct map *map)
{
    free(map->keys);
    free(map->values);
    *map = (struct map){0};
}

static inline uint32_t map_home(const struct map *map, uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & map->mask;
}

/* Where the key is, or would be put. */
static inline uint32_t map_at(const struct map *map, uint64_t key)
{
    uint32_t at = map_home(map, key);

    while (map->keys[at] != 0 && map->keys[at] != key)
        at = (at + 1) & map->mask;
    return at;
}

/* Returns 1 and *@value, or 0. */
static inline int map_get(const struct map *map, uint64_t key, uint32_t *value)
{
    uint32_t at = map_at(map, key);

    *value = map->values[at];
    return map->keys[at] == key;
}

static inline void map_put(struct map *map, uint64_t key, uint32_t value)
{
    uint32_t at = map_at(map, key);

    map->keys[at] = key;
    map->values[at] = value;
}

/* Those behind it move up, so that none is cut off from where it belongs. */
static inline void map_remove(struct map *map, uint64_t key)
{
    uint32_t hole = map_at(map, key), at = hole;

    if (map->keys[hole] != key)
        return;
    for (;;) {
        map->keys[hole] = 0;
        do {
            at = (at + 1) & map->mask;
            if (map->keys[at] == 0)
                return;
        } while (((at - map_home(map, map->keys[at])) & map->mask) < ((at - hole) & map->mask));
        map->keys[hole] = map->keys[at];
        map->values[hole] = map->values[at];
        hole = at;
    }
}

#endif
