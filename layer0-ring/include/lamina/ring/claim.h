/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_CLAIM_H
#define LAM_RING_CLAIM_H

/*
 * lamina/ring/claim.h: publishing one event: claim, write in place, commit or abort.
 *
 * Ring, layer 0. Part of lamina/ring/producer.h, which says who may call.
 */

#include <errno.h>
#include <stdint.h>

#include "lamina/base/crash_point.h"
#include "lamina/base/prefetch.h"
#include "lamina/ring/producer_end.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Claim room for one event of up to @payload_bytes, without waiting.
 *
 * *@payload is borrowed until commit or abort: contiguous, 16-byte aligned, with old bytes in it.
 * At most one claim at a time. Wait-free while the cached bound lasts; else walks the consumer
 * table once.
 *
 * Returns 1; 0 the ring is full (lam_ring_producer_blocker() says whom it waits for); or
 *   -EMSGSIZE        larger than half the ring (lam_ring_payload_bytes_max())
 *   -EPIPE           this producer has closed the ring
 *   -ECANCELED       it has failed the ring, or a required consumer is missing, stalled or dead
 *                    for longer than it may (lamina/ring/required.h); as the next
 *   -ENOTRECOVERABLE a consumer found the data impossible: the ring is poisoned. Seen when the
 *                    cached bound is used up, not at once
 */
LAM_INLINE int lam_ring_producer_try_claim(
    struct lam_ring_producer *producer, uint64_t payload_bytes, void **payload)
{
    uint64_t cell_count = lam_ring_producer_cell_count(producer, payload_bytes);

    LAM_ASSERT(producer->claimed_end == producer->next);
    if (__builtin_expect(payload_bytes > producer->payload_bytes_max, 0))
        return -EMSGSIZE;
    if (__builtin_expect(producer->limit - producer->next <= cell_count, 0)) {
        int rc = lam_ring_producer_make_room(producer, cell_count);

        if (rc != 1)
            return rc;
    }
    /* Now, not when the stores before have drained: those of a reply come behind many. */
    lam_prefetch_write(lam_ring_producer_cell(producer, producer->next));
    lam_ring_producer_clear(producer, producer->next + cell_count);
    LAM_CRASH_POINT("claim.cell_cleared");
    if (cell_count > 1)
        lam_ring_producer_wear(producer, producer->next + 1, cell_count - 1);
    producer->claimed_end = producer->next + cell_count;
    *payload = lam_ring_producer_cell(producer, producer->next) + 1;
    return 1;
}

/*
 * The same, waiting by the ladder until @deadline_ns (LAM_DEADLINE_NEVER: for ever).
 *
 * Returns 0, or an error of lam_ring_producer_try_claim(), or
 *   -ETIMEDOUT still full; lam_ring_producer_blocker() says who and for how long
 */
int lam_ring_producer_claim_until(struct lam_ring_producer *producer, uint64_t payload_bytes,
    uint64_t deadline_ns, void **payload);

/*
 * Publish the claimed event, with @payload_bytes of it written: no more than were claimed.
 *
 * @kind: the application's, below LAM_EVENT_KIND_RESERVED, unless a layer of Lamina's speaks.
 * @flags: LAM_EVENT_..., whose extensions the payload starts with; 0 at this layer.
 * Wait-free; one system call if a consumer sleeps.
 */
LAM_INLINE void lam_ring_producer_commit(
    struct lam_ring_producer *producer, uint64_t payload_bytes, uint16_t kind, uint16_t flags)
{
    struct lam_event_header *header = lam_ring_producer_cell(producer, producer->next);
    uint64_t cell_count = lam_ring_producer_cell_count(producer, payload_bytes);
    uint64_t slack = lam_ring_producer_slack(producer, cell_count, payload_bytes);
    uint64_t end = producer->next + cell_count;

    LAM_ASSERT(cell_count <= producer->claimed_end - producer->next);
    if (__builtin_expect(end != producer->claimed_end, 0)) {
        lam_ring_producer_clear(producer, end);
        LAM_CRASH_POINT("publish.cut");
        producer->claimed_end = end;
    }
    if (slack != 0)
        producer->slack += slack;
    lam_store_relaxed(&header->shape, lam_event_shape((uint32_t)payload_bytes, kind, flags));
    LAM_CRASH_POINT("publish.shape_stored");
    lam_ring_producer_advance(producer, header, end);
}

/* Give a claim back, of one event or of a batch; nothing becomes visible. Wait-free. */
void lam_ring_producer_abort(struct lam_ring_producer *producer);

#ifdef __cplusplus
}
#endif

#endif
