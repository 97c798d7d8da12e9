/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_client.c: the client against a scripted node (scripted.h), in a world whose time and bytes
 * the test moves: each request is applied once and answered, whatever breaks.
 */
#include "client_world.h"

TestSuite(client, .init = setup, .fini = teardown, .timeout = 60);

Test(client, a_call_is_answered_by_its_reply)
{
    uint64_t token;

    for (uint64_t i = 1; i < 40; i++) {
        cr_assert(
            eq(int, lam_sequencer_client_call_until(client, 0, "abc", 3, UINT64_MAX, &reply), 0));
        cr_assert(eq(int, (int)reply.kind, LAM_SEQUENCER_REPLY));
        cr_assert(eq(u64, reply.request, i));
        cr_assert(eq(u64, reply.sequence, i));
        cr_assert(eq(int, reply.is_repeat, 0));
        cr_assert(reply.count == 3 && memcmp(reply.bytes, "abc", 3) == 0);
        cr_assert(eq(u32, ((uintptr_t)reply.bytes & 7), 0));
    }
    cr_assert(eq(u64, lam_sequencer_client_session(client, &token), 7));
    cr_assert(eq(u64, token, 9));
    cr_assert(eq(u32, node.wrong, 0));
    cr_assert(eq(u32, world.connections, 1));
}

Test(client, a_query_is_answered_too)
{
    cr_assert(eq(int, lam_sequencer_client_call_until(client, 0, "", 0, UINT64_MAX, &reply), 0));
    cr_assert(eq(int, lam_sequencer_client_call_until(client, 1, "q", 1, UINT64_MAX, &reply), 0));
    cr_assert(eq(u64, reply.sequence, 1));
    cr_assert(eq(u64, reply.request, 2));
}

Test(client, any_pieces_make_the_same_frames)
{
    static const uint32_t pieces[] = {1, 3, 16, 17, 1000};

    for (unsigned i = 0; i < 5; i++) {
        make(&node);
        memset(&node, 0, sizeof(node));
        node.session = 7;
        node.token = 9;
        node.window = 8;
        world.piece = pieces[i];
        for (unsigned k = 0; k < 5; k++) {
            uint8_t bytes[300];

            memset(bytes, (int)k, sizeof(bytes));
            cr_assert(eq(int,
                lam_sequencer_client_call_until(
                    client, 0, bytes, sizeof(bytes), UINT64_MAX, &reply),
                0));
            cr_assert(reply.count == 300 && memcmp(reply.bytes, bytes, 300) == 0);
        }
        cr_assert(eq(u32, world.connections, 1));
    }
}

Test(client, no_more_than_the_window_is_without_an_answer)
{
    uint64_t request;

    meet(); /* window: 4 */
    for (unsigned i = 0; i < 4; i++)
        (void)send_one("x");
    cr_assert(eq(int, lam_sequencer_client_try_send(client, 0, "x", 1, &request), 0));
    scripted_say(&world, &(struct frame){.kind = FRAME_REPLY, .request = 1});
    cr_assert(eq(int, answer(), 0));
    cr_assert(eq(u64, send_one("x"), 5));
    cr_assert(eq(int, step(), 0));
    for (uint64_t i = 1; i < 5; i++)
        cr_assert(eq(u64, heard(FRAME_REQUEST).floor, 1));
    cr_assert(eq(u64, heard(FRAME_REQUEST).floor, 2));
}

/* A number that the window would let reuse its place may not pass the oldest one. */
Test(client, the_window_is_of_numbers_from_the_oldest_without_an_answer_on)
{
    uint64_t request;

    meet();
    for (unsigned i = 0; i < 4; i++)
        (void)send_one("x");
    (void)step();
    for (uint64_t i = 2; i <= 4; i++) { /* a node may answer another one sooner */
        scripted_say(&world, &(struct frame){.kind = FRAME_REPLY, .request = i});
        cr_assert(eq(int, answer(), 0));
    }
    cr_assert(eq(int, lam_sequencer_client_try_send(client, 0, "x", 1, &request), 0));
    scripted_say(&world, &(struct frame){.kind = FRAME_REPLY, .request = 1});
    cr_assert(eq(int, answer(), 0));
    cr_assert(eq(u64, send_one("x"), 5));
    (void)step();
    for (unsigned i = 0; i < 4; i++)
        (void)heard(FRAME_REQUEST);
    cr_assert(eq(u64, heard(FRAME_REQUEST).floor, 5));
}

