/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_LOSSY_H
#define LAM_RING_LOSSY_H

/*
 * lamina/ring/lossy.h: reading without holding anyone back.
 *
 * Ring, layer 0. A consumer that joined with LAM_RING_LOSSY copies each event out and then makes
 * sure that it was not overwritten meanwhile. When the producer has gone round, the reader is told
 * exactly how many events it missed, and goes on a quarter of a lap behind the head. Never a torn
 * event, never a wrong count.
 *
 * All calls from one thread at a time. They make no system call, except to sleep, and allocate
 * nothing.
 */

#include "lamina/ring/consumer.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Copy the next event into @buffer, without waiting. @event is filled as by a peek, its payload
 * being @buffer; nothing is borrowed and nothing is to be released. Lock-free: it starts again only
 * when the producer has gone on.
 *
 * Returns 1; 0 none is there yet; or
 *   -EOVERFLOW the producer has lapped us: *@lost events were missed, exactly; the next call reads
 *              on. *@lost is written in this case alone
 *   -EMSGSIZE  the event has event->payload_bytes, more than @capacity; it is still the next
 *   -EPROTO    the producer is so fast that no place is found that it has not overwritten
 *   -EPIPE, -ECANCELED, -EOWNERDEAD, -ESTALE, -ENOTRECOVERABLE as lam_ring_consumer_try_peek()
 */
int lam_ring_consumer_try_read(struct lam_ring_consumer *consumer, void *buffer, uint64_t capacity,
    struct lam_event *event, uint64_t *lost);

/*
 * The same, waiting by the ladder until @deadline_ns.
 *
 * Returns 0 with an event, an error of lam_ring_consumer_try_read(), or
 *   -ETIMEDOUT nothing came
 */
int lam_ring_consumer_read_until(struct lam_ring_consumer *consumer, uint64_t deadline_ns,
    void *buffer, uint64_t capacity, struct lam_event *event, uint64_t *lost);

/* Pass over the next event unread: one that is too large for any buffer. Returns as a read. */
int lam_ring_consumer_skip(
    struct lam_ring_consumer *consumer, struct lam_event *event, uint64_t *lost);

#ifdef __cplusplus
}
#endif

#endif
