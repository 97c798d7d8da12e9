/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_journal.c: what the journal promises, in single scenes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "life.h"

static struct life life;

static void setup(void)
{
    life_begin(&life, 42);
    cr_assert(eq(int, life_open(&life), 0), "%s", life.error.text);
}

static void teardown(void)
{
    life_end(&life);
}

TestSuite(journal, .init = setup, .fini = teardown, .timeout = 60);

static void open_again(enum sim_keep keep)
{
    life_kill(&life, keep);
    cr_assert(eq(int, life_open(&life), 0), "%s", life.error.text);
}

Test(journal, events_come_back_in_order_over_many_segments)
{
    cr_assert(eq(int, life_run(&life, 300), 0));
    cr_assert(eq(int, life_settle(&life), 0));
    cr_assert(eq(u64, life.acknowledged, 300));
    cr_assert(life.journal.segment_index >= 8);
    open_again(SIM_KEEP_NONE);
    cr_assert(eq(u64, life.report.records, 300));
    cr_assert(eq(u64, life.report.torn_bytes, 0));
    cr_assert(eq(u64, life.report.rewritten_bytes, 0)); /* it was marked to its end */
    cr_assert(eq(int, life_run(&life, 10), 0));
}

Test(journal, what_is_acknowledged_outlives_a_power_cut_at_any_step)
{
    for (int turn = 0; turn < 100; turn++) {
        uint64_t acknowledged = life.acknowledged;

        cr_assert(eq(int, life_run(&life, 3), 0));
        while (life.acknowledged == acknowledged)
            cr_assert(life_step(&life) >= 0);
        open_again(SIM_KEEP_NONE); /* life_open looks at it */
    }
}

Test(journal, a_short_write_is_finished_before_the_sync)
{
    for (uint64_t number = 1; number < 40; number++) {
        life.sim.faults.short_at = life.sim.calls_of[LAM_ENV_WRITE] + number % 3 + 1;
        (void)life_run(&life, 5);
        (void)life_settle(&life);
        open_again(SIM_KEEP_NONE);
    }
}

Test(journal, any_failed_call_poisons_it_for_the_life_of_the_process)
{
    static const enum lam_env_call kinds[] = {LAM_ENV_WRITE, LAM_ENV_SYNC, LAM_ENV_RENAME,
        LAM_ENV_SYNC_DIRECTORY, LAM_ENV_CREATE, LAM_ENV_CLOSE};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        for (uint64_t nth = 1; nth <= 6; nth++) {
            uint64_t acknowledged;
            int result;

            life.sim.faults.fail_at[kinds[i]] = life.sim.calls_of[kinds[i]] + nth;
            life.sim.faults.fail_error = nth % 2 == 0 ? -EIO : -ENOSPC;
            result = life_run(&life, 240);
            cr_assert(eq(int, result, -ENOTRECOVERABLE), "%s", lam_env_call_text(kinds[i]));
            acknowledged = life.acknowledged;
            cr_assert(journal_failure(&life.journal) != NULL);
            cr_assert(eq(int, life_add(&life, 0), -ENOTRECOVERABLE));
            for (int step = 0; step < 20; step++)
                cr_assert(eq(int, journal_step(&life.journal), -ENOTRECOVERABLE));
            cr_assert(eq(u64, journal_durable(&life.journal), acknowledged));
            journal_close(&life.journal);
            life.is_open = 0;
            cr_assert(eq(int, life_open(&life), -ENOTRECOVERABLE)); /* this process never again */
            open_again(nth % 2 == 0 ? SIM_KEEP_NONE : SIM_KEEP_SOME);
            if (life.sent > LIFE_EVENTS_MAX / 2) {
                life_end(&life);
                setup();
            }
        }
}

Test(journal, pages_that_a_failed_sync_left_behind_are_not_trusted)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        life_end(&life);
        life_begin(&life, seed);
        cr_assert(eq(int, life_open(&life), 0));
        cr_assert(eq(int, life_run(&life, 5), 0));
        life.sim.faults.fail_at[LAM_ENV_SYNC] = life.sim.calls_of[LAM_ENV_SYNC] + 1 + seed % 3;
        life.sim.faults.fail_error = -EIO;
        (void)life_run(&life, 40);
        open_again(SIM_KEEP_CACHE); /* reads what is not on the disk, and acknowledges it */
        open_again(SIM_KEEP_NONE);
    }
}

