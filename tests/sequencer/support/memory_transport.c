/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BYTES (UINT64_C(1) << 20)

static struct memory_transport *of(struct transport *transport)
{
    return (struct memory_transport *)transport;
}

static uint8_t *room(struct memory_queue *queue, uint64_t bytes)
{
    if (queue->begin == queue->end)
        queue->begin = queue->end = 0;
    if (queue->end + bytes > queue->capacity) {
        queue->capacity = 2 * (queue->end + bytes) + FRAME_HEADER_BYTES;
        queue->bytes = realloc(queue->bytes, queue->capacity);
        if (queue->bytes == NULL)
            abort();
    }
    queue->end += bytes;
    return queue->bytes + queue->end - bytes;
}

static uint32_t first_bytes(const struct memory_queue *queue)
{
    uint32_t count;

    if (queue->begin == queue->end)
        return 0;
    memcpy(&count, queue->bytes + queue->begin, sizeof(count));
    return count;
}

/* What this client has for the node. Returns 1, or 0. */
static int next_of(
    struct memory_transport *own, struct memory_client *client, struct transport_event *event)
{
    *event = (struct transport_event){.connection = client->connection};
    if (client->is_over)
        return 0;
    if (!client->is_told) {
        client->is_told = 1;
        event->kind = TRANSPORT_CONNECTED;
        return 1;
    }
    if (!client->is_held && !client->is_closed && first_bytes(&client->sent) != 0) {
        event->kind = TRANSPORT_FRAME;
        event->count = first_bytes(&client->sent);
        free(own->frame);
        own->frame = malloc(event->count);
        if (own->frame == NULL)
            abort();
        memcpy(own->frame, client->sent.bytes + client->sent.begin, event->count);
        client->sent.begin += event->count;
        event->bytes = own->frame;
        return 1;
    }
    if (client->is_closed || (client->has_left && !client->is_held)) {
        client->is_over = 1;
        event->kind = TRANSPORT_GONE;
        return 1;
    }
    return 0;
}

static int next(struct transport *transport, struct transport_event *event)
{
    struct memory_transport *own = of(transport);
    int found = 0;

    (void)pthread_mutex_lock(&own->lock);
    for (unsigned tried = 0; tried < own->count && !found; tried++) {
        own->turn = (own->turn + 1) % own->count;
        found = next_of(own, &own->clients[own->turn], event);
    }
    (void)pthread_mutex_unlock(&own->lock);
    return found;
}

static struct memory_client *find(struct memory_transport *own, uint64_t connection)
{
    return &own->clients[(connection & 0xffffff) - 1];
}

static void wake_reader(struct memory_transport *own)
{
    if (own->reader != NULL)
        own->reader->ops->wake(own->reader);
}

static void hold(struct transport *transport, uint64_t connection, int is_held)
{
    struct memory_transport *own = of(transport);

    (void)pthread_mutex_lock(&own->lock);
    find(own, connection)->is_held = is_held;
    (void)pthread_mutex_unlock(&own->lock);
}

static int put(struct memory_client *client, const struct iovec *parts, unsigned part_count)
{
    uint64_t bytes = 0;
    uint8_t *to;

    for (unsigned i = 0; i < part_count; i++)
        bytes += parts[i].iov_len;
    if (client->has_left || client->is_closed)
        return -ENOTCONN;
    if (client->received.end - client->received.begin + bytes > client->room)
        return 0;
    to = room(&client->received, bytes);
    for (unsigned i = 0; i < part_count; i++) {
        if (parts[i].iov_len != 0)
            memcpy(to, parts[i].iov_base, parts[i].iov_len);
        to += parts[i].iov_len;
    }
    return 1;
}

static int send_frame(struct transport *transport, uint64_t connection, const struct iovec *parts,
    unsigned part_count)
{
    struct memory_transport *own = of(transport);
    int result;

    (void)pthread_mutex_lock(&own->lock);
    result = put(find(own, connection), parts, part_count);
    (void)pthread_mutex_unlock(&own->lock);
    return result;
}

static unsigned flush(struct transport *transport)
{
    (void)transport;
    return 0;
}

static void close_connection(struct transport *transport, uint64_t connection)
{
    struct memory_transport *own = of(transport);

    (void)pthread_mutex_lock(&own->lock);
    find(own, connection)->is_closed = 1;
    own->closed++;
    (void)pthread_mutex_unlock(&own->lock);
    wake_reader(own);
}

static void destroy(struct transport *transport)
{
    memory_transport_fini(of(transport));
}

void memory_transport_init(struct memory_transport *transport, uint32_t number)
{
    static const struct transport_ops ops = {.next = next,
        .hold = hold,
        .send = send_frame,
        .flush = flush,
        .close = close_connection,
        .destroy = destroy};

    *transport = (struct memory_transport){.transport = {.ops = &ops, .number = number}};
    (void)pthread_mutex_init(&transport->lock, NULL);
}

void memory_transport_fini(struct memory_transport *transport)
{
    for (unsigned i = 0; i < transport->count; i++) {
        free(transport->clients[i].sent.bytes);
        free(transport->clients[i].received.bytes);
    }
    free(transport->frame);
    (void)pthread_mutex_destroy(&transport->lock);
}

unsigned memory_connect(struct memory_transport *transport)
{
    unsigned index;

    (void)pthread_mutex_lock(&transport->lock);
    index = transport->count++;
    if (index >= MEMORY_CLIENTS_MAX)
        abort();
    transport->clients[index] = (struct memory_client){
        .connection = (uint64_t)transport->transport.number << 56 | (index + 1),
        .room = ROOM_BYTES};
    (void)pthread_mutex_unlock(&transport->lock);
    wake_reader(transport);
    return index;
}

void memory_send(
    struct memory_transport *transport, unsigned client, const void *bytes, uint32_t count)
{
    (void)pthread_mutex_lock(&transport->lock);
    memcpy(room(&transport->clients[client].sent, count), bytes, count);
    (void)pthread_mutex_unlock(&transport->lock);
    wake_reader(transport);
}

int64_t memory_receive(
    struct memory_transport *transport, unsigned client, void *bytes, uint32_t room_bytes)
{
    struct memory_client *from = &transport->clients[client];
    int64_t count;

    (void)pthread_mutex_lock(&transport->lock);
    count = first_bytes(&from->received);
    if (count > room_bytes)
        abort();
    if (count != 0) {
        memcpy(bytes, from->received.bytes + from->received.begin, (size_t)count);
        from->received.begin += (uint64_t)count;
    } else if (from->is_closed) {
        count = -1;
    }
    (void)pthread_mutex_unlock(&transport->lock);
    return count;
}

void memory_leave(struct memory_transport *transport, unsigned client)
{
    (void)pthread_mutex_lock(&transport->lock);
    transport->clients[client].has_left = 1;
    (void)pthread_mutex_unlock(&transport->lock);
    wake_reader(transport);
}
