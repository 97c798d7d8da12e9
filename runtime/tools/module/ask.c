/* SPDX-License-Identifier: Apache-2.0 */
/* lamina module list, load, reload, unload, stat, watch: of a running host, over its endpoint. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"
#include "verbs.h"

#define NAME_COLUMNS 24

static const char *const phases[] = {"unloaded", "serving", "loading", "holding"};

static const char *endpoint_of(const struct arguments *arguments)
{
    return arguments->endpoint != NULL ? arguments->endpoint : LAM_REMOTE_ENDPOINT;
}

uint64_t ask_deadline(const struct arguments *arguments)
{
    return lam_deadline_after_ns(arguments->timeout_ns);
}

static int connect_to(const struct arguments *arguments, struct lam_remote **remote,
    const struct lam_remote_client_options *options)
{
    struct lam_error error = {""};
    int rc = lam_remote_connect(remote, options, 0, &error);

    if (rc == -ENOENT || rc == -ECONNREFUSED)
        return complain(EXIT_NOT_STARTED,
            "no host at the endpoint %s: lamina module host FILE "
            "runs one, and --endpoint names another",
            endpoint_of(arguments));
    return rc == 0 ? 0 : complain(EXIT_NOT_STARTED, "%s", error.text);
}

int ask_connect(const struct arguments *arguments, struct lam_remote **remote, uint64_t bytes_max)
{
    struct lam_remote_client_options options = {
        .endpoint = endpoint_of(arguments), .name = "lamina-module", .bytes_max = bytes_max};

    if (bytes_max < LAM_REMOTE_BYTES_DEFAULT)
        options.bytes_max = LAM_REMOTE_BYTES_DEFAULT;
    if (bytes_max > LAM_REMOTE_BYTES_MAX) /* the rest goes in chunks, where the host has any */
        options.bytes_max = LAM_REMOTE_BYTES_MAX;
    return connect_to(arguments, remote, &options);
}

static void print_text(void *context, const struct lam_module_stat *stat)
{
    size_t length = strnlen(stat->name, sizeof(stat->name));

    (void)context;
    plain_print(stdout, stat->name, 0);
    (void)printf("%*s %u.%u.%u  %-8s generation %" PRIu64 ", %u calls, %u draining\n",
        length < NAME_COLUMNS ? (int)(NAME_COLUMNS - length) : 0, "", stat->version.major,
        stat->version.minor, stat->version.patch, phases[stat->phase & 3], stat->generation,
        stat->calls, stat->draining);
}

static void print_json(void *context, const struct lam_module_stat *stat)
{
    (void)context;
    (void)fputs("{\"name\":", stdout);
    plain_print_json(stat->name);
    (void)printf(",\"version\":\"%u.%u.%u\",\"phase\":\"%s\",\"generation\":%" PRIu64
                 ",\"calls\":%u,\"draining\":%u}\n",
        stat->version.major, stat->version.minor, stat->version.patch, phases[stat->phase & 3],
        stat->generation, stat->calls, stat->draining);
}

static lam_remote_visit_fn printer_of(const struct arguments *arguments)
{
    return arguments->json ? print_json : print_text;
}

int verb_list(const struct arguments *arguments)
{
    struct lam_error error = {""};
    struct lam_remote *remote = NULL;
    int code = ask_connect(arguments, &remote, 0);
    int rc;

    if (code != 0)
        return code;
    rc =
        lam_remote_list(remote, NULL, printer_of(arguments), NULL, ask_deadline(arguments), &error);
    lam_remote_disconnect(remote);
    return rc >= 0 ? 0 : complain(EXIT_REFUSED, "%s", error.text);
}

/* Ends load and reload: how it is now, or why not. */
static int end_change(const struct arguments *arguments, struct lam_remote *remote, int rc,
    const struct lam_module_stat *stat, const struct lam_error *error)
{
    lam_remote_disconnect(remote);
    if (rc == -EPERM)
        return complain(EXIT_REFUSED,
            "this host lets no client change anything: its file must say serve: {changes: true}");
    if (rc < 0)
        return complain(EXIT_REFUSED, "%s", error->text);
    if (stat != NULL)
        printer_of(arguments)(NULL, stat);
    return 0;
}

/* A path is meant as it is seen from here, and the host may be elsewhere. */
static char *absolute(const char *reference)
{
    char *real = strchr(reference, '/') != NULL ? realpath(reference, NULL) : NULL;

    return real != NULL ? real : strdup(reference);
}

