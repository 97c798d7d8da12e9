/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include <string.h>

#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t hash_word(uint64_t hash, uint64_t word)
{
    for (unsigned i = 0; i < 8; i++)
        hash = (hash ^ (word >> (8 * i) & 0xff)) * FNV_PRIME; /* the same on any machine */
    return hash;
}

uint64_t hash_text(uint64_t hash, const char *text)
{
    hash = hash_word(hash, strlen(text));
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
    return hash;
}

static uint64_t hash_type(uint64_t hash, const struct schema_type *type)
{
    hash = hash_word(hash, type->kind);
    hash = hash_word(hash, type->element);
    hash = hash_word(hash, type->array_count);
    if (type->enumeration != NULL)
        hash = hash_word(hash, type->enumeration->hash);
    if (type->record != NULL)
        hash = hash_text(hash, type->record->declaration.full_name);
    return hash;
}

uint64_t hash_enum(const struct schema_enum *enumeration)
{
    uint64_t hash = hash_text(HASH_START, enumeration->declaration.full_name);
    uint64_t sum = 0;

    hash = hash_word(hash, enumeration->declaration.kind);
    hash = hash_word(hash, enumeration->underlying);
    hash = hash_word(hash, enumeration->bit_flags);
    for (size_t i = 0; i < enumeration->value_count; i++) {
        const struct schema_enum_value *value = &enumeration->values[i];
        uint64_t one = hash_text(HASH_START, value->name);

        one = hash_word(one, value->bits);
        sum += hash_type(one, &value->type); /* a sum: their order means nothing */
    }
    return hash_word(hash, sum);
}

static uint64_t hash_field(uint64_t hash, const struct schema_field *field)
{
    hash = hash_text(hash, field->name);
    hash = hash_type(hash, &field->type);
    hash = hash_word(hash, field->offset);
    hash = hash_word(hash, field->id);
    hash = hash_word(hash, field->default_bits);
    hash = hash_word(hash, (field->required ? 1u : 0u) | (field->optional ? 2u : 0u) |
                               (field->key ? 4u : 0u) | (field->is_union_tag ? 8u : 0u));
    hash = hash_word(hash, field->force_align);
    hash = hash_text(hash, field->default_string == NULL ? "" : field->default_string);
    if (field->nested_flatbuffer != NULL)
        hash = hash_text(hash, field->nested_flatbuffer->declaration.full_name);
    return hash;
}

uint64_t hash_record(const struct schema_record *record)
{
    uint64_t hash = hash_text(HASH_START, record->declaration.full_name);

    hash = hash_word(hash, record->declaration.kind);
    hash = hash_word(hash, record->size);
    hash = hash_word(hash, record->is_struct ? record->align : 0);
    for (size_t i = 0; i < record->field_count; i++)
        hash = hash_field(hash, record->by_id[i]);
    return hash;
}
