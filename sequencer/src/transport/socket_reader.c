/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_reader.c: connections come, their bytes become frames, they go. Those that have something
 * to tell stand in a line, and each tells one thing in its turn.
 */
#include <errno.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "transport/socket_parts.h"

/* Frames between two looks at who else has something, while there are frames without looking. */
#define FRAMES_BETWEEN_LOOKS 64

static struct socket_transport *of(struct transport *transport)
{
    return (struct socket_transport *)transport;
}

static void push(struct socket_transport *socket, struct socket_connection *connection)
{
    struct socket_list *ready = &socket->ready;

    if (connection->is_ready)
        return;
    connection->is_ready = 1;
    connection->next_ready = NULL;
    if (ready->first == NULL)
        ready->first = connection;
    else
        ready->last->next_ready = connection;
    ready->last = connection;
}

static struct socket_connection *pop(struct socket_transport *socket)
{
    struct socket_connection *connection = socket->ready.first;

    if (connection == NULL)
        return NULL;
    socket->ready.first = connection->next_ready;
    connection->is_ready = 0;
    return connection;
}

static void end(struct socket_connection *connection, int reason)
{
    if (lam_load_relaxed(&connection->is_ended) != 0) /* this side's own word */
        return;
    connection->reason = reason;
    /* R1, pairs with A1 of the writer's side: nobody is at the other end who would listen. */
    lam_store_release(&connection->is_ended, 1);
}

static uint32_t stage_of(const struct socket_connection *connection)
{
    /* A0, pairs with R0: who has left has no call in flight any more. */
    return lam_load_acquire(&connection->stage);
}

static void start_receive(struct socket_transport *socket, struct socket_connection *connection)
{
    uint32_t left = connection->have - connection->at;

    if (connection->is_receiving || lam_load_relaxed(&connection->is_ended) != 0)
        return;
    memmove(connection->input, connection->input + connection->at, left);
    connection->at = 0;
    connection->have = left;
    connection->receive.file = connection->file;
    connection->receive.bytes = connection->input + left;
    connection->receive.count = socket->config.input_bytes - left;
    connection->receive.tell = &socket->reader_done;
    connection->is_receiving = 1;
    lam_env_start(socket->config.reader, &connection->receive, LAM_ENV_RECEIVE);
}

/* Its file is closed by this side, when the writer's has left and the caller knows of its end. */
static void start_close(struct socket_transport *socket, struct socket_connection *connection)
{
    connection->close.file = connection->file;
    connection->close.tell = &socket->reader_done;
    connection->is_freed = 1;
    lam_env_start(socket->config.reader, &connection->close, LAM_ENV_CLOSE);
}

