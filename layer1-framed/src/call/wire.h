/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_CALL_WIRE_H
#define LAM_FRAMED_SRC_CALL_WIRE_H

/*
 * wire.h: the bytes of a call, written and read. What is read came from another process: each word
 * is loaded once, and what cannot be is refused.
 */

#include <string.h>

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

/* The channel's bytes are impossible: say so to both ends. Returns -ENOTRECOVERABLE, or -ESTALE. */
int call_poison(struct lam_framed_receiver *receiver);

/*
 * What the end @rc of a receive means.
 *
 * Returns 1 one message of frames was lost, and the channel goes on: *@correlation is its, or 0
 * where it is not known; 0 the channel has ended by @rc
 */
int call_lost_one(
    const struct lam_framed_receiver *receiver, int rc, struct lam_framed_correlation *correlation);

/* Where the claim in hand of @sender has its call's header. */
static inline struct lam_call_header *call_claimed_header(struct lam_framed_sender *sender)
{
    uint8_t *event =
        (uint8_t *)(lam_ring_producer_cell(&sender->producer, sender->producer.next) + 1);

    return (struct lam_call_header *)(void *)(event + sender->extension_bytes);
}

/* Write the header of the claim in hand and publish, with @payload_bytes behind it. */
static inline void call_commit(struct lam_framed_sender *sender, uint64_t payload_bytes,
    uint16_t kind, enum lam_call_type type, uint64_t word)
{
    struct lam_call_header *header = call_claimed_header(sender);

    /* Relaxed, both: the stamp that is stored last carries them (R1 of the ring). */
    lam_store_relaxed(&header->word, word);
    lam_store_relaxed(&header->type, (uint64_t)type);
    lam_framed_sender_commit(sender, payload_bytes + LAM_CALL_HEADER_BYTES, kind);
}

/* Claim for a call's message with @payload_bytes behind its header: *@payload. As the sender's. */
static inline int call_try_claim(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, uint64_t payload_bytes, void **payload)
{
    int rc;

    if (payload_bytes > lam_framed_sender_claim_bytes_max(sender))
        return -EMSGSIZE;
    rc = lam_framed_sender_try_claim_correlated(
        sender, payload_bytes + LAM_CALL_HEADER_BYTES, correlation, payload);
    if (rc == 1)
        *payload = (uint8_t *)*payload + LAM_CALL_HEADER_BYTES;
    return rc;
}

static inline int call_claim_until(struct lam_framed_sender *sender,
    const struct lam_framed_correlation *correlation, uint64_t payload_bytes, uint64_t deadline_ns,
    void **payload)
{
    int rc;

    if (payload_bytes > lam_framed_sender_claim_bytes_max(sender))
        return -EMSGSIZE;
    rc = lam_framed_sender_claim_correlated_until(
        sender, payload_bytes + LAM_CALL_HEADER_BYTES, correlation, deadline_ns, payload);
    if (rc == 0)
        *payload = (uint8_t *)*payload + LAM_CALL_HEADER_BYTES;
    return rc;
}

/* What a message of a call is sent from, where its bytes lie elsewhere. */
struct call_parts {
    uint64_t header[LAM_CALL_HEADER_BYTES / 8];
    struct iovec parts[1 + LAM_CALL_PART_COUNT_MAX];
    uint32_t count;
};

static inline void call_gather(struct call_parts *all, const struct iovec *parts,
    uint32_t part_count, enum lam_call_type type, uint64_t word)
{
    LAM_ASSERT(part_count <= LAM_CALL_PART_COUNT_MAX);
    all->header[0] = word;
    all->header[1] = type;
    all->parts[0] = (struct iovec){all->header, sizeof(all->header)};
    if (part_count != 0)
        memcpy(&all->parts[1], parts, part_count * sizeof(*parts));
    all->count = 1 + part_count;
}

/* A scope that no caller had before: @number and a word that differs from attach to attach. */
uint64_t call_new_scope(const struct lam_framed_sender *sender, uint32_t number);

/* A scope's number: where replies go. */
static inline uint32_t call_number(uint64_t scope)
{
    return (uint32_t)(scope >> 32);
}

#endif
