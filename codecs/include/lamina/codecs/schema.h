/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_SCHEMA_H
#define LAM_CODECS_SCHEMA_H

/*
 * lamina/codecs/schema.h: types as constant data, which verify, pack, unpack and describe walk.
 *
 * Codecs, floor 1. lamina-schema writes these tables into each generated header; lam_schema_parse()
 * makes them from the text that a channel carries. Nobody writes them by hand.
 *
 * The text is the type in words, one fact a line, the root first, then all that it reaches, nearest
 * first. Its first line names the codec and the hash of the type, 16 hexadecimal digits.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum lam_kind {
    LAM_KIND_BOOL = 1,
    LAM_KIND_I8,
    LAM_KIND_U8,
    LAM_KIND_I16,
    LAM_KIND_U16,
    LAM_KIND_I32,
    LAM_KIND_U32,
    LAM_KIND_I64,
    LAM_KIND_U64,
    LAM_KIND_F32,
    LAM_KIND_F64,
    LAM_KIND_STRING,
    LAM_KIND_STRUCT, /* fixed layout, inline */
    LAM_KIND_TABLE,
    LAM_KIND_UNION /* by offset; the field before it is its tag */
};

/* How a field differs from one plain value of its kind. */
enum lam_field_flag {
    LAM_FIELD_VECTOR = 1,     /* a vector of its kind */
    LAM_FIELD_REQUIRED = 2,   /* a value without it is refused */
    LAM_FIELD_DEPRECATED = 4, /* keeps its slot; neither read nor written */
    LAM_FIELD_OPTIONAL = 8,   /* a scalar without default: absent is a state of its own */
    LAM_FIELD_TAG = 16 /* says which member of the union in the next field is there; 0 none */
};

enum lam_form {
    LAM_FORM_TABLE = 1,
    LAM_FORM_STRUCT,
    LAM_FORM_ENUM,
    LAM_FORM_FLAGS, /* an enum whose values are bits that combine */
    LAM_FORM_UNION  /* its fields are its members, the slot of each is its tag */
};

#define LAM_TYPE_NONE UINT16_MAX

/* One field of a table, or one member of a struct. */
struct lam_field {
    const char *name;
    uint8_t kind;         /* enum lam_kind; of the element for vectors and arrays */
    uint8_t flags;        /* enum lam_field_flag */
    uint16_t type;        /* index of its struct, table or enum, or LAM_TYPE_NONE */
    uint16_t slot;        /* tables: byte in the vtable, 4, 6, 8... */
    uint32_t place;       /* byte in the inline part of the table, or in the struct */
    uint32_t value_place; /* tables: byte in the plain struct */
    uint32_t length; /* structs: elements of a fixed array; vectors: alignment asked for; or 0 */
    uint64_t preset; /* tables: default of a scalar, its bits, sign- or zero-extended */
};

struct lam_enum_value {
    const char *name;
    uint64_t value; /* sign-extended */
};

struct lam_type {
    const char *name; /* full: "lamina.inference.Step" */
    uint8_t form;     /* enum lam_form */
    uint8_t kind;     /* enums: the integer below */
    uint16_t align;   /* of the struct, or of the inline part of the table */
    uint32_t inline_bytes;
    uint32_t vtable_bytes;
    uint32_t value_bytes; /* tables: size of the plain struct, 0 where there is none */
    uint16_t field_count; /* or number of enum values */
    uint16_t required_count;
    const struct lam_field *fields; /* tables: in the order of their slots */
    const struct lam_enum_value *values;
};

/* What a codec's @type points to, for the two generated codecs. */
struct lam_root {
    const struct lam_type *types;
    uint16_t type_count;
    uint16_t root;          /* index of the root table */
    uint16_t align;         /* of the whole message: the largest of anything in it */
    const char *identifier; /* four characters, or NULL: then none is looked for */
};

/*
 * 64 bits of the @bytes of @text. Never 0. Wait-free.
 */
uint64_t lam_schema_hash(const char *text, size_t bytes);

/*
 * Set the plain struct @value of @type to what an empty table means: each scalar its default, all
 * else absent. Wait-free.
 */
void lam_type_init(const struct lam_type *type, void *value);

/*
 * Bytes that one value of @kind takes inline: 1 to 8 for scalars, 4 for what is elsewhere (an
 * offset), 0 for structs, whose type says.
 */
static inline uint32_t lam_kind_bytes(unsigned kind)
{
    static const uint8_t bytes[LAM_KIND_UNION + 1] = {
        0, 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 4, 0, 4, 4};

    return kind <= LAM_KIND_UNION ? bytes[kind] : 0;
}

#ifdef __cplusplus
}
#endif

#endif
