/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TYPED_RECEIVER_H
#define LAM_TYPED_RECEIVER_H

/*
 * lamina/typed/receiver.h: an end of a channel that receives values.
 *
 * Typed, layer 2. A message is decoded into the caller's struct and arena, then released at once:
 * the value refers to nothing in the ring and lives as long as the arena says. Bytes that are no
 * value of the type are refused and released; the next message is not affected.
 *
 * The codec reads a message where it lies, which is safe from a sender that leaves alone what it
 * has published, as every sender of Lamina does. A receiver that does not trust its sender gives
 * copy memory: then the message is copied, released, and only the copy is read.
 *
 * All calls from one thread at a time. None allocates once attached; none makes a system call,
 * except to wait, or to wake a sender that sleeps.
 */

#include "lamina/codecs/codec.h"
#include "lamina/codecs/copy.h"
#include "lamina/framed/receiver.h"
#include "lamina/typed/envelope.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_typed_receiver_options {
    struct lam_framed_receiver_options framed; /* its message_bytes_max bounds values in frames */
    void *copy; /* where messages are copied before they are read; NULL: the sender is trusted.
                   16-byte aligned, kept until detach */
    size_t copy_bytes;
};

struct lam_typed_receiver {
    /* Fields are private. */
    const struct lam_codec *codec;
    uint32_t is_pending; /* a message was taken and not decoded: the arena was too small */
    struct lam_framed_receiver framed;
    struct lam_framed_message pending;
    void *copy;
    size_t copy_bytes;
    struct lam_error reason;
};

/*
 * Join the channel @ring. @ring and @codec are kept until lam_typed_receiver_detach(). @options may
 * be NULL: at head, trusting, no messages of frames.
 *
 * Returns as lam_framed_receiver_attach() and lam_typed_channel_check(), or
 *   -EINVAL the copy memory is not 16-byte aligned, or the receiver is not to gate: what it reads
 *           in place might be overwritten meanwhile
 */
int lam_typed_receiver_attach(struct lam_typed_receiver *receiver, struct lam_ring *ring,
    const struct lam_codec *codec, const struct lam_typed_receiver_options *options,
    struct lam_error *error);

/*
 * See that a receiver of @options on @ring is a gating one, for this layer and the next: of others
 * no message may be read where it lies. Returns 0, or -EINVAL and in @error what was asked for.
 */
int lam_typed_receiver_check_policy(const struct lam_framed_receiver_options *options,
    const struct lam_ring *ring, struct lam_error *error);

/* Leave. */
void lam_typed_receiver_detach(struct lam_typed_receiver *receiver);

/* The rare parts of a receive. */
int lam_typed_receiver_proceed(struct lam_typed_receiver *receiver, void *value,
    struct lam_arena *arena, struct lam_typed_envelope *envelope);
int lam_typed_receiver_decode_copy(struct lam_typed_receiver *receiver,
    const struct lam_framed_message *message, void *value, struct lam_arena *arena);
int lam_typed_receiver_refuse(
    struct lam_typed_receiver *receiver, const struct lam_framed_message *message, int error);

/* Decode the taken @message and release it. Returns 1, or an error. */
LAM_INLINE int lam_typed_receiver_take(struct lam_typed_receiver *receiver,
    const struct lam_framed_message *message, void *value, struct lam_arena *arena,
    struct lam_typed_envelope *envelope)
{
    const struct lam_codec *codec = receiver->codec;
    int rc = 0;

    if (__builtin_expect(receiver->copy != NULL, 0))
        rc = lam_typed_receiver_decode_copy(receiver, message, value, arena);
    else if (codec->plain_bytes != 0 && codec->plain_bytes == message->payload_bytes)
        lam_codec_copy(value, message->payload, codec->plain_bytes);
    else
        rc = codec->decode(codec, message->payload, message->payload_bytes, value, arena);
    if (__builtin_expect(rc != 0, 0))
        return lam_typed_receiver_refuse(receiver, message, rc);
    if (envelope != NULL)
        lam_typed_envelope_fill(envelope, message);
    lam_framed_receiver_release(&receiver->framed, message);
    return 1;
}

/*
 * Receive the next value into *@value, without waiting. What it points to is taken from @arena,
 * which may be NULL for types that point to nothing; it is never reset here. @envelope: filled
 * with id, kind and correlation, or NULL. Wait-free, but for what the codec walks.
 *
 * Returns 1; 0 no message is there yet; or
 *   -EBADMSG  the message is no value of the type: it was released, and the next call goes on
 *             behind it. lam_typed_receiver_reason() says what was wrong with it
 *   -ENOSPC   the arena is too small; it is as it was. The message stays: call again with more
 *             room, or lam_typed_receiver_skip() it
 *   -EMSGSIZE the message is larger than the copy memory, or than the receiver's bound for
 *             messages of frames; it is dropped, and the next call goes on behind it
 *   -EPIPE, -EOWNERDEAD, -ECANCELED, -ESTALE, -ENOTRECOVERABLE as lam_framed_receiver_try_receive()
 * On error *@value means nothing.
 */
LAM_INLINE int lam_typed_receiver_try_receive(struct lam_typed_receiver *receiver, void *value,
    struct lam_arena *arena, struct lam_typed_envelope *envelope)
{
    struct lam_framed_message message;
    int rc;

    if (__builtin_expect(receiver->is_pending, 0))
        return lam_typed_receiver_proceed(receiver, value, arena, envelope);
    rc = lam_framed_receiver_try_receive(&receiver->framed, &message);
    if (rc != 1)
        return rc;
    return lam_typed_receiver_take(receiver, &message, value, arena, envelope);
}

/*
 * The same, waiting until @deadline_ns (LAM_DEADLINE_NEVER: for ever).
 *
 * Returns 0, or an error of lam_typed_receiver_try_receive(), or
 *   -ETIMEDOUT no message came
 */
int lam_typed_receiver_receive_until(struct lam_typed_receiver *receiver, uint64_t deadline_ns,
    void *value, struct lam_arena *arena, struct lam_typed_envelope *envelope);

/* Drop the message that an arena was too small for. Returns 1, or 0: there is none. */
int lam_typed_receiver_skip(struct lam_typed_receiver *receiver);

/*
 * What was wrong with the last message that was refused with -EBADMSG, terminated; "" before any.
 * Borrowed until the next one.
 */
LAM_INLINE const char *lam_typed_receiver_reason(const struct lam_typed_receiver *receiver)
{
    return receiver->reason.text;
}

/* The way down to layer 1, borrowed until detach: for bytes as they came, say. */
LAM_INLINE struct lam_framed_receiver *lam_typed_receiver_framed(
    struct lam_typed_receiver *receiver)
{
    return &receiver->framed;
}

#ifdef __cplusplus
}
#endif

#endif
