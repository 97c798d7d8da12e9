/* SPDX-License-Identifier: Apache-2.0 */
/* lamina seq: ask a sequencer, listen to it, and load it. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

static const char help[] =
    "usage: lamina seq send ADDRESS [REQUEST]...\n"
    "       lamina seq tail ADDRESS [--from SEQUENCE] [--count N]\n"
    "       lamina seq load ADDRESS --rate N [--seconds S] [--bytes N] [--histogram FILE]\n"
    "\n"
    "send asks the node that listens at ADDRESS (unix:PATH or tcp:HOST:PORT), one request after\n"
    "another, each once whatever breaks, and prints the replies. Without REQUEST each line of\n"
    "standard input is one. tail prints what is published. load sends so many requests a second,\n"
    "at times that do not depend on the answers, and prints one line of JSON: an answer's time is\n"
    "counted from when its request was to be sent.\n"
    "\n"
    "  --query            the requests change nothing, and are not journaled\n"
    "  --hex              requests and replies are bytes in hexadecimal digits\n"
    "  --json             one JSON object a line\n"
    "  --from SEQUENCE    of the first event; default: from now on\n"
    "  --count N          end after so many events\n"
    "  --rate N           requests a second\n"
    "  --seconds S        default 10\n"
    "  --bytes N          of a request; default 16. REQUEST takes its place\n"
    "  --histogram FILE   all times: lines of nanoseconds, at most, and how many\n"
    "  --window N         requests without an answer; default: as the node allows\n"
    "  --key FILE         the private key to show, in PEM\n"
    "  --timeout SECONDS  to wait for the node, and for an answer; default 10\n"
    "\n"
    "exit: 0, 1 the node said no or did not answer, 2 wrong command line, 3 no such node\n";

int complain(int code, const char *format, ...)
{
    va_list arguments;

    (void)fputs("lamina seq: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return code;
}

int seq_failed(const struct lam_sequencer_client *client, int rc)
{
    const char *why = lam_sequencer_client_failure(client);

    if (rc == -ETIMEDOUT && why[0] == '\0')
        return complain(EXIT_REFUSED, "no answer in time; --timeout gives it more");
    if (rc == -EMSGSIZE)
        return complain(EXIT_REFUSED, "the request is longer than the node takes");
    return complain(EXIT_REFUSED, "%s", why[0] != '\0' ? why : strerror(-rc));
}

int seq_connect(const struct arguments *arguments, struct lam_sequencer_client **client)
{
    struct lam_sequencer_client_options options = {
        .address = arguments->address, .key = arguments->key, .window = arguments->window};
    struct lam_error error = {""};
    int rc = lam_sequencer_client_create(client, &options, &error);

    if (rc != 0)
        return complain(EXIT_WRONG, "%s", error.text);
    rc = lam_sequencer_client_welcome_until(*client, lam_deadline_after_ns(arguments->timeout_ns));
    if (rc == 0)
        return 0;
    (void)seq_failed(*client, rc);
    lam_sequencer_client_destroy(*client);
    return EXIT_NOT_STARTED;
}

void seq_end(struct lam_sequencer_client *client)
{
    /* A node that has gone meanwhile keeps the session a while: nothing is wrong with that. */
    (void)lam_sequencer_client_end_until(client, lam_deadline_after_ns(LAM_NS_PER_S));
    lam_sequencer_client_destroy(client);
}

static void print_bytes(const struct lam_sequencer_reply *reply, int is_hex)
{
    const unsigned char *bytes = reply->bytes;

    if (!is_hex)
        (void)fwrite(bytes, 1, reply->count, stdout);
    for (size_t i = 0; is_hex && i < reply->count; i++)
        (void)printf("%02x", bytes[i]);
}

/* A text of the node's within quotes: it has no control characters, by the client. */
static void print_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)putchar('\\');
        (void)putchar(*text);
    }
}

static void print_json(const struct lam_sequencer_reply *reply)
{
    if (reply->kind == LAM_SEQUENCER_REFUSED) {
        (void)printf("{\"request\":%llu,\"refused\":%u,\"text\":\"",
            (unsigned long long)reply->request, reply->code);
        print_text(reply->text);
    } else if (reply->kind == LAM_SEQUENCER_EVENT) {
        (void)printf("{\"sequence\":%llu,\"index\":%u,\"hex\":\"",
            (unsigned long long)reply->sequence, reply->index);
        print_bytes(reply, 1);
    } else {
        (void)printf("{\"request\":%llu,\"sequence\":%llu,\"repeat\":%s,\"hex\":\"",
            (unsigned long long)reply->request, (unsigned long long)reply->sequence,
            reply->is_repeat ? "true" : "false");
        print_bytes(reply, 1);
    }
    (void)fputs("\"}\n", stdout);
}

