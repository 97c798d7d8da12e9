/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_BATCH_H
#define LAM_FRAMED_BATCH_H

/*
 * lamina/framed/batch.h: several messages that become visible all at once, or not at all.
 *
 * Framed, layer 1. As lamina/ring/batch.h: a plain value of the caller's, best on the stack. All
 * calls from the sender's thread.
 */

#include "lamina/framed/sender.h"
#include "lamina/ring/batch.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_framed_batch {
    struct lam_ring_batch events;
};

/* Cells of @message_count messages; 0 more than any ring can give. */
LAM_INLINE uint64_t lam_framed_batch_cells(
    const struct lam_framed_sender *sender, uint32_t message_count, uint64_t message_bytes_max)
{
    if (__builtin_expect(message_bytes_max > sender->producer.payload_bytes_max, 0))
        return 0;
    return message_count * lam_ring_producer_cell_count(&sender->producer, message_bytes_max);
}

/*
 * Claim room for a batch of @message_count messages of up to @message_bytes_max each, without
 * waiting. They are staged one after another and become visible at once, by one commit.
 *
 * Returns as lam_framed_sender_try_claim(); -EMSGSIZE: together more than the ring.
 */
LAM_INLINE int lam_framed_sender_try_claim_batch(struct lam_framed_sender *sender,
    uint32_t message_count, uint64_t message_bytes_max, struct lam_framed_batch *batch)
{
    uint64_t cell_count = lam_framed_batch_cells(sender, message_count, message_bytes_max);

    LAM_ASSERT(sender->stream.bytes_total == 0 && message_count > 0);
    if (__builtin_expect(cell_count == 0, 0)) {
        lam_ring_batch_refuse(&batch->events);
        return -EMSGSIZE;
    }
    return lam_ring_producer_try_claim_batch(&sender->producer, cell_count, &batch->events);
}

/* The same, waiting until @deadline_ns. Returns as lam_framed_sender_claim_until(). */
LAM_INLINE int lam_framed_sender_claim_batch_until(struct lam_framed_sender *sender,
    uint32_t message_count, uint64_t message_bytes_max, uint64_t deadline_ns,
    struct lam_framed_batch *batch)
{
    uint64_t cell_count = lam_framed_batch_cells(sender, message_count, message_bytes_max);

    LAM_ASSERT(sender->stream.bytes_total == 0 && message_count > 0);
    if (__builtin_expect(cell_count == 0, 0)) {
        lam_ring_batch_refuse(&batch->events);
        return -EMSGSIZE;
    }
    return lam_ring_producer_claim_batch_until(
        &sender->producer, cell_count, deadline_ns, &batch->events);
}

/*
 * Place the next message of a batch: *@payload is where its @payload_bytes go, borrowed until the
 * commit or abort of the batch. Wait-free.
 *
 * Returns 1; 0 the claimed room is used up; or
 *   -EMSGSIZE larger than half the ring
 */
LAM_INLINE int lam_framed_batch_stage(
    struct lam_framed_batch *batch, uint64_t payload_bytes, uint16_t kind, void **payload)
{
    LAM_ASSERT(kind < LAM_EVENT_KIND_RESERVED || kind >= LAM_FRAMED_KIND_END);
    return lam_ring_batch_stage(&batch->events, payload_bytes, kind, 0, payload);
}

/*
 * The same with extensions, as lam_framed_sender_try_claim_extended(): each takes 16 bytes more of
 * what was claimed. To be published by lam_framed_batch_commit_extended().
 */
int lam_framed_batch_stage_extended(struct lam_framed_batch *batch, uint64_t payload_bytes,
    uint16_t kind, const struct lam_framed_correlation *correlation, uint16_t extensions,
    void **payload);

/* Write what the staged messages carry, and publish them all at once. Wait-free. */
void lam_framed_batch_commit_extended(struct lam_framed_batch *batch);

/* Give the claim back; nothing becomes visible. Wait-free. */
LAM_INLINE void lam_framed_batch_abort(struct lam_framed_batch *batch)
{
    lam_ring_batch_abort(&batch->events);
}

/* Publish all staged messages at once. With none staged it is an abort. Wait-free. */
LAM_INLINE void lam_framed_batch_commit(struct lam_framed_batch *batch)
{
    lam_ring_batch_commit(&batch->events);
}

#ifdef __cplusplus
}
#endif

#endif
