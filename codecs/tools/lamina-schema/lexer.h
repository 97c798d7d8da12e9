/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_LEXER_H
#define LAM_SCHEMA_LEXER_H

/*
 * lexer.h: the words of a schema, one at a time.
 */

#include "arena.h"
#include "diagnostics.h"
#include "ir.h"

enum token_kind {
    TOKEN_END = 0,
    TOKEN_NAME = 256, /* below: the punctuation character itself */
    TOKEN_INTEGER,    /* unsigned; a sign is punctuation */
    TOKEN_FLOAT,
    TOKEN_STRING,
    TOKEN_WRONG /* a message has been given */
};

struct token {
    int kind;
    struct schema_place place;
    const char *text;   /* within the file; place.length bytes. Strings: with their quotes */
    const char *string; /* TOKEN_STRING: decoded, terminated */
    size_t string_bytes;
    struct schema_docs docs; /* of the /// lines just before it */
};

struct lexer {
    struct schema_arena *arena;
    struct schema_diagnostics *diagnostics;
    const struct schema_file *file;
    const char *at;
    const char *line_begin;
    uint32_t line;
};

/* Start at the beginning of @file, whose text is checked to be UTF-8 without zero bytes. */
void lexer_init(struct lexer *lexer, struct schema_arena *arena,
    struct schema_diagnostics *diagnostics, const struct schema_file *file);

/* The next token. After TOKEN_END and TOKEN_WRONG comes the same again. */
struct token lexer_next(struct lexer *lexer);

/* lexer_string.c: the string literal at lexer->at, which is its quote. */
struct token lexer_string(struct lexer *lexer);

/* Place of @bytes bytes at @at, which is on the current line. */
struct schema_place lexer_place(const struct lexer *lexer, const char *at, size_t bytes);

/* Give a message and the token for it. */
__attribute__((format(printf, 3, 4))) struct token lexer_wrong(
    struct lexer *lexer, const struct schema_place *place, const char *format, ...);

#endif
