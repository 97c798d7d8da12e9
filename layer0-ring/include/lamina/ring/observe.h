/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_OBSERVE_H
#define LAM_RING_OBSERVE_H

/*
 * lamina/ring/observe.h: reading along without being there.
 *
 * Ring, layer 0. An observer reads as a lossy consumer does and has no place in the consumer table:
 * a mapping that is read-only is enough (lam_ring_attach_options.observe), no end learns of it, and
 * there may be any number. For tools that print or record. It does not wait: look again later.
 */

#include <errno.h>

#include "lamina/ring/consumer.h"
#include "lamina/ring/event.h"
#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_ring_observer {
    const struct lam_ring *ring;
    uint64_t next;    /* sequence of the next event to read */
    uint64_t ordinal; /* events of the ring before it */
};

/*
 * Begin to observe @ring, kept until the last read. LAM_RING_OLDEST is the oldest waypoint that the
 * ring still holds. Allocates nothing, and needs no end.
 *
 * Returns 0, or
 *   -EINVAL @start is neither LAM_RING_HEAD nor LAM_RING_OLDEST
 *   -EPROTO the data object makes no sense
 */
int lam_ring_observer_begin(
    struct lam_ring_observer *observer, const struct lam_ring *ring, enum lam_ring_start start);

/*
 * Copy the next event, or its first @capacity bytes, into @buffer. @event is filled as by a peek,
 * payload being @buffer and payload_bytes those of the whole event. Never a torn one. Lock-free.
 *
 * Returns 1; 0 none is there yet (lam_ring_state_read() says whether more will come; look once more
 * when it says no); or
 *   -EOVERFLOW the producer has lapped us: *@lost events were missed, exactly; the next call reads
 *              on a quarter of a lap behind the head
 *   -EPROTO    the data object makes no sense
 */
int lam_ring_observer_try_read(struct lam_ring_observer *observer, void *buffer, uint64_t capacity,
    struct lam_event *event, uint64_t *lost);

#ifdef __cplusplus
}
#endif

#endif
