/* SPDX-License-Identifier: Apache-2.0 */
/* The sender's ends of life, and the calls that wait. */
#include "lamina/framed/sender.h"

#include <errno.h>
#include <string.h>

#include "lamina/framed/stream.h"

/* A frame holds its own header and something of the message, also behind a correlation. */
#define FRAME_BYTES_MIN 128

/*
 * A quarter of the ring: the sender writes one frame while receivers copy another out. One more
 * cell is claimed with each and not used, so that a cut can be published whenever a stream is open.
 */
static uint64_t frame_bytes_max(const struct lam_ring *ring)
{
    uint64_t cell_bytes = UINT64_C(1) << ring->cell_shift;
    uint64_t quarter_bytes = ring->depth / 4 * cell_bytes;
    uint64_t bytes_max = lam_ring_payload_bytes_max(ring) - cell_bytes;

    if (quarter_bytes < FRAME_BYTES_MIN)
        return 0;
    quarter_bytes -= LAM_EVENT_HEADER_BYTES;
    /* Of a very large ring: an event's length is 32 bits. */
    return quarter_bytes < bytes_max ? quarter_bytes : bytes_max;
}

int lam_framed_sender_attach(struct lam_framed_sender *sender, struct lam_ring *ring,
    const struct lam_framed_sender_options *options, struct lam_error *error)
{
    LAM_ASSERT(sender != NULL && ring != NULL);
    memset(sender, 0, sizeof(*sender));
    sender->producer.lock.fd = -1; /* a detach after a refusal below does nothing */
    if (options != NULL && options->message_bytes_max > LAM_FRAMED_MESSAGE_BYTES_MAX)
        return lam_error_set(error, -EINVAL, "message_bytes_max is %llu: at most %llu",
            (unsigned long long)options->message_bytes_max,
            (unsigned long long)LAM_FRAMED_MESSAGE_BYTES_MAX);
    if (options != NULL)
        sender->message_bytes_max = options->message_bytes_max;
    sender->frame_bytes_max = frame_bytes_max(ring);
    return lam_ring_producer_attach(
        &sender->producer, ring, options != NULL ? &options->producer : NULL, error);
}

void lam_framed_sender_close(struct lam_framed_sender *sender)
{
    if (lam_framed_sender_is_streaming(sender))
        lam_framed_sender_cancel_stream(sender);
    lam_ring_producer_close(&sender->producer);
}

void lam_framed_sender_detach(struct lam_framed_sender *sender)
{
    lam_ring_producer_detach(&sender->producer);
}

int lam_framed_sender_wait_receivers_until(
    struct lam_framed_sender *sender, uint32_t count, uint64_t deadline_ns)
{
    return lam_ring_producer_wait_consumers_until(&sender->producer, count, deadline_ns);
}

int lam_framed_sender_blocker(struct lam_framed_sender *sender, struct lam_ring_blocker *blocker)
{
    return lam_ring_producer_blocker(&sender->producer, blocker);
}

int lam_framed_sender_claim_until(
    struct lam_framed_sender *sender, uint64_t payload_bytes, uint64_t deadline_ns, void **payload)
{
    LAM_ASSERT(sender->stream_bytes_total == 0);
    return lam_ring_producer_claim_until(&sender->producer, payload_bytes, deadline_ns, payload);
}

/* Write the extension where the claim begins, and lend what is behind it. */
static void correlate(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, void **payload)
{
    memcpy(*payload, correlation, sizeof(*correlation));
    *payload = (uint8_t *)*payload + LAM_FRAMED_EXTENSION_BYTES;
    sender->extension_bytes = LAM_FRAMED_EXTENSION_BYTES;
    sender->extension_flags = LAM_EVENT_CORRELATION;
}

int lam_framed_sender_try_claim_correlated(struct lam_framed_sender *sender, uint64_t payload_bytes,
    const struct lam_framed_correlation *correlation, void **payload)
{
    int rc;

    LAM_ASSERT(sender->stream_bytes_total == 0 && correlation != NULL);
    if (payload_bytes > sender->producer.payload_bytes_max)
        return -EMSGSIZE;
    rc = lam_ring_producer_try_claim(
        &sender->producer, payload_bytes + LAM_FRAMED_EXTENSION_BYTES, payload);
    if (rc == 1)
        correlate(sender, correlation, payload);
    return rc;
}

int lam_framed_sender_claim_correlated_until(struct lam_framed_sender *sender,
    uint64_t payload_bytes, const struct lam_framed_correlation *correlation, uint64_t deadline_ns,
    void **payload)
{
    int rc;

    LAM_ASSERT(sender->stream_bytes_total == 0 && correlation != NULL);
    if (payload_bytes > sender->producer.payload_bytes_max)
        return -EMSGSIZE;
    rc = lam_ring_producer_claim_until(
        &sender->producer, payload_bytes + LAM_FRAMED_EXTENSION_BYTES, deadline_ns, payload);
    if (rc == 0)
        correlate(sender, correlation, payload);
    return rc;
}

void lam_framed_sender_commit_extended(
    struct lam_framed_sender *sender, uint64_t payload_bytes, uint16_t kind)
{
    lam_ring_producer_commit(&sender->producer, payload_bytes + sender->extension_bytes, kind,
        (uint16_t)sender->extension_flags);
    sender->extension_flags = 0;
}
