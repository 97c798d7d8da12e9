/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_env.c: both twins of lam_env keep its contract, and the simulated one loses what a real disk
 * may lose, and nothing else.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "env/linux.h"
#include "simulation/sim.h"

static struct sim sim;
static struct lam_env_linux real;
static char folder[] = "/tmp/lamina-env-XXXXXX";

static void remove_folder(void)
{
    DIR *open_folder = opendir(folder);
    const struct dirent *entry;

    while (open_folder != NULL && (entry = readdir(open_folder)) != NULL)
        (void)unlinkat(dirfd(open_folder), entry->d_name, 0);
    if (open_folder != NULL)
        (void)closedir(open_folder);
    (void)rmdir(folder);
}

/* However this process ends, its folder goes: who holds the other end of a pipe sees to it. */
static void leave_nothing(void)
{
    int ends[2];
    char byte;

    cr_assert(eq(int, pipe2(ends, O_CLOEXEC), 0));
    if (fork() == 0) {
        (void)setsid();
        for (int fd = 0; fd < 256; fd++)
            if (fd != ends[0])
                (void)close(fd);
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
            ;
        remove_folder();
        _exit(0);
    }
    (void)close(ends[0]);
}

static void setup(void)
{
    sim_init(&sim, 7);
    cr_assert(mkdtemp(folder) != NULL);
    leave_nothing();
    cr_assert(eq(int, lam_env_linux_init(&real, folder), 0));
}

static void teardown(void)
{
    remove_folder();
    lam_env_linux_fini(&real);
    sim_fini(&sim);
}

TestSuite(env, .init = setup, .fini = teardown, .timeout = 60);

static int64_t named(struct lam_env *env, enum lam_env_call call, const char *name, const char *to)
{
    struct lam_env_io io = {.name = name, .to = to};

    return lam_env_do(env, &io, call);
}

static int64_t filed(struct lam_env *env, enum lam_env_call call, int64_t file, uint64_t count)
{
    struct lam_env_io io = {.file = (int)file, .count = count};

    return lam_env_do(env, &io, call);
}

static void put(struct lam_env *env, int64_t file, char what, uint64_t offset, uint64_t count)
{
    char bytes[8192];

    memset(bytes, what, count);
    cr_assert(eq(int, lam_env_do_all(env, LAM_ENV_WRITE, (int)file, bytes, count, offset), 0));
}

/* One byte, or -1 where the file ends before it. */
static int get(struct lam_env *env, int64_t file, uint64_t offset)
{
    unsigned char byte = 0;
    struct lam_env_io io = {.file = (int)file, .bytes = &byte, .count = 1, .offset = offset};

    return lam_env_do(env, &io, LAM_ENV_READ) == 1 ? byte : -1;
}

static void keeps_the_contract(struct lam_env *env)
{
    char names[256];
    struct lam_env_io io = {.bytes = names, .count = sizeof(names)};
    int64_t file = named(env, LAM_ENV_CREATE, "one", NULL), other;

    cr_assert(file >= 0);
    cr_assert(eq(i64, named(env, LAM_ENV_CREATE, "one", NULL), -EEXIST));
    cr_assert(eq(i64, named(env, LAM_ENV_OPEN, "two", NULL), -ENOENT));
    cr_assert(eq(i64, filed(env, LAM_ENV_ALLOCATE, file, 4096), 0));
    cr_assert(eq(i64, filed(env, LAM_ENV_SIZE, file, 0), 4096));
    put(env, file, 'x', 1000, 3000);
    cr_assert(eq(int, get(env, file, 999), 0));
    cr_assert(eq(int, get(env, file, 3999), 'x'));
    cr_assert(eq(int, get(env, file, 4096), -1));
    cr_assert(eq(int, lam_env_do_all(env, LAM_ENV_READ, (int)file, names, 2, 4095), -EIO));
    cr_assert(eq(i64, filed(env, LAM_ENV_SYNC, file, 0), 0));
    cr_assert(eq(i64, filed(env, LAM_ENV_LOCK, file, 0), 0));
    other = named(env, LAM_ENV_OPEN, "one", NULL);
    cr_assert(eq(i64, filed(env, LAM_ENV_LOCK, other, 0), -EBUSY));
    cr_assert(eq(i64, named(env, LAM_ENV_RENAME, "one", "two"), 0));
    cr_assert(eq(i64, named(env, LAM_ENV_OPEN, "one", NULL), -ENOENT));
    cr_assert(eq(i64, lam_env_do(env, &io, LAM_ENV_LIST), 4));
    cr_assert(eq(str, (char *)names, "two"));
    io.count = 3;
    cr_assert(eq(i64, lam_env_do(env, &io, LAM_ENV_LIST), -ENOSPC));
    cr_assert(eq(i64, named(env, LAM_ENV_SYNC_DIRECTORY, NULL, NULL), 0));
    cr_assert(eq(i64, named(env, LAM_ENV_UNLINK, "two", NULL), 0));
    cr_assert(eq(i64, named(env, LAM_ENV_UNLINK, "two", NULL), -ENOENT));
    cr_assert(eq(i64, filed(env, LAM_ENV_CLOSE, file, 0), 0));
}

