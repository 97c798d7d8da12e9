/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_writer.c: frames go out, copied into a ring for each connection: what fits is taken whole,
 * what does not is not begun. Then the end of a connection.
 */
#include <errno.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "transport/socket_parts.h"

static struct socket_transport *of(struct transport *transport)
{
    return (struct socket_transport *)transport;
}

static void mark_dirty(struct socket_transport *socket, struct socket_connection *connection)
{
    struct socket_list *dirty = &socket->dirty;

    if (connection->is_dirty)
        return;
    connection->is_dirty = 1;
    connection->next_dirty = NULL;
    if (dirty->first == NULL)
        dirty->first = connection;
    else
        dirty->last->next_dirty = connection;
    dirty->last = connection;
}

static void set_stage(
    struct socket_transport *socket, struct socket_connection *connection, enum socket_stage stage)
{
    struct lam_env *env = socket->config.reader;

    /* R0, pairs with A0: from SOCKET_LEFT on this side touches nothing of it. */
    lam_store_release(&connection->stage, stage);
    /* R2, pairs with A2: the stage stands. Relaxed: only this side counts. */
    lam_store_release(&socket->changes, lam_load_relaxed(&socket->changes) + 1);
    env->ops->wake(env);
}

/* @count bytes behind what was written. */
static void copy_in(
    struct socket_connection *connection, uint64_t room_bytes, const void *bytes, uint64_t count)
{
    uint64_t at = connection->written % room_bytes;
    uint64_t first = count < room_bytes - at ? count : room_bytes - at;

    if (count == 0)
        return;
    memcpy(connection->output + at, bytes, first);
    memcpy(connection->output, (const uint8_t *)bytes + first, count - first);
    connection->written += count;
}

int socket_send(
    struct transport *transport, uint64_t number, const struct iovec *parts, unsigned part_count)
{
    struct socket_transport *socket = of(transport);
    struct socket_connection *connection = socket_find(socket, number);
    uint64_t total = 0, room_bytes = socket->config.output_bytes;

    if (connection == NULL || connection->is_broken ||
        lam_load_relaxed(&connection->stage) != SOCKET_OPEN) /* this side's own word */
        return -ENOTCONN;
    for (unsigned i = 0; i < part_count; i++)
        total += parts[i].iov_len;
    LAM_ASSERT(total <= room_bytes);
    if (total > room_bytes - (connection->written - connection->sent))
        return 0;
    for (unsigned i = 0; i < part_count; i++)
        copy_in(connection, room_bytes, parts[i].iov_base, parts[i].iov_len);
    mark_dirty(socket, connection);
    return 1;
}

static void start_send(struct socket_transport *socket, struct socket_connection *connection)
{
    uint64_t room_bytes = socket->config.output_bytes, at = connection->sent % room_bytes;
    uint64_t count = connection->written - connection->sent;

    connection->send.file = connection->file;
    connection->send.bytes = connection->output + at;
    connection->send.count = count < room_bytes - at ? count : room_bytes - at;
    connection->send.tell = &socket->writer_done;
    connection->is_sending = 1;
    socket->worked++;
    lam_env_start(socket->config.writer, &connection->send, LAM_ENV_SEND);
}

/* @both 0: nothing more is sent; 1: nor received, so that the reader's side sees the end. */
static void start_shutdown(
    struct socket_transport *socket, struct socket_connection *connection, int both)
{
    connection->shutdown.file = connection->file;
    connection->shutdown.count = (uint64_t)both;
    connection->shutdown.tell = &socket->writer_done;
    connection->is_shutting = 1;
    socket->worked++;
    lam_env_start(socket->config.writer, &connection->shutdown, LAM_ENV_SHUTDOWN);
}

/* A step towards the end of a connection that is closing. Returns whether it has left. */
static int wind_up(struct socket_transport *socket, struct socket_connection *connection)
{
    struct lam_env *env = socket->config.writer;
    int is_late = env->ops->now_ns(env) >= connection->deadline_ns;
    int is_drained = connection->is_broken || connection->written == connection->sent;

    if (connection->is_shutting)
        return 0;
    if (connection->is_silent == 2 && !connection->is_sending) {
        set_stage(socket, connection, SOCKET_LEFT);
        return 1;
    }
    /* A1, pairs with R1: the client has ended, nobody waits for anything. */
    if (is_late || (is_drained && lam_load_acquire(&connection->is_ended) != 0)) {
        if (connection->is_sending)
            env->ops->cancel(env, &connection->send);
        if (connection->is_silent != 2)
            start_shutdown(socket, connection, 1);
        connection->is_silent = 2;
    } else if (is_drained && connection->is_silent == 0) {
        connection->is_silent = 1;
        start_shutdown(socket, connection, 0);
    }
    return 0;
}

static void on_done(struct socket_transport *socket, struct lam_env_io *io)
{
    struct socket_connection *connection = io->context;
    struct lam_env *env = socket->config.writer;

    mark_dirty(socket, connection);
    if (io == &connection->shutdown) {
        connection->is_shutting = 0;
        return;
    }
    connection->is_sending = 0;
    if (io->result < 0) {
        connection->is_broken = 1;
        return;
    }
    connection->sent += (uint64_t)io->result;
    /* As long as it reads, what is left for it may take its time. */
    connection->deadline_ns = env->ops->now_ns(env) + socket->config.linger_ns;
}

/* What can be done for @connection now. Returns whether it stays in the list. */
static int go_on(struct socket_transport *socket, struct socket_connection *connection)
{
    if (!connection->is_sending && !connection->is_broken &&
        connection->written != connection->sent && connection->is_silent == 0)
        start_send(socket, connection);
    if (lam_load_relaxed(&connection->stage) == SOCKET_OPEN) /* this side's own word */
        return 0;
    return !wind_up(socket, connection);
}

unsigned socket_flush(struct transport *transport)
{
    struct socket_transport *socket = of(transport);
    struct lam_env *env = socket->config.writer;
    struct socket_connection *connection, *next;
    struct lam_env_io *io;

    socket->worked = 0;
    (void)env->ops->poll(env);
    for (; (io = lam_env_take(&socket->writer_done)) != NULL; socket->worked++)
        on_done(socket, io);
    connection = socket->dirty.first;
    socket->dirty.first = NULL;
    for (; connection != NULL; connection = next) {
        next = connection->next_dirty;
        connection->is_dirty = 0;
        if (go_on(socket, connection))
            mark_dirty(socket, connection);
    }
    return socket->worked;
}

void socket_close(struct transport *transport, uint64_t number)
{
    struct socket_transport *socket = of(transport);
    struct socket_connection *connection = socket_find(socket, number);
    struct lam_env *env = socket->config.writer;

    if (connection == NULL || lam_load_relaxed(&connection->stage) != SOCKET_OPEN)
        return; /* relaxed: this side's own word */
    connection->deadline_ns = env->ops->now_ns(env) + socket->config.linger_ns;
    set_stage(socket, connection, SOCKET_CLOSING);
    mark_dirty(socket, connection);
}
