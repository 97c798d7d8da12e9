/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_MANY_H
#define LAM_FRAMED_MANY_H

/*
 * lamina/framed/many.h: one of up to 64 senders of one channel.
 *
 * Framed, layer 1. On a ring that was created with LAM_RING_MANY_PRODUCERS, senders in any threads
 * and processes send into one order. The receivers are those of any channel; frames of different
 * senders come interleaved, so a receiver needs as many streams_max as there are messages of frames
 * at once, or is told of those that it had no buffer for. What lamina/ring/many.h says of claims,
 * pauses and deaths holds here.
 *
 * Take lamina/framed/sender.h where there is one sender: its messages cost less, and giving one up
 * never waits.
 *
 * All calls on one sender from one thread at a time; nothing here allocates.
 */

#include <sys/uio.h>

#include "lamina/framed/message.h"
#include "lamina/framed/sender.h"
#include "lamina/ring/many.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fields as in lam_framed_sender_options. */
struct lam_framed_many_options {
    struct lam_ring_many_options producer;
    uint64_t message_bytes_max;
    uint16_t extensions;
};

struct lam_framed_many {
    /* Fields are private. */
    struct lam_ring_many_producer producer;
    struct lam_framed_outgoing stream;
    uint32_t extensions;
    uint32_t extension_flags; /* of the claim in hand */
    uint32_t owes_cut;        /* a message was given up, and the ring had no room to say so */
};

/*
 * Become one of the senders of the channel @ring, which is kept until lam_framed_many_detach().
 * @options may be NULL.
 *
 * Returns as lam_ring_many_attach(), or -EINVAL as lam_framed_sender_attach()
 */
int lam_framed_many_attach(struct lam_framed_many *sender, struct lam_ring *ring,
    const struct lam_framed_many_options *options, struct lam_error *error);

/*
 * This sender sends no more: as lam_ring_many_close(). A claim is aborted, an open stream is
 * cancelled; where the ring has no room to say so, receivers find it out by the close.
 */
void lam_framed_many_close(struct lam_framed_many *sender);

/* Give the end back. What it leaves unfinished, receivers are told of. */
void lam_framed_many_detach(struct lam_framed_many *sender);

/*
 * Claim room for one message of up to @payload_bytes, without waiting, with *@correlation, unless
 * it is NULL, and with the extensions of the options. *@payload is borrowed until commit or abort,
 * and holds all later messages of others back.
 *
 * Returns as lam_ring_many_try_claim()
 */
int lam_framed_many_try_claim(struct lam_framed_many *sender, uint64_t payload_bytes,
    const struct lam_framed_correlation *correlation, void **payload);

/* The same, waiting until @deadline_ns. Returns as lam_ring_many_claim_until(). */
int lam_framed_many_claim_until(struct lam_framed_many *sender, uint64_t payload_bytes,
    const struct lam_framed_correlation *correlation, uint64_t deadline_ns, void **payload);

/* Publish the claimed message. As lam_framed_sender_commit(). */
void lam_framed_many_commit(struct lam_framed_many *sender, uint64_t payload_bytes, uint16_t kind);

/* Give a claim back. Its cells are used up all the same. Wait-free. */
void lam_framed_many_abort(struct lam_framed_many *sender);

/* As lam_framed_sender_try_send() and lam_framed_sender_send_until(). */
int lam_framed_many_try_send(struct lam_framed_many *sender, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, const struct lam_framed_correlation *correlation);
int lam_framed_many_send_until(struct lam_framed_many *sender, const struct iovec *parts,
    uint32_t part_count, uint16_t kind, const struct lam_framed_correlation *correlation,
    uint64_t deadline_ns);

/* A message piece by piece: as lamina/framed/stream.h, and no other message while it is open. */
int lam_framed_many_open_stream(struct lam_framed_many *sender, uint64_t total_bytes, uint16_t kind,
    const struct lam_framed_correlation *correlation);
int lam_framed_many_try_claim_piece(
    struct lam_framed_many *sender, void **piece, uint64_t *piece_bytes);
int lam_framed_many_claim_piece_until(
    struct lam_framed_many *sender, uint64_t deadline_ns, void **piece, uint64_t *piece_bytes);
void lam_framed_many_commit_piece(struct lam_framed_many *sender, uint64_t piece_bytes);

/*
 * Give the open stream up. Receivers get -ECANCELED for the message: at once if the ring has room,
 * else before this sender's next message, or when it closes. Wait-free.
 */
void lam_framed_many_cancel_stream(struct lam_framed_many *sender);

/* 1 while a stream is open. */
LAM_INLINE int lam_framed_many_is_streaming(const struct lam_framed_many *sender)
{
    return sender->stream.bytes_total != 0 && !sender->owes_cut;
}

#ifdef __cplusplus
}
#endif

#endif
