/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_client_node.c: what the client makes of anything that a node may do, or may not: silence,
 * goodbyes, events, nonsense.
 */
#include "client_world.h"

TestSuite(client_node, .init = setup, .fini = teardown, .timeout = 60);

Test(client_node, a_goodbye_says_whether_to_come_again)
{
    static const struct {
        uint32_t code;
        int comes_again;
    } codes[] = {{REFUSED_DENIED, 0}, {REFUSED_MALFORMED, 0}, {GOODBYE_VERSION, 0},
        {GOODBYE_REPLACED, 0}, {REFUSED_BUSY, 1}, {GOODBYE_LATE, 1}, {GOODBYE_ENDING, 1},
        {12345, 1}};

    for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        meet();
        scripted_say(&world, &(struct frame){.kind = FRAME_GOODBYE,
                                 .code = codes[i].code,
                                 .bytes = (const uint8_t *)"because",
                                 .count = 7});
        if (codes[i].comes_again) {
            cr_assert(eq(int, step(), 0));
            cr_assert(strstr(lam_sequencer_client_failure(client), "because") != NULL);
            (void)meet_again();
            cr_assert(eq(str, (char *)lam_sequencer_client_failure(client), (char *)""));
        } else {
            is_over("unix:/a/node: the node sends this client away: because");
        }
    }
}

Test(client_node, a_node_that_is_not_there_is_tried_with_growing_pauses)
{
    world.connect_result = -ECONNREFUSED;
    cr_assert(eq(int,
        lam_sequencer_client_call_until(client, 0, "", 0, world.now_ns + 60 * LAM_NS_PER_S, &reply),
        -ETIMEDOUT));
    cr_assert(strstr(lam_sequencer_client_failure(client), "refused; is the node") != NULL);
    for (unsigned i = 1; i < world.connections && i < 64; i++) {
        uint64_t pause_ns = world.connected_ns[i] - world.connected_ns[i - 1];
        uint64_t most_ns = i < 7 ? 100 * MS << (i - 1) : 5000 * MS;

        most_ns = most_ns < 5000 * MS ? most_ns : 5000 * MS;
        cr_assert(pause_ns >= most_ns / 2 && pause_ns <= most_ns, "%u: %lu", i, pause_ns);
    }
    cr_assert(world.connections >= 12 && world.connections < 40);
    world.connect_result = 0;
    cr_assert(eq(int, lam_sequencer_client_call_until(client, 0, "", 0, UINT64_MAX, &reply), 0));
}

Test(client_node, a_connection_that_does_not_come_is_given_up)
{
    world.connect_result = 1;
    cr_assert(eq(int,
        lam_sequencer_client_call_until(client, 0, "", 0, world.now_ns + 12 * LAM_NS_PER_S, &reply),
        -ETIMEDOUT));
    cr_assert(eq(u32, world.connections, 3));
    make(NULL); /* it comes, and nothing more */
    cr_assert(eq(int,
        lam_sequencer_client_call_until(client, 0, "", 0, world.now_ns + 12 * LAM_NS_PER_S, &reply),
        -ETIMEDOUT));
    cr_assert(eq(u32, world.connections, 3));
}

Test(client_node, heartbeats_are_sent_and_waited_for)
{
    node.heartbeat_ns = 1000 * MS;
    cr_assert(eq(int, lam_sequencer_client_call_until(client, 0, "", 0, UINT64_MAX, &reply), 0));
    world.node = NULL;
    for (unsigned i = 0; i < 6; i++) {
        cr_assert(eq(int, lam_sequencer_client_wait_until(client, world.now_ns + 1000 * MS, &reply),
            -ETIMEDOUT));
        scripted_say(&world, &(struct frame){.kind = FRAME_BEAT});
        (void)heard(FRAME_BEAT);
        hears_nothing();
    }
    cr_assert(eq(int, step(), 0));
    cr_assert(eq(u32, world.connections, 1));
    cr_assert(eq(int, lam_sequencer_client_wait_until(client, world.now_ns + 2999 * MS, &reply),
        -ETIMEDOUT));
    cr_assert(eq(u32, world.file, 1));
    cr_assert(
        eq(int, lam_sequencer_client_wait_until(client, world.now_ns + MS, &reply), -ETIMEDOUT));
    cr_assert(strstr(lam_sequencer_client_failure(client), "three heartbeats") != NULL);
}

static void say_event(uint64_t sequence, uint32_t index)
{
    scripted_say(&world, &(struct frame){.kind = FRAME_EVENT,
                             .request = sequence,
                             .index = index,
                             .bytes = (const uint8_t *)"e",
                             .count = 1});
}

