/* SPDX-License-Identifier: Apache-2.0 */
/* in.c: from the connection, to the caller. All of it is a node's, and may be anything. */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"

const char *client_text(struct lam_sequencer_client *client, const struct frame *frame)
{
    uint32_t count = frame->count < CLIENT_TEXT_BYTES - 1 ? frame->count : CLIENT_TEXT_BYTES - 1;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t c = frame->bytes[i];

        if (c < 0x20 || c == 0x7f)
            c = '?'; /* it may reach a terminal */
        memcpy(&client->text[i], &c, 1);
    }
    client->text[count] = '\0';
    return client->text;
}

/* Whole, in @frame; the buffer is behind it then. Returns 1, 0: none is, or -errno of a frame. */
static int next_frame(struct lam_sequencer_client *client, struct frame *frame)
{
    struct client_buffer *in = &client->in;
    const uint8_t *bytes = in->bytes + in->begin;
    uint32_t count = in->end - in->begin, length;
    int rc;

    if (client->receive.is_flying || (client->link != LINK_GREETING && client->link != LINK_OPEN))
        return 0;
    rc = frame_length(bytes, count, FRAME_BYTES_MAX, &length);
    if (rc != 1)
        return rc;
    if (count < length)
        return 0;
    in->begin += length;
    rc = frame_decode(frame, FRAME_OF_NODE, bytes, length);
    return rc != 0 ? rc : 1;
}

/* The application's bytes, aligned for who reads them in place. Returns 0 or -ENOMEM. */
static int lend(struct lam_sequencer_client *client, const struct frame *frame,
    struct lam_sequencer_reply *reply)
{
    reply->bytes = frame->bytes;
    reply->count = frame->count;
    if (frame->count == 0 || ((uintptr_t)frame->bytes & 7) == 0)
        return 0;
    if (frame->count > client->lent_room) {
        uint8_t *more = realloc(client->lent, frame->count);

        if (more == NULL)
            return -ENOMEM;
        client->lent = more;
        client->lent_room = frame->count;
    }
    memcpy(client->lent, frame->bytes, frame->count);
    reply->bytes = client->lent;
    return 0;
}

/* Has its answer. */
static void free_slot(struct lam_sequencer_client *client, struct client_slot *slot)
{
    slot->request = 0;
    while (client->floor < client->next &&
           client->slots[client->floor % client->window].request != client->floor)
        client->floor++;
    if (client->unsent < client->floor)
        client->unsent = client->floor;
}

/*
 * A request that an earlier connection had, too, may have been applied: that the node has no time
 * or no room for it now is no answer to it. It is asked again until there is one.
 */
static int is_asked_again(
    struct lam_sequencer_client *client, struct client_slot *slot, uint32_t code)
{
    if (slot->tries < 2 || slot->is_query || (code != REFUSED_BUSY && code != REFUSED_NO_SPACE))
        return 0;
    slot->is_sent = 0;
    slot->tries = 1;
    slot->due_ns = client->env->ops->now_ns(client->env) + client->options.retry_ns;
    if (slot->due_ns < client->busy_due_ns)
        client->busy_due_ns = slot->due_ns;
    return 1;
}

static int take_answer(struct lam_sequencer_client *client, const struct frame *frame,
    struct lam_sequencer_reply *reply)
{
    struct client_slot *slot = &client->slots[frame->request % client->window];

    if (frame->request == 0 || slot->request != frame->request || !slot->is_sent) {
        client_break(client, "it answers request %llu, which it was not asked",
            (unsigned long long)frame->request);
        return 0;
    }
    *reply = (struct lam_sequencer_reply){.request = frame->request, .text = ""};
    if (frame->kind == FRAME_REPLY) {
        reply->kind = LAM_SEQUENCER_REPLY;
        reply->is_repeat = frame->flags & FRAME_REPEATED;
        reply->sequence = frame->sequence;
        if (lend(client, frame, reply) != 0) {
            client_break(client, "no memory for a reply of %u bytes", frame->count);
            return 0;
        }
    } else {
        if (is_asked_again(client, slot, frame->code))
            return 0;
        reply->kind = LAM_SEQUENCER_REFUSED;
        reply->code = frame->code;
        reply->text = client_text(client, frame);
        if (frame->code == REFUSED_SESSION && slot->tries > 1 && !slot->is_query) {
            client_fail(client, "the session is gone, and with it what became of request %llu",
                (unsigned long long)frame->request);
            return 0;
        }
        client->is_session_lost |= frame->code == REFUSED_SESSION;
    }
    free_slot(client, slot);
    return 1;
}

/* To a subscription: where it begins, or why it does not. */
static int take_subscription(struct lam_sequencer_client *client, const struct frame *frame,
    struct lam_sequencer_reply *reply)
{
    if (frame->kind == FRAME_REPLY) {
        if (frame->sequence > client->from) {
            client->from = frame->sequence;
            client->seen = 0;
        }
        return 0;
    }
    *reply = (struct lam_sequencer_reply){.kind = LAM_SEQUENCER_REFUSED,
        .request = frame->request,
        .code = frame->code,
        .text = client_text(client, frame)};
    return 1;
}

/* Events that came before the connection broke come again: once is enough for the caller. */
static int take_event(struct lam_sequencer_client *client, const struct frame *frame,
    struct lam_sequencer_reply *reply)
{
    if (!client->is_subscribed || !client->has_asked) {
        client_break(client, "it sends events that nobody subscribed to");
        return 0;
    }
    if (frame->request < client->from ||
        (frame->request == client->from && frame->index < client->seen))
        return 0;
    *reply = (struct lam_sequencer_reply){
        .kind = LAM_SEQUENCER_EVENT, .sequence = frame->request, .index = frame->index, .text = ""};
    if (lend(client, frame, reply) != 0) {
        client_break(client, "no memory for an event of %u bytes", frame->count);
        return 0;
    }
    client->from = frame->request;
    client->seen = (uint64_t)frame->index + 1;
    return 1;
}

static int take_open(struct lam_sequencer_client *client, const struct frame *frame,
    struct lam_sequencer_reply *reply)
{
    switch (frame->kind) {
    case FRAME_REPLY:
    case FRAME_REFUSED:
        return client->is_subscribed ? take_subscription(client, frame, reply)
                                     : take_answer(client, frame, reply);
    case FRAME_EVENT:
        return take_event(client, frame, reply);
    case FRAME_BEAT:
        return 0;
    default:
        client_break(client, "it greets a second time");
        return 0;
    }
}

int client_in_take(struct lam_sequencer_client *client, struct lam_sequencer_reply *reply)
{
    struct frame frame;
    int rc;

    while ((rc = next_frame(client, &frame)) == 1) {
        if (frame.kind == FRAME_GOODBYE)
            client_greet_goodbye(client, &frame);
        else if (client->link == LINK_GREETING)
            client_greet_take(client, &frame);
        else if (take_open(client, &frame, reply))
            return 1;
    }
    if (rc < 0)
        client_break(client, "what it sends is not of this protocol: %s", strerror(-rc));
    return 0;
}
