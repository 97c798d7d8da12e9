/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_net.c: network calls: who listens, who is connected, and what each end of a connection sees
 * of the other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "simulation/sim_parts.h"

#define FIRST_PORT 30000

static void *one_more(void *array, unsigned count, size_t bytes)
{
    uint8_t *more = realloc(array, (count + 1) * bytes);

    LAM_ASSERT(more != NULL);
    memset(more + count * bytes, 0, bytes);
    return more;
}

static struct sim_listener *listener_of(struct sim *sim, int file)
{
    unsigned index = (unsigned)(file - SIM_LISTENERS);

    return file >= SIM_LISTENERS && index < sim->listener_count && sim->listeners[index].is_open
               ? &sim->listeners[index]
               : NULL;
}

/* The connection that @file is an end of, and which; NULL: there is none, or it is closed. */
static struct sim_connection *connection_of(struct sim *sim, int file, int *side)
{
    unsigned index = (unsigned)(file - SIM_CONNECTIONS) / 2;

    *side = file & 1;
    return file >= SIM_CONNECTIONS && index < sim->connection_count &&
                   !sim->connections[index].ends[*side].is_closed
               ? &sim->connections[index]
               : NULL;
}

static int file_of(const struct sim *sim, const struct sim_connection *connection, int side)
{
    return SIM_CONNECTIONS + 2 * (int)(connection - sim->connections) + side;
}

static int find_listener(const struct sim *sim, const char *address)
{
    for (unsigned i = 0; i < sim->listener_count; i++)
        if (sim->listeners[i].is_open && strcmp(sim->listeners[i].address, address) == 0)
            return (int)i;
    return -1;
}

static int is_address(const char *text)
{
    return strlen(text) < LAM_ENV_ADDRESS_BYTES &&
           (strncmp(text, "unix:", 5) == 0 || strncmp(text, "tcp:", 4) == 0);
}

static int64_t start_listener(struct sim *sim, const struct sim_entry *entry)
{
    const char *name = entry->io->name;
    size_t count = strlen(name);
    unsigned index = sim->listener_count;
    struct sim_listener *listener;

    if (!is_address(name))
        return -EINVAL;
    if (find_listener(sim, name) >= 0)
        return -EADDRINUSE;
    sim->listeners = one_more(sim->listeners, index, sizeof(*listener));
    sim->listener_count++;
    listener = &sim->listeners[index];
    listener->owner = entry->owner;
    listener->is_open = 1;
    if (name[0] == 't' && count > 2 && strcmp(name + count - 2, ":0") == 0)
        (void)snprintf(listener->address, sizeof(listener->address), "%.*s:%u", (int)count - 2,
            name, FIRST_PORT + index);
    else
        memcpy(listener->address, name, count + 1);
    return SIM_LISTENERS + (int64_t)index;
}

static int64_t later(struct sim_entry *entry, uint64_t due_ns)
{
    entry->due_ns = due_ns;
    return SIM_LATER;
}

/* A connection that both ends have closed, or one more. */
static struct sim_connection *new_connection(struct sim *sim)
{
    unsigned index = 0;

    while (index < sim->connection_count && (!sim->connections[index].ends[0].is_closed ||
                                                !sim->connections[index].ends[1].is_closed))
        index++;
    if (index == sim->connection_count) {
        sim->connections = one_more(sim->connections, index, sizeof(*sim->connections));
        sim->connection_count++;
    }
    sim->connections[index] = (struct sim_connection){0};
    return &sim->connections[index];
}

static int64_t connect_one(struct sim *sim, const struct sim_entry *entry)
{
    struct sim_connection *connection;
    int listener;

    if (!is_address(entry->io->name))
        return -EINVAL;
    listener = find_listener(sim, entry->io->name);
    if (listener < 0)
        return entry->io->name[0] == 'u' ? -ENOENT : -ECONNREFUSED;
    if (sim_net_happens(sim, sim->net.refuse_one_in))
        return -ECONNREFUSED;
    connection = new_connection(sim);
    connection->listener = listener;
    connection->ends[0].owner = entry->owner;
    connection->ends[1].owner = sim->listeners[listener].owner;
    connection->ends[0].reset_ns = connection->ends[1].reset_ns = UINT64_MAX;
    sim_try_again(sim, SIM_LISTENERS + listener);
    return file_of(sim, connection, 0);
}

