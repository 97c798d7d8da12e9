/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pool.c: several workers for one module: calls side by side, a choice among workers, a death
 * that takes one worker alone, and a number that follows the load.
 */
#include <fcntl.h>

#include "pool.h"
#include "worker/crew.h"

TestSuite(pool, .init = setup, .fini = teardown, .timeout = 60);

Test(pool, as_many_calls_run_at_once_as_there_are_workers)
{
    struct holder holders[3] = {{.key = 0}};
    struct lam_module_reply reply = {.data = NULL};

    load(fixed(3, LAM_POOL_ROUND_ROBIN));
    for (uint32_t i = 0; i < 3; i++)
        hold(&holders[i], i + 1, 0);
    cr_assert(eq(int, ask("pid", NULL, 0, &reply, 20 * LAM_NS_PER_MS), -ETIMEDOUT));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_BUSY));
    cr_assert(eq(u32, look().waiting, 0));
    let_go(3);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(eq(int, end_hold(&holders[i]), 0));
    cr_assert(holders[0].pid != holders[1].pid && holders[1].pid != holders[2].pid &&
              holders[0].pid != holders[2].pid);
    cr_assert(eq(u64, look().calls, 3));
}

Test(pool, without_a_pool_there_is_one_worker_and_calls_take_turns)
{
    struct holder holders[2] = {{.key = 0}};

    load_with(NULL, (struct lam_module_options){.name = NULL});
    hold(&holders[0], 1, 0);
    hold(&holders[1], 1, 1);
    let_go(2);
    cr_assert(eq(int, end_hold(&holders[0]), 0));
    cr_assert(eq(int, end_hold(&holders[1]), 0));
    cr_assert(eq(i32, holders[0].pid, holders[1].pid));
    cr_assert(eq(u32, look().workers, 1));
    cr_assert(eq(u32, told.pools, 0));
}

Test(pool, round_robin_goes_around_and_passes_over_who_is_busy)
{
    struct holder holder = {.key = 0};
    int32_t first, second, third;

    load(fixed(3, LAM_POOL_ROUND_ROBIN));
    first = pid_for(NULL, 0);
    second = pid_for(NULL, 0);
    third = pid_for(NULL, 0);
    cr_assert(first != second && second != third && first != third);
    cr_assert(eq(i32, pid_for(NULL, 0), first));
    hold(&holder, 1, 0); /* in the second */
    cr_assert(eq(i32, pid_for(NULL, 0), third));
    cr_assert(eq(i32, pid_for(NULL, 0), first));
    cr_assert(eq(i32, pid_for(NULL, 0), third));
    let_go(1);
    cr_assert(eq(int, end_hold(&holder), 0));
    cr_assert(eq(i32, holder.pid, second));
}

Test(pool, the_least_loaded_is_the_first_with_the_fewest_calls)
{
    struct holder holders[2] = {{.key = 0}};

    load(fixed(3, LAM_POOL_LEAST_LOADED));
    for (int i = 0; i < 5; i++)
        cr_assert(eq(int, place_of(pid_for(NULL, 0)), 0));
    hold(&holders[0], 1, 0);
    cr_assert(eq(int, place_of(pid_for(NULL, 0)), 1));
    hold(&holders[1], 2, 0);
    for (int i = 0; i < 5; i++)
        cr_assert(eq(int, place_of(pid_for(NULL, 0)), 2));
    let_go(2);
    cr_assert(eq(int, end_hold(&holders[0]), 0));
    cr_assert(eq(int, end_hold(&holders[1]), 0));
}

Test(pool, of_two_choices_the_one_with_fewer_calls_is_taken)
{
    struct holder holder = {.key = 0};
    unsigned seen = 0;

    load(fixed(2, LAM_POOL_TWO_CHOICES));
    for (int i = 0; i < 100; i++)
        seen |= 1u << place_of(pid_for(NULL, 0));
    cr_assert(eq(u32, seen, 3));
    hold(&holder, 1, 0);
    for (int i = 0; i < 50; i++)
        (void)pid_for(NULL, 0);
    let_go(1);
    cr_assert(eq(int, end_hold(&holder), 0));
    cr_assert(eq(u32, look().waiting, 0));
}

Test(pool, random_choices_reach_every_worker)
{
    unsigned seen = 0;

    load(fixed(4, LAM_POOL_RANDOM));
    for (int i = 0; i < 200; i++)
        seen |= 1u << place_of(pid_for(NULL, 0));
    cr_assert(eq(u32, seen, 15));
}

