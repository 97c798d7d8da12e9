/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SOCKET_PARTS_H
#define LAM_SEQUENCER_SOCKET_PARTS_H

/*
 * socket_parts.h: what the two sides of socket.h share, and what each has for itself.
 */

#include "lamina/base/atomic.h"
#include "transport/socket.h"

/* How far the writer's side is with a connection. */
enum socket_stage {
    SOCKET_OPEN,
    SOCKET_CLOSING, /* frames of it are of no use any more */
    SOCKET_LEFT,    /* the writer's side has no call in flight and will start none */
};

/* Made and freed by the reader's side, which also closes the file. */
struct socket_connection {
    lam_atomic_u32 stage;    /* the writer's; enum socket_stage */
    lam_atomic_u32 is_ended; /* the reader's: the client will send nothing more */
    uint64_t number;
    int file;

    /* Reader. */
    struct lam_env_io receive, close;
    struct socket_connection *next_ready;
    struct transport_peer peer;
    uint8_t *input;
    uint32_t at, have; /* in @input: taken, and there */
    int reason;
    uint8_t is_new, is_held, is_ready, is_receiving, is_told, is_freed;

    /* Writer. */
    struct lam_env_io send, shutdown;
    struct socket_connection *next_dirty;
    uint8_t *output;
    uint64_t sent, written; /* in @output, a ring: bytes since the beginning */
    uint64_t deadline_ns;   /* of a connection that is closing */
    uint8_t is_dirty, is_sending, is_broken, is_silent, is_shutting;
};

/* One list, first in, first out. */
struct socket_list {
    struct socket_connection *first, *last;
};

struct socket_transport {
    struct transport transport; /* first: it is what is passed on */
    struct socket_transport_config config;
    char address[LAM_ENV_ADDRESS_BYTES];
    int listener;

    /*
     * The connections, by the low 16 bits of their numbers. The reader's side stores them, and what
     * it tells of them reaches the writer's side behind that.
     */
    struct socket_connection **places;
    lam_atomic_u64 changes; /* the writer's: a stage has changed somewhere */

    /* Reader. */
    struct lam_env_io accept, refuse;
    struct lam_env_done reader_done;
    struct socket_list ready;
    struct socket_connection *lent; /* whose frame is with the caller */
    uint8_t *aligned; /* a frame that lies unaligned in its buffer is lent from here */
    uint64_t accepted, seen_changes, accept_at_ns;
    uint32_t connections, since_look;
    uint8_t is_accepting, is_refusing;

    /* Writer. */
    struct lam_env_done writer_done;
    struct socket_list dirty; /* have something to send, or to end */
    unsigned worked;          /* in the present flush */
};

#define SOCKET_PLACE_BITS 16

int socket_next(struct transport *transport, struct transport_event *event);
void socket_hold(struct transport *transport, uint64_t number, int is_held);
int socket_send(
    struct transport *transport, uint64_t number, const struct iovec *parts, unsigned part_count);
unsigned socket_flush(struct transport *transport);
void socket_close(struct transport *transport, uint64_t number);

/* Take in a client, once there is one. */
void socket_start_accept(struct socket_transport *socket);

/* @io, of those two, is done. Returns the connection that has come of it, or NULL. */
struct socket_connection *socket_on_accept(struct socket_transport *socket, struct lam_env_io *io);

void socket_free(struct socket_connection *connection);

/* The connection @number, or NULL. */
static inline struct socket_connection *socket_find(
    const struct socket_transport *socket, uint64_t number)
{
    uint64_t place = number & ((1U << SOCKET_PLACE_BITS) - 1);
    struct socket_connection *connection =
        place < socket->config.connections_max ? socket->places[place] : NULL;

    return connection != NULL && connection->number == number ? connection : NULL;
}

#endif
