/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each request comes to exactly one end: its answer, its deadline, a cancel, or the daemon's;
 * and with reconnect the daemon's end is none. Method: a daemon that answers late, in another order
 * or never, and that is killed and started anew.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "stage.h"

static struct stage stage;
static struct lam_client client;
static struct lam_error error;
static const struct lam_daemon_options it = {.name = "it"};
static const struct lam_client_options to_it = {.endpoint = "it", .requests_max = 8};
static const struct lam_client_options for_ever = {
    .endpoint = "it", .requests_max = 8, .reconnect = 1, .request_bytes_max = 64};

static void setup(void)
{
    stage_make();
}

static void teardown(void)
{
    stage_clear();
}

TestSuite(requests, .init = setup, .fini = teardown, .timeout = 30);

static struct lam_ticket begin(uint16_t kind, uint64_t number, uint64_t deadline_ns)
{
    struct iovec part = {&number, sizeof(number)};
    struct lam_ticket ticket = {0};
    int rc = lam_client_begin_until(&client, LAM_LANE_HIGH, &part, 1, kind, deadline_ns, &ticket);

    cr_assert(eq(int, rc, 0), "%s", strerror(-rc));
    return ticket;
}

static void start(void)
{
    stage_start(&stage, &it);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
}

static void stop(void)
{
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
}

Test(requests, answers_in_any_order_go_to_their_requests)
{
    struct lam_ticket tickets[6];
    struct lam_reply replies[6];

    start();
    for (uint64_t round = 0; round < 100; round++) {
        for (uint64_t i = 0; i < 6; i++)
            tickets[i] = begin(i == 5 ? STAGE_FLUSH : STAGE_LATER, i, stage_soon());
        for (uint64_t i = 0; i < 6; i++) {
            cr_assert(
                eq(int, lam_client_take_until(&client, &tickets[i], stage_soon(), &replies[i]), 0));
            cr_assert(eq(int, replies[i].outcome, 0));
            cr_assert(eq(u64, replies[i].ticket.id, tickets[i].id));
        }
        for (uint64_t i = 0; i < 5; i++)
            cr_assert(memcmp(replies[i].payload, &tickets[i].id, 8) == 0);
        for (uint64_t i = 0; i < 6; i++) /* in another order than they came */
            lam_client_release_reply(&client, &replies[(i * 5 + round) % 6]);
    }
    cr_assert(eq(int, lam_client_try_take(&client, NULL, &replies[0]), -ENOENT));
    stop();
}

Test(requests, any_end_can_be_taken_first_come_first_served)
{
    struct lam_reply reply;
    uint64_t ids[5];

    start();
    for (uint64_t i = 0; i < 5; i++)
        ids[i] = begin(i == 4 ? STAGE_FLUSH : STAGE_LATER, i, stage_soon()).id;
    for (uint64_t i = 0; i < 5; i++) {
        cr_assert(eq(int, lam_client_take_until(&client, NULL, stage_soon(), &reply), 0));
        cr_assert(eq(u64, reply.ticket.id, i == 4 ? ids[4] : ids[3 - i]));
        lam_client_release_reply(&client, &reply);
    }
    stop();
}

Test(requests, one_without_an_answer_ends_by_its_deadline_and_a_late_answer_is_dropped)
{
    struct lam_reply reply;
    struct lam_ticket ticket;

    start();
    ticket = begin(STAGE_LATER, 1, stage_ms(20));
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
    cr_assert(eq(int, reply.outcome, -ETIMEDOUT));
    lam_client_release_reply(&client, &reply);
    ticket = begin(STAGE_FLUSH, 2, stage_soon());
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
    cr_assert(eq(int, reply.outcome, 0));
    cr_assert(memcmp(reply.payload, &(uint64_t){2}, 8) == 0);
    lam_client_release_reply(&client, &reply);
    cr_assert(eq(u64, lam_client_counts(&client)->late, 1));
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0));
    stop();
}

Test(requests, a_cancelled_one_ends_so_and_the_daemon_is_told)
{
    struct lam_reply reply;
    struct lam_ticket ticket;

    start();
    ticket = begin(STAGE_NEVER, 1, stage_soon());
    cr_assert(eq(int, lam_client_cancel(&client, ticket), 0));
    cr_assert(eq(int, lam_client_cancel(&client, ticket), -ENOENT));
    cr_assert(eq(int, lam_client_try_take(&client, &ticket, &reply), 1));
    cr_assert(eq(int, reply.outcome, -ECANCELED));
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0));
    stop();
    cr_assert(eq(u32, stage.canceled, 1));
}

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
Test(requests, a_cancel_does_not_overtake_its_request)
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

Test(requests, a_cancel_for_which_there_is_no_room_comes_later)
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

Test(requests, no_more_at_once_than_there_may_be)
{
    uint64_t number = 0;
    struct iovec part = {&number, sizeof(number)};
    struct lam_ticket ticket;

    start();
    for (uint64_t i = 0; i < 8; i++)
        (void)begin(STAGE_NEVER, i, stage_soon());
    cr_assert(eq(int,
        lam_client_begin_until(
            &client, LAM_LANE_HIGH, &part, 1, STAGE_NEVER, stage_soon(), &ticket),
        -EBUSY));
    stop();
}

