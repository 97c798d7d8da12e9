/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_ATTRIBUTES_H
#define LAM_SCHEMA_ATTRIBUTES_H

/*
 * attributes.h: what each attribute of a field does to it (attributes_field.c). Each returns 0, or
 * -EINVAL when it may not stand on this field or has a wrong value, with a message.
 */

#include "front.h"

enum attribute_place {
    ON_TABLE = 1,
    ON_STRUCT = 2,
    ON_ENUM = 4,
    ON_UNION = 8,
    ON_TABLE_FIELD = 16,
    ON_STRUCT_FIELD = 32,
    ON_VALUE = 64,
    ON_SERVICE = 128,
    ON_METHOD = 256,
    ON_ANYTHING = 511
};

typedef int attribute_fn(
    struct front *front, struct schema_field *field, const struct schema_attribute *attribute);

attribute_fn apply_deprecated;
attribute_fn apply_required;
attribute_fn apply_key;
attribute_fn apply_shared;
attribute_fn apply_hash;
attribute_fn apply_force_align;
attribute_fn apply_nested_flatbuffer;
attribute_fn apply_flexbuffer;
attribute_fn apply_max;
attribute_fn apply_max_text;

#endif
