/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what shares a connection does not hold each other up: answers get through whatever lies in
 * the lanes, a full lane holds no other, a cancel neither overtakes its request nor is lost.
 * Method: a daemon that sends much of itself, or sleeps over full lanes; a client that takes late.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "one_client.h"

TestSuite(between, .init = setup, .fini = teardown, .timeout = 30);

/* The low lane is read last: what was sent before it has been looked at. */
static void echo_by_the_low_lane(void)
{
    uint64_t number = 1;
    struct iovec part = {&number, sizeof(number)};
    struct lam_reply reply;

    cr_assert(eq(int,
        lam_client_request_until(&client, LAM_LANE_LOW, &part, 1, STAGE_ECHO, stage_soon(), &reply),
        0));
    lam_client_release_reply(&client, &reply);
}

/* A low lane is read last: by a more urgent one the cancel would come first. */
Test(between, a_cancel_does_not_overtake_its_request)
{
    uint64_t number = 1;
    struct iovec part = {&number, sizeof(number)};
    struct lam_ticket ticket;

    start();
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert(eq(int, stage_say(&client, STAGE_NAP, 50, 0), 0));
        cr_assert(eq(int,
            lam_client_begin_until(
                &client, LAM_LANE_LOW, &part, 1, STAGE_NEVER, stage_soon(), &ticket),
            0));
        cr_assert(eq(int, lam_client_cancel(&client, ticket), 0));
        echo_by_the_low_lane();
    }
    stop();
    cr_assert(eq(u32, stage.canceled, 4));
    cr_assert(eq(u32, stage.canceled_early, 0));
}

Test(between, a_cancel_for_which_there_is_no_room_comes_later)
{
    uint64_t number = 1;
    struct iovec part = {&number, sizeof(number)};
    struct lam_ticket tickets[8];
    struct lam_reply reply;

    start();
    cr_assert(eq(int, stage_say(&client, STAGE_NAP, 300, 0), 0));
    for (int lane = LAM_LANE_LOW; lane >= 0; lane--) { /* from the second on, 8 may be owed */
        for (uint32_t i = 0; i < 8; i++)
            cr_assert(eq(int,
                lam_client_begin_until(
                    &client, (enum lam_lane)lane, &part, 1, STAGE_NEVER, stage_soon(), &tickets[i]),
                0));
        for (uint32_t i = 0; i < 600; i++) /* more than there is room for */
            (void)lam_client_try_send(&client, (enum lam_lane)lane, &part, 1, STAGE_PUSHED);
        for (uint32_t i = 0; i < 8; i++) {
            cr_assert(eq(int, lam_client_cancel(&client, tickets[i]), 0));
            cr_assert(eq(int, lam_client_try_take(&client, &tickets[i], &reply), 1));
            cr_assert(eq(int, reply.outcome, -ECANCELED));
        }
    }
    while (client.owed_count != 0)
        cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0));
    echo_by_the_low_lane();
    stop();
    cr_assert(eq(u32, stage.canceled, 24));
}

/* What comes while an answer is waited for is kept for its own calls. */
Test(between, messages_that_come_between_are_kept)
{
    struct lam_framed_message message;
    enum lam_lane lane;

    start();
    cr_assert(eq(int, stage_say(&client, STAGE_PUSH, 10, LAM_LANE_HIGH), 0));
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0));
    for (uint32_t i = 0; i < 10; i++) {
        cr_assert(eq(int, lam_client_try_receive(&client, &message, &lane), 1));
        cr_assert(memcmp(message.payload, &i, sizeof(i)) == 0);
        lam_client_release(&client, lane, &message);
    }
    stop();
}

static void check_pushes(uint32_t count, enum lam_lane expected)
{
    struct lam_framed_message message;
    enum lam_lane lane;

    for (uint32_t i = 0; i < count; i++) {
        cr_assert(eq(int, lam_client_receive_until(&client, stage_soon(), &message, &lane), 0));
        cr_assert(eq(int, (int)lane, (int)expected));
        cr_assert(memcmp(message.payload, &i, sizeof(i)) == 0);
        lam_client_release(&client, lane, &message);
    }
}

Test(between, answers_get_through_whatever_lies_in_the_lanes)
{
    uint64_t number = 0;

    start();
    for (uint32_t lane = 0; lane < LAM_LANE_COUNT; lane++)
        cr_assert(eq(int, stage_say(&client, STAGE_PUSH, 1000, lane), 0)); /* full */
    for (; number < 2000; number++)
        cr_assert(eq(int, stage_echo(&client, number, stage_soon()), 0));
    /* Some were taken in meanwhile, in the order of lanes; the rest comes likewise. */
    check_pushes(LAM_CLIENT_HELD_MAX, LAM_LANE_CRITICAL);
    check_pushes(LAM_CLIENT_HELD_MAX, LAM_LANE_HIGH);
    for (; number < 3000; number++)
        cr_assert(eq(int, stage_echo(&client, number, stage_soon()), 0));
    stop();
}

