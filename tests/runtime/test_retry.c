/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_retry.c: what may be called twice is called again when it failed, so often as is allowed and
 * never past its deadline; and a call without a deadline has its module's.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "modules.h"

#include "lamina/runtime/retry.h"
#include "path/retry_policy.h"

#define HOUR_NS (3600 * LAM_NS_PER_S)

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

static void setup(void)
{
    static char program[4096];
    struct lam_runtime_options options = {.worker = program};

    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(retry, .init = setup, .fini = teardown, .timeout = 60);

static int try_load(struct lam_retry_options retry)
{
    struct lam_module_options options = {.retry = &retry};

    return lam_runtime_load(runtime, module_file("flaky"), &options, &module, &error);
}

/* With pauses that do not cost the test anything. */
static void load(struct lam_retry_options retry)
{
    if (retry.pause_ns == 0)
        retry.pause_ns = 1;
    cr_assert(eq(int, try_load(retry), 0), "%s", error.text);
}

static struct lam_module_reply last;
static uint32_t answer;

static int ask(const char *method, uint64_t deadline_ns)
{
    last = (struct lam_module_reply){.data = &answer, .capacity = sizeof(answer)};
    return lam_module_call(module, lam_method_id(method), NULL, 0, &last, deadline_ns);
}

/* The next calls fail: 0 by a result, 1 by an answer that cannot be. */
static void plan(int32_t failures, int32_t kind)
{
    int32_t request[2] = {failures, kind};
    uint64_t none = 0;

    cr_assert(eq(int, module_ask(module, "fail", request, sizeof(request), NULL, &none), 0));
}

static uint32_t calls(void)
{
    cr_assert(eq(int, ask("calls", LAM_DEADLINE_NEVER), 0));
    return answer;
}

static struct lam_retry_stat look(void)
{
    struct lam_retry_stat stat;

    cr_assert(eq(int, lam_retry_look(module, &stat), 0));
    return stat;
}

Test(retry, what_may_run_twice_is_called_again_until_it_answers)
{
    load((struct lam_retry_options){.tries_max = 4});
    plan(3, 1);
    cr_assert(eq(int, ask("safe", LAM_DEADLINE_NEVER), 0));
    cr_assert(last.failure == LAM_FAILURE_NONE && last.bytes == 4 && answer == 4);
    cr_assert(eq(u64, look().again, 3));
}

Test(retry, so_often_and_no_more)
{
    load((struct lam_retry_options){.tries_max = 4});
    plan(4, 1);
    cr_assert(eq(int, ask("safe", LAM_DEADLINE_NEVER), -EPROTO));
    cr_assert(eq(u32, last.failure, LAM_FAILURE_BAD_REPLY));
    cr_assert(eq(u32, calls(), 4));
}

Test(retry, other_methods_are_never_called_again)
{
    load((struct lam_retry_options){.retries_results = 1, .retries_unreached = 1});
    for (int32_t kind = 0; kind < 2; kind++) {
        plan(1, kind);
        cr_assert(ask("once", LAM_DEADLINE_NEVER) < 0);
        cr_assert(eq(u32, calls(), 1));
    }
    cr_assert(eq(u64, look().again, 0));
}

Test(retry, results_are_an_answer_unless_the_option_says_otherwise)
{
    load((struct lam_retry_options){.tries_max = 2});
    plan(1, 0);
    cr_assert(eq(int, ask("safe", LAM_DEADLINE_NEVER), -EAGAIN));
    cr_assert(eq(u32, calls(), 1));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    load((struct lam_retry_options){.tries_max = 2, .retries_results = 1});
    plan(1, 0);
    cr_assert(eq(int, ask("safe", LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(u32, answer, 2));
    /* Too little room is what it says. */
    last = (struct lam_module_reply){.data = NULL};
    plan(0, 0);
    cr_assert(
        eq(int, lam_module_call(module, LAM_METHOD_ID("safe"), NULL, 0, &last, LAM_DEADLINE_NEVER),
            -ENOSPC));
    cr_assert(eq(u32, calls(), 1));
}

Test(retry, a_pause_beyond_the_deadline_is_not_begun)
{
    load((struct lam_retry_options){.pause_ns = HOUR_NS, .pause_max_ns = HOUR_NS});
    plan(1, 1);
    cr_assert(eq(int, ask("safe", lam_deadline_after_ns(HOUR_NS / 4)), -EPROTO));
    cr_assert(look().again == 0 && look().no_time == 1);
    cr_assert(eq(u32, calls(), 1));
}

Test(retry, a_budget_bounds_what_is_tried_again_and_calls_earn_it)
{
    load((struct lam_retry_options){.tries_max = 2, .budget_min = 3, .budget_percent = 10});
    plan(1000, 1);
    for (int i = 0; i < 5; i++)
        cr_assert(eq(int, ask("safe", LAM_DEADLINE_NEVER), -EPROTO));
    /* Five calls earned half a try. */
    cr_assert(look().again == 3 && look().no_budget == 2);
    plan(0, 1);
    for (int i = 0; i < 10; i++)
        cr_assert(eq(int, ask("safe", LAM_DEADLINE_NEVER), 0));
    plan(1000, 1);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, ask("safe", LAM_DEADLINE_NEVER), -EPROTO));
    cr_assert(eq(u64, look().again, 4));
}

Test(retry, pauses_double_up_to_their_bound_and_jitter_makes_them_shorter)
{
    struct lam_retry_options options = {
        .pause_ns = 1000, .pause_max_ns = 10000, .jitter_percent = 50};
    static const uint64_t pauses[] = {1000, 2000, 4000, 8000, 10000, 10000};

    for (uint32_t i = 0; i < 6; i++) {
        cr_assert(eq(u64, lam_retry_pause_ns(&options, i + 1, 0), pauses[i]));
        cr_assert(eq(u64, lam_retry_pause_ns(&options, i + 1, UINT32_MAX), pauses[i] / 2 + 1));
        cr_assert(eq(u64, lam_retry_pause_ns(&options, i + 1, 1U << 31), pauses[i] * 3 / 4));
    }
}

static uint64_t deadline_of(const char *method, uint64_t given_ns)
{
    uint64_t seen_ns = 0;
    struct lam_module_reply reply = {.data = &seen_ns, .capacity = sizeof(seen_ns)};

    cr_assert(
        eq(int, lam_module_call(module, lam_method_id(method), NULL, 0, &reply, given_ns), 0));
    return seen_ns;
}

Test(retry, a_call_without_a_deadline_has_its_methods_or_its_modules)
{
    static const struct lam_retry_method patient = {.name = "patient", .deadline_ns = 3 * HOUR_NS};
    uint64_t before_ns = lam_clock_now_ns(), seen_ns;

    load(
        (struct lam_retry_options){.deadline_ns = HOUR_NS, .methods = &patient, .method_count = 1});
    seen_ns = deadline_of("deadline", LAM_DEADLINE_NEVER);
    cr_assert(seen_ns >= before_ns + HOUR_NS && seen_ns <= lam_clock_now_ns() + HOUR_NS);
    seen_ns = deadline_of("patient", LAM_DEADLINE_NEVER);
    cr_assert(seen_ns >= before_ns + 3 * HOUR_NS && seen_ns <= lam_clock_now_ns() + 3 * HOUR_NS);
    cr_assert(eq(u64, deadline_of("deadline", before_ns + 5 * HOUR_NS), before_ns + 5 * HOUR_NS));
}

Test(retry, a_method_may_have_tries_of_its_own)
{
    static const struct lam_retry_method safe = {.name = "safe", .tries_max = 1};

    load((struct lam_retry_options){.tries_max = 5, .methods = &safe, .method_count = 1});
    plan(1, 1);
    cr_assert(eq(int, ask("safe", LAM_DEADLINE_NEVER), -EPROTO));
    cr_assert(eq(u32, calls(), 1));
}

Test(retry, where_no_worker_is_there_any_method_may_be_tried_by_option)
{
    struct lam_retry_options retry = {.pause_ns = 1, .tries_max = 3, .retries_unreached = 1};
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER, .retry = &retry};

    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("flaky"), &options, &module, &error), 0));
    /* It dies until it is left alone. Nobody knows how far it came: not tried again. */
    do
        cr_assert(eq(int, ask("die", LAM_DEADLINE_NEVER), -EOWNERDEAD));
    while (last.failure == LAM_FAILURE_CRASHED && look().again == 0);
    cr_assert(eq(u32, last.failure, LAM_FAILURE_NO_WORKER));
    cr_assert(eq(u64, look().again, 2));
}

