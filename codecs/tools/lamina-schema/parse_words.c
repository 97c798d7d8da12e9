/* SPDX-License-Identifier: Apache-2.0 */
#include "parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void parser_advance(struct parser *parser)
{
    parser->after = parser->token.place;
    parser->after.column += parser->token.place.length;
    parser->after.length = 1;
    parser->token = lexer_next(&parser->lexer);
}

bool parser_at(const struct parser *parser, int kind)
{
    return parser->token.kind == kind;
}

bool parser_at_word(const struct parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_NAME && parser->token.place.length == strlen(word) &&
           memcmp(parser->token.text, word, strlen(word)) == 0;
}

bool parser_accept(struct parser *parser, int kind)
{
    if (parser->token.kind != kind)
        return false;
    parser_advance(parser);
    return true;
}

/* The mistake is what lacks at the end of a line, not what begins the next one. */
static const struct schema_place *mistake(const struct parser *parser)
{
    if (parser->after.line != 0 && parser->token.place.line != parser->after.line)
        return &parser->after;
    return &parser->token.place;
}

int parser_unexpected(struct parser *parser, const char *what)
{
    const struct schema_place *place = mistake(parser);
    struct schema_diagnostics *diagnostics = parser->front->diagnostics;
    const char *quote = parser->token.kind == TOKEN_STRING ? "" : "\"";
    uint32_t length = parser->token.place.length;

    if (parser->token.kind == TOKEN_WRONG)
        return -EINVAL; /* the lexer said it */
    if (parser->token.kind == TOKEN_END)
        (void)schema_error_at(diagnostics, place, "expected %s but the file ends here", what);
    else if (place == &parser->after)
        (void)schema_error_at(diagnostics, place, "expected %s here", what);
    else
        (void)schema_error_at(diagnostics, place, "expected %s but found %s%.*s%s", what, quote,
            length > SCHEMA_NAME_BYTES_MAX ? (int)SCHEMA_NAME_BYTES_MAX : (int)length,
            parser->token.text, quote);
    return -EINVAL;
}

int parser_expect(struct parser *parser, int kind, const char *what)
{
    char text[128];

    if (parser_accept(parser, kind))
        return 0;
    if (snprintf(text, sizeof(text), "'%c' %s", kind, what) < 0)
        return -EINVAL;
    return parser_unexpected(parser, text);
}

int parser_name(
    struct parser *parser, const char *what, const char **name, struct schema_place *place)
{
    if (!parser_at(parser, TOKEN_NAME))
        return parser_unexpected(parser, what);
    *place = parser->token.place;
    *name = arena_copy(parser->front->arena, parser->token.text, parser->token.place.length);
    parser_advance(parser);
    return 0;
}

struct schema_place place_join(const struct schema_place *first, const struct schema_place *last)
{
    struct schema_place place = *first;

    if (last->line == first->line && last->column >= first->column)
        place.length = last->column - first->column + last->length;
    return place;
}

int parser_dotted(
    struct parser *parser, const char *what, const char **name, struct schema_place *place)
{
    int result = parser_name(parser, what, name, place);
    char full[SCHEMA_FULL_NAME_MAX + 1];
    size_t bytes;

    if (result != 0 || !parser_at(parser, '.'))
        return result;
    bytes = strlen(*name);
    memcpy(full, *name, bytes);
    while (parser_accept(parser, '.')) {
        struct schema_place part = {0};

        result = parser_name(parser, "a name behind the '.'", name, &part);
        if (result != 0)
            return result;
        *place = place_join(place, &part);
        if (bytes + 1 + part.length > SCHEMA_FULL_NAME_MAX)
            return schema_error_at(parser->front->diagnostics, place,
                "a name with its namespace may have at most %u bytes", SCHEMA_FULL_NAME_MAX);
        full[bytes++] = '.';
        memcpy(full + bytes, *name, part.length);
        bytes += part.length;
    }
    *name = arena_copy(parser->front->arena, full, bytes);
    return 0;
}

int parser_string(struct parser *parser, const char *what, struct token *string)
{
    if (!parser_at(parser, TOKEN_STRING))
        return parser_unexpected(parser, what);
    *string = parser->token;
    parser_advance(parser);
    return 0;
}
