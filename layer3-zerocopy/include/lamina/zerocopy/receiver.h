/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ZEROCOPY_RECEIVER_H
#define LAM_ZEROCOPY_RECEIVER_H

/*
 * lamina/zerocopy/receiver.h: an end of a channel that looks at messages where they lie.
 *
 * Zero-copy, layer 3. A view is a message that was verified once, lent until it is released. Up to
 * 64 may be held at once and are released in any order; the oldest one held is what holds the
 * sender back. Bytes that are no message of the type are refused and released; the next one is not
 * affected.
 *
 * A view in the ring is safe from a sender that leaves alone what it has published, as every sender
 * of Lamina does. A receiver that does not trust its sender gives copy memory: then each message is
 * copied there, handed back to the sender at once, and the copy is verified and lent.
 *
 * All calls from one thread at a time. None allocates once attached; none makes a system call,
 * except to wait, or to wake a sender that sleeps.
 */

#include <errno.h>

#include "lamina/codecs/codec.h"
#include "lamina/framed/receiver.h"
#include "lamina/typed/envelope.h"
#include "lamina/zerocopy/held.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a receiver does before it lends a message. */
enum lam_zerocopy_check {
    LAM_ZEROCOPY_VERIFY = 0, /* see that it is a message of the type */
    /*
     * Nothing: for a sender that is this program's own, where each nanosecond counts. What reads
     * a view then trusts every byte of it: a sender that errs takes this process with it.
     */
    LAM_ZEROCOPY_UNVERIFIED = 1,
};

struct lam_zerocopy_receiver_options {
    struct lam_framed_receiver_options framed;
    enum lam_zerocopy_check check;
    void *copy; /* where messages are copied before they are verified; NULL: the sender is trusted.
                   16-byte aligned, kept until detach */
    size_t copy_bytes; /* a multiple of 16; all messages held must fit */
};

struct lam_zerocopy_receiver {
    /* Fields are private. What each view touches comes first. */
    const struct lam_codec *codec;
    uint8_t *copy;
    uint32_t verifies;
    uint32_t is_pending; /* a message was taken, and the copy memory had no room for it yet */
    struct lam_framed_receiver framed;
    struct lam_zerocopy_held held;

    /* The rest is for the copy memory and for refusals. Positions only grow. */
    uint64_t copy_bytes;
    uint64_t copy_from; /* position of the oldest copy held */
    uint64_t copy_to;   /* position behind the latest one */
    struct lam_framed_message pending;
    struct lam_error reason;
};

/* A verified message, borrowed until lam_zerocopy_receiver_release(). */
struct lam_zerocopy_view {
    const void *payload; /* what the generated readers take; 16-byte aligned */
    uint64_t payload_bytes;
    struct lam_typed_envelope envelope; /* id, kind, correlation */
    uint32_t place;                     /* private */
};

/*
 * Join the channel @ring. @ring and @codec are kept until lam_zerocopy_receiver_detach(). @options
 * may be NULL: at head, trusting.
 *
 * Returns as lam_framed_receiver_attach() and lam_typed_channel_check(), or
 *   -EINVAL the copy memory is not 16-byte aligned, or not a multiple of 16 bytes long, or comes
 *           with LAM_ZEROCOPY_UNVERIFIED; or the receiver is not to gate: what it was lent might be
 *           overwritten under it
 */
int lam_zerocopy_receiver_attach(struct lam_zerocopy_receiver *receiver, struct lam_ring *ring,
    const struct lam_codec *codec, const struct lam_zerocopy_receiver_options *options,
    struct lam_error *error);

/* Leave. Views into the ring that were not released are dead. */
void lam_zerocopy_receiver_detach(struct lam_zerocopy_receiver *receiver);

/* The rare parts of a view and of a release. */
int lam_zerocopy_receiver_proceed(
    struct lam_zerocopy_receiver *receiver, struct lam_zerocopy_view *view);
int lam_zerocopy_receiver_view_copy(struct lam_zerocopy_receiver *receiver,
    const struct lam_framed_message *message, struct lam_zerocopy_view *view);
int lam_zerocopy_receiver_refuse(struct lam_zerocopy_receiver *receiver,
    const struct lam_framed_message *message, uint32_t place);

/* Hand back everything up to @end, in the ring or in the copy memory. */
LAM_INLINE void lam_zerocopy_receiver_give_back(
    struct lam_zerocopy_receiver *receiver, uint64_t end)
{
    struct lam_framed_message message;

