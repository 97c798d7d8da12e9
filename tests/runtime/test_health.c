/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_health.c: modules are asked whether they are well. Who is not ready is not called, who fails
 * is replaced, and who cannot be replaced is not called.
 */
#include "health.h"

#include <dirent.h>

#include "well.h"

TestSuite(health, .init = setup_health, .fini = teardown_health, .timeout = 60);

static void go_there_and_back(enum lam_module_host host, char letter, enum lam_health_state state)
{
    load_health(host, NULL, &often);
    UNTIL(look_health().state == LAM_HEALTH_READY);
    UNTIL(told.last_health == LAM_HEALTH_READY);
    (void)pid_for(NULL, 0);
    say(letters, letter);
    UNTIL(look_health().state == state);
    UNTIL(told.last_health == (int64_t)state);
    expect_refused(state);
    say(letters, 'r');
    UNTIL(look_health().state == LAM_HEALTH_READY);
    (void)pid_for(NULL, 0);
}

Test(health, a_worker_that_is_not_ready_is_not_called_until_it_is)
{
    go_there_and_back(LAM_MODULE_IN_WORKER, 'u', LAM_HEALTH_UNREADY);
    cr_assert(eq(u64, look_health().replaced, 0));
}

Test(health, a_module_in_this_process_that_is_not_ready_is_not_called_until_it_is)
{
    go_there_and_back(LAM_MODULE_IN_PROCESS, 'u', LAM_HEALTH_UNREADY);
}

Test(health, a_module_in_this_process_that_fails_is_not_called_until_it_is_well)
{
    go_there_and_back(LAM_MODULE_IN_PROCESS, 'f', LAM_HEALTH_DOWN);
}

Test(health, new_code_is_let_in_until_it_has_been_judged)
{
    struct lam_health_options seldom = often;

    seldom.interval_ns = 3600 * LAM_NS_PER_S;
    say(letters, 'f');
    load_health(LAM_MODULE_IN_PROCESS, NULL, &seldom); /* asked once */
    UNTIL(look_health().state == LAM_HEALTH_DOWN);
    expect_refused(LAM_HEALTH_DOWN);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    (void)pid_for(NULL, 0);
}

Test(health, a_worker_that_fails_is_replaced_alone)
{
    struct lam_pool_options pool = fixed(2, LAM_POOL_ROUND_ROBIN);
    struct lam_pool_stat before;
    char own[80];

    load_health(LAM_MODULE_IN_WORKER, &pool, &often);
    before = look();
    (void)snprintf(own, sizeof(own), "%s.%d", file, before.all[1].pid);
    say(own, 'f');
    UNTIL(look().restarts == 1);
    UNTIL(told.deaths == 1);
    (void)unlink(own);
    cr_assert(eq(i32, look().all[0].pid, before.all[0].pid));
    cr_assert(look().all[1].pid != before.all[1].pid);
    cr_assert(strstr(told.text, "killed for its health") != NULL, "%s", told.text);
    cr_assert(eq(u64, look_health().replaced, 1));
    (void)pid_for(NULL, 0);
}

Test(health, a_worker_that_hangs_in_its_probe_is_replaced)
{
    struct lam_health_options impatient = often;
    int32_t pid;
    char own[80];

    impatient.failures = 2;
    impatient.timeout_ns = LAM_NS_PER_S;
    load_health(LAM_MODULE_IN_WORKER, NULL, &impatient);
    pid = look().all[0].pid;
    (void)snprintf(own, sizeof(own), "%s.%d", file, pid);
    say(own, 'h');
    UNTIL(look().restarts == 1);
    (void)unlink(own);
    (void)snprintf(own, sizeof(own), "%s.%d.hanging", file, pid);
    (void)unlink(own);
    cr_assert(look_health().failures >= 2);
    cr_assert(pid_for(NULL, 0) != pid);
}

