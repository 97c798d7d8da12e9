/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rare ways of a receive over three lanes: a lower lane's turn, frames, ends, waits.
 *
 * A lane's call says: a message; nothing, or a part of one; a message was cut short; what is held
 * is in the way; its stream has ended. Only the first and the third end the search at once.
 */
#include <errno.h>

#include "lamina/base/crash_point.h"
#include "lamina/framed/lanes_receiver.h"
#include "lamina/ring/wait_any.h"

#define ALL_LANES ((1U << LAM_LANE_COUNT) - 1)

/* What one search has come upon, that is told only if there is no message. */
struct search {
    struct lam_framed_message *message;
    enum lam_lane *lane;
    uint32_t busy;  /* bits of lanes where what is held is in the way */
    uint32_t fresh; /* bits of lanes whose ends are news */
};

/* The lane's stream has ended with @rc. It is news once for each place where it ends. */
static void note_end(
    struct lam_lanes_receiver *receiver, struct search *search, enum lam_lane lane, int rc)
{
    uint64_t at = receiver->lanes[lane].consumer.next;
    uint32_t bit = 1U << lane;

    if ((receiver->ended & bit) != 0 && receiver->ends[lane] == rc && receiver->ends_at[lane] == at)
        return;
    search->fresh |= bit;
    receiver->untold |= bit;
    receiver->ended |= bit;
    receiver->ends[lane] = rc;
    receiver->ends_at[lane] = at;
}

/* A lane's call came to @rc. Returns 1 or an error to be told at once, or 0: search on. */
static int judge(
    struct lam_lanes_receiver *receiver, struct search *search, enum lam_lane lane, int rc)
{
    struct lam_framed_loss loss;
    uint32_t bit = 1U << lane;

    receiver->restless &= ~bit;
    *search->lane = lane;
    if (rc >= 0) {
        receiver->ended &= ~bit; /* it goes on: a successor came */
        receiver->untold &= ~bit;
        if (rc == 1)
            lam_lanes_turns_took(&receiver->turns, lane);
        return rc;
    }
    if (rc == -EBUSY || lam_framed_receiver_loss(&receiver->lanes[lane], &loss)) {
        /* An event may have been looked at and not used: its stamp would not say so. */
        receiver->restless |= bit;
        if (rc != -EBUSY)
            return rc;
        search->busy |= bit;
        return 0;
    }
    note_end(receiver, search, lane, rc);
    return 0;
}

static int try_lane(struct lam_lanes_receiver *receiver, struct search *search, enum lam_lane lane)
{
    return judge(receiver, search, lane,
        lam_framed_receiver_try_receive(&receiver->lanes[lane], search->message));
}

/* Bits of lanes that have something to look at. */
static uint32_t waiting(const struct lam_lanes_receiver *receiver)
{
    uint32_t bits = receiver->restless;

    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        bits |= (uint32_t)lam_lanes_is_there(&receiver->lanes[lane]) << lane;
    return bits & ~receiver->paused;
}

/* Each lane that has something, in its turn, once. @tried: bits of those that were asked. */
static int serve(struct lam_lanes_receiver *receiver, struct search *search, uint32_t tried)
{
    for (;;) {
        enum lam_lane lane = lam_lanes_turns_choose(&receiver->turns, waiting(receiver) & ~tried);
        int rc;

        if (lane == LAM_LANE_COUNT)
            return 0;
        LAM_CRASH_POINT("lanes.turn_chosen");
        rc = try_lane(receiver, search, lane);
        if (rc != 0)
            return rc;
        tried |= 1U << lane;
        /* It had its turn: frames, say, that complete nothing yet. */
        if (lane != LAM_LANE_CRITICAL)
            lam_lanes_turns_forget(&receiver->turns, lane);
    }
}

/* The gravest first. */
static int gravest(const struct lam_lanes_receiver *receiver)
{
    static const int by_weight[] = {-ENOTRECOVERABLE, -EPROTO, -ESTALE, -EOWNERDEAD, -ECANCELED};

    for (size_t i = 0; i < sizeof(by_weight) / sizeof(by_weight[0]); i++)
        for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
            if (receiver->ends[lane] == by_weight[i])
                return by_weight[i];
    return receiver->ends[LAM_LANE_CRITICAL];
}

