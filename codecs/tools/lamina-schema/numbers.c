/* SPDX-License-Identifier: Apache-2.0 */

/*
 * numbers.c: integers as written, and what fits into which type.
 */

#include "front.h"

#include "lamina/base/assert.h"

#include <stdlib.h>

struct range {
    enum schema_kind kind;
    uint64_t below; /* largest magnitude of a negative number */
    uint64_t above; /* largest positive number */
    const char *text;
};

static const struct range ranges[] = {
    {SCHEMA_I8, 128, 127, "-128 to 127"},
    {SCHEMA_U8, 0, UINT8_MAX, "0 to 255"},
    {SCHEMA_I16, 32768, 32767, "-32768 to 32767"},
    {SCHEMA_U16, 0, UINT16_MAX, "0 to 65535"},
    {SCHEMA_I32, UINT64_C(1) << 31, INT32_MAX, "-2147483648 to 2147483647"},
    {SCHEMA_U32, 0, UINT32_MAX, "0 to 4294967295"},
    {SCHEMA_I64, UINT64_C(1) << 63, INT64_MAX, "-9223372036854775808 to 9223372036854775807"},
    {SCHEMA_U64, 0, UINT64_MAX, "0 to 18446744073709551615"},
};

static const struct range *range_of(enum schema_kind kind)
{
    LAM_ASSERT(schema_kind_is_integer(kind));
    return &ranges[kind - SCHEMA_I8];
}

const char *number_range(enum schema_kind kind)
{
    return range_of(kind)->text;
}

/* Of a digit that the lexer has let pass, decimal or hexadecimal. */
static uint64_t digit_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (uint64_t)(digit - '0');
    return (uint64_t)((digit | 0x20) - 'a') + 10;
}

static bool magnitude_of(const char *text, uint64_t *magnitude)
{
    uint64_t base = 10;

    *magnitude = 0;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    for (; *text != '\0'; text++) {
        uint64_t digit = digit_of(*text);

        if (__builtin_mul_overflow(*magnitude, base, magnitude) ||
            __builtin_add_overflow(*magnitude, digit, magnitude))
            return false;
    }
    return true;
}

bool number_integer(const struct draft_value *value, enum schema_kind kind, uint64_t *bits)
{
    const struct range *range = range_of(kind);
    uint64_t magnitude;

    LAM_ASSERT(value->form == DRAFT_INTEGER);
    if (!magnitude_of(value->text, &magnitude))
        return false;
    if (magnitude > (value->negative ? range->below : range->above))
        return false;
    *bits = value->negative ? 0 - magnitude : magnitude;
    return true;
}
