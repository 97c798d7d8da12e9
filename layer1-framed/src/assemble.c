/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From events to messages, on the receiver's side.
 *
 *     whole message           -> lent in place
 *     first frame             -> assembled, or skipped where it is larger than the bound
 *     frame of that message   -> copied, or dropped; the last one completes it
 *     frame that cuts it      -> -ECANCELED
 *     whole or first, midway  -> its sender died: -EOWNERDEAD, then this event
 *     another frame           -> at the start, skipped with the rest of its message; else poison
 *
 * Where the ring has many producers, each has a message of its own on its way: frames find theirs
 * by its id, a first one shows that the same sender's last message has no more, and frames of what
 * was refused or not seen from its start are dropped.
 */
#include "assemble.h"

#include <errno.h>
#include <string.h>

#include "frame.h"
#include "lamina/ring/event_crc.h"
#include "lamina/ring/timestamp.h"
#include "lend.h"

int lam_framed_receiver_poison(struct lam_framed_receiver *receiver)
{
    int rc = lam_ring_consumer_poison(&receiver->consumer);

    /* Evicted, we saw parts of two events: no sin of the sender's. */
    if (rc != -ESTALE)
        receiver->state |= STATE_POISONED;
    return rc;
}

/*
 * A frame was used: its cells are the sender's again, so that it can go on. Returns 0, or -ESTALE:
 * evicted, we may have used what it was overwritten with.
 */
static int hand_back(struct lam_framed_receiver *receiver, const struct lam_event *event)
{
    if ((receiver->state & STATE_COPIES) != 0)
        return 0; /* when it was copied */
    receiver->released = event->end;
    return lam_ring_consumer_release_to(&receiver->consumer, event->end);
}

static int lend_buffer(struct lam_framed_receiver *receiver, struct lam_framed_assembly *assembly,
    const struct lam_event *event, struct lam_framed_message *message)
{
    assembly->phase = PHASE_LENT;
    assembly->end = event->end;
    lam_framed_receiver_update(receiver);
    message->payload = assembly->buffer;
    message->payload_bytes = assembly->bytes_total;
    message->id = assembly->id;
    message->end = assembly->end;
    message->correlation =
        (assembly->flags & LAM_EVENT_CORRELATION) != 0 ? &assembly->correlation : NULL;
    message->published_ns = assembly->published_ns;
    message->kind = assembly->kind;
    message->flags = assembly->flags;
    return 1;
}

/* Take up the message that @frame, which is @event, belongs to. */
static void follow(
    struct lam_framed_assembly *assembly, const struct lam_event *event, const struct frame *frame)
{
    assembly->id = frame->message;
    assembly->bytes_total = frame->total;
    assembly->bytes_received = frame->offset;
    assembly->sender = frame->sender;
    assembly->orphan_rc = 0;
    assembly->kind = frame->kind;
    assembly->flags = frame->flags & FLAGS_OF_EXTENSIONS;
    if ((frame->flags & LAM_EVENT_CORRELATION) != 0)
        memcpy(&assembly->correlation, event->payload, LAM_FRAMED_EXTENSION_BYTES);
}

static int is_next(const struct lam_framed_assembly *assembly, const struct frame *frame)
{
    return frame->message == assembly->id && frame->total == assembly->bytes_total &&
           frame->offset == assembly->bytes_received && frame->kind == assembly->kind &&
           frame->sender == assembly->sender &&
           ((frame->flags ^ assembly->flags) & LAM_EVENT_CRC32C) == 0;
}

