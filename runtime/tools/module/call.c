/* SPDX-License-Identifier: Apache-2.0 */
/* lamina module call: raw bytes in, raw bytes out, of a file in its own worker or of a host. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"

struct bytes {
    char *data;
    size_t count;
};

/* All of @fd, as far as anything takes it. Returns 0 or -errno. */
static int read_all(int fd, struct bytes *bytes)
{
    size_t capacity = 0;

    for (;;) {
        ssize_t got;

        if (bytes->count == capacity) {
            char *more;

            if (capacity >= LAM_REMOTE_STREAM_BYTES_MAX)
                return -EFBIG;
            capacity = capacity != 0 ? 2 * capacity : 65536;
            more = realloc(bytes->data, capacity);
            if (more == NULL)
                return -ENOMEM;
            bytes->data = more;
        }
        got = read(fd, bytes->data + bytes->count, capacity - bytes->count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        bytes->count += (size_t)got;
    }
}

/* The request. Returns 0, or complains and returns the exit code. */
static int take_request(const struct arguments *arguments, struct bytes *request)
{
    const char *path = arguments->data_file;
    int fd, rc;

    if (path == NULL) {
        request->data = strdup(arguments->data != NULL ? arguments->data : "");
        request->count = request->data != NULL ? strlen(request->data) : 0;
        return request->data != NULL ? 0 : complain(EXIT_REFUSED, "out of memory");
    }
    if (arguments->data != NULL)
        return complain(EXIT_WRONG, "give --data or --data-from, not both");
    fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    rc = fd >= 0 ? read_all(fd, request) : -errno;
    if (fd >= 0)
        (void)close(fd);
    return rc == 0 ? 0 : complain(EXIT_WRONG, "%s: %s", path, strerror(-rc));
}

/* By enum lam_failure; a detail that tells people something stands behind it. */
static const struct sentence {
    const char *text;
    int has_detail;
} sentences[] = {
    [LAM_FAILURE_NO_MODULE] = {"no such module is loaded", 0},
    [LAM_FAILURE_NO_METHOD] = {"it has no such method", 0},
    [LAM_FAILURE_TOO_DEEP] = {"calls within calls are too deep, at", 1},
    [LAM_FAILURE_DEADLINE] = {"it had not ended when its time was over (--timeout)", 0},
    [LAM_FAILURE_BUSY] = {"it took other calls until the time was over (--timeout)", 0},
    [LAM_FAILURE_BAD_REPLY] = {"it says that it wrote more than it had room for", 0},
    [LAM_FAILURE_CRASHED] = {"it ended its worker by signal", 1},
    [LAM_FAILURE_EXITED] = {"it ended its worker with status", 1},
    [LAM_FAILURE_NO_WORKER] = {"no worker could be started (lamina module doctor): error", 1},
    [LAM_FAILURE_POISONED] = {"its worker wrote nonsense into its channel", 0},
    [LAM_FAILURE_NO_THREAD] = {"too many threads call", 0},
    [LAM_FAILURE_OPEN] = {"its breaker lets nobody in; ms until it does", 1},
    [LAM_FAILURE_LIMITED] = {"a quota or a queue is full: enum lam_limit", 1},
    [LAM_FAILURE_VETOED] = {"the host refused it with", 1},
    [LAM_FAILURE_UNREADY] = {"its probes say that it is not ready", 0},
};

static int report_failure(const struct arguments *arguments, const struct lam_module_reply *reply)
{
    const struct sentence *sentence = &sentences[0];
    char detail[16] = "";

    if (reply->failure < sizeof(sentences) / sizeof(sentences[0]))
        sentence = &sentences[reply->failure];
    if (sentence->has_detail || sentence->text == NULL)
        (void)snprintf(detail, sizeof(detail), " %d", reply->detail);
    return complain(EXIT_REFUSED, "%s: %s: %s%s", arguments->words[0], arguments->words[1],
        sentence->text != NULL ? sentence->text : "it failed", detail);
}

/* A host that is there and late, or says no, is no missing one. */
static int has_gone(int rc)
{
    return rc == -EPIPE || rc == -EOWNERDEAD || rc == -EACCES;
}

/* What came of the call, of a host or, without @remote, of a file. Returns the exit code. */
static int report(const struct arguments *arguments, int rc, uint64_t request_bytes,
    const struct lam_module_reply *reply, const struct lam_remote *remote)
{
    const char *module = arguments->words[0];
    const char *method = arguments->words[1];

    if (rc == 0)
        return fwrite(reply->data, 1, reply->bytes, stdout) == reply->bytes
                   ? 0
                   : complain(EXIT_REFUSED, "standard output: %s", strerror(errno));
    if (rc == -ENOSPC && reply->bytes > reply->capacity)
        return complain(EXIT_REFUSED,
            "%s: %s: its answer needs %llu bytes, and has %llu: give it --room", module, method,
            (unsigned long long)reply->bytes, (unsigned long long)reply->capacity);
    if (reply->failure == LAM_FAILURE_REMOTE)
        return complain(has_gone(rc) ? EXIT_NOT_STARTED : EXIT_REFUSED, "%s: %s: %s", module,
            method, lam_remote_why(remote));
    if (remote == NULL && rc == -ENOSPC && reply->failure == LAM_FAILURE_NONE)
        return complain(EXIT_REFUSED,
            "%s: %s: its answer needs %llu bytes, and a worker's has %llu at most", module, method,
            (unsigned long long)reply->bytes, (unsigned long long)LAM_WORKER_REPLY_BYTES_MAX);
    if (remote == NULL && rc == -EMSGSIZE && request_bytes > LAM_WORKER_REQUEST_BYTES_MAX)
        return complain(EXIT_REFUSED, "%s: %s: the request has %llu bytes, and a worker takes %llu",
            module, method, (unsigned long long)request_bytes,
            (unsigned long long)LAM_WORKER_REQUEST_BYTES_MAX);
    if (reply->failure != LAM_FAILURE_NONE)
        return report_failure(arguments, reply);
    return complain(EXIT_REFUSED, "%s: %s returned %d%s%s", module, method, rc, rc < 0 ? ": " : "",
        rc < 0 ? strerror(-rc) : "");
}

static int call_file(
    const struct arguments *arguments, const struct bytes *request, struct lam_module_reply *reply)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER,
        .config = arguments->config,
        .config_bytes = arguments->config != NULL ? strlen(arguments->config) : 0};
    struct lam_runtime *runtime = NULL;
    struct lam_module *module;
    struct lam_error error = {""};
    int code, rc = lam_runtime_create(&runtime, NULL, &error);

    if (rc == 0)
        rc = lam_runtime_load(runtime, arguments->words[0], &options, &module, &error);
    if (rc != 0) {
        lam_runtime_destroy(runtime);
        return complain(EXIT_REFUSED, "%s", error.text);
    }
    rc = lam_module_call(module, lam_method_id(arguments->words[1]), request->data, request->count,
        reply, ask_deadline(arguments));
    code = report(arguments, rc, request->count, reply, NULL);
    lam_runtime_destroy(runtime);
    return code;
}

static int call_host(
    const struct arguments *arguments, const struct bytes *request, struct lam_module_reply *reply)
{
    uint64_t most = request->count > reply->capacity ? request->count : reply->capacity;
    struct lam_remote *remote = NULL;
    int code = ask_connect(arguments, &remote, most);
    int rc;

    if (code != 0)
        return code;
    rc = lam_remote_call(remote, arguments->words[0], arguments->words[1], request->data,
        request->count, reply, ask_deadline(arguments));
    code = report(arguments, rc, request->count, reply, remote);
    lam_remote_disconnect(remote);
    return code;
}

int verb_call(const struct arguments *arguments)
{
    struct bytes request = {NULL, 0};
    struct lam_module_reply reply = {
        .data = malloc(arguments->room_bytes + 1), .capacity = arguments->room_bytes};
    int code = take_request(arguments, &request);

    if (code == 0 && reply.data == NULL)
        code = complain(EXIT_REFUSED, "out of memory");
    if (code == 0)
        code = strchr(arguments->words[0], '/') != NULL ? call_file(arguments, &request, &reply)
                                                        : call_host(arguments, &request, &reply);
    free(request.data);
    free(reply.data);
    return code;
}
