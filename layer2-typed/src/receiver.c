/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "lamina/typed/channel.h"
#include "lamina/typed/receiver.h"

int lam_typed_receiver_check_policy(const struct lam_framed_receiver_options *options,
    const struct lam_ring *ring, struct lam_error *error)
{
    if (options->consumer.policy == LAM_RING_GATE)
        return 0;
    return lam_error_set(error, -EINVAL,
        "the receiver on %s asks to be %s, and messages are read where they lie: "
        "gate, or read events by lamina/ring/lossy.h",
        ring->name, options->consumer.policy == LAM_RING_LOSSY ? "lossy" : "evicted after a while");
}

int lam_typed_receiver_attach(struct lam_typed_receiver *receiver, struct lam_ring *ring,
    const struct lam_codec *codec, const struct lam_typed_receiver_options *options,
    struct lam_error *error)
{
    int rc = lam_typed_channel_check(ring, codec, error);

    if (rc == 0 && options != NULL)
        rc = lam_typed_receiver_check_policy(&options->framed, ring, error);
    if (rc != 0)
        return rc;
    if (options != NULL && (uintptr_t)options->copy % LAM_TYPED_PAYLOAD_ALIGN != 0)
        return lam_error_set(error, -EINVAL,
            "the copy memory of the receiver on %s is not %d-byte"
            " aligned",
            ring->name, LAM_TYPED_PAYLOAD_ALIGN);
    receiver->codec = codec;
    receiver->is_pending = 0;
    receiver->copy = options != NULL ? options->copy : NULL;
    receiver->copy_bytes = receiver->copy != NULL ? options->copy_bytes : 0;
    receiver->reason.text[0] = '\0';
    return lam_framed_receiver_attach(
        &receiver->framed, ring, options != NULL ? &options->framed : NULL, error);
}

void lam_typed_receiver_detach(struct lam_typed_receiver *receiver)
{
    lam_framed_receiver_detach(&receiver->framed);
}

int lam_typed_receiver_proceed(struct lam_typed_receiver *receiver, void *value,
    struct lam_arena *arena, struct lam_typed_envelope *envelope)
{
    LAM_ASSERT(receiver->is_pending);
    receiver->is_pending = 0;
    return lam_typed_receiver_take(receiver, &receiver->pending, value, arena, envelope);
}

int lam_typed_receiver_decode_copy(struct lam_typed_receiver *receiver,
    const struct lam_framed_message *message, void *value, struct lam_arena *arena)
{
    LAM_ASSERT(message->payload != NULL); /* an empty one has an address too */
    if (message->payload_bytes > receiver->copy_bytes)
        return -EMSGSIZE;
    memcpy(receiver->copy, message->payload, message->payload_bytes);
    return receiver->codec->decode(
        receiver->codec, receiver->copy, message->payload_bytes, value, arena);
}

/* Ask the codec why it refused @message: once more over the same bytes, on the rare path. */
static void note_reason(
    struct lam_typed_receiver *receiver, const struct lam_framed_message *message)
{
    const struct lam_codec *codec = receiver->codec;
    const void *bytes = receiver->copy != NULL ? receiver->copy : message->payload;

    if (codec->verify(codec, bytes, message->payload_bytes, &receiver->reason) == 0)
        (void)lam_error_set(&receiver->reason, -EBADMSG, "refused by its decoder alone");
    (void)lam_error_prefix(&receiver->reason, -EBADMSG,
        "message %" PRIu64 " is no %s: ", message->id, codec->type_name);
}

int lam_typed_receiver_refuse(
    struct lam_typed_receiver *receiver, const struct lam_framed_message *message, int error)
{
    if (error == -ENOSPC) {
        /* @message may be pending itself: then this is the same bytes again. */
        receiver->pending = *message;
        receiver->is_pending = 1;
        return error;
    }
    if (error == -EBADMSG)
        note_reason(receiver, message);
    lam_framed_receiver_release(&receiver->framed, message);
    return error;
}

int lam_typed_receiver_receive_until(struct lam_typed_receiver *receiver, uint64_t deadline_ns,
    void *value, struct lam_arena *arena, struct lam_typed_envelope *envelope)
{
    struct lam_framed_message message;
    int rc;

    if (receiver->is_pending) {
        rc = lam_typed_receiver_proceed(receiver, value, arena, envelope);
        return rc == 1 ? 0 : rc;
    }
    rc = lam_framed_receiver_receive_until(&receiver->framed, deadline_ns, &message);
    if (rc != 0)
        return rc;
    rc = lam_typed_receiver_take(receiver, &message, value, arena, envelope);
    return rc == 1 ? 0 : rc;
}

int lam_typed_receiver_skip(struct lam_typed_receiver *receiver)
{
    if (!receiver->is_pending)
        return 0;
    receiver->is_pending = 0;
    lam_framed_receiver_release(&receiver->framed, &receiver->pending);
    return 1;
}
