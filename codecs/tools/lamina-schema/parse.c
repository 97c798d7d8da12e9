/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One file: its includes first, then its declarations.
 */

#include "parse.h"
#include "files.h"

#include <errno.h>
#include <string.h>

static int add_include(struct parser *parser, struct list *includes, const struct token *name)
{
    bool is_new = false;
    struct schema_file *file =
        files_open(parser->front, parser->file, name->string, &name->place, &is_new);

    if (file == NULL)
        return -EINVAL;
    for (size_t i = 0; i < includes->count; i++)
        if (includes->items[i] == file)
            return 0;
    list_add(parser->front->arena, includes, file);
    /* A file that is being read further up is not read again: cycles are harmless. */
    return is_new ? parse_file(parser->front, file) : 0;
}

static int parse_includes(struct parser *parser)
{
    struct list includes = {0};
    int result = 0;

    while (result == 0 &&
           (parser_at_word(parser, "include") || parser_at_word(parser, "native_include"))) {
        bool is_native = parser_at_word(parser, "native_include");
        struct token name;

        parser_advance(parser);
        result = parser_string(parser, "the name of a file in quotes", &name);
        if (result == 0 && name.string_bytes == 0)
            result = schema_error_at(
                parser->front->diagnostics, &name.place, "the name of a file is empty");
        if (result == 0)
            result = parser_expect(parser, ';', "behind the include");
        if (result == 0 && !is_native)
            result = add_include(parser, &includes, &name);
    }
    parser->file->includes = (const struct schema_file **)includes.items;
    parser->file->include_count = includes.count;
    return result;
}

static int parse_namespace(struct parser *parser)
{
    struct schema_place place;
    unsigned depth = 1;
    int result;

    parser->name_space = "";
    if (parser_accept(parser, ';'))
        return 0;
    result = parser_dotted(parser, "the name of the namespace", &parser->name_space, &place);
    if (result != 0)
        return result;
    for (const char *dot = parser->name_space; (dot = strchr(dot, '.')) != NULL; dot++)
        depth++;
    if (depth > 32)
        return schema_error_at(parser->front->diagnostics, &place,
            "namespaces %u deep; at most 32 are allowed", depth);
    return parser_expect(parser, ';', "behind the namespace");
}

static int parse_attribute_line(struct parser *parser)
{
    const char *name = NULL;
    struct schema_place place;
    struct token string;
    int result;

    if (parser_at(parser, TOKEN_NAME)) {
        result = parser_name(parser, "the name of the attribute", &name, &place);
    } else {
        result = parser_string(parser, "the name of the attribute", &string);
        name = result == 0 ? string.string : NULL;
    }
    if (result != 0)
        return result;
    (void)name_map_add(parser->front->arena, &parser->front->attributes, name, parser->file);
    return parser_expect(parser, ';', "behind the attribute");
}

static int parse_root(struct parser *parser)
{
    struct draft_root *root = arena_alloc(parser->front->arena, sizeof(*root));
    int result;

    root->file = parser->file;
    root->name_space = parser->name_space;
    result = parser_dotted(parser, "the name of a table", &root->type.name, &root->type.place);
    if (result != 0)
        return result;
    list_add(parser->front->arena, &parser->front->roots, root);
    return parser_expect(parser, ';', "behind the root type");
}

static bool is_main(const struct parser *parser)
{
    return parser->front->files.items[0] == parser->file;
}

static int parse_identifier(struct parser *parser)
{
    struct token name;
    int result = parser_string(parser, "four characters in quotes", &name);

    if (result != 0)
        return result;
    if (name.string_bytes != 4)
        return schema_error_at(parser->front->diagnostics, &name.place,
            "a file identifier has exactly 4 bytes, this has %zu", name.string_bytes);
    if (is_main(parser))
        memcpy(parser->front->schema->file_identifier, name.string, 5);
    return parser_expect(parser, ';', "behind the file identifier");
}

static int parse_extension(struct parser *parser)
{
    struct token name;
    int result = parser_string(parser, "a file extension in quotes", &name);

    if (result != 0)
        return result;
    if (is_main(parser))
        parser->front->schema->file_extension = name.string;
    return parser_expect(parser, ';', "behind the file extension");
}

static int parse_table(struct parser *parser)
{
    return parse_record(parser, false);
}

static int parse_struct(struct parser *parser)
{
    return parse_record(parser, true);
}

static int parse_plain_enum(struct parser *parser)
{
    return parse_enum(parser, false);
}

static int parse_union(struct parser *parser)
{
    return parse_enum(parser, true);
}

static int parse_late_include(struct parser *parser)
{
    struct schema_place place = parser->after;

    place.column -= (uint32_t)strlen("include");
    place.length = (uint32_t)strlen("include");
    return schema_error_at(
        parser->front->diagnostics, &place, "includes come before everything else");
}

static const struct {
    const char *word;
    int (*parse)(struct parser *parser);
} statements[] = {
    {"table", parse_table},
    {"struct", parse_struct},
    {"enum", parse_plain_enum},
    {"union", parse_union},
    {"namespace", parse_namespace},
    {"attribute", parse_attribute_line},
    {"root_type", parse_root},
    {"file_identifier", parse_identifier},
    {"file_extension", parse_extension},
    {"rpc_service", parse_service},
    {"include", parse_late_include},
};

#define STATEMENT_COUNT (sizeof(statements) / sizeof(statements[0]))

static int unknown_statement(struct parser *parser)
{
    const char *words[STATEMENT_COUNT];
    const char *nearest = NULL;
    char *name;

    if (parser_at(parser, '{') || parser_at(parser, '['))
        return schema_error_at(parser->front->diagnostics, &parser->token.place,
            "data in JSON does not belong in a schema");
    if (!parser_at(parser, TOKEN_NAME))
        return parser_unexpected(parser, "a declaration (table, struct, enum, union, ...)");
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        words[i] = statements[i].word;
    name = arena_copy(parser->front->arena, parser->token.text, parser->token.place.length);
    nearest = names_nearest(name, words, STATEMENT_COUNT);
    if (nearest == NULL)
        return parser_unexpected(parser, "a declaration (table, struct, enum, union, ...)");
    return schema_error_at(parser->front->diagnostics, &parser->token.place,
        "unknown declaration \"%s\"; did you mean \"%s\"?", name, nearest);
}

static int parse_statement(struct parser *parser)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (parser_at_word(parser, statements[i].word)) {
            parser->docs = parser->token.docs;
            parser_advance(parser);
            return statements[i].parse(parser);
        }
    return unknown_statement(parser);
}

int parse_file(struct front *front, struct schema_file *file)
{
    struct parser parser = {.front = front, .file = file, .name_space = ""};
    int result;

    lexer_init(&parser.lexer, front->arena, front->diagnostics, file);
    parser.token = lexer_next(&parser.lexer);
    result = parse_includes(&parser);
    while (result == 0 && !parser_at(&parser, TOKEN_END) && !front_gave_up(front)) {
        if (parser_accept(&parser, ';'))
            continue;
        result = parse_statement(&parser);
    }
    return result;
}
