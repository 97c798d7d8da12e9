/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times in events, and what consumers make of them.
 */
#include "lamina/ring/timestamp.h"
#include "lamina/base/histogram.h"
#include "lamina/ring/event_crc.h"
#include "layout.h"
#include "settle.h"

#include <string.h>

void lam_ring_producer_write_time(struct lam_ring_producer *producer)
{
    struct lam_event_timestamp timestamp = {.at_ns = lam_clock_now_ns()};

    memcpy(lam_ring_producer_cell(producer, producer->next) + 1, &timestamp, sizeof(timestamp));
    producer->timestamp_left = producer->timestamp_every;
}

void lam_ring_producer_write_batch_time(struct lam_ring_producer *producer)
{
    const struct lam_event_header *first = lam_ring_producer_cell(producer, producer->next);

    /* Where the first was staged by the plain call these bytes are its payload: the next batch. */
    if ((lam_load_relaxed(&first->shape) >> 48 & LAM_EVENT_TIMESTAMP) != 0)
        lam_ring_producer_write_time(producer);
}

int lam_ring_producer_claim_timed_until(struct lam_ring_producer *producer, uint64_t payload_bytes,
    uint64_t deadline_ns, void **payload)
{
    uint64_t time_bytes = lam_ring_producer_timestamp_bytes(producer);
    int rc;

    if (payload_bytes > lam_ring_producer_timed_bytes_max(producer))
        return -EMSGSIZE;
    rc = lam_ring_producer_claim_until(producer, payload_bytes + time_bytes, deadline_ns, payload);
    if (rc == 0)
        *payload = (uint8_t *)*payload + time_bytes;
    return rc;
}

int lam_event_timestamp(const struct lam_event *event, uint64_t *at_ns)
{
    struct lam_event_timestamp timestamp;

    if ((event->flags & LAM_EVENT_TIMESTAMP) == 0)
        return 0;
    if (event->payload_bytes < lam_event_extension_bytes(event->flags))
        return -EPROTO;
    memcpy(&timestamp,
        (const uint8_t *)event->payload +
            lam_event_extension_bytes(event->flags & LAM_EVENT_CORRELATION),
        sizeof(timestamp));
    *at_ns = timestamp.at_ns;
    return 1;
}

int lam_event_strip(struct lam_event *event)
{
    uint32_t bytes = lam_event_extension_bytes(event->flags);

    if (event->payload_bytes < bytes)
        return -EPROTO;
    event->payload = (const uint8_t *)event->payload + bytes;
    event->payload_bytes -= bytes;
    event->flags &= (uint16_t)~LAM_EVENT_EXTENSIONS;
    return 0;
}

void lam_ring_consumer_count_latency(
    struct lam_ring_consumer *consumer, const struct lam_event *event)
{
    const struct lam_ring *ring = consumer->ring;
    uint64_t now_ns, at_ns;

    if (consumer->index >= ring->histogram_count || lam_event_timestamp(event, &at_ns) != 1)
        return;
    /* Who was evicted may have loaded another event's bytes for a time. */
    if (lam_ring_consumer_is_evicted(consumer))
        return;
    now_ns = lam_clock_now_ns();
    lam_histogram_record(&ring->histograms[consumer->index], now_ns > at_ns ? now_ns - at_ns : 0);
}

int lam_ring_consumer_unwrap_slow(struct lam_ring_consumer *consumer, struct lam_event *event)
{
    lam_ring_consumer_count_latency(consumer, event);
    return lam_event_strip(event);
}
