/* SPDX-License-Identifier: Apache-2.0 */
/* How hard lanes are pressed, and what a send does about it. */
#include "lamina/framed/pressure.h"

#include <errno.h>

#include "lamina/base/crash_point.h"
#include "lamina/framed/lanes_receiver.h"
#include "lamina/framed/lanes_sender.h"
#include "lamina/ring/demand.h"
#include "lamina/ring/progress.h"

/* How long a send that may degrade sleeps for one lane before it asks the lower ones again. */
#define SLICE_NS LAM_WAIT_CHECK_NS

static void fill_in(
    uint64_t used_cells, uint64_t depth, uint32_t demand, struct lam_pressure *pressure)
{
    pressure->fill = (uint32_t)(used_cells * LAM_PRESSURE_FULL / (depth - 1));
    pressure->demand = demand;
    pressure->level = pressure->fill > demand ? pressure->fill : demand;
}

int lam_lanes_pressure(
    const struct lam_lanes *lanes, enum lam_lane lane, struct lam_pressure *pressure)
{
    const struct lam_ring *ring = &lanes->rings[lane];
    uint64_t used_cells;

    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    if (lam_ring_used_cells(ring, &used_cells) != 0)
        return -EPROTO;
    fill_in(used_cells, ring->depth, lam_ring_demand(ring), pressure);
    return 0;
}

static uint64_t used_cells_of(const struct lam_ring_producer *producer)
{
    uint64_t lowest;

    (void)lam_ring_producer_lowest(producer, &lowest);
    return lam_ring_producer_published(producer) - lowest;
}

void lam_lanes_sender_pressure(
    const struct lam_lanes_sender *sender, enum lam_lane lane, struct lam_pressure *pressure)
{
    const struct lam_ring_producer *producer = &sender->lanes[lane].producer;

    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    fill_in(
        used_cells_of(producer), producer->ring->depth, lam_ring_demand(producer->ring), pressure);
}

int lam_lanes_receiver_demand(
    struct lam_lanes_receiver *receiver, enum lam_lane lane, uint32_t per_mille)
{
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    return lam_ring_consumer_demand(&receiver->lanes[lane].consumer, per_mille);
}

/*
 * Whether a lane is above the sender's bound. The cursors are looked at when the room known to be
 * calm is used up: they are other cores' lines.
 */
static int is_pressed(struct lam_lanes_sender *sender, enum lam_lane lane)
{
    struct lam_ring_producer *producer = &sender->lanes[lane].producer;
    uint64_t used_cells;

    if (lam_ring_demand(producer->ring) > sender->pressure_max &&
        lam_ring_producer_demand(producer) > sender->pressure_max)
        return 1;
    if ((int64_t)(sender->calm_until[lane] - producer->next) > 0)
        return 0;
    used_cells = used_cells_of(producer);
    if (used_cells > sender->calm_cells[lane])
        return 1;
    sender->calm_until[lane] = producer->next - used_cells + sender->calm_cells[lane] + 1;
    return 0;
}

int lam_lanes_sender_choose(struct lam_lanes_sender *sender, enum lam_lane *lane)
{
    enum lam_lane last = sender->answer == LAM_PRESSURE_DEGRADE ? LAM_LANE_LOW : *lane;

    LAM_ASSERT((unsigned)*lane < LAM_LANE_COUNT);
    if (sender->answer == LAM_PRESSURE_IGNORE)
        return 1;
    for (int at = *lane; at <= (int)last; at++)
        if (!is_pressed(sender, (enum lam_lane)at)) {
            *lane = (enum lam_lane)at;
            LAM_CRASH_POINT("lanes.lane_chosen");
            return 1;
        }
    return sender->answer == LAM_PRESSURE_REJECT ? -ECANCELED : 0;
}

/* The first choice of a send came to @rc: how it was met. */
static void count(
    struct lam_lanes_sender *sender, enum lam_lane asked, enum lam_lane chosen, int rc)
{
    if (sender->counts == NULL)
        return;
    sender->counts->pressed += rc != 1 || chosen != asked;
}

static void count_sent(struct lam_lanes_sender *sender, enum lam_lane asked, enum lam_lane chosen)
{
    if (sender->counts != NULL)
        sender->counts->degraded += chosen != asked;
}

/* Wait until @lane is below the bound, by cursors and by demands. Returns 0, or an error. */
static int await_ease(struct lam_lanes_sender *sender, enum lam_lane lane, uint64_t deadline_ns)
{
    struct lam_ring_producer *producer = &sender->lanes[lane].producer;
    uint64_t room_cells = producer->ring->depth - 1 - sender->calm_cells[lane];
    int rc = 0;

    if (room_cells > 0)
        rc = lam_ring_producer_await_room_until(producer, room_cells, deadline_ns);
    if (rc == 0)
        rc = lam_ring_producer_await_demand_until(producer, sender->pressure_max, deadline_ns);
    return rc;
}

/* As lam_lanes_sender_choose(), waiting until @deadline_ns. Returns 0 or an error. */
static int choose_until(struct lam_lanes_sender *sender, enum lam_lane *lane, uint64_t deadline_ns)
{
    enum lam_lane asked = *lane;
    int rc = lam_lanes_sender_choose(sender, lane);

    count(sender, asked, *lane, rc);
    for (;; rc = lam_lanes_sender_choose(sender, lane)) {
        uint64_t until_ns = deadline_ns;

        if (rc != 0)
            return rc < 0 ? rc : 0;
        if (sender->answer == LAM_PRESSURE_DEGRADE) {
            until_ns = lam_deadline_after_ns(SLICE_NS);
            until_ns = until_ns < deadline_ns ? until_ns : deadline_ns;
        }
        rc = await_ease(sender, *lane, until_ns);
        if (rc != 0 && (rc != -ETIMEDOUT || until_ns == deadline_ns))
            return rc;
    }
}

int lam_lanes_sender_try_send(struct lam_lanes_sender *sender, enum lam_lane *lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind,
    const struct lam_framed_correlation *correlation)
{
    enum lam_lane chosen = *lane;
    int rc = lam_lanes_sender_choose(sender, &chosen);

    count(sender, *lane, chosen, rc);
    if (rc == 1)
        rc = lam_framed_sender_try_send(
            &sender->lanes[chosen], parts, part_count, kind, correlation);
    if (rc == 1) {
        count_sent(sender, *lane, chosen);
        *lane = chosen;
    }
    return rc;
}

/* As the call of a single sender, and the lane. NOLINTNEXTLINE(readability-function-size) */
int lam_lanes_sender_send_until(struct lam_lanes_sender *sender, enum lam_lane *lane,
    const struct iovec *parts, uint32_t part_count, uint16_t kind,
    const struct lam_framed_correlation *correlation, uint64_t deadline_ns)
{
    enum lam_lane chosen = *lane;
    int rc = choose_until(sender, &chosen, deadline_ns);

    if (rc == 0)
        rc = lam_framed_sender_send_until(
            &sender->lanes[chosen], parts, part_count, kind, correlation, deadline_ns);
    if (rc == 0) {
        count_sent(sender, *lane, chosen);
        *lane = chosen;
    }
    return rc;
}
