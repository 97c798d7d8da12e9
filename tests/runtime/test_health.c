/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_health.c: modules are asked whether they are well. Who is not ready is not called, who fails
 * is replaced, and who cannot be replaced is not called.
 */
#include "health.h"

#include <dirent.h>
#include <fcntl.h>

#include "lamina/runtime/breaker.h"
#include "pool.h"

static char file[] = "/tmp/lamina-health-XXXXXX";
static char letters[80]; /* where the health of all is */
static char hanging[96]; /* and where it is that somebody hangs */

static void setup_health(void)
{
    int fd;

    setup();
    fd = mkstemp(file);
    cr_assert(fd >= 0);
    (void)close(fd);
    (void)unlink(file);
    (void)snprintf(letters, sizeof(letters), "%s.health", file);
    (void)snprintf(hanging, sizeof(hanging), "%s.hanging", letters);
}

static void teardown_health(void)
{
    (void)unlink(letters);
    (void)unlink(hanging);
    teardown();
}

TestSuite(health, .init = setup_health, .fini = teardown_health, .timeout = 60);

/* Often, and one answer counts. */
static const struct lam_health_options often = {
    .failures = 1, .successes = 1, .interval_ns = LAM_NS_PER_MS, .timeout_ns = LONG_NS};

static void load_breaker(enum lam_module_host host, const struct lam_pool_options *pool,
    const struct lam_health_options *health, const struct lam_breaker_options *breaker)
{
    struct lam_module_options options = {.host = host,
        .pool = pool,
        .health = health,
        .breaker = breaker,
        .config = file,
        .config_bytes = sizeof(file)};

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("pool"), &options, &module, &error), 0),
        "%s", error.text);
}

static void load_health(enum lam_module_host host, const struct lam_pool_options *pool,
    const struct lam_health_options *health)
{
    load_breaker(host, pool, health, NULL);
}

/* In one step: whoever reads it sees the old one or the new one. */
static void say(const char *path, char letter)
{
    char other[96];
    int fd;

    (void)snprintf(other, sizeof(other), "%s.new", path);
    fd = creat(other, 0600);
    cr_assert(eq(sz, (size_t)write(fd, &letter, 1), 1));
    (void)close(fd);
    cr_assert(eq(int, rename(other, path), 0));
}

static struct lam_health_stat look_health(void)
{
    struct lam_health_stat stat;

    cr_assert(eq(int, lam_health_look(module, &stat), 0));
    return stat;
}

static void expect_refused(enum lam_health_state state)
{
    struct lam_module_reply reply = {.data = NULL};
    uint64_t before = look_health().refused;

    cr_assert(eq(int, ask("echo", NULL, 0, &reply, LONG_NS), -ECANCELED));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_UNREADY));
    cr_assert(eq(i32, reply.detail, (int32_t)state));
    cr_assert(eq(u64, look_health().refused, before + 1));
}

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

/* ---- the breaker ---- */

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

Test(health, a_breaker_that_follows_is_open_while_it_is_unready_and_probes_when_it_is_well)
{
    open_for(LAM_MODULE_IN_PROCESS, 'u', LAM_HEALTH_UNREADY);
}

Test(health, a_breaker_that_follows_is_open_while_it_is_down_and_probes_when_it_is_well)
{
    open_for(LAM_MODULE_IN_PROCESS, 'f', LAM_HEALTH_DOWN);
}

Test(health, a_breaker_follows_the_workers_of_its_module)
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

Test(health, a_breaker_that_was_not_told_to_does_not_follow)
{
    struct lam_breaker_options alone = following;

    alone.follows_health = 0;
    load_breaker(LAM_MODULE_IN_PROCESS, NULL, &often, &alone);
    UNTIL(look_health().state == LAM_HEALTH_READY);
    unready_changes_nothing_of(LAM_BREAKER_CLOSED);
}

Test(health, a_forced_breaker_does_not_follow)
{
    load_breaker(LAM_MODULE_IN_PROCESS, NULL, &often, &following);
    UNTIL(look_health().state == LAM_HEALTH_READY);
    cr_assert(eq(int, lam_breaker_force(module, LAM_BREAKER_FORCED_CLOSED), 0));
    unready_changes_nothing_of(LAM_BREAKER_FORCED_CLOSED);
    cr_assert(eq(int, lam_breaker_force(module, LAM_BREAKER_FORCED_OPEN), 0));
    unready_changes_nothing_of(LAM_BREAKER_FORCED_OPEN);
}

Test(health, a_breaker_that_calls_have_opened_probes_when_the_module_becomes_well)
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
    {
        struct lam_module_options options = {.breaker = &following, .name = "other"};

        cr_assert(eq(int,
            lam_runtime_load(runtime, module_file("first"), &options, &module, &error), -EINVAL));
        cr_assert(strstr(error.text, "follows_health is 1") != NULL, "%s", error.text);
    }
}
