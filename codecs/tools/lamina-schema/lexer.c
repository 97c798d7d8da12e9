/* SPDX-License-Identifier: Apache-2.0 */
#include "lexer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void lexer_init(struct lexer *lexer, struct schema_arena *arena,
    struct schema_diagnostics *diagnostics, const struct schema_file *file)
{
    *lexer = (struct lexer){arena, diagnostics, file, file->text, file->text, 1};
    if (strncmp(lexer->at, "\xef\xbb\xbf", 3) == 0)
        lexer->at += 3; /* a byte order mark; columns of line 1 count it */
}

struct schema_place lexer_place(const struct lexer *lexer, const char *at, size_t bytes)
{
    return (struct schema_place){.file = lexer->file,
        .line = lexer->line,
        .column = (uint32_t)(at - lexer->line_begin) + 1,
        .length = bytes == 0 ? 1 : (uint32_t)bytes};
}

struct token lexer_wrong(
    struct lexer *lexer, const struct schema_place *place, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(text, sizeof(text), format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    (void)schema_error_at(lexer->diagnostics, place, "%s", text);
    lexer->at = lexer->file->text + lexer->file->text_bytes;
    return (struct token){.kind = TOKEN_WRONG, .place = *place, .text = lexer->at};
}

static void new_line(struct lexer *lexer)
{
    lexer->line++;
    lexer->line_begin = lexer->at;
}

/* Returns whether the block comment at lexer->at has an end; steps behind it if so. */
static bool skip_block_comment(struct lexer *lexer)
{
    const char *end = strstr(lexer->at + 2, "*/");

    if (end == NULL)
        return false;
    while (lexer->at < end + 2)
        if (*lexer->at++ == '\n')
            new_line(lexer);
    return true;
}

/* A line comment; adds the text of a /// one to @docs. A line of four or more slashes is a rule. */
static void skip_line_comment(struct lexer *lexer, struct list *docs)
{
    size_t bytes = strcspn(lexer->at, "\n");

    if (bytes >= 3 && lexer->at[2] == '/' && lexer->at[3] != '/') {
        const char *text = lexer->at + 3;
        size_t length = bytes - 3;

        if (length > 0 && text[length - 1] == '\r')
            length--;
        if (length > 0 && *text == ' ') {
            text++;
            length--;
        }
        list_add(lexer->arena, docs, arena_copy(lexer->arena, text, length));
    }
    lexer->at += bytes;
}

/* Blanks and comments. Returns false at a comment without end. */
static bool skip_blank(struct lexer *lexer, struct list *docs)
{
    for (;;) {
        if (*lexer->at == '\n') {
            lexer->at++;
            new_line(lexer);
        } else if (*lexer->at == ' ' || *lexer->at == '\t' || *lexer->at == '\r') {
            lexer->at++;
        } else if (lexer->at[0] == '/' && lexer->at[1] == '/') {
            skip_line_comment(lexer, docs);
        } else if (lexer->at[0] == '/' && lexer->at[1] == '*') {
            docs->count = 0;
            if (!skip_block_comment(lexer))
                return false;
        } else {
            return true;
        }
    }
}

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool is_name_part(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static struct token take(struct lexer *lexer, int kind, size_t bytes)
{
    struct token token = {
        .kind = kind, .place = lexer_place(lexer, lexer->at, bytes), .text = lexer->at};

    lexer->at += bytes;
    return token;
}

static struct token next_name(struct lexer *lexer)
{
    size_t bytes = 0;
    struct schema_place place;

    while (is_name_part(lexer->at[bytes]))
        bytes++;
    if (bytes <= SCHEMA_NAME_BYTES_MAX)
        return take(lexer, TOKEN_NAME, bytes);
    place = lexer_place(lexer, lexer->at, bytes);
    return lexer_wrong(
        lexer, &place, "name of %zu bytes; at most %u are allowed", bytes, SCHEMA_NAME_BYTES_MAX);
}

static size_t digits(const char *at, bool hex)
{
    size_t bytes = 0;

    while (hex ? isxdigit((unsigned char)at[bytes]) : isdigit((unsigned char)at[bytes]))
        bytes++;
    return bytes;
}

/* Length of the number at @at, or 0 when it is malformed; sets *@is_float. */
static size_t number_bytes(const char *at, bool *is_float)
{
    bool hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
    size_t bytes = hex ? 2 : 0;
    size_t whole = digits(at + bytes, hex);
    size_t part = 0;
    char exponent = hex ? 'p' : 'e';

    bytes += whole;
    if (at[bytes] == '.') {
        part = digits(at + bytes + 1, hex);
        bytes += 1 + part;
        *is_float = true;
    }
    if (whole + part == 0)
        return 0;
    if (tolower((unsigned char)at[bytes]) == exponent) {
        size_t power;

        bytes++;
        if (at[bytes] == '+' || at[bytes] == '-')
            bytes++;
        power = digits(at + bytes, false);
        if (power == 0)
            return 0;
        bytes += power;
        *is_float = true;
    }
    return is_name_part(at[bytes]) ? 0 : bytes;
}

static struct token next_number(struct lexer *lexer)
{
    bool is_float = false;
    size_t bytes = number_bytes(lexer->at, &is_float);
    size_t all = 0;
    struct schema_place place;

    if (bytes > 0 && bytes <= SCHEMA_NAME_BYTES_MAX)
        return take(lexer, is_float ? TOKEN_FLOAT : TOKEN_INTEGER, bytes);
    while (is_name_part(lexer->at[all]) || lexer->at[all] == '.')
        all++;
    place = lexer_place(lexer, lexer->at, all);
    if (all > SCHEMA_NAME_BYTES_MAX)
        return lexer_wrong(lexer, &place, "a number of %zu characters", all);
    return lexer_wrong(lexer, &place, "malformed number \"%.*s\"", (int)all, lexer->at);
}

static struct token next_bare(struct lexer *lexer)
{
    char c = *lexer->at;
    struct schema_place place;

    if (is_name_start(c))
        return next_name(lexer);
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)lexer->at[1])))
        return next_number(lexer);
    if (c == '"' || c == '\'')
        return lexer_string(lexer);
    if (c == '\0')
        return (struct token){.kind = TOKEN_END, .place = lexer_place(lexer, lexer->at, 1)};
    if (strchr("{}()[]:;,.=+-", c) != NULL)
        return take(lexer, (unsigned char)c, 1);
    place = lexer_place(lexer, lexer->at, 1);
    if (c > 0x20 && c < 0x7f)
        return lexer_wrong(lexer, &place, "unexpected character '%c'", c);
    return lexer_wrong(lexer, &place, "unexpected byte 0x%02x", (unsigned char)c);
}

struct token lexer_next(struct lexer *lexer)
{
    struct list docs = {0};
    struct token token;

    if (!skip_blank(lexer, &docs)) {
        struct schema_place place = lexer_place(lexer, lexer->at, 2);

        return lexer_wrong(lexer, &place, "this comment has no end");
    }
    token = next_bare(lexer);
    token.docs = (struct schema_docs){(const char *const *)docs.items, docs.count};
    return token;
}
