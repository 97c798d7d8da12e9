/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer.c: what is larger than a message, chunk by chunk, as messages.h has it.
 */
#include <errno.h>
#include <string.h>

#include "remote/client.h"

/* Ask for the next step of a stream. *@now is how the host says it is; its data is lent. */
static int step(struct lam_remote *remote, const struct lam_protocol_stream *asked,
    uint64_t deadline_ns, struct lam_protocol_stream *now)
{
    struct lam_protocol_message answer = {.header = {.type = LAM_PROTOCOL_ERROR}};
    struct lam_protocol_message message = {
        .header = {.type = LAM_PROTOCOL_STREAM, .features = LAM_PROTOCOL_STREAMING}};
    int rc;

    message.body.stream = *asked;
    rc = remote_ask(remote, &message, deadline_ns, &answer);
    if (rc != 0)
        return rc;
    rc = lam_protocol_read_stream(now, answer.body.response.data, &remote->why);
    if (rc != 0 || now->total_bytes != asked->total_bytes || now->mode != asked->mode)
        return lam_error_set(&remote->why, -EPROTO, "what came is no answer of a stream");
    return 0;
}

void remote_forget(struct lam_remote *remote, const uint8_t id[16])
{
    struct lam_protocol_message message = {
        .header = {.type = LAM_PROTOCOL_STREAM, .features = LAM_PROTOCOL_STREAMING}};
    uint8_t bytes[128];
    uint64_t count;

    message.body.stream.state = LAM_PROTOCOL_STREAM_FAILED;
    memcpy(message.body.stream.id, id, 16);
    if (lam_protocol_write_message(&message, bytes, sizeof(bytes), &count) == 0)
        line_tell(remote->line, bytes, count);
}

int remote_push(struct lam_remote *remote, const void *bytes, uint64_t count, uint64_t deadline_ns,
    uint8_t id[16])
{
    struct lam_protocol_stream asked = {
        .total_bytes = count, .mode = LAM_PROTOCOL_STREAM_PUSH, .chunk_bytes = remote->chunk_bytes};
    struct lam_protocol_stream now;
    uint64_t chunk;
    int rc = step(remote, &asked, deadline_ns, &now);

    if (rc != 0)
        return rc;
    memcpy(id, now.id, 16);
    memcpy(asked.id, now.id, 16);
    chunk = now.chunk_bytes;
    if (chunk == 0 || chunk > remote->chunk_bytes)
        rc = lam_error_set(&remote->why, -EPROTO, "the host's chunks are larger than was asked");
    asked.state = LAM_PROTOCOL_STREAM_TRANSFERRING;
    for (uint64_t at = 0; rc == 0 && at < count; at += asked.data.bytes) {
        asked.offset = at;
        asked.data.data = (const uint8_t *)bytes + at;
        asked.data.bytes = count - at < chunk ? count - at : chunk;
        asked.flags = count - at <= chunk ? LAM_PROTOCOL_CHUNK_LAST : 0;
        rc = step(remote, &asked, deadline_ns, &now);
    }
    if (rc != 0)
        remote_forget(remote, id);
    return rc;
}

int remote_pull(struct lam_remote *remote, const uint8_t id[16], void *bytes, uint64_t count,
    uint64_t deadline_ns)
{
    struct lam_protocol_stream asked = {.total_bytes = count,
        .state = LAM_PROTOCOL_STREAM_TRANSFERRING,
        .mode = LAM_PROTOCOL_STREAM_PULL,
        .chunk_bytes = remote->chunk_bytes};
    struct lam_protocol_stream now;
    int rc = 0;

    memcpy(asked.id, id, 16);
    while (rc == 0 && asked.offset < count) {
        rc = step(remote, &asked, deadline_ns, &now);
        if (rc != 0)
            break;
        if (now.offset != asked.offset || now.data.bytes == 0 ||
            now.data.bytes > count - asked.offset) {
            rc = lam_error_set(&remote->why, -EPROTO, "what came is no chunk of the answer");
            break;
        }
        memcpy((uint8_t *)bytes + asked.offset, now.data.data, now.data.bytes);
        asked.offset += now.data.bytes;
    }
    if (rc != 0)
        remote_forget(remote, id);
    return rc;
}