Test(env, plain_calls_keep_the_contract)
{
    keeps_the_contract(&real.env);
    cr_assert(ne(u64, real.env.ops->random(&real.env), real.env.ops->random(&real.env)));
}

Test(env, the_simulation_keeps_the_contract)
{
    keeps_the_contract(&sim.env);
}

static void is_done_by_a_poll_only(struct lam_env *env)
{
    struct lam_env_io one = {.name = "one"}, two = {.name = "two"};

    lam_env_start(env, &one, LAM_ENV_CREATE);
    lam_env_start(env, &two, LAM_ENV_CREATE);
    cr_assert(one.done == 0 && two.done == 0);
    while (!one.done || !two.done) {
        env->ops->wait(env, UINT64_MAX);
        env->ops->poll(env);
    }
    cr_assert(one.result >= 0 && two.result >= 0);
    cr_assert(eq(u32, env->ops->poll(env), 0));
}

Test(env, a_call_is_done_by_a_poll_only)
{
    is_done_by_a_poll_only(&real.env);
    is_done_by_a_poll_only(&sim.env);
}

static void *waker(void *env)
{
    ((struct lam_env *)env)->ops->wake(env);
    return NULL;
}

Test(env, a_wait_ends_by_its_deadline_or_a_wake)
{
    struct lam_env *env = &real.env;
    pthread_t thread;

    env->ops->wait(env, env->ops->now_ns(env) + 1000000);
    cr_assert(eq(int, pthread_create(&thread, NULL, waker, env), 0));
    env->ops->wait(env, UINT64_MAX);
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    sim.env.ops->wait(&sim.env, 5000);
    cr_assert(eq(u64, sim.now_ns, 5000));
    sim.env.ops->wake(&sim.env);
    sim.env.ops->wait(&sim.env, 6000);
    cr_assert(eq(u64, sim.now_ns, 5000));
}

/* A file of 8 synced sectors of 'a', of which 4 are overwritten with 'b' and not synced. */
static int64_t half_synced(void)
{
    int64_t file = named(&sim.env, LAM_ENV_CREATE, "file", NULL);

    put(&sim.env, file, 'a', 0, 4096);
    cr_assert(eq(i64, filed(&sim.env, LAM_ENV_SYNC, file, 0), 0));
    cr_assert(eq(i64, named(&sim.env, LAM_ENV_SYNC_DIRECTORY, NULL, NULL), 0));
    put(&sim.env, file, 'b', 1024, 2048);
    return file;
}

Test(env, a_power_cut_keeps_any_set_of_unsynced_sectors_and_all_synced_ones)
{
    for (unsigned mask = 0; mask < 16; mask++) {
        int64_t file = half_synced();

        cr_assert(eq(u64, sim_unsynced(&sim), 4));
        sim.keep_mask = mask;
        sim_restart(&sim, SIM_KEEP_MASK);
        file = named(&sim.env, LAM_ENV_OPEN, "file", NULL);
        for (unsigned i = 0; i < 8; i++) {
            int want = i >= 2 && i < 6 && (mask >> (i - 2) & 1) != 0 ? 'b' : 'a';

            cr_assert(eq(int, get(&sim.env, file, (uint64_t)i * SIM_SECTOR), want));
        }
        sim_fini(&sim);
        sim_init(&sim, 7);
    }
}

Test(env, a_power_cut_loses_names_that_were_not_synced)
{
    half_synced();
    cr_assert(eq(i64, named(&sim.env, LAM_ENV_RENAME, "file", "renamed"), 0));
    cr_assert(named(&sim.env, LAM_ENV_CREATE, "new", NULL) >= 0);
    sim_restart(&sim, SIM_KEEP_CACHE);
    cr_assert(sim_find(&sim, "renamed") != NULL && sim_find(&sim, "new") != NULL);
    sim_restart(&sim, SIM_KEEP_NONE);
    cr_assert(sim_find(&sim, "renamed") == NULL && sim_find(&sim, "new") == NULL);
    cr_assert(sim_find(&sim, "file") != NULL);
}

