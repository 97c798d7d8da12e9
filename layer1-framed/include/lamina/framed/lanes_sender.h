/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_LANES_SENDER_H
#define LAM_FRAMED_LANES_SENDER_H

/*
 * lamina/framed/lanes_sender.h: the end of three lanes that sends.
 *
 * Framed, layer 1. A claim takes the lane that it names. A send may also mind the lane's pressure
 * (lamina/framed/pressure.h): refuse, wait, or take a lower lane. Messages of one lane arrive in
 * their order; between lanes there is none but urgency.
 *
 * All calls from one thread at a time. The inline ones make no system call, except to wake a
 * receiver that sleeps, and nothing here allocates once attached.
 */

#include "lamina/framed/lanes.h"
#include "lamina/framed/pressure.h"
#include "lamina/framed/sender.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lam_lanes_sender_options {
    struct lam_framed_sender_options sender; /* of each lane */
    enum lam_pressure_answer answer;         /* of sends, to a lane above pressure_max */
    uint32_t pressure_max;                   /* per mille; 0 for LAM_PRESSURE_MAX_DEFAULT */
    struct lam_pressure_counts *counts;      /* what to add to, kept; NULL: nothing is counted */
};

struct lam_lanes_sender {
    /* Each lane's own sender: its other calls (streams, batches, extensions) may be used, too. */
    struct lam_framed_sender lanes[LAM_LANE_COUNT];
    /* The rest is private. */
    uint64_t calm_until[LAM_LANE_COUNT]; /* no event that begins below it can press its lane */
    uint64_t calm_cells[LAM_LANE_COUNT]; /* at most so many cells in use are no pressure */
    enum lam_pressure_answer answer;
    uint32_t pressure_max;
    struct lam_pressure_counts *counts;
};

/*
 * Become the sender of all three lanes, kept until lam_lanes_sender_detach(). @options may be NULL.
 * On error those that were taken before are closed again.
 *
 * Returns as lam_framed_sender_attach() of one of them, whose name @error has, or
 *   -EINVAL there is no such answer, or pressure_max is above LAM_PRESSURE_FULL
 */
int lam_lanes_sender_attach(struct lam_lanes_sender *sender, struct lam_lanes *lanes,
    const struct lam_lanes_sender_options *options, struct lam_error *error);

/* Close all lanes in order, low first. Claims are aborted, open streams cancelled. */
void lam_lanes_sender_close(struct lam_lanes_sender *sender);

/* Give the end back. Without a close before, receivers see a sender that died. */
void lam_lanes_sender_detach(struct lam_lanes_sender *sender);

/* Wait until each lane has at least @count receivers. Returns 0, -ETIMEDOUT or -EINVAL. */
int lam_lanes_sender_wait_receivers_until(
    struct lam_lanes_sender *sender, uint32_t count, uint64_t deadline_ns);

/*
 * Claim room in @lane for one message, without waiting; whatever its pressure is. One claim a lane
 * at a time. Returns as lam_framed_sender_try_claim(): 0 where that lane is full.
 */
LAM_INLINE int lam_lanes_sender_try_claim(
    struct lam_lanes_sender *sender, enum lam_lane lane, uint64_t payload_bytes, void **payload)
{
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    return lam_framed_sender_try_claim(&sender->lanes[lane], payload_bytes, payload);
}

/* The same, waiting for room in that lane. As lam_framed_sender_claim_until(). */
LAM_INLINE int lam_lanes_sender_claim_until(struct lam_lanes_sender *sender, enum lam_lane lane,
    uint64_t payload_bytes, uint64_t deadline_ns, void **payload)
{
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    return lam_framed_sender_claim_until(&sender->lanes[lane], payload_bytes, deadline_ns, payload);
}

/* Publish the message that is claimed in @lane. As lam_framed_sender_commit(). */
LAM_INLINE void lam_lanes_sender_commit(
    struct lam_lanes_sender *sender, enum lam_lane lane, uint64_t payload_bytes, uint16_t kind)
{
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    lam_framed_sender_commit(&sender->lanes[lane], payload_bytes, kind);
}

/* Give the claim in @lane back. Wait-free. */
LAM_INLINE void lam_lanes_sender_abort(struct lam_lanes_sender *sender, enum lam_lane lane)
{
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    lam_framed_sender_abort(&sender->lanes[lane]);
}

/*
 * What the sender's answer makes of *@lane, now: whether a message for it may go, and where. For
 * those who claim. Walks the consumer table where the lane may be above pressure_max.
 *
 * Returns 1 and in *@lane the lane to take: a lower one only with LAM_PRESSURE_DEGRADE; 0 not now:
 * it is pressed, and so are all lower ones where those are asked; or
 *   -ECANCELED it is pressed, and the answer is LAM_PRESSURE_REJECT
 */
int lam_lanes_sender_choose(struct lam_lanes_sender *sender, enum lam_lane *lane);

/*
 * Send the bytes that @parts point to as one message, without waiting, by lam_lanes_sender_choose()
 * and lam_framed_sender_try_send(). *@lane: in, the lane; out, the one that it went to.
 *
 * Returns 1; 0 the lane is full, or pressed; or an error of either. *@lane changes with 1 alone.
 */
int lam_lanes_sender_try_send(struct lam_lanes_sender *sender, enum lam_lane *lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind,
    const struct lam_framed_correlation *correlation);

/*
 * The same, waiting until @deadline_ns, and in frames where it does not fit half the lane's ring.
 *
 * Returns 0, or an error of lam_lanes_sender_choose() or of lam_framed_sender_send_until(), or
 *   -ETIMEDOUT the lane stayed pressed or full. *@lane is as it was
 */
int lam_lanes_sender_send_until(struct lam_lanes_sender *sender, enum lam_lane *lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind,
    const struct lam_framed_correlation *correlation, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
