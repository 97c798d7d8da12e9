/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_FILES_H
#define LAM_SCHEMA_FILES_H

/*
 * files.h: finding and reading the files of a schema.
 */

#include "front.h"

/*
 * The file @spelled, as @includer's include line at @place names it; NULL, NULL for the schema
 * itself. A file met before, under whatever spelling, is the same struct again; *@is_new says
 * whether it is the first time.
 *
 * Returns NULL with a message when there is none, or it cannot be a schema (too large, no UTF-8).
 */
struct schema_file *files_open(struct front *front, const struct schema_file *includer,
    const char *spelled, const struct schema_place *place, bool *is_new);

/* How many bytes of @text, up to @bytes, are UTF-8 without zero bytes: @bytes when all are. */
size_t utf8_valid_bytes(const char *text, size_t bytes);

/* The schema_read_fn of the file system: regular files only. */
int files_read(void *context, const char *path, char **text, size_t *bytes);

#endif
