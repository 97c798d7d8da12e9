/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_TURNS_H
#define LAM_FRAMED_TURNS_H

/*
 * lamina/framed/turns.h: whose turn it is, among up to 64 that want something.
 *
 * Framed, layer 1. Deficit round robin, in whatever unit costs are told: messages or bytes. Pure:
 * no channel, no clock. Each member has a weight; a turn lasts until what it has cost uses up its
 * weight, and what went beyond is taken off its later turns. With all weights 1 and all costs 1 it
 * is round robin, and nobody waits longer than one message of each other.
 */

#include <stdint.h>

#include "lamina/base/assert.h"
#include "lamina/base/inline.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_TURNS_MEMBER_COUNT_MAX 64
#define LAM_TURNS_WEIGHT_MAX       (UINT32_C(1) << 30)
#define LAM_TURNS_NONE             UINT32_MAX

struct lam_turns {
    /* Fields are private. */
    uint64_t members;                           /* bit a member */
    uint32_t current;                           /* whose turn it is, or was */
    int64_t credit[LAM_TURNS_MEMBER_COUNT_MAX]; /* what is left of a turn; below 0 overdrawn */
    uint32_t weight[LAM_TURNS_MEMBER_COUNT_MAX];
};

/* Nobody is there. */
void lam_turns_init(struct lam_turns *turns);

/* @index, below 64, comes with @weight, 1 to LAM_TURNS_WEIGHT_MAX. */
void lam_turns_add(struct lam_turns *turns, uint32_t index, uint32_t weight);

/* @index goes. */
void lam_turns_remove(struct lam_turns *turns, uint32_t index);

/*
 * Who is served next, of those in @ready (a bit each). Who is not ready when its turn comes, or
 * in the middle of it, loses it, and what it has saved, not what it owes. Some steps for each
 * member, however much is owed.
 *
 * Returns its index, or LAM_TURNS_NONE: no member is ready
 */
uint32_t lam_turns_next(struct lam_turns *turns, uint64_t ready);

/* @index was served, and it cost @cost: 1 for a message, or its bytes. */
void lam_turns_charge(struct lam_turns *turns, uint32_t index, uint64_t cost);

/* @index gives the rest of its turn up. */
void lam_turns_pass(struct lam_turns *turns, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
