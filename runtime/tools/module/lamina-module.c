/* SPDX-License-Identifier: Apache-2.0 */
/* lamina module: run a host of modules by its file, and ask one that runs. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lamina/config/config.h"
#include "plain.h"
#include "verbs.h"

static const char help[] =
    "usage: lamina module host FILE [--set KEY=VALUE]... [--check]\n"
    "       lamina module host --explain\n"
    "       lamina module list [--json]\n"
    "       lamina module load REFERENCE [--name NAME] [--config TEXT] [--in-process] [--counts]\n"
    "       lamina module call REFERENCE METHOD [--data BYTES | --data-from FILE]\n"
    "       lamina module reload NAME [--reference REFERENCE] [--keep-state]\n"
    "       lamina module unload NAME\n"
    "       lamina module stat\n"
    "       lamina module watch\n"
    "       lamina module doctor\n"
    "\n"
    "host loads the modules of FILE (runtime.yaml) and serves them at an endpoint until Ctrl-C or\n"
    "SIGTERM. The others ask a running host; call needs none where REFERENCE has a slash: then "
    "the\n"
    "module is loaded into a worker of its own, called once, and unloaded. stat is text for\n"
    "Prometheus, watch what happens in the host, line by line. doctor says what this machine can\n"
    "do, and what is to be done about the rest.\n"
    "\n"
    "  --endpoint NAME    of the host; default runtime\n"
    "  --data BYTES       the request of a call, as it stands; default empty\n"
    "  --data-from FILE   the request from a file; - is standard input\n"
    "  --room BYTES       the longest answer of a call; default 1048576\n"
    "  --timeout SECONDS  to wait for an answer; default 30\n"
    "  --config TEXT      what init is given by load, and by call of a file\n"
    "  --in-process       load into the host itself, whose crash its crash then is\n"
    "  --counts           its calls are counted and timed\n"
    "  --keep-state       the old code's state goes to the new one\n"
    "  --set KEY=VALUE    a key of FILE, as in modules.greeting.host=worker\n"
    "  --check            read FILE, load nothing\n"
    "  --explain          print all keys of such a file, with ranges and defaults\n"
    "  --json             one JSON object a line\n"
    "\n"
    "exit: 0, 1 the module or the host said no, 2 wrong command line or file, 3 could not start, "
    "or\n"
    "no such host\n";

/* Of all that ask a host. */
#define ASKS " --endpoint --timeout"

static const struct verb {
    const char *name;
    uint32_t words_min, words_max;
    const char *options; /* what it takes beside --help, each behind a space */
    int (*run)(const struct arguments *arguments);
} verbs[] = {
    {"host", 1, 1, " --set --check --explain", verb_host},
    {"list", 0, 0, ASKS " --json", verb_list},
    {"load", 1, 1, ASKS " --name --config --in-process --counts", verb_load},
    {"call", 2, 2, ASKS " --data --data-from --room --config", verb_call},
    {"reload", 1, 1, ASKS " --reference --keep-state", verb_reload},
    {"unload", 1, 1, ASKS, verb_unload},
    {"stat", 0, 0, ASKS " --room", verb_stat},
    {"watch", 0, 0, ASKS " --json", verb_watch},
    {"doctor", 0, 0, ASKS, verb_doctor},
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

int complain(int code, const char *format, ...)
{
    char text[2 * LAM_ERROR_TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)fputs("lamina module: ", stderr);
    plain_print(stderr, text, 1);
    (void)fputc('\n', stderr);
    return code;
}

__attribute__((noreturn)) static void refuse(const char *what, const char *argument)
{
    exit(complain(EXIT_WRONG, "%s%s; lamina module --help says more", what, argument));
}

/* Options with a value, and where it goes. */
static const struct text_option {
    const char *name;
    size_t offset;
} texts[] = {
    {"--endpoint", offsetof(struct arguments, endpoint)},
    {"--data", offsetof(struct arguments, data)},
    {"--data-from", offsetof(struct arguments, data_file)},
    {"--name", offsetof(struct arguments, name)},
    {"--config", offsetof(struct arguments, config)},
    {"--reference", offsetof(struct arguments, reference)},
};

static const struct text_option flags[] = {
    {"--in-process", offsetof(struct arguments, in_process)},
    {"--counts", offsetof(struct arguments, counts)},
    {"--keep-state", offsetof(struct arguments, keeps_state)},
    {"--json", offsetof(struct arguments, json)},
    {"--check", offsetof(struct arguments, only_checks)},
    {"--explain", offsetof(struct arguments, explains)},
};

/* Value of the option @name at argv[*at]: behind '=', or the next argument; NULL: it is another. */
static const char *value_of(char **argv, int *at, const char *name)
{
    size_t length = strlen(name);
    const char *argument = argv[*at];

    if (strncmp(argument, name, length) != 0)
        return NULL;
    if (argument[length] == '=')
        return argument + length + 1;
    if (argument[length] != '\0')
        return NULL;
    if (argv[*at + 1] == NULL)
        refuse("a value is missing behind ", name);
    return argv[++*at];
}

static double number_of(const char *text, const char *name, double min, double max)
{
    char *end;
    double number = strtod(text, &end);

    if (end == text || *end != '\0' || !(number >= min) || number > max)
        refuse("no such number: ", name);
    return number;
}

static int read_number(struct arguments *arguments, char **argv, int *at)
{
    const char *value = value_of(argv, at, "--timeout");

    if (value != NULL) {
        arguments->timeout_ns = (uint64_t)(number_of(value, "--timeout", 0, 1e6) * 1e9);
        return 1;
    }
    value = value_of(argv, at, "--room");
    if (value != NULL)
        arguments->room_bytes =
            (uint64_t)number_of(value, "--room", 0, (double)LAM_REMOTE_STREAM_BYTES_MAX);
    return value != NULL;
}

static int read_text(struct arguments *arguments, char **argv, int *at)
{
    const char *value = value_of(argv, at, "--set");

    if (value != NULL) {
        if (arguments->set_count == ARGUMENTS_SETS_MAX)
            refuse("too many settings: ", value);
        arguments->sets[arguments->set_count++] = value;
        return 1;
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        value = value_of(argv, at, texts[i].name);
        if (value != NULL) {
            memcpy((char *)arguments + texts[i].offset, &value, sizeof(value));
            return 1;
        }
    }
    return 0;
}

static int read_flag(struct arguments *arguments, const char *argument)
{
    int on = 1;

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(argument, flags[i].name) == 0) {
            memcpy((char *)arguments + flags[i].offset, &on, sizeof(on));
            return 1;
        }
    }
    return 0;
}

