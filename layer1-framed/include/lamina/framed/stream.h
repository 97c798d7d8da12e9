/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_STREAM_H
#define LAM_FRAMED_STREAM_H

/*
 * lamina/framed/stream.h: a message sent piece by piece, as frames.
 *
 * Framed, layer 1. For messages that do not fit half the ring, or are never in one place. Open the
 * stream with the message's size, then claim, write and commit pieces until the size is reached:
 * each piece is a frame, and the last one completes the message. It can be given up in between. A
 * stream never waits for room to say so: one cell is kept free for that.
 *
 * Same thread as the sender's other calls, and no other message while a stream is open.
 */

#include "lamina/framed/sender.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Begin a message of @total_bytes. Nothing is published yet. @correlation is copied; NULL for none.
 * It carries the extensions of the sender's options; the time is that of its first piece's commit.
 *
 * Returns 0, or
 *   -EINVAL   @total_bytes is 0: an empty message is no stream
 *   -EMSGSIZE more than the sender's message_bytes_max, or the ring is too small for frames
 *             (fewer than 4 cells, or a quarter of it is less than 128 bytes)
 */
int lam_framed_sender_open_stream(struct lam_framed_sender *sender, uint64_t total_bytes,
    uint16_t kind, const struct lam_framed_correlation *correlation);

/* 1 while a stream is open: a message was begun and is neither complete nor cancelled. */
LAM_INLINE int lam_framed_sender_is_streaming(const struct lam_framed_sender *sender)
{
    return sender->stream.bytes_total != 0;
}

/*
 * Claim the next piece, without waiting. *@piece_bytes is how many bytes it holds, as many as the
 * message and a frame have left; *@piece is borrowed until it is committed or the stream cancelled.
 *
 * Returns 1; 0 the ring is full (lam_framed_sender_blocker()); or -EPIPE or -ENOTRECOVERABLE as
 * lam_framed_sender_try_claim()
 */
int lam_framed_sender_try_claim_piece(
    struct lam_framed_sender *sender, void **piece, uint64_t *piece_bytes);

/* The same, waiting until @deadline_ns. Returns 0, or an error, -ETIMEDOUT among them. */
int lam_framed_sender_claim_piece_until(
    struct lam_framed_sender *sender, uint64_t deadline_ns, void **piece, uint64_t *piece_bytes);

/*
 * Publish the claimed piece, with @piece_bytes of it written: 1 or more, no more than were claimed.
 * The piece that reaches the message's size closes the stream. Wait-free.
 */
void lam_framed_sender_commit_piece(struct lam_framed_sender *sender, uint64_t piece_bytes);

/*
 * Give the open stream up, and a claimed piece with it. Receivers get -ECANCELED for the message;
 * where no piece was committed they see nothing. Wait-free.
 */
void lam_framed_sender_cancel_stream(struct lam_framed_sender *sender);

#ifdef __cplusplus
}
#endif

#endif