static int64_t accept_one(struct sim *sim, struct sim_entry *entry)
{
    if (listener_of(sim, entry->io->file) == NULL)
        return -EBADF;
    for (unsigned i = 0; i < sim->connection_count; i++) {
        struct sim_connection *connection = &sim->connections[i];

        if (connection->is_accepted || connection->ends[1].is_closed ||
            connection->listener != entry->io->file - SIM_LISTENERS)
            continue;
        connection->is_accepted = 1;
        return file_of(sim, connection, 1);
    }
    return later(entry, UINT64_MAX);
}

/* From now on for @side, a while later for the other. */
static void reset(struct sim *sim, struct sim_connection *connection, int side)
{
    uint64_t due_ns = sim->now_ns + sim_net_delay(sim);

    if (connection->ends[side].reset_ns > sim->now_ns)
        connection->ends[side].reset_ns = sim->now_ns;
    if (connection->ends[!side].reset_ns > due_ns)
        connection->ends[!side].reset_ns = due_ns;
    sim_try_again(sim, file_of(sim, connection, 0));
    sim_try_again(sim, file_of(sim, connection, 1));
}

/* What is not yet known at this end will be when it is due. */
static int64_t not_before(struct sim_entry *entry, const struct sim_end *end, uint64_t due_ns)
{
    return later(entry, due_ns < end->reset_ns ? due_ns : end->reset_ns);
}

static int64_t receive(
    struct sim *sim, struct sim_entry *entry, struct sim_connection *connection, int side)
{
    struct sim_way *way = &connection->ways[!side];
    const struct lam_env_io *io = entry->io;
    uint64_t due_ns;
    int64_t count;

    if (connection->ends[side].is_deaf)
        return 0;
    count = sim_way_take(sim, way, io->bytes, io->count, &due_ns);
    if (count != 0) {
        sim_try_again(sim, file_of(sim, connection, !side));
        return count;
    }
    if (due_ns == UINT64_MAX && way->is_ended) {
        due_ns = way->last_due_ns > way->cut_until_ns ? way->last_due_ns : way->cut_until_ns;
        if (due_ns <= sim->now_ns)
            return 0;
    }
    return not_before(entry, &connection->ends[side], due_ns);
}

static int64_t send_some(
    struct sim *sim, struct sim_entry *entry, struct sim_connection *connection, int side)
{
    struct sim_way *way = &connection->ways[side];
    int64_t count;

    if (way->is_ended)
        return -EPIPE;
    /* The other end has closed, and this one has heard of it. */
    if (connection->ends[!side].is_closed && connection->ways[!side].last_due_ns <= sim->now_ns)
        return -EPIPE;
    count = sim_way_send(sim, way, entry->io->bytes, entry->io->count);
    if (count == 0)
        return not_before(entry, &connection->ends[side],
            connection->ends[!side].is_closed ? connection->ways[!side].last_due_ns : UINT64_MAX);
    sim_try_again(sim, file_of(sim, connection, !side));
    return count;
}

/* The last that @side sends: its end. */
static void end_way(struct sim *sim, struct sim_connection *connection, int side)
{
    struct sim_way *way = &connection->ways[side];
    uint64_t due_ns = sim->now_ns + sim_net_delay(sim);

    if (way->is_ended)
        return;
    way->is_ended = 1;
    if (way->last_due_ns < due_ns)
        way->last_due_ns = due_ns;
    sim_try_again(sim, file_of(sim, connection, !side));
}

static int64_t shut_down(
    struct sim *sim, const struct lam_env_io *io, struct sim_connection *connection, int side)
{
    end_way(sim, connection, side);
    if (io->count != 0) {
        connection->ends[side].is_deaf = 1;
        sim_try_again(sim, io->file);
    }
    return 0;
}

int64_t sim_net_call(struct sim *sim, struct sim_entry *entry)
{
    const struct lam_env_io *io = entry->io;
    struct sim_connection *connection;
    int side;

    if (io->call == LAM_ENV_LISTEN)
        return start_listener(sim, entry);
    if (io->call == LAM_ENV_CONNECT)
        return connect_one(sim, entry);
    if (io->call == LAM_ENV_ACCEPT)
        return accept_one(sim, entry);
    connection = connection_of(sim, io->file, &side);
    if (connection == NULL)
        return -EBADF;
    if (io->call == LAM_ENV_SHUTDOWN)
        return shut_down(sim, io, connection, side);
    LAM_ASSERT(io->count != 0);
    if (sim_net_happens(sim, sim->net.reset_one_in))
        reset(sim, connection, side);
    if (connection->ends[side].reset_ns <= sim->now_ns)
        return -ECONNRESET;
    return io->call == LAM_ENV_RECEIVE ? receive(sim, entry, connection, side)
                                       : send_some(sim, entry, connection, side);
}