/* No lane had a message: what there is to tell. */
static int tell(struct lam_lanes_receiver *receiver, const struct search *search)
{
    if (search->busy != 0) {
        *search->lane = (enum lam_lane)__builtin_ctz(search->busy);
        return -EBUSY;
    }
    *search->lane = LAM_LANE_COUNT;
    if (receiver->ended == ALL_LANES) {
        receiver->untold = 0;
        return gravest(receiver);
    }
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
        uint32_t bit = 1U << lane;

        if ((receiver->untold & bit) == 0 || receiver->ends[lane] == -EPIPE)
            continue;
        receiver->untold &= ~bit;
        *search->lane = (enum lam_lane)lane;
        return receiver->ends[lane];
    }
    return 0;
}

/*
 * Ask all lanes, those with nothing too: they find ends. Again while there are new ones: what was
 * published before an end that we saw is seen in the next round, whatever lane it is in.
 */
static int ask_all(struct lam_lanes_receiver *receiver, struct search *search)
{
    uint32_t fresh;

    do {
        fresh = search->fresh;
        search->busy = 0;
        for (int at = 0; at < LAM_LANE_COUNT; at++) {
            int rc = 0;

            if ((receiver->paused >> at & 1) == 0)
                rc = try_lane(receiver, search, (enum lam_lane)at);
            if (rc != 0)
                return rc;
        }
    } while (search->fresh != fresh);
    return tell(receiver, search);
}

static int search_on(
    struct lam_lanes_receiver *receiver, struct search *search, enum lam_lane first, int rc)
{
    if (first != LAM_LANE_COUNT) {
        rc = judge(receiver, search, first, rc);
        if (rc != 0)
            return rc;
    }
    rc = serve(receiver, search, first == LAM_LANE_COUNT ? 0 : 1U << first);
    return rc != 0 ? rc : ask_all(receiver, search);
}

int lam_lanes_receiver_slowly(struct lam_lanes_receiver *receiver, enum lam_lane first, int rc,
    struct lam_framed_message *message, enum lam_lane *lane)
{
    struct search search = {.message = message, .lane = lane};

    rc = search_on(receiver, &search, first, rc);
    lam_lanes_turns_settle(&receiver->turns);
    if ((receiver->restless | receiver->paused) != 0)
        receiver->turns.left = 0; /* the next call comes here at once */
    return rc;
}

void lam_lanes_receiver_pause(struct lam_lanes_receiver *receiver, enum lam_lane lane)
{
    LAM_ASSERT((unsigned)lane < LAM_LANE_COUNT);
    receiver->paused |= 1U << lane;
    receiver->turns.left = 0;
}

/* Lanes that may have messages again: all but those that are lost for good. */
static uint32_t waited_for(struct lam_lanes_receiver *receiver,
    struct lam_ring_consumer *consumers[LAM_LANE_COUNT], uint64_t *ended)
{
    uint32_t count = 0;

    *ended = 0;
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
        int rc = lam_lanes_receiver_end(receiver, (enum lam_lane)lane);

        if ((receiver->paused >> lane & 1) != 0 ||
            (rc != 0 && rc != -EPIPE && rc != -EOWNERDEAD && rc != -ECANCELED))
            continue;
        *ended |= (uint64_t)(rc != 0) << count;
        consumers[count++] = &receiver->lanes[lane].consumer;
    }
    return count;
}

int lam_lanes_receiver_wait_until(struct lam_lanes_receiver *receiver, uint64_t deadline_ns,
    struct lam_framed_message *message, enum lam_lane *lane)
{
    for (;;) {
        struct lam_ring_consumer *consumers[LAM_LANE_COUNT];
        uint32_t index = UINT32_MAX;
        uint64_t ended;
        uint32_t count = waited_for(receiver, consumers, &ended);
        int waited = lam_ring_wait_any_but_until(consumers, count, ended, deadline_ns, &index);
        int rc = lam_lanes_receiver_try_receive(receiver, message, lane);

        if (rc != 0)
            return rc == 1 ? 0 : rc;
        /* Events came, and no message: the wait alone would never look at the clock. */
        if (waited == -ETIMEDOUT || lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
}