/* Whether @verb takes the option @argument, whose value may be behind '='. */
static int takes(const struct verb *verb, const char *argument)
{
    char option[32];
    const char *found;

    (void)snprintf(option, sizeof(option), " %.*s", (int)strcspn(argument, "="), argument);
    found = strstr(verb->options, option);
    return found != NULL && strchr(" ", found[strlen(option)]) != NULL;
}

static void read_arguments(struct arguments *arguments, const struct verb *verb, char **argv)
{
    for (int i = 2; argv[i] != NULL; i++) {
        const char *argument = argv[i];

        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            (void)fputs(help, stdout);
            exit(0);
        }
        if (read_text(arguments, argv, &i) || read_number(arguments, argv, &i) ||
            read_flag(arguments, argument)) {
            if (!takes(verb, argument))
                exit(complain(EXIT_WRONG, "%s takes no %s", verb->name, argument));
            continue;
        }
        if (argument[0] == '-' && argument[1] != '\0')
            refuse("there is no option ", argument);
        if (arguments->word_count == sizeof(arguments->words) / sizeof(arguments->words[0]))
            refuse("too many arguments: ", argument);
        arguments->words[arguments->word_count++] = argument;
    }
}

static const struct verb *find_verb(const char *name)
{
    const char *names[VERBS];
    const char *near;

    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
        names[i] = verbs[i].name;
    }
    near = lam_config_nearest(name, names, VERBS);
    if (near != NULL)
        exit(complain(EXIT_WRONG, "there is no verb \"%s\" (did you mean \"%s\"?)", name, near));
    refuse("there is no verb ", name);
}

/* A standard stream that was closed is else the next file that is opened. */
static void take_closed_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0)
            (void)open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .timeout_ns = 30 * LAM_NS_PER_S, .room_bytes = LAM_REMOTE_BYTES_DEFAULT};
    const struct verb *verb;
    int code;

    take_closed_streams();
    if (argc < 2) {
        (void)fputs(help, stderr);
        return EXIT_WRONG;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    verb = find_verb(argv[1]);
    read_arguments(&arguments, verb, argv);
    if (arguments.word_count > verb->words_max ||
        (arguments.word_count < verb->words_min && !arguments.explains))
        refuse("not so many arguments are wanted by ", verb->name);
    code = verb->run(&arguments);
    if (fflush(stdout) != 0 && code == 0)
        return complain(EXIT_REFUSED, "standard output: %s", strerror(errno));
    return code;
}
