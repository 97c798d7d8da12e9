/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_BATCH_H
#define LAM_RING_BATCH_H

/*
 * lamina/ring/batch.h: several events that become visible all at once, or not at all.
 *
 * Ring, layer 0. Claim cells, stage one event after another into them, commit:
 *
 *     struct lam_ring_batch batch;
 *
 *     if (lam_ring_producer_claim_batch_until(&producer, 8, deadline_ns, &batch) != 0)
 *         return; // nothing was claimed: there is nothing to commit
 *     while (more && lam_ring_batch_stage(&batch, bytes, kind, 0, &payload) == 1)
 *         fill(payload);
 *     lam_ring_batch_commit(&batch);
 *
 * A batch is a plain value of the caller's, best on the stack of one function: no address of it
 * leaves the inline calls, so that its words stay in registers however the payloads are written.
 * In the producer's own memory each event would load and store them anew, which cost a quarter of
 * the throughput. Part of lamina/ring/producer.h, which says who may call.
 */

#include <errno.h>
#include <stddef.h>
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

struct lam_ring_batch {
    /* Fields are private, but for the first. */
    uint64_t staged; /* sequence of the next event to stage */
    struct lam_ring_producer *producer;
    uint8_t *cells;
    uint64_t cell_mask;
    uint64_t first; /* sequence of the batch's first event */
    uint64_t end;   /* behind the claim */
    uint64_t slack; /* bytes that the staged events leave unused in their cells */
    uint64_t round_up;
    uint64_t payload_bytes_max;
    uint64_t timed_bytes_max; /* for lamina/ring/timestamp.h */
    uint32_t cell_shift;
};

/* The rare part of a claim that waits. */
int lam_ring_producer_await_batch(
    struct lam_ring_producer *producer, uint64_t cell_count, uint64_t deadline_ns);

/* A word at a time: a batch whose address went to memset() would not stay in registers. */
LAM_INLINE void lam_ring_batch_refuse(struct lam_ring_batch *batch)
{
    batch->staged = 0;
    batch->producer = NULL;
    batch->cells = NULL;
    batch->cell_mask = 0;
    batch->first = 0;
    batch->end = 0;
    batch->slack = 0;
    batch->round_up = 0;
    batch->payload_bytes_max = 0;
    batch->timed_bytes_max = 0;
    batch->cell_shift = 0;
}

/* Lends the claimed cells to *@batch. */
LAM_INLINE void lam_ring_producer_open_batch(
    struct lam_ring_producer *producer, uint64_t cell_count, struct lam_ring_batch *batch)
{
    lam_ring_producer_clear(producer, producer->next + cell_count);
    LAM_CRASH_POINT("batch.claimed");
    lam_ring_producer_unwear(producer, producer->next, cell_count);
    producer->claimed_end = producer->next + cell_count;
    batch->staged = producer->next;
    batch->producer = producer;
    batch->cells = producer->cells;
    batch->cell_mask = producer->cell_mask;
    batch->first = producer->next;
    batch->end = producer->claimed_end;
    batch->slack = 0;
    batch->round_up = producer->round_up;
    batch->payload_bytes_max = producer->payload_bytes_max;
    batch->timed_bytes_max = producer->timed_bytes_max;
    batch->cell_shift = producer->cell_shift;
}

/*
 * Claim @cell_count cells for a batch of events, at most depth - 1, without waiting. *@batch holds
 * until its commit or abort; until then there is no other claim. Where the claim fails it is
 * empty: nothing can be staged into it.
 *
 * Returns as lam_ring_producer_try_claim(); -EMSGSIZE: more than depth - 1 cells.
 */
LAM_INLINE int lam_ring_producer_try_claim_batch(
    struct lam_ring_producer *producer, uint64_t cell_count, struct lam_ring_batch *batch)
{
    LAM_ASSERT(producer->claimed_end == producer->next && cell_count > 0);
    if (__builtin_expect(producer->limit - producer->next <= cell_count, 0)) {
        int rc = lam_ring_producer_make_room(producer, cell_count);

        if (rc != 1) {
            lam_ring_batch_refuse(batch);
            return rc;
        }
    }
    lam_ring_producer_open_batch(producer, cell_count, batch);
    return 1;
}

