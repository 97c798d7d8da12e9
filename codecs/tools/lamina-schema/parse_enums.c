/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Enums and unions.
 */

#include "parse.h"

#include <errno.h>
#include <string.h>

static int parse_underlying(struct parser *parser, struct draft_enum *draft)
{
    struct schema_enum *enumeration = &draft->enumeration;
    struct draft_type type;
    int result;

    enumeration->underlying = SCHEMA_U8;
    if (enumeration->is_union && parser_at(parser, ':'))
        return schema_error_at(parser->front->diagnostics, &parser->token.place,
            "the tag of a union is always a ubyte");
    if (enumeration->is_union)
        return 0;
    if (!parser_at(parser, ':'))
        return parser_unexpected(parser, "':' and an integer type behind the name of the enum");
    parser_advance(parser);
    result = parse_type(parser, &type);
    if (result != 0)
        return result;
    if (!schema_kind_is_integer(type.kind))
        return schema_error_at(parser->front->diagnostics, &type.whole,
            "the type of an enum is one of byte, ubyte, short, ushort, int, uint, long, ulong");
    enumeration->underlying = type.kind;
    enumeration->is_signed = schema_kind_is_signed(type.kind);
    return 0;
}

/* "Monster", "M: Monster" or "MyGame.Monster", whose own name is then MyGame_Monster. */
static int parse_member_type(
    struct parser *parser, struct draft_enum_value *value, const struct schema_place *place)
{
    char *name;

    value->type.name = value->value.name;
    value->type.place = *place;
    if (parser_accept(parser, ':')) {
        if (strchr(value->value.name, '.') != NULL)
            return schema_error_at(
                parser->front->diagnostics, place, "the name of a union member has no '.'");
        return parse_type(parser, &value->type);
    }
    value->type.kind = names_builtin(value->type.name, strlen(value->type.name));
    value->type.whole = *place;
    if (strchr(value->value.name, '.') == NULL)
        return 0;
    name = arena_copy(parser->front->arena, value->value.name, strlen(value->value.name));
    for (char *dot = name; (dot = strchr(dot, '.')) != NULL;)
        *dot = '_';
    value->value.name = name;
    return 0;
}

static int parse_enum_value(struct parser *parser, struct draft_enum *draft)
{
    struct draft_enum_value *value = arena_alloc(parser->front->arena, sizeof(*value));
    bool is_union = draft->enumeration.is_union;
    struct schema_place *place = &value->value.place;
    int result;

    value->value.docs = parser->token.docs;
    if (draft->values.count == SCHEMA_VALUE_COUNT_MAX)
        return schema_error_at(parser->front->diagnostics, &parser->token.place,
            "more than %u values in one enum", SCHEMA_VALUE_COUNT_MAX);
    if (is_union)
        result = parser_dotted(parser, "a member or '}'", &value->value.name, place);
    else
        result = parser_name(parser, "the name of a value or '}'", &value->value.name, place);
    if (result == 0 && is_union)
        result = parse_member_type(parser, value, place);
    if (result == 0 && parser_accept(parser, '='))
        result = parse_value(parser, "a value", &value->written);
    if (result == 0)
        result = parse_attributes(parser, &value->value.attributes);
    list_add(parser->front->arena, &draft->values, value);
    return result;
}

static void add_none(struct parser *parser, struct draft_enum *draft)
{
    struct draft_enum_value *none = arena_alloc(parser->front->arena, sizeof(*none));

    none->value.name = "NONE";
    none->value.place = draft->enumeration.declaration.place;
    list_add(parser->front->arena, &draft->values, none);
}

int parse_enum(struct parser *parser, bool is_union)
{
    struct draft_enum *draft = arena_alloc(parser->front->arena, sizeof(*draft));
    struct schema_declaration *declaration = &draft->enumeration.declaration;
    int result = parse_declared(
        parser, is_union ? SCHEMA_DECLARES_UNION : SCHEMA_DECLARES_ENUM, declaration);

    draft->enumeration.is_union = is_union;
    list_add(parser->front->arena, &parser->front->enums, draft);
    if (is_union)
        add_none(parser, draft);
    if (result == 0)
        result = parse_underlying(parser, draft);
    if (result == 0)
        result = parse_attributes(parser, &declaration->attributes);
    if (result == 0)
        result = parser_expect(parser, '{', "before the values");
    while (result == 0 && !parser_at(parser, '}')) {
        result = parse_enum_value(parser, draft);
        if (result == 0 && !parser_accept(parser, ',') && !parser_at(parser, '}'))
            result = parser_unexpected(parser, "',' or '}'");
    }
    if (draft->values.count == 0)
        add_none(parser, draft); /* as flatc does */
    if (result == 0)
        parser_advance(parser);
    return result;
}
