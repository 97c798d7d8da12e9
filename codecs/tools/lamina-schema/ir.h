/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_IR_H
#define LAM_SCHEMA_IR_H

/*
 * ir.h: a schema, read and checked, as the generators see it.
 *
 * The front end (lexer, parser, resolver, layout, hash) fills it; schema_load() in load.h returns
 * it complete or not at all. After that it is read-only: every pointer stays valid, and every
 * string terminated, until schema_destroy(). Generators never look at text again, and never need
 * to check what is promised here.
 *
 * Words: a *declaration* is an enum, a union, a struct, a table or a service, with a name; a
 * *record* is a struct or a table; a *scalar* is anything from bool to double, enums included.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct schema_arena;
struct schema_enum;
struct schema_field;
struct schema_file;
struct schema_record;

/* Limits. Each has its own error message with file, line and column. */
#define SCHEMA_FILE_BYTES_MAX   (1u << 20)  /* one schema file */
#define SCHEMA_FILE_COUNT_MAX   256u        /* the schema with all that it includes */
#define SCHEMA_TEXT_BYTES_MAX   (16u << 20) /* all of them together */
#define SCHEMA_NAME_BYTES_MAX   128u        /* one identifier */
#define SCHEMA_FULL_NAME_MAX    512u        /* with its namespace */
#define SCHEMA_STRING_BYTES_MAX 4096u       /* one string literal, decoded */
#define SCHEMA_TYPE_COUNT_MAX   16384u      /* declarations of all files */
#define SCHEMA_FIELD_COUNT_MAX  4096u       /* fields of one record, hidden ones included */
#define SCHEMA_VALUE_COUNT_MAX  16384u      /* values of one enum (255 members of one union) */
#define SCHEMA_ARRAY_COUNT_MAX  65535u      /* elements of a fixed array, as in flatc */
#define SCHEMA_STRUCT_DEPTH_MAX 64u         /* structs within structs */
#define SCHEMA_STRUCT_BYTES_MAX (1u << 30)  /* size of one struct */
#define SCHEMA_ALIGN_MAX        32u         /* force_align */

/* Where something was written. Lines and columns count from 1, columns in bytes. */
struct schema_place {
    const struct schema_file *file;
    uint32_t line;
    uint32_t column;
    uint32_t length; /* bytes underlined in a message, at least 1 */
};

/* A file of the schema. files[0] of struct schema is the one named on the command line. */
struct schema_file {
    const char *path;    /* as opened: what messages and depfiles show */
    const char *spelled; /* as written in the first include of it; files[0]: as given */
    const char *text;    /* its bytes, and a zero byte after them */
    size_t text_bytes;
    const struct schema_file **includes; /* files named by its own include lines, each once */
    size_t include_count;
};

/*
 * What a value is made of. The order matters: scalars are SCHEMA_BOOL to SCHEMA_F64, integers
 * SCHEMA_I8 to SCHEMA_U64.
 */
enum schema_kind {
    SCHEMA_NONE = 0, /* element kind of what has no elements; also type of union member NONE */
    SCHEMA_BOOL,
    SCHEMA_I8,
    SCHEMA_U8,
    SCHEMA_I16,
    SCHEMA_U16,
    SCHEMA_I32,
    SCHEMA_U32,
    SCHEMA_I64,
    SCHEMA_U64,
    SCHEMA_F32,
    SCHEMA_F64,
    SCHEMA_STRING,
    SCHEMA_STRUCT, /* inline, .record says which */
    SCHEMA_TABLE,  /* by offset, .record says which */
    SCHEMA_UNION,  /* by offset, .enumeration says which; its tag is the field before */
    SCHEMA_VECTOR, /* by offset, of .element (never NONE, VECTOR or ARRAY) */
    SCHEMA_ARRAY   /* inline and in structs only, .array_count of .element (scalar or STRUCT) */
};

/*
 * The type of a field, of a union's member.
 *
 * For VECTOR and ARRAY, .record and .enumeration describe the element. An enum is its underlying
 * integer with .enumeration set. The hidden tag of a union is SCHEMA_U8 with .enumeration set to
 * the union; the tags of a vector of unions are a VECTOR of such.
 */
struct schema_type {
    enum schema_kind kind;
    enum schema_kind element;
    uint32_t array_count;
    const struct schema_enum *enumeration;
    const struct schema_record *record;
};