void seq_print(const struct arguments *arguments, const struct lam_sequencer_reply *reply)
{
    if (arguments->is_json) {
        print_json(reply);
    } else if (reply->kind == LAM_SEQUENCER_REFUSED) {
        (void)complain(0, "refused (%u): %s", reply->code, reply->text);
    } else {
        if (reply->kind == LAM_SEQUENCER_EVENT)
            (void)printf("%llu.%u ", (unsigned long long)reply->sequence, reply->index);
        print_bytes(reply, arguments->is_hex);
        (void)putchar('\n');
    }
}

static double number(const char *text, const char *name, double least, double most)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= least) || value > most)
        exit(complain(EXIT_WRONG, "--%s: a number from %.0f to %.0f is wanted, not \"%s\"", name,
            least, most, text));
    return value;
}

/* Whole, and all 64 bits of it. */
static uint64_t integer(const char *text, const char *name)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        exit(complain(EXIT_WRONG, "--%s: a whole number is wanted, not \"%s\"", name, text));
    return value;
}

enum { QUERY = 1, HEX, JSON, FROM, COUNT, RATE, SECONDS, BYTES, HISTOGRAM, WINDOW, KEY, TIMEOUT };

static void take(struct arguments *arguments, int option, const char *text)
{
    switch (option) {
    case QUERY:
        arguments->is_query = 1;
        break;
    case HEX:
        arguments->is_hex = 1;
        break;
    case JSON:
        arguments->is_json = 1;
        break;
    case FROM:
        arguments->from = integer(text, "from");
        break;
    case COUNT:
        arguments->count = integer(text, "count");
        break;
    case RATE:
        arguments->rate = number(text, "rate", 1, 1e7);
        break;
    case SECONDS:
        arguments->seconds = number(text, "seconds", 0, 1e6);
        break;
    case BYTES:
        arguments->bytes = (uint64_t)number(text, "bytes", 0, 1 << 24);
        break;
    case HISTOGRAM:
        arguments->histogram = text;
        break;
    case WINDOW:
        arguments->window = (uint32_t)number(text, "window", 1, 65536);
        break;
    case KEY:
        arguments->key = text;
        break;
    case TIMEOUT:
        arguments->timeout_ns = (uint64_t)(number(text, "timeout", 0, 1e6) * 1e9);
        break;
    default:
        exit(complain(EXIT_WRONG, "lamina seq --help says more"));
    }
}

static void read_arguments(struct arguments *arguments, int count, char **words)
{
    static const struct option options[] = {{"query", 0, NULL, QUERY}, {"hex", 0, NULL, HEX},
        {"json", 0, NULL, JSON}, {"from", 1, NULL, FROM}, {"count", 1, NULL, COUNT},
        {"rate", 1, NULL, RATE}, {"seconds", 1, NULL, SECONDS}, {"bytes", 1, NULL, BYTES},
        {"histogram", 1, NULL, HISTOGRAM}, {"window", 1, NULL, WINDOW}, {"key", 1, NULL, KEY},
        {"timeout", 1, NULL, TIMEOUT}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(count, words, "h", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            exit(0);
        }
        take(arguments, option, optarg);
    }
    if (optind == count)
        exit(complain(
            EXIT_WRONG, "%s: where does the node listen? unix:PATH or tcp:HOST:PORT", words[0]));
    arguments->address = words[optind];
    arguments->words = words + optind + 1;
    arguments->word_count = count - optind - 1;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct arguments *arguments);
    } verbs[] = {{"send", verb_send}, {"tail", verb_tail}, {"load", verb_load}};
    struct arguments arguments = {
        .count = UINT64_MAX, .seconds = 10, .bytes = 16, .timeout_ns = 10 * LAM_NS_PER_S};

    if (argc < 2) {
        (void)fputs(help, stderr);
        return EXIT_WRONG;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        (void)fputs(help, stdout);
        return 0;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        int code;

        if (strcmp(verbs[i].name, argv[1]) != 0)
            continue;
        read_arguments(&arguments, argc - 1, argv + 1);
        code = verbs[i].run(&arguments);
        if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0)
            return complain(EXIT_REFUSED, "standard output: %s", strerror(errno));
        return code;
    }
    return complain(EXIT_WRONG, "there is no verb \"%s\": send, tail, load", argv[1]);
}
