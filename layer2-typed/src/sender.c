/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lamina/typed/channel.h"
#include "lamina/typed/sender.h"

int lam_typed_sender_attach(struct lam_typed_sender *sender, struct lam_ring *ring,
    const struct lam_codec *codec, const struct lam_typed_sender_options *options,
    struct lam_error *error)
{
    int rc = lam_typed_channel_check(ring, codec, error);

    if (rc != 0)
        return rc;
    if (options != NULL && (uintptr_t)options->scratch % LAM_TYPED_PAYLOAD_ALIGN != 0)
        return lam_error_set(error, -EINVAL,
            "the scratch memory of the sender on %s is not %d-byte"
            " aligned",
            ring->name, LAM_TYPED_PAYLOAD_ALIGN);
    sender->codec = codec;
    sender->scratch = options != NULL ? options->scratch : NULL;
    sender->scratch_bytes = sender->scratch != NULL ? options->scratch_bytes : 0;
    return lam_framed_sender_attach(
        &sender->framed, ring, options != NULL ? &options->framed : NULL, error);
}

void lam_typed_sender_close(struct lam_typed_sender *sender)
{
    lam_framed_sender_close(&sender->framed);
}

void lam_typed_sender_detach(struct lam_typed_sender *sender)
{
    lam_framed_sender_detach(&sender->framed);
}

int lam_typed_sender_wait_receivers_until(
    struct lam_typed_sender *sender, uint32_t count, uint64_t deadline_ns)
{
    return lam_framed_sender_wait_receivers_until(&sender->framed, count, deadline_ns);
}

int lam_typed_sender_blocker(struct lam_typed_sender *sender, struct lam_ring_blocker *blocker)
{
    return lam_framed_sender_blocker(&sender->framed, blocker);
}

int lam_typed_sender_give_up(struct lam_typed_sender *sender, int error)
{
    lam_framed_sender_abort(&sender->framed);
    return error;
}

static const struct lam_framed_correlation *correlation_of(
    const struct lam_typed_envelope *envelope)
{
    return envelope != NULL && envelope->is_correlated ? &envelope->correlation : NULL;
}

/* Whether a value of @bound_bytes surely fits a claim, where an extension may take room too. */
static int fits_a_claim(const struct lam_typed_sender *sender, uint64_t bound_bytes,
    const struct lam_framed_correlation *correlation)
{
    uint64_t extension_bytes = correlation != NULL ? LAM_FRAMED_EXTENSION_BYTES : 0;
    uint64_t most = lam_framed_sender_claim_bytes_max(&sender->framed);

    return most >= extension_bytes && bound_bytes <= most - extension_bytes;
}

/* Encode into the claim in hand, @bytes long, and publish it. Returns 0, or the codec's error. */
static int encode_and_commit(struct lam_typed_sender *sender, const void *value, void *payload,
    uint64_t bytes, uint16_t kind)
{
    size_t size;
    int rc = sender->codec->encode(sender->codec, value, payload, bytes, &size);

    if (rc != 0)
        return lam_typed_sender_give_up(sender, rc);
    lam_framed_sender_commit(&sender->framed, size, kind);
    return 0;
}

/* Encode into the scratch memory, for a value that may not fit a claim. Returns 0, or an error. */
static int encode_aside(struct lam_typed_sender *sender, const void *value, struct iovec *part)
{
    int rc;

    if (sender->scratch == NULL)
        return -EMSGSIZE;
    part->iov_base = sender->scratch;
    rc = sender->codec->encode(
        sender->codec, value, sender->scratch, sender->scratch_bytes, &part->iov_len);
    return rc == -ENOSPC ? -EMSGSIZE : rc;
}

int lam_typed_sender_try_send_enveloped(struct lam_typed_sender *sender, const void *value,
    uint64_t bound_bytes, const struct lam_typed_envelope *envelope)
{
    const struct lam_framed_correlation *correlation = correlation_of(envelope);
    uint16_t kind = envelope != NULL ? envelope->kind : 0;
    struct iovec part;
    void *payload;
    int rc;

    if (bound_bytes == SIZE_MAX)
        return -EINVAL;
    if (!fits_a_claim(sender, bound_bytes, correlation)) {
        rc = encode_aside(sender, value, &part);
        return rc != 0 ? rc
                       : lam_framed_sender_try_send(&sender->framed, &part, 1, kind, correlation);
    }
    rc = correlation != NULL ? lam_framed_sender_try_claim_correlated(
                                   &sender->framed, bound_bytes, correlation, &payload)
                             : lam_framed_sender_try_claim(&sender->framed, bound_bytes, &payload);
    if (rc != 1)
        return rc;
    rc = encode_and_commit(sender, value, payload, bound_bytes, kind);
    return rc != 0 ? rc : 1;
}

int lam_typed_sender_send_until(struct lam_typed_sender *sender, const void *value,
    const struct lam_typed_envelope *envelope, uint64_t deadline_ns)
{
    const struct lam_framed_correlation *correlation = correlation_of(envelope);
    uint16_t kind = envelope != NULL ? envelope->kind : 0;
    uint64_t bound_bytes = sender->codec->bound(sender->codec, value);
    struct iovec part;
    void *payload;
    int rc;

    if (bound_bytes == SIZE_MAX)
        return -EINVAL;
    if (!fits_a_claim(sender, bound_bytes, correlation)) {
        rc = encode_aside(sender, value, &part);
        return rc != 0 ? rc
                       : lam_framed_sender_send_until(
                             &sender->framed, &part, 1, kind, correlation, deadline_ns);
    }
    rc = correlation != NULL
             ? lam_framed_sender_claim_correlated_until(
                   &sender->framed, bound_bytes, correlation, deadline_ns, &payload)
             : lam_framed_sender_claim_until(&sender->framed, bound_bytes, deadline_ns, &payload);
    return rc != 0 ? rc : encode_and_commit(sender, value, payload, bound_bytes, kind);
}
