/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_split.c: a share of the calls goes to another version, grows, is taken back by failures, or
 * becomes all of it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "lamina/runtime/events.h"
#include "lamina/runtime/split.h"
#include "modules.h"

#define FOREVER (3600 * LAM_NS_PER_S)

static struct lam_runtime *runtime;
static struct lam_module *module, *candidate;
static struct lam_error error;

/* What was told of a split: percentages, and the last reason. */
static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
static char told[256], reason[256];

static void tell(void *context, const struct lam_runtime_event *event)
{
    (void)context;
    if (event->kind != LAM_EVENT_SPLIT || event->module != module)
        return;
    cr_assert(pthread_mutex_lock(&telling) == 0);
    (void)snprintf(
        told + strlen(told), sizeof(told) - strlen(told), "%lld ", (long long)event->value);
    (void)snprintf(reason, sizeof(reason), "%s", event->text);
    cr_assert(pthread_mutex_unlock(&telling) == 0);
}

/* The module answers 3, the candidate what @kind does. */
static void load(const char *kind)
{
    struct lam_module_options options = {.can_split = 1};
    struct lam_module_options named = {.name = "test@next"};

    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("concurrent"), &options, &module, &error), 0));
    cr_assert(eq(int, lam_runtime_load(runtime, module_file(kind), &named, &candidate, &error), 0));
}

