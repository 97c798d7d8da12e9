/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/codecs/schema.h"

#include "value.h"

/*
 * FNV-1a, 64 bits, with a final mix: texts of types are short and hashed once. It guards against
 * mistakes, not against someone who looks for two texts of one hash.
 */
uint64_t lam_schema_hash(const char *text, size_t bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    return hash != 0 ? hash : 1;
}

void lam_type_init(const struct lam_type *type, void *value)
{
    memset(value, 0, type->value_bytes);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct lam_field *field = &type->fields[i];

        if (lam_field_is_scalar(field) && !lam_field_is_skipped(field) && field->preset != 0)
            memcpy((char *)value + field->value_place, &field->preset, lam_kind_bytes(field->kind));
    }
}
