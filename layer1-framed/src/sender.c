/* SPDX-License-Identifier: Apache-2.0 */
/* The sender's ends of life, and the calls that wait. */
#include "lamina/framed/sender.h"

#include <errno.h>
#include <string.h>

#include "lamina/framed/stream.h"

#include "outgoing.h"

int lam_framed_sender_attach(struct lam_framed_sender *sender, struct lam_ring *ring,
    const struct lam_framed_sender_options *options, struct lam_error *error)
{
    LAM_ASSERT(sender != NULL && ring != NULL);
    memset(sender, 0, sizeof(*sender));
    sender->producer.lock.fd = -1; /* a detach after a refusal below does nothing */
    if (options != NULL) {
        int rc = lam_outgoing_check(options->message_bytes_max, options->extensions, error);

        if (rc != 0)
            return rc;
    }
    if (options != NULL) {
        sender->stream.message_bytes_max = options->message_bytes_max;
        sender->extensions = options->extensions;
    }
    sender->stream.frame_bytes_max = lam_outgoing_frame_bytes_max(ring);
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
    LAM_ASSERT(sender->stream.bytes_total == 0);
    return lam_ring_producer_claim_until(&sender->producer, payload_bytes, deadline_ns, payload);
}

int lam_framed_sender_claim_extended_until(struct lam_framed_sender *sender, uint64_t payload_bytes,
    const struct lam_framed_correlation *correlation, uint16_t extensions, uint64_t deadline_ns,
    void **payload)
{
    uint16_t flags = (uint16_t)(extensions | (correlation != NULL ? LAM_EVENT_CORRELATION : 0));
    int rc;

    LAM_ASSERT((extensions & ~FLAGS_OF_CHOICE) == 0);
    LAM_ASSERT(sender->stream.bytes_total == 0);
    if (payload_bytes > sender->producer.payload_bytes_max)
        return -EMSGSIZE;
    rc = lam_ring_producer_claim_until(
        &sender->producer, payload_bytes + lam_event_extension_bytes(flags), deadline_ns, payload);
    if (rc == 0)
        lam_framed_sender_extend(sender, correlation, flags, payload);
    return rc;
}

int lam_framed_sender_claim_correlated_until(struct lam_framed_sender *sender,
    uint64_t payload_bytes, const struct lam_framed_correlation *correlation, uint64_t deadline_ns,
    void **payload)
{
    LAM_ASSERT(correlation != NULL);
    return lam_framed_sender_claim_extended_until(
        sender, payload_bytes, correlation, (uint16_t)sender->extensions, deadline_ns, payload);
}

void lam_framed_sender_commit_extended(
    struct lam_framed_sender *sender, uint64_t payload_bytes, uint16_t kind)
{
    struct lam_ring_producer *producer = &sender->producer;
    uint8_t *event = (uint8_t *)(lam_ring_producer_cell(producer, producer->next) + 1);
    uint64_t event_bytes = payload_bytes + sender->extension_bytes;
    uint16_t flags = (uint16_t)sender->extension_flags;

    /* Before the checksum reads them: commit() would find out too late. */
    LAM_ASSERT(lam_ring_producer_cell_count(producer, event_bytes) <=
               producer->claimed_end - producer->next);
    if ((flags & FLAGS_OF_CHOICE) != 0)
        lam_extensions_write(event, event_bytes, kind, flags, NULL);
    lam_ring_producer_commit(producer, event_bytes, kind, flags);
    sender->extension_flags = 0;
}