Test(client, a_smaller_window_is_asked_for_and_a_larger_one_is_not)
{
    uint64_t request;

    options.window = 2;
    meet();
    (void)send_one("x");
    (void)send_one("x");
    cr_assert(eq(int, lam_sequencer_client_try_send(client, 0, "x", 1, &request), 0));
    options.window = 100;
    meet();
    for (unsigned i = 0; i < 4; i++)
        (void)send_one("x");
    cr_assert(eq(int, lam_sequencer_client_try_send(client, 0, "x", 1, &request), 0));
}

Test(client, what_is_too_long_for_the_node_is_not_sent)
{
    static uint8_t bytes[100001];
    uint64_t request;

    meet();
    cr_assert(
        eq(int, lam_sequencer_client_try_send(client, 0, bytes, 100001, &request), -EMSGSIZE));
    cr_assert(eq(int, lam_sequencer_client_try_send(client, 0, bytes, 100000, &request), 1));
    (void)step();
    cr_assert(eq(u32, heard(FRAME_REQUEST).count, 100000)); /* longer than its buffer was */
}

Test(client, a_reply_of_any_length_is_taken)
{
    static uint8_t bytes[200000];

    meet();
    (void)send_one("x");
    (void)step();
    bytes[199999] = 5;
    world.piece = 50000;
    scripted_say(&world,
        &(struct frame){.kind = FRAME_REPLY, .request = 1, .bytes = bytes, .count = 200000});
    cr_assert(eq(int, answer(), 0));
    cr_assert(reply.count == 200000 && memcmp(reply.bytes, bytes, 200000) == 0);
}

Test(client, what_has_no_answer_is_sent_again_over_the_next_connection)
{
    struct frame frame;

    meet();
    for (unsigned i = 0; i < 3; i++)
        (void)send_one("abc");
    (void)step();
    scripted_say(&world, &(struct frame){.kind = FRAME_REPLY, .request = 1});
    cr_assert(eq(int, answer(), 0));
    scripted_end(&world);
    frame = meet_again();
    cr_assert(eq(u64, frame.hello.session, 77)); /* the same one, by its token */
    cr_assert(eq(u64, frame.hello.token, 88));
    for (uint64_t i = 2; i <= 3; i++) {
        frame = heard(FRAME_REQUEST);
        cr_assert(eq(u64, frame.request, i));
        cr_assert(eq(u64, frame.floor, 2));
        cr_assert(frame.count == 3 && memcmp(frame.bytes, "abc", 3) == 0);
    }
    hears_nothing();
    scripted_say(
        &world, &(struct frame){.kind = FRAME_REPLY, .flags = FRAME_REPEATED, .request = 2});
    cr_assert(eq(int, answer(), 0));
    cr_assert(eq(int, reply.is_repeat, 1));
}

/* Breaks before and behind a request, busy nodes, bytes in pieces: each number is applied once. */
Test(client, each_request_is_applied_once_whatever_breaks)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t random = seed, told[SCRIPTED_NUMBER] = {0}, sent = 0, answers = 0, request;

        memset(&node, 0, sizeof(node));
        node.session = 7;
        node.token = 9;
        node.window = 8;
        make(&node);
        while (answers < 100) {
            random = random * UINT64_C(6364136223846793005) + 1;
            world.piece = 1 + (uint32_t)(random >> 33) % 200;
            if ((random >> 40) % 8 == 0 && node.break_in == 0) {
                node.break_in = 1 + (unsigned)(random >> 45) % 6;
                node.breaks_before = (int)(random >> 50) & 1;
            }
            if ((random >> 51) % 8 == 0)
                node.busy_in = 1 + (unsigned)(random >> 55) % 6;
            while (sent < 100 && lam_sequencer_client_try_send(client, 0, &sent, 8, &request) == 1)
                cr_assert(eq(u64, request, ++sent));
            if (lam_sequencer_client_wait_until(client, world.now_ns + MS, &reply) != 0)
                continue;
            answers++;
            cr_assert(eq(u64, told[reply.request], 0));
            told[reply.request] = 1;
            if (reply.kind == LAM_SEQUENCER_REFUSED)
                cr_assert(eq(u32, node.times[reply.request], 0), "seed %lu", seed);
            else
                cr_assert(eq(u64, reply.sequence, node.applied[reply.request]));
        }
        cr_assert(eq(u32, node.wrong, 0), "seed %lu", seed);
        for (uint64_t i = 1; i <= 100; i++)
            cr_assert(node.times[i] <= 1 && told[i] == 1);
    }
}

