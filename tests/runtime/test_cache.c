/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cache.c: what is answered from memory is what the module would have said to these bytes, and
 * nothing else; how long, in how many bytes, and who waits for whom. The module says in each answer
 * which of its runs that was.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "lamina/runtime/cache.h"
#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static struct lam_cache_stat stat;
static int ends[2];

static void setup(void)
{
    static char program[4096];
    struct lam_runtime_options options = {.worker = program};

    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, pipe(ends), 0));
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(cache, .init = setup, .fini = teardown, .timeout = 30);

static int try_load(const struct lam_cache_options *cache, enum lam_module_host host)
{
    struct lam_module_options options = {.host = host, .cache = cache};

    return lam_runtime_load(runtime, module_file("stage"), &options, &module, &error);
}

static void load(const struct lam_cache_options *cache)
{
    cr_assert(eq(int, try_load(cache, LAM_MODULE_IN_PROCESS), 0), "%s", error.text);
}

/* Which run of the module answered; and the answer is this request's. */
static uint64_t run_of(const char *method, const void *request, uint64_t bytes)
{
    uint8_t answer[8192];
    uint64_t size = sizeof(answer), run;

    cr_assert(eq(int, module_ask(module, method, request, bytes, answer, &size), 0));
    cr_assert(eq(u64, size, sizeof(run) + bytes));
    cr_assert(memcmp(answer + sizeof(run), request, bytes) == 0);
    memcpy(&run, answer, sizeof(run));
    return run;
}

static void look(void)
{
    cr_assert(eq(int, lam_cache_look(module, &stat), 0));
}

Test(cache, the_same_bytes_run_once_and_are_answered_from_then_on)
{
    struct lam_cache_options options = {.bytes_max = 0};

    load(&options);
    for (int i = 0; i < 5; i++) {
        cr_assert(eq(u64, run_of("work", "abc", 3), 1));
        cr_assert(eq(u64, run_of("work", "abd", 3), 2));
        cr_assert(eq(u64, run_of("work", "ab", 2), 3));
        cr_assert(eq(u64, run_of("work", "", 0), 4));
        cr_assert(eq(u64, run_of("labour", "abc", 3), 5));
    }
    look();
    cr_assert(eq(u64, stat.misses, 5));
    cr_assert(eq(u64, stat.hits, 20));
    cr_assert(eq(u64, stat.entries, 5));
    cr_assert(eq(u64, stat.bytes, 5 * (96 + 8) + 2 * (3 + 3 + 2 + 0 + 3)));
    cr_assert(eq(u64, stat.shared + stat.evictions + stat.expired + stat.waiting, 0));
}

Test(cache, nothing_is_kept_that_was_not_asked_for)
{
    const char *names[] = {"plain", "count"};
    struct lam_cache_options options = {.bytes_max = 0};

    load(&options);
    cr_assert(eq(u64, run_of("plain", "a", 1), 1));
    cr_assert(eq(u64, run_of("plain", "a", 1), 2));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    options.methods = names;
    options.method_count = 2;
    load(&options);
    cr_assert(eq(u64, run_of("plain", "a", 1), 1));
    cr_assert(eq(u64, run_of("plain", "a", 1), 1));
    cr_assert(eq(u64, run_of("work", "a", 1), 2));
    cr_assert(eq(u64, run_of("work", "a", 1), 3));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    load(NULL);
    cr_assert(eq(u64, run_of("work", "a", 1), 1));
    cr_assert(eq(u64, run_of("work", "a", 1), 2));
    cr_assert(eq(int, lam_cache_look(module, &stat), -ENOENT));
    cr_assert(eq(int, lam_cache_clear(module), -ENOENT));
    cr_assert(eq(int, lam_cache_remove(module, 1, NULL, 0), -ENOENT));
}

Test(cache, requests_that_meet_in_a_bucket_are_told_apart)
{
    struct lam_cache_options options = {.bytes_max = 256 << 10}; /* 256 buckets */

    load(&options);
    for (int turn = 0; turn < 2; turn++)
        for (uint64_t i = 0; i < 1000; i++)
            cr_assert(eq(u64, run_of("work", &i, sizeof(i)), i + 1));
    look();
    cr_assert(eq(u64, stat.hits, 1000));
}

