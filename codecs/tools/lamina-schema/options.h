/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SCHEMA_OPTIONS_H
#define LAM_SCHEMA_OPTIONS_H

/*
 * options.h: the command line of lamina-schema.
 */

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_INCLUDE_DIR_COUNT_MAX 64

struct options {
    const char *schema; /* the schema file */
    const char *output; /* -o, or NULL: standard output */
    const char *depfile;
    const char *prefix;  /* "" when not given */
    const char *channel; /* --channel, or NULL */
    const char *codec;
    const char *include_dirs[OPTIONS_INCLUDE_DIR_COUNT_MAX];
    size_t include_dir_count;
    bool dump;
    bool hash;
};

/*
 * Read the command line into @options; answers --help and --version by itself.
 *
 * Returns 0 to go on, 1 when all is done, or -EINVAL after a message on standard error.
 */
int options_read(struct options *options, int argc, char **argv);

#endif