Test(env, a_failed_sync_loses_what_the_process_goes_on_to_see)
{
    int lost = 0;

    for (unsigned seed = 0; seed < 20; seed++) {
        int64_t file;

        sim_fini(&sim);
        sim_init(&sim, seed);
        file = half_synced();
        sim.faults.fail_at[LAM_ENV_SYNC] = 2;
        sim.faults.fail_error = -EIO;
        cr_assert(eq(i64, filed(&sim.env, LAM_ENV_SYNC, file, 0), -EIO));
        cr_assert(eq(i64, filed(&sim.env, LAM_ENV_SYNC, file, 0), 0)); /* and says all is well */
        cr_assert(eq(int, get(&sim.env, file, 1024), 'b'));
        sim_restart(&sim, SIM_KEEP_NONE);
        lost += get(&sim.env, named(&sim.env, LAM_ENV_OPEN, "file", NULL), 1024) == 'a';
    }
    cr_assert(lost > 0 && lost < 20);
}

Test(env, a_crash_is_before_in_the_middle_of_or_after_its_call)
{
    static const int seen[] = {
        [SIM_BEFORE] = 0, [SIM_HALF] = 2 * SIM_SECTOR, [SIM_AFTER] = 4 * SIM_SECTOR};

    for (int phase = SIM_BEFORE; phase <= SIM_AFTER; phase++) {
        struct lam_env_io io = {.bytes = folder, .count = 1};
        char bytes[4 * SIM_SECTOR] = {0};

        sim_fini(&sim);
        sim_init(&sim, 7);
        io.file = (int)named(&sim.env, LAM_ENV_CREATE, "file", NULL);
        io.bytes = bytes;
        io.count = sizeof(bytes);
        sim.faults.crash_at = 2;
        sim.faults.crash_phase = (enum sim_phase)phase;
        cr_assert(eq(i64, lam_env_do(&sim.env, &io, LAM_ENV_WRITE), -EIO));
        cr_assert(sim.is_off);
        cr_assert(eq(i64, named(&sim.env, LAM_ENV_CREATE, "late", NULL), -EIO));
        sim_restart(&sim, SIM_KEEP_ALL);
        cr_assert(eq(u64, sim_find(&sim, "file")->seen_bytes, (uint64_t)seen[phase]));
        cr_assert(sim_find(&sim, "late") == NULL);
    }
}

Test(env, writes_go_short_go_lost_and_go_elsewhere_when_told_to)
{
    int64_t file = half_synced();
    char bytes[1024] = {'c'};
    struct lam_env_io io = {.file = (int)file, .bytes = bytes, .count = sizeof(bytes)};

    sim.faults.short_at = 3;
    sim.faults.lose_at = 4;
    sim.faults.misdirect_at = 5;
    cr_assert(eq(i64, lam_env_do(&sim.env, &io, LAM_ENV_WRITE), 512));
    cr_assert(eq(int, get(&sim.env, file, 0), 'c'));
    io.offset = 3072;
    cr_assert(eq(i64, lam_env_do(&sim.env, &io, LAM_ENV_WRITE), 1024));
    cr_assert(eq(int, get(&sim.env, file, 3072), 'a'));
    io.offset = 1024;
    cr_assert(eq(i64, lam_env_do(&sim.env, &io, LAM_ENV_WRITE), 1024));
    cr_assert(eq(int, get(&sim.env, file, 1024), 'b'));
    cr_assert(eq(int, get(&sim.env, file, 3072), 'c'));
}

/* What two calls in flight do to each other, and the time they take, by the seed. */
static uint64_t run_seed(uint64_t seed, int *order)
{
    struct sim run;
    struct lam_env_io one = {.name = "a", .to = "b"}, two = {.name = "b", .to = "c"};
    uint64_t trace;

    sim_init(&run, seed);
    run.faults.slow_ns = 1000000;
    (void)named(&run.env, LAM_ENV_CREATE, "a", NULL);
    lam_env_start(&run.env, &one, LAM_ENV_RENAME);
    lam_env_start(&run.env, &two, LAM_ENV_RENAME);
    while (!one.done || !two.done) {
        run.env.ops->wait(&run.env, UINT64_MAX);
        run.env.ops->poll(&run.env);
    }
    *order = two.result == 0;
    trace = run.trace;
    sim_fini(&run);
    return trace;
}

Test(env, a_seed_is_replayed_to_the_bit_and_calls_in_flight_come_in_any_order)
{
    int order, again, in_order = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        cr_assert(eq(u64, run_seed(seed, &order), run_seed(seed, &again)));
        cr_assert(ne(u64, run_seed(seed, &again), run_seed(seed + 1, &again)));
        in_order += order;
    }
    cr_assert(in_order > 0 && in_order < 40);
}
