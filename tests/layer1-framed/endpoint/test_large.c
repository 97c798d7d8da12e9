/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a daemon writes straight into a client's lanes arrives as what it sends does; and a
 * client that leaves large messages lying costs the daemon no more than it chose to wait.
 * Method: a daemon that this thread turns and a client of the same thread, so that nobody reads
 * while the daemon sends; for waits, the daemon on a thread of its own.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lamina/framed/stream.h"
#include "one_client.h"

static uint64_t who;

TestSuite(large, .init = setup, .fini = teardown, .timeout = 30);

static const struct lam_daemon_options roomy = {
    .name = "it", .message_bytes_max = STAGE_BOOK_BYTES, .depth = 1024};

static void *connect_it(void *rc)
{
    *(int *)rc = stage_connect(&client, &to_it, &error);
    return NULL;
}

static void open_both(void)
{
    struct lam_daemon_event event;
    pthread_t thread;
    int rc = 1;

    stage_create(&stage, &roomy);
    cr_assert(eq(int, pthread_create(&thread, NULL, connect_it, &rc), 0));
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    cr_assert(eq(int, (int)event.type, LAM_DAEMON_CONNECTED));
    who = event.client;
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_assert(eq(int, rc, 0), "%s", error.text);
}

Test(large, a_daemon_writes_in_place_into_each_lane_of_a_client_and_of_no_other)
{
    struct lam_framed_message message;
    struct lam_daemon_event event;
    enum lam_lane lane;
    void *payload;

    open_both();
    cr_assert(lam_daemon_lanes(&stage.daemon, who + 1) == NULL);
    for (int which = LAM_LANE_LOW; which >= 0; which--) {
        struct lam_lanes_sender *lanes = lam_daemon_lanes(&stage.daemon, who);

        cr_assert(lanes != NULL);
        cr_assert(
            eq(int, lam_lanes_sender_try_claim(lanes, (enum lam_lane)which, 100, &payload), 1));
        memset(payload, 'a' + which, 100);
        lam_lanes_sender_commit(lanes, (enum lam_lane)which, 99, (uint16_t)(7 + which));
        cr_assert(eq(int, lam_client_try_receive(&client, &message, &lane), 1));
        cr_assert(eq(int, (int)lane, which));
        cr_assert(eq(u64, message.payload_bytes, 99));
        cr_assert(eq(int, message.kind, 7 + which));
        cr_assert(eq(int, *((const char *)message.payload + 98), 'a' + which));
        lam_client_release(&client, lane, &message);
    }
    lam_client_disconnect(&client, 0, NULL);
    cr_assert(eq(int, lam_daemon_wait_until(&stage.daemon, stage_soon(), &event), 0));
    cr_assert(eq(int, (int)event.type, LAM_DAEMON_GONE));
    cr_assert(lam_daemon_lanes(&stage.daemon, who) == NULL);
    lam_daemon_destroy(&stage.daemon);
}

/* One piece if there is room. Returns as lam_framed_sender_try_claim_piece(). */
static int write_piece(struct lam_framed_sender *sender)
{
    uint64_t piece_bytes;
    void *piece;
    int rc = lam_framed_sender_try_claim_piece(sender, &piece, &piece_bytes);

    if (rc == 1) {
        memset(piece, 'b', piece_bytes);
        lam_framed_sender_commit_piece(sender, piece_bytes);
    }
    return rc;
}

Test(large, by_pieces_no_send_waits_for_a_client_that_does_not_take)
{
    struct lam_framed_message message;
    struct lam_framed_sender *low;
    uint32_t full = 0;
    enum lam_lane lane;
    int rc = 0;

    open_both();
    low = &lam_daemon_lanes(&stage.daemon, who)->lanes[LAM_LANE_LOW];
    cr_assert(eq(int, lam_framed_sender_open_stream(low, STAGE_BOOK_BYTES, 5, NULL), 0));
    while (rc == 0) {
        while (lam_framed_sender_is_streaming(low) && write_piece(low) == 1)
            ;
        full += lam_framed_sender_is_streaming(low) != 0;
        rc = lam_client_try_receive(&client, &message, &lane);
    }
    cr_assert(eq(int, rc, 1));
    cr_assert(lt(u32, 0, full)); /* it is larger than the lane */
    cr_assert(eq(u64, message.payload_bytes, STAGE_BOOK_BYTES));
    cr_assert(eq(int, *((const char *)message.payload + STAGE_BOOK_BYTES - 1), 'b'));
    lam_client_release(&client, lane, &message);
    lam_client_disconnect(&client, 0, NULL);
    lam_daemon_destroy(&stage.daemon);
}

static void ask_for_books(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct lam_ticket ticket = begin(STAGE_BOOK, i, LAM_DEADLINE_NEVER);
        struct lam_reply reply;

        cr_assert(eq(int, lam_client_take_until(&client, &ticket, stage_soon(), &reply), 0));
        cr_assert(eq(int, reply.outcome, 0));
        lam_client_release_reply(&client, &reply);
    }
}

static void take_a_book(void)
{
    struct lam_framed_message message;
    enum lam_lane lane;

    cr_assert(eq(int, lam_client_receive_until(&client, stage_soon(), &message, &lane), 0));
    cr_assert(eq(int, message.kind, STAGE_BOOK));
    cr_assert(eq(u64, message.payload_bytes, STAGE_BOOK_BYTES));
    lam_client_release(&client, lane, &message);
}

Test(large, a_second_one_untaken_holds_the_daemon_to_its_deadline_and_is_told_as_cut)
{
    struct lam_framed_message message;
    enum lam_lane lane;

    stage_start(&stage, &roomy);
    cr_assert(eq(int, stage_connect(&client, &to_it, &error), 0), "%s", error.text);
    ask_for_books(2); /* the second answer comes when the daemon has given its book up */
    take_a_book();
    cr_assert(
        eq(int, lam_client_receive_until(&client, stage_soon(), &message, &lane), -ECANCELED));
    ask_for_books(1);
    take_a_book();
    stop();
}

Test(large, as_many_as_streams_max_are_taken_in_and_hold_nobody)
{
    struct lam_client_options options = to_it;

    options.streams_max = 3;
    stage_start(&stage, &roomy);
    cr_assert(eq(int, stage_connect(&client, &options, &error), 0), "%s", error.text);
    ask_for_books(3);
    for (int i = 0; i < 3; i++)
        take_a_book();
    ask_for_books(3);
    for (int i = 0; i < 3; i++)
        take_a_book();
    stop();
}

Test(large, more_streams_than_there_may_be_are_refused_with_words)
{
    struct lam_client_options options = to_it;

    options.streams_max = LAM_FRAMED_STREAMS_MAX + 1;
    cr_assert(eq(int, lam_client_connect(&client, &options, 0, &error), -EINVAL));
    cr_assert(strstr(error.text, "streams_max is 65: at most 64") != NULL, "%s", error.text);
}
