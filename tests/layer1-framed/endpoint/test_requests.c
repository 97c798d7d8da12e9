/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each request comes to exactly one end: its answer, its deadline, a cancel, or the daemon's;
 * and with reconnect the daemon's end is none. Method: a daemon that answers late, in another order
 * or never, and that is killed and started anew.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "one_client.h"

static const struct lam_client_options for_ever = {
    .endpoint = "it", .requests_max = 8, .reconnect = 1, .request_bytes_max = 64};

TestSuite(requests, .init = setup, .fini = teardown, .timeout = 30);

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

Test(requests, all_end_with_the_daemons_death_each_once)
{
    struct lam_framed_message message;
    struct lam_reply reply;
    enum lam_lane lane;
    pid_t daemon = stage_fork_daemon(&it);

    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    for (uint64_t i = 0; i < 8; i++)
        (void)begin(STAGE_NEVER, i, stage_soon());
    stage_kill(daemon);
    cr_assert(
        eq(int, lam_client_receive_until(&client, stage_soon(), &message, &lane), -EOWNERDEAD));
    for (uint64_t i = 0; i < 8; i++) { /* who knows of the death has the ends of all */
        cr_assert(eq(int, lam_client_try_take(&client, NULL, &reply), 1));
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
    /* It went behind the three; and perhaps was on its way to the dead itself. */
    cr_assert(ge(u64, lam_client_counts(&client)->repeated, 3));
    cr_assert(le(u64, lam_client_counts(&client)->repeated, 4));
    (void)begin(STAGE_FLUSH, 9, stage_soon());
    for (uint64_t i = 0; i < 3; i++) {
        cr_assert(eq(int, lam_client_take_until(&client, &kept[i], stage_soon(), &reply), 0));
        cr_assert(eq(int, reply.outcome, 0));
        cr_assert(memcmp(reply.payload, &kept[i].id, 8) == 0);
        lam_client_release_reply(&client, &reply);
    }
    cr_assert(eq(u64, lam_client_counts(&client)->reconnects, 1));
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
