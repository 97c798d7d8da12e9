/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Constants, attribute lists and types as written.
 */

#include "parse.h"

#include <errno.h>
#include <string.h>

static bool word_is(const struct token *token, const char *word)
{
    return token->place.length == strlen(word) &&
           memcmp(token->text, word, token->place.length) == 0;
}

static bool is_infinity_or_nan(const struct token *token)
{
    return token->kind == TOKEN_NAME &&
           (word_is(token, "inf") || word_is(token, "infinity") || word_is(token, "nan"));
}

static int parse_name_value(struct parser *parser, struct draft_value *value)
{
    int result = parser_dotted(parser, "a name", &value->text, &value->place);

    value->form = DRAFT_NAME;
    value->bytes = result == 0 ? strlen(value->text) : 0;
    return result;
}

static int parse_vector_value(struct parser *parser, struct draft_value *value)
{
    struct schema_place open = parser->token.place;

    parser_advance(parser);
    if (!parser_at(parser, ']'))
        return parser_unexpected(parser, "']': only the empty vector can be a default,");
    value->form = DRAFT_EMPTY_VECTOR;
    value->place = place_join(&open, &parser->token.place);
    parser_advance(parser);
    return 0;
}

/* A number, its sign (if any) already taken and said by value->negative. */
static int parse_number_value(struct parser *parser, struct draft_value *value)
{
    const struct token *token = &parser->token;

    if (token->kind == TOKEN_INTEGER)
        value->form = DRAFT_INTEGER;
    else if (token->kind == TOKEN_FLOAT || is_infinity_or_nan(token))
        value->form = DRAFT_FLOAT;
    else
        return parser_unexpected(parser, "a number");
    value->text = arena_copy(parser->front->arena, token->text, token->place.length);
    value->bytes = token->place.length;
    value->place =
        value->place.file == NULL ? token->place : place_join(&value->place, &token->place);
    parser_advance(parser);
    return 0;
}

int parse_value(struct parser *parser, const char *what, struct draft_value *value)
{
    const struct token token = parser->token;

    *value = (struct draft_value){0};
    switch (token.kind) {
    case TOKEN_STRING:
        value->form = DRAFT_STRING;
        value->text = token.string;
        value->bytes = token.string_bytes;
        value->place = token.place;
        parser_advance(parser);
        return 0;
    case '+':
    case '-':
        value->negative = token.kind == '-';
        value->place = token.place;
        parser_advance(parser);
        return parse_number_value(parser, value);
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
        return parse_number_value(parser, value);
    case '[':
        return parse_vector_value(parser, value);
    case TOKEN_NAME:
        if (is_infinity_or_nan(&token))
            return parse_number_value(parser, value);
        return parse_name_value(parser, value);
    default:
        return parser_unexpected(parser, what);
    }
}

static int set_attribute_value(struct parser *parser, struct schema_attribute *attribute)
{
    struct draft_value value;
    uint64_t bits;
    int result = parse_value(parser, "a value for the attribute", &value);

    if (result != 0)
        return result;
    attribute->place = value.place;
    attribute->form = SCHEMA_ATTRIBUTE_TEXT;
    attribute->text = arena_format(parser->front->arena, "%s%s", value.negative ? "-" : "",
        value.text == NULL ? "" : value.text);
    if (value.form == DRAFT_INTEGER && number_integer(&value, SCHEMA_I64, &bits)) {
        attribute->form = SCHEMA_ATTRIBUTE_INTEGER;
        attribute->integer = (int64_t)bits;
    }
    return 0;
}

static int parse_attribute(struct parser *parser, struct list *list)
{
    struct schema_attribute *attribute = arena_alloc(parser->front->arena, sizeof(*attribute));
    struct schema_place place;
    int result = parser_name(parser, "the name of an attribute", &attribute->name, &place);

    if (result != 0)
        return result;
    attribute->text = "";
    attribute->place = place;
    if (parser_accept(parser, ':'))
        result = set_attribute_value(parser, attribute);
    if (result != 0)
        return result;
    for (size_t i = 0; i < list->count; i++) {
        const struct schema_attribute *before = list->items[i];

        if (strcmp(before->name, attribute->name) == 0)
            return schema_error_at(parser->front->diagnostics, &place,
                "attribute \"%s\" is given twice", attribute->name);
    }
    if (list->count == 64)
        return schema_error_at(parser->front->diagnostics, &place, "more than 64 attributes");
    list_add(parser->front->arena, list, attribute);
    return 0;
}

int parse_attributes(struct parser *parser, struct schema_attributes *attributes)
{
    struct list list = {0};
    struct schema_attribute *items;
    int result;

    if (!parser_accept(parser, '('))
        return 0;
    do {
        result = parse_attribute(parser, &list);
        if (result != 0)
            return result;
    } while (parser_accept(parser, ','));
    items = arena_alloc(parser->front->arena, list.count * sizeof(*items));
    for (size_t i = 0; i < list.count; i++)
        items[i] = *(const struct schema_attribute *)list.items[i];
    *attributes = (struct schema_attributes){items, list.count};
    return parser_expect(parser, ')', "or ',' behind the attribute");
}

/* A built-in type or a name into *@kind, type->name and type->place. */
static int parse_plain_type(struct parser *parser, struct draft_type *type, enum schema_kind *kind)
{
    int result = parser_dotted(parser, "a type", &type->name, &type->place);

    if (result != 0)
        return result;
    *kind = names_builtin(type->name, strlen(type->name));
    if (*kind != SCHEMA_NONE)
        type->name = NULL;
    return 0;
}

static int parse_array_count(struct parser *parser, struct draft_type *type)
{
    struct draft_value value;
    uint64_t bits;
    int result = parse_value(parser, "the number of elements", &value);

    if (result != 0)
        return result;
    if (value.form != DRAFT_INTEGER || !number_integer(&value, SCHEMA_U32, &bits) || bits == 0 ||
        bits > SCHEMA_ARRAY_COUNT_MAX)
        return schema_error_at(parser->front->diagnostics, &value.place,
            "the length of a fixed array is a number from 1 to %u", SCHEMA_ARRAY_COUNT_MAX);
    type->kind = SCHEMA_ARRAY;
    type->array_count = (uint32_t)bits;
    return 0;
}

int parse_type(struct parser *parser, struct draft_type *type)
{
    struct schema_place open = parser->token.place;
    int result;

    *type = (struct draft_type){0};
    if (!parser_accept(parser, '[')) {
        result = parse_plain_type(parser, type, &type->kind);
        type->whole = type->place;
        return result;
    }
    if (parser_at(parser, '['))
        return schema_error_at(parser->front->diagnostics, &parser->token.place,
            "a vector of vectors is not possible; wrap the inner one in a table");
    type->kind = SCHEMA_VECTOR;
    result = parse_plain_type(parser, type, &type->element);
    if (result == 0 && parser_accept(parser, ':'))
        result = parse_array_count(parser, type);
    if (result != 0)
        return result;
    type->whole = place_join(&open, &parser->token.place);
    return parser_expect(parser, ']', "behind the type of the elements");
}
