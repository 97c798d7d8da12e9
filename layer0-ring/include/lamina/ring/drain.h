/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_DRAIN_H
#define LAM_RING_DRAIN_H

/*
 * lamina/ring/drain.h: consume by callback, here or on a thread of its own.
 *
 * Ring, layer 0. A batch is what is there to be read at once; its last event is marked, so that a
 * handler can write a file or flush a socket once a batch. Its events are released together.
 */

#include <pthread.h>

#include "lamina/ring/consumer.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Handle one event, borrowed for the call. @last: nothing more is there now, or the limit is
 * reached. Returns 0 to go on; anything else ends the batch behind this event. May not call the
 * consumer.
 */
struct lam_ring_drain {
    int (*handle)(void *context, const struct lam_event *event, int last);
    void *context;
    uint64_t limit; /* events of a batch; 0 as many as are there, less than a ring holds */
};

/*
 * Hand all events that are there to drain->handle, one after another, and release them together.
 * Does not wait. Gating consumers; what this one had peeked before is released with them.
 *
 * Returns how many were handled, 0 for none; or, when there were none, an error of
 * lam_ring_consumer_try_peek(); or
 *   -ESTALE  evicted meanwhile: what was handled may have been overwritten under the handler's eyes
 *   -EINVAL  the consumer is a lossy one
 * *@answer, unless NULL: what the last call of handle returned, 0 for none.
 */
int64_t lam_ring_consumer_drain(
    struct lam_ring_consumer *consumer, const struct lam_ring_drain *drain, int *answer);

/* A thread that drains a consumer until it is told to stop, or the stream ends. */
struct lam_ring_handler {
    /* Fields are private. */
    struct lam_ring_consumer *consumer;
    struct lam_ring_drain drain;
    pthread_t thread;
    lam_atomic_u32 stopping;
    uint32_t running;
    int result;
};

/*
 * Start a thread that hands the events of @consumer to drain->handle as they come, waiting in
 * between by the consumer's own ladder. All signals are blocked there. Until stop or join,
 * @handler and @consumer stay in place, and the consumer is that thread's. Allocates nothing but
 * what the thread is made of.
 *
 * Returns 0, or
 *   -EINVAL the consumer is a lossy one, or there is no handle
 *   -errno  of pthread_create; @error says so
 */
int lam_ring_handler_start(struct lam_ring_handler *handler, struct lam_ring_consumer *consumer,
    const struct lam_ring_drain *drain, struct lam_error *error);

/*
 * Ask it to end and wait until it has: what was published before is handled still, a ring's worth
 * at most, unless handle itself ends it. Within 8 ms when there is nothing to handle. The consumer
 * is the caller's again. Not from handle.
 *
 * Returns why it ended: 0 it was asked to; what handle returned, if not 0; or the end of the
 * stream, as lam_ring_consumer_drain().
 */
int lam_ring_handler_stop(struct lam_ring_handler *handler);

/* Wait until it ends by itself. Returns as lam_ring_handler_stop(). */
int lam_ring_handler_join(struct lam_ring_handler *handler);

#ifdef __cplusplus
}
#endif

#endif
