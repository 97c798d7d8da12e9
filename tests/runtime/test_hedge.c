/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hedge.c: a call that takes long is begun a second time, and the first answer is the answer.
 * Which run does what comes through a pipe, so that who is first is the test's to say.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "modules.h"

#include "lamina/base/ops.h"
#include "lamina/runtime/retry.h"

#define HOUR_NS (3600 * LAM_NS_PER_S)

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static int orders[2], gate[2], failing[2];
static char answer[8];
static struct lam_module_reply last;

static void setup(void)
{
    cr_assert(pipe(orders) == 0 && pipe(gate) == 0 && pipe(failing) == 0);
    cr_assert(eq(int, lam_runtime_create(&runtime, NULL, &error), 0), "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
    lam_base = &lam_base_linux;
}

TestSuite(hedge, .init = setup, .fini = teardown, .timeout = 60);

static void load_as(const char *kind, struct lam_retry_options retry)
{
    struct lam_module_options options = {.retry = &retry};

    cr_assert(eq(int, lam_runtime_load(runtime, module_file(kind), &options, &module, &error), 0),
        "%s", error.text);
}

/* What the next runs do: 'b' waits at the gate, 'f' fails when told to, others answer with it. */
static void order(const char *what)
{
    cr_assert(eq(int, (int)write(orders[1], what, strlen(what)), (int)strlen(what)));
}

static void open_gate(void)
{
    cr_assert(eq(int, (int)write(gate[1], "x", 1), 1));
}

static int ask(const char *method, uint64_t deadline_ns)
{
    int fds[3] = {orders[0], gate[0], failing[0]};

    memset(answer, 0, sizeof(answer));
    last = (struct lam_module_reply){.data = answer, .capacity = sizeof(answer)};
    return lam_module_call(module, lam_method_id(method), fds, sizeof(fds), &last, deadline_ns);
}

/* Orders that no run has read yet. */
static int orders_left(void)
{
    int bytes = -1;

    cr_assert(eq(int, ioctl(orders[0], FIONREAD, &bytes), 0));
    return bytes;
}

static struct lam_retry_stat look(void)
{
    struct lam_retry_stat stat;

    cr_assert(eq(int, lam_retry_look(module, &stat), 0));
    return stat;
}

static void assert_answer(char what)
{
    cr_assert(eq(u64, last.bytes, sizeof(answer)));
    for (unsigned i = 0; i < sizeof(answer); i++)
        cr_assert(eq(chr, answer[i], what));
}

Test(hedge, the_first_answer_wins_and_the_other_one_goes_nowhere)
{
    load_as("flaky", (struct lam_retry_options){.hedge_ns = 1});
    order("bg");
    cr_assert(eq(int, ask("race", LAM_DEADLINE_NEVER), 0));
    assert_answer('g');
    cr_assert(look().hedged == 1 && look().hedges_won <= 1 && look().hedging == 1);
    open_gate();
    while (look().hedging != 0)
        ;
    assert_answer('g');
}

Test(hedge, who_answers_in_time_is_not_hedged)
{
    load_as("flaky", (struct lam_retry_options){.hedge_ns = HOUR_NS});
    order("g");
    cr_assert(eq(int, ask("race", LAM_DEADLINE_NEVER), 0));
    assert_answer('g');
    cr_assert(look().hedged == 0 && look().hedging == 0);
}

Test(hedge, a_method_that_must_not_run_twice_runs_once)
{
    load_as("flaky", (struct lam_retry_options){.hedge_ns = 1});
    order("bg");
    open_gate();
    cr_assert(eq(int, ask("alone", LAM_DEADLINE_NEVER), 0));
    assert_answer('b');
    cr_assert(look().hedged == 0 && look().raced == 0);
}

static void *ask_race(void *rc)
{
    *(int *)rc = ask("race", LAM_DEADLINE_NEVER);
    return NULL;
}

Test(hedge, a_failure_does_not_win_while_the_other_may_answer)
{
    pthread_t thread;
    int rc = 1;

    load_as("flaky", (struct lam_retry_options){.hedge_ns = 1, .tries_max = 1});
    order("fb");
    cr_assert(eq(int, pthread_create(&thread, NULL, ask_race, &rc), 0));
    while (look().hedging != 2)
        ;
    cr_assert(eq(int, (int)write(failing[1], "x", 1), 1));
    while (look().hedging != 1)
        ;
    open_gate();
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_assert(eq(int, rc, 0));
    assert_answer('b');
}

Test(hedge, whose_deadline_is_over_has_its_error_while_both_go_on)
{
    load_as("flaky", (struct lam_retry_options){.hedge_ns = 1, .hedge_threads = 2});
    order("bb");
    cr_assert(eq(int, ask("race", lam_deadline_after_ns(LAM_NS_PER_MS)), -ETIMEDOUT));
    cr_assert(eq(u32, last.failure, LAM_FAILURE_DEADLINE));
    /* A run that came too late to be hedged is one. */
    while (look().hedging != 1 + look().hedged)
        ;
    /* The runtime waits for them. */
    open_gate();
    open_gate();
}

Test(hedge, where_no_thread_is_free_the_caller_runs_it)
{
    load_as("flaky", (struct lam_retry_options){.hedge_ns = HOUR_NS, .hedge_threads = 2});
    order("bbg");
    for (uint32_t i = 1; i <= 2; i++) {
        cr_assert(eq(int, ask("race", lam_deadline_after_ns(1)), -ETIMEDOUT));
        cr_assert(look().raced == i && look().hedging == i);
    }
    /* The two have read their orders when the third is read. */
    while (orders_left() != 1)
        ;
    cr_assert(eq(int, ask("race", LAM_DEADLINE_NEVER), 0));
    assert_answer('g');
    cr_assert(eq(u64, look().raced, 2));
    open_gate();
    open_gate();
    while (look().hedging != 0)
        ;
    order("g");
    cr_assert(eq(int, ask("race", LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(u64, look().raced, 3));
}

Test(hedge, a_code_is_not_ended_while_a_run_that_was_left_is_inside)
{
    struct lam_reload_options options = {.drain_ns = 1};

    load_as("flaky", (struct lam_retry_options){.hedge_ns = 1});
    order("bg");
    cr_assert(eq(int, ask("race", LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), 1));
    cr_assert(eq(u32, lam_runtime_collect(runtime), 1));
    open_gate();
    while (lam_runtime_collect(runtime) != 0)
        ;
}

Test(hedge, a_module_that_takes_one_call_at_a_time_is_not_hedged)
{
    load_as("first", (struct lam_retry_options){.hedge_ns = 1});
    for (int i = 0; i < 100; i++)
        cr_assert(eq(int, module_kind(module), 1));
    cr_assert(look().hedged == 0 && look().raced == 0);
}

/* ---- a delay that is learned; the clock is the test's ---- */

#define SLOW_NS (50 * LAM_NS_PER_MS)

static struct lam_base_ops ops;
static lam_atomic_u64 clock_ns;

static uint64_t clock_now_ns(void)
{
    return lam_load_relaxed(&clock_ns);
}

/* Threads wait by another one, of which it is far ahead: nobody is hedged by the time it takes. */
static void load_with_own_clock(struct lam_retry_options retry)
{
    ops = lam_base_linux;
    lam_store_relaxed(&clock_ns, ops.now_ns() + 24 * HOUR_NS);
    ops.now_ns = clock_now_ns;
    lam_base = &ops;
    retry.hedge_ns = HOUR_NS;
    load_as("flaky", retry);
}

static void run_quickly(int count)
{
    for (int i = 0; i < count; i++) {
        order("g");
        cr_assert(eq(int, ask("race", LAM_DEADLINE_NEVER), 0));
    }
}

/* Each takes SLOW_NS: it has begun when it has read its order. */
static void run_slowly(int count)
{
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        int rc = 1;

        order("b");
        cr_assert(eq(int, pthread_create(&thread, NULL, ask_race, &rc), 0));
        while (orders_left() != 0)
            ;
        lam_store_relaxed(&clock_ns, lam_load_relaxed(&clock_ns) + SLOW_NS);
        open_gate();
        cr_assert(eq(int, pthread_join(thread, NULL), 0));
        cr_assert(eq(int, rc, 0));
    }
}

Test(hedge, the_delay_is_what_so_many_thousandths_of_the_runs_did_not_exceed)
{
    load_with_own_clock((struct lam_retry_options){.hedge_percentile = 900});
    run_quickly(55);
    run_slowly(8);
    cr_assert(eq(u64, look().hedge_delay_ns, HOUR_NS)); /* one is missing */
    run_slowly(1);
    cr_assert(look().hedged == 0 && look().raced == LAM_RETRY_HEDGE_RUNS);
    cr_assert(look().hedge_delay_ns >= SLOW_NS && look().hedge_delay_ns <= SLOW_NS * 1032 / 1000);
}

Test(hedge, a_delay_is_not_what_fewer_exceed_and_has_a_lower_bound)
{
    load_with_own_clock(
        (struct lam_retry_options){.hedge_percentile = 800, .hedge_min_ns = 7 * LAM_NS_PER_MS});
    run_quickly(55);
    run_slowly(9);
    cr_assert(eq(u64, look().hedge_delay_ns, 7 * LAM_NS_PER_MS));
}

Test(hedge, a_delay_that_was_learned_hedges_and_has_an_upper_bound)
{
    load_with_own_clock(
        (struct lam_retry_options){.hedge_percentile = 900, .hedge_max_ns = LAM_NS_PER_MS});
    run_quickly(55);
    run_slowly(9);
    cr_assert(eq(u64, look().hedge_delay_ns, LAM_NS_PER_MS));
    lam_base = &lam_base_linux;
    order("bg");
    cr_assert(eq(int, ask("race", LAM_DEADLINE_NEVER), 0));
    assert_answer('g');
    cr_assert(eq(u64, look().hedged, 1));
    open_gate();
}

/* What is 64 of 1,024 and of 1,088 runs is less than 4 % of 1,344, where the first count half. */
Test(hedge, runs_of_long_ago_fade_away)
{
    load_with_own_clock((struct lam_retry_options){.hedge_percentile = 960});
    run_slowly(64);
    cr_assert(look().hedge_delay_ns >= SLOW_NS);
    run_quickly(1024 - 64);
    cr_assert(look().hedge_delay_ns >= SLOW_NS);
    run_quickly(64);
    cr_assert(look().hedge_delay_ns >= SLOW_NS);
    run_quickly(256);
    cr_assert(eq(u64, look().hedge_delay_ns, 0));
}

static void refused(struct lam_retry_options retry, const char *why)
{
    struct lam_module_options options = {.retry = &retry};

    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("flaky"), &options, &module, &error), -EINVAL));
    cr_assert(strstr(error.text, why) != NULL, "%s", error.text);
}

Test(hedge, fields_of_a_percentile_that_make_no_sense_are_named)
{
    struct lam_retry_options retry = {.hedge_percentile = 1000, .hedge_ns = 1};

    refused(retry, "hedge_percentile is 1000");
    retry.hedge_percentile = 0;
    retry.hedge_max_ns = 5;
    refused(retry, "hedge_max_ns");
    retry.hedge_percentile = 900;
    retry.hedge_min_ns = 6;
    refused(retry, "hedge_min_ns is 6, at most 5");
    refused((struct lam_retry_options){.hedge_percentile = 900}, "hedge_percentile is 900");
}

Test(hedge, fields_that_make_no_sense_are_named)
{
    struct lam_retry_options retry = {.hedge_threads = 4};
    struct lam_module_options options = {.retry = &retry};

    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("flaky"), &options, &module, &error), -EINVAL));
    cr_assert(strstr(error.text, "hedge_threads is 4") != NULL);
    retry = (struct lam_retry_options){.hedge_threads = 1, .hedge_ns = 1};
    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("flaky"), &options, &module, &error), -EINVAL));
}
