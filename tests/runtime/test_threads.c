/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_threads.c: who calls: as many threads as there are seats, and a process that was forked.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "check.h"
#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

static void setup(void)
{
    cr_assert(eq(int, lam_runtime_create(&runtime, NULL, &error), 0), "%s", error.text);
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("concurrent"), NULL, &module, &error), 0),
        "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(threads, .init = setup, .fini = teardown, .timeout = 60);

/* ---- more of them than seats ---- */

static pthread_barrier_t seated, may_leave;

static void *sit(void *kind)
{
    *(char *)kind = module_kind(module);
    (void)pthread_barrier_wait(&seated);
    (void)pthread_barrier_wait(&may_leave);
    return NULL;
}

static void *call_once(void *reply)
{
    ((struct lam_module_reply *)reply)->detail = lam_module_call(module, LAM_METHOD_ID("echo"),
        NULL, 0, (struct lam_module_reply *)reply, LAM_DEADLINE_NEVER);
    return NULL;
}

/* What a thread of its own is told. Returns what the call returned. */
static int in_a_thread(enum lam_failure *failure)
{
    struct lam_module_reply reply = {.data = (char[4]){0}, .capacity = 4};
    pthread_t thread;

    cr_assert(eq(int, pthread_create(&thread, NULL, call_once, &reply), 0));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    *failure = (enum lam_failure)reply.failure;
    return reply.detail;
}

Test(threads, one_more_than_may_call_is_told_so_and_may_when_another_has_ended)
{
    static pthread_t threads[LAM_RUNTIME_THREADS_MAX - 1];
    static char kinds[LAM_RUNTIME_THREADS_MAX - 1];
    enum lam_failure failure;
    pthread_attr_t small;

    cr_assert(eq(int, module_kind(module), 3)); /* this thread has the first seat */
    cr_assert(eq(int, pthread_barrier_init(&seated, NULL, LAM_RUNTIME_THREADS_MAX), 0));
    cr_assert(eq(int, pthread_barrier_init(&may_leave, NULL, LAM_RUNTIME_THREADS_MAX), 0));
    cr_assert(eq(int, pthread_attr_init(&small), 0));
    cr_assert(eq(int, pthread_attr_setstacksize(&small, 256 << 10), 0));
    for (int i = 0; i < LAM_RUNTIME_THREADS_MAX - 1; i++)
        if (pthread_create(&threads[i], &small, sit, &kinds[i]) != 0)
            cr_skip_test("this machine gives no %d threads", LAM_RUNTIME_THREADS_MAX);
    (void)pthread_barrier_wait(&seated);
    cr_assert(eq(int, in_a_thread(&failure), -EUSERS));
    cr_assert(eq(int, failure, LAM_FAILURE_NO_THREAD));
    (void)pthread_barrier_wait(&may_leave);
    for (int i = 0; i < LAM_RUNTIME_THREADS_MAX - 1; i++) {
        cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
        cr_assert(eq(int, kinds[i], 3));
    }
    cr_assert(eq(int, in_a_thread(&failure), 0));
    cr_assert(eq(int, failure, LAM_FAILURE_NONE));
}

/* ---- one of them inside ---- */

static pthread_t guest;
static int ends[2];

static void *stay(void *kind)
{
    uint64_t size = 1;

    return module_ask(module, "wait", &ends[0], sizeof(ends[0]), kind, &size) == 0 ? kind : NULL;
}

static uint32_t calls_now(void)
{
    struct lam_module_stat stat;

    lam_module_look(module, &stat);
    return stat.calls;
}

static void guest_enters(char *kind)
{
    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, pthread_create(&guest, NULL, stay, kind), 0));
    while (calls_now() != 1)
        (void)usleep(1000);
}

static void guest_leaves(const char *kind, char expected)
{
    void *ok;

    cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
    cr_assert(eq(int, pthread_join(guest, &ok), 0));
    cr_assert(ok != NULL && *kind == expected);
}

Test(threads, a_module_that_is_not_concurrent_has_one_call_at_a_time)
{
    struct lam_module_options options = {.name = "serial"};
    struct lam_module_reply reply = {.data = (char[4]){0}, .capacity = 4};
    char kind = 0;

    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), 0));
    guest_enters(&kind);
    cr_assert(eq(int,
        lam_module_call(
            module, LAM_METHOD_ID("echo"), NULL, 0, &reply, lam_deadline_after_ns(1000000)),
        -ETIMEDOUT));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_BUSY));
    guest_leaves(&kind, 1);
    cr_assert(eq(int, module_kind(module), 1));
}

/* ---- a forked process ---- */

/* It has the thread that forked, and nothing that the others were inside. */
static int child(void *unused)
{
    struct lam_reload_options options = {
        .reference = module_file("concurrent_too"), .drain_ns = UINT64_C(1000) * LAM_NS_PER_S};

    CHECK(calls_now() == 0);
    CHECK(module_kind(module) == 3);
    CHECK(lam_runtime_reload(module, &options, &error) == 0);
    CHECK(module_kind(module) == 4);
    CHECK(lam_runtime_unload(module, 0, &error) == 0);
    return 0;
}

Test(threads, a_forked_process_calls_and_waits_for_no_thread_that_it_does_not_have)
{
    char kind = 0;

    guest_enters(&kind);
    cr_assert(eq(int, check_wait(check_fork(child, NULL)), 0));
    /* And here nothing has changed. */
    cr_assert(eq(u32, calls_now(), 1));
    cr_assert(eq(int, module_kind(module), 3));
    guest_leaves(&kind, 3);
}
