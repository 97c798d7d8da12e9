/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response.c: the stage that answers: each connection in the order of what it asked, and nothing
 * before the gate is open for it.
 */
#include <errno.h>
#include <string.h>

#include "pipeline/writer.h"

static struct response *of(struct stage *stage)
{
    return (struct response *)stage;
}

/* All that the reader has told so far. Returns how much, or -EPIPE: that was all. */
static int take_control(struct response *response)
{
    int count = 0, taken;

    while ((taken = intake_peek(&response->control)) == 1) {
        struct control_entry entry;

        memcpy(&entry, response->control.message.payload, sizeof(entry));
        writer_take(&response->writer, &entry, intake_data(&response->control, sizeof(entry)),
            intake_bytes(&response->control, sizeof(entry)));
        intake_release(&response->control);
        count++;
    }
    return count != 0 ? count : taken;
}

static struct frame welcome(
    const struct node *node, const struct output_entry *entry, const uint8_t *data)
{
    struct opened_entry opened;

    memcpy(&opened, data, sizeof(opened));
    return (struct frame){.kind = FRAME_WELCOME,
        .welcome = {.session = entry->session,
            .token = opened.open.token,
            .floor = opened.floor,
            .window = node->settings.window,
            .bytes_max = node->app->event_bytes_max,
            .heartbeat_ns = node->settings.heartbeat_ns,
            .version = FRAME_VERSION}};
}

/* A code, then a text. */
static struct frame refusal(
    const struct output_entry *entry, enum frame_kind kind, const uint8_t *data, uint32_t bytes)
{
    struct frame frame = {.kind = kind,
        .request = kind == FRAME_REFUSED ? entry->request : 0,
        .bytes = data + sizeof(frame.code),
        .count = bytes - (uint32_t)sizeof(frame.code)};

    memcpy(&frame.code, data, sizeof(frame.code));
    return frame;
}

static void answer(struct response *response, struct peer *peer, const struct output_entry *entry,
    const uint8_t *data, uint32_t bytes)
{
    struct frame frame = {.kind = FRAME_REPLY,
        .flags = entry->is_repeat ? FRAME_REPEATED : 0,
        .request = entry->request,
        .sequence = entry->made_at,
        .bytes = data,
        .count = bytes};

    if (entry->kind == ITEM_OPENED)
        frame = welcome(response->node, entry, data);
    else if (entry->kind == ITEM_REFUSED)
        frame = refusal(entry, FRAME_REFUSED, data, bytes);
    else if (entry->kind == ENTRY_DENIED)
        frame = refusal(entry, FRAME_GOODBYE, data, bytes);
    writer_send(&response->writer, peer, &frame);
    if (entry->kind == ENTRY_DENIED)
        writer_close(&response->writer, peer);
    writer_answered(&response->writer, peer);
}

/* The entry at hand, whose gate is open. */
static void handle(struct response *response)
{
    const struct output_entry *entry = response->output.message.payload;
    struct writer *writer = &response->writer;
    struct peer *peer;

    if (entry->connection == 0)
        return; /* the publisher's */
    peer = writer_find(writer, entry->connection);
    if (peer == NULL || peer->answered + 1 != entry->ordinal) {
        /* What comes before it was told by the reader before, and is there to be taken. */
        (void)take_control(response);
        peer = writer_find(writer, entry->connection);
    }
    if (peer == NULL)
        return; /* it is gone */
    LAM_ASSERT(peer->answered + 1 == entry->ordinal);
    answer(response, peer, entry, intake_data(&response->output, sizeof(*entry)),
        intake_bytes(&response->output, sizeof(*entry)));
}

/* The node has ended in order: everybody hears so. */
static void say_goodbye(struct response *response)
{
    static const char text[] = "the node ends";
    struct frame frame = {.kind = FRAME_GOODBYE,
        .code = GOODBYE_ENDING,
        .bytes = (const uint8_t *)text,
        .count = sizeof(text) - 1};

    for (uint32_t i = 0; i < response->node->settings.connections_max; i++) {
        struct peer *peer = &response->writer.peers[i];

        if (peer->connection == 0 || peer->is_closed)
            continue;
        (void)writer_try_send(peer, &frame);
        writer_close(&response->writer, peer);
    }
}

static int step(struct stage *stage, unsigned budget)
{
    struct response *response = of(stage);
    unsigned worked = 0;
    int told = take_control(response), taken;

    stage->blocked_on = NULL;
    worked += told > 0 ? (unsigned)told : 0;
    while ((taken = intake_peek(&response->output)) == 1 && worked < budget) {
        const struct output_entry *entry = response->output.message.payload;

        if (!gate_is_open(response->node, entry->sequence)) {
            stage->blocked_on = "the gate";
            break;
        }
        handle(response);
        intake_release(&response->output);
        worked++;
    }
    if (taken == -EPIPE && told == -EPIPE && stage_is_done(response->node, NODE_PUBLISHER) &&
        !stage_is_done(response->node, NODE_RESPONSE)) {
        say_goodbye(response);
        (void)stage_done(response->node, NODE_RESPONSE);
        worked++;
    }
    worked += writer_flush(&response->writer);
    stage->due_ns = writer_due_ns(&response->writer);
    return (int)worked;
}

int response_init(struct response *response, struct node *node)
{
    response->node = node;
    response->stage = (struct stage){.name = "response", .step = step, .due_ns = UINT64_MAX};
    return writer_create(&response->writer, node);
}

void response_fini(struct response *response)
{
    writer_destroy(&response->writer);
}
