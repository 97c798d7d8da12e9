/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

/* Length of the character that begins with @first; 0 when none does. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc0 || first >= 0xf8)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Bytes of the UTF-8 character at @text, of @bytes left; 0 when it is none. */
static size_t character_bytes(const unsigned char *text, size_t bytes)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = length_of(text[0]);
    uint32_t code;

    if (text[0] == 0 || length == 0 || length > bytes)
        return 0;
    if (length == 1)
        return 1;
    code = text[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0u) != 0x80u)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return length;
}

size_t utf8_valid_bytes(const char *text, size_t bytes)
{
    size_t at = 0;

    while (at < bytes) {
        size_t length = character_bytes((const unsigned char *)text + at, bytes - at);

        if (length == 0)
            break;
        at += length;
    }
    return at;
}
