/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_EMIT_C_H
#define LAM_SCHEMA_EMIT_C_H

/*
 * emit_c.h: what the parts of the C generator share. Internal to it.
 *
 * The header is written into memory, part by part, in the order of emit_c.c. Every name that it
 * declares is noted, so that two schemas' names that become one in C are refused instead of
 * emitted. Nothing here fails on its way: running out of memory is kept in @failed.
 */

#include <stdbool.h>
#include <stdio.h>

#include "emit.h"

#define EMIT_NAME_BYTES 640 /* a full name, a verb, a field name cut by SCHEMA_NAME_BYTES_MAX */

/* A name of the header, and what in the schema it comes from. */
struct emit_symbol {
    char *name;
    const struct schema_place *place;
};

/* Where the fields of a table lie when we write it. */
struct emit_layout {
    uint16_t *places; /* by id; 0 for deprecated fields */
    uint32_t inline_bytes;
    uint32_t vtable_bytes;
    uint32_t align;
    uint32_t required_count;
};

struct emit {
    const struct schema *schema;
    const struct emit_options *options;
    struct schema_diagnostics *diagnostics;
    FILE *out;
    char base[EMIT_NAME_BYTES]; /* names of the file's own tables start so: "demo_sample" */
    struct emit_symbol *symbols;
    size_t symbol_count;
    size_t symbol_capacity;
    struct emit_layout *layouts; /* of all tables, by order_index */
    /* what own records reach, and themselves; an index is the number of a type in the header */
    const struct schema_declaration **types;
    uint32_t type_count;
    bool failed;
};

/* emit_names.c */

/* printf to the header. */
__attribute__((format(printf, 2, 3))) void emit_put(struct emit *e, const char *format, ...);

/* Note that the header declares the formatted name for what is at @place. */
__attribute__((format(printf, 3, 4))) void emit_declare(
    struct emit *e, const struct schema_place *place, const char *format, ...);

/* Refuse names that were declared twice. Returns 0 or -EINVAL. */
int emit_check_symbols(struct emit *e);

/* The C name of a declaration: "lamina_inference_Step". @name has EMIT_NAME_BYTES. */
void emit_c_name(const struct emit *e, const struct schema_declaration *declaration, char *name);

/* The name of a member of a plain struct: @name, with "_" behind it when C or C++ reserve it. */
const char *emit_member(const char *name, char *buffer, size_t capacity);

/* "u64" */
const char *emit_suffix(enum schema_kind kind);

/* The C type of one scalar, "uint64_t" or the enum's. @name has EMIT_NAME_BYTES. */
void emit_scalar_type(
    const struct emit *e, enum schema_kind kind, const struct schema_enum *enumeration, char *name);

/* A constant of the integer @kind: "UINT64_C(7)". @text has 48 bytes. */
void emit_integer(enum schema_kind kind, uint64_t bits, char *text);

/*
 * The file identifier of messages whose root is @record: a string literal, or "NULL" where there
 * is none. @text has EMIT_IDENTIFIER_BYTES.
 */
#define EMIT_IDENTIFIER_BYTES 24
void emit_identifier(const struct emit *e, const struct schema_record *record, char *text);

/* The default of a scalar field as a C constant. @text has 48 bytes. */
void emit_default(const struct schema_field *field, char *text);

/* The default of a scalar field as its bits, 8 bytes. */
uint64_t emit_preset(const struct schema_field *field);

/* The docs as a block comment; nothing without docs. */
void emit_docs(struct emit *e, const struct schema_docs *docs, const char *indent);

static inline bool emit_is_own(const struct emit *e, const struct schema_declaration *declaration)
{
    return declaration->file == e->schema->files[0];
}

/* What a field holds one of: the element of a vector or array, or the field's own kind. */
static inline enum schema_kind emit_element(const struct schema_field *field)
{
    return field->type.kind == SCHEMA_VECTOR || field->type.kind == SCHEMA_ARRAY
               ? field->type.element
               : field->type.kind;
}

static inline bool emit_is_vector(const struct schema_field *field)
{
    return field->type.kind == SCHEMA_VECTOR;
}

/* Alignment of the elements of a vector. */
uint32_t emit_element_align(const struct schema_field *field);

/* Bytes of one element of a vector or array of scalars or structs; 4 for offsets. */
uint32_t emit_element_bytes(const struct schema_field *field);

/* emit_layout.c: fill e->layouts. Returns 0, -EINVAL or -ENOMEM. */
int emit_layout_tables(struct emit *e);
void emit_layout_free(struct emit *e);

/* emit_check.c: refuse what is not generated. Returns 0 or -EINVAL. */
int emit_check(struct emit *e);

/* emit_value.c */
void emit_enum(struct emit *e, const struct schema_enum *enumeration);
void emit_struct(struct emit *e, const struct schema_record *record);
void emit_table_types(struct emit *e, const struct schema_record *record);
void emit_table_value(struct emit *e, const struct schema_record *record);

/* emit_reader.c, emit_builder.c */
void emit_reader(struct emit *e, const struct schema_record *record);
void emit_builder(struct emit *e, const struct schema_record *record);

/* emit_text.c */

/*
 * Append @declaration, unless it is there already, and then, nearest first, all it reaches, to
 * @types, which has room for every declaration of the schema.
 */
void emit_reach(const struct schema_declaration *declaration,
    const struct schema_declaration **types, uint32_t *type_count);

/*
 * The text of a schema (lamina/codecs/schema.h) whose root is @record, without its first line.
 * Returns malloc'ed text, or NULL.
 */
char *emit_text(struct emit *e, const struct schema_record *record);

/* The hash of the type as this codec sends it: a channel of another codec has another one. */
uint64_t emit_codec_hash(const struct schema_record *record, const char *codec);

/* emit_types.c: the tables of types of all that own tables reach. */
int emit_types(struct emit *e);

/* emit_codecs.c: what a table can do as a whole, and its two codecs. */
void emit_codecs(struct emit *e, const struct schema_record *record);

#endif
