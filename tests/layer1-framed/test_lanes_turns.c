/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the choice of the next lane keeps strict order and the bound, whatever waits when.
 * Method: the pure choice, over all sequences of what waits up to a length, and over long ones at
 * random; a referee that knows nothing of its counts watches what each waiting lane has to suffer.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lanes.h"

TestSuite(turns, .timeout = 60);

/* What a lane that waits all the time has seen go by. */
struct referee {
    uint64_t passed[LAM_LANE_COUNT];
    uint64_t worst[LAM_LANE_COUNT];
};

/* @lane was chosen while @waiting. Returns 0: that must not be. */
static int watch(struct referee *referee, uint32_t waiting, enum lam_lane lane, uint64_t turns_max)
{
    if ((lane == LAM_LANE_COUNT) != (waiting == 0))
        return 0;
    if (waiting != 0 && (waiting >> lane & 1) == 0)
        return 0;
    for (int below = lane + 1; below < LAM_LANE_COUNT; below++) {
        if ((waiting >> below & 1) == 0)
            continue;
        if (++referee->passed[below] > referee->worst[below])
            referee->worst[below] = referee->passed[below];
        if (turns_max != 0 && referee->passed[below] > turns_max)
            return 0;
    }
    if (waiting != 0)
        referee->passed[lane] = 0;
    /* One that does not wait is passed by nobody. */
    for (int other = 0; other < LAM_LANE_COUNT; other++)
        if ((waiting >> other & 1) == 0)
            referee->passed[other] = 0;
    return 1;
}

static int step(
    struct lam_lanes_turns *turns, struct referee *referee, uint32_t waiting, uint64_t turns_max)
{
    int may_be_due = lam_lanes_turns_may_be_due(turns);
    struct lam_lanes_turns copy = *turns;
    enum lam_lane lane = lam_lanes_turns_choose(may_be_due ? turns : &copy, waiting);

    /* Where nothing can be due, who takes in strict order need not ask. */
    if (!may_be_due && waiting != 0 && (int)lane != __builtin_ctz(waiting))
        return 0;
    if (lane != LAM_LANE_COUNT)
        lam_lanes_turns_took(turns, lane);
    if (may_be_due)
        lam_lanes_turns_settle(turns);
    return watch(referee, waiting, lane, turns_max);
}

/* All ways in which what waits can change, @depth steps deep. */
static uint64_t explore(
    struct lam_lanes_turns turns, struct referee referee, unsigned depth, uint64_t turns_max)
{
    uint64_t steps = 0;

    if (depth == 0)
        return 0;
    for (uint32_t waiting = 0; waiting < 8; waiting++) {
        struct lam_lanes_turns then = turns;
        struct referee seen = referee;

        cr_assert(step(&then, &seen, waiting, turns_max), "K %llu, %u waiting",
            (unsigned long long)turns_max, waiting);
        steps += 1 + explore(then, seen, depth - 1, turns_max);
    }
    return steps;
}

Test(turns, no_waiting_lane_is_passed_more_than_k_times_in_any_short_history)
{
    for (uint64_t turns_max = 0; turns_max <= 4; turns_max++) {
        struct lam_lanes_turns turns;
        struct referee referee = {{0}, {0}};

        lam_lanes_turns_init(&turns, turns_max);
        cr_assert(eq(u64, explore(turns, referee, 7, turns_max), (UINT64_C(8) * 299593)));
    }
}

Test(turns, no_waiting_lane_is_passed_more_than_k_times_in_long_ones_at_random)
{
    static const uint64_t bounds[] = {1, 2, 3, 7, 16, 100};
    uint64_t random = 1;

    for (unsigned i = 0; i < 6; i++) {
        struct lam_lanes_turns turns;
        struct referee referee = {{0}, {0}};

        lam_lanes_turns_init(&turns, bounds[i]);
        for (uint64_t round = 0; round < 1000000 * three_effort(); round++) {
            uint32_t waiting;

            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            /* Mostly all three, for a while each: a lane is passed only where others have some. */
            waiting = random >> 56 != 0 ? 7 : (uint32_t)(random >> 33 & 7);
            cr_assert(step(&turns, &referee, waiting, bounds[i]));
        }
        /* The bound is met, too: the test would not see one that is half as large. */
        cr_assert(eq(u64, referee.worst[LAM_LANE_LOW], bounds[i]));
        cr_assert(eq(u64, referee.worst[LAM_LANE_HIGH], bounds[i]));
    }
}

Test(turns, with_all_lanes_full_each_has_its_exact_part)
{
    struct lam_lanes_turns turns;
    uint64_t taken[LAM_LANE_COUNT] = {0, 0, 0};

    lam_lanes_turns_init(&turns, 4);
    for (int i = 0; i < 25000; i++) {
        enum lam_lane lane = lam_lanes_turns_choose(&turns, 7);

        lam_lanes_turns_took(&turns, lane);
        taken[lane]++;
    }
    /* Low: one of five. Of the other four of five, high has one of five. */
    cr_assert(eq(u64, taken[LAM_LANE_LOW], 5000));
    cr_assert(eq(u64, taken[LAM_LANE_HIGH], 4000));
    cr_assert(eq(u64, taken[LAM_LANE_CRITICAL], 16000));
}

Test(turns, without_a_bound_the_order_is_strict)
{
    struct lam_lanes_turns turns;

    lam_lanes_turns_init(&turns, 0);
    for (int i = 0; i < 100000; i++) {
        uint32_t waiting = (uint32_t)i % 7 + 1;
        enum lam_lane lane = lam_lanes_turns_choose(&turns, waiting);

        cr_assert(eq(int, (int)lane, __builtin_ctz(waiting)));
        lam_lanes_turns_took(&turns, lane);
    }
    cr_assert(not(lam_lanes_turns_may_be_due(&turns)));
}
