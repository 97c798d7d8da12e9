/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_snapshot.c: what snapshots promise, in single scenes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "life.h"
#include "snapshot/read.h"
#include "snapshots.h"

static struct snapshots all;

static void setup(void)
{
    snapshots_begin(&all, 5, 3000);
}

static void teardown(void)
{
    sim_fini(&all.sim);
}

TestSuite(snapshot, .init = setup, .fini = teardown, .timeout = 60);

static void write_two(void)
{
    cr_assert(snapshots_write(&all, 10, NULL) == -EALREADY);
    cr_assert(snapshots_write(&all, 20, NULL) == -EALREADY);
}

Test(snapshot, it_comes_back_byte_for_byte_whatever_its_size)
{
    static const uint64_t counts[] = {0, 1, SNAPSHOT_PIECE_BYTES - 1, SNAPSHOT_PIECE_BYTES,
        SNAPSHOT_PIECE_BYTES + 1, 3 * SNAPSHOT_PIECE_BYTES + 77};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        all.count = counts[i];
        cr_assert(eq(int, snapshots_write(&all, 10 + i, NULL), -EALREADY), "%s", all.error.text);
        sim_restart(&all.sim, SIM_KEEP_NONE);
        cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), 10 + (int64_t)i));
    }
}

Test(snapshot, the_newest_up_to_a_sequence_is_found)
{
    cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), 0));
    write_two();
    cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), 20));
    cr_assert(eq(i64, snapshots_load(&all, 20), 20));
    cr_assert(eq(i64, snapshots_load(&all, 19), 10));
    cr_assert(eq(i64, snapshots_load(&all, 9), 0));
}

Test(snapshot, two_are_kept_and_the_journal_is_told_of_the_other)
{
    for (uint64_t i = 1; i <= 9; i++) {
        uint64_t other;

        cr_assert(eq(int, snapshots_write(&all, 10 * i, &other), -EALREADY));
        cr_assert(eq(u64, other, i == 1 ? 0 : 10 * i - 10));
        cr_assert(eq(uint, snapshots_names(&all), i == 1 ? 1 : 2));
    }
}

Test(snapshot, a_damaged_one_is_not_the_other_that_is_kept)
{
    uint64_t other;

    write_two();
    snapshots_file(&all, 20)->seen[SNAPSHOT_HEADER_BYTES + 5] ^= 1;
    cr_assert(eq(int, snapshots_write(&all, 30, &other), -EALREADY));
    cr_assert(eq(u64, other, 10));
    cr_assert(snapshots_file(&all, 10) != NULL && snapshots_file(&all, 20) == NULL);
}

Test(snapshot, the_same_place_again_writes_nothing_unless_it_is_damaged)
{
    uint64_t writes;

    write_two();
    writes = all.sim.calls_of[LAM_ENV_WRITE];
    cr_assert(eq(int, snapshots_write(&all, 20, NULL), -EALREADY));
    cr_assert(eq(u64, all.sim.calls_of[LAM_ENV_WRITE], writes));
    snapshots_file(&all, 20)->seen[7] ^= 1;
    cr_assert(eq(int, snapshots_write(&all, 20, NULL), -EALREADY));
    cr_assert(all.sim.calls_of[LAM_ENV_WRITE] > writes);
    cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), 20));
}

Test(snapshot, every_flipped_byte_and_every_other_length_is_passed_over)
{
    struct sim_file *file;
    uint64_t bytes;

    all.count = 500;
    write_two();
    file = snapshots_file(&all, 20);
    bytes = file->seen_bytes;
    cr_assert(eq(u64, bytes, SNAPSHOT_HEADER_BYTES + all.count));
    for (uint64_t i = 0; i < bytes; i++) {
        file->seen[i] ^= (uint8_t)(1 + i % 255);
        cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), 10), "byte %zu", (size_t)i);
        cr_assert(eq(uint, all.damaged, 1));
        file->seen[i] ^= (uint8_t)(1 + i % 255);
    }
    for (uint64_t i = 0; i < file->capacity; i++) {
        file->seen_bytes = i;
        cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), i == bytes ? 20 : 10));
    }
}

Test(snapshot, one_under_the_name_of_another_is_passed_over)
{
    struct sim_file *first, *second;

    write_two();
    first = snapshots_file(&all, 10);
    second = snapshots_file(&all, 20);
    memcpy(second->seen, first->seen, first->seen_bytes);
    cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), 10));
    cr_assert(eq(uint, all.damaged, 1));
}

Test(snapshot, that_of_another_application_is_refused)
{
    struct snapshot_place wanted = snapshots_place(0);
    struct snapshot_loaded loaded;

    write_two();
    wanted.app_name[0] = 'C';
    cr_assert(snapshot_load(&all.sim.env, &wanted, UINT64_MAX, &loaded, &all.error) == -EPROTOTYPE);
    cr_assert(strstr(all.error.text, "\"counter\"") != NULL);
    wanted = snapshots_place(0);
    wanted.journal++; /* another journal's are none */
    cr_assert(snapshot_load(&all.sim.env, &wanted, UINT64_MAX, &loaded, &all.error) == 0);
}

