/* SPDX-License-Identifier: Apache-2.0 */
/* lamina journal: look at a sequencer's journal while no process has it open. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal_tool.h"

static const char help[] =
    "usage: lamina journal inspect FOLDER\n"
    "       lamina journal verify FOLDER\n"
    "       lamina journal dump FOLDER [--json] [--from N] [--count N]\n"
    "       lamina journal export FOLDER [--from N] [--count N]\n"
    "       lamina journal diff FOLDER OTHER [--from N]\n"
    "\n"
    "Reads a sequencer's journal and changes nothing.\n"
    "\n"
    "  inspect   its segments, mark and snapshots\n"
    "  verify    all that recovery would check, and each snapshot\n"
    "  dump      one line for each event, its data in hex; --json: an object a line\n"
    "  export    the data of the events, one behind the other, to standard output\n"
    "  diff      the first event that differs between two journals\n"
    "  --from N  begin with event N;  --count N: so many at most\n"
    "\n"
    "While a process has the journal open, only inspect and verify read it.\n"
    "\n"
    "exit: 0 sound or equal, 1 damaged or different, 2 wrong command line, 3 cannot be read now\n";

static const struct {
    const char *name;
    unsigned folders;
    int (*run)(const struct journal_options *options);
} verbs[] = {
    {"inspect", 1, tool_inspect},
    {"verify", 1, tool_verify},
    {"dump", 1, tool_dump},
    {"export", 1, tool_export},
    {"diff", 2, tool_diff},
};

__attribute__((noreturn)) static void refuse(const char *what, const char *argument)
{
    (void)fprintf(stderr, "lamina journal: %s%s\n%s", what, argument, help);
    exit(EXIT_USAGE);
}

static uint64_t number(const char *option, const char *text)
{
    char *end = NULL;
    unsigned long long value = text != NULL ? strtoull(text, &end, 10) : 0;

    if (text == NULL || *text < '0' || *text > '9' || *end != 0)
        refuse("a number belongs behind ", option);
    return value;
}

static void read_options(struct journal_options *options, char **argv)
{
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--json") == 0) {
            options->is_json = 1;
        } else if (strcmp(*argv, "--from") == 0) {
            options->from = number(*argv, argv[1]);
            argv++;
        } else if (strcmp(*argv, "--count") == 0) {
            options->count = number(*argv, argv[1]);
            argv++;
        } else if (**argv == '-') {
            refuse("there is no option ", *argv);
        } else if (options->folder_count == 2) {
            refuse("too many folders: ", *argv);
        } else {
            options->folders[options->folder_count++] = *argv;
        }
    }
}

int tool_failed(const struct cursor *cursor, int result)
{
    (void)fprintf(stderr, "lamina journal: %s\n", cursor->error.text);
    return result == -EBADMSG ? EXIT_DAMAGED : EXIT_NOT_READ;
}

int tool_open(struct cursor *cursor, const char *folder, int may_be_in_use)
{
    int result = cursor_open(cursor, folder);

    if (result < 0)
        return tool_failed(cursor, result);
    if (!cursor->is_in_use)
        return 0;
    if (may_be_in_use) {
        (void)fprintf(stderr,
            "lamina journal: a process has %s open: its end may be on its way, and may be told as "
            "torn\n",
            folder);
        return 0;
    }
    (void)fprintf(stderr,
        "lamina journal: a process has %s open: end it first, or copy the folder\n", folder);
    cursor_close(cursor);
    return EXIT_NOT_READ;
}

int main(int argc, char **argv)
{
    struct journal_options options = {.count = UINT64_MAX};
    int code;

    if (argc < 2)
        refuse("what is to be done? ", "");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    read_options(&options, argv + 2);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        if (options.folder_count != verbs[i].folders)
            refuse(
                verbs[i].folders == 1 ? "one folder belongs behind " : "two folders belong behind ",
                argv[1]);
        code = verbs[i].run(&options);
        return fflush(stdout) == 0 ? code : EXIT_NOT_READ;
    }
    refuse("there is no verb ", argv[1]);
}
