/* SPDX-License-Identifier: Apache-2.0 */
/* A receiver's life: its buffer, if it takes messages of frames, and its place on the ring. */
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
    if (options->message_bytes_max > LAM_FRAMED_MESSAGE_BYTES_MAX)
        return lam_error_set(error, -EINVAL, "message_bytes_max is %llu: at most %llu",
            (unsigned long long)options->message_bytes_max,
            (unsigned long long)LAM_FRAMED_MESSAGE_BYTES_MAX);
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
    receiver->consumer.lock.fd = -1; /* a detach after a refusal below does nothing */
    if (options != NULL && options->consumer.policy == LAM_RING_LOSSY)
        return lam_error_set(error, -EINVAL,
            "ring %s: a lossy receiver: messages are lent where they lie, and a sender that does "
            "not wait would overwrite them",
            ring->name);
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