Test(cache, too_little_room_is_what_the_module_would_say)
{
    struct lam_cache_options options = {.bytes_max = 0};
    uint8_t small[10];
    uint64_t size = sizeof(small);

    load(&options);
    /* Nobody knows the answer yet. */
    cr_assert(eq(int, module_ask(module, "work", "abc", 3, small, &size), -ENOSPC));
    cr_assert(eq(u64, size, 11));
    look();
    cr_assert(eq(u64, stat.entries, 0));
    cr_assert(eq(u64, run_of("work", "abc", 3), 2));
    memset(small, 'x', sizeof(small));
    size = sizeof(small);
    cr_assert(eq(int, module_ask(module, "work", "abc", 3, small, &size), -ENOSPC));
    cr_assert(eq(u64, size, 11));
    cr_assert(small[0] == 'x' && small[9] == 'x');
    look();
    cr_assert(eq(u64, stat.hits, 1));
}

Test(cache, what_was_used_least_recently_makes_room)
{
    struct lam_cache_options options = {.bytes_max = 4096};
    uint64_t request[2] = {0, 0}; /* each takes 96 + 16 + 24 bytes: 30 of them are 4080 */

    load(&options);
    for (; request[0] < 30; request[0]++)
        cr_assert(eq(u64, run_of("work", request, sizeof(request)), request[0] + 1));
    request[0] = 0;
    cr_assert(eq(u64, run_of("work", request, sizeof(request)), 1));
    look();
    cr_assert(eq(u64, stat.evictions, 0));
    cr_assert(eq(u64, stat.bytes, 4080));
    request[0] = 30;
    cr_assert(eq(u64, run_of("work", request, sizeof(request)), 31));
    look();
    cr_assert(eq(u64, stat.evictions, 1));
    cr_assert(eq(u64, stat.bytes, 4080));
    request[0] = 0; /* was used again */
    cr_assert(eq(u64, run_of("work", request, sizeof(request)), 1));
    request[0] = 2;
    cr_assert(eq(u64, run_of("work", request, sizeof(request)), 3));
    request[0] = 1;
    cr_assert(eq(u64, run_of("work", request, sizeof(request)), 32));
}

Test(cache, an_answer_that_is_too_large_is_not_kept_and_drives_nothing_out)
{
    struct lam_cache_options options = {.bytes_max = 4096};
    static char large[4096];

    load(&options);
    cr_assert(eq(u64, run_of("work", "a", 1), 1));
    cr_assert(eq(u64, run_of("work", large, 2000), 2)); /* its answer does not fit */
    cr_assert(eq(u64, run_of("work", large, 2000), 3));
    cr_assert(eq(u64, run_of("work", large, 4096), 4)); /* nor does the request alone */
    cr_assert(eq(u64, run_of("work", large, 4096), 5));
    cr_assert(eq(u64, run_of("work", "a", 1), 1));
    look();
    cr_assert(eq(u64, stat.entries, 1));
    cr_assert(eq(u64, stat.evictions, 0));
}

Test(cache, what_is_too_old_runs_again)
{
    struct lam_cache_options options = {.ttl_ns = 1};

    load(&options);
    for (uint64_t run = 1; run <= 3; run++) {
        uint64_t now_ns = lam_clock_now_ns();

        cr_assert(eq(u64, run_of("work", "a", 1), run));
        while (lam_clock_now_ns() == now_ns)
            ;
    }
    look();
    cr_assert(eq(u64, stat.expired, 2));
    cr_assert(eq(u64, stat.entries, 1));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    options.ttl_ns = UINT64_MAX;
    load(&options);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(u64, run_of("work", "a", 1), 1));
}

static int status_of(int32_t status)
{
    uint64_t none = 0;

    return module_ask(module, "status", &status, sizeof(status), NULL, &none);
}

Test(cache, errors_are_kept_only_where_the_options_say_so)
{
    struct lam_cache_options options = {.error_ttl_ns = 0};

    load(&options);
    for (int i = 0; i < 2; i++)
        cr_assert(status_of(-5) == -5 && status_of(7) == 7 && status_of(0) == 0);
    look();
    cr_assert(eq(u64, stat.misses, 5));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    options.error_ttl_ns = UINT64_MAX;
    load(&options);
    for (int i = 0; i < 2; i++)
        cr_assert(
            status_of(-5) == -5 && status_of(7) == 7 && status_of(0) == 0 && status_of(-28) == -28);
    look();
    cr_assert(eq(u64, stat.misses, 5)); /* -ENOSPC twice */
    cr_assert(eq(u64, stat.hits, 3));
}

