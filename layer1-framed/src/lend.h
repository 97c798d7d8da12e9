/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_LEND_H
#define LAM_FRAMED_SRC_LEND_H

/*
 * lend.h: a message in place, handed to the caller: plain, or behind its extensions.
 */

#include <string.h>

#include "lamina/framed/receiver.h"
#include "lamina/ring/timestamp.h"

#include "assemble.h"

/* Of a sound event that has one. */
static inline uint64_t lam_framed_receiver_time(
    struct lam_framed_receiver *receiver, const struct lam_event *event)
{
    const struct lam_ring_consumer *consumer = &receiver->consumer;
    uint64_t at_ns;

    memcpy(&at_ns,
        (const uint8_t *)event->payload +
            lam_event_extension_bytes(event->flags & LAM_EVENT_CORRELATION),
        sizeof(at_ns));
    if (consumer->index < consumer->ring->histogram_count)
        lam_ring_consumer_count_latency(&receiver->consumer, event);
    return at_ns;
}

/* Lend the whole message that a sound @event is. Returns 1. */
static inline int lam_framed_receiver_lend_event(struct lam_framed_receiver *receiver,
    const struct lam_event *event, struct lam_framed_message *message)
{
    uint32_t extension_bytes = lam_event_extension_bytes(event->flags);

    message->payload = (const uint8_t *)event->payload + extension_bytes;
    message->payload_bytes = event->payload_bytes - extension_bytes;
    message->id = event->sequence;
    message->end = event->end;
    message->correlation = (event->flags & LAM_EVENT_CORRELATION) != 0 ? event->payload : NULL;
    message->kind = event->kind;
    message->flags = event->flags;
    if ((event->flags & LAM_EVENT_TIMESTAMP) != 0)
        message->published_ns = lam_framed_receiver_time(receiver, event);
    receiver->lent_end = event->end;
    if ((receiver->state & STATE_COPIES) != 0) {
        receiver->state |= STATE_SCRATCH;
        receiver->scratch_end = event->end;
    }
    return 1;
}

#endif