static void setup(void)
{
    cr_assert(eq(int, lam_runtime_create(&runtime, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_observe(runtime, tell, NULL), 0));
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(split, .init = setup, .fini = teardown, .timeout = 30);

static struct lam_split_options share(uint32_t percent)
{
    return (struct lam_split_options){
        .steps = {{.percent = percent, .ns = FOREVER}}, .step_count = 1};
}

static void start(const struct lam_split_options *options)
{
    cr_assert(
        eq(int, lam_module_split_start(module, candidate, options, &error), 0), "%s", error.text);
}

static struct lam_split_stat look(void)
{
    struct lam_split_stat stat;

    cr_assert(eq(int, lam_module_split_look(module, &stat), 0));
    return stat;
}

/* Returns when the split is in @phase; the suite's time ends it where that never is. */
static void wait_for(enum lam_split_phase phase)
{
    while (look().phase != phase)
        (void)usleep(1000);
}

/* Until two steps have been made, or the last one has. */
static void wait_for_looks(void)
{
    uint32_t step = look().step;

    while (look().phase == LAM_SPLIT_RUNNING && look().step < step + 2 &&
           look().step + 1 < LAM_SPLIT_STEPS_MAX)
        (void)usleep(1000);
}

/* Of how many of @count calls the candidate answers. */
static int count_candidates(int count)
{
    int found = 0;

    for (int i = 0; i < count; i++) {
        char kind = module_kind(module);

        cr_assert(kind == 3 || kind == 4);
        found += kind == 4;
    }
    return found;
}

Test(split, the_share_that_is_asked_for_goes_to_the_candidate)
{
    struct lam_split_options options = share(10);

    load("concurrent_too");
    cr_assert(eq(int, count_candidates(100), 0));
    start(&options);
    cr_assert(eq(int, count_candidates(1000), 100));
    cr_assert(eq(u64, look().candidate_calls, 100));
    cr_assert(eq(u64, look().calls, 900));
    cr_assert(eq(u64, look().failures, 0));
    cr_assert(eq(int, lam_module_split_stop(module), 0));
    cr_assert(eq(int, count_candidates(100), 0));
    cr_assert(eq(int, lam_module_split_stop(module), -ENOENT));
    cr_assert(eq(str, told, "10 0 "));
    options = share(100);
    start(&options);
    cr_assert(eq(int, count_candidates(100), 100));
    cr_assert(eq(u64, look().candidate_calls, 100));
}

/* Bit i: the request that begins with i goes to the candidate. */
static uint64_t keys_of_candidate(const char *rest)
{
    uint64_t keys = 0;

    for (char key = 0; key < 64; key++) {
        char request[8] = {key, rest[0], rest[1]}, answer[9] = "";
        uint64_t size = sizeof(answer);

        cr_assert(eq(int, module_ask(module, "echo", request, 3, answer, &size), 0));
        keys |= (uint64_t)(answer[0] == 4) << key;
    }
    return keys;
}

Test(split, requests_of_one_key_stay_on_one_side_while_the_share_grows)
{
    struct lam_split_options options = share(20);
    uint64_t few, many;

    load("concurrent_too");
    options.by = LAM_SPLIT_BY_REQUEST;
    options.key_bytes = 1;
    start(&options);
    few = keys_of_candidate("ab");
    cr_assert(eq(u64, few, keys_of_candidate("xy")));
    cr_assert(few != 0 && few != UINT64_MAX);
    cr_assert(eq(int, lam_module_split_stop(module), 0));
    options.steps[0].percent = 60;
    start(&options);
    many = keys_of_candidate("ab");
    cr_assert(eq(u64, few & many, few));
    cr_assert(many != few && many != UINT64_MAX);
    /* Shorter than its key: all of it is. */
    options.key_bytes = 4000;
    cr_assert(eq(int, lam_module_split_stop(module), 0));
    start(&options);
    cr_assert(eq(u64, keys_of_candidate("ab"), keys_of_candidate("ab")));
}

Test(split, a_caller_stays_on_one_side)
{
    struct lam_split_options options = share(50);
    int found;

    load("concurrent_too");
    options.by = LAM_SPLIT_BY_CALLER;
    start(&options);
    found = count_candidates(100);
    cr_assert(found == 0 || found == 100);
}

Test(split, the_way_to_the_candidate_is_no_call_of_its_own)
{
    struct lam_split_options options = share(100);
    uint32_t depth = 0;
    uint64_t size = sizeof(depth);
    struct lam_call seen;

    load("concurrent_too");
    cr_assert(eq(int, module_ask(module, "nest", "test", 5, &depth, &size), 0));
    cr_assert(eq(u32, depth, 4));
    start(&options);
    size = sizeof(depth);
    cr_assert(eq(int, module_ask(module, "nest", "test", 5, &depth, &size), 0));
    cr_assert(eq(u32, depth, 4));
    cr_assert(eq(u64, look().candidate_calls, 5));
    size = sizeof(seen);
    cr_assert(eq(int, module_ask(module, "relay", "test", 5, &seen, &size), 0));
    cr_assert(eq(u32, seen.depth, 1));
    cr_assert(eq(u64, seen.trace.id[0], 77));
    cr_assert(eq(u64, seen.arena.bytes, UINT64_C(64) << 10));
}

Test(split, a_candidate_that_fails_is_taken_back_by_itself)
{
    struct lam_split_options options = share(50);
    int failures = 0;

    load("wrong_bytes");
    options.failure_percent = 20;
    options.calls_min = 40;
    /* Steps of one share, by which it is seen that the keeper has looked. */
    options.step_count = LAM_SPLIT_STEPS_MAX;
    for (uint32_t i = 0; i < LAM_SPLIT_STEPS_MAX; i++)
        options.steps[i] = (struct lam_split_step){
            .percent = 50, .ns = i + 1 < LAM_SPLIT_STEPS_MAX ? 50 * LAM_NS_PER_MS : FOREVER};
    start(&options);
    for (int i = 0; i < 78; i++)
        failures += module_kind(module) == 0;
    cr_assert(eq(int, failures, 39));
    /* Too few to say anything. */
    wait_for_looks();
    cr_assert(eq(int, look().phase, LAM_SPLIT_RUNNING));
    failures += module_kind(module) == 0;
    failures += module_kind(module) == 0;
    cr_assert(eq(int, failures, 40));
    wait_for(LAM_SPLIT_ROLLED_BACK);
    cr_assert(eq(u32, look().percent, 0));
    for (int i = 0; i < 100; i++)
        cr_assert(eq(int, module_kind(module), 3));
    cr_assert(
        strstr(look().reason, "40 of 40 calls of test@next failed") != NULL, "%s", look().reason);
    cr_assert(eq(u64, look().candidate_failures, 40));
    while (strstr(told, "50 0 ") == NULL)
        (void)usleep(1000);
    cr_assert(strstr(reason, "taken back") != NULL, "%s", reason);
}

Test(split, failures_of_the_module_itself_are_not_the_candidates)
{
    struct lam_split_options options = share(50);

    load("concurrent_too");
    options.calls_min = 1;
    options.failure_percent = 60;
    start(&options);
    for (int i = 0; i < 100; i++) {
        int32_t number = i % 2 == 0 ? -5 : 0; /* the candidate's turn is the second of two */
        uint64_t none = 0;

        (void)module_ask(module, "status", &number, sizeof(number), NULL, &none);
    }
    (void)usleep(100000);
    cr_assert(eq(int, look().phase, LAM_SPLIT_RUNNING));
    cr_assert(eq(u64, look().failures, 50));
    cr_assert(eq(u64, look().candidate_failures, 0));
}

#define CALLERS 3

static lam_atomic_u32 is_over;
static uint64_t failed[CALLERS], made[CALLERS];

static void *call_often(void *number)
{
    uintptr_t index = (uintptr_t)number;

    while (lam_load_acquire(&is_over) == 0) {
        failed[index] += module_kind(module) == 0;
        made[index]++;
    }
    return NULL;
}

Test(split, step_by_step_the_module_becomes_its_candidate_and_no_call_fails)
{
    struct lam_split_options options = {
        .steps = {{.percent = 5, .ns = LAM_NS_PER_MS}, {.percent = 50, .ns = 30 * LAM_NS_PER_MS},
            {.percent = 100, .ns = 30 * LAM_NS_PER_MS}},
        .step_count = 3,
        .promotes = 1};
    pthread_t threads[CALLERS];
    struct lam_module_stat stat;

    load("concurrent_too");
    for (uintptr_t i = 0; i < CALLERS; i++)
        cr_assert(eq(int, pthread_create(&threads[i], NULL, call_often, (void *)i), 0));
    start(&options);
    wait_for(LAM_SPLIT_PROMOTED);
    while (lam_runtime_find(runtime, "test@next") != NULL)
        (void)usleep(1000);
    cr_assert(eq(int, module_kind(module), 4));
    lam_store_release(&is_over, 1);
    for (uintptr_t i = 0; i < CALLERS; i++) {
        cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
        cr_assert(eq(u64, failed[i], 0));
    }
    cr_assert(eq(str, told, "5 50 100 100 "));
    cr_assert(strstr(reason, "promoted: test is now what test@next is") != NULL, "%s", reason);
    lam_module_look(module, &stat);
    cr_assert(eq(u16, stat.version.patch, 4));
    cr_assert(eq(u64, stat.generation, 2));
}

Test(split, a_candidate_that_goes_leaves_all_calls_to_the_module)
{
    struct lam_split_options options = share(100);

    load("concurrent_too");
    start(&options);
    cr_assert(eq(int, count_candidates(10), 10));
    cr_assert(eq(int, lam_runtime_unload(candidate, 0, &error), 0));
    cr_assert(eq(int, count_candidates(10), 0));
    wait_for(LAM_SPLIT_STOPPED);
    cr_assert(strstr(look().reason, "test@next is not loaded") != NULL, "%s", look().reason);
}

static int ends[2];

static void *stay(void *unused)
{
    char kind;
    uint64_t size = 1;

    cr_assert(eq(int, module_ask(module, "wait", &ends[0], sizeof(ends[0]), &kind, &size), 0));
    cr_assert(eq(int, kind, 4));
    return unused;
}

Test(split, a_call_inside_the_candidate_holds_it)
{
    struct lam_split_options options = share(100);
    struct lam_module_stat stat;
    pthread_t guest;

    load("concurrent_too");
    start(&options);
    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, pthread_create(&guest, NULL, stay, NULL), 0));
    do
        lam_module_look(candidate, &stat);
    while (stat.calls != 1);
    /* It has not ended, and both of the generations that it is in wait for it. */
    cr_assert(eq(int, lam_runtime_unload(candidate, 0, &error), 1));
    cr_assert(eq(u32, lam_runtime_collect(runtime), 1));
    cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
    cr_assert(eq(int, pthread_join(guest, NULL), 0));
    cr_assert(eq(u32, lam_runtime_collect(runtime), 0));
}

