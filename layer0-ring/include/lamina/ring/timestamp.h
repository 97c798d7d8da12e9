/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_TIMESTAMP_H
#define LAM_RING_TIMESTAMP_H

/*
 * lamina/ring/timestamp.h: events that say when they were published, and how long each consumer
 * takes to see them.
 *
 * Ring, layer 0. A producer that attached with `timestamp_every` and publishes by the calls below
 * puts the time into every so many commits, an extension of 16 bytes in front of the payload
 * (lamina/ring/event.h). A batch is one commit: its first event carries the time of all. The clock
 * costs about 27 ns and the extension may cost a cell, so once in 8 or 16 batches is cheap, and as
 * good for quantiles. Consumers unwrap what they peeked or read; on a ring with histograms
 * (lam_ring_options) that counts the time from commit to unwrap, which anyone may look at
 * (lamina/ring/stat.h). Plain calls on either side cost what they did.
 *
 * Times are of the machine's monotonic clock, the same in all processes of one time namespace.
 */

#include <errno.h>

#include "lamina/ring/batch.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_EVENT_EXTENSION_BYTES 16
#define LAM_EVENT_EXTENSIONS      (LAM_EVENT_CORRELATION | LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C)

/* The extension behind LAM_EVENT_TIMESTAMP. */
struct lam_event_timestamp {
    uint64_t at_ns; /* monotonic: when the commit began */
    uint64_t reserved;
};

LAM_STATIC_ASSERT(
    sizeof(struct lam_event_timestamp) == LAM_EVENT_EXTENSION_BYTES, "an extension is 16 bytes");

/* The rare part of a commit that carries the time: writes it into the event that comes next. */
void lam_ring_producer_write_time(struct lam_ring_producer *producer);
void lam_ring_producer_write_batch_time(struct lam_ring_producer *producer);

/* Bytes that the next commit's first event takes for the time: 16 or 0. */
LAM_INLINE uint64_t lam_ring_producer_timestamp_bytes(const struct lam_ring_producer *producer)
{
    return producer->timestamp_left == 1 ? LAM_EVENT_EXTENSION_BYTES : 0;
}

/* The largest payload by the calls below, whether the time is due or not. */
LAM_INLINE uint64_t lam_ring_producer_timed_bytes_max(const struct lam_ring_producer *producer)
{
    return producer->timed_bytes_max;
}

/*
 * As lam_ring_producer_try_claim(), with room for the time where it is due: *@payload is behind it.
 * To be followed by lam_ring_producer_commit_timed() or an abort.
 *
 * Returns as that, -EMSGSIZE above lam_ring_producer_timed_bytes_max().
 */
LAM_INLINE int lam_ring_producer_try_claim_timed(
    struct lam_ring_producer *producer, uint64_t payload_bytes, void **payload)
{
    uint64_t time_bytes = lam_ring_producer_timestamp_bytes(producer);
    int rc;

    if (__builtin_expect(payload_bytes > lam_ring_producer_timed_bytes_max(producer), 0))
        return -EMSGSIZE;
    rc = lam_ring_producer_try_claim(producer, payload_bytes + time_bytes, payload);
    if (rc == 1)
        *payload = (uint8_t *)*payload + time_bytes;
    return rc;
}

/* The same, waiting by the ladder. Returns as lam_ring_producer_claim_until(). */
int lam_ring_producer_claim_timed_until(struct lam_ring_producer *producer, uint64_t payload_bytes,
    uint64_t deadline_ns, void **payload);

/*
 * Publish the claimed event; where the time is due it is read now. @flags without extensions of the
 * caller's own. Wait-free; one system call if a consumer sleeps.
 */
LAM_INLINE void lam_ring_producer_commit_timed(
    struct lam_ring_producer *producer, uint64_t payload_bytes, uint16_t kind, uint16_t flags)
{
    LAM_ASSERT((flags & LAM_EVENT_EXTENSIONS) == 0);
    if (__builtin_expect(producer->timestamp_left == 1, 0)) {
        lam_ring_producer_write_time(producer);
        payload_bytes += LAM_EVENT_EXTENSION_BYTES;
        flags |= LAM_EVENT_TIMESTAMP;
    } else if (producer->timestamp_left != 0) {
        producer->timestamp_left--;
    }
    lam_ring_producer_commit(producer, payload_bytes, kind, flags);
}