/* One name, or name: value, between the parentheses of a declaration. */
enum schema_attribute_form {
    SCHEMA_ATTRIBUTE_BARE,    /* (key) */
    SCHEMA_ATTRIBUTE_INTEGER, /* (id: 3), integer and text set */
    SCHEMA_ATTRIBUTE_TEXT     /* (hash: "fnv1a_64"), or any other constant; text set */
};

struct schema_attribute {
    const char *name;
    enum schema_attribute_form form;
    const char *text; /* a string decoded, another constant as written; "" when bare */
    int64_t integer;
    struct schema_place place; /* of the value; of the name when bare */
};

struct schema_attributes {
    const struct schema_attribute *items; /* in written order, each name once */
    size_t count;
};

/* Documentation comments (///) of one item: their text, without the slashes and one blank. */
struct schema_docs {
    const char *const *lines;
    size_t count;
};

enum schema_declaration_kind {
    SCHEMA_DECLARES_ENUM,
    SCHEMA_DECLARES_UNION,
    SCHEMA_DECLARES_STRUCT,
    SCHEMA_DECLARES_TABLE,
    SCHEMA_DECLARES_SERVICE
};

/* What every declaration has; the first member of schema_enum, schema_record, schema_service. */
struct schema_declaration {
    enum schema_declaration_kind kind;
    const char *name;               /* "Monster" */
    const char *full_name;          /* "MyGame.Example.Monster"; unique in the schema */
    const char *name_space;         /* "MyGame.Example", "" outside of any */
    struct schema_place place;      /* of the name */
    const struct schema_file *file; /* the file that declared it; == files[0] when asked for */
    struct schema_docs docs;
    struct schema_attributes attributes;
};

/* A named value of an enum, or a member of a union. */
struct schema_enum_value {
    const char *name; /* of an unaliased union member a.b.Q: "a_b_Q", as in flatc */
    uint64_t bits;    /* two's complement, sign-extended to 64 bits when the enum is signed */
    struct schema_type type; /* unions: TABLE, STRUCT or STRING; NONE for the member NONE */
    struct schema_place place;
    struct schema_docs docs;
    struct schema_attributes attributes;
};

/* An enum or a union. */
struct schema_enum {
    struct schema_declaration declaration;
    bool is_union;  /* values[0] is then NONE = 0, and the underlying type SCHEMA_U8 */
    bool bit_flags; /* bits of values are masks already (1 << written) */
    bool is_signed;
    enum schema_kind underlying;            /* SCHEMA_I8 to SCHEMA_U64 */
    const struct schema_enum_value *values; /* declaration order; at least one; bits differ */
    size_t value_count;
    uint64_t hash; /* of names and values, and of member types by name */
};

/*
 * A field of a struct or table.
 *
 * A field of union type (or vector of unions) is two fields: the hidden tag "x_type" comes first,
 * with .is_union_tag and .companion = x; then x with .companion = the tag. The ids are n and n+1.
 */
struct schema_field {
    const char *name;
    struct schema_place place; /* of the name */
    struct schema_docs docs;
    struct schema_attributes attributes;
    const struct schema_record *parent;
    struct schema_type type;

    /* inline size and alignment: of the scalar, the struct, the array, or 4 for an offset */
    uint32_t size;
    uint32_t align;

    /* structs only */
    uint32_t offset;        /* from the start of the struct */
    uint32_t padding_after; /* bytes to the next field, or to the end of the struct */

    /* tables only */
    uint16_t id;
    uint16_t vtable_offset; /* 4 + 2 * id: the byte within the vtable */
    bool required;          /* never a scalar */
    bool deprecated;        /* keeps its slot, gets no accessor */
    bool optional;          /* scalar with "= null": presence is part of the value */
    bool has_default;       /* a default was written */
    bool is_union_tag;
    bool shared;     /* strings: equal ones may be stored once */
    bool flexbuffer; /* [ubyte] */
    const struct schema_field *companion;
    const struct schema_record *nested_flatbuffer; /* [ubyte] that holds this table, or NULL */
    uint32_t force_align; /* vectors: alignment of the elements asked for, or 0 */

    /*
     * Scalars: the value of an absent field; 0 when none was written or when optional. Integers,
     * bool and enums: two's complement sign-extended to 64 bits. F32 and F64: bits of the double
     * (already rounded to float for F32): see schema_default_double().
     */
    uint64_t default_bits;
    const char *default_string; /* string = "text": the decoded bytes, else NULL */
    uint32_t default_string_bytes;
    /* vector = []: has_default is set, nothing else */