/* The next frame of the message that is put together. */
static int assemble(struct lam_framed_receiver *receiver, struct lam_framed_assembly *assembly,
    const struct lam_event *event, const struct frame *frame, struct lam_framed_message *message)
{
    /* Inside the buffer: first_frame() compared the total, the frame's own check the rest. */
    memcpy(assembly->buffer + frame->offset, frame->piece, frame->piece_bytes);
    LAM_CRASH_POINT("assemble.copied");
    if (hand_back(receiver, event) != 0)
        return lam_framed_receiver_ended(receiver, -ESTALE);
    LAM_CRASH_POINT("assemble.handed_back");
    assembly->bytes_received += frame->piece_bytes;
    if (frame->cut)
        return lam_framed_receiver_lose(receiver, assembly, -ECANCELED);
    if ((frame->flags & LAM_EVENT_LAST_FRAME) != 0)
        return lend_buffer(receiver, assembly, event, message);
    return 0;
}

/* One producer: the next frame of the message that is skipped. */
static int skip(
    struct lam_framed_receiver *receiver, const struct lam_event *event, const struct frame *frame)
{
    receiver->rest.bytes_received += frame->piece_bytes;
    if ((frame->flags & LAM_EVENT_LAST_FRAME) != 0)
        receiver->state &= ~(uint32_t)STATE_SKIPPING;
    return hand_back(receiver, event);
}

/* A message is not taken, from its first frame on. */
static int refuse(struct lam_framed_receiver *receiver, const struct lam_event *event,
    const struct frame *frame, int rc)
{
    follow(&receiver->rest, event, frame);
    if (receiver->is_many) {
        (void)hand_back(receiver, event);
    } else {
        receiver->state |= STATE_SKIPPING;
        (void)skip(receiver, event, frame);
    }
    receiver->rest.bytes_received = 0;
    (void)lam_framed_receiver_lose(receiver, &receiver->rest, rc);
    receiver->rest.bytes_received = frame->piece_bytes;
    return rc;
}

/* A buffer for one more message; or NULL, and *@is_lent: a release would give one. */
static struct lam_framed_assembly *find_free(struct lam_framed_receiver *receiver, int *is_lent)
{
    *is_lent = 0;
    for (uint32_t i = 0; i < receiver->streams_max; i++) {
        if (receiver->assemblies[i].phase == PHASE_FREE)
            return &receiver->assemblies[i];
        *is_lent |= receiver->assemblies[i].phase == PHASE_LENT;
    }
    return NULL;
}

static int first_frame(struct lam_framed_receiver *receiver, const struct lam_event *event,
    const struct frame *frame, struct lam_framed_message *message)
{
    struct lam_framed_assembly *assembly;
    int is_lent;

    receiver->state &= ~(uint32_t)(STATE_JOINING | STATE_SKIPPING);
    if (frame->total > receiver->message_bytes_max)
        return refuse(receiver, event, frame, -EMSGSIZE);
    assembly = find_free(receiver, &is_lent);
    if (assembly == NULL && is_lent)
        return lam_framed_receiver_keep(receiver, event, -EBUSY);
    if (assembly == NULL)
        return refuse(receiver, event, frame, -EUSERS);
    follow(assembly, event, frame);
    if ((frame->flags & LAM_EVENT_TIMESTAMP) != 0) {
        (void)lam_event_timestamp(event, &assembly->published_ns);
        lam_ring_consumer_count_latency(&receiver->consumer, event);
    }
    assembly->phase = PHASE_ASSEMBLING;
    receiver->state |= STATE_ASSEMBLING;
    return assemble(receiver, assembly, event, frame, message);
}

/* What is on its way of the sender of @frame, if it is another message; or NULL. */
static struct lam_framed_assembly *find_unfinished(
    struct lam_framed_receiver *receiver, const struct frame *frame)
{
    for (uint32_t i = 0; i < receiver->streams_max; i++) {
        struct lam_framed_assembly *assembly = &receiver->assemblies[i];

        if (assembly->phase == PHASE_ASSEMBLING &&
            (assembly->sender & 0xff) == (frame->sender & 0xff) && assembly->id != frame->message)
            return assembly;
    }
    return NULL;
}

static struct lam_framed_assembly *find_message(
    struct lam_framed_receiver *receiver, const struct frame *frame)
{
    for (uint32_t i = 0; i < receiver->streams_max; i++)
        if (receiver->assemblies[i].phase == PHASE_ASSEMBLING &&
            receiver->assemblies[i].id == frame->message)
            return &receiver->assemblies[i];
    return NULL;
}

