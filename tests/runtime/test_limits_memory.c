/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_limits_memory.c: what the calls inside are lent has a bound, too; and what a runtime says
 * for all of its modules holds for those that say nothing.
 */
#include "limits_help.h"

#include "lamina/runtime/retry.h"

TestSuite(limits_memory, .init = setup, .fini = teardown, .timeout = 60);

/* ---- bytes of the calls inside: 4 of a request, and a room ---- */

static void await_bytes(uint64_t bytes, uint32_t waiting)
{
    struct lam_limits_stat stat;

    do
        stat = look();
    while (stat.bytes != bytes || stat.waiting != waiting);
}

static int ask_with_room(uint64_t room)
{
    static char answer[256];
    int32_t number = 0;

    last = (struct lam_module_reply){.data = answer, .capacity = room};
    return lam_module_call(
        module, LAM_METHOD_ID("status"), &number, sizeof(number), &last, LAM_DEADLINE_NEVER);
}

static void assert_no_room(uint64_t room, enum lam_limit limit)
{
    uint64_t before = look().refused[limit];

    cr_assert(eq(int, ask_with_room(room), -ECANCELED));
    cr_assert(eq(u32, last.failure, LAM_FAILURE_LIMITED));
    cr_assert(eq(i32, last.detail, (int32_t)limit));
    cr_assert(eq(u64, look().refused[limit], before + 1));
}

Test(limits_memory, so_many_bytes_of_requests_and_rooms_are_inside_and_no_more)
{
    load((struct lam_limits_options){.bytes_max = 20});
    cr_assert(eq(int, ask_with_room(16), 0));
    assert_no_room(17, LAM_LIMIT_BYTES);
    assert_no_room(UINT64_MAX, LAM_LIMIT_BYTES); /* a sum that is too large for a number */
    guests[0].room = 6;
    start_guest(0, LAM_DEADLINE_NEVER);
    await_bytes(10, 0);
    cr_assert(eq(u32, look().pressure, LAM_PRESSURE_MEDIUM));
    cr_assert(eq(int, ask_with_room(6), 0));
    assert_no_room(7, LAM_LIMIT_BYTES);
    let_one_go();
    join(0);
    cr_assert(eq(int, ask_with_room(16), 0));
    cr_assert(look().bytes == 0 && look().pressure == 0);
}

Test(limits_memory, each_caller_has_bytes_of_its_own)
{
    struct lam_module *other;
    struct lam_call seen;
    uint64_t size = sizeof(seen);

    cr_assert(eq(int, try_load("concurrent", "other", NULL), 0));
    other = module;
    load((struct lam_limits_options){
        .caller_bytes_max = sizeof(seen) + 4, .caller_calls_max = 2, .calls_max = 2});
    guests[0].room = 6;
    start_guest(0, LAM_DEADLINE_NEVER);
    await(1, 0);
    for (int i = 0; i < 3; i++) /* who is refused gives its place back */
        assert_no_room(sizeof(seen), LAM_LIMIT_CALLER_BYTES);
    cr_assert(eq(u32, look().inside, 1));
    cr_assert(eq(int, ask_with_room(1), 0));
    cr_assert(eq(int, module_ask(other, "relay", "test", 5, &seen, &size), 0));
    let_one_go();
    join(0);
    cr_assert(eq(int, ask_with_room(sizeof(seen)), 0));
}

Test(limits_memory, a_longer_room_than_an_answer_may_fill_is_not_lent)
{
    load((struct lam_limits_options){.bytes_max = 12, .reply_bytes_max = 8});
    cr_assert(eq(int, ask_with_room(256), 0));
    cr_assert(eq(u64, last.capacity, 256));
}

Test(limits_memory, what_is_more_than_the_whole_quota_does_not_wait_for_it)
{
    load((struct lam_limits_options){.bytes_max = 15, .full = LAM_LIMITS_WAIT});
    assert_no_room(12, LAM_LIMIT_BYTES);
    cr_assert(eq(int, ask_with_room(11), 0));
}

Test(limits_memory, nobody_overtakes_who_waits_for_more_bytes)
{
    load((struct lam_limits_options){.bytes_max = 15, .full = LAM_LIMITS_WAIT});
    guests[1].room = 11;
    start_guest(0, LAM_DEADLINE_NEVER);
    await_bytes(5, 0);
    start_guest(1, LAM_DEADLINE_NEVER); /* for 15 */
    await_bytes(5, 1);
    start_guest(2, LAM_DEADLINE_NEVER); /* for 5, which are there */
    await_bytes(5, 2);
    cr_assert(eq(u32, look().pressure, 1000));
    start_guest(3, LAM_DEADLINE_NEVER);
    await_bytes(5, 3);
    let_one_go();
    await_bytes(15, 2);
    let_one_go();
    await_bytes(10, 0); /* both, of what one gave back */
    let_one_go();
    let_one_go();
    for (uint32_t i = 0; i < 4; i++)
        join(i);
    cr_assert(eq(u64, look().bytes, 0));
}

