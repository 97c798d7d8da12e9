/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_RUNTIME_LIMITS_HELP_H
#define LAM_TEST_RUNTIME_LIMITS_HELP_H

/*
 * limits_help.h: what the suites of limits share: guests that stay inside until a pipe has a byte
 * for them, and a clock that stands.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "modules.h"

#include "lamina/base/ops.h"
#include "lamina/runtime/limits.h"

#define GUESTS_MAX 4

static struct lam_base_ops ops;
static uint64_t clock_ns;
static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static int ends[2];

/* A thread whose call stays inside until there is a byte for it. */
struct guest {
    pthread_t thread;
    uint64_t deadline_ns, room; /* bytes for its answer; 0: 1 */
    struct lam_module_reply reply;
    int rc;
};
static struct guest guests[GUESTS_MAX];
static lam_atomic_u32 done_count;
static uint32_t done[GUESTS_MAX]; /* in which order they ended */

static inline uint64_t clock_now_ns(void)
{
    return clock_ns;
}

static inline void setup(void)
{
    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, lam_runtime_create(&runtime, NULL, &error), 0), "%s", error.text);
}

static inline void teardown(void)
{
    lam_runtime_destroy(runtime);
    lam_base = &lam_base_linux;
}

/* While there is one thread. */
static inline void stop_clock(void)
{
    ops = lam_base_linux;
    ops.now_ns = clock_now_ns;
    clock_ns = LAM_NS_PER_S;
    lam_base = &ops;
}

static inline int try_load(
    const char *kind, const char *name, const struct lam_limits_options *limits)
{
    struct lam_module_options options = {.name = name, .limits = limits};

    return lam_runtime_load(runtime, module_file(kind), &options, &module, &error);
}

/* Another runtime, with what holds for all its modules. */
static inline void rule(const struct lam_runtime_options *options)
{
    lam_runtime_destroy(runtime);
    cr_assert(eq(int, lam_runtime_create(&runtime, options, &error), 0), "%s", error.text);
}

static inline void load(struct lam_limits_options limits)
{
    cr_assert(eq(int, try_load("concurrent", NULL, &limits), 0), "%s", error.text);
}

static inline struct lam_limits_stat look(void)
{
    struct lam_limits_stat stat;

    cr_assert(eq(int, lam_limits_look(module, &stat), 0));
    return stat;
}

static inline void *stay(void *context)
{
    struct guest *guest = context;
    char answer[64];

    guest->reply =
        (struct lam_module_reply){.data = answer, .capacity = guest->room != 0 ? guest->room : 1};
    guest->rc = lam_module_call(module, LAM_METHOD_ID("wait"), &ends[0], sizeof(ends[0]),
        &guest->reply, guest->deadline_ns);
    done[lam_add_acq_rel(&done_count, 1)] = (uint32_t)(guest - guests);
    return NULL;
}

/* Until @inside calls are inside, and @waiting wait. */
static inline void await(uint32_t inside, uint32_t waiting)
{
    struct lam_limits_stat stat;

    do
        stat = look();
    while (stat.inside != inside || stat.waiting != waiting);
}

static inline void start_guest(uint32_t index, uint64_t deadline_ns)
{
    guests[index].deadline_ns = deadline_ns;
    cr_assert(eq(int, pthread_create(&guests[index].thread, NULL, stay, &guests[index]), 0));
}

static inline void let_one_go(void)
{
    cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
}

static inline void join(uint32_t index)
{
    cr_assert(eq(int, pthread_join(guests[index].thread, NULL), 0));
}

static struct lam_module_reply last;

static inline int ask_status(void)
{
    int32_t number = 0;

    last = (struct lam_module_reply){.data = NULL};
    return lam_module_call(
        module, LAM_METHOD_ID("status"), &number, sizeof(number), &last, LAM_DEADLINE_NEVER);
}

static inline void assert_refused(enum lam_limit limit)
{
    uint64_t before = look().refused[limit];

    cr_assert(eq(int, ask_status(), -ECANCELED));
    cr_assert(eq(u32, last.failure, LAM_FAILURE_LIMITED));
    cr_assert(eq(i32, last.detail, (int32_t)limit));
    cr_assert(eq(u64, look().refused[limit], before + 1));
}

#endif
