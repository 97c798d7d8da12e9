/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_SCHEMA_PARSE_H
#define LAM_CODECS_SCHEMA_PARSE_H

/*
 * schema_parse.h: what the two halves of the parser of schema texts share. Internal to codecs.
 */

#include "lamina/base/error.h"
#include "lamina/codecs/arena.h"
#include "lamina/codecs/schema.h"

#include "schema_words.h"

#define LAM_SCHEMA_STRUCT_BYTES_MAX 65536

struct lam_parse {
    struct lam_words words;
    struct lam_arena *arena;
    struct lam_error *error;
    struct lam_type *types;
    uint16_t type_count;
    const char *codec_name;
    uint64_t type_hash;
};

/* Writes line and reason. Returns -EBADMSG. */
int lam_parse_refuse(const struct lam_parse *parse, const char *reason);

/*
 * Read the lines that follow the head of @type as its members: the names of all types are known.
 * Returns 0, -EBADMSG or -ENOSPC.
 */
int lam_parse_members(struct lam_parse *parse, struct lam_type *type);

#endif