    if (receiver->copy != NULL) {
        receiver->copy_from = end;
        return;
    }
    message.end = end;
    lam_framed_receiver_release(&receiver->framed, &message);
}

/* Verify the taken @message and lend it. Returns 1, or an error. */
LAM_INLINE int lam_zerocopy_receiver_lend(struct lam_zerocopy_receiver *receiver,
    const struct lam_framed_message *message, struct lam_zerocopy_view *view)
{
    const struct lam_codec *codec = receiver->codec;
    uint32_t place;

    if (__builtin_expect(receiver->copy != NULL, 0))
        return lam_zerocopy_receiver_view_copy(receiver, message, view);
    place = lam_zerocopy_held_add(&receiver->held, message->id, message->end);
    if (receiver->verifies) {
        int rc = codec->verify(codec, message->payload, message->payload_bytes, &receiver->reason);

        if (__builtin_expect(rc != 0, 0))
            return lam_zerocopy_receiver_refuse(receiver, message, place);
    }
    view->payload = message->payload;
    view->payload_bytes = message->payload_bytes;
    view->place = place;
    lam_typed_envelope_fill(&view->envelope, message);
    return 1;
}

/*
 * Look at the next message, without waiting. It stays as it is, and holds the sender back, until
 * released. Wait-free, but for what the codec walks.
 *
 * Returns 1 and fills *@view; 0 no message is there yet; or
 *   -EBADMSG  the message is none of the type: it was released, and the next call goes on behind
 *             it. lam_zerocopy_receiver_reason() says what was wrong with it
 *   -ENOBUFS  64 views are held, or those held leave no room in the copy memory: release one
 *   -EMSGSIZE the message is larger than the copy memory, or than the receiver's bound for
 *             messages of frames; it is dropped, and the next call goes on behind it
 *   -EBUSY    a message of frames comes next: release all views first
 *   -EPIPE, -EOWNERDEAD, -ECANCELED, -ESTALE, -ENOTRECOVERABLE as lam_framed_receiver_try_receive()
 * On error *@view means nothing, and the views held before are not affected.
 */
LAM_INLINE int lam_zerocopy_receiver_try_view(
    struct lam_zerocopy_receiver *receiver, struct lam_zerocopy_view *view)
{
    struct lam_framed_message message;
    int rc;

    if (__builtin_expect(lam_zerocopy_held_is_full(&receiver->held), 0))
        return -ENOBUFS;
    if (__builtin_expect(receiver->is_pending, 0))
        return lam_zerocopy_receiver_proceed(receiver, view);
    rc = lam_framed_receiver_try_receive(&receiver->framed, &message);
    if (rc != 1)
        return rc;
    return lam_zerocopy_receiver_lend(receiver, &message, view);
}

/*
 * The same, waiting until @deadline_ns (LAM_DEADLINE_NEVER: for ever). It does not wait for views
 * to be released.
 *
 * Returns 0, or an error of lam_zerocopy_receiver_try_view(), or
 *   -ETIMEDOUT no message came
 */
int lam_zerocopy_receiver_view_until(
    struct lam_zerocopy_receiver *receiver, uint64_t deadline_ns, struct lam_zerocopy_view *view);

/*
 * Release *@view, in any order among those held; each once (asserted). Wait-free; one system call
 * if it was the oldest and the sender sleeps on us.
 */
LAM_INLINE void lam_zerocopy_receiver_release(
    struct lam_zerocopy_receiver *receiver, const struct lam_zerocopy_view *view)
{
    uint64_t end;

    if (lam_zerocopy_held_drop(&receiver->held, view->place, view->envelope.id, &end))
        lam_zerocopy_receiver_give_back(receiver, end);
}

/* How many views are held. */
LAM_INLINE uint32_t lam_zerocopy_receiver_held_count(const struct lam_zerocopy_receiver *receiver)
{
    return lam_zerocopy_held_count(&receiver->held);
}

/* The way down to layer 1, borrowed until detach: for bytes as they came, say. */
LAM_INLINE struct lam_framed_receiver *lam_zerocopy_receiver_framed(
    struct lam_zerocopy_receiver *receiver)
{
    return &receiver->framed;
}

/*
 * What was wrong with the last message that was refused with -EBADMSG, terminated; "" before any.
 * Borrowed until the next one.
 */
LAM_INLINE const char *lam_zerocopy_receiver_reason(const struct lam_zerocopy_receiver *receiver)
{
    return receiver->reason.text;
}

#ifdef __cplusplus
}
#endif

#endif
