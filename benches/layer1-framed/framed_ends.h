/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_FRAMED_ENDS_H
#define LAM_BENCH_FRAMED_ENDS_H

/*
 * framed_ends.h: the two rings of a lane, and what one side has of them as a channel of layer 1.
 */

#include "lamina/framed/framed.h"

#include "layers.h"
#include "rings.h"

struct framed_ends {
    struct bench_rings rings;
    struct lam_framed_sender sender;
    struct lam_framed_receiver receiver;
};

static inline int framed_ends_create(struct framed_ends *ends, const struct bench_lane *lane)
{
    struct lam_ring_options options = {.waiting = LAM_RING_SPIN_ONLY};

    return bench_rings_create(&ends->rings, &lane->shape, &options);
}

static inline int framed_ends_attach(
    struct framed_ends *ends, uint32_t side, enum lam_wait_mode wait)
{
    struct lam_framed_sender_options sender = {.producer.wait = wait};
    struct lam_framed_receiver_options receiver = {
        .consumer = {.start = LAM_RING_HEAD, .wait = wait}};
    struct lam_error error = {""};
    struct lam_ring *out, *in;
    int rc = bench_rings_take(&ends->rings, side, &out, &in);

    /* Who yields is short of CPUs: a spin before it would only be in the way. */
    if (wait == LAM_WAIT_YIELD)
        sender.producer.spin_ns = receiver.consumer.spin_ns = 1;
    if (rc == 0 && out != NULL)
        rc = lam_framed_sender_attach(&ends->sender, out, &sender, &error);
    if (rc == 0)
        rc = lam_framed_receiver_attach(&ends->receiver, in, &receiver, &error);
    return bench_said(rc, &error);
}

static inline void framed_ends_detach(struct framed_ends *ends, uint32_t side)
{
    lam_framed_receiver_detach(&ends->receiver);
    if (side <= 1) {
        lam_framed_sender_close(&ends->sender);
        lam_framed_sender_detach(&ends->sender);
    }
    bench_rings_leave(&ends->rings);
}

#endif
