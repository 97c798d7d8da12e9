/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_SRC_MANY_H
#define LAM_FRAMED_SRC_MANY_H

/*
 * many.h: shared by the files of one of many senders.
 */

#include "lamina/framed/many.h"

/* Where the claim in hand begins, behind its header. */
static inline uint8_t *lam_many_claim_at(const struct lam_framed_many *sender)
{
    const struct lam_ring_many_producer *producer = &sender->producer;

    return producer->cells + ((producer->start & producer->cell_mask) << producer->cell_shift) +
           LAM_EVENT_HEADER_BYTES;
}

/* Say that a message was given up, if that is owed. Returns 1, or as lam_ring_many_try_claim(). */
int lam_many_pay_cut(struct lam_framed_many *sender);

/* The same, waiting. Returns 0, or as lam_ring_many_claim_until(). */
int lam_many_pay_cut_until(struct lam_framed_many *sender, uint64_t deadline_ns);

#endif