/* What comes while an answer is waited for is kept for its own calls. */
Test(requests, messages_that_come_between_are_kept)
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

Test(requests, answers_get_through_whatever_lies_in_the_lanes)
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

Test(requests, a_lane_that_is_held_to_the_brim_holds_no_other)
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

Test(requests, an_answer_behind_a_large_message_does_not_wait_for_its_taker)
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

Test(requests, an_answer_that_is_given_up_midway_ends_its_request)
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

Test(requests, what_waits_behind_what_is_held_is_not_lost_with_the_daemon)
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
Test(requests, more_messages_than_can_be_held_are_said)
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

Test(requests, all_end_with_the_daemons_death_each_once)
{
    struct lam_reply reply;
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    for (uint64_t i = 0; i < 8; i++)
        (void)begin(STAGE_NEVER, i, stage_soon());
    stage_kill(daemon);
    for (uint64_t i = 0; i < 8; i++) {
        cr_assert(eq(int, lam_client_take_until(&client, NULL, stage_soon(), &reply), 0));
        cr_assert(eq(int, reply.outcome, -EOWNERDEAD));
    }
    cr_assert(eq(int, lam_client_take_until(&client, NULL, stage_soon(), &reply), -ENOENT));
    lam_client_disconnect(&client, 0, NULL);
}

Test(requests, an_answer_that_came_before_the_death_is_an_answer)
{
    struct lam_reply reply;
    struct lam_ticket ticket;
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    ticket = begin(STAGE_ECHO, 5, stage_soon());
    (void)usleep(100000);
    stage_kill(daemon);
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
    cr_assert(eq(int, reply.outcome, 0));
    lam_client_release_reply(&client, &reply);
    lam_client_disconnect(&client, 0, NULL);
}

Test(requests, with_reconnect_unanswered_ones_are_sent_again_to_the_next_daemon)
{
    struct lam_ticket kept[3];
    struct lam_reply reply;
    pid_t daemon = stage_fork_daemon(&it);
    uint64_t kept_id;

    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    for (uint64_t i = 0; i < 5; i++) /* these have their answers: they are not sent again */
        cr_assert(eq(int, stage_echo(&client, i, stage_soon()), 0));
    for (uint64_t i = 0; i < 3; i++)
        kept[i] = begin(STAGE_LATER, i, stage_soon());
    kept_id = client.hello.client_id;
    stage_kill(daemon);
    stage_start(&stage, &it);
    cr_assert(eq(int, stage_echo(&client, 77, stage_soon()), 0)); /* nobody noticed a thing */
    (void)begin(STAGE_FLUSH, 9, stage_soon());
    for (uint64_t i = 0; i < 3; i++) {
        cr_assert(eq(int, lam_client_take_until(&client, &kept[i], stage_soon(), &reply), 0));
        cr_assert(eq(int, reply.outcome, 0));
        cr_assert(memcmp(reply.payload, &kept[i].id, 8) == 0);
        lam_client_release_reply(&client, &reply);
    }
    cr_assert(eq(u64, lam_client_counts(&client)->reconnects, 1));
    /* The three, and perhaps the one that was on its way to the dead. */
    cr_assert(ge(u64, lam_client_counts(&client)->repeated, 3));
    cr_assert(le(u64, lam_client_counts(&client)->repeated, 4));
    lam_client_disconnect(&client, 0, NULL);
    stage_stop(&stage);
    cr_assert(eq(u32, stage.resumed, 1));
    cr_assert(ge(u32, stage.repeated, 3));
    cr_assert(eq(u64, stage.peer.kept_id, kept_id));
}

Test(requests, what_the_connection_before_lends_stays_readable_after_a_reconnect)
{
    struct lam_reply old_reply;
    struct lam_ticket ticket;
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    ticket = begin(STAGE_ECHO, 42, stage_soon());
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &old_reply), 0));
    for (int i = 0; i < 3; i++) {
        stage_kill(daemon);
        daemon = stage_fork_daemon(&it);
        if (i == 1) /* both places for rings are lent by now */
            cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), 0));
        else
            cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), 0));
        cr_assert(memcmp(old_reply.payload, &(uint64_t){42}, 8) == 0);
    }
    lam_client_release_reply(&client, &old_reply);
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), 0));
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(daemon);
}

Test(requests, with_reconnect_an_orderly_shutdown_is_no_end_either)
{
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    cr_assert(eq(int, stage_say(&client, STAGE_SHUT, 0, 0), 0));
    cr_assert(eq(int, stage_wait(daemon), 0));
    daemon = stage_fork_daemon(&it);
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), 0));
    cr_assert(eq(u32, lam_client_goodbye(&client)->reason, 4));
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(daemon);
}

