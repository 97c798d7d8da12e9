/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_SCHEMA_WORDS_H
#define LAM_CODECS_SCHEMA_WORDS_H

/*
 * schema_words.h: the text of a schema as lines of words. Internal to codecs.
 *
 * The text was copied into the arena, and words are made there: a blank or the end of a line
 * becomes the NUL behind a word.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAM_LINE_WORDS_MAX 8

struct lam_words {
    char *at;      /* the next line; NUL at the end of the text */
    uint32_t line; /* of the words below, from 1 */
    uint32_t count;
    char *words[LAM_LINE_WORDS_MAX];
};

/* The next line in @words; false at the end, or when it has no words or too many. */
bool lam_words_next(struct lam_words *words);

/* A decimal number up to @max; false for anything else. */
bool lam_words_number(const char *word, uint64_t max, uint64_t *number);

/* "u64" to enum lam_kind, "struct", "table" and "string" too; 0 for anything else. */
unsigned lam_words_kind(const char *word);

#endif
