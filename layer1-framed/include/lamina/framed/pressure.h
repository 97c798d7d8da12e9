/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_PRESSURE_H
#define LAM_FRAMED_PRESSURE_H

/*
 * lamina/framed/pressure.h: how hard a lane is pressed, from 0 to 1, seen by both ends.
 *
 * Framed, layer 1. In thousandths. A lane's level is the larger of two: how much of its ring its
 * slowest gating receiver has not released, worked out from the cursors, and the highest demand of
 * its receivers, who may want the sender to hold back for reasons of their own. Nothing keeps a
 * count of its own, so that the level cannot drift from what is there.
 */

#include <stdint.h>

#include "lamina/framed/lanes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_PRESSURE_FULL        1000
#define LAM_PRESSURE_MAX_DEFAULT 800

/* What a send does about a lane above the sender's pressure_max. */
enum lam_pressure_answer {
    LAM_PRESSURE_IGNORE = 0,  /* nothing: only a full lane holds it back */
    LAM_PRESSURE_REJECT = 1,  /* it fails: -ECANCELED */
    LAM_PRESSURE_WAIT = 2,    /* it waits until that is over, as for room */
    LAM_PRESSURE_DEGRADE = 3, /* it takes the next lower lane that is not; or else waits */
};

struct lam_pressure {
    uint32_t level;  /* per mille: the larger of the two */
    uint32_t fill;   /* of the ring's cells, less the one that stays free */
    uint32_t demand; /* of the receivers */
};

/* What sends have met with, one by one. */
struct lam_pressure_counts {
    uint64_t pressed;  /* found their lane above pressure_max: were refused, waited, or degraded */
    uint64_t degraded; /* of those, the ones that went by a lower lane */
};

/*
 * The pressure of one lane. Any process that has it mapped, read-only too. Walks about a sixteenth
 * of the ring. Lock-free; a figure that moves meanwhile is right at some moment.
 *
 * Returns 0, or
 *   -EPROTO the ring makes no sense
 */
int lam_lanes_pressure(
    const struct lam_lanes *lanes, enum lam_lane lane, struct lam_pressure *pressure);

struct lam_lanes_sender;
struct lam_lanes_receiver;

/* The same, by the sender's thread: exact, without a walk over the ring. */
void lam_lanes_sender_pressure(
    const struct lam_lanes_sender *sender, enum lam_lane lane, struct lam_pressure *pressure);

/*
 * Ask the sender of @lane to hold back as though the lane were @per_mille full; 0: no longer. It
 * counts until this receiver leaves, or is found dead. Who sends without an answer to pressure does
 * not mind. The receiver's thread. Wait-free; one system call if a sender sleeps on it.
 *
 * Returns 0, or
 *   -EINVAL above LAM_PRESSURE_FULL
 */
int lam_lanes_receiver_demand(
    struct lam_lanes_receiver *receiver, enum lam_lane lane, uint32_t per_mille);

#ifdef __cplusplus
}
#endif

#endif
