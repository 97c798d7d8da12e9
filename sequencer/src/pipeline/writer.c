/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A transport ends a connection within this time, by flushes that come so often. */
#define CLOSING_NS UINT64_C(3000000000)
#define LOOK_NS    UINT64_C(100000000)

int writer_create(struct writer *writer, struct node *node)
{
    *writer = (struct writer){.node = node};
    writer->peers = calloc(node->settings.connections_max, sizeof(*writer->peers));
    writer->pending = calloc(CONTROL_PENDING_MAX, sizeof(*writer->pending));
    if (writer->peers == NULL || writer->pending == NULL)
        return -ENOMEM;
    for (uint32_t i = CONTROL_PENDING_MAX - 1; i > 0; i--) {
        writer->pending[i].next = writer->pending_free;
        writer->pending_free = i;
    }
    return 0;
}

void writer_destroy(struct writer *writer)
{
    free(writer->peers);
    free(writer->pending);
    *writer = (struct writer){0};
}

struct peer *writer_find(struct writer *writer, uint64_t connection)
{
    struct peer *peer = &writer->peers[place_of(connection)];

    return peer->connection == connection ? peer : NULL;
}

/* Both parts of a frame, once more where there is room after a flush. */
static int try_send(struct peer *peer, const struct iovec parts[2])
{
    struct transport *transport = peer->transport;
    int result;

    if (peer->is_closed)
        return -ENOTCONN;
    result = transport->ops->send(transport, peer->handle, parts, 2);
    if (result != 0)
        return result;
    (void)transport->ops->flush(transport);
    return transport->ops->send(transport, peer->handle, parts, 2);
}

int writer_try_send(struct peer *peer, const struct frame *frame)
{
    uint8_t head[FRAME_HEAD_BYTES_MAX];
    struct iovec parts[2] = {{.iov_base = head, .iov_len = frame_encode_head(frame, head)},
        {.iov_base = (void *)(uintptr_t)frame->bytes, .iov_len = frame->count}};

    return try_send(peer, parts);
}

void writer_close(struct writer *writer, struct peer *peer)
{
    struct lam_env *env = writer->node->config.envs[NODE_RESPONSE];

    if (peer->is_closed)
        return;
    peer->is_closed = 1;
    writer->closed_ns = env->ops->now_ns(env);
    peer->transport->ops->close(peer->transport, peer->handle);
}

/* @result of a send that had to go out. */
static void must(struct writer *writer, struct peer *peer, int result)
{
    writer->sent += result == 1;
    if (result == 1 || peer->is_closed)
        return;
    /* It does not read what it has asked for: nobody else waits for it, its session outlives it. */
    writer->cut++;
    writer_close(writer, peer);
}

void writer_send(struct writer *writer, struct peer *peer, const struct frame *frame)
{
    must(writer, peer, writer_try_send(peer, frame));
}

/* A code, then a text, as the control ring has them, and both kinds of frames. */
static void send_code(
    struct writer *writer, struct peer *peer, enum frame_kind kind, const struct pending *pending)
{
    struct frame frame = {.kind = kind,
        .request = kind == FRAME_REFUSED ? pending->entry.request : 0,
        .bytes = pending->data + sizeof(frame.code),
        .count = pending->bytes - (uint32_t)sizeof(frame.code)};

    memcpy(&frame.code, pending->data, sizeof(frame.code));
    writer_send(writer, peer, &frame);
}

static void send_whole(struct writer *writer, struct peer *peer, const struct pending *pending)
{
    struct iovec parts[2] = {
        {.iov_base = (void *)(uintptr_t)pending->data, .iov_len = pending->bytes}};

    must(writer, peer, try_send(peer, parts));
}

/* Its turn has come. */
static void perform(struct writer *writer, struct peer *peer, const struct pending *pending)
{
    const struct control_entry *entry = &pending->entry;
    uint32_t code;

    switch ((enum control_kind)entry->kind) {
    case CONTROL_REFUSED:
        send_code(writer, peer, FRAME_REFUSED, pending);
        break;
    case CONTROL_SEND:
        send_whole(writer, peer, pending);
        break;
    case CONTROL_SUBSCRIBE:
        writer->subscribers += !peer->is_subscriber;
        peer->is_subscriber = 1;
        peer->from_sequence = entry->request;
        peer->cursor = UINT64_MAX;
        break;
    case CONTROL_CLOSE:
        memcpy(&code, pending->data, sizeof(code));
        if (code != CONTROL_NO_WORD)
            send_code(writer, peer, FRAME_GOODBYE, pending);
        writer_close(writer, peer);
        break;
    case CONTROL_CONNECTED:
    case CONTROL_GONE:
        break;
    }
    lam_store_release(&writer->node->control_done, ++writer->control_done);
}

