/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_BATCH_H
#define LAM_RING_BATCH_H

/*
 * lamina/ring/batch.h: publishing several events at once: all of them become visible, or none.
 *
 * Ring, layer 0. Part of lamina/ring/producer.h, which says who may call.
 */

#include <errno.h>
#include <stdint.h>

#include "lamina/base/crash_point.h"
#include "lamina/base/prefetch.h"
#include "lamina/ring/claim.h"
#include "lamina/ring/producer_end.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How far ahead a batch asks for the cells that it will write: measured, see README.md. */
#define LAM_RING_PREFETCH_CELLS 12

/*
 * Claim @cell_count cells for a batch of events, at most depth - 1, without waiting. Events are
 * staged into it one after another; all become visible at once, by one commit.
 *
 * Returns as lam_ring_producer_try_claim(); -EMSGSIZE: more than depth - 1 cells.
 */
LAM_INLINE int lam_ring_producer_try_claim_batch(
    struct lam_ring_producer *producer, uint64_t cell_count)
{
    LAM_ASSERT(producer->claimed_end == producer->next && cell_count > 0);
    if (__builtin_expect(producer->limit - producer->next <= cell_count, 0)) {
        int rc = lam_ring_producer_make_room(producer, cell_count);

        if (rc != 1)
            return rc;
    }
    lam_ring_producer_clear(producer, producer->next + cell_count);
    LAM_CRASH_POINT("batch.claimed");
    lam_ring_producer_unwear(producer, producer->next, cell_count);
    producer->claimed_end = producer->next + cell_count;
    producer->staged = producer->next;
    return 1;
}

/* The same, waiting by the ladder. Returns as lam_ring_producer_claim_until(). */
int lam_ring_producer_claim_batch_until(
    struct lam_ring_producer *producer, uint64_t cell_count, uint64_t deadline_ns);

/*
 * Place the next event of a batch: *@payload is where its @payload_bytes go, borrowed until the
 * commit or abort of the batch. Wait-free.
 *
 * Returns 1; 0 the claimed cells do not have room for it; or
 *   -EMSGSIZE larger than half the ring
 */
LAM_INLINE int lam_ring_producer_stage(struct lam_ring_producer *producer, uint64_t payload_bytes,
    uint16_t kind, uint16_t flags, void **payload)
{
    uint64_t at = producer->staged;
    uint64_t cell_count = lam_ring_producer_cell_count(producer, payload_bytes);
    uint64_t slack = lam_ring_producer_slack(producer, cell_count, payload_bytes);
    struct lam_event_header *header = lam_ring_producer_cell(producer, at);

    if (__builtin_expect(payload_bytes > producer->payload_bytes_max, 0))
        return -EMSGSIZE;
    if (producer->claimed_end - at < cell_count)
        return 0;
    if (slack != 0)
        producer->staged_slack += slack;
    if (cell_count > 1)
        lam_ring_producer_wear(producer, at + 1, cell_count - 1);
    lam_store_relaxed(&header->shape, lam_event_shape((uint32_t)payload_bytes, kind, flags));
    /* Relaxed: nobody looks here before R1 on the first event's stamp, which is stored last. */
    if (at != producer->next)
        lam_store_relaxed(&header->stamp, at);
    LAM_CRASH_POINT("batch.staged");
    producer->staged = at + cell_count;
    lam_prefetch_write(lam_ring_producer_cell(producer, at + LAM_RING_PREFETCH_CELLS));
    *payload = header + 1;
    return 1;
}

/* Publish all staged events at once. With none staged it is an abort. Wait-free. */
LAM_INLINE void lam_ring_producer_commit_batch(struct lam_ring_producer *producer)
{
    LAM_ASSERT(producer->claimed_end != producer->next);
    if (producer->staged == producer->next) {
        lam_ring_producer_abort(producer);
        return;
    }
    if (__builtin_expect(producer->staged != producer->claimed_end, 0)) {
        lam_ring_producer_wear(
            producer, producer->staged, producer->claimed_end - producer->staged);
        lam_ring_producer_clear(producer, producer->staged);
        LAM_CRASH_POINT("batch.cut");
        producer->claimed_end = producer->staged;
    }
    if (producer->staged_slack != 0) {
        producer->slack += producer->staged_slack;
        producer->staged_slack = 0;
    }
    lam_ring_producer_advance(
        producer, lam_ring_producer_cell(producer, producer->next), producer->staged);
}

#ifdef __cplusplus
}
#endif

#endif