static void *stay_in_the_first(void *unused)
{
    char kind;
    uint64_t size = 1;

    cr_assert(eq(int, module_ask(module, "wait", &ends[0], sizeof(ends[0]), &kind, &size), 0));
    cr_assert(eq(int, kind, 3));
    return unused;
}

/* The suite's time is over long before the runtime's patience with the call that stays. */
Test(split, a_call_that_stays_holds_up_neither_a_promotion_nor_the_keeper)
{
    struct lam_split_options options = {
        .steps = {{.percent = 100, .ns = LAM_NS_PER_MS}}, .step_count = 1, .promotes = 1};
    struct lam_runtime_options patient = {.drain_ns = FOREVER};
    struct lam_module_stat stat;
    pthread_t guest;

    lam_runtime_destroy(runtime);
    cr_assert(eq(int, lam_runtime_create(&runtime, &patient, &error), 0), "%s", error.text);
    load("concurrent_too");
    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, pthread_create(&guest, NULL, stay_in_the_first, NULL), 0));
    do
        lam_module_look(module, &stat);
    while (stat.calls != 1);
    start(&options);
    wait_for(LAM_SPLIT_PROMOTED);
    while (lam_runtime_find(runtime, "test@next") != NULL)
        (void)usleep(1000);
    lam_module_look(module, &stat);
    cr_assert(eq(u32, stat.draining, 1));
    cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
    cr_assert(eq(int, pthread_join(guest, NULL), 0));
    /* The keeper has not forgotten the code that was replaced. */
    do
        lam_module_look(module, &stat);
    while (stat.draining != 0);
}

