/* SPDX-License-Identifier: Apache-2.0 */
/* The rare parts of a receive and of a release. */
#include "lamina/framed/receiver.h"

#include <errno.h>

#include "assemble.h"

static int next_event(struct lam_framed_receiver *receiver, struct lam_event *event)
{
    if ((receiver->state & STATE_AHEAD) != 0) {
        *event = receiver->ahead;
        receiver->state &= ~(uint32_t)STATE_AHEAD;
        return 1;
    }
    return lam_ring_consumer_try_peek(&receiver->consumer, event);
}

/* Use the events that are there. Returns as lam_framed_receiver_try_receive(). */
static int carry(struct lam_framed_receiver *receiver, struct lam_framed_message *message)
{
    uint64_t begin = receiver->released;
    struct lam_event event = {.payload = NULL};
    int rc;

    /* One lap at most: a sender as fast as we are must not keep a try_ call from returning. */
    do {
        rc = next_event(receiver, &event);
        if (rc != 1)
            return lam_framed_receiver_ended(receiver, rc);
        rc = lam_framed_receiver_use(receiver, &event, message);
    } while (rc == 0 && event.end - begin < receiver->consumer.ring->depth);
    return rc;
}

int lam_framed_receiver_proceed(
    struct lam_framed_receiver *receiver, struct lam_framed_message *message)
{
    receiver->state &= ~(uint32_t)STATE_LOSS;
    if ((receiver->state & STATE_POISONED) != 0)
        return -ENOTRECOVERABLE;
    return carry(receiver, message);
}

static int carry_with(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message)
{
    receiver->ahead = *event;
    receiver->state |= STATE_AHEAD;
    return carry(receiver, message);
}

int lam_framed_receiver_unwrap(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message)
{
    return carry_with(receiver, event, message); /* the state was 0: no loss, no poison */
}

/* Behind a try_receive that found nothing: what that one lost is this receive's loss, too. */
int lam_framed_receiver_wait_until(
    struct lam_framed_receiver *receiver, uint64_t deadline_ns, struct lam_framed_message *message)
{
    for (;;) {
        struct lam_event event = {.payload = NULL};
        int rc = lam_ring_consumer_peek_until(&receiver->consumer, deadline_ns, &event);

        if (rc != 0)
            return lam_framed_receiver_ended(receiver, rc);
        if (receiver->state == 0 && lam_framed_receiver_is_plain(&event)) {
            lam_framed_receiver_lend(&event, message);
            return 0;
        }
        rc = carry_with(receiver, &event, message);
        if (rc != 0)
            return rc == 1 ? 0 : rc;
        /* Events came, and no message: peek_until() alone would never look at the clock. */
        if (lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}

void lam_framed_receiver_free_buffer(struct lam_framed_receiver *receiver)
{
    /* The message in the buffer is the oldest that is held: nothing older was, when it was lent. */
    receiver->state &= ~(uint32_t)STATE_BUFFER_HELD;
}

int lam_framed_receiver_loss(
    const struct lam_framed_receiver *receiver, struct lam_framed_loss *loss)
{
    if ((receiver->state & STATE_LOSS) == 0)
        return 0;
    *loss = receiver->loss;
    return 1;
}
