/* SPDX-License-Identifier: Apache-2.0 */
/* The main of a node. */
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETS_MAX 64

#define EXIT_ARGUMENTS 2

/* What the command line says. */
struct arguments {
    const char *path;
    const char *sets[SETS_MAX];
    size_t set_count;
    int checks, explains, helps;
};

static void usage(FILE *out, const char *program)
{
    (void)fprintf(out,
        "usage: %s FILE [--set KEY=VALUE]... [--check]\n"
        "       %s --explain\n"
        "\n"
        "Runs a sequencer as FILE (sequencer.yaml) says, until SIGTERM or SIGINT.\n"
        "  --set KEY=VALUE  in the place of what FILE says\n"
        "  --check          read FILE, say what is wrong with it, and end\n"
        "  --explain        all keys of FILE\n",
        program, program);
}

/* Returns 1, or 0 where an argument makes no sense; it is told. */
static int parse(struct arguments *arguments, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            arguments->helps = 1;
        } else if (strcmp(argv[i], "--explain") == 0) {
            arguments->explains = 1;
        } else if (strcmp(argv[i], "--check") == 0) {
            arguments->checks = 1;
        } else if (strcmp(argv[i], "--set") == 0 && i + 1 < argc &&
                   arguments->set_count < SETS_MAX) {
            arguments->sets[arguments->set_count++] = argv[++i];
        } else if (argv[i][0] != '-' && arguments->path == NULL) {
            arguments->path = argv[i];
        } else {
            (void)fprintf(stderr, "%s: what is %s? See --help\n", argv[0], argv[i]);
            return 0;
        }
    }
    if (arguments->path == NULL && !arguments->helps && !arguments->explains) {
        (void)fprintf(stderr, "%s: which file? See --help\n", argv[0]);
        return 0;
    }
    return 1;
}

static int run(const struct arguments *arguments, const char *program, const struct lam_app *app)
{
    struct lam_sequencer_file *file;
    char *report;
    int rc = lam_sequencer_file_read(
        &file, arguments->path, arguments->sets, arguments->set_count, &report);
    int status = 0;

    if (rc != 0) {
        if (report != NULL)
            (void)fputs(report, stderr);
        else
            (void)fprintf(stderr, "%s: %s: %s\n", program, arguments->path, strerror(-rc));
        free(report);
        return EXIT_ARGUMENTS;
    }
    if (arguments->checks)
        (void)printf("%s: fine\n", arguments->path);
    else
        status = lam_sequencer_run(lam_sequencer_file_config(file), app);
    lam_sequencer_file_destroy(file);
    return status;
}

int lam_sequencer_main(int argc, char **argv, const struct lam_app *app)
{
    struct arguments arguments = {0};

    if (!parse(&arguments, argc, argv))
        return EXIT_ARGUMENTS;
    if (arguments.helps) {
        usage(stdout, argv[0]);
        return 0;
    }
    if (arguments.explains) {
        lam_config_explain(lam_sequencer_file_table(), stdout);
        return 0;
    }
    return run(&arguments, argv[0], app);
}
