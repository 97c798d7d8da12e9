/* SPDX-License-Identifier: Apache-2.0 */
/* The sender of three lanes: its life. */
#include "lamina/framed/lanes_sender.h"

#include <errno.h>
#include <string.h>

#include "lamina/base/crash_point.h"

static int check(const struct lam_lanes_sender_options *options, struct lam_error *error)
{
    if (options->answer > LAM_PRESSURE_DEGRADE || options->pressure_max > LAM_PRESSURE_FULL)
        return lam_error_set(error, -EINVAL,
            "there is no answer %d to pressure, or pressure_max is %u: at most %d per mille",
            (int)options->answer, options->pressure_max, LAM_PRESSURE_FULL);
    return 0;
}

static void mind_pressure(struct lam_lanes_sender *sender, const struct lam_lanes *lanes,
    const struct lam_lanes_sender_options *options)
{
    sender->answer = options->answer;
    sender->counts = options->counts;
    sender->pressure_max =
        options->pressure_max == 0 ? LAM_PRESSURE_MAX_DEFAULT : options->pressure_max;
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        sender->calm_cells[lane] =
            (lanes->rings[lane].depth - 1) * sender->pressure_max / LAM_PRESSURE_FULL;
}

int lam_lanes_sender_attach(struct lam_lanes_sender *sender, struct lam_lanes *lanes,
    const struct lam_lanes_sender_options *options, struct lam_error *error)
{
    static const struct lam_lanes_sender_options defaults = {.answer = LAM_PRESSURE_IGNORE};
    int rc;
    int lane;

    LAM_ASSERT(sender != NULL && lanes != NULL);
    memset(sender, 0, sizeof(*sender));
    for (lane = 0; lane < LAM_LANE_COUNT; lane++)
        sender->lanes[lane].producer.lock.fd = -1; /* a detach after a refusal does nothing */
    if (options == NULL)
        options = &defaults;
    rc = check(options, error);
    for (lane = 0; rc == 0 && lane < LAM_LANE_COUNT; lane++) {
        rc = lam_framed_sender_attach(
            &sender->lanes[lane], &lanes->rings[lane], &options->sender, error);
        LAM_CRASH_POINT("lanes.one_sender_attached");
        if (rc == 0)
            sender->calm_until[lane] = sender->lanes[lane].producer.next;
    }
    if (rc == 0) {
        mind_pressure(sender, lanes, options);
        return 0;
    }
    /* Closed: to receivers who detaches alone looks like one that died. */
    for (lane -= 2; lane >= 0; lane--) {
        lam_framed_sender_close(&sender->lanes[lane]);
        lam_framed_sender_detach(&sender->lanes[lane]);
    }
    return rc;
}

void lam_lanes_sender_close(struct lam_lanes_sender *sender)
{
    for (int lane = LAM_LANE_COUNT - 1; lane >= 0; lane--) {
        lam_framed_sender_close(&sender->lanes[lane]);
        LAM_CRASH_POINT("lanes.one_closed");
    }
}

void lam_lanes_sender_detach(struct lam_lanes_sender *sender)
{
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        lam_framed_sender_detach(&sender->lanes[lane]);
}

int lam_lanes_sender_wait_receivers_until(
    struct lam_lanes_sender *sender, uint32_t count, uint64_t deadline_ns)
{
    int rc = 0;

    for (int lane = 0; rc == 0 && lane < LAM_LANE_COUNT; lane++)
        rc = lam_framed_sender_wait_receivers_until(&sender->lanes[lane], count, deadline_ns);
    return rc;
}