Test(client, busy_is_an_answer_to_what_was_sent_once)
{
    meet();
    (void)send_one("x");
    (void)step();
    scripted_say(&world, &(struct frame){.kind = FRAME_REFUSED,
                             .request = 1,
                             .code = REFUSED_BUSY,
                             .bytes = (const uint8_t *)"so\x1b",
                             .count = 3});
    cr_assert(eq(int, answer(), 0));
    cr_assert(eq(int, (int)reply.kind, LAM_SEQUENCER_REFUSED));
    cr_assert(eq(u32, reply.code, REFUSED_BUSY));
    cr_assert(eq(str, (char *)reply.text, (char *)"so?")); /* no terminal is told anything */
}

Test(client, busy_is_no_answer_to_what_may_have_been_applied)
{
    meet();
    (void)send_one("x");
    (void)step();
    scripted_end(&world);
    (void)meet_again();
    (void)heard(FRAME_REQUEST);
    for (unsigned i = 0; i < 3; i++) {
        scripted_say(
            &world, &(struct frame){.kind = FRAME_REFUSED, .request = 1, .code = REFUSED_BUSY});
        cr_assert(eq(int, lam_sequencer_client_wait_until(client, world.now_ns + 99 * MS, &reply),
            -ETIMEDOUT));
        hears_nothing(); /* the node has time to breathe */
        cr_assert(eq(int, lam_sequencer_client_wait_until(client, world.now_ns + 2 * MS, &reply),
            -ETIMEDOUT));
        cr_assert(eq(u64, heard(FRAME_REQUEST).request, 1));
    }
    scripted_say(&world, &(struct frame){.kind = FRAME_REPLY, .request = 1, .sequence = 5});
    cr_assert(eq(int, answer(), 0));
    cr_assert(eq(u64, reply.sequence, 5));
}

Test(client, a_forgotten_session_ends_who_cannot_know_what_was_applied)
{
    uint64_t request;

    meet();
    (void)send_one("x");
    (void)step();
    scripted_end(&world);
    world.node = NULL;
    for (unsigned turn = 0; world.connections == 1 && turn < 100; turn++)
        (void)lam_sequencer_client_wait_until(client, world.now_ns + 100 * MS, &reply);
    (void)heard(FRAME_HELLO);
    scripted_say(&world, &(struct frame){.kind = FRAME_GOODBYE, .code = REFUSED_SESSION});
    is_over("what became of requests from 1 on");
    cr_assert(
        eq(int, lam_sequencer_client_try_send(client, 0, "x", 1, &request), -ENOTRECOVERABLE));
    cr_assert(eq(u32, world.connections, 2));
}

Test(client, a_forgotten_session_that_waited_for_nothing_is_followed_by_another)
{
    cr_assert(eq(int, lam_sequencer_client_call_until(client, 0, "", 0, UINT64_MAX, &reply), 0));
    node.session = 8; /* the node has forgotten the first one, and all numbers with it */
    node.token = 10;
    memset(node.applied, 0, sizeof(node.applied));
    node.floor = 0;
    scripted_end(&world);
    cr_assert(eq(int, lam_sequencer_client_wait_until(client, world.now_ns + LAM_NS_PER_S, &reply),
        -ETIMEDOUT));
    cr_assert(eq(int, lam_sequencer_client_call_until(client, 0, "", 0, UINT64_MAX, &reply), 0));
    cr_assert(eq(u64, reply.request, 2));
    cr_assert(eq(u64, lam_sequencer_client_session(client, &reply.sequence), 8));
}

Test(client, a_resumed_session_goes_on_behind_all_numbers_that_may_be_used)
{
    options.session = 7;
    options.token = 9;
    node.floor = 20;
    make(&node);
    cr_assert(eq(int, lam_sequencer_client_call_until(client, 0, "", 0, UINT64_MAX, &reply), 0));
    cr_assert(eq(u64, reply.request, 28));
    cr_assert(eq(u64, node.floor, 28));
    node.session = 8;
    make(&node);
    for (unsigned i = 0; i < 3; i++)
        (void)step();
    is_over("cannot be resumed");
}