static uint32_t length_at(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* The next frame, where all of it is there. Returns whether it is. */
static int take_frame(struct socket_transport *socket, struct socket_connection *connection,
    struct transport_event *event)
{
    const uint8_t *bytes = connection->input + connection->at;
    uint32_t left = connection->have - connection->at, length;

    if (left < sizeof(length))
        return 0;
    length = length_at(bytes);
    if (length < FRAME_HEADER_BYTES || length > socket->config.frame_bytes_max) {
        end(connection, length < FRAME_HEADER_BYTES ? -EPROTO : -EMSGSIZE);
        connection->at = connection->have;
        return 0;
    }
    if (length > left)
        return 0;
    connection->at += length;
    if ((bytes - connection->input) % 8 != 0)
        bytes = memcpy(socket->aligned, bytes, length);
    event->kind = TRANSPORT_FRAME;
    event->bytes = bytes;
    event->count = length;
    return 1;
}

/* What @connection has to tell in its turn. Returns whether it has. */
static int tell(struct socket_transport *socket, struct socket_connection *connection,
    struct transport_event *event)
{
    uint32_t stage = stage_of(connection);

    event->connection = connection->number;
    if (connection->is_new) {
        connection->is_new = 0;
        event->kind = TRANSPORT_CONNECTED;
        event->peer = connection->peer;
        return 1;
    }
    if (connection->is_held && stage == SOCKET_OPEN)
        return 0;
    if (stage != SOCKET_OPEN && !connection->is_receiving)
        connection->at = connection->have = 0;
    if (stage == SOCKET_OPEN && take_frame(socket, connection, event))
        return 1;
    if (stage == SOCKET_LEFT)
        end(connection, 0);
    if (lam_load_relaxed(&connection->is_ended) == 0) {
        start_receive(socket, connection);
        return 0;
    }
    if (!connection->is_told) {
        connection->is_told = 1;
        event->kind = TRANSPORT_GONE;
        event->reason = connection->reason;
        /* What was cut short was to be a frame. */
        if (stage == SOCKET_OPEN && event->reason == 0 && connection->have != connection->at)
            event->reason = -EPROTO;
        return 1;
    }
    if (stage == SOCKET_LEFT && !connection->is_freed)
        start_close(socket, connection);
    return 0;
}

static void on_receive(struct socket_connection *connection)
{
    int64_t result = connection->receive.result;

    connection->is_receiving = 0;
    if (result > 0)
        connection->have += (uint32_t)result;
    else
        end(connection, (int)result);
}

/* Both its calls are done, and it is in no list: its place is free. */
static void free_if_over(struct socket_transport *socket, struct socket_connection *connection)
{
    if (!connection->is_freed || !connection->close.done || connection->is_receiving ||
        connection->is_ready)
        return;
    socket->places[connection->number & ((1U << SOCKET_PLACE_BITS) - 1)] = NULL;
    socket->connections--;
    socket_free(connection);
}

/* One look at what has happened to this side's calls, and to the writer's side. */
static void look(struct socket_transport *socket)
{
    struct lam_env *env = socket->config.reader;
    struct socket_connection *connection;
    struct lam_env_io *io;
    uint64_t changes;

    socket->since_look = 0;
    (void)env->ops->poll(env);
    while ((io = lam_env_take(&socket->reader_done)) != NULL) {
        connection = io->context;
        if (connection == NULL)
            connection = socket_on_accept(socket, io);
        else if (io->call == LAM_ENV_RECEIVE)
            on_receive(connection);
        if (connection != NULL)
            push(socket, connection); /* where it is closed, its turn frees it */
    }
    /* A2, pairs with R2: the stages that have changed before are seen as they are. */
    changes = lam_load_acquire(&socket->changes);
    if (changes != socket->seen_changes) {
        socket->seen_changes = changes;
        for (uint32_t i = 0; i < socket->config.connections_max; i++)
            if (socket->places[i] != NULL && stage_of(socket->places[i]) != SOCKET_OPEN)
                push(socket, socket->places[i]);
    }
    socket_start_accept(socket);
}

/* The next event of those who stand in line. Returns whether there is one. */
static int tell_next(struct socket_transport *socket, struct transport_event *event)
{
    struct socket_connection *connection;

    while ((connection = pop(socket)) != NULL) {
        *event = (struct transport_event){0};
        if (tell(socket, connection, event)) {
            socket->lent = connection;
            return 1;
        }
        free_if_over(socket, connection);
    }
    return 0;
}

int socket_next(struct transport *transport, struct transport_event *event)
{
    struct socket_transport *socket = of(transport);

    if (socket->lent != NULL)
        push(socket, socket->lent);
    socket->lent = NULL;
    if (++socket->since_look >= FRAMES_BETWEEN_LOOKS)
        look(socket);
    if (tell_next(socket, event))
        return 1;
    /* Whoever is told that there is nothing may sleep: not before a look behind the last wake. */
    look(socket);
    return tell_next(socket, event);
}

void socket_hold(struct transport *transport, uint64_t number, int is_held)
{
    struct socket_transport *socket = of(transport);
    struct socket_connection *connection = socket_find(socket, number);

    if (connection == NULL)
        return;
    connection->is_held = is_held != 0;
    if (!is_held && connection != socket->lent)
        push(socket, connection);
}
