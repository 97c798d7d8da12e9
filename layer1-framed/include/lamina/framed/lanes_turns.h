/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_LANES_TURNS_H
#define LAM_FRAMED_LANES_TURNS_H

/*
 * lamina/framed/lanes_turns.h: which lane is next.
 *
 * Framed, layer 1. Pure: numbers in, a lane out. Strict order, critical before high before low, but
 * for one bound. Where @max is K: while a message waits in a lane, at most K messages of higher
 * lanes are taken before the lane's own next one. For high these are critical ones, for low
 * critical and high ones together.
 *
 * Each of the two lower lanes counts what higher lanes had since its own turn. At K it is due: its
 * message comes next, or, where it has none, its count starts again. Of two that are due low comes
 * first: high does not count a low message, so both bounds hold.
 */

#include <stdint.h>

#include "lamina/base/inline.h"
#include "lamina/framed/lanes.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_lanes_turns {
    uint64_t left; /* so many messages in strict order, before a lower lane may be due */
    uint64_t passed[LAM_LANE_COUNT]; /* messages of higher lanes since a lane's own; [0] unused */
    uint64_t max;                    /* K; UINT64_MAX: strict order */
};

/* Work out anew how long strict order is right. */
LAM_INLINE void lam_lanes_turns_settle(struct lam_lanes_turns *turns)
{
    uint64_t high = turns->passed[LAM_LANE_HIGH];
    uint64_t low = turns->passed[LAM_LANE_LOW];

    turns->left = turns->max - (high > low ? high : low);
}

LAM_INLINE void lam_lanes_turns_init(struct lam_lanes_turns *turns, uint64_t turns_max)
{
    turns->passed[LAM_LANE_CRITICAL] = 0;
    turns->passed[LAM_LANE_HIGH] = 0;
    turns->passed[LAM_LANE_LOW] = 0;
    turns->max = turns_max == 0 ? UINT64_MAX : turns_max;
    lam_lanes_turns_settle(turns);
}

/* Whether strict order may not go on without lam_lanes_turns_choose(). One word: asked often. */
LAM_INLINE int lam_lanes_turns_may_be_due(const struct lam_lanes_turns *turns)
{
    return turns->left == 0;
}

/* A message of @lane was taken. After a choice, lam_lanes_turns_settle() comes next. */
LAM_INLINE void lam_lanes_turns_took(struct lam_lanes_turns *turns, enum lam_lane lane)
{
    turns->left--;
    if (lane == LAM_LANE_LOW) {
        turns->passed[LAM_LANE_LOW] = 0;
        return;
    }
    turns->passed[LAM_LANE_LOW]++;
    turns->passed[LAM_LANE_HIGH] = lane == LAM_LANE_HIGH ? 0 : turns->passed[LAM_LANE_HIGH] + 1;
}

/* @lane has nothing waiting: nobody goes before it. */
LAM_INLINE void lam_lanes_turns_forget(struct lam_lanes_turns *turns, enum lam_lane lane)
{
    turns->passed[lane] = 0;
}

/*
 * The lane to take from, where the bits of @waiting say which have a message (1 << lane). Forgets
 * what is due and not waiting. Returns LAM_LANE_COUNT where none is.
 */
LAM_INLINE enum lam_lane lam_lanes_turns_choose(struct lam_lanes_turns *turns, uint32_t waiting)
{
    for (int lane = LAM_LANE_LOW; lane > LAM_LANE_CRITICAL; lane--) {
        if (turns->passed[lane] < turns->max)
            continue;
        if ((waiting >> lane & 1) != 0)
            return (enum lam_lane)lane;
        lam_lanes_turns_forget(turns, (enum lam_lane)lane);
    }
    return waiting == 0 ? LAM_LANE_COUNT : (enum lam_lane)__builtin_ctz(waiting);
}

#ifdef __cplusplus
}
#endif

#endif
