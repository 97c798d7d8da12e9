/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a lane's pressure is what is really in it, or what its receivers demand, seen by both ends,
 * and a send obeys it as it was told to.
 * Method: one thread holds both ends, an observer a third mapping; a sleep has no end of its own.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lamina/ring/demand.h"
#include "lanes.h"

static const uint64_t starts[] = {
    0, (UINT64_C(1) << 32) - 9, (UINT64_C(1) << 63) - 9, UINT64_MAX - 9};

static struct three three;
static struct lam_base_ops ops;
static void (*on_sleep)(void);
static unsigned sleeps;

static void endless_futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    void (*now)(void) = on_sleep;

    sleeps++;
    on_sleep = NULL;
    if (now == NULL) {
        lam_base_linux.futex_wait(word, expected, deadline_ns);
        return;
    }
    now();
    lam_base_linux.futex_wait(word, expected, LAM_DEADLINE_NEVER);
}

static void open_with(enum lam_pressure_answer answer, uint32_t pressure_max, uint64_t start)
{
    struct three_options options = {.depth = 128,
        .first_sequence = start,
        .sender = {.answer = answer,
            .pressure_max = pressure_max,
            .sender.producer.wait = LAM_WAIT_FUTEX}};

    ops = lam_base_linux;
    ops.futex_wait = endless_futex_wait;
    lam_base = &ops;
    three_open(&three, &options);
}

static void close_three(void)
{
    three_close(&three);
    lam_base = &lam_base_linux;
}

TestSuite(pressure, .timeout = 20);

/* Both ends see the same level of @lane, and it is this. */
static void check_level(enum lam_lane lane, uint32_t fill, uint32_t demand)
{
    struct lam_pressure by_sender, by_any;

    lam_lanes_sender_pressure(&three.sender, lane, &by_sender);
    cr_assert(eq(int, lam_lanes_pressure(&three.lanes, lane, &by_any), 0));
    cr_assert(eq(u32, by_sender.fill, fill));
    cr_assert(eq(u32, by_any.fill, fill));
    cr_assert(eq(u32, by_sender.demand, demand));
    cr_assert(eq(u32, by_any.demand, demand));
    cr_assert(eq(u32, by_sender.level, fill > demand ? fill : demand));
    cr_assert(eq(u32, by_any.level, by_sender.level));
}

static int send_to(enum lam_lane *lane)
{
    struct three_message what = {.lane = *lane, .number = 0};
    struct iovec part = {&what, sizeof(what)};

    return lam_lanes_sender_try_send(&three.sender, lane, &part, 1, 1, NULL);
}

static int send_until(enum lam_lane *lane, uint64_t deadline_ns)
{
    struct three_message what = {.lane = *lane, .number = three.sent[*lane]};
    struct iovec part = {&what, sizeof(what)};

    return lam_lanes_sender_send_until(&three.sender, lane, &part, 1, 1, NULL, deadline_ns);
}

static void receive(uint64_t count)
{
    struct lam_framed_message message;
    enum lam_lane lane;

    while (count-- > 0) {
        cr_assert(eq(int, lam_lanes_receiver_try_receive(&three.receiver, &message, &lane), 1));
        cr_assert(eq(int, lam_lanes_receiver_release(&three.receiver, lane, &message), 0));
    }
}

Test(pressure, is_what_is_in_the_lane_by_both_ends_views)
{
    for (unsigned at = 0; at < 4; at++) {
        open_with(LAM_PRESSURE_IGNORE, 0, starts[at]);
        for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
            uint64_t room = three.lanes.rings[lane].depth - 1;

            for (uint64_t used = 0; used < room; used++) {
                check_level((enum lam_lane)lane, (uint32_t)(used * 1000 / room), 0);
                cr_assert(eq(int, three_send(&three, (enum lam_lane)lane), 1));
            }
            check_level((enum lam_lane)lane, 1000, 0);
            receive(room / 2);
            check_level((enum lam_lane)lane, (uint32_t)((room - room / 2) * 1000 / room), 0);
            receive(room - room / 2);
            check_level((enum lam_lane)lane, 0, 0);
        }
        close_three();
    }
}

Test(pressure, is_what_the_receiver_demands_and_goes_with_it)
{
    struct lam_lanes_receiver second;

    open_with(LAM_PRESSURE_IGNORE, 0, 0);
    cr_assert(eq(int, lam_lanes_receiver_attach(&second, &three.lanes, NULL, NULL), 0));
    cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_HIGH, 300), 0));
    cr_assert(eq(int, lam_lanes_receiver_demand(&second, LAM_LANE_HIGH, 700), 0));
    cr_assert(eq(int, lam_lanes_receiver_demand(&second, LAM_LANE_HIGH, 1001), -EINVAL));
    check_level(LAM_LANE_HIGH, 0, 700);
    check_level(LAM_LANE_LOW, 0, 0);
    check_level(LAM_LANE_CRITICAL, 0, 0);
    lam_lanes_receiver_detach(&second);
    check_level(LAM_LANE_HIGH, 0, 300);
    /* Who comes into its place has not inherited it. */
    cr_assert(eq(int, lam_lanes_receiver_attach(&second, &three.lanes, NULL, NULL), 0));
    check_level(LAM_LANE_HIGH, 0, 300);
    cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_HIGH, 0), 0));
    check_level(LAM_LANE_HIGH, 0, 0);
    lam_lanes_receiver_detach(&second);
    close_three();
}

