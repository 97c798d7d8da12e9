/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_LOAD_H
#define LAM_SCHEMA_LOAD_H

/*
 * load.h: from a file name to a checked schema.
 */

#include "diagnostics.h"
#include "ir.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Where the bytes of files come from, so that tests and fuzzers need no file system.
 *
 * Sets *@text to malloc'ed bytes, which the caller frees, and *@bytes to their count.
 * Returns 0, or -ENOENT: no such file (the next include folder is tried), -EFBIG: more than
 * SCHEMA_FILE_BYTES_MAX, or another negative errno.
 */
typedef int schema_read_fn(void *context, const char *path, char **text, size_t *bytes);

struct schema_load_options {
    const char *const *include_dirs; /* searched in order, after the including file's own folder */
    size_t include_dir_count;
    schema_read_fn *read; /* NULL: the file system */
    void *read_context;
};

/*
 * Read @path and all that it includes, check it, and lay it out. @options may be NULL.
 *
 * Memory that runs out ends the process with a message: this is the core of a command.
 *
 * Returns 0 and sets *@schema, which the caller destroys; or -EINVAL with at least one message in
 * @diagnostics.
 */
int schema_load(const char *path, const struct schema_load_options *options,
    struct schema_diagnostics *diagnostics, struct schema **schema);

#ifdef __cplusplus
}
#endif

#endif
