/* SPDX-License-Identifier: Apache-2.0 */
/* The receiver of three lanes: its life, and what it knows of their ends. */
#include <errno.h>
#include <string.h>

#include "lamina/base/crash_point.h"
#include "lamina/framed/lanes_receiver.h"

int lam_lanes_receiver_attach(struct lam_lanes_receiver *receiver, struct lam_lanes *lanes,
    const struct lam_lanes_receiver_options *options, struct lam_error *error)
{
    struct lam_framed_receiver_options one = {.message_bytes_max = 0};
    int rc = 0;

    LAM_ASSERT(receiver != NULL && lanes != NULL);
    memset(receiver, 0, sizeof(*receiver));
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        receiver->lanes[lane].consumer.lock.fd = -1; /* a detach after a refusal does nothing */
    lam_lanes_turns_init(&receiver->turns, options == NULL ? 0 : options->turns_max);
    if (options != NULL)
        one = options->receiver;
    if (one.buffer != NULL)
        return lam_error_set(
            error, -EINVAL, "receiver.buffer is set: lanes need one each, in buffers, or none");
    if (one.consumer.policy == LAM_RING_LOSSY)
        return lam_error_set(error, -EINVAL,
            "policy %d is lossy: a lane that was lapped shows nothing that would give it its turn",
            (int)one.consumer.policy);
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        if (lanes->rings[lane].producers != LAM_RING_ONE_PRODUCER)
            return lam_error_set(error, -EINVAL, "ring %s is for many producers: a lane has one",
                lanes->rings[lane].name);
    for (int lane = 0; rc == 0 && lane < LAM_LANE_COUNT; lane++) {
        if (options != NULL)
            one.buffer = options->buffers[lane];
        rc = lam_framed_receiver_attach(&receiver->lanes[lane], &lanes->rings[lane], &one, error);
        LAM_CRASH_POINT("lanes.one_receiver_attached");
    }
    if (rc != 0)
        lam_lanes_receiver_detach(receiver);
    return rc;
}

void lam_lanes_receiver_detach(struct lam_lanes_receiver *receiver)
{
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        lam_framed_receiver_detach(&receiver->lanes[lane]);
}

int lam_lanes_receiver_readmit(struct lam_lanes_receiver *receiver, enum lam_lane lane,
    enum lam_ring_start start, struct lam_error *error)
{
    int rc;

    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    rc = lam_framed_receiver_readmit(&receiver->lanes[lane], start, error);
    if (rc != 0)
        return rc;
    receiver->ended &= ~(1U << lane);
    receiver->untold &= ~(1U << lane);
    receiver->turns.left = 0;
    receiver->restless |= 1U << lane; /* several losses may be left to tell */
    return 0;
}

int lam_lanes_receiver_end(const struct lam_lanes_receiver *receiver, enum lam_lane lane)
{
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    return (receiver->ended >> lane & 1) != 0 ? receiver->ends[lane] : 0;
}

int lam_lanes_receiver_loss(
    const struct lam_lanes_receiver *receiver, enum lam_lane lane, struct lam_framed_loss *loss)
{
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    return lam_framed_receiver_loss(&receiver->lanes[lane], loss);
}
