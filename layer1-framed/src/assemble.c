/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From events to messages, on the receiver's side.
 *
 *     whole message           -> lent in place
 *     first frame             -> ASSEMBLING, or SKIPPING where it is larger than the bound
 *     frame of that message   -> copied, or dropped; the last one completes it
 *     frame that cuts it      -> -ECANCELED
 *     whole or first, midway  -> its sender died: -EOWNERDEAD, then this event
 *     another frame           -> at the start, skipped with the rest of its message; else poison
 */
#include "assemble.h"

#include <errno.h>
#include <string.h>

#include "frame.h"

static int poison(struct lam_framed_receiver *receiver)
{
    int rc = lam_ring_consumer_poison(&receiver->consumer);

    /* Evicted, we saw parts of two events: no sin of the sender's. */
    if (rc != -ESTALE)
        receiver->state |= STATE_POISONED;
    return rc;
}

/* The event stays for the next call. */
static int keep(struct lam_framed_receiver *receiver, const struct lam_event *event, int rc)
{
    receiver->ahead = *event;
    receiver->state |= STATE_AHEAD;
    return rc;
}

/*
 * A frame was used: its cells are the sender's again, so that it can go on. Returns 0, or -ESTALE:
 * evicted, we may have used what it was overwritten with.
 */
static int hand_back(struct lam_framed_receiver *receiver, const struct lam_event *event)
{
    receiver->released = event->end;
    return lam_ring_consumer_release_to(&receiver->consumer, event->end);
}

/* The message that is on its way will not be complete. */
static int lose(struct lam_framed_receiver *receiver, int rc)
{
    receiver->loss.id = receiver->stream_id;
    receiver->loss.total_bytes = receiver->stream_bytes_total;
    receiver->loss.received_bytes =
        (receiver->state & STATE_ASSEMBLING) != 0 ? receiver->stream_bytes_received : 0;
    receiver->loss.kind = receiver->stream_kind;
    receiver->state &= ~(uint32_t)STATE_ASSEMBLING;
    receiver->state |= STATE_LOSS;
    return rc;
}

int lam_framed_receiver_ended(struct lam_framed_receiver *receiver, int rc)
{
    if ((rc != -EPIPE && rc != -EOWNERDEAD) || (receiver->state & STATE_ASSEMBLING) == 0)
        return rc;
    /* A channel closed inside a message: the message first, then the close. */
    return lose(receiver, rc == -EPIPE ? -ECANCELED : rc);
}

static int lend(const struct lam_event *event, struct lam_framed_message *message)
{
    uint32_t extension_bytes = lam_event_extension_bytes(event->flags);

    message->payload = (const uint8_t *)event->payload + extension_bytes;
    message->payload_bytes = event->payload_bytes - extension_bytes;
    message->id = event->sequence;
    message->end = event->end;
    message->correlation = (event->flags & LAM_EVENT_CORRELATION) != 0 ? event->payload : NULL;
    message->kind = event->kind;
    message->flags = event->flags;
    return 1;
}

static int lend_buffer(struct lam_framed_receiver *receiver, struct lam_framed_message *message)
{
    receiver->state &= ~(uint32_t)STATE_ASSEMBLING;
    receiver->state |= STATE_BUFFER_HELD;
    message->payload = receiver->buffer;
    message->payload_bytes = receiver->stream_bytes_total;
    message->id = receiver->stream_id;
    message->end = receiver->released;
    message->correlation = (receiver->stream_flags & LAM_EVENT_CORRELATION) != 0
                               ? &receiver->stream_correlation
                               : NULL;
    message->kind = receiver->stream_kind;
    message->flags = receiver->stream_flags;
    return 1;
}

/* Take up the message that @frame belongs to. */
static void follow(struct lam_framed_receiver *receiver, const struct frame *frame)
{
    receiver->stream_id = frame->message;
    receiver->stream_bytes_total = frame->total;
    receiver->stream_bytes_received = frame->offset;
    receiver->stream_kind = frame->kind;
    receiver->stream_flags = frame->flags & FLAGS_OF_EXTENSIONS;
}

