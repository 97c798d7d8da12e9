/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lamina/base/clock.h"

uint64_t remote_streams_left(const struct remote_streams *streams, uint64_t client)
{
    uint64_t left = streams->bytes_max;
    uint32_t own = 0, unused = 0;

    for (uint32_t i = 0; i < streams->count; i++) {
        const struct remote_stream *stream = &streams->all[i];

        unused += stream->client == 0;
        if (stream->client != client)
            continue;
        own++;
        left -= stream->total_bytes;
    }
    return own < REMOTE_STREAMS_OF_CLIENT && unused != 0 ? left : 0;
}

struct remote_stream *remote_stream_make(struct remote_streams *streams, uint64_t client,
    uint64_t total, enum lam_protocol_stream_mode mode)
{
    struct remote_stream *stream = streams->all;

    while (stream->client != 0)
        stream++;
    *stream = (struct remote_stream){.client = client,
        .total_bytes = total,
        .expires_ns = lam_deadline_after_ns(streams->keep_ns),
        .chunk_bytes = streams->chunk_max,
        .mode = mode};
    if (getrandom(stream->id, sizeof(stream->id), 0) != sizeof(stream->id))
        memcpy(stream->id, &stream->expires_ns, 8); /* whose it is, is looked at, too */
    stream->id[0] |= 1;                             /* 0 is none */
    return stream;
}

struct remote_stream *remote_stream_find(
    const struct remote_streams *streams, uint64_t client, const uint8_t id[16])
{
    for (uint32_t i = 0; i < streams->count; i++) {
        struct remote_stream *stream = &streams->all[i];

        if (stream->client == client && !stream->is_running && memcmp(stream->id, id, 16) == 0)
            return stream;
    }
    return NULL;
}

void remote_stream_drop(struct remote_stream *stream)
{
    if (stream == NULL)
        return;
    free(stream->bytes);
    *stream = (struct remote_stream){.client = 0};
}

void remote_stream_give(
    struct remote_streams *streams, struct remote_stream *stream, uint8_t *bytes, uint64_t total)
{
    uint8_t *shrunk = realloc(bytes, total);

    stream->is_running = 0;
    stream->bytes = shrunk != NULL ? shrunk : bytes;
    stream->total_bytes = total;
    stream->expires_ns = lam_deadline_after_ns(streams->keep_ns);
    if (stream->client == REMOTE_NOBODY)
        remote_stream_drop(stream);
}

void remote_streams_went(struct remote_streams *streams, uint64_t client)
{
    for (uint32_t i = 0; i < streams->count; i++) {
        struct remote_stream *stream = &streams->all[i];

        if (stream->client != client)
            continue;
        if (stream->is_running)
            stream->client = REMOTE_NOBODY;
        else
            remote_stream_drop(stream);
    }
}

void remote_streams_expire(struct remote_streams *streams, uint64_t now_ns)
{
    for (uint32_t i = 0; i < streams->count; i++) {
        struct remote_stream *stream = &streams->all[i];

        if (stream->client != 0 && !stream->is_running && now_ns >= stream->expires_ns)
            remote_stream_drop(stream);
    }
}

/* ---- what clients ask ---- */

static int begin(struct remote_streams *streams, uint64_t client,
    const struct lam_protocol_stream *asked, struct remote_stream **made,
    enum lam_protocol_error *code)
{
    uint8_t *bytes;

    *code = LAM_PROTOCOL_BAD_CHUNK;
    if (asked->mode != LAM_PROTOCOL_STREAM_PUSH || asked->total_bytes == 0 ||
        asked->chunk_bytes < LAM_PROTOCOL_CHUNK_BYTES_MIN)
        return -EINVAL;
    *code = LAM_PROTOCOL_OVER_QUOTA;
    if (asked->total_bytes > remote_streams_left(streams, client))
        return -EDQUOT;
    bytes = malloc(asked->total_bytes);
    if (bytes == NULL)
        return -ENOMEM;
    *made = remote_stream_make(streams, client, asked->total_bytes, asked->mode);
    (*made)->bytes = bytes;
    if (asked->chunk_bytes < (*made)->chunk_bytes)
        (*made)->chunk_bytes = asked->chunk_bytes;
    return 0;
}

