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

void name_archive(char name[NAME_BYTES], uint64_t index)
{
    (void)add_hex(add_text(name, "archive-"), index);
}

void name_snapshot(char name[NAME_BYTES], uint64_t journal, uint64_t next_sequence)
{
    char *at = add_hex(add_text(name, "snapshot-"), journal);

    (void)add_hex(add_text(at, "-"), next_sequence);
}

/* Returns what is behind @text in @name, or NULL: it begins otherwise, or is NULL. */
static const char *take_text(const char *name, const char *text)
{
    size_t count = strlen(text);

    return name != NULL && strncmp(name, text, count) == 0 ? name + count : NULL;
}

/* Likewise, behind DIGITS digits. */
static const char *take_hex(const char *name, uint64_t *value)
{
    static const char digits[] = "0123456789abcdef";

    if (name == NULL || strlen(name) < DIGITS)
        return NULL;
    *value = 0;
    for (int i = 0; i < DIGITS; i++) {
        const char *digit = strchr(digits, name[i]);

        if (digit == NULL)
            return NULL;
        *value = *value << 4 | (uint64_t)(digit - digits);
    }
    return name + DIGITS;
}

int name_is_segment(const char *name, uint64_t *index)
{
    const char *rest = take_hex(take_text(name, "segment-"), index);

    return rest != NULL && *rest == 0;
}

int name_is_snapshot(const char *name, uint64_t *journal, uint64_t *next_sequence)
{
    const char *rest = take_hex(take_text(name, "snapshot-"), journal);

    rest = take_hex(take_text(rest, "-"), next_sequence);
    return rest != NULL && *rest == 0;
}