/* The places of a hundred keys, in a pool of @workers. */
static void find_places(uint32_t workers, int *places)
{
    struct lam_pool_options options = fixed(workers, LAM_POOL_BY_KEY);

    options.key_bytes = 4;
    load(options);
    for (int key = 0; key < 100; key++) {
        int request[2] = {key, key * 3};
        int32_t pid = pid_for(request, sizeof(request));

        request[1] = 17; /* not of the key */
        cr_assert(eq(i32, pid_for(request, sizeof(request)), pid));
        places[key] = place_of(pid);
    }
    cr_assert(eq(int, lam_runtime_unload(module, LAM_DEADLINE_NEVER, &error), 0));
}

Test(pool, a_key_has_its_worker_and_a_new_worker_only_takes_keys_for_itself)
{
    int few[100], more[100], moved = 0;
    unsigned seen = 0;

    find_places(3, few);
    find_places(4, more);
    for (int key = 0; key < 100; key++) {
        cr_assert(
            few[key] == more[key] || more[key] == 3, "key %d: %d, %d", key, few[key], more[key]);
        moved += few[key] != more[key];
        seen |= 1u << more[key];
    }
    cr_assert(eq(u32, seen, 15));
    cr_assert(moved > 5 && moved < 50, "%d moved", moved);
}

static uint64_t always_the_same(
    void *context, uint32_t method, const void *request, uint64_t request_bytes)
{
    (void)request;
    (void)request_bytes;
    cr_assert(eq(u32, method, LAM_METHOD_ID("pid")));
    return *(const uint64_t *)context;
}

Test(pool, the_program_may_say_what_the_key_is)
{
    struct lam_pool_options options = fixed(4, LAM_POOL_BY_KEY);
    uint64_t key = 5;
    int32_t pid;

    options.key = always_the_same;
    options.key_context = &key;
    load(options);
    pid = pid_for("a", 1);
    for (char i = 0; i < 20; i++)
        cr_assert(eq(i32, pid_for(&i, 1), pid));
}

Test(pool, a_call_in_line_goes_to_whoever_is_idle_first_unless_its_key_says_where)
{
    struct holder holders[3] = {{.key = 0}};

    load(fixed(2, LAM_POOL_LEAST_LOADED));
    hold(&holders[0], 1, 0);
    hold(&holders[1], 2, 0);
    hold(&holders[2], 2, 1); /* behind the first one */
    let_go(1);               /* of one of the two: the pipe knows which */
    UNTIL(look().waiting == 0);
    let_go(2);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, end_hold(&holders[i]), 0));
    cr_assert(eq(u64, look().calls, 3));
    cr_assert(eq(int, lam_runtime_unload(module, LAM_DEADLINE_NEVER, &error), 0));

    load(fixed(2, LAM_POOL_BY_KEY));
    hold(&holders[0], 1, 0);
    hold(&holders[1], 1, 1); /* the other one is idle */
    for (char key = 0; key < 20; key++) {
        char request[2] = {key, 1};
        struct lam_module_reply reply = {.data = NULL};

        (void)ask("echo", request, sizeof(request), &reply, LAM_NS_PER_MS); /* some of them there */
    }
    cr_assert(eq(u32, look().waiting, 1));
    let_go(2);
    cr_assert(eq(int, end_hold(&holders[0]) | end_hold(&holders[1]), 0));
    cr_assert(eq(i32, holders[0].pid, holders[1].pid));
}

Test(pool, a_call_within_a_call_runs_in_the_same_worker)
{
    load(fixed(3, LAM_POOL_ROUND_ROBIN));
    for (int i = 0; i < 6; i++) {
        int32_t inner = 0;
        struct lam_module_reply reply = {.data = &inner, .capacity = sizeof(inner)};
        struct lam_pool_stat before = look();

        cr_assert(eq(int, ask("within", NULL, 0, &reply, LONG_NS), 0), "failure %u %d",
            reply.failure, reply.detail);
        cr_assert(
            eq(u64, look().all[place_of(inner)].calls, before.all[place_of(inner)].calls + 1));
    }
}

