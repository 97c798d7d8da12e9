/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c: what a request does, in a runner's thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/runtime/method_id.h"
#include "remote/server.h"

#define REFERENCE_BYTES_MAX 4096

/* ---- answers ---- */

void remote_answer(struct remote_job *job, struct lam_protocol_message *message, uint8_t type)
{
    uint64_t bytes = 0;

    message->header.type = type;
    message->header.request_id = job->message.header.request_id;
    message->header.module_id = job->message.header.module_id;
    message->header.method_id = job->message.header.method_id;
    job->answer_bytes = 0;
    if (lam_protocol_write_message(message, NULL, 0, &bytes) != 0 ||
        remote_reserve(&job->answer, bytes) != 0)
        return;
    if (lam_protocol_write_message(message, job->answer.bytes, job->answer.capacity, &bytes) == 0)
        job->answer_bytes = bytes;
}

void remote_answer_error(
    struct remote_job *job, enum lam_protocol_error code, int result, const char *text)
{
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_ERROR}};

    message.body.error = (struct lam_protocol_failure){.code = code,
        .text = {text, strnlen(text, LAM_ERROR_TEXT_BYTES)},
        .retry_after_ms =
            lam_protocol_error_class(code) & LAM_PROTOCOL_RECOVERABLE ? 100 : LAM_PROTOCOL_NO_RETRY,
        .result = result};
    remote_answer(job, &message, LAM_PROTOCOL_ERROR);
}

static void fail(struct lam_remote_server *server, struct remote_job *job,
    enum lam_protocol_error code, int result, const char *text)
{
    remote_answer_error(job, code, result, text);
    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    server->counts.errors++;
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
}

/* @data, which went well; or what is above our bound. */
static void answer_data(struct lam_remote_server *server, struct remote_job *job, const void *data,
    uint64_t bytes, int result)
{
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_RESPONSE}};

    if (bytes > server->options.bytes_max) {
        struct lam_error why;

        fail(server, job, LAM_PROTOCOL_PAYLOAD_TOO_LARGE,
            lam_error_set(&why, -EMSGSIZE,
                "the answer has %llu bytes, and this host sends %llu: serve: {bytes: ...} in its "
                "file says so, 32MiB at most",
                (unsigned long long)bytes, (unsigned long long)server->options.bytes_max),
            why.text);
        return;
    }
    message.body.response = (struct lam_protocol_response){.data = {data, bytes}, .result = result};
    remote_answer(job, &message, LAM_PROTOCOL_RESPONSE);
}

/* ---- words ---- */

/* @view as a string of @capacity at most. Returns 1, or 0: it is longer, or has a terminator. */
static int copy_text(char *text, uint64_t capacity, struct lam_protocol_view view)
{
    if (view.bytes >= capacity || memchr(view.data, '\0', view.bytes) != NULL)
        return 0;
    if (view.bytes != 0)
        memcpy(text, view.data, view.bytes);
    text[view.bytes] = '\0';
    return 1;
}

static struct lam_module *find(struct lam_remote_server *server, struct lam_protocol_view view)
{
    char name[LAM_NAME_BYTES_MAX];

    return view.bytes != 0 && copy_text(name, sizeof(name), view)
               ? lam_runtime_find(server->runtime, name)
               : NULL;
}

static uint32_t hash_of(struct lam_protocol_view view)
{
    const uint8_t *bytes = view.data;
    uint32_t hash = LAM_FNV_BASIS;

    for (uint64_t i = 0; i < view.bytes; i++)
        hash = (hash ^ bytes[i]) * LAM_FNV_PRIME;
    return hash;
}

static struct lam_protocol_module module_of(const struct lam_module_stat *stat)
{
    return (struct lam_protocol_module){.name = {stat->name, strlen(stat->name)},
        .version = stat->version,
        .phase = (uint32_t)stat->phase,
        .calls = stat->calls,
        .draining = stat->draining,
        .generation = stat->generation};
}

