/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_accept.c: who comes in. One client is taken in at a time, and one that is too many is
 * closed before the next one is looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/socket_parts.h"

/* Where a client cannot be taken in for want of descriptors or memory: until the next try. */
#define ACCEPT_AGAIN_NS UINT64_C(100000000)

/* How many bytes of "tcp:HOST:PORT" are the host's. */
static size_t host_bytes(const char *address)
{
    const char *colon = strrchr(address, ':');

    return colon == NULL ? strlen(address) : (size_t)(colon - address);
}

static int is_same_source(const struct transport_peer *one, const struct transport_peer *other)
{
    size_t bytes = host_bytes(one->address);

    if (one->uid != (uid_t)-1 || other->uid != (uid_t)-1)
        return one->uid == other->uid;
    return bytes == host_bytes(other->address) && memcmp(one->address, other->address, bytes) == 0;
}

static int is_too_many(
    const struct socket_transport *socket, const struct transport_peer *peer, uint32_t *place)
{
    uint32_t of_source = 0;

    *place = UINT32_MAX;
    for (uint32_t i = 0; i < socket->config.connections_max; i++) {
        if (socket->places[i] != NULL)
            of_source += (uint32_t)is_same_source(&socket->places[i]->peer, peer);
        else if (*place == UINT32_MAX)
            *place = i;
    }
    return *place == UINT32_MAX || (socket->config.source_connections_max != 0 &&
                                       of_source >= socket->config.source_connections_max);
}

static struct socket_connection *create(const struct socket_transport_config *config)
{
    uint64_t head = (sizeof(struct socket_connection) + 15) / 16 * 16;
    uint64_t input = (config->input_bytes + UINT64_C(15)) / 16 * 16;
    struct socket_connection *connection = malloc(head + input + config->output_bytes);

    if (connection == NULL)
        return NULL;
    memset(connection, 0, head);
    connection->input = (uint8_t *)connection + head;
    connection->output = connection->input + input;
    connection->receive.context = connection->close.context = connection;
    connection->send.context = connection->shutdown.context = connection;
    return connection;
}

void socket_free(struct socket_connection *connection)
{
    free(connection);
}

static struct socket_connection *take_in(struct socket_transport *socket, int file)
{
    struct lam_env *env = socket->config.reader;
    struct lam_env_peer peer;
    struct transport_peer found = {0};
    struct socket_connection *connection;
    uint32_t place;

    if (env->ops->peer(env, file, &peer) != 0)
        return NULL;
    found.uid = peer.uid;
    found.pid = peer.pid;
    memcpy(found.address, peer.address, sizeof(found.address));
    if (is_too_many(socket, &found, &place) || (connection = create(&socket->config)) == NULL)
        return NULL;
    connection->number = (uint64_t)socket->config.number << 56 |
                         (++socket->accepted << SOCKET_PLACE_BITS & ((UINT64_C(1) << 56) - 1)) |
                         place;
    connection->file = file;
    connection->peer = found;
    connection->is_new = 1;
    socket->places[place] = connection;
    socket->connections++;
    return connection;
}

struct socket_connection *socket_on_accept(struct socket_transport *socket, struct lam_env_io *io)
{
    struct socket_connection *connection = NULL;

    if (io == &socket->refuse) {
        socket->is_refusing = 0;
        return NULL;
    }
    socket->is_accepting = 0;
    if (io->result < 0) {
        struct lam_env *env = socket->config.reader;

        socket->accept_at_ns = env->ops->now_ns(env) + ACCEPT_AGAIN_NS;
    } else if ((connection = take_in(socket, (int)io->result)) == NULL) {
        socket->refuse.file = (int)io->result;
        socket->is_refusing = 1;
        lam_env_start(socket->config.reader, &socket->refuse, LAM_ENV_CLOSE);
    }
    return connection;
}

void socket_start_accept(struct socket_transport *socket)
{
    struct lam_env *env = socket->config.reader;

    if (socket->is_accepting || socket->is_refusing ||
        (socket->accept_at_ns != 0 && env->ops->now_ns(env) < socket->accept_at_ns))
        return;
    socket->accept_at_ns = 0;
    socket->accept.file = socket->listener;
    socket->is_accepting = 1;
    lam_env_start(env, &socket->accept, LAM_ENV_ACCEPT);
}
