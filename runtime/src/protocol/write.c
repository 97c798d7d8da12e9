/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write.c: messages into the caller's room.
 */
#include "protocol/sink.h"

static void put_request(struct sink *sink, const struct lam_protocol_request *request)
{
    put_array(sink, 10);
    put_text(sink, &request->module);
    put_text(sink, &request->method);
    put_bytes(sink, &request->args);
    put_id_unless_0(sink, request->trace);
    put_unless(sink, request->deadline_ns, UINT64_MAX);
    put_choice(sink, request->priority, LAM_PROTOCOL_CRITICAL);
    put_number(sink, request->reply_capacity);
    put_number(sink, request->span);
    put_choice(sink, request->flags, LAM_PROTOCOL_REQUEST_FLAGS);
    put_id_unless_0(sink, request->stream);
}

static void put_response(struct sink *sink, const struct lam_protocol_response *response)
{
    put_array(sink, 7);
    put_bytes(sink, &response->data);
    put_choice(sink, response->status, LAM_PROTOCOL_BACKPRESSURE);
    put_signed(sink, response->result);
    put_number(sink, response->failure);
    put_signed(sink, response->detail);
    put_number(sink, response->needed);
    put_id_unless_0(sink, response->stream);
}

static void put_error(struct sink *sink, const struct lam_protocol_failure *error)
{
    put_array(sink, 4);
    put_number(sink, error->code);
    put_text(sink, &error->text);
    put_unless(sink, error->retry_after_ms, LAM_PROTOCOL_NO_RETRY);
    put_signed(sink, error->result);
}

static void put_stream(struct sink *sink, const struct lam_protocol_stream *stream)
{
    put_array(sink, 9);
    put_id(sink, stream->id);
    put_number(sink, stream->total_bytes);
    put_unless(sink, stream->expires_ns, UINT64_MAX);
    put_choice(sink, stream->state, LAM_PROTOCOL_STREAM_FAILED);
    put_choice(sink, stream->mode, LAM_PROTOCOL_STREAM_BOTH);
    put_number(sink, stream->chunk_bytes);
    put_number(sink, stream->offset);
    put_choice(sink, stream->flags, LAM_PROTOCOL_CHUNK_FLAGS);
    put_bytes(sink, &stream->data);
}

static void put_load(struct sink *sink, const struct lam_protocol_load *load)
{
    put_array(sink, 6);
    put_text(sink, &load->reference);
    put_text(sink, &load->name);
    put_bytes(sink, &load->config);
    put_number(sink, load->host);
    put_choice(sink, load->flags, LAM_PROTOCOL_LOAD_FLAGS);
    put_number(sink, load->drain_ns);
}

static void put_event(struct sink *sink, const struct lam_protocol_event *event)
{
    put_array(sink, 5);
    put_number(sink, event->kind);
    put_text(sink, &event->module);
    put_signed(sink, event->value);
    put_number(sink, event->at_ns);
    put_text(sink, &event->text);
}

static void put_body(struct sink *sink, const struct lam_protocol_message *message)
{
    switch (message->header.type) {
    case LAM_PROTOCOL_REQUEST:
        put_request(sink, &message->body.request);
        break;
    case LAM_PROTOCOL_RESPONSE:
        put_response(sink, &message->body.response);
        break;
    case LAM_PROTOCOL_ERROR:
        put_error(sink, &message->body.error);
        break;
    case LAM_PROTOCOL_STREAM:
        put_stream(sink, &message->body.stream);
        break;
    case LAM_PROTOCOL_NEGOTIATE:
        lam_protocol_put_negotiation(sink, &message->body.negotiate);
        break;
    case LAM_PROTOCOL_HEALTH:
        put_array(sink, 1);
        put_text(sink, &message->body.health.module);
        break;
    case LAM_PROTOCOL_LOAD:
        put_load(sink, &message->body.load);
        break;
    case LAM_PROTOCOL_UNLOAD:
        put_array(sink, 2);
        put_text(sink, &message->body.unload.module);
        put_number(sink, message->body.unload.drain_ns);
        break;
    case LAM_PROTOCOL_STATS:
        put_array(sink, 2);
        put_text(sink, &message->body.stats.module);
        put_choice(sink, message->body.stats.flags, LAM_PROTOCOL_STATS_FLAGS);
        break;
    case LAM_PROTOCOL_EVENT:
        put_event(sink, &message->body.event);
        break;
    default:
        sink->rc = -EINVAL;
    }
}

int lam_protocol_write_stream(
    const struct lam_protocol_stream *stream, void *room, uint64_t capacity, uint64_t *bytes)
{
    struct sink sink;

    begin_writing(&sink, room, capacity, 0);
    put_stream(&sink, stream);
    return end_writing(&sink, bytes);
}

int lam_protocol_write_message(
    struct lam_protocol_message *message, void *room, uint64_t capacity, uint64_t *bytes)
{
    struct sink sink;
    int rc;

    begin_writing(&sink, room, capacity, LAM_PROTOCOL_HEADER_BYTES);
    put_body(&sink, message);
    rc = end_writing(&sink, bytes);
    if (rc != 0 && rc != -ENOSPC)
        return rc;
    if (*bytes - LAM_PROTOCOL_HEADER_BYTES > LAM_PROTOCOL_BODY_BYTES_MAX)
        return -EMSGSIZE;
    message->header.body_bytes = (uint32_t)(*bytes - LAM_PROTOCOL_HEADER_BYTES);
    if (rc == 0 && room != NULL)
        lam_protocol_write(&message->header, room);
    return rc;
}
