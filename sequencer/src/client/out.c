/* SPDX-License-Identifier: Apache-2.0 */
/* out.c: from the slots, onto the connection. */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"

int client_buffer_grow(struct client_buffer *buffer, uint32_t count)
{
    uint8_t *more;

    if (count <= buffer->room)
        return 0;
    more = realloc(buffer->bytes, count);
    if (more == NULL)
        return -ENOMEM;
    buffer->bytes = more;
    buffer->room = count;
    return 0;
}

/* What was sent makes room. Not while the env has the rest. */
static void tidy(struct lam_sequencer_client *client)
{
    struct client_buffer *out = &client->out;

    if (client->send.is_flying || out->begin == 0)
        return;
    memmove(out->bytes, out->bytes + out->begin, out->end - out->begin);
    out->end -= out->begin;
    out->begin = 0;
}

/* Returns 1, or 0: there is no room before some of it is sent. */
static int put(struct lam_sequencer_client *client, const struct frame *frame)
{
    struct client_buffer *out = &client->out;
    uint32_t written;

    if (frame->count + FRAME_HEAD_BYTES_MAX > out->room - out->end)
        tidy(client);
    if (frame->count + FRAME_HEAD_BYTES_MAX > out->room && out->end == 0 &&
        client_buffer_grow(out, frame->count + FRAME_HEAD_BYTES_MAX) != 0)
        client_break(client, "no memory for a request of %u bytes", frame->count);
    written = frame_encode(frame, out->bytes + out->end, out->room - out->end);
    out->end += written;
    return written != 0;
}

void client_out_put(struct lam_sequencer_client *client, const struct frame *frame)
{
    /* Only a buffer that is full of requests has no room; then there is no need of a heartbeat. */
    if (!put(client, frame))
        LAM_ASSERT(frame->kind == FRAME_BEAT);
}

int client_has_doubt(const struct lam_sequencer_client *client)
{
    for (uint64_t number = client->floor; number < client->next; number++) {
        const struct client_slot *slot = &client->slots[number % client->window];

        if (slot->request == number && !slot->is_query && slot->tries != 0)
            return 1;
    }
    return 0;
}

static int put_slot(struct lam_sequencer_client *client, struct client_slot *slot)
{
    struct frame frame = {.kind = slot->is_query ? FRAME_QUERY : FRAME_REQUEST,
        .request = slot->request,
        .bytes = slot->bytes,
        .count = slot->count};

    if (!slot->is_query)
        frame.floor = client->floor;
    if (!put(client, &frame))
        return 0;
    slot->is_sent = 1;
    slot->due_ns = 0;
    slot->tries++;
    return 1;
}

/* The requests that are due, in their order. */
static int put_slots(struct lam_sequencer_client *client, uint64_t now_ns)
{
    int did = 0;

    for (; client->unsent < client->next; client->unsent++) {
        struct client_slot *slot = &client->slots[client->unsent % client->window];

        if (client->unsent - client->floor >= client->node_window)
            break; /* the node has a smaller one than before */
        if (slot->request != client->unsent || slot->is_sent || slot->due_ns > now_ns)
            continue;
        if (!put_slot(client, slot))
            break;
        did = 1;
    }
    return did;
}

/* Those that were refused as busy have waited: begin again with the oldest. */
static void look_again(struct lam_sequencer_client *client, uint64_t now_ns)
{
    client->busy_due_ns = UINT64_MAX;
    client->unsent = client->floor;
    for (uint64_t number = client->floor; number < client->next; number++) {
        const struct client_slot *slot = &client->slots[number % client->window];

        if (slot->request == number && slot->due_ns > now_ns && slot->due_ns < client->busy_due_ns)
            client->busy_due_ns = slot->due_ns;
    }
}

int client_out_step(struct lam_sequencer_client *client)
{
    uint64_t now_ns = client->env->ops->now_ns(client->env);

    if (client->is_session_lost) {
        if (client_has_doubt(client))
            return 0;
        client_break(client, "the node has forgotten the session, which waited for nothing");
        return 1;
    }
    if (client->is_subscribed && !client->has_asked) {
        client->has_asked = 1;
        client_out_put(client, &(struct frame){.kind = FRAME_SUBSCRIBE, .request = client->from});
        return 1;
    }
    if (client->is_leaving && !client->has_left && client->floor == client->next) {
        client->has_left = 1;
        client_out_put(client, &(struct frame){.kind = FRAME_BYE, .is_over = 1});
        return 1;
    }
    if (now_ns >= client->busy_due_ns)
        look_again(client, now_ns);
    return put_slots(client, now_ns);
}
