/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"

#include "lamina/config/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *command_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

__attribute__((noreturn)) static void refuse(
    const char *command, const char *what, const char *argument, const char *help)
{
    (void)fprintf(stderr, "%s: %s%s\n%s", command, what, argument, help);
    exit(EXIT_WRONG);
}

/* Value of an option that takes one: behind '=', or the next argument. NULL: it is missing. */
static const char *value_of(char **argv, int *at, size_t name_length)
{
    if (argv[*at][name_length] == '=')
        return argv[*at] + name_length + 1;
    return argv[*at + 1] != NULL ? argv[++*at] : NULL;
}

static int has_option(const char *options, const char *argument)
{
    const char *found = strstr(options, argument);
    size_t length = strlen(argument);

    return found != NULL && (found[length] == ' ' || found[length] == '\0');
}

static void read_flag(struct arguments *arguments, char **argv, const char *argument,
    const char *options, const char *help)
{
    if (!has_option(options, argument))
        refuse(command_name(argv[0]), "there is no option ", argument, help);
    arguments->json |= strcmp(argument, "--json") == 0;
    arguments->once |= strcmp(argument, "--once") == 0;
    arguments->dump |= strcmp(argument, "--dump") == 0;
    arguments->explain |= strcmp(argument, "--explain") == 0;
}

static int takes(const char *argument, const char *name)
{
    size_t length = strlen(name);

    return strncmp(argument, name, length) == 0 &&
           (argument[length] == '=' || argument[length] == '\0');
}

static void read_interval(struct arguments *arguments, char **argv, int *at, const char *help)
{
    const char *text = value_of(argv, at, strlen("--interval"));
    char *end = NULL;

    arguments->interval_s = text != NULL ? strtod(text, &end) : 0;
    if (text == NULL || end == text || *end != '\0' || !(arguments->interval_s >= 0.01) ||
        arguments->interval_s > 3600)
        refuse(command_name(argv[0]), "--interval takes seconds, 0.01 to 3600", "", help);
}

static void read_setting(struct arguments *arguments, char **argv, int *at, const char *help)
{
    const char *setting = value_of(argv, at, strlen("--set"));

    if (setting == NULL)
        refuse(command_name(argv[0]), "--set takes NAME=VALUE", "", help);
    if (arguments->set_count == ARGUMENTS_SETS_MAX)
        refuse(command_name(argv[0]), "too many settings: ", setting, help);
    arguments->sets[arguments->set_count++] = setting;
}

/*
 * A standard stream that was closed when we were started is the next file that is opened, which may
 * be a shared page: a message would be written over it. So it is taken, the wrong way round: what
 * reads or writes it is told, as before.
 */
static void take_closed_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0)
            (void)open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void arguments_read(
    struct arguments *arguments, int argc, char **argv, const char *options, const char *help)
{
    take_closed_streams();
    memset(arguments, 0, sizeof(*arguments));
    arguments->interval_s = 1;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];

        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            (void)fputs(help, stdout);
            exit(0);
        }
        if (takes(argument, "--set"))
            read_setting(arguments, argv, &i, help);
        else if (takes(argument, "--interval") && has_option(options, "--interval"))
            read_interval(arguments, argv, &i, help);
        else if (argument[0] == '-' && argument[1] != '\0')
            read_flag(arguments, argv, argument, options, help);
        else if (arguments->file != NULL)
            refuse(command_name(argv[0]), "one file at a time: ", argument, help);
        else
            arguments->file = argument;
    }
    if (arguments->file == NULL && !arguments->explain)
        refuse(command_name(argv[0]), "no file was given", "", help);
}

struct lam_plan *arguments_plan(const struct arguments *arguments, struct lam_machine *machine)
{
    struct lam_plan *plan;
    struct lam_error error;
    char *report = NULL;

    if (lam_machine_here(machine, &error) != 0) {
        (void)fprintf(stderr, "lamina: %s\n", error.text);
        exit(EXIT_NOT_STARTED);
    }
    if (lam_plan_read(
            &plan, arguments->file, arguments->sets, arguments->set_count, machine, &report) == 0)
        return plan;
    (void)fputs(report != NULL ? report : "lamina: out of memory\n", stderr);
    free(report);
    exit(EXIT_WRONG);
}

void arguments_types(struct lam_plan *plan, const struct lam_machine *machine)
{
    char *report = NULL;

    if (lam_plan_resolve_types(plan, machine, &report) == 0)
        return;
    (void)fputs(report != NULL ? report : "lamina: out of memory\n", stderr);
    free(report);
    exit(EXIT_WRONG);
}
