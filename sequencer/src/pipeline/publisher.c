/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publisher.c: the stage that tells subscribers what was published, once it is durable. What was
 * published last is kept: who comes back, or reads slowly, finds there what it has not had yet.
 */
#include <errno.h>
#include <string.h>

#include "pipeline/writer.h"

static struct publisher *of(struct stage *stage)
{
    return (struct publisher *)stage;
}

static void keep(struct publisher *publisher)
{
    const struct output_entry *entry = publisher->output.message.payload;

    if (entry->kind == ITEM_PUBLISH)
        history_add(&publisher->history, entry->sequence, entry->index,
            intake_data(&publisher->output, sizeof(*entry)),
            intake_bytes(&publisher->output, sizeof(*entry)));
}

static void cut(struct writer *writer, struct peer *peer)
{
    static const char text[] = "too slow: what it has not read is not kept any more";
    struct frame frame = {.kind = FRAME_GOODBYE,
        .code = REFUSED_STALE,
        .bytes = (const uint8_t *)text,
        .count = sizeof(text) - 1};

    writer->cut++;
    (void)writer_try_send(peer, &frame);
    writer_close(writer, peer);
}

/* What it asks for is not kept any more. */
static void refuse(struct writer *writer, struct peer *peer)
{
    static const char text[] = "not kept any more: subscribe to a later sequence";
    struct frame frame = {.kind = FRAME_REFUSED,
        .request = peer->from_sequence,
        .code = REFUSED_STALE,
        .bytes = (const uint8_t *)text,
        .count = sizeof(text) - 1};

    peer->is_subscriber = 0;
    writer->subscribers--;
    writer_send(writer, peer, &frame);
}

/* Where a new one begins, which it is told. Returns 1, or 0: it does not. */
static int begin(struct publisher *publisher, struct writer *writer, struct peer *peer)
{
    const struct history *history = &publisher->history;
    struct frame frame = {.kind = FRAME_REPLY, .request = peer->from_sequence};

    if (peer->from_sequence != 0 && peer->from_sequence < history->from_sequence) {
        refuse(writer, peer);
        return 0;
    }
    peer->cursor = peer->from_sequence != 0 ? history->oldest : history->end;
    if (peer->from_sequence == 0)
        peer->from_sequence = history->next_sequence;
    frame.sequence = peer->from_sequence;
    writer_send(writer, peer, &frame);
    return 1;
}

/* The next one for a subscriber. Returns 1, or 0: it has all, or no room. */
static int tell(struct publisher *publisher, struct writer *writer, struct peer *peer)
{
    uint64_t position = peer->cursor;
    const uint8_t *bytes;
    const struct history_entry *entry = history_next(&publisher->history, &position, &bytes);
    struct frame frame = {.kind = FRAME_EVENT};
    int result;

    if (entry == NULL)
        return 0;
    if (entry->sequence >= peer->from_sequence) {
        frame.index = entry->index;
        frame.request = entry->sequence;
        frame.bytes = bytes;
        frame.count = entry->count;
        result = writer_try_send(peer, &frame);
        if (result < 0)
            writer_close(writer, peer);
        if (result != 1)
            return 0;
        writer->sent++;
    }
    peer->cursor = position;
    return 1;
}

static unsigned tell_all(struct publisher *publisher, unsigned budget)
{
    struct writer *writer = &publisher->node->response.writer;
    unsigned count = 0, left = writer->subscribers;

    for (uint32_t i = 0; left != 0; i++) {
        struct peer *peer = &writer->peers[i];
        unsigned told = 0;

        if (!peer->is_subscriber)
            continue;
        left--;
        if (peer->is_closed || (peer->cursor == UINT64_MAX && !begin(publisher, writer, peer)))
            continue;
        if (peer->cursor < publisher->history.oldest) {
            cut(writer, peer);
            continue;
        }
        while (told < budget && tell(publisher, writer, peer))
            told++;
        count += told;
    }
    return count;
}

static int step(struct stage *stage, unsigned budget)
{
    struct publisher *publisher = of(stage);
    unsigned worked = 0;
    int taken;

    stage->blocked_on = NULL;
    while ((taken = intake_peek(&publisher->output)) == 1 && worked < budget) {
        const struct output_entry *entry = publisher->output.message.payload;

        if (!gate_is_open(publisher->node, entry->sequence)) {
            stage->blocked_on = "the gate";
            break;
        }
        keep(publisher);
        intake_release(&publisher->output);
        worked++;
    }
    worked += tell_all(publisher, budget);
    if (taken == -EPIPE && worked == 0 && !stage_is_done(publisher->node, NODE_PUBLISHER)) {
        (void)stage_done(publisher->node, NODE_PUBLISHER);
        worked++;
    }
    return (int)worked;
}

void publisher_init(struct publisher *publisher, struct node *node)
{
    publisher->node = node;
    publisher->stage = (struct stage){.name = "publisher", .step = step, .due_ns = UINT64_MAX};
}
