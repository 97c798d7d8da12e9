/* SPDX-License-Identifier: Apache-2.0 */

/*
 * names.c: what a name means where it stands, and what was meant when it means nothing.
 */

#include "front.h"

#include "lamina/base/assert.h"

#include <string.h>

static const struct {
    const char *name;
    enum schema_kind kind;
} builtins[] = {
    {"bool", SCHEMA_BOOL},
    {"byte", SCHEMA_I8},
    {"ubyte", SCHEMA_U8},
    {"short", SCHEMA_I16},
    {"ushort", SCHEMA_U16},
    {"int", SCHEMA_I32},
    {"uint", SCHEMA_U32},
    {"long", SCHEMA_I64},
    {"ulong", SCHEMA_U64},
    {"float", SCHEMA_F32},
    {"double", SCHEMA_F64},
    {"string", SCHEMA_STRING},
    {"int8", SCHEMA_I8},
    {"uint8", SCHEMA_U8},
    {"int16", SCHEMA_I16},
    {"uint16", SCHEMA_U16},
    {"int32", SCHEMA_I32},
    {"uint32", SCHEMA_U32},
    {"int64", SCHEMA_I64},
    {"uint64", SCHEMA_U64},
    {"float32", SCHEMA_F32},
    {"float64", SCHEMA_F64},
};

#define BUILTIN_COUNT (sizeof(builtins) / sizeof(builtins[0]))

enum schema_kind names_builtin(const char *name, size_t bytes)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (strlen(builtins[i].name) == bytes && memcmp(builtins[i].name, name, bytes) == 0)
            return builtins[i].kind;
    return SCHEMA_NONE;
}

const char *schema_kind_name(enum schema_kind kind)
{
    static const char *const others[] = {
        [SCHEMA_NONE] = "nothing",
        [SCHEMA_STRUCT] = "struct",
        [SCHEMA_TABLE] = "table",
        [SCHEMA_UNION] = "union",
        [SCHEMA_VECTOR] = "vector",
        [SCHEMA_ARRAY] = "array",
    };

    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (builtins[i].kind == kind)
            return builtins[i].name;
    LAM_ASSERT(kind <= SCHEMA_ARRAY);
    return others[kind];
}

/* From the innermost namespace outwards. */
static struct schema_declaration *search(
    const struct front *front, const char *name_space, const char *name)
{
    char full[2 * SCHEMA_FULL_NAME_MAX + 2];
    size_t scope = strlen(name_space);
    size_t bytes = strlen(name);

    memcpy(full, name_space, scope);
    while (scope > 0) {
        struct schema_declaration *found;

        full[scope] = '.';
        memcpy(full + scope + 1, name, bytes);
        found = name_map_find(&front->names, full, scope + 1 + bytes);
        if (found != NULL)
            return found;
        memcpy(full, name_space, scope);
        while (scope > 0 && full[--scope] != '.')
            continue;
    }
    return name_map_find(&front->names, name, bytes);
}

struct schema_declaration *names_find(struct front *front, const char *name_space, const char *name)
{
    char key[2 * SCHEMA_FULL_NAME_MAX + 2];
    size_t scope = strlen(name_space);
    size_t bytes = strlen(name);
    struct schema_declaration *found;

    if (scope > SCHEMA_FULL_NAME_MAX || bytes > SCHEMA_FULL_NAME_MAX)
        return NULL;
    memcpy(key, name_space, scope);
    key[scope] = ' ';
    memcpy(key + scope + 1, name, bytes);
    bytes += scope + 1;
    found = name_map_find(&front->found, key, bytes);
    if (found != NULL)
        return found;
    found = search(front, name_space, name);
    if (found != NULL)
        (void)name_map_add(
            front->arena, &front->found, arena_copy(front->arena, key, bytes), found);
    return found;
}

int names_add(struct front *front, struct schema_declaration *declaration)
{
    const struct schema_declaration *first;

    if (front->declarations.count == SCHEMA_TYPE_COUNT_MAX)
        return schema_error_at(front->diagnostics, &declaration->place,
            "a schema of more than %u declarations", SCHEMA_TYPE_COUNT_MAX);
    if (names_builtin(declaration->name, strlen(declaration->name)) != SCHEMA_NONE)
        return schema_error_at(front->diagnostics, &declaration->place,
            "\"%s\" is the name of a built-in type", declaration->name);
    first = name_map_add(front->arena, &front->names, declaration->full_name, declaration);
    if (first != NULL) {
        (void)schema_error_at(front->diagnostics, &declaration->place,
            "\"%s\" is declared a second time", declaration->full_name);
        schema_note_at(front->diagnostics, &first->place, "first declared here");
        return 0; /* that is an error of its own; reading goes on */
    }
    list_add(front->arena, &front->declarations, declaration);
    return 0;
}

