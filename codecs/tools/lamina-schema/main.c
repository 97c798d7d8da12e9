/* SPDX-License-Identifier: Apache-2.0 */

/*
 * lamina-schema: reads a FlatBuffers schema and writes C.
 */

#include "channel.h"
#include "dump.h"
#include "emit.h"
#include "load.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct run {
    const struct options *options;
    const struct schema *schema;
    struct schema_diagnostics *diagnostics;
};

static int write_code(const struct run *run, FILE *out)
{
    struct emit_options emit = {
        .prefix = run->options->prefix, .output_path = run->options->output};

    if (run->options->dump)
        return dump_schema(run->schema, out);
    if (run->options->hash)
        return dump_hashes(run->schema, out);
    if (run->options->channel != NULL)
        return channel_write(run->schema, run->options->channel, run->options->codec, out);
    return emit_header(run->schema, &emit, run->diagnostics, out);
}

static int write_rule(const struct run *run, FILE *out)
{
    return dump_dependencies(run->schema, run->options->output, out);
}

static int write_to(
    const struct run *run, const char *path, int (*write)(const struct run *run, FILE *out))
{
    FILE *out = fopen(path, "we");
    int result;

    if (out == NULL)
        return -errno;
    result = write(run, out);
    if (fclose(out) != 0 && result == 0)
        result = -errno;
    return result;
}

/* Fill @path by @write under another name first: whoever looks sees all of it or the old one. */
static int write_regular(
    const struct run *run, const char *path, int (*write)(const struct run *run, FILE *out))
{
    char *draft = NULL;
    int result;

    if (asprintf(&draft, "%s.%ld.tmp", path, (long)getpid()) < 0)
        return -ENOMEM;
    result = write_to(run, draft, write);
    if (result == 0 && rename(draft, path) != 0)
        result = -errno;
    if (result != 0)
        (void)unlink(draft);
    free(draft);
    return result;
}

static int write_file(
    const struct run *run, const char *path, int (*write)(const struct run *run, FILE *out))
{
    struct stat found;
    int result;

    /* A link, pipe or device is written to: a file in place of /dev/null breaks the machine. */
    if (lstat(path, &found) == 0 && !S_ISREG(found.st_mode))
        result = write_to(run, path, write);
    else
        result = write_regular(run, path, write);
    if (result != 0 && result != -EINVAL)
        fprintf(stderr, "%s: %s\n", path, strerror(-result));
    return result;
}

static int write_all(const struct run *run)
{
    const struct options *options = run->options;
    int result;

    if (options->output == NULL) {
        result = write_code(run, stdout);
        if (fflush(stdout) != 0 || result == -EIO) {
            fprintf(stderr, "standard output: %s\n", strerror(errno));
            return -EIO;
        }
        return result;
    }
    result = write_file(run, options->output, write_code);
    if (result == 0 && options->depfile != NULL)
        result = write_file(run, options->depfile, write_rule);
    return result;
}

int main(int argc, char **argv)
{
    struct options options;
    struct schema_diagnostics diagnostics;
    struct schema_load_options load = {0};
    struct schema *schema = NULL;
    int result = options_read(&options, argc, argv);

    if (result != 0)
        return result == 1 ? 0 : 2;
    load.include_dirs = options.include_dirs;
    load.include_dir_count = options.include_dir_count;
    schema_diagnostics_init(&diagnostics);
    result = schema_load(options.schema, &load, &diagnostics, &schema);
    if (result == 0) {
        const struct run run = {&options, schema, &diagnostics};

        result = write_all(&run);
    }
    fputs(schema_diagnostics_text(&diagnostics), stderr);
    schema_diagnostics_fini(&diagnostics);
    schema_destroy(schema);
    return result == 0 ? 0 : 1;
}