/*
 * Cells that a batch of @event_count events of @payload_bytes takes, the time included: what to
 * claim by lam_ring_producer_try_claim_batch() or lam_ring_producer_claim_batch_until().
 */
LAM_INLINE uint64_t lam_ring_producer_batch_cells(
    const struct lam_ring_producer *producer, uint64_t event_count, uint64_t payload_bytes)
{
    uint64_t first = payload_bytes + lam_ring_producer_timestamp_bytes(producer);

    return lam_ring_producer_cell_count(producer, first) +
           (event_count - 1) * lam_ring_producer_cell_count(producer, payload_bytes);
}

/*
 * As lam_ring_batch_stage(): the first event of a batch has room for the time where it is due.
 *
 * Returns as that, -EMSGSIZE above lam_ring_producer_timed_bytes_max().
 */
LAM_INLINE int lam_ring_batch_stage_timed(struct lam_ring_batch *batch, uint64_t payload_bytes,
    uint16_t kind, uint16_t flags, void **payload)
{
    uint64_t time_bytes = 0;
    int rc;

    LAM_ASSERT((flags & LAM_EVENT_EXTENSIONS) == 0);
    if (__builtin_expect(payload_bytes > batch->timed_bytes_max, 0))
        return -EMSGSIZE;
    if (batch->staged == batch->first)
        time_bytes = lam_ring_producer_timestamp_bytes(batch->producer);
    if (__builtin_expect(time_bytes != 0, 0))
        flags |= LAM_EVENT_TIMESTAMP;
    rc = lam_ring_batch_stage(batch, payload_bytes + time_bytes, kind, flags, payload);
    if (rc == 1)
        *payload = (uint8_t *)*payload + time_bytes;
    return rc;
}

/* Publish all staged events at once; where the time is due it is read now. Wait-free. */
LAM_INLINE void lam_ring_batch_commit_timed(struct lam_ring_batch *batch)
{
    if (batch->staged != batch->first) {
        if (__builtin_expect(batch->producer->timestamp_left == 1, 0))
            lam_ring_producer_write_batch_time(batch->producer);
        else if (batch->producer->timestamp_left != 0)
            batch->producer->timestamp_left--;
    }
    lam_ring_batch_commit(batch);
}

/*
 * When @event was published, ns. Looks at its bytes: of an event that was copied, or is held. Any
 * thread; wait-free.
 *
 * Returns 1 and sets *@at_ns; 0 the event does not say; or
 *   -EPROTO it is shorter than its extensions
 */
int lam_event_timestamp(const struct lam_event *event, uint64_t *at_ns);

/*
 * Step over all extensions of @event: its payload is then what the application wrote, and its flags
 * name no extension. Any thread; wait-free.
 *
 * Returns 0, or -EPROTO: it is shorter than its extensions, and left as it was.
 */
int lam_event_strip(struct lam_event *event);

/*
 * Count how long @event, just peeked or read, took to come, if it says when it left and this
 * consumer has a histogram. The consumer's thread; wait-free.
 */
void lam_ring_consumer_count_latency(
    struct lam_ring_consumer *consumer, const struct lam_event *event);

/* The rare part of an unwrap. */
int lam_ring_consumer_unwrap_slow(struct lam_ring_consumer *consumer, struct lam_event *event);

/*
 * Both: count how long an event that was just peeked or read took to come, if it says when it left
 * and this consumer has a histogram, and step over its extensions. Wait-free.
 *
 * Returns as lam_event_strip().
 */
LAM_INLINE int lam_ring_consumer_unwrap(struct lam_ring_consumer *consumer, struct lam_event *event)
{
    struct lam_event copy;
    int rc;

    if (__builtin_expect((event->flags & LAM_EVENT_EXTENSIONS) == 0, 1))
        return 0;
    /* A copy goes out of line: the caller's event may stay in registers. */
    copy = *event;
    rc = lam_ring_consumer_unwrap_slow(consumer, &copy);
    *event = copy;
    return rc;
}

#ifdef __cplusplus
}
#endif

#endif
