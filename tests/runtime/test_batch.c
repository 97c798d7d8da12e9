/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_batch.c: which calls are handed to a module at once, when, and that each gets its own
 * answer. The module says in each answer which place its call had, and among how many.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "lamina/runtime/batch.h"
#include "modules.h"

#define NEVER_NS UINT64_MAX /* what is waited for comes before that */

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static struct lam_batch_stat stat;
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

TestSuite(batch, .init = setup, .fini = teardown, .timeout = 30);

static int try_load(
    const char *kind, const struct lam_batch_options *batch, enum lam_module_host host)
{
    struct lam_module_options options = {.host = host, .batch = batch};

    return lam_runtime_load(runtime, module_file(kind), &options, &module, &error);
}

static void load(const char *kind, const struct lam_batch_options *batch)
{
    cr_assert(eq(int, try_load(kind, batch, LAM_MODULE_IN_PROCESS), 0), "%s", error.text);
}

/* A call in a thread of its own. */
struct caller {
    const char *method, *request;
    uint64_t bytes;       /* of the request; 0: it is text */
    uint64_t deadline_ns; /* 0: none */
    pthread_t thread;
    struct lam_module_reply reply;
    struct {
        uint32_t place, count;
        char text[56];
    } answer;
    int rc;
};

static void *call(void *argument)
{
    struct caller *caller = argument;

    caller->reply =
        (struct lam_module_reply){.data = &caller->answer, .capacity = sizeof(caller->answer)};
    caller->rc = lam_module_call(module, lam_method_id(caller->method), caller->request,
        caller->bytes != 0 ? caller->bytes : strlen(caller->request), &caller->reply,
        caller->deadline_ns != 0 ? caller->deadline_ns : LAM_DEADLINE_NEVER);
    return NULL;
}

static void begin(struct caller *caller)
{
    cr_assert(eq(int, pthread_create(&caller->thread, NULL, call, caller), 0));
}

static void end(struct caller *caller)
{
    cr_assert(eq(int, pthread_join(caller->thread, NULL), 0));
}

static void look(void)
{
    cr_assert(eq(int, lam_batch_look(module, &stat), 0));
}

static void await_waiting(uint64_t count)
{
    do {
        look();
        (void)sched_yield();
    } while (stat.waiting != count);
}

/* It was one of @count, and its answer is its own. */
static void expect_one_of(const struct caller *caller, uint32_t count)
{
    cr_assert(eq(int, caller->rc, 0));
    cr_assert(eq(u32, caller->answer.count, count));
    cr_assert(caller->answer.place < count);
    cr_assert(eq(u64, caller->reply.bytes, 8 + strlen(caller->request)));
    cr_assert(eq(str, (char *)caller->answer.text, (char *)caller->request));
}

Test(batch, as_many_as_were_asked_for_go_at_once)
{
    struct lam_batch_options options = {.count_max = 4, .wait_ns = NEVER_NS};
    static const char *const requests[] = {"a", "bc", "def", "", "x", "y", "z", "u"};
    struct caller callers[8];
    uint32_t places = 0;

    load("stage", &options);
    for (int i = 0; i < 8; i++) {
        callers[i] = (struct caller){.method = "gather", .request = requests[i]};
        begin(&callers[i]);
    }
    for (int i = 0; i < 8; i++) {
        end(&callers[i]);
        expect_one_of(&callers[i], 4);
        places += 1U << 4 * callers[i].answer.place;
    }
    cr_assert(eq(u32, places, 0x2222));
    look();
    cr_assert(stat.batches == 2 && stat.calls == 8 && stat.largest == 4);
    cr_assert(stat.alone == 0 && stat.waiting == 0);
}

Test(batch, who_stays_alone_goes_when_the_time_is_over)
{
    struct lam_batch_options options = {.wait_ns = 2 * LAM_NS_PER_MS};
    struct caller one = {.method = "gather", .request = "abc"};

    load("stage", &options);
    (void)call(&one);
    expect_one_of(&one, 1);
    look();
    cr_assert(stat.batches == 0 && stat.alone == 1);
}

Test(batch, a_flush_lets_go_who_is_there)
{
    struct lam_batch_options options = {.count_max = 3, .wait_ns = NEVER_NS};
    struct caller first = {.method = "gather", .request = "a"};
    struct caller second = {.method = "gather", .request = "b"};

    load("stage", &options);
    cr_assert(eq(int, lam_batch_flush(module), 0));
    begin(&first);
    begin(&second);
    await_waiting(2);
    cr_assert(eq(int, lam_batch_flush(module), 0));
    end(&first);
    end(&second);
    expect_one_of(&first, 2);
    expect_one_of(&second, 2);
}

