/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_REMOTE_CLIENT_H
#define LAM_RUNTIME_REMOTE_CLIENT_H

/*
 * client.h: the other side of a remote host.
 */

#include "lamina/runtime/messages.h"
#include "lamina/runtime/remote.h"
#include "remote/port.h"

#define REMOTE_OVERHEAD_BYTES 512

struct lam_remote {
    struct line *line;
    uint64_t bytes_max;  /* of a message */
    uint64_t host_bytes; /* bytes_max of the host: of a request, names and numbers aside */
    uint64_t next_id;
    uint32_t priority;
    uint32_t has_events;
    uint32_t has_trace;
    uint64_t chunk_bytes;      /* of streams; 0: there are none */
    struct lam_trace trace;    /* that calls are within */
    uint32_t code;             /* of the last error that was answered; 0 none */
    uint8_t *request, *answer; /* each of bytes_max */
    struct lam_error why;      /* of the last call */
};

/*
 * Ask @message, whose id is set here; *@answer's views are lent until the next call.
 *
 * Returns 0 and a response, or an error of remote.h; remote->why has the sentence, remote->code the
 * error that the host answered with.
 */
int remote_ask(struct lam_remote *remote, struct lam_protocol_message *message,
    uint64_t deadline_ns, struct lam_protocol_message *answer);

/* ---- transfer.c: in chunks; each returns as remote_ask() ---- */

/* @count bytes are with the host, by @id. */
int remote_push(struct lam_remote *remote, const void *bytes, uint64_t count, uint64_t deadline_ns,
    uint8_t id[16]);

/* All @count bytes of @id. */
int remote_pull(struct lam_remote *remote, const uint8_t id[16], void *bytes, uint64_t count,
    uint64_t deadline_ns);

/* Let go of it. */
void remote_forget(struct lam_remote *remote, const uint8_t id[16]);

/* @text as a view; NULL is empty. */
struct lam_protocol_view remote_view(const char *text);

#endif
