/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_breaker.c: a breaker opens when too much of its window went wrong, lets a bounded number of
 * probes in, and closes when they do well. The clock is the test's.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "modules.h"

#include "lamina/base/ops.h"
#include "lamina/runtime/breaker.h"
#include "lamina/runtime/events.h"

#define MS LAM_NS_PER_MS

static struct lam_base_ops ops;
static uint64_t clock_ns, step_ns; /* it goes on by a step at each look */
static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static int64_t told[16];
static unsigned told_count;

static uint64_t clock_now_ns(void)
{
    return clock_ns += step_ns;
}

static void note_event(void *unused, const struct lam_runtime_event *event)
{
    (void)unused;
    if (event->kind == LAM_EVENT_BREAKER)
        told[told_count++ % 16] = event->value;
}

static void setup(void)
{
    ops = lam_base_linux;
    ops.now_ns = clock_now_ns;
    clock_ns = 1000 * MS;
    lam_base = &ops;
    cr_assert(eq(int, lam_runtime_create(&runtime, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_observe(runtime, note_event, NULL), 0));
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
    lam_base = &lam_base_linux;
}

TestSuite(breaker, .init = setup, .fini = teardown, .timeout = 60);

static int try_load(const char *kind, struct lam_breaker_options breaker)
{
    struct lam_module_options options = {.breaker = &breaker};

    return lam_runtime_load(runtime, module_file(kind), &options, &module, &error);
}

/* Of ten calls half have to fail; what the method returns counts. */
static struct lam_breaker_options usual(void)
{
    return (struct lam_breaker_options){
        .window_ns = 800 * MS, .open_ns = 50 * MS, .calls_min = 10, .counts_results = 1};
}

static void load(const char *kind, struct lam_breaker_options breaker)
{
    cr_assert(eq(int, try_load(kind, breaker), 0), "%s", error.text);
}

static struct lam_module_reply last;

/* A call that returns @status. */
static int ask(int32_t status)
{
    last = (struct lam_module_reply){.data = NULL};
    return lam_module_call(
        module, LAM_METHOD_ID("status"), &status, sizeof(status), &last, LAM_DEADLINE_NEVER);
}

static void ask_often(int32_t status, int count)
{
    for (int i = 0; i < count; i++)
        cr_assert(eq(int, ask(status), status));
}

static void assert_refused(int32_t ms)
{
    cr_assert(eq(int, ask(0), -ECANCELED));
    cr_assert(eq(u32, last.failure, LAM_FAILURE_OPEN));
    cr_assert(eq(i32, last.detail, ms));
}

static struct lam_breaker_stat look(void)
{
    struct lam_breaker_stat stat;

    cr_assert(eq(int, lam_breaker_look(module, &stat), 0));
    return stat;
}

Test(breaker, opens_when_enough_of_the_window_failed_and_says_for_how_long)
{
    struct lam_breaker_stat stat;

    load("concurrent", usual());
    ask_often(-EIO, 5);
    ask_often(0, 4);
    ask_often(-EIO, 1);
    stat = look();
    cr_assert(stat.state == LAM_BREAKER_OPEN && stat.opened == 1 && stat.refused == 0);
    cr_assert(eq(u64, stat.until_ns, clock_ns + 50 * MS));
    assert_refused(50);
    clock_ns += 30 * MS + 1;
    assert_refused(20);
    cr_assert(eq(u64, look().refused, 2));
    cr_assert(told_count == 1 && told[0] == LAM_BREAKER_OPEN);
}

Test(breaker, stays_closed_below_the_rate_and_below_the_number)
{
    load("concurrent", usual());
    ask_often(-EIO, 9);
    cr_assert(look().state == LAM_BREAKER_CLOSED && look().calls == 9 && look().failures == 9);
    ask_often(0, 12);
    for (int i = 0; i < 20; i++) {
        ask_often(-EIO, 1);
        ask_often(0, 2);
    }
    cr_assert(look().state == LAM_BREAKER_CLOSED && told_count == 0);
}

Test(breaker, a_result_is_a_failure_by_option_and_too_little_room_never)
{
    struct lam_breaker_options options = usual();

    options.counts_results = 0;
    load("concurrent", options);
    ask_often(-EIO, 100);
    ask_often(7, 100);
    cr_assert(look().state == LAM_BREAKER_CLOSED);
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    load("concurrent", usual());
    ask_often(-ENOSPC, 100);
    ask_often(7, 100);
    cr_assert(look().state == LAM_BREAKER_CLOSED && look().calls == 0);
}

Test(breaker, what_the_host_says_of_a_call_is_a_failure)
{
    struct lam_breaker_options options = usual();
    char answer[2];

    options.counts_results = 0;
    load("wrong_bytes", options);
    for (int i = 0; i < 10; i++) {
        uint64_t size = sizeof(answer);

        cr_assert(eq(int, module_ask(module, "echo", "a", 1, answer, &size), -EPROTO));
    }
    assert_refused(50);
}

Test(breaker, failures_that_left_the_window_are_forgotten)
{
    load("concurrent", usual());
    ask_often(-EIO, 9);
    clock_ns += 801 * MS;
    ask_often(-EIO, 9);
    cr_assert(look().state == LAM_BREAKER_CLOSED && look().calls == 9);
    /* It slides by eighths: what is half a window old still counts. */
    clock_ns += 400 * MS;
    ask_often(-EIO, 1);
    cr_assert(look().state == LAM_BREAKER_OPEN);
}

Test(breaker, a_window_of_calls_forgets_what_is_more_calls_ago)
{
    struct lam_breaker_options options = usual();

    options.window_ns = 3600 * LAM_NS_PER_S;
    options.window_calls = 40;
    load("concurrent", options);
    ask_often(-EIO, 9);
    ask_often(0, 40);
    ask_often(-EIO, 9);
    cr_assert(look().state == LAM_BREAKER_CLOSED && look().calls == 9);
    ask_often(-EIO, 1);
    cr_assert(look().state == LAM_BREAKER_OPEN);
}

static int ends[2];

/* A call that stays inside until somebody writes. */
static void *stay(void *answer)
{
    struct lam_module_reply reply = {.data = answer, .capacity = 1};

    cr_assert(eq(int,
        lam_module_call(
            module, LAM_METHOD_ID("wait"), &ends[0], sizeof(ends[0]), &reply, LAM_DEADLINE_NEVER),
        0));
    return NULL;
}

static void open_and_wait(uint32_t probes)
{
    struct lam_breaker_options options = usual();

    options.probes = probes;
    load("concurrent", options);
    ask_often(-EIO, 10);
    cr_assert(look().state == LAM_BREAKER_OPEN);
    clock_ns += 50 * MS;
}

Test(breaker, half_open_lets_so_many_probes_in_and_closes_when_all_do_well)
{
    pthread_t guests[2];
    char answers[2];

    cr_assert(eq(int, pipe(ends), 0));
    open_and_wait(3);
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int, pthread_create(&guests[i], NULL, stay, &answers[i]), 0));
    while (look().probes != 2)
        ;
    ask_often(0, 1);
    cr_assert(look().state == LAM_BREAKER_HALF_OPEN);
    assert_refused(0);
    cr_assert(eq(int, (int)write(ends[1], "xx", 2), 2));
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int, pthread_join(guests[i], NULL), 0));
    cr_assert(look().state == LAM_BREAKER_CLOSED);
    cr_assert(told_count == 3 && told[1] == LAM_BREAKER_HALF_OPEN && told[2] == LAM_BREAKER_CLOSED);
    /* What was before is forgotten. */
    ask_often(-EIO, 9);
    cr_assert(look().state == LAM_BREAKER_CLOSED);
}

