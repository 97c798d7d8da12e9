/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_limits.c: no more calls are inside of a module than its quotas allow, in all and of each
 * caller; what comes besides is refused, waits in order, or goes to its fallback.
 */
#include "limits_help.h"

TestSuite(limits, .init = setup, .fini = teardown, .timeout = 60);

Test(limits, so_many_are_inside_and_no_more)
{
    load((struct lam_limits_options){.calls_max = 2});
    start_guest(0, LAM_DEADLINE_NEVER);
    start_guest(1, LAM_DEADLINE_NEVER);
    await(2, 0);
    assert_refused(LAM_LIMIT_CALLS);
    let_one_go();
    await(1, 0);
    cr_assert(eq(int, ask_status(), 0));
    let_one_go();
    join(0);
    join(1);
    cr_assert(guests[0].rc == 0 && guests[1].rc == 0 && look().inside == 0);
}

Test(limits, each_caller_has_a_quota_of_its_own)
{
    struct lam_module *other;
    struct lam_call seen;
    uint64_t size = sizeof(seen);

    cr_assert(eq(int, try_load("concurrent", "other", NULL), 0));
    other = module;
    load((struct lam_limits_options){.caller_calls_max = 1, .calls_max = 2});
    start_guest(0, LAM_DEADLINE_NEVER);
    await(1, 0);
    assert_refused(LAM_LIMIT_CALLER_CALLS);
    cr_assert(eq(int, module_ask(other, "relay", "test", 5, &seen, &size), 0));
    let_one_go();
    join(0);
    cr_assert(eq(int, ask_status(), 0));
}

Test(limits, who_waits_comes_in_in_order_and_the_queue_has_an_end)
{
    load((struct lam_limits_options){.calls_max = 1, .full = LAM_LIMITS_WAIT, .queue_max = 2});
    for (uint32_t i = 0; i < 3; i++) {
        start_guest(i, LAM_DEADLINE_NEVER);
        await(1, i);
    }
    cr_assert(eq(u32, look().pressure, 1000));
    assert_refused(LAM_LIMIT_CALLS);
    for (uint32_t i = 0; i < 3; i++) {
        let_one_go();
        while (lam_load_acquire(&done_count) != i + 1)
            ;
        cr_assert(eq(u32, done[i], i));
    }
    for (uint32_t i = 0; i < 3; i++)
        join(i);
    cr_assert(look().inside == 0 && look().waiting == 0 && look().pressure == 0);
}

Test(limits, who_waits_too_long_leaves_the_queue_to_the_others)
{
    load((struct lam_limits_options){.calls_max = 1, .full = LAM_LIMITS_WAIT});
    start_guest(0, LAM_DEADLINE_NEVER);
    await(1, 0);
    start_guest(1, lam_deadline_after_ns(1));
    join(1);
    cr_assert(eq(int, guests[1].rc, -ETIMEDOUT));
    cr_assert(eq(u32, guests[1].reply.failure, LAM_FAILURE_BUSY));
    start_guest(2, LAM_DEADLINE_NEVER);
    await(1, 1);
    let_one_go();
    let_one_go();
    join(0);
    join(2);
    cr_assert(eq(int, guests[2].rc, 0));
}

Test(limits, a_call_within_a_call_of_the_same_module_is_part_of_it)
{
    uint32_t depth = 0;
    uint64_t size = sizeof(depth);

    load((struct lam_limits_options){.calls_max = 1, .caller_calls_max = 1});
    cr_assert(eq(int, module_ask(module, "nest", "test", 5, &depth, &size), 0));
    cr_assert(depth == 4 && look().inside == 0);
}

Test(limits, a_rate_lets_a_burst_in_and_then_so_many_in_a_second)
{
    stop_clock();
    load((struct lam_limits_options){.calls_per_s = 10, .burst = 3});
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, ask_status(), 0));
    cr_assert(eq(u32, look().pressure, 1000));
    assert_refused(LAM_LIMIT_RATE);
    clock_ns += LAM_NS_PER_S / 10 - 1;
    assert_refused(LAM_LIMIT_RATE);
    clock_ns += 1;
    cr_assert(eq(int, ask_status(), 0));
    assert_refused(LAM_LIMIT_RATE);
    /* It does not save more than a burst. */
    clock_ns += 3600 * LAM_NS_PER_S;
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, ask_status(), 0));
    assert_refused(LAM_LIMIT_RATE);
}

Test(limits, each_caller_has_a_rate_of_its_own)
{
    struct lam_module *other;
    struct lam_call seen;
    uint64_t size = sizeof(seen);

    stop_clock();
    cr_assert(eq(int, try_load("concurrent", "other", NULL), 0));
    other = module;
    load((struct lam_limits_options){.caller_calls_per_s = 1});
    cr_assert(eq(int, ask_status(), 0));
    assert_refused(LAM_LIMIT_CALLER_RATE);
    cr_assert(eq(int, module_ask(other, "relay", "test", 5, &seen, &size), 0));
    cr_assert(eq(int, module_ask(other, "relay", "test", 5, &seen, &size), -ECANCELED));
}

Test(limits, who_waits_for_a_rate_is_let_in_later_unless_that_is_too_late)
{
    uint64_t began_ns;

    load((struct lam_limits_options){.calls_per_s = 50, .full = LAM_LIMITS_WAIT, .queue_max = 2});
    began_ns = lam_clock_now_ns();
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, ask_status(), 0));
    cr_assert(lam_clock_now_ns() - began_ns >= 40 * LAM_NS_PER_MS);
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    stop_clock();
    load((struct lam_limits_options){.calls_per_s = 1, .full = LAM_LIMITS_WAIT});
    cr_assert(eq(int, ask_status(), 0));
    last = (struct lam_module_reply){.data = NULL};
    cr_assert(eq(int,
        lam_module_call(module, LAM_METHOD_ID("status"), &(int32_t){0}, sizeof(int32_t), &last,
            lam_clock_now_ns()),
        -ECANCELED));
    cr_assert(eq(i32, last.detail, LAM_LIMIT_RATE));
}