Test(split, a_split_within_a_split_goes_one_way)
{
    struct lam_split_options options = share(100);
    struct lam_module *both[2];
    struct lam_module_options can = {.can_split = 1};

    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("concurrent"), &can, &both[0], &error), 0));
    can.name = "other";
    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("concurrent_too"), &can, &both[1], &error), 0));
    module = both[0];
    cr_assert(eq(int, lam_module_split_start(both[0], both[1], &options, &error), 0));
    cr_assert(eq(int, lam_module_split_start(both[1], both[0], &options, &error), 0));
    cr_assert(eq(int, module_kind(both[0]), 4));
    cr_assert(eq(int, module_kind(both[1]), 3));
}

Test(split, what_makes_no_sense_is_refused)
{
    struct lam_split_options options = share(10);

    load("concurrent_too");
    cr_assert(eq(int, lam_module_split_start(candidate, module, &options, &error), -ENOENT));
    cr_assert(strstr(error.text, "can_split") != NULL);
    cr_assert(eq(int, lam_module_split_start(module, module, &options, &error), -EINVAL));
    options.steps[0].percent = 101;
    cr_assert(eq(int, lam_module_split_start(module, candidate, &options, &error), -EINVAL));
    options = share(10);
    options.step_count = 0;
    cr_assert(eq(int, lam_module_split_start(module, candidate, &options, &error), -EINVAL));
    options = share(10);
    options.promotes = 1;
    cr_assert(eq(int, lam_module_split_start(module, candidate, &options, &error), -EINVAL));
    options = share(10);
    options.by = LAM_SPLIT_BY_REQUEST;
    cr_assert(eq(int, lam_module_split_start(module, candidate, &options, &error), -EINVAL));
    options = share(10);
    start(&options);
    cr_assert(eq(int, lam_module_split_start(module, candidate, &options, &error), -EBUSY));
    cr_assert(eq(int, lam_runtime_unload(candidate, 0, &error), 0));
    wait_for(LAM_SPLIT_STOPPED);
    cr_assert(eq(int, lam_module_split_start(module, candidate, &options, &error), -ENODEV));
}
