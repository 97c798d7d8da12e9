/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.c: what a worker says and asks while its answer is waited for. All of it is input.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/worker.h"

#define STRINGS_MAX (1 + 2 * LINK_FIELDS_MAX) /* a text, and name and value of each field */

/* The strings behind @at, each with its terminator. Returns 0, or -EPROTO. */
static int find_strings(
    const char *at, uint64_t bytes, uint32_t count, const char *strings[STRINGS_MAX])
{
    if (count == 0 || count > STRINGS_MAX)
        return -EPROTO;
    for (uint32_t i = 0; i < count; i++) {
        size_t length = strnlen(at, bytes);

        if (length == bytes)
            return -EPROTO;
        strings[i] = at;
        at += length + 1;
        bytes -= length + 1;
    }
    return bytes == 0 ? 0 : -EPROTO;
}

int lam_worker_note(struct lam_generation *generation, const struct link_message *message)
{
    struct lam_module *module = generation->module;
    const char *strings[STRINGS_MAX];
    struct lam_log_field fields[STRINGS_MAX / 2];
    struct link_event event;
    struct lam_frame frame;
    uint32_t field_count;

    if (message->header.body_bytes < sizeof(event) || module == NULL)
        return -EPROTO;
    memcpy(&event, message->body, sizeof(event));
    if (find_strings((const char *)message->body + sizeof(event),
            message->header.body_bytes - sizeof(event), event.string_count, strings) != 0)
        return -EPROTO;
    lam_frame_init(&frame, module, NULL, 0, NULL, 0);
    if (event.is_metric) {
        (void)lam_metric_note(&frame.call, (enum lam_metric)event.kind, strings[0], event.value);
        return 0;
    }
    if (event.kind > LAM_LEVEL_ERROR || event.string_count % 2 == 0)
        return -EPROTO;
    field_count = event.string_count / 2;
    for (uint32_t i = 0; i < field_count; i++)
        fields[i] = (struct lam_log_field){strings[1 + 2 * i], strings[2 + 2 * i]};
    frame.call.host->log(&frame.call, (enum lam_level)event.kind, strings[0], fields, field_count);
    return 0;
}

/* A nested request, looked at. Returns 0, or -EPROTO. */
static int read_request(const struct link_message *message, struct link_request *request,
    const char **name, uint64_t *bytes)
{
    uint64_t left = message->header.body_bytes;

    if (left < sizeof(*request) || message->header.features != LINK_METHOD)
        return -EPROTO;
    memcpy(request, message->body, sizeof(*request));
    left -= sizeof(*request);
    *name = (const char *)message->body + sizeof(*request);
    if (request->caller_bytes > left || request->caller_bytes > LAM_NAME_BYTES_MAX ||
        strnlen(*name, request->caller_bytes) == request->caller_bytes)
        return -EPROTO;
    *bytes = left - request->caller_bytes;
    return request->reply_capacity <= LINK_REPLY_BYTES_MAX ? 0 : -EPROTO;
}

static int respond(struct lam_worker *worker, uint64_t id, int status,
    const struct lam_module_reply *reply, uint64_t deadline_ns)
{
    struct link_response response = {.status = status,
        .failure = reply->failure,
        .reply_bytes = reply->bytes,
        .detail = reply->detail};

    return lam_link_respond(&worker->link, id, &response, reply->data, deadline_ns);
}

int lam_worker_relay(
    struct lam_worker *worker, struct lam_frame *frame, const struct link_message *message)
{
    struct lam_protocol_header header = message->header;
    uint64_t deadline_ns = frame->call.deadline_ns;
    struct lam_module_reply reply = {.data = NULL};
    struct link_request request;
    const char *name;
    uint8_t *memory;
    uint64_t bytes;
    int rc = read_request(message, &request, &name, &bytes);

    if (rc != 0)
        return rc;
    /* A copy: what comes while that call runs is taken into the same buffer. */
    memory = malloc(LAM_NAME_BYTES_MAX + bytes + request.reply_capacity);
    if (memory == NULL)
        return -ENOMEM;
    memcpy(memory, name, strlen(name) + 1); /* read_request() bounded it */
    memcpy(
        memory + LAM_NAME_BYTES_MAX, message->body + sizeof(request) + request.caller_bytes, bytes);
    reply.data = memory + LAM_NAME_BYTES_MAX + bytes;
    reply.capacity = request.reply_capacity;
    /* The module may give this call less time than it has itself. */
    if (request.deadline_ns < deadline_ns)
        frame->call.deadline_ns = request.deadline_ns;
    rc = frame->call.host->call(
        &frame->call, (char *)memory, header.method_id, memory + LAM_NAME_BYTES_MAX, bytes, &reply);
    frame->call.deadline_ns = deadline_ns;
    rc = worker->is_alive ? respond(worker, header.request_id, rc, &reply, deadline_ns) : 0;
    free(memory);
    return rc;
}