Test(snapshot, a_write_that_the_disk_lost_or_misplaced_is_found_at_once)
{
    for (int is_lost = 0; is_lost < 2; is_lost++)
        for (uint64_t nth = 1;; nth++) {
            int result;

            teardown();
            snapshots_begin(&all, nth, 2 * SNAPSHOT_PIECE_BYTES + 9);
            write_two();
            if (is_lost)
                all.sim.faults.lose_at = all.sim.calls_of[LAM_ENV_WRITE] + nth;
            else
                all.sim.faults.misdirect_at = all.sim.calls_of[LAM_ENV_WRITE] + nth;
            result = snapshots_write(&all, 30, NULL);
            if (all.sim.calls_of[LAM_ENV_WRITE] < all.sim.faults.lose_at ||
                all.sim.calls_of[LAM_ENV_WRITE] < all.sim.faults.misdirect_at) {
                cr_assert(nth > 4); /* three of content, the header */
                break;
            }
            cr_assert(eq(int, result, -EBADMSG));
            cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), 20));
            cr_assert(eq(uint, snapshots_names(&all), 2));
        }
}

Test(snapshot, the_nth_failure_of_every_call_leaves_the_older_ones_and_no_rubbish)
{
    for (int call = 0; call < LAM_ENV_CALLS; call++)
        for (uint64_t nth = 1; nth < 12; nth++) {
            int result;

            teardown();
            snapshots_begin(&all, nth, SNAPSHOT_PIECE_BYTES + 9);
            write_two();
            all.sim.faults.fail_at[call] = all.sim.calls_of[call] + nth;
            all.sim.faults.fail_error = nth % 2 == 0 ? -EIO : -ENOSPC;
            result = snapshots_write(&all, 30, NULL);
            cr_assert(result < 0);
            cr_assert(eq(int, all.sim.env.poison, 0));
            all.sim.faults.fail_at[call] = 0;
            cr_assert(eq(i64, snapshots_load(&all, 29), 20));
            cr_assert(result == -EALREADY || strstr(all.error.text, "snapshot: ") != NULL);
            if (result == -EALREADY)
                cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), 30));
            cr_assert(le(uint, snapshots_names(&all), 3));
            cr_assert(eq(int, snapshots_write(&all, 40, NULL), -EALREADY));
            cr_assert(eq(uint, snapshots_names(&all), 2));
            cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), 40));
        }
}

Test(snapshot, what_has_no_room_takes_none)
{
    write_two();
    all.count = 10 * SNAPSHOT_PIECE_BYTES;
    all.sim.faults.room_bytes = 5 * SNAPSHOT_PIECE_BYTES;
    cr_assert(eq(int, snapshots_write(&all, 30, NULL), -ENOSPC));
    cr_assert(eq(uint, snapshots_names(&all), 2));
}

Test(snapshot, a_short_write_is_finished)
{
    for (uint64_t nth = 1; nth < 5; nth++) {
        all.count = SNAPSHOT_PIECE_BYTES + 1234;
        all.sim.faults.short_at = all.sim.calls_of[LAM_ENV_WRITE] + nth;
        cr_assert(eq(int, snapshots_write(&all, nth, NULL), -EALREADY));
        cr_assert(eq(i64, snapshots_load(&all, UINT64_MAX), (int64_t)nth));
    }
}

/* A journal goes on beside it in the same env, whatever becomes of it. */
Test(snapshot, its_failure_is_not_the_journals)
{
    static const enum lam_env_call calls[] = {LAM_ENV_CREATE, LAM_ENV_ALLOCATE, LAM_ENV_WRITE,
        LAM_ENV_SYNC, LAM_ENV_CLOSE, LAM_ENV_RENAME, LAM_ENV_SYNC_DIRECTORY};
    static struct life life;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct snapshot_place place = snapshots_place(1);
        struct snapshot_writer *writer;
        int result = 0;

        life_begin(&life, i);
        cr_assert(eq(int, life_open(&life), 0));
        cr_assert(eq(int, life_run(&life, 5), 0));
        cr_assert(eq(int, life_settle(&life), 0));
        cr_assert(eq(int, snapshot_writer_create(&writer, &life.sim.env, &place, "state", 5), 0));
        life.sim.faults.fail_at[calls[i]] = life.sim.calls_of[calls[i]] + 1;
        life.sim.faults.fail_error = -EIO;
        while (result >= 0) {
            result = snapshot_writer_step(writer, &life.error);
            if (result == 0)
                life.sim.env.ops->wait(&life.sim.env, UINT64_MAX);
        }
        cr_assert(eq(int, result, -EIO), "%s", lam_env_call_text(calls[i]));
        snapshot_writer_destroy(writer);
        cr_assert(eq(int, life_run(&life, 60), 0));
        cr_assert(eq(int, life_settle(&life), 0));
        life_kill(&life, SIM_KEEP_NONE);
        cr_assert(eq(int, life_open(&life), 0), "%s", life.error.text);
        cr_assert(eq(u64, life.sent, 65));
        life_end(&life);
    }
}
