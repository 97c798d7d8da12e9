/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_CALL_WIRE_H
#define LAM_FRAMED_SRC_CALL_WIRE_H

/*
 * wire.h: the bytes of a call, written and read. What is read came from another process: each word
 * is loaded once, and what cannot be is refused.
 */

#include <string.h>

#include "lamina/base/prefetch.h"
#include "lamina/framed/call_message.h"
#include "lamina/framed/receiver.h"
#include "lamina/framed/sender.h"

/* A call's message, its words loaded. */
struct call {
    struct lam_framed_correlation correlation;
    const void *payload;
    uint64_t payload_bytes;
    uint64_t word;
    enum lam_call_type type;
    uint16_t kind;
};

/* Load and check. Returns 1, or 0: no bytes that a caller or a responder writes. */
static inline int call_load(const struct lam_framed_message *message, struct call *call)
{
    const struct lam_call_header *header = (const struct lam_call_header *)message->payload;
    const lam_atomic_u64 *correlation = (const lam_atomic_u64 *)(const void *)message->correlation;
    uint64_t type;

    if (correlation == NULL || message->payload_bytes < LAM_CALL_HEADER_BYTES)
        return 0;
    /* Relaxed, all four: the stamp was loaded with acquire before (A1 of the ring). */
    call->correlation.id = lam_load_relaxed(&correlation[0]);
    call->correlation.scope = lam_load_relaxed(&correlation[1]);
    call->word = lam_load_relaxed(&header->word);
    type = lam_load_relaxed(&header->type);
    if (type < LAM_CALL_REQUEST || type > LAM_CALL_CANCEL)
        return 0;
    call->type = (enum lam_call_type)type;
    call->payload = header + 1;
    call->payload_bytes = message->payload_bytes - LAM_CALL_HEADER_BYTES;
    call->kind = message->kind;
    return 1;
}

/*
 * What the end @rc of a receive means.
 *
 * Returns 1 one message was lost, and the channel goes on: *@correlation is its, or 0
 * where it is not known; 0 the channel has ended by @rc
 */
int call_lost_one(
    const struct lam_framed_receiver *receiver, int rc, struct lam_framed_correlation *correlation);

/*
 * Receive as lam_framed_receiver_try_receive(), by a short way for what calls nearly always are: in
 * place, with a correlation and nothing else.
 */
LAM_INLINE int call_try_receive(
    struct lam_framed_receiver *receiver, struct lam_framed_message *message)
{
    struct lam_event event = {NULL, 0, 0, 0, 0, 0};
    int rc;

    if (__builtin_expect(receiver->state != 0, 0))
        return lam_framed_receiver_rarely(receiver, NULL, message);
    rc = lam_ring_consumer_try_peek(&receiver->consumer, &event);
    if (rc != 1)
        return rc;
    if (__builtin_expect(!lam_framed_receiver_is_correlated(&event), 0))
        return lam_framed_receiver_rarely(receiver, &event, message);
    lam_framed_receiver_lend_correlated(&event, message);
    return 1;
}

/* An answer goes out by @sender soon: its line may come while the request is looked at. */
LAM_INLINE void call_expect_claim(const struct lam_framed_sender *sender)
{
    lam_prefetch_write(lam_ring_producer_cell(&sender->producer, sender->producer.next));
}

/* Where the claim in hand of @sender begins. */
LAM_INLINE uint8_t *call_claimed(const struct lam_framed_sender *sender)
{
    return (uint8_t *)(lam_ring_producer_cell(&sender->producer, sender->producer.next) + 1);
}

/* Write the header of the claim in hand and publish, with @payload_bytes behind it. */
LAM_INLINE void call_commit(struct lam_framed_sender *sender, uint64_t payload_bytes, uint16_t kind,
    enum lam_call_type type, uint64_t word)
{
    struct lam_call_header *header =
        (struct lam_call_header *)(void *)(call_claimed(sender) + sender->extension_bytes);

