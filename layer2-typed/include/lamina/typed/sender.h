/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TYPED_SENDER_H
#define LAM_TYPED_SENDER_H

/*
 * lamina/typed/sender.h: the end of a channel that sends values.
 *
 * Typed, layer 2. The codec writes a value straight into the claimed message: its bound is claimed,
 * its real size committed. It never buffers, and copies nothing but the value itself; only values
 * that may not fit half the ring are encoded into the scratch memory that the caller gave.
 *
 * All calls from one thread at a time. None allocates once attached; none makes a system call,
 * except to wait, or to wake a receiver that sleeps.
 */

#include "lamina/codecs/codec.h"
#include "lamina/codecs/copy.h"
#include "lamina/framed/sender.h"
#include "lamina/typed/envelope.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_typed_sender_options {
    struct lam_framed_sender_options framed; /* its message_bytes_max bounds values in frames */
    /*
     * Where values are encoded whose bound is above half the ring; 16-byte aligned, kept until
     * detach. NULL: such values are refused.
     */
    void *scratch;
    size_t scratch_bytes;
};

struct lam_typed_sender {
    /* Fields are private. */
    const struct lam_codec *codec;
    struct lam_framed_sender framed;
    void *scratch;
    size_t scratch_bytes;
};

/*
 * Become the sender of the channel @ring. @ring and @codec are kept until
 * lam_typed_sender_detach(). @options may be NULL.
 *
 * Returns as lam_framed_sender_attach() and lam_typed_channel_check(), or
 *   -EINVAL the scratch memory is not 16-byte aligned
 */
int lam_typed_sender_attach(struct lam_typed_sender *sender, struct lam_ring *ring,
    const struct lam_codec *codec, const struct lam_typed_sender_options *options,
    struct lam_error *error);

/* Close the channel in order. */
void lam_typed_sender_close(struct lam_typed_sender *sender);

/* Give the end back. Without a close before, receivers see a sender that died. */
void lam_typed_sender_detach(struct lam_typed_sender *sender);

/* Wait until at least @count receivers have joined. As lam_ring_producer_wait_consumers_until(). */
int lam_typed_sender_wait_receivers_until(
    struct lam_typed_sender *sender, uint32_t count, uint64_t deadline_ns);

/* Who holds the sender back. As lam_ring_producer_blocker(). */
int lam_typed_sender_blocker(struct lam_typed_sender *sender, struct lam_ring_blocker *blocker);

/* The rare parts of a send. */
int lam_typed_sender_try_send_enveloped(struct lam_typed_sender *sender, const void *value,
    uint64_t bound_bytes, const struct lam_typed_envelope *envelope);
int lam_typed_sender_give_up(struct lam_typed_sender *sender, int error);

/*
 * Send *@value, without waiting. It is borrowed for the call. @envelope: kind and correlation, or
 * NULL for kind 0 and none. Wait-free, but for what the codec walks.
 *
 * Returns 1; 0 the ring is full (lam_typed_sender_blocker()); or
 *   -EINVAL   the codec can not encode this value (a required part is missing)
 *   -EMSGSIZE does not fit half the ring, or may not and there is no scratch for it; frames need
 *             lam_typed_sender_send_until()
 *   -EPIPE, -ENOTRECOVERABLE as lam_framed_sender_try_claim()
 * In all these cases nothing was sent.
 */
LAM_INLINE int lam_typed_sender_try_send(
    struct lam_typed_sender *sender, const void *value, const struct lam_typed_envelope *envelope)
{
    const struct lam_codec *codec = sender->codec;
    size_t bytes = codec->plain_bytes != 0 ? codec->plain_bytes : codec->bound(codec, value);
    void *payload;
    int rc;

    if (__builtin_expect(
            envelope != NULL || bytes > lam_framed_sender_claim_bytes_max(&sender->framed), 0))
        return lam_typed_sender_try_send_enveloped(sender, value, bytes, envelope);
    rc = lam_framed_sender_try_claim(&sender->framed, bytes, &payload);
    if (rc != 1)
        return rc;
    /* A plain struct makes no call: the calls' own stores would keep lines from being under way. */
    if (codec->plain_bytes != 0) {
        lam_codec_copy(payload, value, bytes);
    } else {
        rc = codec->encode(codec, value, payload, bytes, &bytes);
        if (__builtin_expect(rc != 0, 0))
            return lam_typed_sender_give_up(sender, rc);
    }
    lam_framed_sender_commit(&sender->framed, bytes, 0);
    return 1;
}

/*
 * The same, waiting until @deadline_ns (LAM_DEADLINE_NEVER: for ever), and in frames where the
 * value does not fit half the ring.
 *
 * Returns 0, or an error of lam_typed_sender_try_send(), or
 *   -EMSGSIZE  does not fit the scratch memory, or the sender's message_bytes_max
 *   -ETIMEDOUT not sent. Where some frames had left, receivers get -ECANCELED for the message
 */
int lam_typed_sender_send_until(struct lam_typed_sender *sender, const void *value,
    const struct lam_typed_envelope *envelope, uint64_t deadline_ns);

/* The way down to layer 1, borrowed until detach: for bytes of one's own, say. */
LAM_INLINE struct lam_framed_sender *lam_typed_sender_framed(struct lam_typed_sender *sender)
{
    return &sender->framed;
}

#ifdef __cplusplus
}
#endif

#endif