/* ---- a call ---- */

static enum lam_protocol_status status_of(int rc, uint32_t failure)
{
    switch (failure) {
    case LAM_FAILURE_NONE:
        return rc == 0 ? LAM_PROTOCOL_SUCCESS : LAM_PROTOCOL_EXECUTION_ERROR;
    case LAM_FAILURE_NO_MODULE:
        return LAM_PROTOCOL_MODULE_NOT_FOUND;
    case LAM_FAILURE_NO_METHOD:
        return LAM_PROTOCOL_METHOD_NOT_FOUND;
    case LAM_FAILURE_DEADLINE:
    case LAM_FAILURE_BUSY:
        return LAM_PROTOCOL_TIMEOUT;
    case LAM_FAILURE_LIMITED:
    case LAM_FAILURE_TOO_DEEP:
    case LAM_FAILURE_NO_THREAD:
        return LAM_PROTOCOL_QUOTA_EXCEEDED;
    case LAM_FAILURE_OPEN:
    case LAM_FAILURE_UNREADY:
        return LAM_PROTOCOL_BACKPRESSURE;
    default:
        return LAM_PROTOCOL_EXECUTION_ERROR;
    }
}

/* Of the caller. Returns 1, or 0: it says nothing of one. */
static int trace_of(const struct lam_protocol_request *request, struct lam_trace *trace)
{
    *trace = (struct lam_trace){
        .id = {lam_protocol_get(request->trace, 8), lam_protocol_get(request->trace + 8, 8)}};
    if (trace->id[0] == 0 && trace->id[1] == 0)
        return (request->flags & LAM_PROTOCOL_REQUEST_UNTRACED) != 0;
    trace->span = request->span;
    return 1;
}

/* A worker's channel bounds what the module is asked, or answers, and not the caller's room. */
static int name_workers_bound(const struct lam_module *module, uint64_t request_bytes,
    const struct lam_module_reply *reply, int rc, struct lam_error *why)
{
    if (module == NULL || module->host != LAM_MODULE_IN_WORKER)
        return 0;
    if (rc == -EMSGSIZE && request_bytes > LAM_WORKER_REQUEST_BYTES_MAX)
        return lam_error_set(why, rc,
            "the request has %llu bytes, and a worker takes %llu: host: process has no such bound",
            (unsigned long long)request_bytes, (unsigned long long)LAM_WORKER_REQUEST_BYTES_MAX);
    if (rc == -ENOSPC && reply->bytes <= reply->capacity)
        return lam_error_set(why, -EMSGSIZE,
            "the answer has %llu bytes, and a worker's %llu at most, or what sandbox: {reply: ...} "
            "says: host: process has no such bound",
            (unsigned long long)reply->bytes, (unsigned long long)LAM_WORKER_REPLY_BYTES_MAX);
    return 0;
}

/*
 * Did the call end so because of a bound that is neither the caller's nor the module's? Returns
 * 0: no, or -EMSGSIZE with a sentence that says whose it is, and what to do.
 */
static int name_bound(const struct lam_remote_server *server, const struct remote_job *job,
    const struct lam_module *module, const struct lam_module_reply *reply, int rc,
    struct lam_error *why)
{
    const struct lam_protocol_request *request = &job->message.body.request;
    uint64_t request_bytes = job->args != NULL ? job->args->total_bytes : request->args.bytes;

    if (reply->failure != LAM_FAILURE_NONE)
        return 0;
    if (rc != -ENOSPC || reply->bytes <= reply->capacity || reply->bytes > request->reply_capacity)
        return name_workers_bound(module, request_bytes, reply, rc, why);
    if (server->streams.bytes_max != 0)
        return lam_error_set(why, -EMSGSIZE,
            "the answer has %llu bytes, and %llu were left to it: this host sends %llu in a "
            "message, and keeps %llu for what a client has in chunks: serve: {bytes: ..., streams: "
            "...} in its file",
            (unsigned long long)reply->bytes, (unsigned long long)reply->capacity,
            (unsigned long long)server->options.bytes_max,
            (unsigned long long)server->streams.bytes_max);
    return lam_error_set(why, -EMSGSIZE,
        "the answer has %llu bytes, and this host sends %llu: serve: {bytes: ...} in its file says "
        "so, 32MiB at most; what is larger goes in chunks with serve: {streams: ...}",
        (unsigned long long)reply->bytes, (unsigned long long)reply->capacity);
}

