/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_REMOTE_STREAMS_H
#define LAM_RUNTIME_REMOTE_STREAMS_H

/*
 * streams.h: what is on its way in chunks, requests and answers of a host's clients.
 *
 * All of it is the speaker's. A runner has one only while is_running: then it stays as it is.
 */

#include <stdint.h>

#include "lamina/runtime/messages.h"

#define REMOTE_STREAMS_OF_CLIENT 4
#define REMOTE_NOBODY            UINT64_MAX

struct remote_stream {
    uint64_t client; /* 0: it is none; REMOTE_NOBODY: that one has gone, and it still runs */
    uint8_t id[16];
    uint64_t total_bytes, moved_bytes;
    uint64_t expires_ns;
    uint64_t chunk_bytes;
    enum lam_protocol_stream_mode mode;
    uint32_t is_running; /* a request has it */
    uint8_t *bytes;      /* total_bytes of them; NULL: room for an answer, which is not there yet */
};

struct remote_streams {
    struct remote_stream *all;
    uint32_t count;
    uint64_t bytes_max; /* of one client; 0: there are no streams */
    uint64_t keep_ns;
    uint64_t chunk_max;
};

/* What a client may still have: less than that where it has too many. */
uint64_t remote_streams_left(const struct remote_streams *streams, uint64_t client);

/* One of @total bytes, which are left, and without bytes. */
struct remote_stream *remote_stream_make(struct remote_streams *streams, uint64_t client,
    uint64_t total, enum lam_protocol_stream_mode mode);

/* The client's of that id, or NULL. */
struct remote_stream *remote_stream_find(
    const struct remote_streams *streams, uint64_t client, const uint8_t id[16]);

/* It is gone, and its memory. NULL is allowed. */
void remote_stream_drop(struct remote_stream *stream);

/* A request has ended: it has @bytes, its own now, for the client. */
void remote_stream_give(
    struct remote_streams *streams, struct remote_stream *stream, uint8_t *bytes, uint64_t total);

void remote_streams_went(struct remote_streams *streams, uint64_t client);
void remote_streams_expire(struct remote_streams *streams, uint64_t now_ns);

/*
 * What a client asks of a stream: *@now is how it is, with what is to be answered in it.
 *
 * Returns 0, or a negative errno and *@code: the error to answer.
 */
int remote_stream_ask(struct remote_streams *streams, uint64_t client,
    const struct lam_protocol_stream *asked, struct lam_protocol_stream *now,
    enum lam_protocol_error *code);

#endif
