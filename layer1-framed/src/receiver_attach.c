/* SPDX-License-Identifier: Apache-2.0 */
/* A receiver's life: its buffers, if it takes messages of frames or copies, and its place. */
#include "lamina/framed/receiver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"

static int check(const struct lam_framed_receiver_options *options, struct lam_error *error)
{
    if (options->message_bytes_max > LAM_FRAMED_MESSAGE_BYTES_MAX)
        return lam_error_set(error, -EINVAL, "message_bytes_max is %llu: at most %llu",
            (unsigned long long)options->message_bytes_max,
            (unsigned long long)LAM_FRAMED_MESSAGE_BYTES_MAX);
    if (options->streams_max > LAM_FRAMED_STREAMS_MAX)
        return lam_error_set(error, -EINVAL, "streams_max is %u: at most %d", options->streams_max,
            LAM_FRAMED_STREAMS_MAX);
    if ((uintptr_t)options->buffer % 16 != 0)
        return lam_error_set(error, -EINVAL,
            "the buffer for messages of frames is at %p: it must be aligned to 16 bytes",
            options->buffer);
    return 0;
}

static int take_buffers(struct lam_framed_receiver *receiver,
    const struct lam_framed_receiver_options *options, struct lam_error *error)
{
    uint64_t bytes = lam_framed_buffer_bytes(options->message_bytes_max, receiver->streams_max);

    receiver->message_bytes_max = options->message_bytes_max;
    receiver->buffer = options->buffer;
    if (options->message_bytes_max != 0 && receiver->buffer == NULL) {
        receiver->buffer = malloc(bytes);
        if (receiver->buffer == NULL)
            return lam_error_set(error, -ENOMEM,
                "no memory for %u of message_bytes_max = %llu bytes: ask for less",
                receiver->streams_max, (unsigned long long)options->message_bytes_max);
        receiver->owns_buffer = 1;
    }
    receiver->assemblies = &receiver->one;
    if (receiver->streams_max > 1)
        receiver->assemblies = calloc(receiver->streams_max, sizeof(*receiver->assemblies));
    if (receiver->assemblies == NULL)
        return lam_error_set(
            error, -ENOMEM, "no memory for %u messages of frames at once", receiver->streams_max);
    for (uint32_t i = 0; receiver->buffer != NULL && i < receiver->streams_max; i++)
        receiver->assemblies[i].buffer = receiver->buffer + i * (bytes / receiver->streams_max);
    return 0;
}

static int take_scratch(struct lam_framed_receiver *receiver, const struct lam_ring *ring,
    const struct lam_framed_receiver_options *options, struct lam_error *error)
{
    if (!options->copies && options->consumer.policy != LAM_RING_LOSSY)
        return 0;
    receiver->scratch_bytes = lam_ring_payload_bytes_max(ring);
    receiver->scratch = malloc(receiver->scratch_bytes);
    if (receiver->scratch == NULL)
        return lam_error_set(error, -ENOMEM,
            "ring %s: no memory for a copy of half the ring, %llu bytes", ring->name,
            (unsigned long long)receiver->scratch_bytes);
    receiver->state |= STATE_COPIES;
    return 0;
}

static void give_memory(struct lam_framed_receiver *receiver)
{
    if (receiver->owns_buffer)
        free(receiver->buffer);
    if (receiver->assemblies != &receiver->one)
        free(receiver->assemblies);
    free(receiver->scratch);
    receiver->owns_buffer = 0;
    receiver->buffer = NULL;
    receiver->assemblies = &receiver->one;
    receiver->scratch = NULL;
}

int lam_framed_receiver_attach(struct lam_framed_receiver *receiver, struct lam_ring *ring,
    const struct lam_framed_receiver_options *options, struct lam_error *error)
{
    static const struct lam_framed_receiver_options defaults = {.message_bytes_max = 0};
    int rc;

    LAM_ASSERT(receiver != NULL && ring != NULL);
    memset(receiver, 0, sizeof(*receiver));
    receiver->consumer.lock.fd = -1; /* a detach after a refusal below does nothing */
    if (options == NULL)
        options = &defaults;
    rc = check(options, error);
    if (rc != 0)
        return rc;
    receiver->streams_max = options->streams_max != 0 ? options->streams_max : 1;
    receiver->is_many = ring->producers == LAM_RING_MANY_PRODUCERS;
    rc = take_buffers(receiver, options, error);
    if (rc == 0)
        rc = take_scratch(receiver, ring, options, error);
    if (rc == 0)
        rc = lam_ring_consumer_attach(&receiver->consumer, ring, &options->consumer, error);
    if (rc != 0) {
        give_memory(receiver);
        return rc;
    }
    receiver->state |= STATE_JOINING | (options->is_checked ? STATE_CHECKED : 0);
    if (receiver->is_many)
        receiver->state |= STATE_MANY;
    receiver->released = receiver->consumer.next;
    receiver->lent_end = receiver->released;
    return 0;
}

void lam_framed_receiver_detach(struct lam_framed_receiver *receiver)
{
    lam_ring_consumer_detach(&receiver->consumer);
    give_memory(receiver);
}
