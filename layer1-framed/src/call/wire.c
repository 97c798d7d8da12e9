/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <errno.h>

int call_lost_one(
    const struct lam_framed_receiver *receiver, int rc, struct lam_framed_correlation *correlation)
{
    struct lam_framed_loss loss;

    *correlation = (struct lam_framed_correlation){0, 0};
    if (rc != -ECANCELED && rc != -EMSGSIZE && rc != -EBADMSG && rc != -EUSERS)
        return 0;
    if (!lam_framed_receiver_loss(receiver, &loss))
        return 0;
    if ((loss.flags & LAM_EVENT_CORRELATION) != 0)
        *correlation = loss.correlation;
    return 1;
}

/* Spreads what differs in few bits over all. */
static uint64_t mix(uint64_t word)
{
    word ^= word >> 33;
    word *= UINT64_C(0xff51afd7ed558ccd);
    word ^= word >> 33;
    word *= UINT64_C(0xc4ceb9fe1a85ec53);
    return word ^ word >> 33;
}

uint64_t call_new_scope(const struct lam_framed_sender *sender, uint32_t number)
{
    const struct lam_ring_producer *producer = &sender->producer;

    /*
     * The ring's id is random, and each producer of it has another epoch: only a second caller
     * over the same sender needs the clock to differ.
     */
    return (uint64_t)number << 32 |
           (mix(producer->ring->ring_id ^ mix(producer->epoch ^ mix(lam_clock_now_ns()))) >> 32);
}