/* Fewest edits that end in row[j]: replace, add, leave out, or swap two neighbours. */
static size_t fewest(const char *a, const char *b, size_t i, size_t j, size_t *const rows[3])
{
    size_t edits = rows[1][j - 1] + (a[i - 1] != b[j - 1]);

    if (rows[1][j] + 1 < edits)
        edits = rows[1][j] + 1;
    if (rows[2][j - 1] + 1 < edits)
        edits = rows[2][j - 1] + 1;
    if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
        rows[0][j - 2] + 1 < edits)
        edits = rows[0][j - 2] + 1;
    return edits;
}

/* Edits that make @a into @b, counted up to @limit + 1. */
static size_t distance(const char *a, const char *b, size_t limit)
{
    size_t memory[3][SCHEMA_NAME_BYTES_MAX + 1];
    size_t *rows[3] = {memory[0], memory[1], memory[2]}; /* two before, before, this */
    size_t a_bytes = strlen(a);
    size_t b_bytes = strlen(b);
    size_t difference = a_bytes > b_bytes ? a_bytes - b_bytes : b_bytes - a_bytes;

    if (difference > limit || b_bytes > SCHEMA_NAME_BYTES_MAX)
        return limit + 1;
    for (size_t j = 0; j <= b_bytes; j++)
        rows[2][j] = j;
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t *oldest = rows[0];
        size_t least = i;

        rows[0] = rows[1];
        rows[1] = rows[2];
        rows[2] = oldest;
        rows[2][0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            rows[2][j] = fewest(a, b, i, j, rows);
            least = rows[2][j] < least ? rows[2][j] : least;
        }
        if (least > limit)
            return limit + 1;
    }
    return rows[2][b_bytes];
}

/* Short names must be nearer: with three letters, everything is near everything. */
static size_t distance_allowed(const char *name)
{
    size_t bytes = strlen(name);

    return bytes <= 2 ? 0 : bytes <= 5 ? 1 : bytes <= 8 ? 2 : 3;
}

const char *names_nearest(const char *name, const char *const *candidates, size_t count)
{
    size_t limit = distance_allowed(name);
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++) {
        size_t found = distance(name, candidates[i], limit);

        if (found <= limit) {
            nearest = candidates[i];
            if (found == 0)
                break;
            limit = found - 1;
        }
    }
    return nearest;
}

/* The last part of "a.b.Name". */
static const char *simple_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot == NULL ? name : dot + 1;
}

/* The declaration nearest to @simple, and in *@best its distance, if that is less than *@best. */
static const struct schema_declaration *nearest_declaration(
    const struct front *front, const char *simple, size_t *best)
{
    const struct schema_declaration *nearest = NULL;

    for (size_t i = 0; i<front->declarations.count && * best> 0; i++) {
        const struct schema_declaration *declaration = front->declarations.items[i];
        size_t found = distance(simple, declaration->name, *best - 1);

        if (declaration->kind != SCHEMA_DECLARES_SERVICE && found < *best) {
            nearest = declaration;
            *best = found;
        }
    }
    return nearest;
}

static const char *nearest_builtin(const char *name, size_t *best)
{
    const char *nearest = NULL;

    for (size_t i = 0; i<BUILTIN_COUNT && * best> 0; i++) {
        size_t found = distance(name, builtins[i].name, *best - 1);

        if (found < *best) {
            nearest = builtins[i].name;
            *best = found;
        }
    }
    return nearest;
}

int names_undefined(struct front *front, const char *name_space, const struct draft_type *type)
{
    const char *simple = simple_name(type->name);
    size_t best = distance_allowed(simple) + 1;
    const struct schema_declaration *nearest = nearest_declaration(front, simple, &best);
    const char *builtin = simple == type->name ? nearest_builtin(simple, &best) : NULL;
    const char *suggestion = builtin;

    if (builtin == NULL && nearest != NULL)
        suggestion = names_find(front, name_space, nearest->name) == nearest ? nearest->name
                                                                             : nearest->full_name;
    if (suggestion == NULL)
        return schema_error_at(
            front->diagnostics, &type->place, "undefined type \"%s\"", type->name);
    return schema_error_at(front->diagnostics, &type->place,
        "undefined type \"%s\"; did you mean \"%s\"?", type->name, suggestion);
}
