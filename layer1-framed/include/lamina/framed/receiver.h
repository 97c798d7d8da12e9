/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_RECEIVER_H
#define LAM_FRAMED_RECEIVER_H

/*
 * lamina/framed/receiver.h: an end of a channel that receives messages.
 *
 * Framed, layer 1. Every receiver gets every message, in order. What fits half the ring is lent
 * where it lies; a message of frames is put together in the receiver's buffer. Several messages may
 * be held at once; they are released in order.
 *
 * The frames of a message are handed back as soon as they are copied: so nothing older may be held
 * when it begins, and there is one such message at a time (-EBUSY).
 *
 * All calls from one thread at a time. The inline ones make no system call, except to wake a sender
 * that sleeps, and nothing here allocates once attached.
 */

#include "lamina/framed/message.h"
#include "lamina/ring/consumer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_framed_receiver_options {
    struct lam_ring_consumer_options consumer;
    uint64_t message_bytes_max; /* longest message of frames; 0 takes none: -EMSGSIZE for each */
    void *buffer;               /* of that many bytes, 16-byte aligned, kept until detach;
                                   NULL: attach allocates it */
};

struct lam_framed_receiver {
    /* Fields are private. What each message touches comes first. */
    uint32_t state; /* 0 but around messages of frames: then calls take the long way */
    uint32_t owns_buffer;
    uint64_t released; /* all below it has been released */
    struct lam_ring_consumer consumer;

    /* The rest is for messages of frames. */
    uint8_t *buffer;
    uint64_t message_bytes_max;
    struct lam_event ahead; /* peeked, and not used yet */
    uint64_t stream_id;
    uint64_t stream_bytes_total;
    uint64_t stream_bytes_received;
    uint16_t stream_kind;
    uint16_t stream_flags;
    struct lam_framed_correlation stream_correlation;
    struct lam_framed_loss loss;
};

/*
 * Join the channel @ring, which is kept until lam_framed_receiver_detach(). @options may be NULL.
 * A receiver that joins in the middle of a message of frames begins with the message after it, and
 * can ask for the loss.
 *
 * Allocates the buffer, where the caller gives none. Returns as lam_ring_consumer_attach(), or
 *   -EINVAL the buffer is not 16-byte aligned, or message_bytes_max is above
 *           LAM_FRAMED_MESSAGE_BYTES_MAX, or the policy is LAM_RING_LOSSY: messages are lent
 *           where they lie, which takes a sender that waits
 *   -ENOMEM
 */
int lam_framed_receiver_attach(struct lam_framed_receiver *receiver, struct lam_ring *ring,
    const struct lam_framed_receiver_options *options, struct lam_error *error);

/* Leave. What was received and not released may be overwritten from now on. */
void lam_framed_receiver_detach(struct lam_framed_receiver *receiver);

/* The rare parts of a receive and of a release. */
int lam_framed_receiver_proceed(
    struct lam_framed_receiver *receiver, struct lam_framed_message *message);
int lam_framed_receiver_unwrap(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message);
void lam_framed_receiver_free_buffer(struct lam_framed_receiver *receiver);

/* Lend a message that is an event without extensions. */
LAM_INLINE void lam_framed_receiver_lend(
    const struct lam_event *event, struct lam_framed_message *message)
{
    message->payload = event->payload;
    message->payload_bytes = event->payload_bytes;
    message->id = event->sequence;
    message->end = event->end;
    message->correlation = NULL;
    message->kind = event->kind;
    message->flags = 0;
}

/* Such an event, told by one look. */
LAM_INLINE int lam_framed_receiver_is_plain(const struct lam_event *event)
{
    return (event->flags | (event->kind & LAM_EVENT_KIND_RESERVED)) == 0;
}

/*
 * The rare way of a receive, by copies: an event or a message whose address is passed to another
 * function would have to lie in memory on the common way, too.
 */
LAM_INLINE int lam_framed_receiver_rarely(struct lam_framed_receiver *receiver,
    const struct lam_event *event, struct lam_framed_message *message)
{
    struct lam_framed_message found;
    int rc;

    if (event == NULL) {
        rc = lam_framed_receiver_proceed(receiver, &found);
    } else {
        struct lam_event copy = *event;

        rc = lam_framed_receiver_unwrap(receiver, &copy, &found);
    }
    if (rc == 1)
        *message = found;
    return rc;
}

