/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_REQUIRED_H
#define LAM_FRAMED_REQUIRED_H

/*
 * lamina/framed/required.h: receivers that a sender cannot do without.
 *
 * Framed, layer 1. As lamina/ring/required.h, of messages. When a required receiver stays away for
 * longer than it may, the policy says what follows, and no message is left without an end: one that
 * was on its way in frames is cut (receivers get -ECANCELED for it), or sent to its end. To wait
 * for receivers before anything is overwritten, see await_count and await_names of
 * lam_ring_producer_options, which a sender's options hold.
 *
 * All calls by the sender's thread.
 */

#include "lamina/framed/stream.h"
#include "lamina/ring/required.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From now on these receivers are required. As lam_ring_producer_require(). */
LAM_INLINE int lam_framed_sender_require(struct lam_framed_sender *sender,
    struct lam_ring_required *required, const struct lam_ring_required_options *options,
    struct lam_error *error)
{
    return lam_ring_producer_require(&sender->producer, required, options, error);
}

/* Look at them now. As lam_ring_producer_check(). */
LAM_INLINE int lam_framed_sender_check(struct lam_framed_sender *sender)
{
    return lam_ring_producer_check(&sender->producer);
}

/*
 * End the channel as failed, for @reason: receivers get -ECANCELED once they have taken the last
 * message; an open stream is cancelled first. As lam_ring_producer_fail().
 */
LAM_INLINE void lam_framed_sender_fail(struct lam_framed_sender *sender, const char *reason)
{
    if (lam_framed_sender_is_streaming(sender))
        lam_framed_sender_cancel_stream(sender);
    lam_ring_producer_fail(&sender->producer, reason);
}

#ifdef __cplusplus
}
#endif

#endif