/* A call of "hold" in a thread of its own. */
struct caller {
    pthread_t thread;
    uint64_t deadline_ns, run;
    struct lam_module_reply reply;
    int rc;
};

static void *hold(void *argument)
{
    struct caller *caller = argument;

    caller->reply =
        (struct lam_module_reply){.data = &caller->run, .capacity = sizeof(caller->run)};
    caller->rc = lam_module_call(module, LAM_METHOD_ID("hold"), &ends[0], sizeof(ends[0]),
        &caller->reply, caller->deadline_ns != 0 ? caller->deadline_ns : LAM_DEADLINE_NEVER);
    return NULL;
}

static void begin(struct caller *caller)
{
    cr_assert(eq(int, pthread_create(&caller->thread, NULL, hold, caller), 0));
}

static void end(struct caller *caller)
{
    cr_assert(eq(int, pthread_join(caller->thread, NULL), 0));
}

static uint64_t runs(void)
{
    uint64_t run, size = sizeof(run);

    cr_assert(eq(int, module_ask(module, "count", NULL, 0, &run, &size), 0));
    return run;
}

static void await_runs(uint64_t count)
{
    while (runs() != count)
        (void)sched_yield();
}

static void await_waiting(uint64_t count)
{
    do {
        look();
        (void)sched_yield();
    } while (stat.waiting != count);
}

static void let_go(const char *bytes)
{
    cr_assert(eq(int, (int)write(ends[1], bytes, strlen(bytes)), (int)strlen(bytes)));
}

Test(cache, calls_at_the_same_time_share_one_run)
{
    struct lam_cache_options options = {.bytes_max = 0};
    struct caller callers[5] = {{.run = 0}};

    load(&options);
    begin(&callers[0]);
    await_runs(1);
    for (int i = 1; i < 5; i++)
        begin(&callers[i]);
    await_waiting(4);
    let_go("k"); /* one */
    for (int i = 0; i < 5; i++) {
        end(&callers[i]);
        cr_assert(callers[i].rc == 0 && callers[i].run == 1 && callers[i].reply.bytes == 8);
    }
    look();
    cr_assert(eq(u64, stat.misses, 1));
    cr_assert(eq(u64, stat.shared, 4));
    cr_assert(eq(u64, stat.waiting, 0));
}

Test(cache, who_waits_for_another_gives_up_at_its_own_deadline)
{
    struct lam_cache_options options = {.bytes_max = 0};
    struct caller first = {.run = 0}, second = {.deadline_ns = 1};

    load(&options);
    begin(&first);
    await_runs(1);
    begin(&second);
    end(&second);
    cr_assert(eq(int, second.rc, -ETIMEDOUT));
    cr_assert(eq(u32, second.reply.failure, LAM_FAILURE_BUSY));
    cr_assert(eq(u64, second.reply.bytes, 0));
    let_go("k");
    end(&first);
    cr_assert(eq(int, first.rc, 0));
}

Test(cache, where_the_first_fails_the_next_one_tries)
{
    struct lam_cache_options options = {.bytes_max = 0};
    struct caller first = {.run = 0}, second = {.run = 0};

    load(&options);
    begin(&first);
    await_runs(1);
    begin(&second);
    await_waiting(1);
    let_go("x");
    end(&first);
    cr_assert(eq(int, first.rc, -EIO));
    await_runs(2);
    let_go("k");
    end(&second);
    cr_assert(eq(int, second.rc, 0));
    cr_assert(eq(u64, second.run, 2));
}

Test(cache, a_call_within_a_call_waits_for_nobody)
{
    struct lam_cache_options options = {.bytes_max = 0};
    uint64_t run = 0, size = sizeof(run);

    load(&options);
    cr_assert(eq(int, module_ask(module, "again", "a", 1, &run, &size), 0));
    cr_assert(eq(u64, run, 2));
    look();
    cr_assert(eq(u64, stat.entries, 1));
}

