/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *tool_name = "lamina";
static const char *tool_help = "";
static int write_failed;

void tool_refuse(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fprintf(stderr, "%s: ", tool_name);
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n%s", tool_help);
    va_end(arguments);
    exit(TOOL_WRONG);
}

/*
 * A standard stream that was closed when we were started is the next file that is opened, which may
 * be a ring: a message would be written over it. So it is taken, the wrong way round: what reads or
 * writes it is told, as before.
 */
static void take_closed_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0)
            (void)open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static void read_option(const struct tool_option *options, char **argv, int *at)
{
    const char *argument = argv[*at];
    size_t length = strcspn(argument, "=");

    for (; options->name != NULL; options++) {
        if (strlen(options->name) != length || strncmp(options->name, argument, length) != 0)
            continue;
        if (options->flag != NULL) {
            if (argument[length] != '\0')
                tool_refuse("%s takes no value", options->name);
            *options->flag = 1;
            return;
        }
        *options->value = argument[length] == '=' ? argument + length + 1 : argv[*at + 1];
        if (*options->value == NULL)
            tool_refuse("%s takes a value", options->name);
        *at += argument[length] == '\0';
        return;
    }
    tool_refuse("there is no option %s", argument);
}

void tool_read(const char *name, const char *help, const struct tool_option *options, int argc,
    char **argv, const char **operand)
{
    tool_name = name;
    tool_help = help;
    take_closed_streams();
    *operand = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            (void)fputs(help, stdout);
            exit(tool_exit_code(tool_flush()));
        }
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            read_option(options, argv, &i);
        else if (*operand != NULL)
            tool_refuse("one at a time: %s", argv[i]);
        else
            *operand = argv[i];
    }
}

uint64_t tool_number(const char *option, const char *text, uint64_t most)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value > most)
        tool_refuse(
            "%s takes a number from 0 to %llu, not \"%s\"", option, (unsigned long long)most, text);
    return value;
}

uint64_t tool_duration_ns(const char *option, const char *text)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"m", 60e9}};
    char *end;
    double value = strtod(text, &end);

    for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(end, units[i].unit) == 0 && value >= 0 && value * units[i].ns <= 86400e9)
            return (uint64_t)(value * units[i].ns);
    tool_refuse("%s takes a duration up to a day, as 1s or 250ms, not \"%s\"", option, text);
}

int tool_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* The ring's name and folder that a path of one of its objects says. */
static void split_path(char *path, const char **directory, const char **name)
{
    char *slash = strrchr(path, '/');
    char *file = slash == NULL ? path : slash + 1;
    int is_object = tool_ends_with(file, ".data") || tool_ends_with(file, ".control");

    if (slash == NULL && !(is_object && access(path, F_OK) == 0))
        return; /* a name */
    *directory = slash == NULL ? "." : slash == path ? "/" : path;
    if (slash != NULL)
        *slash = '\0';
    if (is_object)
        *strrchr(file, '.') = '\0';
    *name = strncmp(file, "lamina.", strlen("lamina.")) == 0 ? file + strlen("lamina.") : file;
}

static void say_cut(int signal_number)
{
    static const char text[] = "lamina: the ring was cut short while it was looked at\n";

    (void)signal_number;
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        _exit(TOOL_FAILED);
    _exit(TOOL_DAMAGED);
}

void tool_expect_cut(void)
{
    (void)signal(SIGBUS, say_cut);
}

int tool_attach(struct lam_ring *ring, const char *directory, const char *name)
{
    struct lam_ring_attach_options options = {.observe = 1};
    struct lam_error error;
    char path[4096];
    int rc;

    if (strlen(name) >= sizeof(path))
        tool_refuse("a name of %zu bytes", strlen(name));
    (void)snprintf(path, sizeof(path), "%s", name);
    options.name = path;
    options.directory = directory;
    split_path(path, &options.directory, &options.name);
    tool_expect_cut();
    rc = lam_ring_attach(ring, &options, &error);
    if (rc == 0)
        return 0;
    (void)fprintf(stderr, "%s: ", tool_name);
    for (const unsigned char *c = (const unsigned char *)error.text; *c != '\0'; c++)
        (void)fputc((*c < ' ' && *c != '\n') || *c >= 0x7f ? '?' : *c, stderr);
    (void)fputc('\n', stderr);
    return rc == -EINVAL ? TOOL_WRONG : rc == -EPROTO ? TOOL_DAMAGED : TOOL_NOT_THERE;
}

void tool_print(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes && text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];

        (void)putchar(c >= ' ' && c < 0x7f ? c : '?');
    }
}

void tool_print_json(const char *text, size_t bytes)
{
    (void)putchar('"');
    for (size_t i = 0; i < bytes && text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\')
            (void)printf("\\%c", c);
        else if (c >= ' ' && c < 0x7f)
            (void)putchar(c);
        else
            (void)printf("\\u%04x", c);
    }
    (void)putchar('"');
}

int tool_flush(void)
{
    if (!write_failed && fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    if (!write_failed && errno != EPIPE)
        (void)fprintf(stderr, "%s: cannot write: %s\n", tool_name, strerror(errno));
    write_failed = write_failed || errno != EPIPE;
    return -1;
}

int tool_exit_code(int code)
{
    if (code < 0)
        code = 0;
    return write_failed && code == 0 ? TOOL_FAILED : code;
}

void tool_pause(uint64_t duration_ns)
{
    struct timespec pause = {.tv_sec = (time_t)(duration_ns / LAM_NS_PER_S),
        .tv_nsec = (long)(duration_ns % LAM_NS_PER_S)};

    while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
        ;
}

const char *tool_state(unsigned state)
{
    static const char *const words[] = {"new", "open", "closed", "dead", "poisoned", "failed"};

    return state < sizeof(words) / sizeof(words[0]) ? words[state] : "unknown";
}