/*
 * Take the next message, without waiting. It is borrowed until released. Wait-free: a message of
 * frames that is not complete yet is carried as far as it came, and the next call goes on.
 *
 * Returns 1 and fills *@message; 0 none is there yet; or
 *   -EPIPE           the sender closed the channel, and the last message was taken
 *   -EOWNERDEAD      the sender died, and the last message was taken. A message that it left
 *                    incomplete is dropped. A later call may succeed: a successor goes on
 *   -ECANCELED       the sender gave a message of frames up (lam_framed_receiver_loss()). The next
 *                    call goes on behind it
 *   -EMSGSIZE        a message of frames is larger than the buffer (likewise)
 *   -EBUSY           a message of frames comes next: release what you hold first
 *   -ESTALE          this receiver was evicted: detach, and attach again
 *   -ENOTRECOVERABLE the sender's bytes are impossible: the channel is poisoned
 */
LAM_INLINE int lam_framed_receiver_try_receive(
    struct lam_framed_receiver *receiver, struct lam_framed_message *message)
{
    struct lam_event event = {NULL, 0, 0, 0, 0, 0};
    int rc;

    if (__builtin_expect(receiver->state != 0, 0))
        return lam_framed_receiver_rarely(receiver, NULL, message);
    rc = lam_ring_consumer_try_peek(&receiver->consumer, &event);
    if (rc != 1)
        return rc;
    if (__builtin_expect(!lam_framed_receiver_is_plain(&event), 0))
        return lam_framed_receiver_rarely(receiver, &event, message);
    lam_framed_receiver_lend(&event, message);
    return 1;
}

/* The rare part of a receive that waits. */
int lam_framed_receiver_wait_until(
    struct lam_framed_receiver *receiver, uint64_t deadline_ns, struct lam_framed_message *message);

/*
 * The same, waiting until @deadline_ns (LAM_DEADLINE_NEVER: for ever).
 *
 * Returns 0 and fills *@message, or an error of lam_framed_receiver_try_receive(), or
 *   -ETIMEDOUT no message was complete; what came of one is kept
 */
LAM_INLINE int lam_framed_receiver_receive_until(
    struct lam_framed_receiver *receiver, uint64_t deadline_ns, struct lam_framed_message *message)
{
    int rc = lam_framed_receiver_try_receive(receiver, message);

    if (__builtin_expect(rc == 0, 0)) {
        struct lam_framed_message found;

        rc = lam_framed_receiver_wait_until(receiver, deadline_ns, &found);
        if (rc == 0)
            *message = found;
        return rc;
    }
    return rc == 1 ? 0 : rc;
}

/*
 * Release *@message and all that were received before it: their memory is the sender's again, and
 * the buffer is free. Later ones stay borrowed. Wait-free; one system call if the sender sleeps on
 * us.
 *
 * Returns 0, or
 *   -ESTALE this receiver was evicted meanwhile: what was borrowed may have been overwritten while
 *           we looked. Only with LAM_RING_GATE_THEN_EVICT
 */
LAM_INLINE int lam_framed_receiver_release(
    struct lam_framed_receiver *receiver, const struct lam_framed_message *message)
{
    LAM_ASSERT((int64_t)(message->end - receiver->released) >= 0);
    if (__builtin_expect(receiver->state != 0, 0))
        lam_framed_receiver_free_buffer(receiver);
    receiver->released = message->end;
    return lam_ring_consumer_release_to(&receiver->consumer, message->end);
}

/*
 * Which message of frames the last receive cut short, or skipped: one that ended with -ECANCELED,
 * -EMSGSIZE, -EOWNERDEAD or -ESTALE, or the first one of a receiver that joined in the middle of a
 * message.
 *
 * Returns 1 and fills *@loss, or 0: there was none.
 */
int lam_framed_receiver_loss(
    const struct lam_framed_receiver *receiver, struct lam_framed_loss *loss);

#ifdef __cplusplus
}
#endif

#endif