/* A frame in the middle of a message that is not put together. One producer. */
static int use_rest(
    struct lam_framed_receiver *receiver, const struct lam_event *event, const struct frame *frame)
{
    if ((receiver->state & STATE_JOINING) != 0) {
        receiver->state &= ~(uint32_t)STATE_JOINING;
        receiver->state |= STATE_SKIPPING;
        follow(&receiver->rest, event, frame);
        receiver->rest.bytes_received = 0;
        if (!receiver->has_told || receiver->told_id != frame->message)
            (void)lam_framed_receiver_lose(receiver, &receiver->rest, 0);
        receiver->rest.bytes_received = frame->offset;
    }
    if ((receiver->state & STATE_SKIPPING) == 0 || !is_next(&receiver->rest, frame))
        return lam_framed_receiver_poison(receiver);
    return skip(receiver, event, frame);
}

static int sender_is_sound(const struct lam_framed_receiver *receiver, const struct frame *frame)
{
    uint32_t entry = frame->sender & 0xff;

    return receiver->is_many ? entry >= 1 && entry <= LAM_RING_PRODUCER_COUNT_MAX
                             : frame->sender == 0;
}

static int use_frame(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message)
{
    struct lam_framed_assembly *assembly;
    struct frame frame;

    if (!lam_frame_load(event, &frame) || !sender_is_sound(receiver, &frame))
        return lam_framed_receiver_poison(receiver);
    /* Handing its cells back would hand back what is still held before them, too. */
    if (((frame.flags & LAM_EVENT_FIRST_FRAME) != 0 || receiver->is_many) &&
        lam_framed_receiver_holds_older(receiver, event))
        return lam_framed_receiver_keep(receiver, event, -EBUSY);
    if ((frame.flags & LAM_EVENT_FIRST_FRAME) != 0) {
        assembly = find_unfinished(receiver, &frame);
        if (assembly == NULL)
            return first_frame(receiver, event, &frame, message);
        return lam_framed_receiver_keep(receiver, event,
            lam_framed_receiver_lose(receiver, assembly,
                receiver->is_many && assembly->sender == frame.sender ? -ECANCELED : -EOWNERDEAD));
    }
    assembly = find_message(receiver, &frame);
    if (assembly != NULL)
        return is_next(assembly, &frame) ? assemble(receiver, assembly, event, &frame, message)
                                         : lam_framed_receiver_poison(receiver);
    if (receiver->is_many)
        return hand_back(receiver, event);
    if ((receiver->state & STATE_ASSEMBLING) != 0)
        return lam_framed_receiver_poison(receiver);
    return use_rest(receiver, event, &frame);
}

static int is_damaged(const struct lam_framed_receiver *receiver, const struct lam_event *event)
{
    if ((event->flags & LAM_EVENT_CRC32C) == 0)
        return (receiver->state & STATE_CHECKED) != 0;
    return event->payload_bytes >= lam_event_extension_bytes(event->flags) &&
           !lam_event_crc_is_right(event);
}

int lam_framed_receiver_use(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message)
{
    /* First: of what is not what was sent, nothing else is believed, and nobody is blamed. */
    if (is_damaged(receiver, event))
        return lam_framed_receiver_damaged(receiver, event);
    if (!lam_event_is_sound(event))
        return lam_framed_receiver_poison(receiver);
    if (event->kind == LAM_FRAMED_KIND_FRAME)
        return use_frame(receiver, event, message);
    if ((receiver->state & STATE_ASSEMBLING) != 0 && !receiver->is_many)
        return lam_framed_receiver_keep(
            receiver, event, lam_framed_receiver_lose_active(receiver, -EOWNERDEAD));
    receiver->state &= ~(uint32_t)(STATE_JOINING | STATE_SKIPPING);
    return lam_framed_receiver_lend_event(receiver, event, message);
}