Test(health, a_worker_that_died_while_nobody_called_is_found_and_replaced)
{
    int32_t pid;

    load_health(LAM_MODULE_IN_WORKER, NULL, &often);
    pid = pid_for(NULL, 0);
    cr_assert(eq(int, kill(pid, SIGKILL), 0));
    UNTIL(look().restarts == 1 && look().ready == 1);
    cr_assert(eq(i64, told.last_death, SIGKILL));
    {
        int32_t other = 0;
        struct lam_module_reply reply = {.data = &other, .capacity = sizeof(other)};

        cr_assert(eq(int, ask("pid-once", NULL, 0, &reply, LONG_NS), 0));
        cr_assert(other != pid);
    }
}

Test(health, one_of_a_pool_that_is_not_ready_is_passed_over)
{
    struct lam_pool_options pool = fixed(3, LAM_POOL_ROUND_ROBIN);
    struct lam_pool_stat before;
    char own[80];

    load_health(LAM_MODULE_IN_WORKER, &pool, &often);
    before = look();
    (void)snprintf(own, sizeof(own), "%s.%d", file, before.all[1].pid);
    say(own, 'u');
    UNTIL(look().all[1].health == LAM_HEALTH_UNREADY);
    for (int i = 0; i < 12; i++)
        cr_assert(pid_for(NULL, 0) != before.all[1].pid);
    cr_assert(look_health().state != LAM_HEALTH_UNREADY);
    (void)unlink(own);
    UNTIL(look().all[1].health == LAM_HEALTH_READY);
    for (int seen = 0; !seen;)
        seen = pid_for(NULL, 0) == before.all[1].pid;
}

Test(health, calls_that_fail_make_it_unready_and_an_interval_lets_it_be_tried_again)
{
    struct lam_health_options by_calls = {
        .by = LAM_HEALTH_BY_CALLS, .failures = 2, .interval_ns = 3600 * LAM_NS_PER_S};
    struct lam_module_reply reply = {.data = NULL};

    load_health(LAM_MODULE_IN_WORKER, NULL, &by_calls);
    cr_assert(eq(int, ask("leave", NULL, 0, &reply, LONG_NS), -EOWNERDEAD));
    (void)pid_for(NULL, 0); /* not in a row */
    cr_assert(eq(int, ask("leave", NULL, 0, &reply, LONG_NS), -EOWNERDEAD));
    UNTIL(look_health().state == LAM_HEALTH_UNKNOWN);
    cr_assert(eq(int, ask("leave", NULL, 0, &reply, LONG_NS), -EOWNERDEAD));
    cr_assert(eq(int, look_health().state, LAM_HEALTH_UNREADY));
    UNTIL(lam_module_call(module, LAM_METHOD_ID("echo"), NULL, 0, &reply, LAM_DEADLINE_NEVER) ==
          -ECANCELED);
    expect_refused(LAM_HEALTH_UNREADY);
    cr_assert(eq(int, lam_runtime_unload(module, LAM_DEADLINE_NEVER, &error), 0));

    by_calls.failures = 1;
    by_calls.interval_ns = LAM_NS_PER_MS;
    load_health(LAM_MODULE_IN_WORKER, NULL, &by_calls);
    cr_assert(eq(int, ask("leave", NULL, 0, &reply, LONG_NS), -EOWNERDEAD));
    UNTIL(ask("echo", NULL, 0, &reply, LONG_NS) == 0);
    UNTIL(ask("echo", NULL, 0, &reply, LONG_NS) == 0);
    cr_assert(eq(int, look_health().state, LAM_HEALTH_READY));
}

/* Returns NULL, or @own where an answer was not its own. */
static void *ask_some(uintptr_t own, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t said[2] = {own, i}, heard[2] = {0, 0};
        struct lam_module_reply reply = {.data = heard, .capacity = sizeof(heard)};

        if (lam_module_call(module, LAM_METHOD_ID("echo"), said, sizeof(said), &reply,
                lam_deadline_after_ns(LONG_NS)) != 0 ||
            memcmp(said, heard, sizeof(said)) != 0)
            return (void *)own;
    }
    return NULL;
}

