/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_worker_lent.c: what a module is told of what it asks for is the same in a worker as in this
 * process.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lamina/runtime/pool.h"
#include "modules.h"

#ifdef WORKER_IS_THIS
#include "linux/spawn.h"
#include "worker/serve.h"

/* With a mutant in it the worker is this program. */
static __attribute__((constructor)) void serve_as_worker(void)
{
    if (spawn_is_worker())
        _exit(lam_worker_serve(SPAWN_SOCKET_FD));
}
#endif

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

static void setup(void)
{
    static char program[4096];
    struct lam_runtime_options options = {.worker = program};

#ifdef WORKER_IS_THIS
    (void)snprintf(program, sizeof(program), "/proc/%d/exe", (int)getpid());
#else
    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
#endif
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(worker_lent, .init = setup, .fini = teardown, .timeout = 60);

static void load(const char *kind, const char *name, enum lam_module_host host,
    const struct lam_pool_options *pool)
{
    struct lam_module_options options = {.host = host, .name = name, .pool = pool};

    cr_assert(eq(int, lam_runtime_load(runtime, module_file(kind), &options, &module, &error), 0),
        "%s", error.text);
}

/* Status, failure and detail of what the module asks the one called @name for, in vain. */
static void expect_in_vain(const char *name, int32_t rc, uint32_t failure, int32_t detail)
{
    int32_t said[3] = {0, 0, 0};
    uint64_t size = sizeof(said);

    cr_assert(eq(int, module_ask(module, "ask-in-vain", name, strlen(name) + 1, said, &size), 0));
    cr_expect(eq(i32, said[0], rc));
    cr_expect(eq(i32, said[1], (int32_t)failure));
    cr_expect(eq(i32, said[2], detail));
}

Test(worker_lent, of_a_call_that_failed_the_module_knows_who_failed_it_and_the_detail)
{
    load("first", "neighbour", LAM_MODULE_IN_PROCESS, NULL);
    load("bad", "here", LAM_MODULE_IN_PROCESS, NULL);
    expect_in_vain("neighbour", -ENOENT, LAM_FAILURE_NO_METHOD, (int32_t)LAM_METHOD_ID("nothing"));
    expect_in_vain("nobody", -ENODEV, LAM_FAILURE_NO_MODULE, 0);
    load("bad", "there", LAM_MODULE_IN_WORKER, NULL);
    expect_in_vain("neighbour", -ENOENT, LAM_FAILURE_NO_METHOD, (int32_t)LAM_METHOD_ID("nothing"));
    expect_in_vain("nobody", -ENODEV, LAM_FAILURE_NO_MODULE, 0);
}

/* ---- names of metrics ---- */

static int note(enum lam_metric kind, const char *name)
{
    struct {
        uint32_t kind, unused;
        uint64_t value;
        char name[LAM_NAME_BYTES_MAX];
    } request = {.kind = kind, .value = 1};
    uint64_t size = 0;

    (void)snprintf(request.name, sizeof(request.name), "%s", name);
    return module_ask(module, "note", &request, sizeof(request), NULL, &size);
}

static int note_number(int number)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "m%d", number);
    return note((enum lam_metric)(number % 3), name);
}

static void expect_full(void)
{
    for (int kind = 0; kind < 3; kind++)
        cr_expect(eq(int, note((enum lam_metric)kind, "more"), -ENOSPC));
    cr_expect(eq(int, note(LAM_METRIC_GAUGE, "m0"), -ENOSPC)); /* that one is a counter */
    for (int i = 0; i < LAM_METRICS_MAX; i++)
        cr_expect(eq(int, note_number(i), 0));
    cr_expect(eq(u32, lam_module_metrics(module, NULL, NULL), LAM_METRICS_MAX));
}

static void expect_64_names(enum lam_module_host host, const struct lam_pool_options *pool)
{
    load("sdk", host == LAM_MODULE_IN_PROCESS ? "here" : "there", host, pool);
    for (int i = 0; i < LAM_METRICS_MAX; i++)
        cr_assert(eq(int, note_number(i), 0));
    expect_full();
}

Test(worker_lent, the_name_behind_the_64th_is_refused)
{
    expect_64_names(LAM_MODULE_IN_PROCESS, NULL);
    expect_64_names(LAM_MODULE_IN_WORKER, NULL);
}

Test(worker_lent, names_that_a_generation_before_made_are_counted)
{
    expect_64_names(LAM_MODULE_IN_WORKER, NULL);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    expect_full();
}

Test(worker_lent, names_that_other_workers_made_are_counted)
{
    struct lam_pool_options pool = {.workers_min = 3, .workers_max = 3};

    expect_64_names(LAM_MODULE_IN_WORKER, &pool);
    expect_full();
}