/* What comes next of @stream. */
static uint64_t next_bytes(const struct remote_stream *stream, uint64_t chunk_bytes)
{
    uint64_t rest = stream->total_bytes - stream->moved_bytes;

    return rest < chunk_bytes ? rest : chunk_bytes;
}

static int put(struct remote_stream *stream, const struct lam_protocol_stream *asked)
{
    uint64_t bytes = next_bytes(stream, stream->chunk_bytes);
    int is_last = bytes == stream->total_bytes - stream->moved_bytes;

    if (bytes == 0 || asked->offset != stream->moved_bytes || asked->data.bytes != bytes ||
        asked->flags != (is_last ? LAM_PROTOCOL_CHUNK_LAST : 0))
        return -EBADMSG;
    memcpy(stream->bytes + stream->moved_bytes, asked->data.data, bytes);
    stream->moved_bytes += bytes;
    return 0;
}

static int get(struct remote_stream *stream, const struct lam_protocol_stream *asked,
    struct lam_protocol_stream *now)
{
    uint64_t chunk =
        asked->chunk_bytes < stream->chunk_bytes ? asked->chunk_bytes : stream->chunk_bytes;
    uint64_t bytes = next_bytes(stream, chunk);

    if (asked->offset != stream->moved_bytes || chunk < LAM_PROTOCOL_CHUNK_BYTES_MIN ||
        asked->flags != 0)
        return -EBADMSG;
    now->data = (struct lam_protocol_view){stream->bytes + stream->moved_bytes, bytes};
    stream->moved_bytes += bytes;
    now->flags = stream->moved_bytes == stream->total_bytes ? LAM_PROTOCOL_CHUNK_LAST : 0;
    return 0;
}

static enum lam_protocol_stream_state state_of(const struct remote_stream *stream)
{
    if (stream->moved_bytes == stream->total_bytes)
        return LAM_PROTOCOL_STREAM_COMPLETE;
    return stream->moved_bytes == 0 ? LAM_PROTOCOL_STREAM_READY : LAM_PROTOCOL_STREAM_TRANSFERRING;
}

/* A chunk, one way or the other. */
static int move(struct remote_stream *stream, const struct lam_protocol_stream *asked,
    struct lam_protocol_stream *now)
{
    if (asked->mode != stream->mode)
        return -EBADMSG;
    return asked->mode == LAM_PROTOCOL_STREAM_PUSH ? put(stream, asked) : get(stream, asked, now);
}

int remote_stream_ask(struct remote_streams *streams, uint64_t client,
    const struct lam_protocol_stream *asked, struct lam_protocol_stream *now,
    enum lam_protocol_error *code)
{
    struct remote_stream *stream = NULL;
    int rc = 0;

    *now = (struct lam_protocol_stream){.offset = asked->offset};
    if (asked->state == LAM_PROTOCOL_STREAM_INITIALIZING) {
        rc = begin(streams, client, asked, &stream, code);
    } else {
        stream = remote_stream_find(streams, client, asked->id);
        *code = stream == NULL ? LAM_PROTOCOL_NO_STREAM : LAM_PROTOCOL_BAD_CHUNK;
        if (stream == NULL)
            rc = -ENOENT;
        else if (asked->state == LAM_PROTOCOL_STREAM_TRANSFERRING)
            rc = move(stream, asked, now);
        else if (asked->state != LAM_PROTOCOL_STREAM_FAILED)
            rc = -EINVAL;
    }
    if (rc == 0) {
        memcpy(now->id, stream->id, 16);
        now->total_bytes = stream->total_bytes;
        now->expires_ns = stream->expires_ns;
        now->mode = stream->mode;
        now->chunk_bytes = stream->chunk_bytes;
        now->state = asked->state == LAM_PROTOCOL_STREAM_FAILED ? asked->state : state_of(stream);
    }
    if (stream != NULL && (rc != 0 || asked->state == LAM_PROTOCOL_STREAM_FAILED))
        remote_stream_drop(stream);
    return rc;
}