Test(batch, the_nearest_deadline_lets_all_go)
{
    struct lam_batch_options options = {.count_max = 3, .wait_ns = NEVER_NS};
    struct caller first = {.method = "gather", .request = "a"};
    struct caller second = {.method = "gather", .request = "b", .deadline_ns = 1};

    load("stage", &options);
    begin(&first);
    await_waiting(1);
    (void)call(&second);
    end(&first);
    expect_one_of(&first, 2);
    expect_one_of(&second, 2);
}

Test(batch, each_gets_its_own_result)
{
    struct lam_batch_options options = {.count_max = 6, .wait_ns = NEVER_NS};
    static const char *const requests[] = {"!", ">", "~", "+", "well", ""};
    static char much[100] = "0123";
    struct caller callers[6];

    load("stage", &options);
    for (int i = 0; i < 6; i++)
        callers[i] = (struct caller){.method = "gather", .request = requests[i]};
    callers[5].request = much;
    callers[5].bytes = sizeof(much);
    for (int i = 0; i < 6; i++)
        begin(&callers[i]);
    for (int i = 0; i < 6; i++)
        end(&callers[i]);
    cr_assert(callers[0].rc == -77 && callers[0].reply.bytes == 0);
    cr_assert(eq(u32, callers[0].reply.failure, LAM_FAILURE_NONE));
    cr_assert(eq(int, callers[1].rc, -EPROTO));
    cr_assert(eq(u32, callers[1].reply.failure, LAM_FAILURE_BAD_REPLY));
    cr_assert(eq(int, callers[2].rc, -EPROTO));
    cr_assert(eq(u32, callers[2].reply.failure, LAM_FAILURE_BAD_REPLY));
    cr_assert(callers[3].rc == 0 && callers[3].reply.bytes == 5);
    cr_assert(memcmp(&callers[3].answer, "later", 5) == 0);
    expect_one_of(&callers[4], 6);
    cr_assert(callers[5].rc == -ENOSPC && callers[5].reply.bytes == 108);
}

Test(batch, methods_are_not_mixed_and_only_those_that_were_named_wait)
{
    const char *names[] = {"gather", "collect"};
    struct lam_batch_options options = {
        .count_max = 8, .wait_ns = NEVER_NS, .methods = names, .method_count = 2};
    struct caller first = {.method = "gather", .request = "a"};
    struct caller second = {.method = "collect", .request = "b"};
    uint64_t runs, size = sizeof(runs);

    load("stage", &options);
    begin(&first);
    begin(&second);
    await_waiting(2);
    cr_assert(eq(int, module_ask(module, "count", NULL, 0, &runs, &size), 0));
    cr_assert(eq(int, lam_batch_flush(module), 0));
    end(&first);
    end(&second);
    expect_one_of(&first, 1);
    expect_one_of(&second, 1);
}

Test(batch, generations_are_not_mixed)
{
    struct lam_batch_options options = {.count_max = 2, .wait_ns = NEVER_NS};
    struct lam_reload_options reload = {.drain_ns = 1};
    struct caller first = {.method = "gather", .request = "a"};
    struct caller second = {.method = "gather", .request = "b"};

    load("stage", &options);
    begin(&first);
    await_waiting(1);
    cr_assert(eq(int, lam_runtime_reload(module, &reload, &error), 1));
    begin(&second);
    await_waiting(2);
    cr_assert(eq(int, lam_batch_flush(module), 0));
    end(&first);
    end(&second);
    expect_one_of(&first, 1);
    expect_one_of(&second, 1);
}

Test(batch, a_call_within_a_call_does_not_wait)
{
    struct lam_batch_options options = {.count_max = 2, .wait_ns = NEVER_NS};
    struct caller callers[2] = {
        {.method = "again", .request = "a"}, {.method = "again", .request = "b"}};

    load("stage", &options);
    for (int i = 0; i < 2; i++)
        begin(&callers[i]);
    for (int i = 0; i < 2; i++) {
        end(&callers[i]);
        cr_assert(callers[i].rc == 0 && callers[i].reply.bytes == 8);
    }
    look();
    cr_assert(stat.batches == 1 && stat.waiting == 0);
}

