/* SPDX-License-Identifier: Apache-2.0 */
/* lamina clean: remove what dead processes left of their rings, and nothing else. */
#include "lamina/base/segment.h"
#include "lamina/ring/clean.h"
#include "tool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: lamina clean [--yes] [--json] [--files] [--directory DIRECTORY] [RING]\n"
    "\n"
    "Shows the rings of a directory, and what is dead of them: no process holds any lock of\n"
    "theirs, which the kernel drops when a process dies. Without --yes nothing is changed. What\n"
    "cannot be proven dead is left alone, and so is whatever is no ring.\n"
    "\n"
    "  --yes         remove what is dead, and what was half made by a process that is gone\n"
    "  --files       file rings without an end count as dead; else they are kept\n"
    "  --directory   where to look, /dev/shm by default\n"
    "  --json        one JSON object a finding and line\n"
    "  RING          this ring alone\n"
    "\n"
    "exit: 0, 1 something dead could not be removed, 2 wrong command line, 3 the directory cannot\n"
    "be read, or has nothing by the name RING\n";

enum { EXIT_LEFT = 1, EXIT_WRONG = 2, EXIT_NOT_STARTED = 3 };

struct tally {
    const struct lam_ring_clean_options *options;
    int json;
    unsigned alive;
    unsigned dead;
    unsigned removed;
    unsigned failed;
    unsigned kept;
    uint64_t bytes;
};

static const char *word_of(enum lam_ring_find find)
{
    static const char *const words[] = {"alive", "dead", "half", "file", "unsure"};

    return words[find];
}

/* A name may hold anything but '/' and zero. */
static void print_json(const struct lam_ring_found *finding)
{
    (void)printf("{\"find\": \"%s\", \"name\": ", word_of(finding->find));
    tool_print_json(finding->name, SIZE_MAX);
    (void)printf(", \"bytes\": %llu, \"removed\": %s, \"text\": ",
        (unsigned long long)finding->bytes, finding->removed ? "true" : "false");
    tool_print_json(finding->text, SIZE_MAX);
    (void)puts("}");
}

static void print_text(const struct lam_ring_found *finding)
{
    (void)printf("%-8s %10llu  ", finding->removed ? "removed" : word_of(finding->find),
        (unsigned long long)finding->bytes);
    tool_print(finding->name, SIZE_MAX);
    (void)fputs(": ", stdout);
    tool_print(finding->text, SIZE_MAX);
    (void)putchar('\n');
}

static void take(void *context, const struct lam_ring_found *finding)
{
    struct tally *tally = context;
    int dead = finding->find == LAM_RING_FIND_DEAD || finding->find == LAM_RING_FIND_HALF;

    tally->alive += finding->find == LAM_RING_FIND_ALIVE;
    tally->kept += finding->find == LAM_RING_FIND_FILE || finding->find == LAM_RING_FIND_UNSURE;
    tally->dead += dead;
    tally->removed += finding->removed != 0;
    tally->failed += finding->code != 0;
    tally->bytes += dead ? finding->bytes : 0;
    if (tally->json)
        print_json(finding);
    else
        print_text(finding);
}

static void print_sum(const struct tally *tally)
{
    if (tally->options->remove)
        (void)printf("%u alive, %u left alone, %u of %u dead removed, %llu bytes\n", tally->alive,
            tally->kept, tally->removed, tally->dead, (unsigned long long)tally->bytes);
    else
        (void)printf("%u alive, %u left alone, %u dead, %llu bytes%s\n", tally->alive, tally->kept,
            tally->dead, (unsigned long long)tally->bytes,
            tally->dead != 0 ? "; --yes removes them" : "");
}

/* A name that was mistyped is not one that was cleaned. Returns the exit code. */
static int tell_nothing(const struct lam_ring_clean_options *options)
{
    (void)fprintf(stderr, "lamina clean: %s has nothing by the name %s\n",
        options->directory == NULL ? LAM_SEGMENT_DIRECTORY : options->directory, options->name);
    return EXIT_NOT_STARTED;
}

__attribute__((noreturn)) static void refuse(const char *what, const char *argument)
{
    (void)fprintf(stderr, "lamina clean: %s%s\n%s", what, argument, help);
    exit(EXIT_WRONG);
}

static const char *directory_value(char **argv, int *at)
{
    const char *name = "--directory";
    const char *value = argv[*at] + strlen(name);

    if (*value == '=')
        value++;
    else
        value = argv[*at + 1] != NULL ? argv[++*at] : "";
    if (*value == '\0')
        refuse("--directory takes a directory", "");
    return value;
}

static int read_arguments(char **argv, struct lam_ring_clean_options *options, struct tally *tally)
{
    for (int i = 1; argv[i] != NULL; i++) {
        const char *argument = argv[i];

        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            (void)fputs(help, stdout);
            return 0;
        }
        if (strcmp(argument, "--yes") == 0)
            options->remove = 1;
        else if (strcmp(argument, "--json") == 0)
            tally->json = 1;
        else if (strcmp(argument, "--files") == 0)
            options->files = 1;
        else if (strcmp(argument, "--directory") == 0 ||
                 strncmp(argument, "--directory=", strlen("--directory=")) == 0)
            options->directory = directory_value(argv, &i);
        else if (argument[0] == '-')
            refuse("there is no option ", argument);
        else if (options->name != NULL)
            refuse("one ring at a time: ", argument);
        else
            options->name = argument;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct lam_ring_clean_options options = {0};
    struct tally tally = {.options = &options};
    struct lam_error error = {{0}};

    (void)argc;
    /* A closed standard stream would be the next object that is opened, and be written to. */
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0)
            (void)open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (!read_arguments(argv, &options, &tally))
        return 0;
    if (lam_ring_clean(&options, take, &tally, &error) != 0) {
        (void)fprintf(stderr, "lamina clean: %s\n", error.text);
        return EXIT_NOT_STARTED;
    }
    if (options.name != NULL && tally.alive + tally.kept + tally.dead == 0)
        return tell_nothing(&options);
    if (!tally.json)
        print_sum(&tally);
    return tally.failed != 0 ? EXIT_LEFT : 0;
}
