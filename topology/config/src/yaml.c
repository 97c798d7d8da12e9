/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From libyaml's events to a tree of nodes.
 *
 * The event interface and never the loader: the limits must hold while parsing, because libyaml
 * takes quadratic time over deep flow nesting and a loader has eaten the file before anyone can
 * say no. A syntax error or a limit ends the reading; a key given twice does not.
 */
#include "lamina/base/assert.h"
#include "node.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

struct reader {
    struct lam_config *config;
    struct lam_config_node *open; /* the collection that events go into */
    const char *key;              /* of the value to come, in a mapping */
    uint32_t key_line;
    uint32_t key_column;
    uint32_t depth;
    uint32_t events;
    uint32_t documents;
    int ended;
};

static uint32_t mark_line(yaml_mark_t mark)
{
    return (uint32_t)mark.line + 1;
}

static uint32_t mark_column(yaml_mark_t mark)
{
    return (uint32_t)mark.column + 1;
}

/* libyaml gives undecodable bytes an offset and no mark. */
static void place_of_offset(
    const struct lam_config *config, size_t offset, uint32_t *line, uint32_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset && i < config->source_bytes; i++) {
        unsigned char byte = (unsigned char)config->source[i];

        if (byte == '\n') {
            (*line)++;
            *column = 1;
        } else if ((byte & 0xc0) != 0x80) {
            (*column)++;
        }
    }
}

static int refuse_syntax(struct reader *reader, const yaml_parser_t *parser)
{
    struct lam_config *config = reader->config;
    uint32_t line = mark_line(parser->problem_mark);
    uint32_t column = mark_column(parser->problem_mark);
    const char *hint = "";

    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    if (parser->error == YAML_READER_ERROR) {
        place_of_offset(config, parser->problem_offset, &line, &column);
        return config_problem_at(config, line, column, "not UTF-8 text: %s (byte 0x%02x)",
            parser->problem, (unsigned)parser->problem_value & 0xffu);
    }
    if (parser->problem_mark.index < config->source_bytes &&
        config->source[parser->problem_mark.index] == '\t')
        hint = " (indent with spaces, not with tabs)";
    if (parser->context != NULL)
        return config_problem_at(
            config, line, column, "%s: %s%s", parser->context, parser->problem, hint);
    return config_problem_at(config, line, column, "%s%s", parser->problem, hint);
}

static int refuse(struct reader *reader, const yaml_event_t *event, const char *what)
{
    return config_problem_at(
        reader->config, mark_line(event->start_mark), mark_column(event->start_mark), "%s", what);
}

/* A scalar in the place of a key: kept until its value comes. */
static int take_key(struct reader *reader, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    uint32_t line = mark_line(event->start_mark);
    uint32_t column = mark_column(event->start_mark);

    if (strcmp(text, "<<") == 0)
        return refuse(reader, event, "merge keys (<<) are not allowed here");
    if (length == 0)
        return refuse(reader, event, "a key is empty");
    if (strlen(text) != length)
        return refuse(reader, event, "a key holds a zero character");
    if (config_child(reader->open, text) != NULL)
        (void)config_problem_at(reader->config, line, column,
            "%s is given twice (first on line %u)", config_shown(text).text,
            config_child(reader->open, text)->key_line);
    reader->key = config_copy_text(reader->config, text, length);
    reader->key_line = line;
    reader->key_column = column;
    return reader->key == NULL ? -ENOMEM : 0;
}

/* A new node where the reading stands. NULL when memory is out. */
static struct lam_config_node *take_node(
    struct reader *reader, const yaml_event_t *event, enum node_shape shape)
{
    struct lam_config_node *node = config_add_node(reader->config, reader->open, shape);

    if (node == NULL)
        return NULL;
    node->line = mark_line(event->start_mark);
    node->column = mark_column(event->start_mark);
    node->key = reader->key;
    node->key_line = reader->key != NULL ? reader->key_line : node->line;
    node->key_column = reader->key != NULL ? reader->key_column : node->column;
    reader->key = NULL;
    return node;
}

static int at_key(const struct reader *reader)
{
    return reader->open != NULL && reader->open->shape == NODE_MAPPING && reader->key == NULL;
}

static int take_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct lam_config_node *node;

    if (event->data.scalar.anchor != NULL)
        return refuse(reader, event, "anchors (&) are not allowed here");
    if (event->data.scalar.tag != NULL)
        return refuse(
            reader, event, "tags (!) are not allowed here: the kind follows from the key");
    if (at_key(reader))
        return take_key(reader, event);
    if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        return refuse(reader, event, "the value holds a zero character");
    node = take_node(reader, event, NODE_SCALAR);
    if (node == NULL)
        return -ENOMEM;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = config_copy_text(
        reader->config, (const char *)event->data.scalar.value, event->data.scalar.length);
    return node->text == NULL ? -ENOMEM : 0;
}

static int open_collection(struct reader *reader, const yaml_event_t *event)
{
    int is_list = event->type == YAML_SEQUENCE_START_EVENT;
    const yaml_char_t *anchor =
        is_list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor;
    const yaml_char_t *tag =
        is_list ? event->data.sequence_start.tag : event->data.mapping_start.tag;
    struct lam_config_node *node;

    if (anchor != NULL)
        return refuse(reader, event, "anchors (&) are not allowed here");
    if (tag != NULL)
        return refuse(
            reader, event, "tags (!) are not allowed here: the kind follows from the key");
    if (at_key(reader))
        return refuse(reader, event, "a key must be a word, not a list or a map");
    if (++reader->depth > LAM_CONFIG_DEPTH_MAX)
        return config_problem_at(reader->config, mark_line(event->start_mark),
            mark_column(event->start_mark), "nested deeper than %d levels", LAM_CONFIG_DEPTH_MAX);
    node = take_node(reader, event, is_list ? NODE_LIST : NODE_MAPPING);
    if (node == NULL)
        return -ENOMEM;
    reader->open = node;
    return 0;
}

static int take_event(struct reader *reader, const yaml_event_t *event)
{
    if (++reader->events > LAM_CONFIG_EVENTS_MAX)
        return refuse(reader, event, "too many values in one file");
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->documents++ > 0)
            return refuse(reader, event, "a second document begins: one file is one document");
        return 0;
    case YAML_ALIAS_EVENT:
        return refuse(reader, event, "aliases (*) are not allowed here");
    case YAML_SCALAR_EVENT:
        return take_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return open_collection(reader, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        LAM_ASSERT(reader->open != NULL); /* libyaml pairs its events */
        reader->open = reader->open->parent;
        reader->depth--;
        return 0;
    case YAML_STREAM_END_EVENT:
        reader->ended = 1;
        return 0;
    default:
        return 0;
    }
}

static int parse_events(struct reader *reader, yaml_parser_t *parser)
{
    yaml_event_t event;
    int code = 0;

    while (code == 0 && !reader->ended) {
        if (!yaml_parser_parse(parser, &event))
            return refuse_syntax(reader, parser);
        code = take_event(reader, &event);
        yaml_event_delete(&event);
    }
    return code;
}

int config_parse(struct lam_config *config)
{
    struct reader reader = {.config = config};
    const char *text = config->source;
    size_t bytes = config->source_bytes;
    yaml_parser_t parser;
    int code;

    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    /* Told the encoding, libyaml does not guess UTF-16, and does not skip the mark either. */
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        bytes -= 3;
        config->source = text;
        config->source_bytes = bytes;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    code = parse_events(&reader, &parser);
    yaml_parser_delete(&parser);
    if (code == 0 && config->root == NULL)
        code = config_problem_at(config, 0, 0, "the file is empty");
    return code;
}
