/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SENDER_H
#define LAM_FRAMED_SENDER_H

/*
 * lamina/framed/sender.h: the end of a channel that sends messages.
 *
 * Framed, layer 1. Claim room, write the message where it will be read, commit; or send bytes that
 * lie elsewhere. It adds nothing to a message that fits half the ring: no copy, no word in shared
 * memory. Longer messages go out as frames: lam_framed_sender_send_until(), or piece by piece
 * (lamina/framed/stream.h).
 *
 * All calls from one thread at a time. The inline ones make no system call, except to wake a
 * receiver that sleeps, and nothing here allocates once attached.
 */

#include <errno.h>
#include <sys/uio.h>

#include "lamina/framed/message.h"
#include "lamina/ring/event_crc.h"
#include "lamina/ring/producer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_framed_sender_options {
    struct lam_ring_producer_options producer;
    /*
     * The longest message of frames; 0, or less than half the ring: no frames are sent. What fits
     * half the ring is not bounded by it.
     */
    uint64_t message_bytes_max;
    /*
     * LAM_EVENT_TIMESTAMP, LAM_EVENT_CRC32C, both or 0: what every message carries that is sent by
     * try_send, send_until, a stream or a correlated claim. Plain claims and batches carry nothing;
     * extended ones what each asks for.
     */
    uint16_t extensions;
};

/* A message of frames that is on its way. Private. */
struct lam_framed_outgoing {
    uint64_t bytes_total; /* 0 while there is none */
    uint64_t bytes_sent;
    uint64_t id;
    uint64_t piece_bytes; /* of the piece that is claimed; 0 none */
    uint64_t message_bytes_max;
    uint64_t frame_bytes_max; /* of a frame's event, its extensions counted; 0 no frames here */
    uint32_t sender;          /* as in a frame's header */
    uint16_t kind;
    uint16_t flags; /* extensions */
    struct lam_framed_correlation correlation;
};

struct lam_framed_sender {
    /* Fields are private. */
    struct lam_ring_producer producer;
    uint32_t extension_flags; /* of the claim in hand; 0 while there is none */
    uint32_t extension_bytes;
    struct lam_framed_outgoing stream;
    uint32_t extensions; /* of the options */
};

/*
 * Become the sender of the channel @ring, which is kept until lam_framed_sender_detach(). @options
 * may be NULL.
 *
 * Returns as lam_ring_producer_attach(), or
 *   -EINVAL message_bytes_max is above LAM_FRAMED_MESSAGE_BYTES_MAX, or extensions have other flags
 */
int lam_framed_sender_attach(struct lam_framed_sender *sender, struct lam_ring *ring,
    const struct lam_framed_sender_options *options, struct lam_error *error);

/* Close the channel in order. A claim is aborted, an open stream is cancelled. */
void lam_framed_sender_close(struct lam_framed_sender *sender);

/* Give the end back. Without a close before, receivers see a sender that died. */
void lam_framed_sender_detach(struct lam_framed_sender *sender);

/* Wait until at least @count receivers have joined. As lam_ring_producer_wait_consumers_until(). */
int lam_framed_sender_wait_receivers_until(
    struct lam_framed_sender *sender, uint32_t count, uint64_t deadline_ns);

/* Who holds the sender back. As lam_ring_producer_blocker(). */
int lam_framed_sender_blocker(struct lam_framed_sender *sender, struct lam_ring_blocker *blocker);

/* The longest message in place: what a claim can be given. 16 bytes less for each extension. */
LAM_INLINE uint64_t lam_framed_sender_claim_bytes_max(const struct lam_framed_sender *sender)
{
    return sender->producer.payload_bytes_max;
}

/* The id that the claim in hand will have, or else the next message. Not inside a batch. */
LAM_INLINE uint64_t lam_framed_sender_next_id(const struct lam_framed_sender *sender)
{
    return sender->producer.next;
}

/*
 * Claim room for one message of up to @payload_bytes, without waiting.
 *
 * *@payload is borrowed until commit or abort: contiguous, 16-byte aligned, with old bytes in it.
 * At most one claim at a time, and none while a stream is open. Progress as
 * lam_ring_producer_try_claim().
 *
 * Returns 1; 0 the ring is full (lam_framed_sender_blocker()); or
 *   -EMSGSIZE        larger than lam_framed_sender_claim_bytes_max()
 *   -EPIPE           this sender has closed the channel
 *   -ENOTRECOVERABLE a receiver found the data impossible: the channel is poisoned
 */
LAM_INLINE int lam_framed_sender_try_claim(
    struct lam_framed_sender *sender, uint64_t payload_bytes, void **payload)
{
    LAM_ASSERT(sender->stream.bytes_total == 0);
    return lam_ring_producer_try_claim(&sender->producer, payload_bytes, payload);
}

/*
 * The same, waiting until @deadline_ns (LAM_DEADLINE_NEVER: for ever).
 *
 * Returns 0, or an error of lam_framed_sender_try_claim(), or
 *   -ETIMEDOUT still full; lam_framed_sender_blocker() says who and for how long
 */
int lam_framed_sender_claim_until(
    struct lam_framed_sender *sender, uint64_t payload_bytes, uint64_t deadline_ns, void **payload);

