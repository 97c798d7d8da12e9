/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SOCKET_H
#define LAM_SEQUENCER_SOCKET_H

/*
 * socket.h: a transport of byte streams, by unix or by tcp, over the network calls of two envs: one
 * of the reader's side, one of the writer's. Each is for its side's thread; they are the same one
 * where there is one thread.
 *
 * What a client can cost is its own connection: a buffer each way, one frame in its turn, and
 * nothing of it is looked at before its length is within bounds. A frame that is in no bounds, and
 * one that the end cuts short, end the connection with -EMSGSIZE or -EPROTO.
 *
 * Once the writer's side has closed a connection no frame of it comes any more. What was copied
 * goes out, then the client sees the end; when it has ended too, or when linger_ns have passed
 * without progress, the connection is over and its place is free. A flush sees that: there is one
 * each 100 ms or so, while something was closed.
 */

#include "env/env.h"
#include "lamina/base/error.h"
#include "transport/transport.h"

struct socket_transport_config {
    struct lam_env *reader, *writer; /* kept */
    const char *address;             /* "unix:PATH" or "tcp:HOST:PORT"; port 0: any */
    uint32_t number;                 /* 1 to 255; of this transport within the node */
    uint32_t frame_bytes_max;        /* of a frame of a client's */
    /* Of a connection's buffers; at least a frame. 0: 64 KiB and 256 KiB. */
    uint32_t input_bytes, output_bytes;
    uint32_t connections_max;        /* to 65535; 0: 1024. More are closed as they come */
    uint32_t source_connections_max; /* of one user by unix, of one host by tcp; 0: no bound */
    uint64_t linger_ns;              /* 0: 1 s */
};

/*
 * A transport that listens. Waits for no client. Allocates here and for each connection, nowhere
 * else.
 *
 * Returns 0 and the transport, which is the caller's until its destroy, or -EINVAL, -ENOMEM,
 * -EADDRINUSE, -errno of listening, with @error.
 */
int socket_transport_create(struct transport **transport,
    const struct socket_transport_config *config, struct lam_error *error);

/* Where it listens, any port told. The transport's. */
const char *socket_transport_address(const struct transport *transport);

/* How many connections hold a place. Reader's side. */
uint32_t socket_transport_connections(const struct transport *transport);

#endif
