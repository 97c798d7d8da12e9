/* SPDX-License-Identifier: Apache-2.0 */
#include "plain.h"

#include <stddef.h>

/* How many bytes the character at @at has in UTF-8, or 0: it is none. */
static size_t length_of(const unsigned char *at)
{
    static const struct {
        unsigned char first_min, first_max, second_min, second_max;
        size_t bytes;
    } forms[] = {
        {0x01, 0x7f, 0x00, 0xff, 1},
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t bytes = forms[i].bytes;

        if (at[0] < forms[i].first_min || at[0] > forms[i].first_max)
            continue;
        if (bytes > 1 && (at[1] < forms[i].second_min || at[1] > forms[i].second_max))
            return 0;
        for (size_t k = 2; k < bytes; k++)
            if ((at[k] & 0xc0) != 0x80)
                return 0;
        return bytes;
    }
    return 0;
}

/* Of a character of @bytes: its number if it is a control character, or -1. */
static int control_of(const unsigned char *at, size_t bytes)
{
    if (bytes == 1 && (at[0] < ' ' || at[0] == 0x7f))
        return at[0];
    return bytes == 2 && at[0] == 0xc2 && at[1] < 0xa0 ? at[1] : -1;
}

void plain_print(FILE *file, const char *text, int has_lines)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0') {
        size_t bytes = length_of(at);
        int is_line = has_lines && *at == '\n';

        if (bytes != 0 && (is_line || control_of(at, bytes) < 0))
            (void)fwrite(at, 1, bytes, file);
        else
            for (size_t i = 0; i == 0 || i < bytes; i++)
                (void)fprintf(file, "\\x%02x", at[i]);
        at += bytes != 0 ? bytes : 1;
    }
}

void plain_print_json(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    (void)putchar('"');
    while (*at != '\0') {
        size_t bytes = length_of(at);
        int control = control_of(at, bytes);

        if (bytes == 0)
            (void)fputs("\\ufffd", stdout);
        else if (control >= 0)
            (void)printf("\\u%04x", (unsigned)control);
        else if (*at == '"' || *at == '\\')
            (void)printf("\\%c", *at);
        else
            (void)fwrite(at, 1, bytes, stdout);
        at += bytes != 0 ? bytes : 1;
    }
    (void)putchar('"');
}
