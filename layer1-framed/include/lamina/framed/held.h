/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_HELD_H
#define LAM_FRAMED_HELD_H

/*
 * lamina/framed/held.h: messages that are held together and finished in any order.
 *
 * Framed, layer 1. A release on a channel covers all before it. This keeps the messages of one
 * receiver in the order in which they came, and releases each as soon as it and all before it are
 * finished. Nothing shared, no memory of its own, one thread at a time.
 */

#include <stdint.h>

#include "lamina/framed/receiver.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_held_message {
    /* Fields are private. */
    uint64_t end;
    uint64_t finished;
};

struct lam_held {
    /* Fields are private. */
    struct lam_framed_receiver *receiver;
    struct lam_held_message *messages; /* the caller's */
    uint64_t mask;
    uint64_t oldest; /* places are numbered on and on */
    uint64_t next;
};

/*
 * Hold messages of @receiver in @messages, @count of them, a power of two. All three are kept. No
 * message may be released but through here.
 */
void lam_held_init(struct lam_held *held, struct lam_framed_receiver *receiver,
    struct lam_held_message *messages, uint32_t count);

/* How many places are taken: by messages not finished, or that wait for one before them. */
LAM_INLINE uint64_t lam_held_count(const struct lam_held *held)
{
    return held->next - held->oldest;
}

/* 1: one must be finished, the oldest best, before another one can be kept. */
LAM_INLINE int lam_held_is_full(const struct lam_held *held)
{
    return lam_held_count(held) > held->mask;
}

/*
 * Hold @message, received last; there must be a free place. Returns its place, for
 * lam_held_finish().
 */
uint64_t lam_held_keep(struct lam_held *held, const struct lam_framed_message *message);

/*
 * Finished with the message at @place. Returns as lam_framed_receiver_release(), where it released.
 */
int lam_held_finish(struct lam_held *held, uint64_t place);

/* Finished with all that are held. Returns likewise. */
int lam_held_finish_all(struct lam_held *held);

/* @message, received last, is not held: finished at once. Takes no place. Returns likewise. */
int lam_held_pass(struct lam_held *held, const struct lam_framed_message *message);

#ifdef __cplusplus
}
#endif

#endif
