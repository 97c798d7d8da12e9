/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of messages with extensions, which are written when the last byte of each is there. */
#include "lamina/framed/batch.h"

#include <errno.h>
#include <string.h>

#include "outgoing.h"

int lam_framed_batch_stage_extended(struct lam_framed_batch *batch, uint64_t payload_bytes,
    uint16_t kind, const struct lam_framed_correlation *correlation, uint16_t extensions,
    void **payload)
{
    uint16_t flags = extensions;
    uint32_t extension_bytes;
    int rc;

    LAM_ASSERT(kind < LAM_EVENT_KIND_RESERVED || kind >= LAM_FRAMED_KIND_END);
    LAM_ASSERT((extensions & ~FLAGS_OF_CHOICE) == 0);
    if (correlation != NULL)
        flags |= LAM_EVENT_CORRELATION;
    if (payload_bytes > batch->events.payload_bytes_max)
        return -EMSGSIZE;
    extension_bytes = lam_event_extension_bytes(flags);
    rc =
        lam_ring_batch_stage(&batch->events, payload_bytes + extension_bytes, kind, flags, payload);
    if (rc != 1)
        return rc;
    if (correlation != NULL)
        memcpy(*payload, correlation, sizeof(*correlation));
    *payload = (uint8_t *)*payload + extension_bytes;
    return 1;
}

void lam_framed_batch_commit_extended(struct lam_framed_batch *batch)
{
    struct lam_ring_batch *events = &batch->events;

    for (uint64_t at = events->first; at != events->staged;) {
        struct lam_event_header *header = lam_ring_producer_cell(events->producer, at);
        /* Relaxed: our own words, of a stage before. */
        uint64_t shape = lam_load_relaxed(&header->shape);
        uint32_t event_bytes = (uint32_t)shape;

        lam_extensions_write((uint8_t *)(header + 1), event_bytes, (uint16_t)(shape >> 32),
            (uint16_t)(shape >> 48), NULL);
        at += (event_bytes + events->round_up) >> events->cell_shift;
        LAM_ASSERT((int64_t)(events->staged - at) >= 0);
    }
    lam_ring_batch_commit(events);
}
