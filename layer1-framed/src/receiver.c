/* SPDX-License-Identifier: Apache-2.0 */
/* The receiver's ends of life, and the rare parts of a receive. */
#include "lamina/framed/receiver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"

static int take_buffer(struct lam_framed_receiver *receiver,
    const struct lam_framed_receiver_options *options, struct lam_error *error)
{
    receiver->message_bytes_max = options->message_bytes_max;
    receiver->buffer = options->buffer;
    if (options->message_bytes_max == 0)
        return 0;
    if (receiver->buffer != NULL) {
        if ((uintptr_t)receiver->buffer % 16 != 0)
            return lam_error_set(error, -EINVAL,
                "the buffer for messages of frames is at %p: it must be aligned to 16 bytes",
                (void *)receiver->buffer);
        return 0;
    }
    receiver->buffer = malloc(options->message_bytes_max);
    if (receiver->buffer == NULL)
        return lam_error_set(error, -ENOMEM,
            "no memory for a buffer of message_bytes_max = %llu bytes: ask for less",
            (unsigned long long)options->message_bytes_max);
    receiver->owns_buffer = 1;
    return 0;
}

static void give_buffer(struct lam_framed_receiver *receiver)
{
    if (receiver->owns_buffer)
        free(receiver->buffer);
    receiver->owns_buffer = 0;
    receiver->buffer = NULL;
}

int lam_framed_receiver_attach(struct lam_framed_receiver *receiver, struct lam_ring *ring,
    const struct lam_framed_receiver_options *options, struct lam_error *error)
{
    int rc = 0;

    LAM_ASSERT(receiver != NULL && ring != NULL);
    memset(receiver, 0, sizeof(*receiver));
    if (options != NULL)
        rc = take_buffer(receiver, options, error);
    if (rc != 0)
        return rc;
    rc = lam_ring_consumer_attach(
        &receiver->consumer, ring, options != NULL ? &options->consumer : NULL, error);
    if (rc != 0) {
        give_buffer(receiver);
        return rc;
    }
    receiver->state = STATE_JOINING;
    receiver->released = receiver->consumer.next;
    return 0;
}

void lam_framed_receiver_detach(struct lam_framed_receiver *receiver)
{
    lam_ring_consumer_detach(&receiver->consumer);
    give_buffer(receiver);
}

static int next_event(struct lam_framed_receiver *receiver, struct lam_event *event)
{
    if ((receiver->state & STATE_AHEAD) != 0) {
        *event = receiver->ahead;
        receiver->state &= ~(uint32_t)STATE_AHEAD;
        return 1;
    }
    return lam_ring_consumer_try_peek(&receiver->consumer, event);
}

int lam_framed_receiver_proceed(
    struct lam_framed_receiver *receiver, struct lam_framed_message *message)
{
    uint64_t begin = receiver->released;
    struct lam_event event;
    int rc;

    receiver->state &= ~(uint32_t)STATE_LOSS;
    if ((receiver->state & STATE_POISONED) != 0)
        return -ENOTRECOVERABLE;
    /* One lap at most: a sender as fast as we are must not keep a try_ call from returning. */
    do {
        rc = next_event(receiver, &event);
        if (rc != 1)
            return lam_framed_receiver_ended(receiver, rc);
        rc = lam_framed_receiver_use(receiver, &event, message);
    } while (rc == 0 && event.end - begin < receiver->consumer.ring->depth);
    return rc;
}

int lam_framed_receiver_unwrap(struct lam_framed_receiver *receiver, const struct lam_event *event,
    struct lam_framed_message *message)
{
    receiver->ahead = *event;
    receiver->state |= STATE_AHEAD;
    return lam_framed_receiver_proceed(receiver, message);
}

int lam_framed_receiver_wait_until(
    struct lam_framed_receiver *receiver, uint64_t deadline_ns, struct lam_framed_message *message)
{
    for (;;) {
        struct lam_event event;
        int rc = lam_ring_consumer_peek_until(&receiver->consumer, deadline_ns, &event);

        if (rc != 0)
            return lam_framed_receiver_ended(receiver, rc);
        if (receiver->state == 0 && lam_framed_receiver_is_plain(&event)) {
            lam_framed_receiver_lend(&event, message);
            return 0;
        }
        rc = lam_framed_receiver_unwrap(receiver, &event, message);
        if (rc != 0)
            return rc == 1 ? 0 : rc;
        /* Events came, and no message: peek_until() alone would never look at the clock. */
        if (lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}

void lam_framed_receiver_free_buffer(
    struct lam_framed_receiver *receiver, const struct lam_framed_message *message)
{
    if ((int64_t)(message->end - receiver->stream_end) >= 0)
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
