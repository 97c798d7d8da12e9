/* SPDX-License-Identifier: Apache-2.0 */
#include "ir.h"

#include "arena.h"

uint32_t schema_kind_size(enum schema_kind kind)
{
    static const unsigned char sizes[] = {
        [SCHEMA_BOOL] = 1,
        [SCHEMA_I8] = 1,
        [SCHEMA_U8] = 1,
        [SCHEMA_I16] = 2,
        [SCHEMA_U16] = 2,
        [SCHEMA_I32] = 4,
        [SCHEMA_U32] = 4,
        [SCHEMA_I64] = 8,
        [SCHEMA_U64] = 8,
        [SCHEMA_F32] = 4,
        [SCHEMA_F64] = 8,
        [SCHEMA_STRING] = 4,
        [SCHEMA_TABLE] = 4,
        [SCHEMA_UNION] = 4,
        [SCHEMA_VECTOR] = 4,
        [SCHEMA_ARRAY] = 0,
    };

    return sizes[kind];
}

const struct schema_enum_value *schema_enum_find(
    const struct schema_enum *enumeration, uint64_t bits)
{
    for (size_t i = 0; i < enumeration->value_count; i++)
        if (enumeration->values[i].bits == bits)
            return &enumeration->values[i];
    return NULL;
}

void schema_destroy(struct schema *schema)
{
    if (schema != NULL)
        arena_destroy(schema->arena); /* the schema itself is in it */
}