/* What a claim with extensions is to its commit; lends what is behind them. */
LAM_INLINE void lam_framed_sender_extend(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, uint16_t flags, void **payload)
{
    lam_atomic_u64 *words = (lam_atomic_u64 *)*payload;

    /*
     * Relaxed: R1 of the commit carries them. One by one, as the caller has just written them: a
     * load of both would wait for those stores, and so for all that were made to the ring before.
     */
    if (correlation != NULL) {
        lam_store_relaxed(&words[0], correlation->id);
        lam_store_relaxed(&words[1], correlation->scope);
    }
    sender->extension_bytes = lam_event_extension_bytes(flags);
    sender->extension_flags = flags;
    *payload = (uint8_t *)*payload + sender->extension_bytes;
}

/*
 * Claim for a message with extensions: *@correlation, which is copied, unless it is NULL; and of
 * @extensions, LAM_EVENT_TIMESTAMP, the time of its commit, about 27 ns, and LAM_EVENT_CRC32C, of
 * all that is committed, for which the commit reads it again. Otherwise as
 * lam_framed_sender_try_claim() and lam_framed_sender_claim_until().
 */
LAM_INLINE int lam_framed_sender_try_claim_extended(struct lam_framed_sender *sender,
    uint64_t payload_bytes, const struct lam_framed_correlation *correlation, uint16_t extensions,
    void **payload)
{
    uint16_t flags = (uint16_t)(extensions | (correlation != NULL ? LAM_EVENT_CORRELATION : 0));
    int rc;

    LAM_ASSERT((extensions & ~(LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C)) == 0);
    LAM_ASSERT(sender->stream.bytes_total == 0);
    if (__builtin_expect(payload_bytes > sender->producer.payload_bytes_max, 0))
        return -EMSGSIZE;
    rc = lam_ring_producer_try_claim(
        &sender->producer, payload_bytes + lam_event_extension_bytes(flags), payload);
    if (rc == 1)
        lam_framed_sender_extend(sender, correlation, flags, payload);
    return rc;
}
int lam_framed_sender_claim_extended_until(struct lam_framed_sender *sender, uint64_t payload_bytes,
    const struct lam_framed_correlation *correlation, uint16_t extensions, uint64_t deadline_ns,
    void **payload);

/* The same with the extensions of the sender's options. */
LAM_INLINE int lam_framed_sender_try_claim_correlated(struct lam_framed_sender *sender,
    uint64_t payload_bytes, const struct lam_framed_correlation *correlation, void **payload)
{
    LAM_ASSERT(correlation != NULL);
    return lam_framed_sender_try_claim_extended(
        sender, payload_bytes, correlation, (uint16_t)sender->extensions, payload);
}
int lam_framed_sender_claim_correlated_until(struct lam_framed_sender *sender,
    uint64_t payload_bytes, const struct lam_framed_correlation *correlation, uint64_t deadline_ns,
    void **payload);

/* The rare part of a commit: of a message with extensions. */
void lam_framed_sender_commit_extended(
    struct lam_framed_sender *sender, uint64_t payload_bytes, uint16_t kind);

/*
 * Publish the claimed message, with @payload_bytes of it written: no more than were claimed, and 0
 * is a message too. @kind is the application's, below LAM_EVENT_KIND_RESERVED; the layers above
 * may use kinds from LAM_FRAMED_KIND_END on. Wait-free; one system call if a receiver sleeps.
 */
LAM_INLINE void lam_framed_sender_commit(
    struct lam_framed_sender *sender, uint64_t payload_bytes, uint16_t kind)
{
    LAM_ASSERT(kind < LAM_EVENT_KIND_RESERVED || kind >= LAM_FRAMED_KIND_END);
    /* A branch that is foretold, not a sum that the commit would wait for. */
    if (__builtin_expect(sender->extension_flags == 0, 1))
        lam_ring_producer_commit(&sender->producer, payload_bytes, kind, 0);
    else
        lam_framed_sender_commit_extended(sender, payload_bytes, kind);
}

/* Give a claim back, of one message or of a batch; nothing becomes visible. Wait-free. */
LAM_INLINE void lam_framed_sender_abort(struct lam_framed_sender *sender)
{
    sender->extension_flags = 0;
    lam_ring_producer_abort(&sender->producer);
}

/*
 * Send the bytes that @parts point to, one after another, as one message, without waiting: they
 * are copied once, straight into the ring. @correlation may be NULL.
 *
 * The extensions are those of the sender's options. Returns as lam_framed_sender_try_claim();
 * -EMSGSIZE: does not fit half the ring. Only
 * lam_framed_sender_send_until() and lamina/framed/stream.h send in frames.
 */
int lam_framed_sender_try_send(struct lam_framed_sender *sender, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, const struct lam_framed_correlation *correlation);

/*
 * The same, waiting until @deadline_ns, and in frames where the message does not fit half the ring.
 *
 * Returns 0, or an error of lam_framed_sender_try_claim(), or
 *   -EMSGSIZE  larger than half the ring and than the sender's message_bytes_max
 *   -ETIMEDOUT not sent. Where some frames had left, receivers get -ECANCELED for the message
 */
int lam_framed_sender_send_until(struct lam_framed_sender *sender, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, const struct lam_framed_correlation *correlation,
    uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