Test(cache, a_reload_forgets_and_an_older_call_answers_no_later_one)
{
    struct lam_cache_options options = {.bytes_max = 0};
    struct lam_reload_options reload = {.drain_ns = 1};
    struct caller first = {.run = 0}, second = {.run = 0};

    load(&options);
    for (uint64_t i = 0; i < 3; i++)
        cr_assert(eq(u64, run_of("work", &i, sizeof(i)), i + 1));
    begin(&first);
    await_runs(4);
    cr_assert(eq(int, lam_runtime_reload(module, &reload, &error), 1));
    cr_assert(eq(u64, run_of("work", "a", 1), 1)); /* of the new code */
    look();
    cr_assert(eq(u64, stat.entries, 1));
    begin(&second);
    await_runs(2); /* it does not wait for the old one */
    let_go("kk");
    end(&first);
    end(&second);
    cr_assert(eq(u64, first.run, 4));
    cr_assert(eq(u64, second.run, 2));
    cr_assert(eq(u64, run_of("work", "a", 1), 1));
}

Test(cache, what_is_removed_runs_again_even_if_it_was_being_made)
{
    struct lam_cache_options options = {.shard_count = 4};
    struct caller first = {.run = 0}, second = {.run = 0};

    load(&options);
    cr_assert(eq(u64, run_of("work", "a", 1), 1));
    cr_assert(eq(u64, run_of("work", "b", 1), 2));
    cr_assert(eq(int, lam_cache_remove(module, LAM_METHOD_ID("work"), "c", 1), 0));
    cr_assert(eq(int, lam_cache_remove(module, LAM_METHOD_ID("work"), "a", 1), 1));
    cr_assert(eq(u64, run_of("work", "b", 1), 2));
    cr_assert(eq(u64, run_of("work", "a", 1), 3));
    begin(&first);
    await_runs(4);
    cr_assert(eq(int, lam_cache_clear(module), 0));
    begin(&second);
    await_runs(5);
    let_go("kk");
    end(&first);
    end(&second);
    look();
    cr_assert(eq(u64, stat.entries, 1)); /* the second */
    cr_assert(eq(u64, run_of("work", "a", 1), 6));
}

Test(cache, options_that_make_no_sense_are_named)
{
    const char *names[] = {"a", ""};
    static const struct {
        struct lam_cache_options options;
        const char *field;
    } wrong[] = {
        {{.shard_count = 3}, "cache.shard_count is 3"},
        {{.shard_count = 128}, "cache.shard_count is 128"},
        {{.bytes_max = 4095}, "cache.bytes_max is 4095"},
        {{.bytes_max = 8191, .shard_count = 2}, "cache.bytes_max is 8191"},
        {{.method_count = 1}, "cache.method_count is 1"},
    };
    struct lam_cache_options options = {.methods = names, .method_count = 2};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_assert(eq(int, try_load(&wrong[i].options, LAM_MODULE_IN_PROCESS), -EINVAL));
        cr_assert(strstr(error.text, wrong[i].field) != NULL, "%s", error.text);
    }
    cr_assert(eq(int, try_load(&options, LAM_MODULE_IN_PROCESS), -EINVAL));
    cr_assert(strstr(error.text, "cache.methods[1]") != NULL, "%s", error.text);
}

Test(cache, a_worker_is_not_asked_twice)
{
    struct lam_cache_options options = {.bytes_max = 0};

    cr_assert(eq(int, try_load(&options, LAM_MODULE_IN_WORKER), 0), "%s", error.text);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(u64, run_of("work", "a", 1), 1));
    look();
    cr_assert(eq(u64, stat.hits, 2));
}

#define THREADS       4
#define CALLS_OF_ONE  20000
#define REQUEST_KINDS 200

static void *ask_often(void *argument)
{
    uint64_t random = (uintptr_t)argument;

    for (int i = 0; i < CALLS_OF_ONE; i++) {
        uint64_t request[4] = {0, 0, 0, 0};

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        request[random >> 62] = (random >> 32) % REQUEST_KINDS;
        (void)run_of("work", request, sizeof(request));
    }
    return NULL;
}

Test(cache, threads_that_drive_out_each_others_answers_get_their_own)
{
    struct lam_cache_options options = {.bytes_max = 16384, .shard_count = 2};
    pthread_t threads[THREADS];

    load(&options);
    for (uintptr_t i = 0; i < THREADS; i++)
        cr_assert(eq(int, pthread_create(&threads[i], NULL, ask_often, (void *)(i + 1)), 0));
    for (int i = 0; i < THREADS; i++)
        cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
    look();
    cr_assert(eq(u64, stat.hits + stat.misses + stat.shared, THREADS * CALLS_OF_ONE));
    cr_assert(eq(u64, stat.misses, runs()));
    cr_assert(stat.evictions > 0 && stat.hits > 0);
    cr_assert(stat.bytes <= 16384);
}