Test(limits, the_module_sees_how_full_its_quotas_are)
{
    struct lam_call seen;
    uint64_t size = sizeof(seen);

    load((struct lam_limits_options){.calls_max = 4});
    cr_assert(eq(u32, look().pressure, 0));
    cr_assert(eq(int, module_ask(module, "context", NULL, 0, &seen, &size), 0));
    cr_assert(eq(u32, seen.pressure, 250));
    start_guest(0, LAM_DEADLINE_NEVER);
    start_guest(1, LAM_DEADLINE_NEVER);
    await(2, 0);
    cr_assert(eq(u32, look().pressure, LAM_PRESSURE_MEDIUM));
    cr_assert(eq(int, module_ask(module, "context", NULL, 0, &seen, &size), 0));
    cr_assert(eq(u32, seen.pressure, 750));
    let_one_go();
    let_one_go();
    join(0);
    join(1);
}

Test(limits, bytes_of_requests_and_answers_are_bounded)
{
    char answer[16];
    uint64_t size = sizeof(answer);
    struct lam_module_reply reply = {.data = answer, .capacity = sizeof(answer)};

    load((struct lam_limits_options){.request_bytes_max = 9, .reply_bytes_max = 8});
    cr_assert(eq(int, module_ask(module, "echo", "1234567", 7, answer, &size), 0));
    cr_assert(eq(u64, size, 8));
    cr_assert(eq(int,
        lam_module_call(module, LAM_METHOD_ID("echo"), "12345678", 8, &reply, LAM_DEADLINE_NEVER),
        -ECANCELED));
    cr_assert(reply.detail == LAM_LIMIT_REPLY_BYTES && reply.capacity == sizeof(answer));
    cr_assert(eq(int,
        lam_module_call(
            module, LAM_METHOD_ID("echo"), "1234567890", 10, &reply, LAM_DEADLINE_NEVER),
        -ECANCELED));
    cr_assert(reply.detail == LAM_LIMIT_REQUEST_BYTES && reply.bytes == 0);
    /* Less room than that is an answer as ever. */
    size = 2;
    cr_assert(eq(int, module_ask(module, "echo", "12", 2, answer, &size), -ENOSPC));
    cr_assert(eq(u64, size, 3));
}

Test(limits, what_is_too_much_goes_to_another_method)
{
    load((struct lam_limits_options){
        .calls_max = 1, .full = LAM_LIMITS_DEGRADE, .fallback_method = "context"});
    start_guest(0, LAM_DEADLINE_NEVER);
    await(1, 0);
    for (int i = 0; i < 3; i++) {
        struct lam_call seen;
        uint64_t size = sizeof(seen);

        cr_assert(eq(int, module_ask(module, "echo", NULL, 0, &seen, &size), 0));
        cr_assert(size == sizeof(seen) && seen.method == LAM_METHOD_ID("context"));
        cr_assert(eq(u32, seen.pressure, 1000));
    }
    cr_assert(eq(u64, look().degraded, 3));
    let_one_go();
    join(0);
    cr_assert(eq(int, module_kind(module), 3));
}

Test(limits, what_is_too_much_goes_to_another_module_if_it_is_there)
{
    struct lam_module *other;

    load((struct lam_limits_options){
        .calls_max = 1, .full = LAM_LIMITS_DEGRADE, .fallback_module = "other"});
    start_guest(0, LAM_DEADLINE_NEVER);
    await(1, 0);
    assert_refused(LAM_LIMIT_CALLS);
    other = module;
    cr_assert(eq(int, try_load("concurrent_too", "other", NULL), 0));
    cr_assert(eq(int, module_kind(other), 4));
    let_one_go();
    join(0);
    cr_assert(eq(int, module_kind(other), 3));
}

static void assert_names(struct lam_limits_options limits, const char *text)
{
    cr_assert(eq(int, try_load("concurrent", NULL, &limits), -EINVAL));
    cr_assert(strstr(error.text, text) != NULL, "%s", error.text);
}

Test(limits, a_field_outside_its_range_is_named)
{
    struct lam_limits_stat stat;

    assert_names((struct lam_limits_options){.full = (enum lam_limits_full)3}, "full is 3");
    assert_names((struct lam_limits_options){.queue_max = 1}, "queue_max is 1");
    assert_names((struct lam_limits_options){.burst = 2}, "burst is 2, but calls_per_s");
    assert_names((struct lam_limits_options){.calls_per_s = 10000001}, "at most 10000000");
    assert_names((struct lam_limits_options){.bytes_max = LAM_LIMITS_BYTES_MAX + 1},
        "bytes_max is 1099511627777, at most 1099511627776");
    assert_names((struct lam_limits_options){.caller_bytes_max = UINT64_MAX}, "caller_bytes_max");
    assert_names((struct lam_limits_options){.full = LAM_LIMITS_DEGRADE}, "no fallback");
    assert_names((struct lam_limits_options){.fallback_method = "echo"}, "a fallback is named");
    assert_names((struct lam_limits_options){.full = LAM_LIMITS_DEGRADE, .fallback_method = ""},
        "name of a fallback");
    cr_assert(eq(int, try_load("concurrent", NULL, NULL), 0));
    cr_assert(eq(int, lam_limits_look(module, &stat), -ENOENT));
}
