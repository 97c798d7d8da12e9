/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Structs, tables and services.
 */

#include "parse.h"

#include <errno.h>
#include <string.h>

int parse_declared(struct parser *parser, enum schema_declaration_kind kind,
    struct schema_declaration *declaration)
{
    static const char *const what[] = {
        [SCHEMA_DECLARES_ENUM] = "the name of the enum",
        [SCHEMA_DECLARES_UNION] = "the name of the union",
        [SCHEMA_DECLARES_STRUCT] = "the name of the struct",
        [SCHEMA_DECLARES_TABLE] = "the name of the table",
        [SCHEMA_DECLARES_SERVICE] = "the name of the service",
    };
    struct schema_arena *arena = parser->front->arena;
    int result;

    declaration->kind = kind;
    declaration->docs = parser->docs;
    declaration->file = parser->file;
    declaration->name_space = parser->name_space;
    result = parser_name(parser, what[kind], &declaration->name, &declaration->place);
    if (result != 0)
        return result;
    declaration->full_name = declaration->name;
    if (parser->name_space[0] != '\0')
        declaration->full_name =
            arena_format(arena, "%s.%s", parser->name_space, declaration->name);
    if (strlen(declaration->full_name) > SCHEMA_FULL_NAME_MAX)
        return schema_error_at(parser->front->diagnostics, &declaration->place,
            "a name with its namespace may have at most %u bytes", SCHEMA_FULL_NAME_MAX);
    return names_add(parser->front, declaration);
}

static bool begins_declaration(const struct parser *parser)
{
    static const char *const words[] = {"table", "struct", "enum", "union", "namespace",
        "root_type", "rpc_service", "file_identifier"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (parser_at_word(parser, words[i]))
            return true;
    return false;
}

static int not_closed(
    struct parser *parser, const struct draft_record *record, const struct schema_place *place)
{
    int result = schema_error_at(parser->front->diagnostics, place,
        "expected '}' here, behind the fields of \"%s\"", record->record.declaration.name);

    schema_note_at(parser->front->diagnostics, &record->open, "the '{' is here");
    return result;
}

static int parse_field_end(struct parser *parser, struct draft_field *field)
{
    int result = 0;

    if (parser_accept(parser, '=')) {
        field->field.has_default = true;
        result = parse_value(parser, "a default value", &field->preset);
    }
    if (result == 0)
        result = parse_attributes(parser, &field->field.attributes);
    if (result == 0)
        result = parser_expect(parser, ';', "behind the field");
    return result;
}

static int parse_field(struct parser *parser, struct draft_record *record)
{
    struct draft_field *field = arena_alloc(parser->front->arena, sizeof(*field));
    struct schema_place before = parser->after;
    bool maybe_declaration = begins_declaration(parser);
    int result;

    if (record->fields.count == SCHEMA_FIELD_COUNT_MAX)
        return schema_error_at(parser->front->diagnostics, &parser->token.place,
            "more than %u fields in \"%s\"", SCHEMA_FIELD_COUNT_MAX,
            record->record.declaration.name);
    field->field.docs = parser->token.docs;
    field->field.parent = &record->record;
    field->field.max = UINT32_MAX;
    field->field.max_text = UINT32_MAX;
    result =
        parser_name(parser, "the name of a field or '}'", &field->field.name, &field->field.place);
    if (result != 0)
        return result;
    if (maybe_declaration && parser_at(parser, TOKEN_NAME))
        return not_closed(parser, record, &before);
    result = parser_expect(parser, ':', "behind the name of the field");
    if (result == 0)
        result = parse_type(parser, &field->type);
    if (result == 0)
        result = parse_field_end(parser, field);
    if (result == 0)
        list_add(parser->front->arena, &record->fields, field);
    return result;
}

int parse_record(struct parser *parser, bool is_struct)
{
    struct draft_record *record = arena_alloc(parser->front->arena, sizeof(*record));
    struct schema_declaration *declaration = &record->record.declaration;
    int result = parse_declared(
        parser, is_struct ? SCHEMA_DECLARES_STRUCT : SCHEMA_DECLARES_TABLE, declaration);

    record->record.is_struct = is_struct;
    list_add(parser->front->arena, &parser->front->records, record);
    if (result == 0)
        result = parse_attributes(parser, &declaration->attributes);
    record->open = parser->token.place;
    if (result == 0)
        result = parser_expect(parser, '{', "before the fields");
    while (result == 0 && !parser_at(parser, '}')) {
        if (parser_at(parser, TOKEN_END))
            return not_closed(parser, record, &parser->after);
        result = parse_field(parser, record);
    }
    if (result == 0)
        parser_advance(parser);
    return result;
}

static int parse_method(struct parser *parser, struct draft_service *service)
{
    struct draft_method *method = arena_alloc(parser->front->arena, sizeof(*method));
    int result;

    if (service->methods.count == SCHEMA_FIELD_COUNT_MAX)
        return schema_error_at(parser->front->diagnostics, &parser->token.place,
            "more than %u methods", SCHEMA_FIELD_COUNT_MAX);
    method->method.docs = parser->token.docs;
    result = parser_name(
        parser, "the name of a method or '}'", &method->method.name, &method->method.place);
    if (result == 0)
        result = parser_expect(parser, '(', "before the request");
    if (result == 0)
        result = parse_type(parser, &method->request);
    if (result == 0)
        result = parser_expect(parser, ')', "behind the request");
    if (result == 0)
        result = parser_expect(parser, ':', "before the response");
    if (result == 0)
        result = parse_type(parser, &method->response);
    if (result == 0)
        result = parse_attributes(parser, &method->method.attributes);
    if (result == 0)
        result = parser_expect(parser, ';', "behind the method");
    list_add(parser->front->arena, &service->methods, method);
    return result;
}

int parse_service(struct parser *parser)
{
    struct draft_service *service = arena_alloc(parser->front->arena, sizeof(*service));
    int result = parse_declared(parser, SCHEMA_DECLARES_SERVICE, &service->service.declaration);

    list_add(parser->front->arena, &parser->front->services, service);
    if (result == 0)
        result = parse_attributes(parser, &service->service.declaration.attributes);
    if (result == 0)
        result = parser_expect(parser, '{', "before the methods");
    while (result == 0 && !parser_at(parser, '}'))
        result = parse_method(parser, service);
    if (result == 0)
        parser_advance(parser);
    return result;
}
