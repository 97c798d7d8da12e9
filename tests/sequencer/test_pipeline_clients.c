/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pipeline_clients.c: what a node does with its clients: sessions, connections, subscribers.
 */
#include "scene.h"

TestSuite(pipeline_clients, .init = setup, .fini = teardown, .timeout = 60);

Test(pipeline_clients, a_session_goes_on_after_a_crash_and_a_retry_gets_the_same_reply)
{
    struct session session, again;
    unsigned client = come(&session);
    uint64_t first;

    world_request(&world, client, 1, 1, 5);
    world_settle(&world);
    hear_value(client, 1, 5);
    first = wire_get_u64(answer.body);
    crash(SIM_KEEP_NONE);
    client = memory_connect(&world.transport);
    world_hello(&world, client, session.id, session.token);
    world_request(&world, client, 1, 1, 5);
    world_request(&world, client, 2, 1, 6);
    world_settle(&world);
    again = welcome(client);
    cr_assert(eq(u64, again.id, session.id));
    hear_value(client, 1, 5);
    cr_assert(eq(u8, answer.flags, FRAME_REPEATED));
    cr_assert(eq(u64, wire_get_u64(answer.body), first));
    hear_value(client, 2, 11);
}

Test(pipeline_clients, a_session_is_resumed_by_who_knows_its_token_alone)
{
    struct session session;
    unsigned client = come(&session), other = memory_connect(&world.transport);

    world_hello(&world, other, session.id, session.token + 1);
    world_request(&world, other, 1, 1, 5); /* on the heels of it: never taken */
    world_settle(&world);
    hear(other, FRAME_GOODBYE);
    cr_assert(eq(u32, wire_get_u32(answer.body), REFUSED_DENIED));
    cr_assert(eq(int, world_hear(&world, other, &answer), -1));
    other = memory_connect(&world.transport);
    world_hello(&world, other, session.id + 1000, session.token);
    world_settle(&world);
    hear(other, FRAME_GOODBYE);
    cr_assert(eq(u32, wire_get_u32(answer.body), REFUSED_SESSION));
    world_query(&world, client, 1);
    world_settle(&world);
    hear_value(client, 1, 0);
}

Test(pipeline_clients, who_leaves_too_much_unanswered_is_held_and_not_refused)
{
    struct session session;
    unsigned client = come(&session);
    const struct memory_client *link = &world.transport.clients[client];

    for (uint64_t request = 1; request <= 40; request++)
        world_query(&world, client, request);
    for (int i = 0; i < 100; i++)
        (void)world_step_of(&world, NODE_READER, 8);
    cr_assert(eq(int, link->is_held, 1));
    world_settle(&world);
    cr_assert(eq(int, link->is_held, 0));
    for (uint64_t request = 1; request <= 40; request++)
        hear_value(client, request, 0);
}

Test(pipeline_clients, subscribers_hear_what_is_durable_in_order_and_after_a_restart)
{
    struct session session, other;
    unsigned client = come(&session), reader = come(&other);
    uint64_t sequences[3];

    world_say(&world, reader, FRAME_SUBSCRIBE, 0, NULL, 0);
    world_settle(&world);
    hear(reader, FRAME_REPLY);
    for (uint64_t i = 0; i < 3; i++)
        world_request(&world, client, i + 1, 1, SUM_PUBLISHED + i);
    run_without_disk();
    hear_nothing(reader);
    world_settle(&world);
    for (uint64_t i = 0; i < 3; i++) {
        hear(reader, FRAME_EVENT);
        sequences[i] = answer.request;
        cr_assert(i == 0 || sequences[i] > sequences[i - 1]);
        cr_assert(eq(u64, world_value(&answer), SUM_PUBLISHED * (i + 1) + i * (i + 1) / 2));
    }
    crash(SIM_KEEP_NONE);
    reader = come(&other);
    world_say(&world, reader, FRAME_SUBSCRIBE, sequences[1], NULL, 0);
    world_settle(&world);
    hear(reader, FRAME_REPLY);
    cr_assert(eq(u64, wire_get_u64(answer.body), sequences[1]));
    hear(reader, FRAME_EVENT);
    cr_assert(eq(u64, answer.request, sequences[1]));
    hear(reader, FRAME_EVENT);
    cr_assert(eq(u64, answer.request, sequences[2]));
    hear_nothing(reader);
}

Test(pipeline_clients, a_subscriber_that_does_not_read_is_cut_and_nobody_waits_for_it)
{
    struct session session, other;
    unsigned client = come(&session), reader = come(&other);
    int heard, count = 0;

    world_say(&world, reader, FRAME_SUBSCRIBE, 0, NULL, 0);
    world_settle(&world);
    hear(reader, FRAME_REPLY);
    world.transport.clients[reader].room = 400;
    for (uint64_t request = 1; request <= 600; request++) {
        world_request(&world, client, request, request, SUM_PUBLISHED);
        world_settle(&world);
        hear_value(client, request, request * SUM_PUBLISHED);
    }
    while ((heard = world_hear(&world, reader, &answer)) == 1)
        count++;
    cr_assert(eq(int, heard, -1));
    cr_assert(count > 0 && count < 600);
}