Test(breaker, one_bad_probe_opens_it_again)
{
    open_and_wait(2);
    ask_often(0, 1);
    ask_often(-EIO, 1);
    cr_assert(look().state == LAM_BREAKER_OPEN && look().opened == 2);
    assert_refused(50);
}

Test(breaker, probes_that_do_not_come_back_are_replaced_after_a_while)
{
    pthread_t guest;
    char answer;

    cr_assert(eq(int, pipe(ends), 0));
    open_and_wait(1);
    cr_assert(eq(int, pthread_create(&guest, NULL, stay, &answer), 0));
    while (look().probes != 1)
        ;
    assert_refused(0);
    clock_ns += 50 * MS;
    ask_often(0, 1);
    cr_assert(look().state == LAM_BREAKER_CLOSED);
    /* The lost one changes nothing any more. */
    cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
    cr_assert(eq(int, pthread_join(guest, NULL), 0));
    cr_assert(look().state == LAM_BREAKER_CLOSED && told_count == 3);
}

Test(breaker, slow_calls_open_it_too)
{
    struct lam_breaker_options options = usual();

    options.slow_ns = 20 * MS;
    options.slow_percent = 80;
    load("concurrent", options);
    step_ns = 20 * MS;
    ask_often(0, 30);
    cr_assert(look().state == LAM_BREAKER_CLOSED && look().calls == 0);
    step_ns++;
    ask_often(0, 9);
    cr_assert(look().state == LAM_BREAKER_CLOSED && look().slow == 9);
    ask_often(0, 1);
    cr_assert(look().state == LAM_BREAKER_OPEN && look().opened == 1);
}