Test(requests, with_reconnect_and_nobody_there_deadlines_hold)
{
    struct lam_reply reply;
    struct lam_ticket ticket;
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    ticket = begin(STAGE_NEVER, 1, stage_ms(60));
    stage_kill(daemon);
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_ms(10), &reply), -ETIMEDOUT));
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
    cr_assert(eq(int, reply.outcome, -ETIMEDOUT));
    lam_client_disconnect(&client, 0, NULL);
}

Test(requests, a_daemon_that_changed_its_mind_ends_all)
{
    struct lam_daemon_options newer = {.name = "it", .version_min = 5, .version_max = 5};
    struct lam_reply reply;
    struct lam_ticket ticket;
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    ticket = begin(STAGE_NEVER, 1, stage_soon());
    stage_kill(daemon);
    daemon = stage_fork_daemon(&newer);
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
    cr_assert(eq(int, reply.outcome, -EPROTO));
    cr_assert(eq(int, stage_echo(&client, 1, stage_soon()), -EPROTO));
    cr_assert(eq(u32, lam_client_goodbye(&client)->reason, LAM_ENDPOINT_MISMATCH));
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(daemon);
}

Test(requests, what_could_not_be_kept_is_refused)
{
    char large[65] = "";
    struct iovec part = {large, sizeof(large)};
    struct lam_ticket ticket;

    stage_start(&stage, &it);
    cr_assert(eq(int, stage_connect(&client, &for_ever, &error), 0), "%s", error.text);
    cr_assert(eq(int,
        lam_client_begin_until(&client, LAM_LANE_LOW, &part, 1, STAGE_ECHO, stage_soon(), &ticket),
        -EMSGSIZE));
    part.iov_len = 64;
    cr_assert(eq(int,
        lam_client_begin_until(&client, LAM_LANE_LOW, &part, 1, STAGE_ECHO, stage_soon(), &ticket),
        0));
    stop();
}

Test(requests, a_stopped_daemon_is_silent_and_not_dead)
{
    struct lam_client_options careful = to_it;
    struct lam_reply reply;
    struct lam_ticket ticket;
    pid_t daemon = stage_fork_daemon(&it);

    careful.silent_ns = 10 * LAM_NS_PER_MS;
    cr_assert(eq(int, stage_connect(&client, &careful, &error), 0), "%s", error.text);
    ticket = begin(STAGE_NEVER, 1, stage_soon());
    cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_ms(100), &reply), -ETIMEDOUT));
    cr_assert(eq(int, kill(daemon, SIGSTOP), 0));
    for (int i = 0; i < 100 && lam_client_silence_ns(&client) < 50 * LAM_NS_PER_MS; i++)
        cr_assert(
            eq(int, lam_client_take_until(&client, &ticket, stage_ms(20), &reply), -ETIMEDOUT));
    cr_assert(ge(u64, lam_client_silence_ns(&client), 50 * LAM_NS_PER_MS));
    cr_assert(eq(int, lam_client_is_connected(&client), 1));
    cr_assert(eq(int, kill(daemon, SIGCONT), 0));
    cr_assert(eq(int, stage_echo(&client, 3, stage_soon()), 0));
    lam_client_disconnect(&client, 0, NULL);
    stage_kill(daemon);
}

/* The daemon's next event, which is to be of @type. */
static struct lam_daemon_event next_event(enum lam_daemon_event_type type)
{
    struct lam_daemon_event event;

    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    cr_assert(eq(int, (int)event.type, (int)type));
    return event;
}

Test(requests, a_reply_claimed_for_one_that_dies_is_nobodys)
{
    struct lam_daemon_options options = {.name = "it"};
    struct lam_daemon_request request;
    void *payload = NULL;
    pid_t child;

    stage_create(&stage, &options);
    child = stage_fork();
    if (child == 0) {
        struct iovec part = {&child, sizeof(child)};
        struct lam_ticket ticket;

        STAGE_CHECK(stage_connect(&client, &to_it, &error) == 0);
        STAGE_CHECK(lam_client_begin_until(
                        &client, LAM_LANE_LOW, &part, 1, STAGE_ECHO, stage_soon(), &ticket) == 0);
        for (;;)
            (void)pause();
    }
    (void)next_event(LAM_DAEMON_CONNECTED);
    request = next_event(LAM_DAEMON_REQUEST).request;
    cr_assert(eq(int, lam_daemon_try_claim_reply(&stage.daemon, &request, 8, &payload), 1));
    lam_daemon_abort_reply(&stage.daemon, &request);
    cr_assert(eq(int, lam_daemon_try_claim_reply(&stage.daemon, &request, 8, &payload), 1));
    memset(payload, 1, 8);
    stage_kill(child);
    (void)next_event(LAM_DAEMON_GONE);
    lam_daemon_commit_reply(&stage.daemon, &request, 8, STAGE_ECHO, 0);
    lam_daemon_abort_reply(&stage.daemon, &request);
    cr_assert(eq(int, lam_daemon_try_claim_reply(&stage.daemon, &request, 8, &payload), -ENOTCONN));
    cr_assert(eq(u32, lam_daemon_client_count(&stage.daemon), 0));
    lam_daemon_destroy(&stage.daemon);
}
