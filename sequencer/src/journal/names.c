/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/names.h"

#include <string.h>

#define DIGITS 16

static char *add_text(char *at, const char *text)
{
    size_t count = strlen(text);

    memcpy(at, text, count);
    at[count] = 0;
    return at + count;
}

static char *add_hex(char *at, uint64_t value)
{
    for (int i = DIGITS - 1; i >= 0; i--)
        *at++ = "0123456789abcdef"[value >> (4 * i) & 15];
    *at = 0;
    return at;
}

void name_segment(char name[NAME_BYTES], uint64_t index)
{
    (void)add_hex(add_text(name, "segment-"), index);
}

void name_aside(char name[NAME_BYTES], uint64_t index, uint64_t offset, unsigned turn)
{
    char *at = add_hex(add_text(name, "aside-"), index);

    at = add_hex(add_text(at, "-"), offset);
    at = add_text(at, "-");
    at[0] = (char)('0' + turn / 10 % 10);
    at[1] = (char)('0' + turn % 10);
    at[2] = 0;
}

int name_is_segment(const char *name, uint64_t *index)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;

    if (strncmp(name, "segment-", 8) != 0 || strlen(name) != 8 + DIGITS)
        return 0;
    for (int i = 0; i < DIGITS; i++) {
        const char *digit = strchr(digits, name[8 + i]);

        if (digit == NULL)
            return 0;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    *index = value;
    return 1;
}
