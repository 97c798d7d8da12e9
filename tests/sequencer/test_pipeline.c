/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pipeline.c: what the stages together promise: order, durability, recovery, in single scenes.
 */
#include "scene.h"

TestSuite(pipeline, .init = setup, .fini = teardown, .timeout = 60);

Test(pipeline, a_request_is_journaled_applied_and_answered)
{
    struct session session;
    unsigned client = come(&session);

    cr_assert(session.id != 0 && session.token != 0);
    world_request(&world, client, 1, 1, 5);
    world_request(&world, client, 2, 1, 7);
    world_settle(&world);
    hear_value(client, 1, 5);
    hear_value(client, 2, 12);
    hear_nothing(client);
}

Test(pipeline, nothing_is_answered_before_it_is_durable)
{
    struct session session;
    unsigned client = come(&session);

    world_request(&world, client, 1, 1, 5);
    world_query(&world, client, 2);
    run_without_disk();
    hear_nothing(client); /* the application has applied it, and the disk does not have it */
    cr_assert(eq(str, (char *)node_stage(world.node, NODE_RESPONSE)->blocked_on, "the gate"));
    while (world_hear(&world, client, &answer) == 0) {
        cr_assert(eq(u64, sim_unsynced(&world.sim), sim_unsynced(&world.sim)));
        (void)world_step(&world);
        if (world.sim.queue_count != 0)
            world.sim.env.ops->wait(&world.sim.env, UINT64_MAX);
    }
    cr_assert(eq(u8, answer.kind, FRAME_REPLY));
    crash(SIM_KEEP_NONE); /* what was answered outlives a power cut at once */
    client = memory_connect(&world.transport);
    world_hello(&world, client, session.id, session.token);
    world_settle(&world);
    (void)welcome(client);
    world_query(&world, client, 9);
    world_settle(&world);
    hear_value(client, 9, 5);
}

Test(pipeline, without_a_policy_nothing_waits_for_the_disk)
{
    unsigned client;

    world_close(&world);
    world.config.policy = LAM_SEQUENCER_NONE;
    open_world();
    client = memory_connect(&world.transport);
    world_hello(&world, client, 0, 0);
    run_without_disk();
    (void)welcome(client);
}

Test(pipeline, queries_see_all_that_was_asked_before_them)
{
    struct session session;
    unsigned client = come(&session);

    for (uint64_t i = 0; i < 4; i++) {
        world_request(&world, client, 2 * i + 1, 2 * i + 1, 1);
        world_query(&world, client, 2 * i + 2);
    }
    world_settle(&world);
    for (uint64_t i = 0; i < 4; i++) {
        hear_value(client, 2 * i + 1, i + 1);
        hear_value(client, 2 * i + 2, i + 1);
    }
}

Test(pipeline, refusals_come_in_the_order_of_the_requests)
{
    struct session session;
    unsigned client = come(&session);
    uint8_t large[8 + 65] = {0};

    world_request(&world, client, 1, 1, 1);
    world_say(&world, client, FRAME_REQUEST, 2, large, sizeof(large));
    world_request(&world, client, 3, 1, SUM_REFUSED);
    world_say(&world, client, FRAME_QUERY, 4, large, sizeof(large));
    world_request(&world, client, 5, 1, 1);
    /* The refusals are known at once, and the rest waits for the disk. */
    run_without_disk();
    hear_nothing(client);
    world_settle(&world);
    hear_value(client, 1, 1);
    hear_refused(client, 2, REFUSED_SIZE);
    hear_refused(client, 3, REFUSED_APP + 7);
    hear_refused(client, 4, REFUSED_SIZE);
    hear_value(client, 5, 2);
}

Test(pipeline, a_full_input_ring_refuses_in_order_and_loses_nothing)
{
    struct session sessions[4];
    unsigned clients[4];
    uint64_t applied = 0, busy = 0;

    open_with_cells(64, 256);
    for (int i = 0; i < 4; i++)
        clients[i] = come(&sessions[i]);
    for (uint64_t request = 1; request <= 16; request++)
        for (int i = 0; i < 4; i++)
            world_request(&world, clients[i], request, request, 1);
    for (int i = 0; i < 100; i++)
        (void)world_step_of(&world, NODE_READER, 8);
    world_settle(&world);
    for (int i = 0; i < 4; i++)
        for (uint64_t request = 1; request <= 16; request++) {
            cr_assert(eq(int, world_hear(&world, clients[i], &answer), 1));
            cr_assert(eq(u64, answer.request, request));
            applied += answer.kind == FRAME_REPLY;
            busy += answer.kind == FRAME_REFUSED && wire_get_u32(answer.body) == REFUSED_BUSY;
        }
    cr_assert(eq(u64, applied + busy, 64));
    cr_assert(busy > 0 && applied > 0);
    world_query(&world, clients[0], 99);
    world_settle(&world);
    hear_value(clients[0], 99, applied);
}