Test(pipeline_clients, what_is_not_kept_any_more_is_refused_to_a_subscriber)
{
    struct session session, other;
    unsigned client = come(&session), reader = come(&other);

    for (uint64_t request = 1; request <= 600; request++) {
        world_request(&world, client, request, request, SUM_PUBLISHED);
        world_settle(&world);
        hear_value(client, request, request * SUM_PUBLISHED);
    }
    world_say(&world, reader, FRAME_SUBSCRIBE, 1, NULL, 0);
    world_settle(&world);
    hear_refused(reader, 1, REFUSED_STALE);
    world_say(&world, reader, FRAME_SUBSCRIBE, 0, NULL, 0);
    world_settle(&world);
    hear(reader, FRAME_REPLY);
    hear_nothing(reader);
}

Test(pipeline_clients, a_client_that_does_not_read_is_cut_and_goes_on_later)
{
    struct session session;
    unsigned client = come(&session), other;
    struct session of_other;

    world.transport.clients[client].room = 60;
    for (uint64_t request = 1; request <= 4; request++)
        world_request(&world, client, request, 1, 1);
    world_settle(&world);
    cr_assert(eq(int, world.transport.clients[client].is_closed, 1));
    other = come(&of_other);
    world_query(&world, other, 1);
    world_settle(&world);
    hear_value(other, 1, 4); /* what was in order is applied */
    client = memory_connect(&world.transport);
    world_hello(&world, client, session.id, session.token);
    for (uint64_t request = 1; request <= 4; request++)
        world_request(&world, client, request, 1, 1);
    world_settle(&world);
    (void)welcome(client);
    for (uint64_t request = 1; request <= 4; request++)
        hear_value(client, request, request);
}

Test(pipeline_clients, places_of_those_who_left_are_given_away_again)
{
    for (int i = 0; i < 40; i++) {
        struct session session;
        unsigned client = come(&session);

        world_request(&world, client, 1, 1, 1);
        if (i % 2 == 0)
            world_settle(&world);
        memory_leave(&world.transport, client);
        world_settle(&world);
        cr_assert(eq(int, world.transport.clients[client].is_closed, 1));
    }
}

Test(pipeline_clients, one_connection_too_many_is_turned_away)
{
    struct session session;
    unsigned client;

    for (int i = 0; i < 8; i++)
        (void)come(&session);
    client = memory_connect(&world.transport);
    world_settle(&world);
    hear(client, FRAME_GOODBYE);
    cr_assert(eq(int, world_hear(&world, client, &answer), -1));
}

Test(pipeline_clients, who_is_silent_too_long_is_cut_and_others_get_beats)
{
    struct session session;
    unsigned client = come(&session), other = come(&session);
    int heard, beats = 0;

    for (int i = 0; i < 50; i++) {
        world_say(&world, other, FRAME_BEAT, 0, NULL, 0);
        world_sleep(&world, UINT64_C(1000000000));
    }
    while ((heard = world_hear(&world, other, &answer)) == 1)
        beats += answer.kind == FRAME_BEAT;
    cr_assert(heard == 0 && beats >= 2);
    do
        heard = world_hear(&world, client, &answer);
    while (heard == 1 && answer.kind == FRAME_BEAT);
    cr_assert(eq(u8, answer.kind, FRAME_GOODBYE));
}

Test(pipeline_clients, nonsense_ends_its_connection_alone)
{
    struct session session;
    unsigned good = come(&session), bad;

    for (int kind = 0; kind < 32; kind++) {
        if (kind == FRAME_HELLO || kind == FRAME_BEAT || kind == FRAME_BYE)
            continue;
        bad = memory_connect(&world.transport);
        world_say(&world, bad, (uint8_t)kind, 1, "0123456789", 10);
        world_settle(&world);
        hear(bad, FRAME_GOODBYE);
        cr_assert(eq(int, world_hear(&world, bad, &answer), -1));
    }
    world_query(&world, good, 1);
    world_settle(&world);
    hear_value(good, 1, 0);
}

Test(pipeline_clients, a_session_that_says_bye_is_over)
{
    struct session session;
    unsigned client = come(&session);

    world_say(&world, client, FRAME_BYE, 0, "\1", 1);
    world_settle(&world);
    cr_assert(eq(int, world_hear(&world, client, &answer), -1));
    client = memory_connect(&world.transport);
    world_hello(&world, client, session.id, session.token);
    world_settle(&world);
    hear(client, FRAME_GOODBYE);
    cr_assert(eq(u32, wire_get_u32(answer.body), REFUSED_SESSION));
}