Test(breaker, forced_states_stay_until_they_are_ended)
{
    struct lam_reload_options reload = {.reference = NULL};

    load("concurrent", usual());
    cr_assert(eq(int, lam_breaker_force(module, LAM_BREAKER_FORCED_OPEN), 0));
    assert_refused(INT32_MAX);
    clock_ns += 3600 * LAM_NS_PER_S;
    cr_assert(eq(int, lam_runtime_reload(module, &reload, &error), 0));
    assert_refused(INT32_MAX);
    cr_assert(eq(int, lam_breaker_force(module, LAM_BREAKER_FORCED_CLOSED), 0));
    ask_often(-EIO, 100);
    cr_assert(look().state == LAM_BREAKER_FORCED_CLOSED);
    cr_assert(eq(int, lam_breaker_force(module, LAM_BREAKER_CLOSED), 0));
    ask_often(-EIO, 10);
    cr_assert(look().state == LAM_BREAKER_OPEN);
    cr_assert(eq(int, lam_breaker_force(module, LAM_BREAKER_HALF_OPEN), -EINVAL));
}

Test(breaker, a_new_generation_closes_it_by_option_only)
{
    struct lam_breaker_options options = usual();

    load("concurrent", options);
    ask_often(-EIO, 10);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
    assert_refused(50);
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    options.resets_on_reload = 1;
    load("concurrent", options);
    ask_often(-EIO, 10);
    assert_refused(50);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
    ask_often(0, 1);
    cr_assert(look().state == LAM_BREAKER_CLOSED);
    ask_often(-EIO, 9);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
    ask_often(-EIO, 9);
    cr_assert(look().state == LAM_BREAKER_CLOSED);
}

static void *fail_once(void *unused)
{
    ask_often(-EIO, 1);
    return unused;
}

Test(breaker, all_threads_count_for_one_window)
{
    load("concurrent", usual());
    for (int i = 0; i < 10; i++) {
        pthread_t thread;

        cr_assert(look().state == LAM_BREAKER_CLOSED);
        cr_assert(eq(int, pthread_create(&thread, NULL, fail_once, NULL), 0));
        cr_assert(eq(int, pthread_join(thread, NULL), 0));
    }
    assert_refused(50);
}

Test(breaker, a_field_outside_its_range_is_named)
{
    struct lam_breaker_stat stat;

    cr_assert(eq(int, try_load("concurrent", (struct lam_breaker_options){.failure_percent = 101}),
        -EINVAL));
    cr_assert(strstr(error.text, "failure_percent is 101, at most 100") != NULL);
    cr_assert(
        eq(int, try_load("concurrent", (struct lam_breaker_options){.slow_percent = 5}), -EINVAL));
    cr_assert(strstr(error.text, "slow_ns") != NULL);
    cr_assert(
        eq(int, try_load("concurrent", (struct lam_breaker_options){.window_calls = 39}), -EINVAL));
    cr_assert(strstr(error.text, "window_calls is 39, at least twice calls_min") != NULL);
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("concurrent"), NULL, &module, &error), 0));
    cr_assert(eq(int, lam_breaker_look(module, &stat), -ENOENT));
    cr_assert(eq(int, lam_breaker_force(module, LAM_BREAKER_CLOSED), -ENOENT));
}