static void *ask_many(void *own)
{
    return ask_some((uintptr_t)own, 500);
}

Test(health, probes_and_calls_have_each_their_own_answers)
{
    pthread_t threads[4];
    void *bad;

    load_health(LAM_MODULE_IN_WORKER, NULL, &often);
    for (uintptr_t i = 0; i < 4; i++)
        cr_assert(eq(int, pthread_create(&threads[i], NULL, ask_many, (void *)(i + 1)), 0));
    for (int i = 0; i < 4; i++) {
        cr_assert(eq(int, pthread_join(threads[i], &bad), 0));
        cr_assert(bad == NULL);
    }
    UNTIL(look_health().probes > 3);
    cr_assert(eq(u64, look_health().failures, 0));
    cr_assert(eq(u32, told.deaths, 0));
}

/* Longer than its probe is waited for: a call comes behind it, and hears its answer first. */
Test(health, a_call_behind_a_slow_probe_hears_both_answers)
{
    void *bad = NULL;
    uint64_t last;

    load_health(LAM_MODULE_IN_WORKER, NULL, &often);
    say(letters, 's');
    last = look_health().probes + 4;
    while (bad == NULL && look_health().probes < last)
        bad = ask_some(1, 20);
    cr_assert(bad == NULL);
    cr_assert(eq(u64, look_health().failures, 0));
    cr_assert(eq(u32, told.deaths, 0));
}

Test(health, a_module_without_the_entry_is_ready_as_long_as_it_answers)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER, .health = &often};

    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), 0));
    UNTIL(look_health().state == LAM_HEALTH_READY);
    cr_assert(eq(int, lam_runtime_unload(module, LAM_DEADLINE_NEVER, &error), 0));
    options.host = LAM_MODULE_IN_PROCESS;
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), 0));
    UNTIL(look_health().state == LAM_HEALTH_READY);
}

Test(health, so_many_in_a_row_and_not_one_less)
{
    struct lam_health_options options = {.failures = 3, .successes = 2};
    struct health_row row = {LAM_HEALTH_UNKNOWN, 0, 0, 0};
    static const struct {
        int status;
        uint32_t state;
    } answers[] = {{0, LAM_HEALTH_UNKNOWN}, {0, LAM_HEALTH_READY}, {-5, LAM_HEALTH_READY},
        {-5, LAM_HEALTH_READY}, {0, LAM_HEALTH_READY}, {-5, LAM_HEALTH_READY},
        {-5, LAM_HEALTH_READY}, {1, LAM_HEALTH_READY}, {1, LAM_HEALTH_READY},
        {7, LAM_HEALTH_UNREADY}, {0, LAM_HEALTH_UNREADY}, {1, LAM_HEALTH_UNREADY},
        {0, LAM_HEALTH_UNREADY}, {0, LAM_HEALTH_READY}, {-1, LAM_HEALTH_READY},
        {-1, LAM_HEALTH_READY}, {-1, LAM_HEALTH_DOWN}};

    for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        int is_down = health_judge(&row, &options, answers[i].status);

        cr_assert(eq(u32, row.state, answers[i].state), "answer %u", i);
        cr_assert(eq(int, is_down, row.state == LAM_HEALTH_DOWN));
    }
}

/* ---- who does not come back ---- */

/* Its probes have no time at all. */
static const struct lam_health_options impatient = {
    .failures = 2, .successes = 1, .interval_ns = LAM_NS_PER_MS, .timeout_ns = LAM_NS_PER_MS};

/* Behind it a probe is inside, until the file is gone. */
static void load_hanging(void)
{
    say(letters, 'h');
    load_health(LAM_MODULE_IN_PROCESS, NULL, &impatient);
    UNTIL(access(hanging, F_OK) == 0);
}