int verb_load(const struct arguments *arguments)
{
    struct lam_module_options options = {
        .host = arguments->in_process ? LAM_MODULE_IN_PROCESS : LAM_MODULE_IN_WORKER,
        .name = arguments->name,
        .config = arguments->config,
        .config_bytes = arguments->config != NULL ? strlen(arguments->config) : 0,
        .counts_calls = (uint32_t)arguments->counts};
    struct lam_module_stat stat = {.name = ""};
    struct lam_error error = {""};
    struct lam_remote *remote = NULL;
    char *reference;
    int rc, code = ask_connect(arguments, &remote, 0);

    if (code != 0)
        return code;
    reference = absolute(arguments->words[0]);
    rc = reference != NULL
             ? lam_remote_load(remote, reference, &options, &stat, ask_deadline(arguments), &error)
             : lam_error_set(&error, -ENOMEM, "out of memory");
    free(reference);
    return end_change(arguments, remote, rc, &stat, &error);
}

int verb_reload(const struct arguments *arguments)
{
    struct lam_reload_options options = {.keep_state = (uint32_t)arguments->keeps_state};
    struct lam_module_stat stat = {.name = ""};
    struct lam_error error = {""};
    struct lam_remote *remote = NULL;
    char *reference;
    int rc, code = ask_connect(arguments, &remote, 0);

    if (code != 0)
        return code;
    reference = arguments->reference != NULL ? absolute(arguments->reference) : NULL;
    options.reference = reference;
    rc = lam_remote_reload(
        remote, arguments->words[0], &options, &stat, ask_deadline(arguments), &error);
    free(reference);
    return end_change(arguments, remote, rc, &stat, &error);
}

int verb_unload(const struct arguments *arguments)
{
    struct lam_error error = {""};
    struct lam_remote *remote = NULL;
    int rc, code = ask_connect(arguments, &remote, 0);

    if (code != 0)
        return code;
    /* Half of the time for its calls, so that there is some for the answer. */
    rc = lam_remote_unload(
        remote, arguments->words[0], arguments->timeout_ns / 2, ask_deadline(arguments), &error);
    return end_change(arguments, remote, rc, NULL, &error);
}

int verb_stat(const struct arguments *arguments)
{
    struct lam_error error = {""};
    struct lam_remote *remote = NULL;
    uint64_t bytes = 0;
    char *text = malloc(arguments->room_bytes + 1);
    int rc, code = text != NULL ? ask_connect(arguments, &remote, arguments->room_bytes)
                                : complain(EXIT_REFUSED, "out of memory");

    if (code == 0) {
        rc = lam_remote_stat(
            remote, text, arguments->room_bytes + 1, &bytes, ask_deadline(arguments), &error);
        lam_remote_disconnect(remote);
        if (rc < 0)
            code = complain(EXIT_REFUSED, "%s", error.text);
        else if (bytes > arguments->room_bytes)
            code = complain(EXIT_REFUSED, "the text has %" PRIu64 " bytes: give it --room", bytes);
        else
            (void)fwrite(text, 1, bytes, stdout);
    }
    free(text);
    return code;
}

/* By enum lam_runtime_event_kind. */
static const char *const kinds[] = {"?", "loaded", "reloaded", "reload failed", "unloaded",
    "worker died", "breaker", "health", "pool", "split", "discovery"};
LAM_STATIC_ASSERT(sizeof(kinds) / sizeof(kinds[0]) == LAM_EVENT_KINDS, "each kind has a name");

static void print_event(const struct arguments *arguments, const struct lam_remote_event *event)
{
    const char *kind =
        (size_t)event->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[event->kind] : kinds[0];

    if (!arguments->json) {
        (void)printf("%12.6f ", (double)event->at_ns / 1e9);
        plain_print(stdout, event->name, 0);
        (void)printf(": %s, %" PRId64 "%s", kind, event->value, event->text[0] != '\0' ? ": " : "");
        plain_print(stdout, event->text, 0);
        (void)putchar('\n');
        return;
    }
    (void)printf("{\"at_ns\":%" PRIu64 ",\"event\":\"%s\",\"value\":%" PRId64 ",\"module\":",
        event->at_ns, kind, event->value);
    plain_print_json(event->name);
    (void)fputs(",\"text\":", stdout);
    plain_print_json(event->text);
    (void)puts("}");
}

int verb_watch(const struct arguments *arguments)
{
    struct lam_remote_client_options options = {
        .endpoint = endpoint_of(arguments), .name = "lamina-module", .wants_events = 1};
    struct lam_remote_event event;
    struct lam_remote *remote = NULL;
    int rc, code = connect_to(arguments, &remote, &options);

    if (code != 0)
        return code;
    (void)fputs("lamina module: watching\n", stderr);
    while ((rc = lam_remote_next_event(remote, &event, LAM_DEADLINE_NEVER)) == 0) {
        print_event(arguments, &event);
        if (fflush(stdout) != 0)
            break;
    }
    lam_remote_disconnect(remote);
    if (rc == -EPIPE)
        return 0; /* the host has ended */
    return rc == 0 ? complain(EXIT_REFUSED, "standard output: %s", strerror(errno))
                   : complain(EXIT_NOT_STARTED, "no more events: %s", strerror(-rc));
}
