/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "transport/socket_parts.h"

#define INPUT_BYTES     (64U << 10)
#define OUTPUT_BYTES    (256U << 10)
#define CONNECTIONS_MAX 1024
#define LINGER_NS       UINT64_C(1000000000)
#define BUFFER_MAX      (1U << 30)
#define LOOK_AGAIN_NS   UINT64_C(1000000)

static const struct socket_transport *of(const struct transport *transport)
{
    return (const struct socket_transport *)transport;
}

static uint32_t larger(uint32_t one, uint32_t other)
{
    return one > other ? one : other;
}

static int set_config(struct socket_transport *socket, const struct socket_transport_config *from,
    struct lam_error *error)
{
    struct socket_transport_config *config = &socket->config;
    uint32_t least = from->frame_bytes_max;

    *config = *from;
    if (from->number == 0 || from->number > 255)
        return lam_error_set(error, -EINVAL, "transport %u: numbers are 1 to 255", from->number);
    if (least < FRAME_HEADER_BYTES || least > BUFFER_MAX || from->input_bytes > BUFFER_MAX ||
        from->output_bytes > BUFFER_MAX)
        return lam_error_set(error, -EINVAL,
            "frames of %u bytes, buffers of %u and %u: a frame has %u bytes at least, a buffer %u "
            "at most",
            least, from->input_bytes, from->output_bytes, FRAME_HEADER_BYTES, BUFFER_MAX);
    if (from->connections_max >= 1U << SOCKET_PLACE_BITS)
        return lam_error_set(error, -EINVAL, "connections: %u, there are %u at most",
            from->connections_max, (1U << SOCKET_PLACE_BITS) - 1);
    config->input_bytes = larger(least, from->input_bytes != 0 ? from->input_bytes : INPUT_BYTES);
    config->output_bytes =
        larger(least, from->output_bytes != 0 ? from->output_bytes : OUTPUT_BYTES);
    if (config->connections_max == 0)
        config->connections_max = CONNECTIONS_MAX;
    if (config->linger_ns == 0)
        config->linger_ns = LINGER_NS;
    return 0;
}

static int begin_to_listen(struct socket_transport *socket, struct lam_error *error)
{
    struct lam_env *env = socket->config.reader;
    struct lam_env_io io = {.name = socket->config.address};
    struct lam_env_peer self;
    int64_t listener = lam_env_do(env, &io, LAM_ENV_LISTEN);

    if (listener < 0)
        return lam_error_set(error, (int)listener, "%s: cannot be listened at: %s",
            socket->config.address,
            listener == -EINVAL ? "it is no unix:PATH and no tcp:HOST:PORT with a host in numbers"
                                : strerror((int)-listener));
    socket->listener = (int)listener;
    if (env->ops->peer(env, socket->listener, &self) == 0)
        memcpy(socket->address, self.address, sizeof(socket->address));
    return 0;
}

/* Until nothing of @env is in flight that @is_busy sees. */
static void settle(struct socket_transport *socket, struct lam_env *env,
    int (*is_busy)(const struct socket_transport *socket))
{
    while (env->ops->poll(env), is_busy(socket))
        env->ops->wait(env, env->ops->now_ns(env) + LOOK_AGAIN_NS);
}

static int is_sending(const struct socket_transport *socket)
{
    for (uint32_t i = 0; i < socket->config.connections_max; i++) {
        const struct socket_connection *connection = socket->places[i];

        if (connection != NULL && ((connection->is_sending && !connection->send.done) ||
                                      (connection->is_shutting && !connection->shutdown.done)))
            return 1;
    }
    return 0;
}

static int is_receiving(const struct socket_transport *socket)
{
    for (uint32_t i = 0; i < socket->config.connections_max; i++) {
        const struct socket_connection *connection = socket->places[i];

        if (connection != NULL &&
            (!connection->close.done || (connection->is_receiving && !connection->receive.done)))
            return 1;
    }
    return (socket->is_accepting && !socket->accept.done) ||
           (socket->is_refusing && !socket->refuse.done);
}

/* Both sides have ended, this thread is both. */
static void close_all(struct socket_transport *socket)
{
    struct lam_env *reader = socket->config.reader, *writer = socket->config.writer;
    struct lam_env_io listener = {.file = socket->listener};

    for (uint32_t i = 0; i < socket->config.connections_max; i++)
        if (socket->places[i] != NULL && socket->places[i]->is_sending)
            writer->ops->cancel(writer, &socket->places[i]->send);
    settle(socket, writer, is_sending);
    for (uint32_t i = 0; i < socket->config.connections_max; i++) {
        struct socket_connection *connection = socket->places[i];

        if (connection == NULL || connection->is_freed)
            continue;
        connection->close.file = connection->file;
        lam_env_start(reader, &connection->close, LAM_ENV_CLOSE);
    }
    (void)lam_env_do(reader, &listener, LAM_ENV_CLOSE);
    settle(socket, reader, is_receiving);
    /* One that was taken in and not told of. */
    if (socket->is_accepting && socket->accept.result >= 0) {
        listener.file = (int)socket->accept.result;
        (void)lam_env_do(reader, &listener, LAM_ENV_CLOSE);
    }
}

static void destroy(struct transport *transport)
{
    struct socket_transport *socket = (struct socket_transport *)transport;

    close_all(socket);
    for (uint32_t i = 0; i < socket->config.connections_max; i++)
        if (socket->places[i] != NULL)
            socket_free(socket->places[i]);
    free(socket->places);
    free(socket->aligned);
    free(socket);
}

int socket_transport_create(struct transport **transport,
    const struct socket_transport_config *config, struct lam_error *error)
{
    static const struct transport_ops ops = {.next = socket_next,
        .hold = socket_hold,
        .send = socket_send,
        .flush = socket_flush,
        .close = socket_close,
        .destroy = destroy};
    struct socket_transport *socket = calloc(1, sizeof(*socket));
    int rc;

    if (socket == NULL)
        return lam_error_set(error, -ENOMEM, "%s: no memory", config->address);
    socket->transport.ops = &ops;
    socket->transport.number = config->number;
    rc = set_config(socket, config, error);
    if (rc == 0) {
        socket->places = calloc(socket->config.connections_max, sizeof(*socket->places));
        socket->aligned = malloc(config->frame_bytes_max);
        if (socket->places == NULL || socket->aligned == NULL)
            rc = lam_error_set(error, -ENOMEM, "%s: no memory", config->address);
        else
            rc = begin_to_listen(socket, error);
    }
    if (rc != 0) {
        free(socket->places);
        free(socket->aligned);
        free(socket);
        return rc;
    }
    socket->accept.tell = socket->refuse.tell = &socket->reader_done;
    socket_start_accept(socket);
    *transport = &socket->transport;
    return 0;
}

const char *socket_transport_address(const struct transport *transport)
{
    return of(transport)->address;
}

uint32_t socket_transport_connections(const struct transport *transport)
{
    return of(transport)->connections;
}