    /* tables and structs */
    bool key;
    /*
     * Ours: (max: n) bounds a string's bytes or a vector's elements, so that the largest message
     * is known when the code is generated. (max_text: n) bounds the bytes of each string in a
     * vector of strings. UINT32_MAX when not written.
     */
    uint32_t max;
    uint32_t max_text;
};

/* A struct or a table. */
struct schema_record {
    struct schema_declaration declaration;
    bool is_struct;
    struct schema_field *const *fields; /* declaration order, hidden union tags included */
    size_t field_count;
    struct schema_field *const *by_id; /* tables: by_id[i]->id == i; same count. structs: fields */
    const struct schema_field *key;    /* the field with the attribute key, or NULL */
    uint32_t size;        /* structs: with padding at the end. tables: 0, layout is the writer's */
    uint32_t align;       /* structs: alignment. tables: the largest inline alignment, >= 4 */
    uint32_t force_align; /* structs: as written, or 0 */
    uint32_t align_max;   /* largest alignment in any buffer that has this record as its root */
    bool original_order;  /* tables: attribute of the same name */
    bool is_recursive;    /* a value of it can contain another value of it */
    uint32_t order_index; /* its index in schema.order */
    uint64_t hash;        /* type hash; hash.h says what it covers */
};

/* rpc_service: names only, nothing is generated from it by default. */
struct schema_method {
    const char *name;
    const struct schema_record *request;
    const struct schema_record *response;
    struct schema_place place;
    struct schema_docs docs;
    struct schema_attributes attributes;
};

struct schema_service {
    struct schema_declaration declaration;
    const struct schema_method *methods;
    size_t method_count;
};

/* All of it. Arrays hold the declarations of every file: filter by declaration.file. */
struct schema {
    struct schema_arena *arena; /* private */

    const struct schema_file *const *files; /* files[0] is the one asked for; then as first met */
    size_t file_count;

    /* declaration order, an included file's before those of the file that includes it */
    const struct schema_declaration *const *declarations;
    size_t declaration_count;
    const struct schema_enum *const *enums; /* enums and unions of the above */
    size_t enum_count;
    const struct schema_service *const *services;
    size_t service_count;

    /*
     * Structs and tables so that each comes after every record that it contains or refers to
     * (through vectors and unions too), but for members of one cycle, which are neighbours and
     * have is_recursive set: forward declarations suffice for those. A struct is never in one.
     * Enums and unions refer to nothing that C needs first: emit them before.
     */
    const struct schema_record *const *order;
    size_t record_count;

    const struct schema_record *root; /* root_type of files[0], or NULL */
    char file_identifier[5];          /* 4 characters of files[0], or "" */
    const char *file_extension;       /* of files[0], or "" */
    uint64_t hash;                    /* of the root's type; without a root, of all records */
};

/* Free the schema and everything reached from it. NULL is allowed. */
void schema_destroy(struct schema *schema);

/* Bytes of one inline value of @kind: 1 to 8 for scalars, 4 for offsets, 0 for NONE and records. */
uint32_t schema_kind_size(enum schema_kind kind);

/* The name of @kind as schemas spell it: "ubyte", "string". Static. */
const char *schema_kind_name(enum schema_kind kind);

static inline bool schema_kind_is_scalar(enum schema_kind kind)
{
    return kind >= SCHEMA_BOOL && kind <= SCHEMA_F64;
}

static inline bool schema_kind_is_integer(enum schema_kind kind)
{
    return kind >= SCHEMA_I8 && kind <= SCHEMA_U64;
}

static inline bool schema_kind_is_float(enum schema_kind kind)
{
    return kind == SCHEMA_F32 || kind == SCHEMA_F64;
}

static inline bool schema_kind_is_signed(enum schema_kind kind)
{
    return kind == SCHEMA_I8 || kind == SCHEMA_I16 || kind == SCHEMA_I32 || kind == SCHEMA_I64;
}

/* Default of an F32 or F64 field. */
double schema_default_double(const struct schema_field *field);

/* The attribute called @name, or NULL. */
const struct schema_attribute *schema_attribute_find(
    const struct schema_attributes *attributes, const char *name);

/* The value of @enumeration whose bits are @bits, or NULL. */
const struct schema_enum_value *schema_enum_find(
    const struct schema_enum *enumeration, uint64_t bits);

#ifdef __cplusplus
}
#endif

#endif
