/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_lent.c: what a module is lent in a worker: its words and its calls go over the link.
 */
#include <errno.h>
#include <string.h>

#include "later.h"
#include "worker/serving.h"

static void send_event(const struct link_event *event, struct iovec *parts, uint32_t count)
{
    struct lam_protocol_header header = {.type = LAM_PROTOCOL_EVENT};
    struct link_event said = *event;

    int rc;

    parts[1] = (struct iovec){.iov_base = &said, .iov_len = sizeof(said)};
    rc = lam_link_send(&serving.link, &header, parts, count, LAM_DEADLINE_NEVER);
    if (rc != 0 && rc != -EMSGSIZE) /* a line that no message holds is not said */
        leave(0);
}

static void set_string(struct iovec *part, const char *text)
{
    if (text == NULL)
        text = "";
    *part = (struct iovec){.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) + 1};
}

static void write_log(const struct lam_call *call, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    uint32_t count = field_count < LINK_FIELDS_MAX ? field_count : LINK_FIELDS_MAX;
    struct link_event event = {.kind = (unsigned)level < LAM_LEVEL_ERROR ? level : LAM_LEVEL_ERROR,
        .string_count = 1 + 2 * count};
    struct iovec parts[3 + 2 * LINK_FIELDS_MAX];

    (void)call;
    set_string(&parts[2], text);
    for (uint32_t i = 0; i < count; i++) {
        set_string(&parts[3 + 2 * i], fields[i].name);
        set_string(&parts[4 + 2 * i], fields[i].value);
    }
    send_event(&event, parts, 3 + 2 * count);
}

static int note_metric(
    const struct lam_call *call, enum lam_metric kind, const char *name, uint64_t value)
{
    struct link_event event = {.is_metric = 1, .kind = kind, .value = value, .string_count = 1};
    struct iovec parts[3];

    (void)call;
    if (strnlen(name, LAM_NAME_BYTES_MAX) == LAM_NAME_BYTES_MAX ||
        (unsigned)kind > LAM_METRIC_HISTOGRAM)
        return -EINVAL;
    if (serving_admit_metric(kind, name) != 0)
        return -ENOSPC;
    set_string(&parts[2], name);
    send_event(&event, parts, 3);
    return 0;
}

/* Serves until the answer to @id is there. */
static void await_response(uint64_t id, struct link_message *message)
{
    struct link_buffer *buffer = &serving.buffers[serving.depth + 1];

    for (;;) {
        if (lam_link_take(&serving.link, buffer, message, LAM_DEADLINE_NEVER) != 0)
            leave(0);
        if (message->header.type == LAM_PROTOCOL_REQUEST) {
            if (serving.depth == LAM_RUNTIME_DEPTH_MAX)
                leave(5);
            serving_answer(message);
        } else if (message->header.type == LAM_PROTOCOL_EVENT) {
            serving_learn(message);
        } else if (message->header.type == LAM_PROTOCOL_RESPONSE &&
                   message->header.request_id == id) {
            return;
        } else {
            leave(6);
        }
    }
}

static int call_module(struct lam_call *call, const char *name, uint32_t method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply)
{
    struct lam_protocol_header header = {.type = LAM_PROTOCOL_REQUEST,
        .request_id = ++serving.next_id,
        .module_id = lam_method_id(name),
        .method_id = method};
    struct link_request body = {.deadline_ns = call->deadline_ns,
        .reply_capacity =
            reply->capacity < LINK_REPLY_BYTES_MAX ? reply->capacity : LINK_REPLY_BYTES_MAX,
        .trace = call->trace,
        .caller_bytes = LAM_NAME_BYTES_MAX};
    char padded[LAM_NAME_BYTES_MAX] = "";
    struct link_response response;
    struct link_message message;
    struct iovec parts[4];

    reply->bytes = 0;
    reply->failure = LAM_FAILURE_NONE;
    reply->detail = 0;
    if (strnlen(name, sizeof(padded)) == sizeof(padded)) { /* as of a name that nobody has */
        reply->failure = LAM_FAILURE_NO_MODULE;
        return -ENODEV;
    }
    if (request_bytes > LAM_WORKER_REQUEST_BYTES_MAX)
        return -EMSGSIZE;
    memcpy(padded, name, strlen(name));
    parts[1] = (struct iovec){.iov_base = &body, .iov_len = sizeof(body)};
    parts[2] = (struct iovec){.iov_base = padded, .iov_len = sizeof(padded)};
    parts[3] = (struct iovec){.iov_base = (void *)(uintptr_t)request, .iov_len = request_bytes};
    if (lam_link_send(&serving.link, &header, parts, 4, LAM_DEADLINE_NEVER) != 0)
        leave(0);
    await_response(header.request_id, &message);
    memcpy(&response, message.body, sizeof(response));
    reply->bytes = response.reply_bytes;
    reply->failure = response.failure;
    reply->detail = response.detail;
    if (response.status == 0)
        memcpy(reply->data, message.body + sizeof(response), response.reply_bytes);
    return response.status;
}

static uint64_t now_ns(void)
{
    return lam_clock_now_ns();
}

const struct lam_host serving_lent = {.bytes = sizeof(struct lam_host),
    .abi = LAM_ABI_VERSION,
    .now_ns = now_ns,
    .log = write_log,
    .metric = note_metric,
    .call = call_module,
    .later = lam_later_take,
    .answer = lam_later_answer_by};