Test(pipeline, a_full_output_ring_holds_the_application_and_loses_nothing)
{
    struct session sessions[4];
    unsigned clients[4];

    open_with_cells(256, 64);
    for (int i = 0; i < 4; i++)
        clients[i] = come(&sessions[i]);
    for (uint64_t request = 1; request <= 16; request++)
        for (int i = 0; i < 4; i++)
            world_query(&world, clients[i], request);
    /* Nobody takes what the application makes. */
    for (int i = 0; i < 200; i++) {
        (void)world_step_of(&world, NODE_READER, 1);
        (void)world_step_of(&world, NODE_APPLICATION, 8);
        (void)world_step_of(&world, NODE_JOURNAL, 8);
        (void)world_step_of(&world, NODE_SHADOW, 8);
    }
    cr_assert(eq(u64, node_stage(world.node, NODE_APPLICATION)->blocked_on != NULL, 1));
    world_settle(&world);
    for (int i = 0; i < 4; i++)
        for (uint64_t request = 1; request <= 16; request++)
            hear_value(clients[i], request, 0);
}

Test(pipeline, a_full_disk_refuses_events_and_answers_queries)
{
    struct session session;
    unsigned client = come(&session);
    uint64_t applied = 0;

    world.sim.faults.room_bytes = UINT64_C(2) * 65536 + MARK_FILE_BYTES + 4096;
    for (uint64_t request = 1; request < 4000; request++) {
        world_request(&world, client, request, request, 1);
        world_settle(&world);
        cr_assert(eq(int, world_hear(&world, client, &answer), 1));
        if (answer.kind == FRAME_REFUSED)
            break;
        applied++;
    }
    cr_assert(eq(u8, answer.kind, FRAME_REFUSED));
    cr_assert(eq(u32, wire_get_u32(answer.body), REFUSED_NO_SPACE));
    world_query(&world, client, 5000);
    world_settle(&world);
    hear_value(client, 5000, applied);
    world.sim.faults.room_bytes = 0;
    for (int i = 0; i < 10; i++)
        world_sleep(&world, UINT64_C(1000000000));
    world_request(&world, client, 5001, 5001, 1);
    world_settle(&world);
    do
        cr_assert(eq(int, world_hear(&world, client, &answer), 1));
    while (answer.kind == FRAME_BEAT);
    cr_assert(eq(u64, world_value(&answer), applied + 1));
    cr_assert(eq(int, world.failed, 0));
}

Test(pipeline, startup_events_come_once_wherever_a_process_stops)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct session session;
        unsigned client;

        world_fini(&world);
        world_init(&world, seed);
        world.sum.has_startup = 1;
        open_world();
        for (int crashes = 0; crashes < 4; crashes++) {
            uint64_t steps = sim_random(&world.sim) % 12;

            for (uint64_t i = 0; i < steps; i++) {
                (void)world_step(&world);
                if (world.sim.queue_count != 0)
                    world.sim.env.ops->wait(&world.sim.env, UINT64_MAX);
            }
            crash(SIM_KEEP_SOME);
        }
        world_settle(&world);
        client = come(&session);
        world_query(&world, client, 1);
        world_settle(&world);
        hear_value(client, 1, 60);
    }
}

Test(pipeline, time_goes_on_where_it_was_over_restarts_with_a_clock_that_begins_anew)
{
    struct session session;
    unsigned client;
    uint64_t last_ns;

    world.sim.now_ns += UINT64_C(1000000000000);
    client = come(&session);
    world_request(&world, client, 1, 1, 1);
    world_settle(&world);
    last_ns = machine_time_ns(world.node->application.machine);
    world.sim.now_ns = 5;
    crash(SIM_KEEP_NONE);
    world_settle(&world);
    cr_assert(machine_time_ns(world.node->application.machine) > last_ns);
    last_ns = machine_time_ns(world.node->application.machine);
    world_sleep(&world, 1000000000);
    (void)come(&session);
    /* It runs as fast as the clock does. */
    cr_assert(machine_time_ns(world.node->application.machine) >= last_ns + 1000000000);
}

