/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_FRAMED_CHANNEL_H
#define LAM_TEST_FRAMED_CHANNEL_H

/*
 * channel.h: a channel of one process for the tests of layer 1, and messages whose every byte is
 * known. Failures of what is no test's subject abort.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/framed/framed.h"

#define CHANNEL_MESSAGE_BYTES_MAX (UINT64_C(1) << 20)

struct channel {
    struct lam_ring ring;
    struct lam_framed_sender sender;
    struct lam_framed_receiver receiver;
};

static inline uint64_t soon(void)
{
    return lam_deadline_after_ns(5 * LAM_NS_PER_S);
}

/* How many times its usual size a suite is to have. */
static inline uint64_t effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");

    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

static inline void channel_fail(const struct lam_error *error)
{
    (void)fprintf(stderr, "%s\n", error->text);
    abort();
}

static inline void channel_make_ring_of(
    struct lam_ring *ring, uint64_t depth, uint32_t cell_bytes, uint64_t first_sequence)
{
    struct lam_ring_options options = {.name = "framed-test",
        .depth = depth,
        .cell_bytes = cell_bytes,
        .first_sequence = first_sequence};
    struct lam_error error = {""};

    if (lam_ring_create(ring, &options, &error) != 0)
        channel_fail(&error);
}

static inline void channel_make_ring(struct lam_ring *ring, uint64_t depth, uint64_t first_sequence)
{
    channel_make_ring_of(ring, depth, 64, first_sequence);
}

static inline void channel_attach_sender(struct channel *channel)
{
    struct lam_framed_sender_options options = {.message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX};
    struct lam_error error = {""};

    if (lam_framed_sender_attach(&channel->sender, &channel->ring, &options, &error) != 0)
        channel_fail(&error);
}

static inline void channel_attach_receiver(
    struct channel *channel, uint64_t message_bytes_max, enum lam_ring_start start)
{
    struct lam_framed_receiver_options options = {
        .message_bytes_max = message_bytes_max, .consumer.start = start};
    struct lam_error error = {""};

    if (lam_framed_receiver_attach(&channel->receiver, &channel->ring, &options, &error) != 0)
        channel_fail(&error);
}

/* A ring of @depth cells of 64 bytes, its sender, and a receiver of every message. */
static inline void channel_open(struct channel *channel, uint64_t depth)
{
    channel_make_ring(&channel->ring, depth, 0);
    channel_attach_sender(channel);
    channel_attach_receiver(channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
}

static inline void channel_close(struct channel *channel)
{
    lam_framed_receiver_detach(&channel->receiver);
    lam_framed_sender_detach(&channel->sender);
    (void)lam_ring_destroy(&channel->ring);
}

/* The byte at @offset of message number @number. */
static inline uint8_t known_byte(uint64_t number, uint64_t offset)
{
    uint64_t mixed =
        (number * UINT64_C(0x9e3779b97f4a7c15)) ^ (offset * UINT64_C(0xff51afd7ed558ccd));

    return (uint8_t)(mixed >> 32);
}

static inline void known_fill(void *to, uint64_t number, uint64_t offset, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = known_byte(number, offset + i);
}

static inline int known_matches(const void *from, uint64_t number, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++)
        if (((const uint8_t *)from)[i] != known_byte(number, i))
            return 0;
    return 1;
}

/* Send message @number of @bytes, in place. Returns as lam_framed_sender_try_claim(). */
static inline int known_try_send(struct lam_framed_sender *sender, uint64_t number, uint64_t bytes)
{
    void *payload;
    int rc = lam_framed_sender_try_claim(sender, bytes, &payload);

    if (rc == 1) {
        known_fill(payload, number, 0, bytes);
        lam_framed_sender_commit(sender, bytes, (uint16_t)(number & 0x7fff));
    }
    return rc;
}

/* Send the next piece of the open stream of message @number. Returns as try_claim_piece(). */
static inline int known_try_piece(struct lam_framed_sender *sender, uint64_t number)
{
    uint64_t offset = sender->stream.bytes_sent;
    uint64_t piece_bytes;
    void *piece;
    int rc = lam_framed_sender_try_claim_piece(sender, &piece, &piece_bytes);

    if (rc == 1) {
        known_fill(piece, number, offset, piece_bytes);
        lam_framed_sender_commit_piece(sender, piece_bytes);
    }
    return rc;
}

/* Is *@message message @number of @bytes, byte for byte? */
static inline int known_is(
    const struct lam_framed_message *message, uint64_t number, uint64_t bytes)
{
    return message->payload_bytes == bytes && message->kind == (uint16_t)(number & 0x7fff) &&
           (uintptr_t)message->payload % 16 == 0 && known_matches(message->payload, number, bytes);
}

/* Receive message @number, check and release it. Returns 1 it is right, 0 none came, or -errno. */
static inline int known_try_receive(
    struct lam_framed_receiver *receiver, uint64_t number, uint64_t bytes)
{
    struct lam_framed_message message = {.payload = NULL};
    int rc = lam_framed_receiver_try_receive(receiver, &message);

    if (rc != 1)
        return rc;
    rc = known_is(&message, number, bytes);
    lam_framed_receiver_release(receiver, &message);
    return rc ? 1 : -EBADMSG;
}

/* Send message @number of @bytes, in place or in frames, and receive it. Returns 1 it is right. */
static inline int known_round(struct channel *channel, uint64_t number, uint64_t bytes)
{
    int rc = known_try_send(&channel->sender, number, bytes);

    if (rc == 1)
        return known_try_receive(&channel->receiver, number, bytes);
    if (rc != -EMSGSIZE)
        return -EIO;
    rc = lam_framed_sender_open_stream(&channel->sender, bytes, (uint16_t)(number & 0x7fff), NULL);
    if (rc != 0)
        return rc;
    do {
        while (lam_framed_sender_is_streaming(&channel->sender))
            if (known_try_piece(&channel->sender, number) != 1)
                break;
        rc = known_try_receive(&channel->receiver, number, bytes);
    } while (rc == 0);
    return rc;
}

#endif
