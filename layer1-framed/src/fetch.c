/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a receiver's events come from: lent where they lie, or copied first, so that what is looked
 * at is nobody else's to change. And the way back after an eviction.
 */
#include "assemble.h"

#include <errno.h>
#include <string.h>

#include "lamina/ring/lossy.h"
#include "lamina/ring/timestamp.h"

#include "frame.h"

/* A lossy read, into the caller's memory if it will do. */
static int read_lossy(struct lam_framed_receiver *receiver, struct lam_event *event)
{
    struct lam_ring_consumer *consumer = &receiver->consumer;
    uint64_t from = consumer->next;
    uint64_t lost = 0;
    int rc = -EMSGSIZE;

    if (receiver->into != NULL)
        rc = lam_ring_consumer_try_read(
            consumer, receiver->into, receiver->into_bytes, event, &lost);
    if (rc == -EMSGSIZE)
        rc = lam_ring_consumer_try_read(
            consumer, receiver->scratch, receiver->scratch_bytes, event, &lost);
    if (rc == -EOVERFLOW)
        return lam_framed_receiver_gap(receiver, from, lost, rc);
    if (rc == 1)
        receiver->released = event->end;
    return rc;
}

/* A copy of what holds the sender, which goes on once it is taken. */
static int read_gating(struct lam_framed_receiver *receiver, struct lam_event *event)
{
    uint8_t *to = receiver->scratch;
    int rc = lam_ring_consumer_try_peek(&receiver->consumer, event);

    if (rc != 1)
        return rc;
    if (receiver->into != NULL && event->payload_bytes <= receiver->into_bytes)
        to = receiver->into;
    memcpy(to, event->payload, event->payload_bytes); /* at most half the ring: scratch holds it */
    LAM_CRASH_POINT("copy.made");
    event->payload = to;
    receiver->released = event->end;
    return lam_ring_consumer_release_to(&receiver->consumer, event->end) == 0 ? 1 : -ESTALE;
}

int lam_framed_receiver_fetch(struct lam_framed_receiver *receiver, struct lam_event *event)
{
    if ((receiver->state & STATE_AHEAD) != 0) {
        *event = receiver->ahead;
        receiver->state &= ~(uint32_t)STATE_AHEAD;
        return 1;
    }
    if ((receiver->state & STATE_COPIES) == 0)
        return lam_ring_consumer_try_peek(&receiver->consumer, event);
    if ((receiver->state & STATE_SCRATCH) != 0)
        return -EBUSY;
    if (receiver->consumer.policy == LAM_RING_LOSSY)
        return read_lossy(receiver, event);
    return read_gating(receiver, event);
}

int lam_framed_receiver_keep(
    struct lam_framed_receiver *receiver, const struct lam_event *event, int rc)
{
    receiver->ahead = *event;
    receiver->state |= STATE_AHEAD;
    /* The caller's memory is the caller's again when this call is over. */
    if (receiver->into != NULL && event->payload == receiver->into) {
        memcpy(receiver->scratch, event->payload, event->payload_bytes);
        receiver->ahead.payload = receiver->scratch;
    }
    return rc;
}

int lam_framed_receiver_readmit(
    struct lam_framed_receiver *receiver, enum lam_ring_start start, struct lam_error *error)
{
    uint64_t from = receiver->consumer.next;
    uint64_t lost;
    int rc = lam_ring_consumer_readmit(&receiver->consumer, start, &lost, error);

    if (rc != 0)
        return rc;
    /* Peeked and never handed over: it may have changed, and does not come again. */
    if ((receiver->state & (STATE_AHEAD | STATE_KEPT)) != 0 &&
        (receiver->state & STATE_COPIES) == 0) {
        lost++;
        from = (receiver->state & STATE_AHEAD) != 0 ? receiver->ahead.sequence : receiver->kept.id;
        receiver->state &= ~(uint32_t)(STATE_AHEAD | STATE_KEPT);
    }
    receiver->state &= ~(uint32_t)STATE_DEFERRED;
    receiver->released = receiver->consumer.next;
    receiver->lent_end = receiver->released;
    if ((receiver->state & STATE_KEPT) == 0) /* a copy that is to be handed over yet */
        lam_framed_receiver_free(receiver, receiver->released);
    (void)lam_framed_receiver_gap(receiver, from, lost, -ESTALE);
    return 0;
}
