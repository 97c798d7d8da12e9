/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_TAKE_H
#define LAM_FRAMED_TAKE_H

/*
 * lamina/framed/take.h: messages into memory of the caller's, and several in one call.
 *
 * Framed, layer 1. Same thread as the receiver's other calls; nothing here allocates.
 */

#include "lamina/framed/receiver.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Copy the next message to @buffer of @capacity bytes, without waiting. *@message is filled as by a
 * receive, its payload being @buffer; it is the caller's, and is not released. Its correlation is
 * lent until the next receive. Whatever is held of older messages is released, too. A receiver that
 * copies puts a message in place straight there.
 *
 * Returns as lam_framed_receiver_try_receive(), or
 *   -ENOSPC it has message->payload_bytes, more than @capacity; it is still the next one
 */
int lam_framed_receiver_try_take(struct lam_framed_receiver *receiver, void *buffer,
    uint64_t capacity, struct lam_framed_message *message);

/* The same, waiting until @deadline_ns. Returns 0, or an error, -ETIMEDOUT among them. */
int lam_framed_receiver_take_until(struct lam_framed_receiver *receiver, uint64_t deadline_ns,
    void *buffer, uint64_t capacity, struct lam_framed_message *message);

/*
 * Take all messages that are there, up to @count of them, without waiting: lent, as by as many
 * receives. One release of the last one releases all. It ends early where the next one asks for a
 * release first: so an answer of fewer than @count says nothing of what is there.
 *
 * Returns how many, or 0, or an error of lam_framed_receiver_try_receive(). An error behind a
 * message is told by the next call.
 */
int lam_framed_receiver_try_receive_batch(
    struct lam_framed_receiver *receiver, struct lam_framed_message *messages, uint32_t count);

/*
 * The same, waiting for the first one until @deadline_ns.
 *
 * Returns 1 or more, or an error, -ETIMEDOUT among them
 */
int lam_framed_receiver_receive_batch_until(struct lam_framed_receiver *receiver,
    uint64_t deadline_ns, struct lam_framed_message *messages, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