Test(pipeline, ticks_are_events_and_come_as_often_as_configured)
{
    uint64_t next;

    world_close(&world);
    world.config.tick_ns = 1000000;
    open_world();
    world_settle(&world);
    next = machine_next(world.node->application.machine);
    for (int i = 0; i < 10; i++)
        world_sleep(&world, 1000000);
    cr_assert(eq(u64, machine_next(world.node->application.machine), next + 10));
    cr_assert(eq(u64, machine_next(world.node->shadow.machine), next + 10));
}

Test(pipeline, copies_that_differ_stop_the_node)
{
    struct session session;
    unsigned client;

    world_close(&world);
    world.config.digest_events = 4;
    open_world();
    client = come(&session);
    for (uint64_t request = 1; request <= 20; request++) {
        world_request(&world, client, request, request, 1);
        world_settle(&world);
        hear_value(client, request, request);
    }
    cr_assert(eq(int, world.failed, 0));
    world.sum.is_unlike =
        1; /* from now on: what the shadow applies is what the live copy did not */
    for (uint64_t request = 21; request <= 40 && world.failed == 0; request++) {
        world.sum.is_unlike = 0;
        world_request(&world, client, request, request, 1);
        for (int i = 0; i < 20; i++) {
            (void)world_step_of(&world, NODE_READER, 8);
            (void)world_step_of(&world, NODE_APPLICATION, 8);
        }
        world.sum.is_unlike = 1;
        world_settle(&world);
    }
    cr_assert(eq(int, world.failed, -EILSEQ), "%s", world.error.text);
}

Test(pipeline, a_journal_that_another_application_made_is_not_served)
{
    struct session session;
    unsigned client;

    world_close(&world);
    world.config.digest_events = 4;
    open_world();
    client = come(&session);
    for (uint64_t request = 1; request <= 20; request++) {
        world_request(&world, client, request, request, 1);
        world_settle(&world);
        hear_value(client, request, request);
    }
    world.sum.is_unlike = 1;
    cr_assert(eq(int, world_crash(&world, SIM_KEEP_NONE), -EILSEQ));
}

Test(pipeline, a_stop_answers_what_was_put_in_order_and_then_ends)
{
    struct session session;
    unsigned client = come(&session);

    for (uint64_t request = 1; request <= 5; request++)
        world_request(&world, client, request, 1, 1);
    for (int i = 0; i < 5; i++)
        (void)world_step_of(&world, NODE_READER, 1);
    node_stop(world.node);
    world_settle(&world);
    cr_assert(eq(int, node_is_done(world.node), 1));
    for (uint64_t request = 1; request <= 5; request++)
        hear_value(client, request, request);
    hear(client, FRAME_GOODBYE);
    crash(SIM_KEEP_NONE);
    cr_assert(eq(u64, machine_next(world.node->application.machine), 8));
}

Test(pipeline, a_failed_write_ends_the_node_and_nothing_more_is_answered)
{
    struct session session;
    unsigned client = come(&session);

    world.sim.faults.fail_at[LAM_ENV_SYNC] = world.sim.calls_of[LAM_ENV_SYNC] + 1;
    world.sim.faults.fail_error = -EIO;
    world_request(&world, client, 1, 1, 5);
    world_settle(&world);
    cr_assert(eq(int, world.failed, -ENOTRECOVERABLE));
    hear_nothing(client);
}

