/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_later.c: an answer that comes after the entry has returned, from another thread.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

static void load(enum lam_module_host host)
{
    struct lam_module_options options = {.host = host};

    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("later"), &options, &module, &error), 0),
        "%s", error.text);
}

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

TestSuite(later, .init = setup, .fini = teardown, .timeout = 60);

static int32_t result(void)
{
    int32_t value = 99;
    uint64_t size = sizeof(value);

    cr_assert(eq(int, module_ask(module, "result", NULL, 0, &value, &size), 0));
    return value;
}

static uint32_t answer_all(void)
{
    uint32_t count = 0;
    uint64_t size = sizeof(count);

    cr_assert(eq(int, module_ask(module, "all", NULL, 0, &count, &size), 0));
    return count;
}

/* Nobody will answer: the deadline is over. */
static int keep(struct lam_module_reply *reply)
{
    return lam_module_call(module, LAM_METHOD_ID("keep"), NULL, 0, reply, lam_clock_now_ns());
}

static int ends[2];
static char answer;

static void *wait_for_it(void *rc)
{
    uint64_t size = sizeof(answer);

    *(int *)rc = module_ask(module, "wait", &ends[0], sizeof(ends[0]), &answer, &size);
    cr_assert(size == (*(int *)rc == 0));
    return NULL;
}

static int wait_while(void (*meanwhile)(void), char told)
{
    pthread_t thread;
    int rc = 99;

    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, pthread_create(&thread, NULL, wait_for_it, &rc), 0));
    meanwhile();
    cr_assert(eq(int, (int)write(ends[1], &told, 1), 1));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    return rc;
}

static void call_others(void)
{
    for (int i = 0; i < 100; i++)
        cr_assert(eq(i32, result(), 1));
}

Test(later, an_answer_comes_from_another_thread_and_calls_go_on_meanwhile)
{
    load(LAM_MODULE_IN_PROCESS);
    cr_assert(eq(int, wait_while(call_others, 'x'), 0));
    cr_assert(eq(chr, answer, 'x'));
    cr_assert(eq(int, wait_while(call_others, '!'), -EBADMSG));
}

static void do_nothing(void)
{
}

Test(later, it_comes_from_a_worker_too)
{
    load(LAM_MODULE_IN_WORKER);
    /* Its descriptors are not ours: its thread fails to read, and says so. */
    cr_assert(eq(int, wait_while(do_nothing, 'x'), -EIO));
}

Test(later, one_that_comes_before_the_entry_returns_is_an_answer)
{
    char text[8];
    uint64_t size = sizeof(text);

    load(LAM_MODULE_IN_PROCESS);
    cr_assert(eq(int, module_ask(module, "at-once", "early", 5, text, &size), 0));
    cr_assert(eq(u64, size, 5));
    cr_assert(eq(int, memcmp(text, "early", 5), 0));
    cr_assert(eq(i32, result(), 0));
}

Test(later, too_little_room_says_how_much)
{
    char text[2];
    uint64_t size = sizeof(text);

    load(LAM_MODULE_IN_PROCESS);
    cr_assert(eq(int, module_ask(module, "at-once", "early", 5, text, &size), -ENOSPC));
    cr_assert(eq(u64, size, 5));
    cr_assert(eq(i32, result(), -ENOSPC));
}

Test(later, who_answers_behind_the_deadline_is_told_that_nobody_waits)
{
    char text[8] = "mine";
    struct lam_module_reply reply = {.data = text, .capacity = sizeof(text)};

    load(LAM_MODULE_IN_PROCESS);
    cr_assert(eq(int, keep(&reply), -ETIMEDOUT));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_DEADLINE));
    cr_assert(eq(u64, reply.bytes, 0));
    cr_assert(eq(u32, answer_all(), 1));
    cr_assert(eq(i32, result(), -ETIMEDOUT));
    cr_assert(eq(str, text, "mine"));
}

Test(later, a_place_without_later_is_no_answer_to_wait_for)
{
    char text[8];
    uint64_t size = sizeof(text);

    load(LAM_MODULE_IN_PROCESS);
    cr_assert(eq(int, module_ask(module, "forget", NULL, 0, text, &size), 0));
    cr_assert(eq(u64, size, 3));
    cr_assert(eq(u32, answer_all(), 1));
    cr_assert(eq(i32, result(), -ETIMEDOUT));
}

Test(later, later_without_a_place_is_a_bad_reply)
{
    struct lam_module_reply reply = {.data = NULL};

    load(LAM_MODULE_IN_PROCESS);
    cr_assert(eq(int, lam_module_call(module, LAM_METHOD_ID("lie"), NULL, 0, &reply, 0), -EPROTO));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_BAD_REPLY));
}

Test(later, a_worker_that_lies_about_it_stays)
{
    struct lam_module_reply reply = {.data = NULL};

    load(LAM_MODULE_IN_WORKER);
    for (int i = 0; i < 20; i++) {
        cr_assert(eq(int,
            lam_module_call(module, LAM_METHOD_ID("lie"), NULL, 0, &reply,
                lam_deadline_after_ns(UINT64_C(30) << 30)),
            -EPROTO));
        cr_assert(eq(u32, reply.failure, LAM_FAILURE_BAD_REPLY));
    }
}

Test(later, places_are_bounded_and_come_back)
{
    struct lam_module_reply reply = {.data = NULL};

    load(LAM_MODULE_IN_PROCESS);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < LAM_LATER_MAX; i++)
            cr_assert(eq(int, keep(&reply), -ETIMEDOUT));
        cr_assert(eq(int, keep(&reply), -EBUSY));
        cr_assert(eq(u32, reply.failure, LAM_FAILURE_NONE));
        cr_assert(eq(u32, answer_all(), LAM_LATER_MAX));
    }
}
