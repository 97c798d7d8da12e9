/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_RECEIVER_H
#define LAM_FRAMED_RECEIVER_H

/*
 * lamina/framed/receiver.h: an end of a channel that receives messages.
 *
 * Framed, layer 1. Every receiver gets every message, in order. What fits half the ring is lent
 * where it lies; a message of frames is put together in a buffer of the receiver's. Several
 * messages may be held at once; they are released in order. Or take them into memory of your own
 * (lamina/framed/take.h).
 *
 * The frames of a message are handed back as soon as they are copied: so nothing older may be held
 * in place when they come, and a buffer must be free when its first one does (-EBUSY).
 *
 * A receiver that copies (lossy, or by option) lends no shared memory at all: each message is
 * copied, then verified, so that nobody can change what it has seen; its cells are handed back
 * before it is lent, and one message in place is lent at a time.
 *
 * All calls from one thread at a time. The inline ones make no system call, except to wake a sender
 * that sleeps, and nothing here allocates once attached.
 */

#include "lamina/framed/message.h"
#include "lamina/ring/consumer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The most messages of frames that a receiver can have in hand: as many as a ring has producers. */
#define LAM_FRAMED_STREAMS_MAX 64

struct lam_framed_receiver_options {
    struct lam_ring_consumer_options consumer;
    uint64_t message_bytes_max; /* longest message of frames; 0 takes none: -EMSGSIZE for each */
    /*
     * Messages of frames that are put together or held at once, each in a buffer of its own; 0 is
     * 1. More are of use where the ring has many producers, or where such messages are held.
     */
    uint32_t streams_max;
    uint32_t copies; /* 1: copy each message, then verify it. A lossy receiver does anyhow */
    /*
     * 1: the sender gives every message a CRC32C: one without has lost it by damage (-EBADMSG).
     * A wrong one is told in any case.
     */
    uint32_t is_checked;
    void *buffer; /* lam_framed_buffer_bytes(), 16-byte aligned, kept until detach;
                        NULL: attach allocates it */
};

/* One message of frames that is put together, or lent. Private. */
struct lam_framed_assembly {
    uint8_t *buffer;
    uint64_t id;
    uint64_t bytes_total;
    uint64_t bytes_received;
    uint64_t end; /* lent: what its release hands back */
    uint64_t published_ns;
    struct lam_framed_correlation correlation;
    uint64_t orphan_at; /* many producers: where we were when its sender was found gone */
    uint32_t sender;    /* as in its frames */
    uint32_t phase;     /* see src/assemble.h */
    int orphan_rc;      /* how that one ended; 0 it did not */
    uint16_t kind;
    uint16_t flags;
};

struct lam_framed_receiver {
    /* Fields are private. What each message touches comes first. */
    uint32_t state; /* 0 but around messages of frames: then calls take the long way */
    uint32_t owns_buffer;
    uint64_t released; /* all below it has been released */
    struct lam_ring_consumer consumer;

    /* The rest is for messages of frames, for copies, and for what is rare. */
    uint8_t *buffer;
    uint64_t message_bytes_max;
    struct lam_event ahead; /* peeked, and not used yet */
    struct lam_framed_assembly *assemblies;
    struct lam_framed_assembly one; /* the first of them */
    uint32_t streams_max;
    uint32_t is_many;                /* the ring has many producers */
    struct lam_framed_assembly rest; /* of a message whose frames are skipped */
    uint64_t told_id; /* a message that was told lost, while has_told: its frames are skipped */
    uint32_t has_told;
    int deferred;         /* an error that a batch receive came upon */
    uint64_t probe_at_ns; /* when to see next whether senders are there */
    uint8_t *scratch;     /* where a receiver that copies has the message in place */
    uint64_t scratch_bytes;
    uint8_t *into; /* the caller's memory, during a take */
    uint64_t into_bytes;
    uint64_t lent_end;    /* many producers: of the last message that was lent where it lies */
    uint64_t scratch_end; /* of the message that is lent there */
    struct lam_framed_message kept;      /* received, and too large for its caller */
    struct lam_framed_correlation taken; /* of the message that was taken last */
    struct lam_framed_loss loss;
};

/* Bytes of a buffer for @streams_max messages of up to @message_bytes_max. */
LAM_INLINE uint64_t lam_framed_buffer_bytes(uint64_t message_bytes_max, uint32_t streams_max)
{
    uint64_t each = (message_bytes_max + 63) & ~UINT64_C(63);

    return streams_max > 1 ? each * streams_max : message_bytes_max;
}

/*
 * Join the channel @ring, which is kept until lam_framed_receiver_detach(). @options may be NULL.
 * A receiver that joins in the middle of a message of frames begins with the message after it, and
 * can ask for the loss. @receiver does not move until it is detached.
 *
 * Allocates the buffers, where the caller gives none. Returns as lam_ring_consumer_attach(), or
 *   -EINVAL the buffer is not 16-byte aligned, message_bytes_max is above
 *           LAM_FRAMED_MESSAGE_BYTES_MAX, or streams_max above LAM_FRAMED_STREAMS_MAX
 *   -ENOMEM
 */