Test(pool, a_death_takes_its_own_call_and_nobody_elses_worker)
{
    struct holder holders[2] = {{.key = 0}};
    struct lam_pool_stat before, after;
    int dead;

    load(fixed(3, LAM_POOL_ROUND_ROBIN));
    hold(&holders[0], 1, 0);
    hold(&holders[1], 2, 0);
    before = look();
    dead = before.all[0].inside != 0 ? 0 : 1;
    cr_assert(eq(int, kill(before.all[dead].pid, SIGKILL), 0));
    /* The thread inside it is in the gate: its worker's end is seen when it comes back. */
    let_go(2);
    cr_assert(eq(int, end_hold(&holders[0]) + end_hold(&holders[1]), -EOWNERDEAD));
    UNTIL(look().ready == 3);
    after = look();
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, after.all[i].pid == before.all[i].pid, i != dead));
    cr_assert(eq(u64, after.all[dead].restarts, 1));
    cr_assert(eq(u64, after.restarts, 1));
    cr_assert(eq(u32, told.deaths, 1));
    cr_assert(eq(i64, told.last_death, SIGKILL));
    cr_assert(strstr(told.text, "died") != NULL, "%s", told.text);
}

Test(pool, while_a_worker_is_replaced_the_others_have_its_calls)
{
    char file[] = "/tmp/lamina-pool-XXXXXX";
    struct lam_pool_options options = fixed(2, LAM_POOL_LEAST_LOADED);
    struct lam_module_reply reply = {.data = NULL};
    int fd = mkstemp(file);

    (void)close(fd);
    (void)unlink(file);
    load_with(&options, (struct lam_module_options){.config = file, .config_bytes = sizeof(file)});
    (void)close(creat(file, 0600)); /* from now on init does not return */
    cr_assert(eq(int, ask("leave", NULL, 0, &reply, LONG_NS), -EOWNERDEAD));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_EXITED));
    for (int i = 0; i < 5; i++)
        cr_assert(eq(int, place_of(pid_for(NULL, 0)), 1));
    cr_assert(eq(u32, look().ready, 1));
    (void)unlink(file);
    UNTIL(look().ready == 2);
    cr_assert(eq(int, place_of(pid_for(NULL, 0)), 0));
    UNTIL(told.last_pool == 2);
    cr_assert(eq(i64, told.last_death, -7));
}

Test(pool, a_start_takes_no_caller_past_its_deadline_and_goes_on)
{
    char file[] = "/tmp/lamina-pool-XXXXXX";
    struct lam_module_reply reply = {.data = NULL};
    int fd = mkstemp(file);
    uint64_t before_ns;

    (void)close(fd);
    (void)unlink(file);
    load_with(NULL, (struct lam_module_options){.config = file, .config_bytes = sizeof(file)});
    (void)close(creat(file, 0600));
    cr_assert(eq(int, ask("leave", NULL, 0, &reply, LONG_NS), -EOWNERDEAD));
    before_ns = lam_clock_now_ns();
    for (int i = 0; i < 3; i++) {
        cr_assert(eq(int, ask("pid", NULL, 0, &reply, 20 * LAM_NS_PER_MS), -ETIMEDOUT));
        cr_assert(eq(u32, reply.failure, LAM_FAILURE_BUSY));
    }
    /* Far from the ten seconds that a start may take. */
    cr_assert(lam_clock_now_ns() - before_ns < 8 * LAM_NS_PER_S);
    cr_assert(eq(u32, look().ready, 0));
    (void)unlink(file);
    (void)pid_for(NULL, 0);
    cr_assert(eq(u64, look().restarts, 1)); /* the same start, gone on with */
    cr_assert(eq(u32, told.deaths, 1));
}

Test(pool, one_place_that_dies_too_often_is_left_alone_and_the_others_serve)
{
    struct lam_pool_options options = fixed(2, LAM_POOL_BY_KEY);
    struct lam_module_reply reply = {.data = NULL};
    int32_t pid;

    load(options);
    for (int i = 0; i < 9; i++)
        cr_assert(eq(int, ask("leave", "k", 1, &reply, LONG_NS), -EOWNERDEAD));
    UNTIL(look().ready == 1);
    pid = pid_for("k", 1);
    cr_assert(eq(i32, pid_for("other", 5), pid));
    cr_assert(eq(u64, look().restarts, 8));
}

Test(pool, each_worker_has_a_state_of_its_own_and_none_is_handed_over)
{
    struct lam_reload_options keep = {.keep_state = 1};
    struct lam_pool_options one = fixed(1, LAM_POOL_RANDOM);

    load(fixed(2, LAM_POOL_ROUND_ROBIN));
    cr_assert(eq(u64, module_count(module), 1));
    cr_assert(eq(u64, module_count(module), 1));
    cr_assert(eq(u64, module_count(module), 2));
    cr_assert(eq(int, lam_runtime_reload(module, &keep, &error), -ENOTSUP));
    cr_assert(strstr(error.text, "its pool has up to 2 workers") != NULL, "%s", error.text);
    cr_assert(eq(u64, module_count(module), 2));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(u32, look().workers, 2));
    cr_assert(eq(u64, module_count(module), 1));
    cr_assert(eq(int, lam_runtime_unload(module, LAM_DEADLINE_NEVER, &error), 0));
    load(one);
    cr_assert(eq(u64, module_count(module), 1));
    cr_assert(eq(int, lam_runtime_reload(module, &keep, &error), 0), "%s", error.text);
    cr_assert(eq(u64, module_count(module), 2));
}

