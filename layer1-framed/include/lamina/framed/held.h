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

/* Private: all up to @end is given back. */
LAM_INLINE int lam_held_release_to(struct lam_held *held, uint64_t end)
{
    const struct lam_framed_message message = {NULL, 0, 0, end, NULL, 0, 0, 0};

    /* It was in a buffer, or the receiver was readmitted: its cells went back before. */
    if (__builtin_expect((int64_t)(end - held->receiver->released) <= 0, 0)) {
        lam_framed_receiver_free(held->receiver, end);
        return 0;
    }
    return lam_framed_receiver_release(held->receiver, &message);
}

/*
 * Hold @message, received last; there must be a free place. Returns its place, for
 * lam_held_finish().
 */
LAM_INLINE uint64_t lam_held_keep(struct lam_held *held, const struct lam_framed_message *message)
{
    struct lam_held_message *place = &held->messages[held->next & held->mask];

    LAM_ASSERT(!lam_held_is_full(held));
    place->end = message->end;
    place->finished = 0;
    return held->next++;
}

/*
 * Finished with the message at @place. Returns as lam_framed_receiver_release(), where it released.
 */
LAM_INLINE int lam_held_finish(struct lam_held *held, uint64_t place)
{
    uint64_t end = 0;

    /* One that is held: neither given back already nor never kept. */
    LAM_ASSERT(place - held->oldest < held->next - held->oldest);
    LAM_ASSERT(!held->messages[place & held->mask].finished);
    held->messages[place & held->mask].finished = 1;
    if (place != held->oldest)
        return 0;
    do {
        end = held->messages[held->oldest++ & held->mask].end;
    } while (held->oldest != held->next && held->messages[held->oldest & held->mask].finished);
    return lam_held_release_to(held, end);
}

/* Finished with all that are held. Returns likewise. */
int lam_held_finish_all(struct lam_held *held);

/* @message, received last, is not held: finished at once. Takes no place. Returns likewise. */
int lam_held_pass(struct lam_held *held, const struct lam_framed_message *message);

#ifdef __cplusplus
}
#endif

#endif
