/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.c: messages from anyone.
 */
#include "protocol/reading.h"

static void take_request(struct reading *r, struct lam_protocol_request *request)
{
    open_array(r, "request", 5);
    take_text(r, "module", &request->module);
    take_text(r, "method", &request->method);
    take_bytes(r, "args", &request->args);
    take_id_or_nil(r, "trace", request->trace);
    request->deadline_ns = take_unless(r, "deadline", UINT64_MAX);
    request->priority = (enum lam_protocol_priority)take_number(
        r, "priority", LAM_PROTOCOL_CRITICAL, LAM_PROTOCOL_NORMAL);
    request->reply_capacity = take_number(r, "reply capacity", UINT64_MAX, UINT64_MAX);
    request->span = take_number(r, "span", UINT64_MAX, 0);
    request->flags = (uint32_t)take_number(r, "flags", LAM_PROTOCOL_REQUEST_FLAGS, 0);
    take_id_or_nil(r, "stream", request->stream);
}

static void take_response(struct reading *r, struct lam_protocol_response *response)
{
    open_array(r, "response", 2);
    take_bytes(r, "data", &response->data);
    response->status =
        (enum lam_protocol_status)take_number(r, "status", LAM_PROTOCOL_BACKPRESSURE, 0);
    response->result = (int32_t)take_signed(r, "result", INT32_MIN, INT32_MAX);
    response->failure = (uint32_t)take_number(r, "failure", UINT32_MAX, 0);
    response->detail = (int32_t)take_signed(r, "detail", INT32_MIN, INT32_MAX);
    response->needed = take_number(r, "needed", UINT64_MAX, 0);
    take_id_or_nil(r, "stream", response->stream);
}

static void take_error(struct reading *r, struct lam_protocol_failure *error)
{
    open_array(r, "error", 3);
    error->code = (uint32_t)take_number(r, "code", UINT32_MAX, 0);
    take_text(r, "text", &error->text);
    error->retry_after_ms = take_unless(r, "retry after", LAM_PROTOCOL_NO_RETRY);
    error->result = (int32_t)take_signed(r, "result", INT32_MIN, INT32_MAX);
}

static void take_stream(struct reading *r, struct lam_protocol_stream *stream)
{
    open_array(r, "stream", 6);
    take_id(r, "id", stream->id);
    stream->total_bytes = take_number(r, "total bytes", UINT64_MAX, 0);
    stream->expires_ns = take_unless(r, "expires", UINT64_MAX);
    stream->state =
        (enum lam_protocol_stream_state)take_number(r, "state", LAM_PROTOCOL_STREAM_FAILED, 0);
    stream->mode =
        (enum lam_protocol_stream_mode)take_number(r, "mode", LAM_PROTOCOL_STREAM_BOTH, 0);
    stream->chunk_bytes = take_number(r, "chunk bytes", UINT64_MAX, 0);
    stream->offset = take_number(r, "offset", UINT64_MAX, 0);
    stream->flags = (uint32_t)take_number(r, "flags", LAM_PROTOCOL_CHUNK_FLAGS, 0);
    take_bytes(r, "data", &stream->data);
}

static void take_load(struct reading *r, struct lam_protocol_load *load)
{
    open_array(r, "load", 6);
    take_text(r, "reference", &load->reference);
    take_text(r, "name", &load->name);
    take_bytes(r, "config", &load->config);
    load->host = (uint32_t)take_number(r, "host", UINT32_MAX, 0);
    load->flags = (uint32_t)take_number(r, "flags", LAM_PROTOCOL_LOAD_FLAGS, 0);
    load->drain_ns = take_number(r, "drain", UINT64_MAX, 0);
}

static void take_event(struct reading *r, struct lam_protocol_event *event)
{
    open_array(r, "event", 5);
    event->kind = (uint32_t)take_number(r, "kind", UINT32_MAX, 0);
    take_text(r, "module", &event->module);
    event->value = take_signed(r, "value", INT64_MIN, INT64_MAX);
    event->at_ns = take_number(r, "at", UINT64_MAX, 0);
    take_text(r, "text", &event->text);
}

static void take_body(struct reading *r, struct lam_protocol_message *message)
{
    switch (message->header.type) {
    case LAM_PROTOCOL_REQUEST:
        take_request(r, &message->body.request);
        break;
    case LAM_PROTOCOL_RESPONSE:
        take_response(r, &message->body.response);
        break;
    case LAM_PROTOCOL_ERROR:
        take_error(r, &message->body.error);
        break;
    case LAM_PROTOCOL_STREAM:
        take_stream(r, &message->body.stream);
        break;
    case LAM_PROTOCOL_NEGOTIATE:
        lam_protocol_take_negotiation(r, &message->body.negotiate);
        break;
    case LAM_PROTOCOL_HEALTH:
        open_array(r, "health", 1);
        take_text(r, "module", &message->body.health.module);
        break;
    case LAM_PROTOCOL_LOAD:
        take_load(r, &message->body.load);
        break;
    case LAM_PROTOCOL_UNLOAD:
        open_array(r, "unload", 2);
        take_text(r, "module", &message->body.unload.module);
        message->body.unload.drain_ns = take_number(r, "drain", UINT64_MAX, 0);
        break;
    case LAM_PROTOCOL_STATS:
        open_array(r, "stats", 2);
        take_text(r, "module", &message->body.stats.module);
        message->body.stats.flags = (uint32_t)take_number(r, "flags", LAM_PROTOCOL_STATS_FLAGS, 0);
        break;
    default: /* lam_protocol_read() knows no others */
        take_event(r, &message->body.event);
        break;
    }
}

int lam_protocol_read_stream(
    struct lam_protocol_stream *stream, struct lam_protocol_view data, struct lam_error *error)
{
    struct reading r;

    memset(stream, 0, sizeof(*stream));
    begin_reading(&r, data.data, data.bytes);
    take_stream(&r, stream);
    return end_reading(&r, "stream", error);
}

int lam_protocol_read_message(struct lam_protocol_message *message, const uint8_t *bytes,
    uint64_t count, struct lam_error *error)
{
    struct reading r;
    int rc;

    memset(message, 0, sizeof(*message));
    rc = lam_protocol_read(&message->header, bytes, count);
    if (rc != 0)
        return lam_error_set(error, rc, "a message of %llu bytes: %s", (unsigned long long)count,
            lam_protocol_error_name(lam_protocol_error_of(rc)));
    if (message->header.type == LAM_PROTOCOL_HEALTH && message->header.body_bytes == 0)
        return 0;
    begin_reading(&r, bytes + LAM_PROTOCOL_HEADER_BYTES, message->header.body_bytes);
    take_body(&r, message);
    return end_reading(&r, "message", error);
}