static int is_next(const struct lam_framed_receiver *receiver, const struct frame *frame)
{
    return frame->message == receiver->stream_id && frame->total == receiver->stream_bytes_total &&
           frame->offset == receiver->stream_bytes_received && frame->kind == receiver->stream_kind;
}

/* The next frame of the message that is put together. */
static int assemble(struct lam_framed_receiver *receiver, const struct lam_event *event,
    const struct frame *frame, struct lam_framed_message *message)
{
    /* Inside the buffer: first_frame() compared the total, the frame's own check the rest. */
    memcpy(receiver->buffer + frame->offset, frame->piece, frame->piece_bytes);
    receiver->stream_bytes_received += frame->piece_bytes;
    if (hand_back(receiver, event) != 0)
        return lose(receiver, -ESTALE);
    if (frame->cut)
        return lose(receiver, -ECANCELED);
    if ((frame->flags & LAM_EVENT_LAST_FRAME) != 0)
        return lend_buffer(receiver, message);
    return 0;
}

static int skip(
    struct lam_framed_receiver *receiver, const struct lam_event *event, const struct frame *frame)
{
    receiver->stream_bytes_received += frame->piece_bytes;
    if ((frame->flags & LAM_EVENT_LAST_FRAME) != 0)
        receiver->state &= ~(uint32_t)STATE_SKIPPING;
    return hand_back(receiver, event);
}

static int first_frame(struct lam_framed_receiver *receiver, const struct lam_event *event,
    const struct frame *frame, struct lam_framed_message *message)
{
    /* Handing its frames back would hand back what is still held before them, too. */
    if (event->sequence != receiver->released || (receiver->state & STATE_BUFFER_HELD) != 0)
        return keep(receiver, event, -EBUSY);
    follow(receiver, frame);
    receiver->state &= ~(uint32_t)(STATE_JOINING | STATE_SKIPPING);
    if (frame->total > receiver->message_bytes_max) {
        receiver->state |= STATE_SKIPPING;
        (void)skip(receiver, event, frame);
        return lose(receiver, -EMSGSIZE);
    }
    if ((frame->flags & LAM_EVENT_CORRELATION) != 0)
        memcpy(&receiver->stream_correlation, event->payload, LAM_FRAMED_EXTENSION_BYTES);
    receiver->state |= STATE_ASSEMBLING;
    return assemble(receiver, event, frame, message);
}

static int use_frame(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message)
{
    struct frame frame;

    if (!lam_frame_load(event, &frame))
        return poison(receiver);
    if ((frame.flags & LAM_EVENT_FIRST_FRAME) != 0) {
        if ((receiver->state & STATE_ASSEMBLING) != 0)
            return keep(receiver, event, lose(receiver, -EOWNERDEAD));
        return first_frame(receiver, event, &frame, message);
    }
    if ((receiver->state & STATE_JOINING) != 0) {
        receiver->state &= ~(uint32_t)STATE_JOINING;
        receiver->state |= STATE_SKIPPING;
        follow(receiver, &frame);
        (void)lose(receiver, 0);
    }
    if ((receiver->state & (STATE_ASSEMBLING | STATE_SKIPPING)) == 0 || !is_next(receiver, &frame))
        return poison(receiver);
    if ((receiver->state & STATE_SKIPPING) != 0)
        return skip(receiver, event, &frame);
    return assemble(receiver, event, &frame, message);
}

int lam_framed_receiver_use(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message)
{
    if (!lam_event_is_sound(event))
        return poison(receiver);
    if (event->kind == LAM_FRAMED_KIND_FRAME)
        return use_frame(receiver, event, message);
    if ((receiver->state & STATE_ASSEMBLING) != 0)
        return keep(receiver, event, lose(receiver, -EOWNERDEAD));
    receiver->state &= ~(uint32_t)(STATE_JOINING | STATE_SKIPPING);
    return lend(event, message);
}