static void takes_event(uint64_t sequence, uint32_t index)
{
    cr_assert(eq(int, answer(), 0));
    cr_assert(eq(int, (int)reply.kind, LAM_SEQUENCER_EVENT));
    cr_assert(eq(u64, reply.sequence, sequence));
    cr_assert(eq(u32, reply.index, index));
}

Test(client_node, a_subscription_goes_on_where_it_was_and_tells_each_event_once)
{
    uint64_t request;

    meet();
    cr_assert(eq(int, lam_sequencer_client_subscribe(client, 10), 0));
    cr_assert(eq(int, lam_sequencer_client_try_send(client, 0, "", 0, &request), -EINVAL));
    (void)step();
    cr_assert(eq(u64, heard(FRAME_SUBSCRIBE).request, 10));
    say_event(10, 0);
    say_event(12, 0);
    say_event(12, 1);
    takes_event(10, 0);
    takes_event(12, 0);
    takes_event(12, 1);
    scripted_end(&world);
    (void)meet_again();
    cr_assert(eq(u64, heard(FRAME_SUBSCRIBE).request, 12));
    say_event(12, 0);
    say_event(12, 1);
    say_event(12, 2);
    say_event(13, 0);
    takes_event(12, 2);
    takes_event(13, 0);
}

Test(client_node, a_subscription_from_now_on_keeps_to_what_the_node_called_now)
{
    meet();
    cr_assert(eq(int, lam_sequencer_client_subscribe(client, 0), 0));
    (void)step();
    cr_assert(eq(u64, heard(FRAME_SUBSCRIBE).request, 0));
    scripted_say(&world, &(struct frame){.kind = FRAME_REPLY, .sequence = 33});
    cr_assert(eq(int, step(), 0));
    scripted_end(&world);
    (void)meet_again();
    cr_assert(eq(u64, heard(FRAME_SUBSCRIBE).request, 33));
    scripted_say(&world, &(struct frame){.kind = FRAME_REFUSED, .request = 33, .code = 8});
    cr_assert(eq(int, answer(), 0));
    cr_assert(eq(int, (int)reply.kind, LAM_SEQUENCER_REFUSED));
}

Test(client_node, a_session_is_ended_by_a_word)
{
    cr_assert(eq(int, lam_sequencer_client_call_until(client, 0, "", 0, UINT64_MAX, &reply), 0));
    cr_assert(eq(int, lam_sequencer_client_end_until(client, UINT64_MAX - 1), 0));
    meet();
    cr_assert(eq(int, lam_sequencer_client_end_until(client, world.now_ns + MS), -ETIMEDOUT));
    cr_assert(eq(u32, heard(FRAME_BYE).is_over, 1));
}

Test(client_node, a_key_that_is_wanted_and_not_there_is_told)
{
    make(NULL);
    cr_assert(eq(int, step(), 0));
    scripted_say(&world, &(struct frame){.kind = FRAME_CHALLENGE});
    is_over("--key");
}

/* All that a node may not say, over an open connection. */
Test(client_node, what_a_node_may_not_say_breaks_its_connection)
{
    static const struct frame frames[] = {
        {.kind = FRAME_REPLY, .request = 0},
        {.kind = FRAME_REPLY, .request = 2}, /* not sent */
        {.kind = FRAME_REPLY, .request = 5}, /* the place of the first */
        {.kind = FRAME_REFUSED, .request = UINT64_MAX},
        {.kind = FRAME_EVENT, .request = 1},
        {.kind = FRAME_CHALLENGE},
        {.kind = FRAME_WELCOME, .welcome = {77, 88, 0, 4, 9, 0, 1, 0}},
    };
    static const uint8_t noise[] = {15, 0, 0, 0}, length[] = {0, 0, 0, 2};

    for (unsigned i = 0; i < sizeof(frames) / sizeof(frames[0]) + 2; i++) {
        meet();
        (void)send_one("x");
        (void)step();
        if (i < sizeof(frames) / sizeof(frames[0]))
            scripted_say(&world, &frames[i]);
        else
            scripted_say_bytes(&world, i % 2 == 0 ? noise : length, 4);
        cr_assert(eq(int, step(), 0));
        cr_assert(eq(int, world.file, 0), "%u", i);
        cr_assert(strlen(lam_sequencer_client_failure(client)) > 20);
        (void)meet_again();
        cr_assert(eq(u64, heard(FRAME_REQUEST).request, 1));
    }
}

Test(client_node, a_welcome_that_makes_no_sense_is_none)
{
    static const struct frame_welcome welcomes[] = {
        {0, 88, 0, 4, 9, 0, FRAME_VERSION, 0},
        {77, 88, 0, 0, 9, 0, FRAME_VERSION, 0},
        {77, 88, 0, 4, 9, 0, FRAME_VERSION + 1, 0},
        {77, 88, UINT64_MAX, 4, 9, 0, FRAME_VERSION, 0},
    };

    for (unsigned i = 0; i < 4; i++) {
        make(NULL);
        (void)step();
        scripted_say(&world, &(struct frame){.kind = FRAME_WELCOME, .welcome = welcomes[i]});
        cr_assert(eq(int, step(), 0));
        cr_assert(eq(int, world.file, 0), "%u", i);
    }
}