Test(journal, a_full_disk_refuses_input_and_goes_on_when_there_is_room)
{
    uint64_t sent;
    int result;

    life.sim.faults.room_bytes = 3 * LIFE_SEGMENT + MARK_FILE_BYTES;
    while ((result = life_run(&life, 1)) == 0)
        ;
    cr_assert(eq(int, result, -ENOSPC));
    cr_assert(journal_failure(&life.journal) == NULL);
    while (journal_durable(&life.journal) < life.sent)
        cr_assert(life_step(&life) >= 0);
    cr_assert(life.journal.place.offset + life.config.reserve_bytes <= LIFE_SEGMENT);
    sent = life.sent;
    life.sim.faults.room_bytes = 0;
    cr_assert(journal_due_ns(&life.journal) != UINT64_MAX);
    while (life.journal.maker.state == MAKE_NO_SPACE) {
        if (life_step(&life) == 0)
            life.sim.env.ops->wait(&life.sim.env, journal_due_ns(&life.journal));
    }
    cr_assert(eq(int, life_settle(&life), 0));
    cr_assert(eq(int, life_run(&life, 50), 0));
    cr_assert(life.sent > sent);
    open_again(SIM_KEEP_NONE);
}

Test(journal, a_write_that_the_disk_lost_or_misplaced_is_never_dropped_in_silence)
{
    for (uint64_t nth = 1; nth < 60; nth++) {
        int result;

        life_end(&life);
        life_begin(&life, nth);
        cr_assert(eq(int, life_open(&life), 0));
        if (nth % 2 == 0)
            life.sim.faults.lose_at = life.sim.calls_of[LAM_ENV_WRITE] + nth;
        else
            life.sim.faults.misdirect_at = life.sim.calls_of[LAM_ENV_WRITE] + nth;
        cr_assert(eq(int, life_run(&life, 120), 0));
        cr_assert(eq(int, life_settle(&life), 0));
        life_kill(&life, SIM_KEEP_ALL);
        result = life_open(&life); /* it works, with all that was acknowledged, or says why not */
        cr_assert(result == 0 || result == -EBADMSG, "%s", life.error.text);
    }
}

/* Until nothing is in flight, and nothing is done before another time. */
static void settle(void)
{
    while (life_step(&life) == 1 || life.sim.queue_count != 0)
        ;
}

Test(journal, the_mark_keeps_out_of_the_way_until_it_is_quiet_or_over)
{
    uint64_t writes, due_ns;

    life.config.mark_idle_ns = 1000000;
    open_again(SIM_KEEP_ALL);
    settle();
    cr_assert(eq(int, life_add(&life, 77), 1));
    settle();
    cr_assert(eq(u64, journal_durable(&life.journal), life.sent));
    cr_assert(eq(int, journal_is_idle(&life.journal), 0));
    due_ns = journal_due_ns(&life.journal);
    cr_assert(due_ns > life.sim.now_ns && due_ns <= life.sim.now_ns + 1000000);

    writes = life.sim.calls_of[LAM_ENV_WRITE];
    life.sim.now_ns = due_ns - 1;
    settle();
    cr_assert(eq(u64, life.sim.calls_of[LAM_ENV_WRITE], writes));
    life.sim.now_ns = due_ns;
    settle();
    cr_assert(eq(u64, life.sim.calls_of[LAM_ENV_WRITE], writes + 1));
    cr_assert(eq(int, journal_is_idle(&life.journal), 1));

    cr_assert(eq(int, life_add(&life, 78), 1));
    settle();
    cr_assert(eq(int, journal_is_idle(&life.journal), 0));
    journal_finish(&life.journal);
    settle();
    cr_assert(eq(int, journal_is_idle(&life.journal), 1));
    life.config.mark_idle_ns = 0;
}

Test(journal, an_event_too_large_for_any_batch_is_refused)
{
    static uint8_t bytes[LIFE_BATCH];
    uint32_t most = LIFE_BATCH - BATCH_HEADER_BYTES - BATCH_RECORD_BYTES;

    cr_assert(eq(int, journal_try_add(&life.journal, 0, 1, 0, bytes, most + 1), -EMSGSIZE));
    cr_assert(eq(int, journal_try_add(&life.journal, 0, 1, 0, bytes, most), 1));
    cr_assert(eq(int, journal_try_add(&life.journal, 1, 1, 0, bytes, 0), 0));
    cr_assert(eq(u64, journal_next(&life.journal), 1));
}

Test(journal, an_earlier_epoch_and_other_sizes_are_refused)
{
    cr_assert(eq(int, life_run(&life, 30), 0));
    cr_assert(eq(int, life_settle(&life), 0));
    life_kill(&life, SIM_KEEP_NONE);
    life.config.epoch = LIFE_EPOCH - 1;
    cr_assert(eq(int, life_open(&life), -EINVAL));
    life_kill(&life, SIM_KEEP_NONE);
    life.config.epoch = LIFE_EPOCH + 1;
    life.config.segment_bytes = 2 * LIFE_SEGMENT;
    cr_assert(eq(int, life_open(&life), -EINVAL));
    life_kill(&life, SIM_KEEP_NONE);
    life.config.segment_bytes = LIFE_SEGMENT;
    life.config.mark_batches = 0;
    cr_assert(eq(int, life_open(&life), -EINVAL));
    life_kill(&life, SIM_KEEP_NONE);
    life.config.mark_batches = LIFE_MARK_BATCHES;
    cr_assert(eq(int, life_open(&life), 0));
}