static uint32_t take_pending(struct writer *writer, struct peer *peer)
{
    uint32_t index = peer->first;

    peer->first = writer->pending[index].next;
    if (peer->first == 0)
        peer->last = 0;
    return index;
}

static void give_pending(struct writer *writer, uint32_t index)
{
    writer->pending[index].next = writer->pending_free;
    writer->pending_free = index;
}

void writer_answered(struct writer *writer, struct peer *peer)
{
    peer->answered++;
    while (peer->first != 0 && writer->pending[peer->first].entry.ordinal == peer->answered + 1) {
        uint32_t index = take_pending(writer, peer);

        perform(writer, peer, &writer->pending[index]);
        give_pending(writer, index);
        peer->answered++;
    }
    lam_store_release(&writer->node->places[place_of(peer->connection)].answered, peer->answered);
}

static void connect_peer(struct writer *writer, const struct control_entry *entry)
{
    struct peer *peer = &writer->peers[place_of(entry->connection)];

    *peer = (struct peer){.connection = entry->connection,
        .handle = entry->handle,
        .transport = transport_of(writer->node, entry->handle)};
}

/* Nothing of it is left here, and its place may be given away. */
static void drop_peer(struct writer *writer, struct peer *peer)
{
    struct place *place = &writer->node->places[place_of(peer->connection)];

    while (peer->first != 0) {
        give_pending(writer, take_pending(writer, peer));
        writer->control_done++;
    }
    writer_close(writer, peer);
    writer->subscribers -= (uint32_t)peer->is_subscriber;
    *peer = (struct peer){0};
    lam_store_release(&place->is_free, 1);
}

/* Who never got a place hears why. */
static void turn_away(struct writer *writer, const struct pending *pending)
{
    struct peer peer = {.handle = pending->entry.handle,
        .transport = transport_of(writer->node, pending->entry.handle)};

    send_code(writer, &peer, FRAME_GOODBYE, pending);
    writer_close(writer, &peer);
}

static void keep(struct writer *writer, struct peer *peer, const struct pending *pending)
{
    uint32_t index = writer->pending_free;

    LAM_ASSERT(index != 0); /* the reader tells no more than there is room for */
    writer->pending_free = writer->pending[index].next;
    writer->pending[index] = *pending;
    writer->pending[index].next = 0;
    if (peer->last != 0)
        writer->pending[peer->last].next = index;
    else
        peer->first = index;
    peer->last = index;
}

void writer_take(
    struct writer *writer, const struct control_entry *entry, const void *data, uint32_t bytes)
{
    struct pending pending = {.entry = *entry, .bytes = bytes};
    struct peer *peer = writer_find(writer, entry->connection);

    memcpy(pending.data, data, bytes);
    if (entry->connection == 0)
        turn_away(writer, &pending);
    else if (entry->kind == CONTROL_CONNECTED)
        connect_peer(writer, entry);
    else if (peer != NULL && entry->kind == CONTROL_GONE)
        drop_peer(writer, peer);
    else if (peer != NULL && entry->ordinal > peer->answered + 1) {
        keep(writer, peer, &pending);
        return;
    } else if (peer != NULL) {
        perform(writer, peer, &pending);
        if (entry->ordinal != 0)
            writer_answered(writer, peer);
        return;
    }
    lam_store_release(&writer->node->control_done, ++writer->control_done);
}

uint64_t writer_due_ns(const struct writer *writer)
{
    struct lam_env *env = writer->node->config.envs[NODE_RESPONSE];
    uint64_t now_ns = env->ops->now_ns(env);

    return writer->closed_ns != 0 && now_ns < writer->closed_ns + CLOSING_NS ? now_ns + LOOK_NS
                                                                             : UINT64_MAX;
}

unsigned writer_flush(struct writer *writer)
{
    const struct node_config *config = &writer->node->config;
    unsigned count = 0;

    for (unsigned i = 0; i < config->transport_count; i++)
        count += config->transports[i]->ops->flush(config->transports[i]);
    return count;
}