Test(pressure, is_that_of_the_slowest_receiver)
{
    struct lam_lanes_receiver second;
    struct lam_framed_message message;
    enum lam_lane lane;

    open_with(LAM_PRESSURE_IGNORE, 0, UINT64_MAX - 4);
    cr_assert(eq(int, lam_lanes_receiver_attach(&second, &three.lanes, NULL, NULL), 0));
    for (int i = 0; i < 21; i++)
        cr_assert(eq(int, three_send(&three, LAM_LANE_HIGH), 1));
    for (int i = 0; i < 21; i++) {
        check_level(LAM_LANE_HIGH, 21 * 1000 / 63, 0);
        cr_assert(eq(int, lam_lanes_receiver_try_receive(&second, &message, &lane), 1));
        cr_assert(eq(int, lam_lanes_receiver_release(&second, lane, &message), 0));
    }
    for (uint32_t i = 21; i > 0; i--) {
        check_level(LAM_LANE_HIGH, i * 1000 / 63, 0);
        receive(1);
    }
    lam_lanes_receiver_detach(&second);
    close_three();
}

Test(pressure, above_the_bound_is_refused_where_that_was_asked_for)
{
    for (unsigned at = 0; at < 4; at++) {
        enum lam_lane lane = LAM_LANE_HIGH;
        uint64_t sent = 0;

        open_with(LAM_PRESSURE_REJECT, 500, starts[at]);
        while (send_to(&lane) == 1)
            sent++;
        /* 63 cells: 31 of them are not above a half, 32 are. */
        cr_assert(eq(u64, sent, 32));
        cr_assert(eq(int, send_to(&lane), -ECANCELED));
        cr_assert(eq(int, send_until(&lane, LAM_DEADLINE_NEVER), -ECANCELED));
        receive(1);
        cr_assert(eq(int, send_to(&lane), 1));
        cr_assert(eq(int, send_to(&lane), -ECANCELED));
        lane = LAM_LANE_LOW;
        cr_assert(eq(int, send_to(&lane), 1));
        cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_LOW, 501), 0));
        cr_assert(eq(int, send_to(&lane), -ECANCELED));
        cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_LOW, 500), 0));
        cr_assert(eq(int, send_to(&lane), 1));
        close_three();
    }
}

Test(pressure, a_claim_takes_the_room_that_there_is_whatever_the_pressure)
{
    open_with(LAM_PRESSURE_REJECT, 100, 0);
    while (three_send(&three, LAM_LANE_LOW) == 1)
        ;
    cr_assert(eq(u64, three.sent[LAM_LANE_LOW], 63));
    close_three();
}

static void release_some(void)
{
    receive(20);
}

static void demand_nothing(void)
{
    cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_LOW, 0), 0));
}

static void leave(void)
{
    lam_lanes_receiver_detach(&three.receiver);
}

Test(pressure, is_waited_for_asleep_until_it_falls)
{
    enum lam_lane lane = LAM_LANE_LOW;

    open_with(LAM_PRESSURE_WAIT, 500, 0);
    while (send_to(&lane) == 1)
        ;
    cr_assert(eq(int, send_until(&lane, lam_deadline_after_ns(2 * LAM_NS_PER_MS)), -ETIMEDOUT));
    on_sleep = release_some;
    cr_assert(eq(int, send_until(&lane, LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_LOW, 900), 0));
    cr_assert(eq(int, send_to(&lane), 0));
    cr_assert(eq(int, send_until(&lane, lam_deadline_after_ns(2 * LAM_NS_PER_MS)), -ETIMEDOUT));
    on_sleep = demand_nothing;
    cr_assert(eq(int, send_until(&lane, LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_LOW, 900), 0));
    on_sleep = leave;
    cr_assert(eq(int, send_until(&lane, LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(int, (int)lane, LAM_LANE_LOW));
    cr_assert(le(u32, 3, sleeps));
    close_three();
}

static void ease_low(void)
{
    cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_CRITICAL, 0), 0));
}

Test(pressure, degrades_to_the_next_lane_that_has_none_and_says_which)
{
    enum lam_lane lane = LAM_LANE_CRITICAL;

    open_with(LAM_PRESSURE_DEGRADE, 500, 0);
    while (lane == LAM_LANE_CRITICAL)
        cr_assert(eq(int, send_to(&lane), 1));
    cr_assert(eq(int, (int)lane, LAM_LANE_HIGH));
    cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_HIGH, 1000), 0));
    lane = LAM_LANE_CRITICAL;
    cr_assert(eq(int, send_to(&lane), 1));
    cr_assert(eq(int, (int)lane, LAM_LANE_LOW));
    cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_LOW, 1000), 0));
    lane = LAM_LANE_CRITICAL;
    cr_assert(eq(int, send_to(&lane), 0));
    cr_assert(eq(int, (int)lane, LAM_LANE_CRITICAL));
    cr_assert(eq(int, send_until(&lane, lam_deadline_after_ns(2 * LAM_NS_PER_MS)), -ETIMEDOUT));
    receive(18);
    cr_assert(eq(int, lam_lanes_receiver_demand(&three.receiver, LAM_LANE_CRITICAL, 900), 0));
    on_sleep = ease_low;
    cr_assert(eq(int, send_until(&lane, LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(int, (int)lane, LAM_LANE_CRITICAL));
    close_three();
}

Test(pressure, of_a_lane_with_no_receiver_is_none)
{
    enum lam_lane lane = LAM_LANE_LOW;

    open_with(LAM_PRESSURE_REJECT, 0, 0);
    lam_lanes_receiver_detach(&three.receiver);
    for (int i = 0; i < 1000; i++)
        cr_assert(eq(int, send_to(&lane), 1));
    check_level(LAM_LANE_LOW, 0, 0);
    close_three();
}