Test(between, a_lane_that_is_held_to_the_brim_holds_no_other)
{
    struct lam_framed_message messages[LAM_CLIENT_HELD_MAX], message;
    enum lam_lane lane;

    start();
    cr_assert(eq(int, stage_say(&client, STAGE_PUSH, LAM_CLIENT_HELD_MAX + 5, LAM_LANE_HIGH), 0));
    for (uint32_t i = 0; i < LAM_CLIENT_HELD_MAX; i++)
        cr_assert(eq(int, lam_client_receive_until(&client, stage_soon(), &messages[i], &lane), 0));
    for (uint32_t which = LAM_LANE_CRITICAL; which <= LAM_LANE_LOW; which += LAM_LANE_LOW) {
        cr_assert(eq(int, stage_say(&client, STAGE_PUSH, 100, which), 0));
        cr_assert(eq(int, stage_echo(&client, which, stage_soon()), 0)); /* they are all there */
        check_pushes(100, (enum lam_lane)which);
    }
    cr_assert(eq(int, lam_client_try_receive(&client, &message, &lane), -EBUSY));
    lam_client_release(&client, LAM_LANE_HIGH, &messages[0]);
    cr_assert(eq(int, lam_client_try_receive(&client, &message, &lane), 1));
    cr_assert(memcmp(message.payload, &(uint32_t){LAM_CLIENT_HELD_MAX}, 4) == 0);
    stop();
}

Test(between, an_answer_behind_a_large_message_does_not_wait_for_its_taker)
{
    struct lam_daemon_options large = {.name = "it", .message_bytes_max = STAGE_BOOK_BYTES};
    struct lam_framed_message message;
    struct lam_ticket ticket;
    struct lam_reply reply;
    enum lam_lane lane;

    stage_start(&stage, &large);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    ticket = begin(STAGE_BOOK, 7, stage_soon());
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
    cr_assert(eq(int, reply.outcome, 0));
    lam_client_release_reply(&client, &reply);
    cr_assert(eq(int, lam_client_try_receive(&client, &message, &lane), 1));
    cr_assert(eq(u64, message.payload_bytes, STAGE_BOOK_BYTES));
    lam_client_release(&client, lane, &message);
    stop();
}

Test(between, an_answer_that_is_given_up_midway_ends_its_request)
{
    struct lam_daemon_options large = {.name = "it", .message_bytes_max = STAGE_BOOK_BYTES};
    struct lam_ticket ticket;
    struct lam_reply reply;

    stage_start(&stage, &large);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    ticket = begin(STAGE_CUT, 7, LAM_DEADLINE_NEVER);
    while (lam_load_relaxed(&stage.cut) == 0)
        (void)usleep(500);
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
    cr_assert(eq(int, reply.outcome, -ECANCELED));
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0));
    stop();
}

Test(between, what_waits_behind_what_is_held_is_not_lost_with_the_daemon)
{
    struct lam_framed_message messages[LAM_CLIENT_HELD_MAX + 20];
    pid_t daemon = stage_fork_daemon(&it);
    uint32_t released = 0;
    uint32_t taken = 0;
    enum lam_lane lane;

    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    cr_assert(eq(int, stage_say(&client, STAGE_PUSH, LAM_CLIENT_HELD_MAX + 20, LAM_LANE_HIGH), 0));
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0));
    stage_kill(daemon);
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), -EOWNERDEAD));
    /* As many as can be held, then some are given back, then all that are left. */
    for (uint32_t most = LAM_CLIENT_HELD_MAX; most <= LAM_CLIENT_HELD_MAX + 20; most += 10) {
        for (; taken < most; taken++) {
            cr_assert(eq(
                int, lam_client_receive_until(&client, stage_soon(), &messages[taken], &lane), 0));
            cr_assert(memcmp(messages[taken].payload, &taken, sizeof(taken)) == 0);
        }
        for (; released < (most == LAM_CLIENT_HELD_MAX ? 10 : taken); released++)
            lam_client_release(&client, LAM_LANE_HIGH, &messages[released]);
    }
    cr_assert(
        eq(int, lam_client_receive_until(&client, stage_soon(), &messages[0], &lane), -EOWNERDEAD));
    lam_client_disconnect(&client, 0, NULL);
}

/* Held to the brim: said, not waited for; and released, it goes on. */
Test(between, more_messages_than_can_be_held_are_said)
{
    struct lam_framed_message messages[LAM_CLIENT_HELD_MAX];
    enum lam_lane lane;

    start();
    cr_assert(eq(int, stage_say(&client, STAGE_PUSH, LAM_CLIENT_HELD_MAX + 9, LAM_LANE_HIGH), 0));
    for (uint32_t i = 0; i < LAM_CLIENT_HELD_MAX; i++)
        cr_assert(eq(int, lam_client_receive_until(&client, stage_soon(), &messages[i], &lane), 0));
    cr_assert(
        eq(int, lam_client_receive_until(&client, stage_soon(), &messages[0], &lane), -EBUSY));
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0)); /* answers come by themselves */
    for (uint32_t i = LAM_CLIENT_HELD_MAX; i > 0; i--)
        lam_client_release(&client, LAM_LANE_HIGH, &messages[i - 1]);
    for (uint32_t i = 0; i < 9; i++) {
        cr_assert(eq(int, lam_client_receive_until(&client, stage_soon(), &messages[i], &lane), 0));
        lam_client_release(&client, lane, &messages[i]);
    }
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0));
    stop();
}