/* Returns as lam_module_call(). */
static int call(struct lam_remote_server *server, struct remote_job *job, struct lam_module *module,
    struct lam_module_reply *reply)
{
    const struct lam_protocol_request *request = &job->message.body.request;
    uint32_t method =
        request->method.bytes != 0 ? hash_of(request->method) : job->message.header.method_id;
    struct lam_protocol_view args = request->args;
    uint64_t room = job->room != NULL ? job->room->total_bytes : server->options.bytes_max;
    struct lam_trace above;

    if (job->args != NULL)
        args = (struct lam_protocol_view){job->args->bytes, job->args->total_bytes};
    if (module == NULL)
        return lam_reply_fail(reply, LAM_FAILURE_NO_MODULE, 0, -ENODEV);
    if (lam_clock_now_ns() >= job->deadline_ns)
        return lam_reply_fail(reply, LAM_FAILURE_BUSY, 0, -ETIMEDOUT);
    reply->capacity = request->reply_capacity < room ? request->reply_capacity : room;
    if (remote_reserve(&job->reply, reply->capacity + 1) != 0)
        return lam_reply_fail(reply, LAM_FAILURE_LIMITED, 0, -ENOMEM);
    reply->data = job->reply.bytes;
    return lam_call_run_below(trace_of(request, &above) ? &above : NULL, module, method, args.data,
        args.bytes, reply, job->deadline_ns);
}

static void run_request(struct lam_remote_server *server, struct remote_job *job)
{
    const struct lam_protocol_request *request = &job->message.body.request;
    struct lam_protocol_message message = {.header = {.type = LAM_PROTOCOL_RESPONSE}};
    struct lam_protocol_response *response = &message.body.response;
    struct lam_module_reply reply = {.data = NULL};
    struct lam_module *module = find(server, request->module);
    struct lam_error why;
    int bound;

    if (job->message.header.module_id != hash_of(request->module) ||
        (request->method.bytes != 0 && job->message.header.method_id != hash_of(request->method))) {
        fail(server, job, LAM_PROTOCOL_INVALID_HEADER, -EBADMSG,
            "the header's ids are not those of the names");
        return;
    }
    response->result = call(server, job, module, &reply);
    bound = name_bound(server, job, module, &reply, response->result, &why);
    if (bound != 0) {
        fail(server, job, LAM_PROTOCOL_PAYLOAD_TOO_LARGE, bound, why.text);
        return;
    }
    response->status = status_of(response->result, reply.failure);
    response->failure = reply.failure;
    response->detail = reply.detail;
    if (response->result == 0 && job->room != NULL && reply.bytes > server->options.bytes_max) {
        memcpy(response->stream, job->room->id, sizeof(response->stream));
        response->needed = job->streamed_bytes = reply.bytes;
    } else if (response->result == 0) {
        response->data = (struct lam_protocol_view){reply.data, reply.bytes};
    } else if (response->result == -ENOSPC) {
        response->needed = reply.bytes;
    }
    remote_answer(job, &message, LAM_PROTOCOL_RESPONSE);
}

/* ---- load, reload, unload ---- */

static void answer_module(
    struct lam_remote_server *server, struct remote_job *job, struct lam_module *module, int result)
{
    struct lam_module_stat stat;
    struct lam_protocol_module report;
    uint8_t data[256];
    uint64_t bytes;