    LAM_ASSERT(kind < LAM_EVENT_KIND_RESERVED || kind >= LAM_FRAMED_KIND_END);
    /* Relaxed, both: the stamp that is stored last carries them (R1 of the ring). */
    lam_store_relaxed(&header->word, word);
    lam_store_relaxed(&header->type, (uint64_t)type);
    if (__builtin_expect(sender->extension_flags != LAM_EVENT_CORRELATION, 0)) {
        lam_framed_sender_commit_extended(sender, payload_bytes + LAM_CALL_HEADER_BYTES, kind);
        return;
    }
    sender->extension_flags = 0;
    lam_ring_producer_commit(
        &sender->producer, payload_bytes + LAM_CALL_OVERHEAD_BYTES, kind, LAM_EVENT_CORRELATION);
}

/* Claim for a call's message with @payload_bytes behind its header: *@payload. As the sender's. */
LAM_INLINE int call_try_claim(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, uint64_t payload_bytes, void **payload)
{
    int rc;

    if (payload_bytes > lam_framed_sender_claim_bytes_max(sender))
        return -EMSGSIZE;
    if (__builtin_expect(sender->extensions != 0, 0)) {
        rc = lam_framed_sender_try_claim_correlated(
            sender, payload_bytes + LAM_CALL_HEADER_BYTES, correlation, payload);
        if (rc == 1)
            *payload = (uint8_t *)*payload + LAM_CALL_HEADER_BYTES;
        return rc;
    }
    LAM_ASSERT(sender->stream.bytes_total == 0);
    rc = lam_ring_producer_try_claim(
        &sender->producer, payload_bytes + LAM_CALL_OVERHEAD_BYTES, payload);
    if (rc != 1)
        return rc;
    lam_framed_sender_extend(sender, correlation, LAM_EVENT_CORRELATION, payload);
    *payload = (uint8_t *)*payload + LAM_CALL_HEADER_BYTES;
    return 1;
}

LAM_INLINE int call_claim_until(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, uint64_t payload_bytes, uint64_t deadline_ns,
    void **payload)
{
    int rc = call_try_claim(sender, correlation, payload_bytes, payload);

    if (rc != 0)
        return rc == 1 ? 0 : rc;
    rc = lam_framed_sender_claim_correlated_until(
        sender, payload_bytes + LAM_CALL_HEADER_BYTES, correlation, deadline_ns, payload);
    if (rc == 0)
        *payload = (uint8_t *)*payload + LAM_CALL_HEADER_BYTES;
    return rc;
}

/* A call that is to be sent, of bytes that lie elsewhere. */
struct call_out {
    const struct iovec *parts; /* of the application */
    uint32_t part_count;
    uint16_t kind;
    enum lam_call_type type;
    uint64_t word;
};

/* What a message of a call is sent from, where its bytes lie elsewhere. */
struct call_parts {
    uint64_t header[LAM_CALL_HEADER_BYTES / 8];
    struct iovec parts[1 + LAM_CALL_PART_COUNT_MAX];
    uint32_t count;
};

/* @type: an enum lam_call_type, or LAM_ENDPOINT_CALL_AGAIN. */
static inline void call_gather(struct call_parts *all, const struct iovec *parts,
    uint32_t part_count, uint64_t type, uint64_t word)
{
    LAM_ASSERT(part_count <= LAM_CALL_PART_COUNT_MAX);
    all->header[0] = word;
    all->header[1] = type;
    all->parts[0] = (struct iovec){all->header, sizeof(all->header)};
    if (part_count != 0)
        memcpy(&all->parts[1], parts, part_count * sizeof(*parts));
    all->count = 1 + part_count;
}

/*
 * Send in place, where @sender has room for it now. Returns 1; or 0: it is for the long way to
 * wait, to cut it into frames or to say what is wrong.
 */
int call_send_quickly(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, const struct call_out *out);

/* As lam_framed_sender_try_send() and lam_framed_sender_send_until(), in place where it can. */
int call_try_send(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, const struct call_out *out);
int call_send_until(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, const struct call_out *out,
    uint64_t deadline_ns);

/* A scope that no caller had before: @number and a word that differs from attach to attach. */
uint64_t call_new_scope(const struct lam_framed_sender *sender, uint32_t number);

/* A scope's number: where replies go. */
static inline uint32_t call_number(uint64_t scope)
{
    return (uint32_t)(scope >> 32);
}

#endif