Test(pool, their_number_follows_the_load_between_its_bounds)
{
    struct lam_pool_options options = {.workers_min = 1,
        .workers_max = 3,
        .choice = LAM_POOL_LEAST_LOADED,
        .window_ns = LAM_NS_PER_MS,
        .cooldown_ns = 1};
    struct holder holders[5] = {{.key = 0}};

    load(options);
    cr_assert(eq(u32, look().workers, 1));
    for (int i = 0; i < 5; i++)
        cr_assert(eq(int, pthread_create(&holders[i].thread, NULL, stay, &holders[i]), 0));
    UNTIL(look().busy == 3 && look().waiting == 2);
    cr_assert(eq(u32, look().workers, 3));
    let_go(5);
    for (int i = 0; i < 5; i++)
        cr_assert(eq(int, end_hold(&holders[i]), 0));
    UNTIL(look().workers == 1 && look().ready == 1 && told.last_pool == 1);
    cr_assert(eq(i64, told.most, 3));
    cr_assert(eq(u32, told.deaths, 0)); /* they left in order */
    (void)pid_for(NULL, 0);
}

Test(pool, one_worker_more_or_less_at_a_time_and_none_before_the_cooldown_is_over)
{
    struct lam_pool_options options = {.workers_min = 2, .workers_max = 4};

    cr_assert(eq(int, lam_pool_check(&options, &error), 0));
    cr_assert(eq(u64, options.cooldown_ns, 30 * LAM_NS_PER_S));
    cr_assert(eq(int, lam_pool_decide(&options, 2, 801, 30 * LAM_NS_PER_S), 1));
    cr_assert(eq(int, lam_pool_decide(&options, 2, 801, 30 * LAM_NS_PER_S - 1), 0));
    cr_assert(eq(int, lam_pool_decide(&options, 2, 800, 30 * LAM_NS_PER_S), 0));
    cr_assert(eq(int, lam_pool_decide(&options, 4, 5000, 30 * LAM_NS_PER_S), 0));
    cr_assert(eq(int, lam_pool_decide(&options, 3, 300, 30 * LAM_NS_PER_S), 0));
    cr_assert(eq(int, lam_pool_decide(&options, 3, 299, 30 * LAM_NS_PER_S), -1));
    cr_assert(eq(int, lam_pool_decide(&options, 3, 299, 30 * LAM_NS_PER_S - 1), 0));
    cr_assert(eq(int, lam_pool_decide(&options, 2, 0, 30 * LAM_NS_PER_S), 0));
}

static void refused(struct lam_pool_options pool, enum lam_module_host host, const char *why)
{
    struct lam_module_options options = {.host = host, .pool = &pool, .name = "other"};
    struct lam_module *other;

    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("pool"), &options, &other, &error), -EINVAL));
    cr_assert(strstr(error.text, why) != NULL, "%s", error.text);
}

Test(pool, what_makes_no_sense_is_refused_by_its_field)
{
    struct lam_pool_options pool = {.workers_min = 5, .workers_max = 4};

    refused(pool, LAM_MODULE_IN_WORKER, "workers_min is 5 and workers_max 4");
    pool = fixed(LAM_POOL_WORKERS_MAX + 1, LAM_POOL_RANDOM);
    refused(pool, LAM_MODULE_IN_WORKER, "at most 64");
    pool = fixed(1, (enum lam_pool_choice)5);
    refused(pool, LAM_MODULE_IN_WORKER, "no choice 5");
    pool = (struct lam_pool_options){.load_up = 200, .load_down = 200};
    refused(pool, LAM_MODULE_IN_WORKER, "load_down is 200");
    pool = (struct lam_pool_options){.window_ns = 1};
    refused(pool, LAM_MODULE_IN_WORKER, "window_ns is 1");
    pool = fixed(1, LAM_POOL_RANDOM);
    refused(pool, LAM_MODULE_IN_PROCESS, "only a module in workers has a pool");
}