static int is_still_inside(void)
{
    return (int)lam_runtime_collect(runtime) != 0;
}

Test(health, a_module_that_hangs_in_its_probe_keeps_no_other_one_waiting)
{
    char others[80];
    struct lam_module *bad, *well;
    struct lam_module_options options = {
        .name = "well", .health = &often, .config = others, .config_bytes = sizeof(others)};
    struct lam_pool_options pool = fixed(2, LAM_POOL_ROUND_ROBIN);
    struct lam_module_reply reply = {.data = NULL};

    load_hanging();
    bad = module;
    UNTIL(look_health().state == LAM_HEALTH_DOWN);
    {
        struct lam_health_stat stat = look_health();

        cr_assert(eq(u64, stat.probes, stat.failures));
    }
    (void)snprintf(others, sizeof(others), "%s.other", file);
    cr_assert(eq(int, lam_runtime_load(runtime, module_file("pool"), &options, &well, &error), 0));
    module = well;
    UNTIL(look_health().state == LAM_HEALTH_READY);
    /* A pool is filled again, too. */
    options = (struct lam_module_options){.name = "third", .health = &often};
    load_with(&pool, options);
    cr_assert(eq(int, kill(look().all[0].pid, SIGKILL), 0));
    UNTIL(look().restarts == 1);
    UNTIL(look().ready == 2);
    module = bad;
    expect_refused(LAM_HEALTH_DOWN);
    (void)unlink(hanging);
    UNTIL(ask("echo", NULL, 0, &reply, LONG_NS) == 0);
}

static int count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;

    cr_assert(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

Test(health, a_module_that_hangs_in_its_probe_has_one_probe_and_fails_by_each_timeout)
{
    int threads;

    load_hanging();
    UNTIL(look_health().failures >= 1);
    threads = count_threads();
    UNTIL(look_health().failures >= 6);
    cr_assert(eq(int, count_threads(), threads));
    (void)unlink(hanging);
    UNTIL(look_health().state == LAM_HEALTH_READY);
}

Test(health, an_unload_says_that_a_probe_is_still_inside_and_does_not_wait_for_it)
{
    load_hanging();
    UNTIL(look_health().failures >= 1);
    cr_assert(eq(int, lam_runtime_unload(module, lam_deadline_after_ns(LAM_NS_PER_MS), &error), 1));
    cr_assert(is_still_inside());
    (void)unlink(hanging);
    UNTIL(!is_still_inside());
}

Test(health, the_next_code_is_asked_while_the_one_before_hangs)
{
    struct lam_reload_options options = {.drain_ns = 1};

    load_hanging();
    UNTIL(look_health().state == LAM_HEALTH_DOWN);
    say(letters, 'u');
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), 1), "%s", error.text);
    UNTIL(look_health().state == LAM_HEALTH_UNREADY);
    cr_assert(is_still_inside());
    say(letters, 'r');
    UNTIL(look_health().state == LAM_HEALTH_READY);
    (void)unlink(hanging);
    UNTIL(!is_still_inside());
}

static void refused(struct lam_health_options health, const char *why)
{
    struct lam_module_options options = {.health = &health, .name = "other"};
    struct lam_module *other;

    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("first"), &options, &other, &error), -EINVAL));
    cr_assert(strstr(error.text, why) != NULL, "%s", error.text);
}

Test(health, what_makes_no_sense_is_refused_by_its_field)
{
    struct lam_health_stat stat;

    refused((struct lam_health_options){.by = 4}, "by is 0x4");
    refused((struct lam_health_options){.interval_ns = 1}, "interval_ns is 1");
    refused((struct lam_health_options){.reserved = 1}, "reserved is 1");
    load_health(LAM_MODULE_IN_PROCESS, NULL, NULL);
    cr_assert(eq(int, lam_health_look(module, &stat), -ENOENT));
}
