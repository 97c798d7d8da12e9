/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clients.c: connections, from the transport's first word of them to its last.
 */
#include <errno.h>
#include <string.h>

#include "pipeline/reader.h"

static uint32_t index_of(const struct reader *reader, const struct client *client)
{
    return (uint32_t)(client - reader->clients);
}

static struct place *place(const struct reader *reader, const struct client *client)
{
    return &reader->node->places[index_of(reader, client)];
}

static struct client *find(struct reader *reader, uint64_t handle)
{
    uint32_t index;

    return map_get(&reader->by_handle, handle, &index) ? &reader->clients[index] : NULL;
}

/* A place that nobody has. NULL: all are taken. */
static struct client *find_place(struct reader *reader)
{
    for (uint32_t i = 0; i < reader->node->settings.connections_max; i++) {
        struct client *client = &reader->clients[i];

        /* The writer has done its last with it before it says so. */
        if (client->connection == 0 && lam_load_acquire(&reader->node->places[i].is_free))
            return client;
    }
    return NULL;
}

static int turn_away(struct reader *reader, uint64_t handle)
{
    static const char text[] = "too many connections";
    struct control_entry entry = {.handle = handle, .kind = CONTROL_CLOSE};
    uint8_t data[sizeof(uint32_t) + sizeof(text) - 1];
    uint32_t code = REFUSED_BUSY;

    memcpy(data, &code, sizeof(code));
    memcpy(data + sizeof(code), text, sizeof(text) - 1);
    return reader_try_tell(reader, &entry, data, sizeof(data));
}

static int connected(struct reader *reader, const struct transport_event *event)
{
    struct control_entry entry = {.handle = event->connection, .kind = CONTROL_CONNECTED};
    struct client *client = find_place(reader);
    uint64_t generation, random[FRAME_CHALLENGE_BYTES / sizeof(uint64_t)];

    if (client == NULL)
        return turn_away(reader, event->connection);
    generation = client->generation + 1;
    entry.connection = generation << PLACE_BITS | index_of(reader, client);
    /* Before the entry, which carries it to the writer. */
    lam_store_relaxed(&place(reader, client)->answered, 0);
    if (!reader_try_tell(reader, &entry, NULL, 0))
        return 0;
    lam_store_relaxed(&place(reader, client)->is_free, 0);
    *client = (struct client){.connection = entry.connection,
        .handle = event->connection,
        .generation = generation,
        .heard_ns = reader->env->ops->now_ns(reader->env)};
    client->told_ns = client->heard_ns;
    for (size_t i = 0; i < sizeof(random) / sizeof(random[0]); i++)
        random[i] = reader->env->ops->random(reader->env);
    greeting_begin(&client->greeting, client->heard_ns, event->peer.uid, (const uint8_t *)random);
    map_put(&reader->by_handle, event->connection, index_of(reader, client));
    return 1;
}

static int gone(struct reader *reader, struct client *client)
{
    struct control_entry entry = {.connection = client->connection, .kind = CONTROL_GONE};

    if (!reader_try_tell(reader, &entry, NULL, 0))
        return 0;
    map_remove(&reader->by_handle, client->handle);
    reader->waiting -= (uint32_t)client->is_held;
    client->is_held = 0;
    client->connection = 0;
    return 1;
}

int reader_handle(struct reader *reader, const struct transport_event *event)
{
    struct client *client;

    if (event->kind == TRANSPORT_CONNECTED)
        return connected(reader, event);
    client = find(reader, event->connection);
    if (client == NULL)
        return 1; /* it was turned away */
    if (event->kind == TRANSPORT_GONE)
        return gone(reader, client);
    client->heard_ns = reader->env->ops->now_ns(reader->env);
    if (client->state == CLIENT_ENDING)
        return 1;
    return reader_take_frame(reader, client, event->bytes, event->count);
}

static void hold(struct reader *reader, struct client *client, int is_held)
{
    struct transport *transport = transport_of(reader->node, client->handle);

    client->is_held = is_held;
    transport->ops->hold(transport, client->handle, is_held);
}

void reader_hold(struct reader *reader, struct client *client)
{
    if (client->is_held)
        return;
    hold(reader, client, 1);
    reader->waiting++;
}

/* Has it come, what the client is held for? */
static int may_go_on(struct reader *reader, struct client *client)
{
    uint64_t limit = UNANSWERED_WINDOWS * (uint64_t)reader->node->settings.window;

    if (client->state == CLIENT_RESUMING) {
        uint64_t verdict = lam_load_acquire(&place(reader, client)->verdict);

        if (verdict >> 1 != client->connection)
            return 0;
        client->state = verdict & 1 ? CLIENT_OPEN : CLIENT_ENDING;
    }
    return client->ordinal - lam_load_acquire(&place(reader, client)->answered) <= limit / 2;
}

unsigned reader_let_go(struct reader *reader)
{
    unsigned count = 0;

    for (uint32_t i = 0; reader->waiting != 0 && i < reader->node->settings.connections_max; i++) {
        struct client *client = &reader->clients[i];

        if (client->connection == 0 || !client->is_held || !may_go_on(reader, client))
            continue;
        hold(reader, client, 0);
        reader->waiting--;
        count++;
    }
    return count;
}

static int send_beat(struct reader *reader, struct client *client)
{
    struct control_entry entry = {.connection = client->connection, .kind = CONTROL_SEND};
    const struct frame frame = {.kind = FRAME_BEAT};
    uint8_t bytes[FRAME_HEAD_BYTES_MAX];

    return reader_try_tell(reader, &entry, bytes, frame_encode_head(&frame, bytes));
}

unsigned reader_beat(struct reader *reader)
{
    uint64_t every_ns = reader->node->settings.heartbeat_ns;
    uint64_t now_ns = reader->env->ops->now_ns(reader->env);
    unsigned count = 0;

    if (now_ns < reader->beat_ns)
        return 0;
    reader->beat_ns = now_ns + every_ns / 2;
    for (uint32_t i = 0; i < reader->node->settings.connections_max; i++) {
        struct client *client = &reader->clients[i];

        if (client->connection == 0 || client->state == CLIENT_ENDING)
            continue;
        if (now_ns - client->heard_ns > 3 * every_ns)
            count += (unsigned)reader_try_close(
                reader, client, GOODBYE_LATE, "nothing was heard for too long");
        else if (now_ns - client->told_ns >= every_ns && send_beat(reader, client)) {
            client->told_ns = now_ns;
            count++;
        }
    }
    return count;
}