/* Until @waiting wait, or one of them has ended. */
static int have_come(uint32_t waiting)
{
    uint32_t found;

    do
        found = look().waiting;
    while (found != waiting && lam_load_acquire(&done_count) == 0);
    return found == waiting;
}

Test(limits_memory, who_gives_up_waiting_lets_those_in_who_need_less)
{
    int both_waited = 0;

    load((struct lam_limits_options){.bytes_max = 15, .full = LAM_LIMITS_WAIT});
    guests[1].room = 11;
    while (!both_waited) { /* where this one was off the CPU, once more */
        lam_store_release(&done_count, 0);
        start_guest(0, LAM_DEADLINE_NEVER);
        await_bytes(5, 0);
        start_guest(1, lam_deadline_after_ns(LAM_NS_PER_S / 4));
        both_waited = have_come(1);
        start_guest(2, LAM_DEADLINE_NEVER);
        both_waited = have_come(2) && both_waited;
        join(1);
        cr_assert(eq(int, guests[1].rc, -ETIMEDOUT));
        cr_assert(eq(i32, guests[1].reply.detail, LAM_LIMIT_BYTES));
        await_bytes(10, 0);
        let_one_go();
        let_one_go();
        join(0);
        join(2);
    }
}

/* ---- what holds for all modules of a runtime ---- */

Test(limits_memory, a_module_without_limits_has_those_of_its_runtime)
{
    struct lam_limits_options all = {.bytes_max = 20}, none = {.calls_max = 0};
    struct lam_limits_stat stat;

    rule(&(struct lam_runtime_options){.limits = &all});
    all.bytes_max = 1; /* it was copied */
    cr_assert(eq(int, try_load("concurrent", "bounded", NULL), 0));
    cr_assert(eq(int, ask_with_room(16), 0));
    assert_no_room(17, LAM_LIMIT_BYTES);
    cr_assert(eq(int, try_load("concurrent", "free", &none), 0));
    cr_assert(eq(int, ask_with_room(256), 0));
    cr_assert(eq(int, lam_limits_look(module, &stat), 0));
    cr_assert(eq(u64, stat.refused[LAM_LIMIT_BYTES], 0));
}

static void assert_no_runtime(struct lam_limits_options limits, const char *text)
{
    struct lam_runtime_options options = {.limits = &limits};
    struct lam_runtime *none = NULL;

    cr_assert(eq(int, lam_runtime_create(&none, &options, &error), -EINVAL));
    cr_assert(strstr(error.text, text) != NULL, "%s", error.text);
}

Test(limits_memory, limits_of_all_modules_are_looked_at_and_have_no_fallback)
{
    assert_no_runtime((struct lam_limits_options){.burst = 2}, "module *: limits: burst is 2");
    assert_no_runtime(
        (struct lam_limits_options){.full = LAM_LIMITS_DEGRADE, .fallback_method = "echo"},
        "a fallback is a module's own");
}

static uint64_t deadline_seen(const char *method, const char *module_name, uint64_t deadline_ns)
{
    struct lam_call seen = {.deadline_ns = 0};
    struct lam_module_reply reply = {.data = &seen, .capacity = sizeof(seen)};

    cr_assert(eq(int,
        lam_module_call(module, lam_method_id(method), module_name, strlen(module_name) + 1, &reply,
            deadline_ns),
        0));
    return seen.deadline_ns;
}

Test(limits_memory, a_call_without_a_deadline_has_that_of_the_runtime)
{
    struct lam_retry_options retry = {.deadline_ns = 60 * LAM_NS_PER_S};
    struct lam_module_options options = {.name = "patient", .retry = &retry};

    rule(&(struct lam_runtime_options){.call_ns = 30 * LAM_NS_PER_S});
    cr_assert(eq(int, try_load("concurrent", NULL, NULL), 0));
    stop_clock();
    cr_assert(eq(u64, deadline_seen("context", "", LAM_DEADLINE_NEVER), 31 * LAM_NS_PER_S));
    cr_assert(eq(u64, deadline_seen("context", "", 90 * LAM_NS_PER_S), 90 * LAM_NS_PER_S));
    /* A call within a call has the deadline of that one. */
    cr_assert(eq(u64, deadline_seen("relay", "test", 90 * LAM_NS_PER_S), 90 * LAM_NS_PER_S));
    cr_assert(eq(u64, deadline_seen("relay", "test", LAM_DEADLINE_NEVER), 31 * LAM_NS_PER_S));
    /* What a module says of its own calls counts, and not for those that were given one. */
    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("concurrent"), &options, &module, &error), 0));
    cr_assert(eq(u64, deadline_seen("context", "", LAM_DEADLINE_NEVER), 61 * LAM_NS_PER_S));
    cr_assert(eq(u64, deadline_seen("context", "", 40 * LAM_NS_PER_S), 40 * LAM_NS_PER_S));
}