Test(retry, methods_without_a_name_of_their_own_may_have_ways_of_their_own)
{
    static const struct lam_retry_method others = {.name = "*", .deadline_ns = HOUR_NS};
    struct lam_retry_options retry = {.methods = &others, .method_count = 1};
    struct lam_module_options options = {.retry = &retry};

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("any"), &options, &module, &error), 0),
        "%s", error.text);
    cr_assert(lt(u64, deadline_of("deadline", LAM_DEADLINE_NEVER), LAM_DEADLINE_NEVER));
}

static void assert_names(struct lam_retry_options retry, const char *text)
{
    cr_assert(eq(int, try_load(retry), -EINVAL));
    cr_assert(strstr(error.text, text) != NULL, "%s", error.text);
}

Test(retry, a_field_outside_its_range_is_named)
{
    static const struct lam_retry_method nameless = {.tries_max = 1};
    static const struct lam_retry_method many = {.name = "safe", .tries_max = 17};
    struct lam_retry_stat stat;

    assert_names((struct lam_retry_options){.tries_max = 17}, "tries_max is 17, at most 16");
    assert_names((struct lam_retry_options){.jitter_percent = 101}, "jitter_percent is 101");
    assert_names((struct lam_retry_options){.pause_ns = 2, .pause_max_ns = 1}, "pause_ns is 2");
    assert_names((struct lam_retry_options){.methods = &nameless, .method_count = 1},
        "retry.methods[0] has to be a name");
    assert_names(
        (struct lam_retry_options){.methods = &many, .method_count = 1}, "tries_max of safe is 17");
    cr_assert(eq(int, lam_runtime_load(runtime, module_file("flaky"), NULL, &module, &error), 0));
    cr_assert(eq(int, lam_retry_look(module, &stat), -ENOENT));
}
