/* SPDX-License-Identifier: Apache-2.0 */

/*
 * String literals: the escapes of JSON, and \xNN for a byte.
 */

#include "lexer.h"

#include "files.h"

#include <string.h>

struct decoder {
    const char *at;      /* in the literal */
    char *out;           /* where the next byte goes; decoding never lengthens */
    uint32_t high;       /* first half of a surrogate pair, or 0 */
    const char *high_at; /* where that was written */
};

static bool hex_digit(char c, uint32_t *digit)
{
    if (c >= '0' && c <= '9')
        *digit = (uint32_t)(c - '0');
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        *digit = (uint32_t)((c | 0x20) - 'a') + 10;
    else
        return false;
    return true;
}

static bool hex_number(const char *at, size_t count, uint32_t *value)
{
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t digit;

        if (!hex_digit(at[i], &digit))
            return false;
        *value = *value * 16 + digit;
    }
    return true;
}

static void put_utf8(char **out, uint32_t code)
{
    if (code < 0x80) {
        *(*out)++ = (char)code;
        return;
    }
    if (code < 0x800) {
        *(*out)++ = (char)(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        *(*out)++ = (char)(0xe0 | code >> 12);
        *(*out)++ = (char)(0x80 | (code >> 6 & 0x3f));
    } else {
        *(*out)++ = (char)(0xf0 | code >> 18);
        *(*out)++ = (char)(0x80 | (code >> 12 & 0x3f));
        *(*out)++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *(*out)++ = (char)(0x80 | (code & 0x3f));
}

/* \uXXXX at decoder->at + 2. Returns NULL, or what is wrong. */
static const char *decode_unicode(struct decoder *decoder)
{
    uint32_t code;

    if (!hex_number(decoder->at + 2, 4, &code))
        return "\\u needs four hexadecimal digits";
    if (code == 0)
        return "a zero byte is not allowed in a string";
    if (code >= 0xdc00 && code <= 0xdfff) {
        if (decoder->high == 0)
            return "second half of a surrogate pair without the first";
        code = 0x10000 + ((decoder->high - 0xd800) << 10) + (code - 0xdc00);
        decoder->high = 0;
    } else if (decoder->high != 0) {
        return "first half of a surrogate pair without the second";
    } else if (code >= 0xd800 && code <= 0xdbff) {
        decoder->high = code;
        decoder->high_at = decoder->at;
        decoder->at += 6;
        return NULL;
    }
    put_utf8(&decoder->out, code);
    decoder->at += 6;
    return NULL;
}

static const char *decode_escape(struct decoder *decoder)
{
    static const char letters[] = "nrtbf\"'\\/";
    static const char values[] = "\n\r\t\b\f\"'\\/";
    const char *letter;
    uint32_t byte;

    if (decoder->at[1] == 'u')
        return decode_unicode(decoder);
    if (decoder->at[1] == 'x') {
        if (!hex_number(decoder->at + 2, 2, &byte))
            return "\\x needs two hexadecimal digits";
        if (byte == 0)
            return "a zero byte is not allowed in a string";
        *decoder->out++ = (char)byte;
        decoder->at += 4;
        return NULL;
    }
    letter = decoder->at[1] == '\0' ? NULL : strchr(letters, decoder->at[1]);
    if (letter == NULL)
        return "unknown escape in a string";
    *decoder->out++ = values[letter - letters];
    decoder->at += 2;
    return NULL;
}

/* Returns NULL with decoder->at at the closing quote, or what is wrong at decoder->at. */
static const char *decode(struct decoder *decoder, char quote)
{
    while (*decoder->at != quote) {
        const char *wrong = NULL;
        bool in_pair = decoder->high != 0;

        if (*decoder->at == '\\')
            wrong = decode_escape(decoder);
        else
            *decoder->out++ = *decoder->at++;
        if (wrong == NULL && in_pair && decoder->high != 0)
            wrong = "first half of a surrogate pair without the second";
        if (wrong != NULL)
            return wrong;
    }
    if (decoder->high != 0)
        return "first half of a surrogate pair without the second";
    return NULL;
}

/* Bytes from the quote at @at to the one that closes it, or 0 when the line ends before. */
static size_t literal_bytes(const char *at)
{
    size_t bytes = 1;

    while (at[bytes] != at[0]) {
        if (at[bytes] == '\\' && at[bytes + 1] != '\0' && at[bytes + 1] != '\n')
            bytes++;
        if (at[bytes] == '\0' || at[bytes] == '\n')
            return 0;
        bytes++;
    }
    return bytes + 1;
}

struct token lexer_string(struct lexer *lexer)
{
    size_t bytes = literal_bytes(lexer->at);
    struct schema_place place = lexer_place(lexer, lexer->at, bytes);
    struct token token = {.kind = TOKEN_STRING, .place = place, .text = lexer->at};
    struct decoder decoder = {.at = lexer->at + 1};
    char *decoded;
    const char *wrong;

    if (bytes == 0)
        return lexer_wrong(lexer, &place, "this string has no end on its line");
    if (bytes > SCHEMA_STRING_BYTES_MAX)
        return lexer_wrong(lexer, &place, "string of %zu bytes; at most %u are allowed", bytes,
            SCHEMA_STRING_BYTES_MAX);
    decoded = arena_alloc(lexer->arena, bytes);
    decoder.out = decoded;
    wrong = decode(&decoder, *lexer->at);
    if (wrong != NULL) {
        place = lexer_place(lexer, decoder.high != 0 ? decoder.high_at : decoder.at, 2);
        return lexer_wrong(lexer, &place, "%s", wrong);
    }
    token.string = decoded;
    token.string_bytes = (size_t)(decoder.out - decoded);
    if (utf8_valid_bytes(decoded, token.string_bytes) != token.string_bytes)
        return lexer_wrong(lexer, &place, "the escapes of this string do not make UTF-8");
    lexer->at += bytes;
    return token;
}
