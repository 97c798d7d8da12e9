/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "lamina/typed/channel.h"
#include "lamina/typed/receiver.h"
#include "lamina/zerocopy/receiver.h"

static int check_options(const struct lam_zerocopy_receiver_options *options,
    const struct lam_ring *ring, struct lam_error *error)
{
    int rc = lam_typed_receiver_check_policy(&options->framed, ring, error);

    if (rc != 0 || options->copy == NULL)
        return rc;
    if (((uintptr_t)options->copy | options->copy_bytes) % LAM_TYPED_PAYLOAD_ALIGN != 0)
        return lam_error_set(error, -EINVAL,
            "the copy memory of the receiver on %s (%p, %zu bytes) does not begin and end at a "
            "multiple of %d",
            ring->name, options->copy, options->copy_bytes, LAM_TYPED_PAYLOAD_ALIGN);
    if (options->check == LAM_ZEROCOPY_UNVERIFIED)
        return lam_error_set(error, -EINVAL,
            "the receiver on %s copies because it trusts nobody, and so it has to verify",
            ring->name);
    return 0;
}

int lam_zerocopy_receiver_attach(struct lam_zerocopy_receiver *receiver, struct lam_ring *ring,
    const struct lam_codec *codec, const struct lam_zerocopy_receiver_options *options,
    struct lam_error *error)
{
    int rc = lam_typed_channel_check(ring, codec, error);

    if (rc != 0)
        return rc;
    rc = options != NULL ? check_options(options, ring, error) : 0;
    if (rc != 0)
        return rc;
    receiver->codec = codec;
    receiver->verifies = options == NULL || options->check != LAM_ZEROCOPY_UNVERIFIED;
    receiver->copy = options != NULL ? options->copy : NULL;
    receiver->copy_bytes = receiver->copy != NULL ? options->copy_bytes : 0;
    receiver->copy_from = 0;
    receiver->copy_to = 0;
    receiver->is_pending = 0;
    receiver->reason.text[0] = '\0';
    lam_zerocopy_held_init(&receiver->held);
    return lam_framed_receiver_attach(
        &receiver->framed, ring, options != NULL ? &options->framed : NULL, error);
}

void lam_zerocopy_receiver_detach(struct lam_zerocopy_receiver *receiver)
{
    lam_framed_receiver_detach(&receiver->framed);
}

int lam_zerocopy_receiver_refuse(struct lam_zerocopy_receiver *receiver,
    const struct lam_framed_message *message, uint32_t place)
{
    uint64_t end;

    (void)lam_error_prefix(&receiver->reason, -EBADMSG,
        "message %" PRIu64 " is no %s: ", message->id, receiver->codec->type_name);
    if (lam_zerocopy_held_drop(&receiver->held, place, message->id, &end))
        lam_zerocopy_receiver_give_back(receiver, end);
    return -EBADMSG;
}

/*
 * Place @bytes in the copy memory, in one piece: where they do not fit before its end they go to
 * its start. Returns 1 and the position behind them in *@end, or 0: what is held leaves no room.
 */
static int place_copy(
    struct lam_zerocopy_receiver *receiver, uint64_t bytes, uint8_t **at, uint64_t *end)
{
    uint64_t room_bytes, offset;

    if (receiver->held.used == 0)
        receiver->copy_from = receiver->copy_to = 0;
    bytes = (bytes + LAM_TYPED_PAYLOAD_ALIGN - 1) & ~(uint64_t)(LAM_TYPED_PAYLOAD_ALIGN - 1);
    offset = receiver->copy_bytes != 0 ? receiver->copy_to % receiver->copy_bytes : 0;
    room_bytes = receiver->copy_bytes - (receiver->copy_to - receiver->copy_from);
    if (bytes > receiver->copy_bytes - offset) {
        bytes += receiver->copy_bytes - offset;
        offset = 0;
    }
    if (bytes > room_bytes)
        return 0;
    *at = receiver->copy + offset;
    *end = receiver->copy_to + bytes;
    return 1;
}

int lam_zerocopy_receiver_view_copy(struct lam_zerocopy_receiver *receiver,
    const struct lam_framed_message *message, struct lam_zerocopy_view *view)
{
    const struct lam_codec *codec = receiver->codec;
    uint8_t *at;
    uint64_t end;

    LAM_ASSERT(message->payload != NULL); /* an empty one has an address too */
    if (message->payload_bytes > receiver->copy_bytes) {
        lam_framed_receiver_release(&receiver->framed, message);
        return -EMSGSIZE;
    }
    if (!place_copy(receiver, message->payload_bytes, &at, &end)) {
        receiver->pending = *message;
        receiver->is_pending = 1;
        return -ENOBUFS;
    }
    memcpy(at, message->payload, message->payload_bytes);
    lam_typed_envelope_fill(&view->envelope, message);
    view->payload = at;
    view->payload_bytes = message->payload_bytes;
    lam_framed_receiver_release(&receiver->framed, message);

    receiver->copy_to = end;
    view->place = lam_zerocopy_held_add(&receiver->held, message->id, end);
    if (codec->verify(codec, at, view->payload_bytes, &receiver->reason) != 0)
        return lam_zerocopy_receiver_refuse(receiver, message, view->place);
    return 1;
}

int lam_zerocopy_receiver_proceed(
    struct lam_zerocopy_receiver *receiver, struct lam_zerocopy_view *view)
{
    struct lam_framed_message message = receiver->pending;

    LAM_ASSERT(receiver->is_pending);
    receiver->is_pending = 0;
    return lam_zerocopy_receiver_lend(receiver, &message, view);
}

int lam_zerocopy_receiver_view_until(
    struct lam_zerocopy_receiver *receiver, uint64_t deadline_ns, struct lam_zerocopy_view *view)
{
    struct lam_framed_message message;
    int rc;

    if (lam_zerocopy_held_is_full(&receiver->held))
        return -ENOBUFS;
    if (receiver->is_pending) {
        rc = lam_zerocopy_receiver_proceed(receiver, view);
        return rc == 1 ? 0 : rc;
    }
    rc = lam_framed_receiver_receive_until(&receiver->framed, deadline_ns, &message);
    if (rc != 0)
        return rc;
    rc = lam_zerocopy_receiver_lend(receiver, &message, view);
    return rc == 1 ? 0 : rc;
}