    lam_module_look(module, &stat);
    report = module_of(&stat);
    LAM_ASSERT(lam_protocol_write_module(&report, data, sizeof(data), &bytes) == 0);
    answer_data(server, job, data, bytes, result);
}

/* Is it allowed, and are its words some? Else the answer is there. */
static int may_change(struct lam_remote_server *server, struct remote_job *job, int are_words)
{
    if (!server->options.lets_change)
        fail(server, job, LAM_PROTOCOL_NOT_ALLOWED, -EPERM, "this host lets no client change it");
    else if (!are_words)
        fail(server, job, LAM_PROTOCOL_FAILED, -EINVAL, "a name or a reference is too long");
    return server->options.lets_change && are_words;
}

static int reload(struct lam_module *module, const struct lam_protocol_load *load,
    const char *reference, struct lam_error *error)
{
    struct lam_reload_options options = {.reference = reference[0] != '\0' ? reference : NULL,
        .drain_ns = load->drain_ns,
        .keep_state = (load->flags & LAM_PROTOCOL_LOAD_KEEP_STATE) != 0};

    return lam_runtime_reload(module, &options, error);
}

static int load_new(struct lam_runtime *runtime, const struct lam_protocol_load *load,
    const char *reference, const char *name, struct lam_module **module, struct lam_error *error)
{
    struct lam_module_options options = {.host = (enum lam_module_host)load->host,
        .name = name[0] != '\0' ? name : NULL,
        .config = load->config.data,
        .config_bytes = load->config.bytes,
        .counts_calls = (load->flags & LAM_PROTOCOL_LOAD_COUNTS) != 0};

    return lam_runtime_load(runtime, reference, &options, module, error);
}

static void run_load(struct lam_remote_server *server, struct remote_job *job)
{
    const struct lam_protocol_load *load = &job->message.body.load;
    char reference[REFERENCE_BYTES_MAX], name[LAM_NAME_BYTES_MAX];
    struct lam_error error = {"no such module is loaded"};
    struct lam_module *module = NULL;
    int rc = -ENODEV;

    if (!may_change(server, job,
            copy_text(reference, sizeof(reference), load->reference) &&
                copy_text(name, sizeof(name), load->name)))
        return;
    if ((load->flags & LAM_PROTOCOL_LOAD_REPLACE) == 0)
        rc = load_new(server->runtime, load, reference, name, &module, &error);
    else if ((module = find(server, load->name)) != NULL)
        rc = reload(module, load, reference, &error);
    if (rc >= 0)
        answer_module(server, job, module, rc);
    else
        fail(server, job, rc == -ENODEV ? LAM_PROTOCOL_UNKNOWN_MODULE : LAM_PROTOCOL_FAILED, rc,
            error.text);
}

static void run_unload(struct lam_remote_server *server, struct remote_job *job)
{
    const struct lam_protocol_unload *unload = &job->message.body.unload;
    struct lam_error error = {"no such module is loaded"};
    struct lam_module *module;
    int rc = -ENODEV;

    if (!may_change(server, job, 1))
        return;
    module = find(server, unload->module);
    if (module != NULL)
        rc = lam_runtime_unload(module, lam_deadline_after_ns(unload->drain_ns), &error);
    if (rc >= 0)
        answer_module(server, job, module, rc);
    else
        fail(server, job, rc == -ENODEV ? LAM_PROTOCOL_UNKNOWN_MODULE : LAM_PROTOCOL_FAILED, rc,
            error.text);
}

/* ---- looks ---- */

static void run_health(struct lam_remote_server *server, struct remote_job *job)
{
    struct lam_protocol_view name = job->message.body.health.module;
    struct lam_protocol_health_report report = {.state = LAM_PROTOCOL_HEALTHY};
    struct lam_module *module = find(server, name);
    struct lam_module_stat stat;
    uint8_t data[64];
    uint64_t bytes;

    if (name.bytes != 0 && module == NULL) {
        fail(server, job, LAM_PROTOCOL_UNKNOWN_MODULE, -ENODEV, "no such module is loaded");
        return;
    }
    if (module != NULL) {
        lam_module_look(module, &stat);
        if (stat.phase == LAM_MODULE_HOLDING || stat.phase == LAM_MODULE_UNLOADED)
            report.state = LAM_PROTOCOL_UNREADY;
    }
    LAM_ASSERT(lam_protocol_write_health_report(&report, data, sizeof(data), &bytes) == 0);
    answer_data(server, job, data, bytes, 0);
}