/* The same, waiting by the ladder. Returns as lam_ring_producer_claim_until(). */
LAM_INLINE int lam_ring_producer_claim_batch_until(struct lam_ring_producer *producer,
    uint64_t cell_count, uint64_t deadline_ns, struct lam_ring_batch *batch)
{
    LAM_ASSERT(producer->claimed_end == producer->next && cell_count > 0);
    if (__builtin_expect(producer->limit - producer->next <= cell_count, 0)) {
        int rc = lam_ring_producer_await_batch(producer, cell_count, deadline_ns);

        if (rc != 0) {
            lam_ring_batch_refuse(batch);
            return rc;
        }
    }
    lam_ring_producer_open_batch(producer, cell_count, batch);
    return 0;
}

/*
 * Place the next event of a batch: *@payload is where its @payload_bytes go, borrowed until the
 * commit or abort of the batch. Wait-free.
 *
 * Returns 1; 0 the claimed cells do not have room for it; or
 *   -EMSGSIZE larger than half the ring
 */
LAM_INLINE int lam_ring_batch_stage(struct lam_ring_batch *batch, uint64_t payload_bytes,
    uint16_t kind, uint16_t flags, void **payload)
{
    uint64_t at = batch->staged;
    uint64_t cell_count = (payload_bytes + batch->round_up) >> batch->cell_shift;
    uint64_t ahead = (at + LAM_RING_PREFETCH_CELLS) & batch->cell_mask;
    struct lam_event_header *header =
        (struct lam_event_header *)(void *)(batch->cells +
                                            ((at & batch->cell_mask) << batch->cell_shift));

    if (__builtin_expect(payload_bytes > batch->payload_bytes_max, 0))
        return -EMSGSIZE;
    if (batch->end - at < cell_count)
        return 0;
    batch->slack += (cell_count << batch->cell_shift) - LAM_EVENT_HEADER_BYTES - payload_bytes;
    if (cell_count > 1)
        lam_ring_producer_wear(batch->producer, at + 1, cell_count - 1);
    lam_store_relaxed(&header->shape, lam_event_shape((uint32_t)payload_bytes, kind, flags));
    /* Relaxed: nobody looks here before R1 on the first event's stamp, which is stored last. */
    if (at != batch->first)
        lam_store_relaxed(&header->stamp, at);
    LAM_CRASH_POINT("batch.staged");
    batch->staged = at + cell_count;
    lam_prefetch_write(batch->cells + (ahead << batch->cell_shift));
    *payload = header + 1;
    return 1;
}

/* Give the claim back; nothing becomes visible. As lam_ring_producer_abort(). Wait-free. */
LAM_INLINE void lam_ring_batch_abort(struct lam_ring_batch *batch)
{
    lam_ring_producer_abort(batch->producer);
}

/*
 * Publish all staged events at once. With none staged it is an abort. Wait-free. Aborts the process
 * where the claim was refused.
 */
LAM_INLINE void lam_ring_batch_commit(struct lam_ring_batch *batch)
{
    struct lam_ring_producer *producer = batch->producer;
    uint64_t end = batch->staged;

    LAM_ASSERT(producer != NULL && "the claim was refused: this batch has nothing to commit");
    LAM_ASSERT(producer->claimed_end != producer->next && producer->next == batch->first);
    if (end == batch->first) {
        lam_ring_producer_abort(producer);
        return;
    }
    if (__builtin_expect(end != batch->end, 0)) {
        lam_ring_producer_wear(producer, end, batch->end - end);
        lam_ring_producer_clear(producer, end);
        LAM_CRASH_POINT("batch.cut");
        producer->claimed_end = end;
    }
    producer->slack += batch->slack;
    lam_ring_producer_advance(producer, lam_ring_producer_cell(producer, batch->first), end);
}

#ifdef __cplusplus
}
#endif

#endif