/* One scene, told in one piece. NOLINTNEXTLINE(readability-function-size) */
Test(pipeline, what_was_answered_is_there_after_a_crash_at_any_step)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t answered = 0, sent = 0;
        struct session session;
        unsigned client;

        world_fini(&world);
        world_init(&world, seed);
        world.config.digest_events = 16;
        open_world();
        client = come(&session);
        for (int crashes = 0; crashes < 5; crashes++) {
            uint64_t steps = sim_random(&world.sim) % 60;

            for (uint64_t i = 0; i < steps; i++) {
                if (sim_random(&world.sim) % 2 == 0 && sent - answered < 8) {
                    sent++;
                    world_request(&world, client, sent, answered + 1, 1);
                }
                (void)world_step(&world);
                if (world.sim.queue_count != 0 && sim_random(&world.sim) % 2 == 0)
                    world.sim.env.ops->wait(&world.sim.env, UINT64_MAX);
                while (world_hear(&world, client, &answer) == 1)
                    if (answer.kind == FRAME_REPLY) {
                        cr_assert(eq(u64, answer.request, ++answered));
                        cr_assert(eq(u64, world_value(&answer), answered));
                    }
            }
            crash(SIM_KEEP_SOME);
            client = memory_connect(&world.transport);
            world_hello(&world, client, session.id, session.token);
            for (uint64_t request = answered + 1; request <= sent; request++)
                world_request(&world, client, request, answered + 1, 1);
        }
        world_settle(&world);
        (void)welcome(client);
        for (uint64_t request = answered + 1; request <= sent; request++)
            hear_value(client, request, request);
    }
}

/* Requests from @from to @to, each answered. */
static void count_up(unsigned client, uint64_t from, uint64_t to)
{
    for (uint64_t request = from; request <= to; request++) {
        world_request(&world, client, request, request, 1);
        world_settle(&world);
        hear_value(client, request, request);
    }
}

Test(pipeline, a_snapshot_spares_the_replay_of_what_it_holds)
{
    struct session session;
    unsigned client;

    world_close(&world);
    world.config.snapshot_events = 20;
    open_world();
    client = come(&session);
    count_up(client, 1, 100);
    cr_assert(world.node->shadow.snapshots >= 3, "%s", world.node->shadow.snapshot_error.text);
    crash(SIM_KEEP_NONE);
    cr_assert(world.node->journaling.report.passed >= 60);
    cr_assert(world.node->journaling.report.records <= 43);
    client = memory_connect(&world.transport);
    world_hello(&world, client, session.id, session.token);
    world_settle(&world);
    (void)welcome(client);
    world_request(&world, client, 100, 100, 1);
    world_settle(&world);
    hear_value(client, 100, 100); /* it was applied, and its reply is part of the state */
    count_up(client, 101, 140);
}

/* The newest snapshot cannot be read any more. */
static void damage_newest_snapshot(void)
{
    const struct journal *journal = &world.node->journaling.journal;
    struct sim_file *file = NULL;
    char name[NAME_BYTES];

    for (uint64_t next = journal_next(journal); file == NULL && next > 0; next--) {
        name_snapshot(name, journal->id, next);
        file = sim_find(&world.sim, name);
    }
    cr_assert(file != NULL);
    file->disk[0] ^= 1;
    file->seen[0] ^= 1;
}

Test(pipeline, what_two_snapshots_hold_leaves_the_journal_when_it_may)
{
    char first[NAME_BYTES], archived[NAME_BYTES];
    struct session session;
    unsigned client;

    name_segment(first, 0);
    name_archive(archived, 0);
    world_close(&world);
    world.config.snapshot_events = 20;
    world.config.retain = LAM_SEQUENCER_ARCHIVE;
    open_world();
    client = come(&session);
    cr_assert(sim_find(&world.sim, first) != NULL);
    count_up(client, 1, 100);
    world_sleep(&world, UINT64_C(100000000)); /* the mark has to be past them, too */
    cr_assert(sim_find(&world.sim, first) == NULL);
    cr_assert(sim_find(&world.sim, archived) != NULL);

    damage_newest_snapshot();
    crash(SIM_KEEP_NONE);
    client = memory_connect(&world.transport);
    world_hello(&world, client, session.id, session.token);
    world_settle(&world);
    (void)welcome(client);
    count_up(client, 101, 140);
}

Test(pipeline, a_snapshot_that_cannot_be_written_ends_nothing)
{
    struct session session;
    unsigned client;
    uint64_t taken;

    world_close(&world);
    world.config.snapshot_events = 20;
    open_world();
    client = come(&session);
    count_up(client, 1, 50);
    taken = world.node->shadow.snapshots;
    cr_assert(taken >= 1);
    /* Segments are made seldom: the next that is created is a snapshot. */
    world.sim.faults.fail_at[LAM_ENV_CREATE] = world.sim.calls_of[LAM_ENV_CREATE] + 1;
    world.sim.faults.fail_error = -EIO;
    count_up(client, 51, 80);
    cr_assert(eq(u64, world.node->shadow.snapshots_failed, 1));
    count_up(client, 81, 120);
    cr_assert(world.node->shadow.snapshots > taken);
}
