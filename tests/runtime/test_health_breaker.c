/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_health_breaker.c: a breaker that follows its module's health is open while that is bad, and
 * lets probes in when it is good again.
 */
#include "well.h"

TestSuite(health_breaker, .init = setup_health, .fini = teardown_health, .timeout = 60);

static struct lam_breaker_stat look_breaker(void)
{
    struct lam_breaker_stat stat;

    cr_assert(eq(int, lam_breaker_look(module, &stat), 0));
    return stat;
}

/* By itself it would stay open for an hour. */
static const struct lam_breaker_options following = {
    .open_ns = 3600 * LAM_NS_PER_S, .probes = 2, .follows_health = 1};

static void open_for(enum lam_module_host host, char letter, enum lam_health_state state)
{
    load_breaker(host, NULL, &often, &following);
    UNTIL(look_health().state == LAM_HEALTH_READY);
    cr_assert(eq(int, look_breaker().state, LAM_BREAKER_CLOSED));
    say(letters, letter);
    UNTIL(look_health().state == state);
    cr_assert(eq(int, look_breaker().state, LAM_BREAKER_OPEN));
    cr_assert(eq(u64, look_breaker().until_ns, LAM_DEADLINE_NEVER));
    cr_assert(eq(u32, look_breaker().opened, 1));
    expect_refused(state);
    say(letters, 'r');
    UNTIL(look_health().state == LAM_HEALTH_READY);
    cr_assert(eq(int, look_breaker().state, LAM_BREAKER_OPEN));
    (void)pid_for(NULL, 0);
    cr_assert(eq(int, look_breaker().state, LAM_BREAKER_HALF_OPEN));
    (void)pid_for(NULL, 0);
    cr_assert(eq(int, look_breaker().state, LAM_BREAKER_CLOSED));
}

Test(health_breaker, a_breaker_that_follows_is_open_while_it_is_unready_and_probes_when_it_is_well)
{
    open_for(LAM_MODULE_IN_PROCESS, 'u', LAM_HEALTH_UNREADY);
}

Test(health_breaker, a_breaker_that_follows_is_open_while_it_is_down_and_probes_when_it_is_well)
{
    open_for(LAM_MODULE_IN_PROCESS, 'f', LAM_HEALTH_DOWN);
}

Test(health_breaker, a_breaker_follows_the_workers_of_its_module)
{
    open_for(LAM_MODULE_IN_WORKER, 'u', LAM_HEALTH_UNREADY);
}

static void unready_changes_nothing_of(enum lam_breaker_state state)
{
    cr_assert(eq(int, look_breaker().state, state));
    say(letters, 'u');
    UNTIL(look_health().state == LAM_HEALTH_UNREADY);
    cr_assert(eq(int, look_breaker().state, state));
    say(letters, 'r');
    UNTIL(look_health().state == LAM_HEALTH_READY);
    cr_assert(eq(int, look_breaker().state, state));
}

Test(health_breaker, a_breaker_that_was_not_told_to_does_not_follow)
{
    struct lam_breaker_options alone = following;

    alone.follows_health = 0;
    load_breaker(LAM_MODULE_IN_PROCESS, NULL, &often, &alone);
    UNTIL(look_health().state == LAM_HEALTH_READY);
    unready_changes_nothing_of(LAM_BREAKER_CLOSED);
}

Test(health_breaker, a_forced_breaker_does_not_follow)
{
    load_breaker(LAM_MODULE_IN_PROCESS, NULL, &often, &following);
    UNTIL(look_health().state == LAM_HEALTH_READY);
    cr_assert(eq(int, lam_breaker_force(module, LAM_BREAKER_FORCED_CLOSED), 0));
    unready_changes_nothing_of(LAM_BREAKER_FORCED_CLOSED);
    cr_assert(eq(int, lam_breaker_force(module, LAM_BREAKER_FORCED_OPEN), 0));
    unready_changes_nothing_of(LAM_BREAKER_FORCED_OPEN);
}

Test(health_breaker, a_breaker_that_calls_have_opened_probes_when_the_module_becomes_well)
{
    struct lam_breaker_options options = following;
    struct lam_module_reply reply = {.data = NULL};
    unsigned told_before;

    options.calls_min = 1;
    say(letters, 'u');
    load_breaker(LAM_MODULE_IN_WORKER, NULL, &often, &options);
    UNTIL(look_health().state == LAM_HEALTH_UNREADY);
    say(letters, 'r');
    UNTIL(look_health().state == LAM_HEALTH_READY);
    (void)pid_for(NULL, 0);
    (void)pid_for(NULL, 0);
    cr_assert(eq(int, ask("leave", NULL, 0, &reply, LONG_NS), -EOWNERDEAD));
    cr_assert(eq(int, look_breaker().state, LAM_BREAKER_OPEN));
    cr_assert(look_breaker().until_ns != LAM_DEADLINE_NEVER);
    /* What comes next is unknown, then ready: neither is a word about the calls. */
    UNTIL(look_health().state == LAM_HEALTH_READY);
    told_before = told.healths;
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    UNTIL(told.healths >= told_before + 2);
    UNTIL(look_health().state == LAM_HEALTH_READY);
    cr_assert(look_breaker().until_ns > lam_clock_now_ns());
    say(letters, 'u');
    UNTIL(look_breaker().until_ns == LAM_DEADLINE_NEVER);
    say(letters, 'r');
    UNTIL(look_health().state == LAM_HEALTH_READY);
    (void)pid_for(NULL, 0);
    cr_assert(eq(int, look_breaker().state, LAM_BREAKER_HALF_OPEN));
}

Test(health_breaker, without_health_there_is_nothing_to_follow)
{
    struct lam_module_options options = {.breaker = &following};

    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), -EINVAL));
    cr_assert(strstr(error.text, "follows_health is 1") != NULL, "%s", error.text);
}
