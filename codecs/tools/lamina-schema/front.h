/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_FRONT_H
#define LAM_SCHEMA_FRONT_H

/*
 * front.h: what the passes of the front end hand to each other.
 *
 * Passes, in the order of load.c: parse every file (files, lexer, parse_*), then over the whole
 * schema: names to declarations (names), enum values (enums), types of fields and union members
 * (types), attributes (attributes), ids (ids), layout of structs (layout), defaults (defaults),
 * order and hash (order, hash). A pass adds messages and goes on; load.c stops between passes.
 *
 * The parser makes the structs of ir.h directly. What it reads but cannot decide yet, a type's
 * name or a default, it leaves in the draft_ struct around them.
 */

#include "arena.h"
#include "diagnostics.h"
#include "ir.h"
#include "load.h"

/* A type as written: built-in, or a name still to be looked up. */
struct draft_type {
    enum schema_kind kind;    /* NONE: .name says it. VECTOR, ARRAY: of what follows */
    enum schema_kind element; /* of those two; NONE: .name says it */
    uint32_t array_count;
    const char *name;          /* "Monster", "MyGame.Any"; NULL for built-in types */
    struct schema_place place; /* of the element's name */
    struct schema_place whole; /* with brackets */
};

enum draft_value_form {
    DRAFT_NOTHING,
    DRAFT_INTEGER,
    DRAFT_FLOAT, /* also inf and nan */
    DRAFT_NAME,  /* Green, Color.Green, true, null */
    DRAFT_STRING,
    DRAFT_EMPTY_VECTOR
};

/* A constant as written. */
struct draft_value {
    enum draft_value_form form;
    const char *text; /* without a sign; strings decoded */
    size_t bytes;
    bool negative;
    struct schema_place place;
};

struct draft_field {
    struct schema_field field;
    struct draft_type type;
    struct draft_value preset;
};

struct draft_record {
    struct schema_record record;
    struct list fields;       /* struct draft_field; hidden tags are put in by types.c */
    struct schema_place open; /* its { */
    enum { LAYOUT_NEW, LAYOUT_ENTERED, LAYOUT_DONE } layout; /* layout.c */
    unsigned depth; /* structs within structs below this one, itself included */
};

struct draft_enum_value {
    struct schema_enum_value value;
    struct draft_value written;
    struct draft_type type; /* unions */
};

struct draft_enum {
    struct schema_enum enumeration;
    struct list values;               /* struct draft_enum_value */
    struct name_map names;            /* of these, by their names */
    struct draft_enum_value **sorted; /* the same by their bits */
    size_t seen_by;                   /* order.c: the record whose edges hold the members already */
};

struct draft_method {
    struct schema_method method;
    struct draft_type request;
    struct draft_type response;
};

struct draft_service {
    struct schema_service service;
    struct list methods; /* struct draft_method */
};

/* A root_type line. */
struct draft_root {
    const struct schema_file *file;
    const char *name_space;
    struct draft_type type;
};

struct front {
    struct schema_arena *arena;
    struct schema_diagnostics *diagnostics;
    const struct schema_load_options *options;
    struct schema *schema;

    size_t text_bytes;          /* of all files */
    struct list files;          /* struct schema_file */
    struct name_map file_names; /* by canonical path */

    struct list declarations;   /* struct schema_declaration, the drafts' first member */
    struct list records;        /* struct draft_record */
    struct list enums;          /* struct draft_enum */
    struct list services;       /* struct draft_service */
    struct list roots;          /* struct draft_root */
    struct name_map names;      /* full name to struct schema_declaration */
    struct name_map found;      /* what names_find() answered, by namespace and name */
    struct name_map attributes; /* declared by "attribute" lines */
};

/* Whether so much is wrong that looking on is of no use. */
static inline bool front_gave_up(const struct front *front)
{
    return front->diagnostics->suppressed;
}

/* parse.c: read @file, after what it includes. Returns 0, or -EINVAL with a message. */
int parse_file(struct front *front, struct schema_file *file);

/*
 * names.c: the declaration that @name means within @name_space: the innermost of the enclosing
 * namespaces that has it. NULL when none has.
 */
struct schema_declaration *names_find(
    struct front *front, const char *name_space, const char *name);

/* names.c: enter @declaration, or say where its name was taken before. */
int names_add(struct front *front, struct schema_declaration *declaration);

/* names.c: "undefined ..., did you mean" for @type; suggests what is like @kind_wanted or any. */
int names_undefined(struct front *front, const char *name_space, const struct draft_type *type);

/* names.c: the built-in type @name, or SCHEMA_NONE. */
enum schema_kind names_builtin(const char *name, size_t bytes);

/* names.c: of @candidates the one nearest to @name, or NULL when none is near. */
const char *names_nearest(const char *name, const char *const *candidates, size_t count);

/* enums.c: the value of @enumeration with @bits, or that called @name, or NULL. Fast. */
const struct schema_enum_value *enums_find_bits(
    const struct schema_enum *enumeration, uint64_t bits);
const struct schema_enum_value *enums_find_name(
    const struct schema_enum *enumeration, const char *name);

/* The passes over the whole schema. Each returns 0, or -EINVAL when it gave a message. */
int enums_resolve(struct front *front);
int types_resolve(struct front *front);
/* types.c: what @draft means within @name_space. */
int types_resolve_one(struct front *front, const char *name_space, const struct draft_type *draft,
    struct schema_type *type);

int services_resolve(struct front *front);
int roots_resolve(struct front *front);
int attributes_apply(struct front *front);
int ids_assign(struct front *front);
int layout_structs(struct front *front);
int defaults_resolve(struct front *front);

/* order.c: schema->order, is_recursive, align_max and hashes. Cannot fail. */
void order_records(struct front *front);

/*
 * numbers.c: the value of an integer written as @value, for a type of @kind: sets *@bits,
 * sign-extended. Returns false when it does not fit.
 */
bool number_integer(const struct draft_value *value, enum schema_kind kind, uint64_t *bits);

/* numbers.c: "-128 to 127". Static. */
const char *number_range(enum schema_kind kind);

#endif
