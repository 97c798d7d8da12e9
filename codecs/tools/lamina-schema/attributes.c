/* SPDX-License-Identifier: Apache-2.0 */

/*
 * attributes.c: which attributes there are, and where they may stand; applies those of types.
 */

#include "attributes.h"

#include <errno.h>
#include <string.h>

struct known_attribute {
    const char *name;
    unsigned places;     /* where it means something */
    attribute_fn *apply; /* fields only */
};

/*
 * Those of FlatBuffers, then ours. Those that only other languages' generators read may stand
 * anywhere.
 */
static const struct known_attribute known[] = {
    {"deprecated", ON_TABLE_FIELD, apply_deprecated},
    {"required", ON_TABLE_FIELD, apply_required},
    {"key", ON_TABLE_FIELD | ON_STRUCT_FIELD, apply_key},
    {"shared", ON_TABLE_FIELD, apply_shared},
    {"hash", ON_TABLE_FIELD | ON_STRUCT_FIELD, apply_hash},
    {"id", ON_TABLE_FIELD, NULL}, /* ids.c */
    {"force_align", ON_STRUCT | ON_TABLE_FIELD, apply_force_align},
    {"bit_flags", ON_ENUM, NULL}, /* enums.c */
    {"original_order", ON_TABLE, NULL},
    {"nested_flatbuffer", ON_TABLE_FIELD, apply_nested_flatbuffer},
    {"flexbuffer", ON_TABLE_FIELD, apply_flexbuffer},
    {"max", ON_TABLE_FIELD, apply_max},
    {"max_text", ON_TABLE_FIELD, apply_max_text},
    {"streaming", ON_ANYTHING, NULL},
    {"idempotent", ON_ANYTHING, NULL},
    {"private", ON_ANYTHING, NULL},
    {"csharp_partial", ON_ANYTHING, NULL},
    {"cpp_type", ON_ANYTHING, NULL},
    {"cpp_ptr_type", ON_ANYTHING, NULL},
    {"cpp_ptr_type_get", ON_ANYTHING, NULL},
    {"cpp_str_type", ON_ANYTHING, NULL},
    {"cpp_str_flex_ctor", ON_ANYTHING, NULL},
    {"native_inline", ON_ANYTHING, NULL},
    {"native_custom_alloc", ON_ANYTHING, NULL},
    {"native_type", ON_ANYTHING, NULL},
    {"native_type_pack_name", ON_ANYTHING, NULL},
    {"native_default", ON_ANYTHING, NULL},
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

const struct schema_attribute *schema_attribute_find(
    const struct schema_attributes *attributes, const char *name)
{
    for (size_t i = 0; i < attributes->count; i++)
        if (strcmp(attributes->items[i].name, name) == 0)
            return &attributes->items[i];
    return NULL;
}

static const struct known_attribute *find_known(const char *name)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

static int unknown(struct front *front, const struct schema_attribute *attribute)
{
    const char *names[KNOWN_COUNT];
    const char *nearest;

    for (size_t i = 0; i < KNOWN_COUNT; i++)
        names[i] = known[i].name;
    nearest = names_nearest(attribute->name, names, KNOWN_COUNT);
    if (nearest != NULL)
        return schema_error_at(front->diagnostics, &attribute->place,
            "unknown attribute \"%s\"; did you mean \"%s\"?", attribute->name, nearest);
    return schema_error_at(front->diagnostics, &attribute->place,
        "unknown attribute \"%s\"; one of your own needs a line 'attribute \"%s\";'",
        attribute->name, attribute->name);
}

static const char *place_name(unsigned place)
{
    switch (place) {
    case ON_TABLE:
        return "a table";
    case ON_STRUCT:
        return "a struct";
    case ON_ENUM:
        return "an enum";
    case ON_TABLE_FIELD:
        return "a table's field";
    case ON_STRUCT_FIELD:
        return "a struct's field";
    default:
        return "this";
    }
}

/* @field is NULL unless @place is that of a field. */
static int check(struct front *front, const struct schema_attributes *attributes, unsigned place,
    struct schema_field *field)
{
    int result = 0;

    for (size_t i = 0; i < attributes->count && !front_gave_up(front); i++) {
        const struct schema_attribute *attribute = &attributes->items[i];
        const struct known_attribute *found = find_known(attribute->name);
        int one = 0;

        if (name_map_find(&front->attributes, attribute->name, strlen(attribute->name)) == NULL &&
            found == NULL)
            one = unknown(front, attribute);
        else if (found != NULL && (found->places & place) == 0)
            one = schema_error_at(front->diagnostics, &attribute->place,
                "attribute \"%s\" means nothing on %s", attribute->name, place_name(place));
        else if (found != NULL && field != NULL && found->apply != NULL)
            one = found->apply(front, field, attribute);
        result = one != 0 ? one : result;
    }
    return result;
}

static int apply_to_record(struct front *front, struct draft_record *draft)
{
    struct schema_record *record = &draft->record;
    const struct schema_attributes *attributes = &record->declaration.attributes;
    int result = check(front, attributes, record->is_struct ? ON_STRUCT : ON_TABLE, NULL);

    record->original_order = schema_attribute_find(attributes, "original_order") != NULL;
    for (size_t i = 0; i < draft->fields.count && !front_gave_up(front); i++) {
        struct draft_field *field = draft->fields.items[i];

        if (check(front, &field->field.attributes,
                record->is_struct ? ON_STRUCT_FIELD : ON_TABLE_FIELD, &field->field) != 0)
            result = -EINVAL;
        if (!field->field.key)
            continue;
        if (record->key != NULL) {
            result = schema_error_at(front->diagnostics,
                &schema_attribute_find(&field->field.attributes, "key")->place,
                "\"%s\" has a key already", record->declaration.name);
            schema_note_at(front->diagnostics, &record->key->place, "it is this field");
        } else {
            record->key = &field->field;
        }
    }
    return result;
}

static int apply_to_enum(struct front *front, const struct draft_enum *draft)
{
    int result = check(front, &draft->enumeration.declaration.attributes,
        draft->enumeration.is_union ? ON_UNION : ON_ENUM, NULL);

    for (size_t i = 0; i < draft->values.count && !front_gave_up(front); i++) {
        const struct draft_enum_value *value = draft->values.items[i];

        if (check(front, &value->value.attributes, ON_VALUE, NULL) != 0)
            result = -EINVAL;
    }
    return result;
}

int attributes_apply(struct front *front)
{
    int result = 0;

    for (size_t i = 0; i < front->records.count && !front_gave_up(front); i++)
        if (apply_to_record(front, front->records.items[i]) != 0)
            result = -EINVAL;
    for (size_t i = 0; i < front->enums.count && !front_gave_up(front); i++)
        if (apply_to_enum(front, front->enums.items[i]) != 0)
            result = -EINVAL;
    for (size_t i = 0; i < front->services.count && !front_gave_up(front); i++) {
        const struct draft_service *service = front->services.items[i];

        if (check(front, &service->service.declaration.attributes, ON_SERVICE, NULL) != 0)
            result = -EINVAL;
        for (size_t j = 0; j < service->service.method_count; j++)
            if (check(front, &service->service.methods[j].attributes, ON_METHOD, NULL) != 0)
                result = -EINVAL;
    }
    return result;
}
