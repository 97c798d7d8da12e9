/* SPDX-License-Identifier: Apache-2.0 */
/* One of many senders: its ends of life, and the messages that fit half the ring. */
#include "lamina/framed/many.h"

#include <errno.h>
#include <string.h>

#include "many.h"
#include "outgoing.h"

int lam_framed_many_attach(struct lam_framed_many *sender, struct lam_ring *ring,
    const struct lam_framed_many_options *options, struct lam_error *error)
{
    static const struct lam_framed_many_options defaults = {.message_bytes_max = 0};
    int rc;

    LAM_ASSERT(sender != NULL && ring != NULL);
    memset(sender, 0, sizeof(*sender));
    sender->producer.lock.fd = -1; /* a detach after a refusal below does nothing */
    if (options == NULL)
        options = &defaults;
    rc = lam_outgoing_check(options->message_bytes_max, options->extensions, error);
    if (rc == 0)
        rc = lam_ring_many_attach(&sender->producer, ring, &options->producer, error);
    if (rc != 0)
        return rc;
    sender->stream.message_bytes_max = options->message_bytes_max;
    sender->stream.frame_bytes_max = lam_outgoing_frame_bytes_max(ring);
    sender->stream.sender =
        (sender->producer.index + 1) | lam_ring_many_generation(&sender->producer) << 8;
    sender->extensions = options->extensions;
    return 0;
}

void lam_framed_many_close(struct lam_framed_many *sender)
{
    if (lam_framed_many_is_streaming(sender))
        lam_framed_many_cancel_stream(sender);
    (void)lam_many_pay_cut(sender);
    lam_ring_many_close(&sender->producer);
}

void lam_framed_many_detach(struct lam_framed_many *sender)
{
    lam_ring_many_detach(&sender->producer);
}

static uint16_t flags_of(
    const struct lam_framed_many *sender, const struct lam_framed_correlation *correlation)
{
    return (uint16_t)(sender->extensions | (correlation != NULL ? LAM_EVENT_CORRELATION : 0));
}

static void extend(struct lam_framed_many *sender, const struct lam_framed_correlation *correlation,
    void **payload)
{
    uint16_t flags = flags_of(sender, correlation);

    if (correlation != NULL)
        memcpy(*payload, correlation, sizeof(*correlation));
    *payload = (uint8_t *)*payload + lam_event_extension_bytes(flags);
    sender->extension_flags = flags;
}

/* The event's bytes. Returns 0, or -EMSGSIZE. */
static int event_bytes(const struct lam_framed_many *sender, uint64_t payload_bytes,
    const struct lam_framed_correlation *correlation, uint64_t *bytes)
{
    if (payload_bytes > sender->producer.payload_bytes_max)
        return -EMSGSIZE;
    *bytes = payload_bytes + lam_event_extension_bytes(flags_of(sender, correlation));
    return 0;
}

int lam_framed_many_try_claim(struct lam_framed_many *sender, uint64_t payload_bytes,
    const struct lam_framed_correlation *correlation, void **payload)
{
    uint64_t bytes;
    int rc = event_bytes(sender, payload_bytes, correlation, &bytes);

    LAM_ASSERT(!lam_framed_many_is_streaming(sender));
    if (rc == 0)
        rc = lam_many_pay_cut(sender);
    if (rc == 1)
        rc = lam_ring_many_try_claim(&sender->producer, bytes, payload);
    if (rc == 1)
        extend(sender, correlation, payload);
    return rc;
}

int lam_framed_many_claim_until(struct lam_framed_many *sender, uint64_t payload_bytes,
    const struct lam_framed_correlation *correlation, uint64_t deadline_ns, void **payload)
{
    uint64_t bytes;
    int rc = event_bytes(sender, payload_bytes, correlation, &bytes);

    LAM_ASSERT(!lam_framed_many_is_streaming(sender));
    if (rc == 0)
        rc = lam_many_pay_cut_until(sender, deadline_ns);
    if (rc == 0)
        rc = lam_ring_many_claim_until(&sender->producer, bytes, deadline_ns, payload);
    if (rc == 0)
        extend(sender, correlation, payload);
    return rc;
}

void lam_framed_many_commit(struct lam_framed_many *sender, uint64_t payload_bytes, uint16_t kind)
{
    struct lam_ring_many_producer *producer = &sender->producer;
    uint16_t flags = (uint16_t)sender->extension_flags;
    uint64_t bytes = payload_bytes + lam_event_extension_bytes(flags);

    LAM_ASSERT(kind < LAM_EVENT_KIND_RESERVED || kind >= LAM_FRAMED_KIND_END);
    LAM_ASSERT(lam_ring_many_cell_count(producer, bytes) <= producer->claimed);
    if (flags != 0)
        lam_extensions_write(lam_many_claim_at(sender), bytes, kind, flags, NULL);
    lam_ring_many_commit(producer, bytes, kind, flags);
}

void lam_framed_many_abort(struct lam_framed_many *sender)
{
    LAM_ASSERT(!lam_framed_many_is_streaming(sender));
    lam_ring_many_abort(&sender->producer);
}