/* Who closes with something unread breaks the connection, as the kernel has it. */
static void close_end(struct sim *sim, struct sim_connection *connection, int side, int is_abrupt)
{
    const struct sim_way *in = &connection->ways[!side];

    sim_decide_file(sim, file_of(sim, connection, side), -ECANCELED);
    if (is_abrupt || in->taken != in->sent)
        reset(sim, connection, side);
    else
        end_way(sim, connection, side);
    connection->ends[side].is_closed = 1;
    sim_try_again(sim, file_of(sim, connection, !side));
    if (!connection->ends[!side].is_closed)
        return;
    for (int i = 0; i < 2; i++) {
        free(connection->ways[i].bytes);
        free(connection->ways[i].arrivals);
        connection->ways[i] = (struct sim_way){.is_ended = 1};
    }
}

static void close_listener(struct sim *sim, struct sim_listener *listener)
{
    int index = (int)(listener - sim->listeners);

    sim_decide_file(sim, SIM_LISTENERS + index, -ECANCELED);
    listener->is_open = 0;
    for (unsigned i = 0; i < sim->connection_count; i++)
        if (sim->connections[i].listener == index && !sim->connections[i].is_accepted &&
            !sim->connections[i].ends[1].is_closed)
            close_end(sim, &sim->connections[i], 1, 1);
}

int64_t sim_net_close(struct sim *sim, int file)
{
    struct sim_listener *listener = listener_of(sim, file);
    struct sim_connection *connection;
    int side;

    if (listener != NULL) {
        close_listener(sim, listener);
        return 0;
    }
    connection = connection_of(sim, file, &side);
    if (connection == NULL)
        return -EBADF;
    close_end(sim, connection, side, 0);
    return 0;
}

void sim_net_end(struct sim *sim, unsigned owner)
{
    for (unsigned i = 0; i < sim->listener_count; i++)
        if (sim->listeners[i].is_open && sim->listeners[i].owner == owner)
            close_listener(sim, &sim->listeners[i]);
    for (unsigned i = 0; i < sim->connection_count; i++)
        for (int side = 0; side < 2; side++)
            if (sim->connections[i].ends[side].owner == owner &&
                !sim->connections[i].ends[side].is_closed)
                close_end(sim, &sim->connections[i], side, (sim_random(sim) & 1) != 0);
}

void sim_reset(struct sim *sim, int file)
{
    int side;
    struct sim_connection *connection = connection_of(sim, file, &side);

    LAM_ASSERT(connection != NULL);
    reset(sim, connection, side);
}

void sim_cut(struct sim *sim, int file, uint64_t until_ns)
{
    int side;
    struct sim_connection *connection = connection_of(sim, file, &side);

    LAM_ASSERT(connection != NULL);
    connection->ways[side].cut_until_ns = until_ns;
    sim_try_again(sim, file_of(sim, connection, !side));
}

int sim_net_peer(struct sim *sim, int file, struct lam_env_peer *peer)
{
    const struct sim_listener *listener = listener_of(sim, file);
    const struct sim_connection *connection;
    unsigned other;
    int side, is_unix;

    *peer = (struct lam_env_peer){.uid = (uid_t)-1};
    if (listener == NULL) {
        connection = connection_of(sim, file, &side);
        if (connection == NULL)
            return -ENOTSOCK;
        listener = &sim->listeners[connection->listener];
        other = connection->ends[!side].owner;
    } else {
        other = listener->owner;
        side = 0;
    }
    is_unix = listener->address[0] == 'u';
    memcpy(peer->address, listener->address, sizeof(peer->address));
    if (is_unix) {
        peer->uid = 1000;
        peer->pid = 100 + (pid_t)other;
    } else if (side == 1) {
        (void)snprintf(peer->address, sizeof(peer->address), "tcp:10.0.%u.%u:%d", other >> 8 & 255,
            other & 255, FIRST_PORT + (file - SIM_CONNECTIONS) % 30000);
    }
    return 0;
}

void sim_net_free(struct sim *sim)
{
    for (unsigned i = 0; i < sim->connection_count; i++)
        for (int side = 0; side < 2; side++) {
            free(sim->connections[i].ways[side].bytes);
            free(sim->connections[i].ways[side].arrivals);
        }
    free(sim->connections);
    free(sim->listeners);
    sim->connections = NULL;
    sim->listeners = NULL;
    sim->connection_count = sim->listener_count = 0;
}