/* Its bounds may be anything: the client has its own. */
Test(client_node, a_welcome_without_bounds_is_bounded)
{
    struct frame_welcome huge = {77, 88, 1, UINT32_MAX, UINT32_MAX, UINT64_MAX, FRAME_VERSION, 0};
    uint64_t request;

    make(NULL);
    (void)step();
    scripted_say(&world, &(struct frame){.kind = FRAME_WELCOME, .welcome = huge});
    cr_assert(eq(int, step(), 0));
    cr_assert(eq(u32, client->window, CLIENT_WINDOW_MAX));
    cr_assert(eq(
        int, lam_sequencer_client_try_send(client, 0, "", FRAME_BYTES_MAX, &request), -EMSGSIZE));
    cr_assert(eq(int, lam_sequencer_client_wait_until(client, world.now_ns + 1000 * MS, &reply),
        -ETIMEDOUT));
}

/* Whatever comes, a step ends, and what it says is of the protocol. */
Test(client_node, any_bytes_are_survived)
{
    uint64_t random = 1;

    for (unsigned round = 0; round < 2000; round++) {
        uint8_t bytes[256];
        uint32_t count;

        if (round % 20 == 0 || world.file == 0 || client->link != LINK_OPEN)
            meet();
        while (client->next - client->floor < 4)
            (void)send_one("x");
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        for (unsigned i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)((random >> (i % 7 * 8)) * (i + 1));
        count = 16 + (uint32_t)(random >> 35) % 64;
        bytes[0] = (uint8_t)count;
        bytes[1] = bytes[2] = bytes[3] = bytes[6] = bytes[7] = 0;
        bytes[4] = (uint8_t)(FRAME_CHALLENGE + (random >> 50) % 7);
        bytes[5] = (random >> 60) % 8 == 0;
        bytes[8] = (uint8_t)(random >> 44) % 8;
        memset(bytes + 9, 0, 7);
        scripted_say_bytes(&world, bytes, count);
        (void)step();
    }
}

/* Frames that are for nobody do not keep a step from ending. */
Test(client_node, a_flood_of_heartbeats_holds_nobody_up)
{
    uint64_t due_ns;

    meet();
    world.piece = 16;
    for (unsigned i = 0; i < 1000; i++)
        scripted_say(&world, &(struct frame){.kind = FRAME_BEAT});
    cr_assert(eq(int, step(), 0));
    cr_assert(world.to_begin < world.to_end);
    (void)lam_sequencer_client_fd(client, &due_ns);
    cr_assert(due_ns <= world.now_ns); /* there is more to do, at once */
}

/* A call of the env may be done when it is made, and then no descriptor tells of it. */
Test(client_node, what_is_half_sent_makes_a_step_due)
{
    uint64_t due_ns;

    meet();
    world.piece = 10;
    (void)send_one("abc");
    hears_nothing();
    (void)lam_sequencer_client_fd(client, &due_ns);
    cr_assert(due_ns <= world.now_ns);
    cr_assert(eq(int, step(), 0));
    (void)heard(FRAME_REQUEST);
    (void)lam_sequencer_client_fd(client, &due_ns);
    cr_assert(eq(u64, due_ns, UINT64_MAX));
}

Test(client_node, an_address_is_looked_at_before_anything_is_made)
{
    static const char *const wrong[] = {"", "unix:", "tcp:", "/a/b", "udp:1", "shm:x"};
    struct lam_sequencer_client *none;

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int rc;

        options.address = wrong[i];
        rc = client_create(&none, &world.env, &options, NULL, &error);
        cr_assert(eq(int, rc, i == 5 ? -ENOTSUP : -EINVAL));
        cr_assert(strncmp(error.text, "address ", 8) == 0);
    }
    options.address = NULL;
    cr_assert(eq(int, client_create(&none, &world.env, &options, NULL, &error), -EINVAL));
    options.address = "unix:a";
    options.session = 1;
    cr_assert(eq(int, client_create(&none, &world.env, &options, NULL, &error), -EINVAL));
}

Test(client_node, a_call_waits_for_one_at_a_time)
{
    meet();
    (void)send_one("x");
    cr_assert(
        eq(int, lam_sequencer_client_call_until(client, 0, "", 0, UINT64_MAX, &reply), -EINVAL));
    cr_assert(eq(int, lam_sequencer_client_end_until(client, UINT64_MAX), -EINVAL));
    cr_assert(eq(int, lam_sequencer_client_subscribe(client, 0), -EINVAL));
}