int lam_framed_receiver_attach(struct lam_framed_receiver *receiver, struct lam_ring *ring,
    const struct lam_framed_receiver_options *options, struct lam_error *error);

/* Leave. What was received and not released may be overwritten from now on. */
void lam_framed_receiver_detach(struct lam_framed_receiver *receiver);

/*
 * Go on after -ESTALE: join again behind what was missed. lam_framed_receiver_loss() tells how many
 * events that is, exactly, and the message of frames that it cut short; where there were several
 * such messages, the next receives tell the others with -ESTALE. No message comes twice. Whatever
 * was held is released.
 *
 * Returns as lam_ring_consumer_readmit()
 */
int lam_framed_receiver_readmit(
    struct lam_framed_receiver *receiver, enum lam_ring_start start, struct lam_error *error);

/*
 * Declare the sender's bytes impossible, found so by who knows what they mean: the channel is
 * poisoned for all its ends. Not to be called of a damaged message (-EBADMSG) without more.
 *
 * Returns -ENOTRECOVERABLE, or -ESTALE: this receiver was evicted, and saw parts of two messages
 */
int lam_framed_receiver_poison(struct lam_framed_receiver *receiver);

/* The rare parts of a receive and of a release. */
int lam_framed_receiver_proceed(
    struct lam_framed_receiver *receiver, struct lam_framed_message *message);
int lam_framed_receiver_unwrap(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message);
int lam_framed_receiver_release_rarely(struct lam_framed_receiver *receiver, uint64_t end);
/* The cells up to @end went back already: buffers up to there are free, if any is lent. */
void lam_framed_receiver_free(struct lam_framed_receiver *receiver, uint64_t end);

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

/* One with a correlation, and nothing else. */
LAM_INLINE int lam_framed_receiver_is_correlated(const struct lam_event *event)
{
    return event->flags == LAM_EVENT_CORRELATION && event->kind < LAM_EVENT_KIND_RESERVED &&
           event->payload_bytes >= LAM_FRAMED_EXTENSION_BYTES;
}

LAM_INLINE void lam_framed_receiver_lend_correlated(
    const struct lam_event *event, struct lam_framed_message *message)
{
    lam_framed_receiver_lend(event, message);
    message->correlation = (const struct lam_framed_correlation *)event->payload;
    message->payload = message->correlation + 1;
    message->payload_bytes -= LAM_FRAMED_EXTENSION_BYTES;
    message->flags = LAM_EVENT_CORRELATION;
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
 *                    call goes on behind it. Without a loss: the sender failed the channel
 *                    (lamina/ring/required.h), and the last message was taken
 *   -EMSGSIZE        a message of frames is larger than the buffer (likewise)
 *   -EBADMSG         a message is not what was sent: its CRC32C is wrong (likewise)
 *   -EUSERS          more than streams_max messages of frames at once: one is skipped (likewise)
 *   -EBUSY           a message of frames comes next, or a damaged one, or one more than a receiver
 *                    that copies can lend: release what you hold first
 *   -EOVERFLOW       a lossy receiver was lapped (likewise: how many events, exactly)
 *   -ESTALE          this receiver was evicted: lam_framed_receiver_readmit()
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
    if (__builtin_expect(lam_framed_receiver_is_plain(&event), 1))
        lam_framed_receiver_lend(&event, message);
    else if (lam_framed_receiver_is_correlated(&event))
        lam_framed_receiver_lend_correlated(&event, message);
    else
        return lam_framed_receiver_rarely(receiver, &event, message);
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
 * us. Each message is released once, by its own release or by that of a later one, a take or a
 * readmit: another one aborts.
 *
 * Returns 0, or
 *   -ESTALE this receiver was evicted meanwhile: what was borrowed may have been overwritten while
 *           we looked. Only with LAM_RING_GATE_THEN_EVICT
 */
LAM_INLINE int lam_framed_receiver_release(
    struct lam_framed_receiver *receiver, const struct lam_framed_message *message)
{
    if (__builtin_expect(receiver->state != 0, 0))
        return lam_framed_receiver_release_rarely(receiver, message->end);
    /* This way round it is the sign of one difference. */
    LAM_ASSERT((int64_t)(receiver->released - message->end) < 0);
    receiver->released = message->end;
    return lam_ring_consumer_release_to(&receiver->consumer, message->end);
}

/*
 * What the last receive or readmit lost: a message that ended with -ECANCELED, -EMSGSIZE,
 * -EBADMSG, -EUSERS, -EOWNERDEAD or -ESTALE, the events behind -EOVERFLOW, or the first message of
 * frames of a receiver that joined in the middle of it.
 *
 * Returns 1 and fills *@loss, or 0: there was none.
 */
int lam_framed_receiver_loss(
    const struct lam_framed_receiver *receiver, struct lam_framed_loss *loss);

#ifdef __cplusplus
}
#endif

#endif