Test(batch, at_a_serial_module_a_batch_takes_its_turn)
{
    const char *names[] = {"gather"};
    struct lam_batch_options options = {
        .count_max = 2, .wait_ns = NEVER_NS, .methods = names, .method_count = 1};
    struct caller holder = {
        .method = "hold", .request = (const char *)&ends[0], .bytes = sizeof(ends[0])};
    struct caller callers[2] = {
        {.method = "gather", .request = "a"}, {.method = "gather", .request = "b"}};
    struct lam_module_reply reply;

    load("stage_serial", &options);
    begin(&holder);
    do { /* until a call without time finds no turn */
        reply = (struct lam_module_reply){.data = NULL};
    } while (lam_module_call(module, LAM_METHOD_ID("count"), NULL, 0, &reply, 1) != -ETIMEDOUT);
    callers[0].deadline_ns = lam_deadline_after_ns(200 * LAM_NS_PER_MS);
    callers[1].deadline_ns = callers[0].deadline_ns;
    for (int i = 0; i < 2; i++)
        begin(&callers[i]);
    for (int i = 0; i < 2; i++) {
        end(&callers[i]);
        cr_assert(eq(int, callers[i].rc, -ETIMEDOUT));
        cr_assert(eq(u32, callers[i].reply.failure, LAM_FAILURE_BUSY));
    }
    cr_assert(eq(int, (int)write(ends[1], "k", 1), 1));
    end(&holder);
    cr_assert(eq(int, holder.rc, 0));
    for (int i = 0; i < 2; i++) {
        callers[i].deadline_ns = 0;
        begin(&callers[i]);
    }
    for (int i = 0; i < 2; i++) {
        end(&callers[i]);
        expect_one_of(&callers[i], 2);
    }
}

Test(batch, what_cannot_take_a_batch_is_refused_at_load_and_at_reload)
{
    struct lam_batch_options options = {.count_max = 2};
    struct lam_reload_options reload = {.reference = NULL};
    struct caller one = {.method = "gather", .request = "abc"};

    cr_assert(eq(int, try_load("concurrent", &options, LAM_MODULE_IN_PROCESS), -ENOTSUP));
    cr_assert(strstr(error.text, "it has no batch entry") != NULL, "%s", error.text);
    cr_assert(eq(int, try_load("stage", &options, LAM_MODULE_IN_WORKER), -ENOTSUP));
    cr_assert(strstr(error.text, "a worker is given one call at a time") != NULL, "%s", error.text);
    load("stage", &options);
    reload.reference = module_file("concurrent");
    cr_assert(eq(int, lam_runtime_reload(module, &reload, &error), -ENOTSUP));
    cr_assert(strstr(error.text, "it has no batch entry") != NULL, "%s", error.text);
    (void)call(&one);
    expect_one_of(&one, 1);
}

Test(batch, options_that_make_no_sense_are_named)
{
    const char *names[] = {"a", ""};
    struct lam_batch_options options = {.methods = names, .method_count = 2};

    cr_assert(eq(int, try_load("stage", &options, LAM_MODULE_IN_PROCESS), -EINVAL));
    cr_assert(strstr(error.text, "batch.methods[1]") != NULL, "%s", error.text);
    options = (struct lam_batch_options){.count_max = 1};
    cr_assert(eq(int, try_load("stage", &options, LAM_MODULE_IN_PROCESS), -EINVAL));
    cr_assert(strstr(error.text, "batch.count_max is 1") != NULL, "%s", error.text);
    options = (struct lam_batch_options){.method_count = 3};
    cr_assert(eq(int, try_load("stage", &options, LAM_MODULE_IN_PROCESS), -EINVAL));
    cr_assert(strstr(error.text, "batch.method_count is 3") != NULL, "%s", error.text);
    load("stage", NULL);
    cr_assert(eq(int, lam_batch_look(module, &stat), -ENOENT));
    cr_assert(eq(int, lam_batch_flush(module), -ENOENT));
}

#define THREADS      6
#define CALLS_OF_ONE 2000

static void *call_often(void *argument)
{
    char text[32];
    struct caller caller = {.method = "gather", .request = text};

    for (int i = 0; i < CALLS_OF_ONE; i++) {
        (void)snprintf(text, sizeof(text), "%d of %d", i, *(int *)argument);
        memset(&caller.answer, 0, sizeof(caller.answer));
        (void)call(&caller);
        expect_one_of(&caller, caller.answer.count);
    }
    return NULL;
}

Test(batch, threads_get_their_own_answers)
{
    struct lam_batch_options options = {.count_max = 3, .wait_ns = 20000};
    pthread_t threads[THREADS];
    int names[THREADS];

    load("stage", &options);
    for (int i = 0; i < THREADS; i++) {
        names[i] = i;
        cr_assert(eq(int, pthread_create(&threads[i], NULL, call_often, &names[i]), 0));
    }
    for (int i = 0; i < THREADS; i++)
        cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
    look();
    cr_assert(eq(u64, stat.calls + stat.alone, THREADS * CALLS_OF_ONE));
    cr_assert(stat.largest <= 3 && stat.waiting == 0);
}
