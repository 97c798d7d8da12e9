/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_PARSE_H
#define LAM_SCHEMA_PARSE_H

/*
 * parse.h: what the files of the parser share. One token of look-ahead, no recursion but into
 * included files. Every function returns 0, or -EINVAL with a message: the first mistake in the
 * grammar ends the file.
 */

#include "front.h"
#include "lexer.h"

struct parser {
    struct front *front;
    struct schema_file *file;
    struct lexer lexer;
    struct token token;        /* the next one, not yet taken */
    struct schema_place after; /* the first byte behind the token before it */
    const char *name_space;
    struct schema_docs docs; /* of the declaration being read */
};

/* parse_words.c: tokens. */
void parser_advance(struct parser *parser);
bool parser_at(const struct parser *parser, int kind);
bool parser_at_word(const struct parser *parser, const char *word);
/* Step over the token @kind, if it is next. */
bool parser_accept(struct parser *parser, int kind);
/* Step over the punctuation @kind, which must be next; @what says behind what it belongs. */
int parser_expect(struct parser *parser, int kind, const char *what);
/* Take a name; @what says of what. */
int parser_name(
    struct parser *parser, const char *what, const char **name, struct schema_place *place);
/* Take "a.b.c". */
int parser_dotted(
    struct parser *parser, const char *what, const char **name, struct schema_place *place);
/* Take a string; the text is kept by the arena. */
int parser_string(struct parser *parser, const char *what, struct token *string);
/* "expected WHAT but found ..." at the next token, or behind the one before that ended a line. */
int parser_unexpected(struct parser *parser, const char *what);
struct schema_place place_join(const struct schema_place *first, const struct schema_place *last);

/* parse_values.c */
int parse_value(struct parser *parser, const char *what, struct draft_value *value);
int parse_attributes(struct parser *parser, struct schema_attributes *attributes);
int parse_type(struct parser *parser, struct draft_type *type);

/* parse_types.c, parse_enums.c: declarations, the first word already taken. */
int parse_declared(struct parser *parser, enum schema_declaration_kind kind,
    struct schema_declaration *declaration);
int parse_record(struct parser *parser, bool is_struct);
int parse_enum(struct parser *parser, bool is_union);
int parse_service(struct parser *parser);

#endif
