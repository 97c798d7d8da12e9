/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_kills.c: workers of a pool are killed, one after the other, while 8 threads call it. Each
 * call has its own answer: of those that may run twice none fails, of the others only those that
 * were inside a worker that died; and each death is made good.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "lamina/runtime/pool.h"
#include "modules.h"

#define THREADS 8
#define WORKERS 4

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static lam_atomic_u32 ended;
static lam_atomic_u64 lost; /* calls that a death took */

static struct caller {
    pthread_t thread;
    uint64_t number, calls;
} callers[THREADS];

static uint64_t effort(void)
{
    const char *text = getenv("LAMINA_EFFORT");

    return text == NULL ? 1 : strtoull(text, NULL, 10);
}

/* Its own words come back, whatever happens to the workers. */
static void echo(struct caller *caller)
{
    uint64_t said[2] = {caller->number, caller->calls}, heard[2] = {0, 0};
    struct lam_module_reply reply = {.data = heard, .capacity = sizeof(heard)};
    int rc;

    /* Twice in a row a worker may be killed under it: then it is told so. */
    do
        rc = lam_module_call(
            module, LAM_METHOD_ID("echo"), said, sizeof(said), &reply, LAM_DEADLINE_NEVER);
    while (rc == -EOWNERDEAD && reply.failure == LAM_FAILURE_CRASHED);
    CHECK(rc == 0 && reply.bytes == sizeof(said) && memcmp(said, heard, sizeof(said)) == 0);
}

static void count(void)
{
    uint64_t counted = 0;
    struct lam_module_reply reply = {.data = &counted, .capacity = sizeof(counted)};
    int rc = lam_module_call(module, LAM_METHOD_ID("count"), NULL, 0, &reply, LAM_DEADLINE_NEVER);

    if (rc == -EOWNERDEAD) {
        CHECK(reply.failure == LAM_FAILURE_CRASHED);
        (void)lam_add_acq_rel(&lost, 1);
        return;
    }
    CHECK(rc == 0 && counted != 0);
}

static void *call(void *own)
{
    struct caller *caller = own;

    while (lam_load_acquire(&ended) == 0) {
        echo(caller);
        count();
        caller->calls++;
    }
    return NULL;
}

static struct lam_pool_stat look(void)
{
    struct lam_pool_stat stat;

    CHECK(lam_pool_look(module, &stat) == 0);
    return stat;
}

/* Behind it another worker is where that one was. Slowly: eight deaths of one place in ten seconds
 * are its end. */
static void kill_one(uint32_t place)
{
    struct lam_pool_stat stat = look();
    uint64_t restarts = stat.all[place].restarts;

    CHECK(stat.all[place].is_ready);
    CHECK(kill(stat.all[place].pid, SIGKILL) == 0);
    do
        (void)usleep(1000);
    while (look().all[place].restarts == restarts);
}

static unsigned open_files(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void run(enum lam_pool_choice choice, uint64_t kills)
{
    struct lam_pool_options pool = {
        .workers_min = WORKERS, .workers_max = WORKERS, .choice = choice};
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER, .pool = &pool};
    struct lam_pool_stat stat;
    uint64_t calls = 0;

    CHECK(lam_runtime_load(runtime, module_file("pool"), &options, &module, &error) == 0);
    lam_store_release(&ended, 0);
    lam_store_release(&lost, 0);
    for (uint64_t i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){.number = i};
        CHECK(pthread_create(&callers[i].thread, NULL, call, &callers[i]) == 0);
    }
    for (uint64_t i = 0; i < kills; i++)
        kill_one((uint32_t)(i % WORKERS));
    lam_store_release(&ended, 1);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(callers[i].thread, NULL) == 0);
        calls += callers[i].calls;
    }
    stat = look();
    (void)printf("%llu calls, %llu of them taken by %llu deaths\n", (unsigned long long)(2 * calls),
        (unsigned long long)lam_load_acquire(&lost), (unsigned long long)kills);
    CHECK(stat.ready == WORKERS && stat.busy == 0 && stat.waiting == 0);
    CHECK(stat.restarts == kills && lam_load_acquire(&lost) <= kills);
    CHECK(stat.calls >= 2 * calls && stat.calls <= 2 * calls + kills);
    CHECK(lam_runtime_unload(module, LAM_DEADLINE_NEVER, &error) == 0);
}

int main(void)
{
    char program[4096];
    struct lam_runtime_options options = {.worker = program};
    unsigned before = open_files();

    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
    CHECK(lam_runtime_create(&runtime, &options, &error) == 0);
    for (uint64_t round = 0; round < effort(); round++)
        for (int choice = LAM_POOL_ROUND_ROBIN; choice <= LAM_POOL_RANDOM; choice++)
            run((enum lam_pool_choice)choice, 2 * WORKERS);
    lam_runtime_destroy(runtime);
    CHECK(open_files() == before);
    return 0;
}
