/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_RUNTIME_POOL_H
#define LAM_TEST_RUNTIME_POOL_H

/*
 * pool.h: for the suites of pools: a module in several workers, calls that stay in it until they
 * are let go, and what was told meanwhile.
 */

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/runtime/events.h"
#include "lamina/runtime/pool.h"
#include "modules.h"

#define LONG_NS (30 * LAM_NS_PER_S)

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static int gate[2]; /* one byte lets one call go */

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    unsigned deaths, pools, healths;
    int64_t last_health;
    int64_t last_death, last_pool, most;
    char text[128];
} told;

static void observe(void *context, const struct lam_runtime_event *event)
{
    (void)context;
    (void)pthread_mutex_lock(&told_lock);
    if (event->kind == LAM_EVENT_WORKER_DIED) {
        told.deaths++;
        told.last_death = event->value;
        (void)snprintf(told.text, sizeof(told.text), "%s", event->text);
    } else if (event->kind == LAM_EVENT_POOL) {
        told.pools++;
        told.last_pool = event->value;
        if (event->value > told.most)
            told.most = event->value;
    }
    if (event->kind == LAM_EVENT_HEALTH) {
        told.healths++;
        told.last_health = event->value;
    }
    (void)pthread_mutex_unlock(&told_lock);
}

static inline void setup(void)
{
    char program[4096];
    struct lam_runtime_options options = {.worker = program};
    struct lam_module_options local = {.name = "gate"};
    struct lam_module *made;

    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
    cr_assert(eq(int, setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1), 0));
    cr_assert(eq(int, pipe(gate), 0));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_observe(runtime, observe, NULL), 0));
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("concurrent"), &local, &made, &error), 0),
        "%s", error.text);
}

static inline void teardown(void)
{
    lam_runtime_destroy(runtime);
}

static inline void load_with(const struct lam_pool_options *pool, struct lam_module_options options)
{
    options.host = LAM_MODULE_IN_WORKER;
    options.pool = pool;
    cr_assert(eq(int, lam_runtime_load(runtime, module_file("pool"), &options, &module, &error), 0),
        "%s", error.text);
}

static inline void load(struct lam_pool_options pool)
{
    load_with(&pool, (struct lam_module_options){.name = NULL});
}

static inline struct lam_pool_options fixed(uint32_t workers, enum lam_pool_choice choice)
{
    return (struct lam_pool_options){
        .workers_min = workers, .workers_max = workers, .choice = choice};
}

static inline int ask(const char *method, const void *request, uint64_t bytes,
    struct lam_module_reply *reply, uint64_t timeout_ns)
{
    return lam_module_call(
        module, lam_method_id(method), request, bytes, reply, lam_deadline_after_ns(timeout_ns));
}

/* The process that answers. */
static inline int32_t pid_for(const void *request, uint64_t bytes)
{
    int32_t pid = 0;
    struct lam_module_reply reply = {.data = &pid, .capacity = sizeof(pid)};

    cr_assert(eq(int, ask("pid", request, bytes, &reply, LONG_NS), 0), "failure %u, %d",
        reply.failure, reply.detail);
    return pid;
}

static inline struct lam_pool_stat look(void)
{
    struct lam_pool_stat stat;

    cr_assert(eq(int, lam_pool_look(module, &stat), 0));
    return stat;
}

/* Which place has that process, or -1. */
static inline int place_of(int32_t pid)
{
    struct lam_pool_stat stat = look();

    for (int i = 0; i < LAM_POOL_WORKERS_MAX; i++)
        if (stat.all[i].is_ready && stat.all[i].pid == pid)
            return i;
    return -1;
}

/* Until the condition holds; the suite's timeout is the end of it. */
#define UNTIL(condition)                                                                           \
    while (!(condition))                                                                           \
    (void)usleep(1000)

/* ---- calls that stay in a worker ---- */

struct holder {
    pthread_t thread;
    char key;
    int rc;
    int32_t pid;
    struct lam_module_reply reply;
};

static inline void *stay(void *own)
{
    struct holder *holder = own;
    char request[8];

    memcpy(request, &gate[0], sizeof(int));
    request[4] = holder->key;
    holder->reply =
        (struct lam_module_reply){.data = &holder->pid, .capacity = sizeof(holder->pid)};
    holder->rc = lam_module_call(module, lam_method_id("hold"), request, 5, &holder->reply,
        lam_deadline_after_ns(2 * LONG_NS));
    return NULL;
}

/* Behind it @busy workers are in calls, and @waiting calls are in line. */
static inline void hold(struct holder *holder, uint32_t busy, uint32_t waiting)
{
    cr_assert(eq(int, pthread_create(&holder->thread, NULL, stay, holder), 0));
    UNTIL(look().busy == busy && look().waiting == waiting);
}

static inline void let_go(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        cr_assert(eq(sz, (size_t)write(gate[1], "x", 1), 1));
}

static inline int end_hold(struct holder *holder)
{
    cr_assert(eq(int, pthread_join(holder->thread, NULL), 0));
    return holder->rc;
}

#endif