/* Those that are loaded, or the one that is asked for. Returns how many; @stats has their words. */
static uint32_t list(struct lam_remote_server *server, struct lam_module *only,
    struct lam_module_stat *stats, struct lam_protocol_module *modules)
{
    /* T2, as in runtime.c: the handles below are complete. */
    uint32_t handles = lam_load_acquire(&server->runtime->module_count), count = 0;

    for (uint32_t i = 0; i < handles; i++) {
        struct lam_module *module =
            (struct lam_module *)(uintptr_t)lam_load_relaxed(&server->runtime->modules[i]);

        if (only != NULL && module != only)
            continue;
        lam_module_look(module, &stats[count]);
        if (stats[count].phase == LAM_MODULE_UNLOADED)
            continue;
        modules[count] = module_of(&stats[count]);
        count++;
    }
    return count;
}

static char *text_of(struct lam_runtime *runtime, uint64_t *bytes)
{
    uint64_t capacity = lam_runtime_prometheus(runtime, NULL, 0) + 4096; /* it may grow meanwhile */
    char *text = malloc(capacity);

    if (text != NULL)
        *bytes = lam_runtime_prometheus(runtime, text, capacity);
    if (text != NULL && *bytes >= capacity)
        *bytes = capacity - 1;
    return text;
}

static void run_stats(struct lam_remote_server *server, struct remote_job *job)
{
    const struct lam_protocol_stats *stats = &job->message.body.stats;
    struct lam_module_stat *looks = calloc(LAM_RUNTIME_MODULES_MAX, sizeof(*looks));
    struct lam_protocol_module *modules = calloc(LAM_RUNTIME_MODULES_MAX, sizeof(*modules));
    struct lam_module *only = find(server, stats->module);
    struct lam_protocol_stats_report report = {.modules = modules};
    uint64_t bytes = 0;
    char *text = NULL;

    if (looks == NULL || modules == NULL) {
        fail(server, job, LAM_PROTOCOL_FAILED, -ENOMEM, "out of memory");
    } else if (stats->module.bytes != 0 && only == NULL) {
        fail(server, job, LAM_PROTOCOL_UNKNOWN_MODULE, -ENODEV, "no such module is loaded");
    } else {
        if ((stats->flags & LAM_PROTOCOL_STATS_MODULES) != 0)
            report.module_count = list(server, only, looks, modules);
        if ((stats->flags & LAM_PROTOCOL_STATS_TEXT) != 0)
            text = text_of(server->runtime, &report.text.bytes);
        report.text.data = text;
        (void)lam_protocol_write_stats_report(&report, NULL, 0, &bytes);
        if (remote_reserve(&job->reply, bytes) != 0)
            bytes = 0;
        (void)lam_protocol_write_stats_report(&report, job->reply.bytes, bytes, &bytes);
        answer_data(server, job, job->reply.bytes, bytes, 0);
    }
    free(text);
    free(modules);
    free(looks);
}

void remote_run(struct lam_remote_server *server, struct remote_job *job)
{
    switch (job->message.header.type) {
    case LAM_PROTOCOL_REQUEST:
        run_request(server, job);
        break;
    case LAM_PROTOCOL_LOAD:
        run_load(server, job);
        break;
    case LAM_PROTOCOL_UNLOAD:
        run_unload(server, job);
        break;
    case LAM_PROTOCOL_HEALTH:
        run_health(server, job);
        break;
    default: /* the speaker lets no others through */
        run_stats(server, job);
        break;
    }
}
