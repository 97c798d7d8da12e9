/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_usage.c: what Prometheus is told is what was called: each call once, under its module, its
 * method and its version, from all threads, whatever is reloaded meanwhile.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"
#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static char text[65536];

static void load(const char *kind, enum lam_module_host host, const char *name)
{
    struct lam_module_options options = {.host = host, .name = name, .counts_calls = 1};

    cr_assert(eq(int, lam_runtime_load(runtime, module_file(kind), &options, &module, &error), 0),
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

TestSuite(usage, .init = setup, .fini = teardown, .timeout = 60);

/* The value of the line that begins with @name, or -1. Each line is there once at most. */
static double value_of(const char *name)
{
    uint64_t bytes = lam_runtime_prometheus(runtime, text, sizeof(text));
    const char *line, *again;

    cr_assert(bytes < sizeof(text) && strlen(text) == bytes);
    line = strstr(text, name);
    if (line == NULL)
        return -1;
    again = strstr(line + 1, name);
    cr_assert(again == NULL, "twice: %s", name);
    return strtod(line + strlen(name), NULL);
}

static double calls_of(const char *method, int version)
{
    char name[256];

    (void)snprintf(name, sizeof(name),
        "\nlamina_module_calls_total{module=\"test\",method=\"%s\",version=\"1.0.%d\"} ", method,
        version);
    return value_of(name);
}

Test(usage, each_call_is_counted_under_its_method_and_version)
{
    int32_t number = -5;
    uint64_t none = 0;

    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    cr_assert(eq(dbl, calls_of("echo", 3), -1));
    for (int i = 0; i < 7; i++)
        cr_assert(eq(int, module_kind(module), 3));
    cr_assert(eq(int, module_ask(module, "status", &number, sizeof(number), NULL, &none), -5));
    cr_assert(eq(int, module_ask(module, "echo", "abc", 3, NULL, &none), -ENOSPC));
    none = 0;
    cr_assert(eq(int, module_ask(module, "nothing", NULL, 0, NULL, &none), -ENOENT));
    cr_assert(eq(dbl, calls_of("echo", 3), 8));
    cr_assert(eq(dbl, calls_of("status", 3), 1));
    cr_assert(eq(dbl, calls_of("count", 3), -1));
    cr_assert(eq(dbl,
        value_of("\nlamina_module_call_failures_total{module=\"test\",method=\"status\","
                 "version=\"1.0.3\"} "),
        1));
    /* Too little room is an answer. */
    cr_assert(eq(dbl,
        value_of("\nlamina_module_call_failures_total{module=\"test\",method=\"echo\","
                 "version=\"1.0.3\"} "),
        0));
}

Test(usage, what_does_not_count_costs_nothing_and_is_not_told)
{
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("concurrent"), NULL, &module, &error), 0));
    cr_assert(eq(int, module_kind(module), 3));
    cr_assert(eq(dbl, calls_of("echo", 3), -1));
}

Test(usage, buckets_grow_to_the_count_and_the_last_one_is_it)
{
    const char *line;
    double before = 0, le_before = 0;
    unsigned buckets = 0;

    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    for (int i = 0; i < 1000; i++)
        cr_assert(eq(int, module_kind(module), 3));
    (void)lam_runtime_prometheus(runtime, text, sizeof(text));
    for (line = text; (line = strstr(line, ",le=\"")) != NULL; line++) {
        double le = strncmp(line + 5, "+Inf", 4) == 0 ? 1e300 : strtod(line + 5, NULL);
        double count = strtod(strstr(line, "} ") + 2, NULL);

        cr_assert(le > le_before && count >= before);
        /* None of them took a minute. */
        if (le > 60)
            cr_assert(eq(dbl, count, 1000));
        le_before = le;
        before = count;
        buckets++;
    }
    cr_assert(buckets > 20);
    cr_assert(eq(dbl, before, 1000));
    cr_assert(eq(dbl,
        value_of("\nlamina_module_call_seconds_count{module=\"test\",method=\"echo\","
                 "version=\"1.0.3\"} "),
        1000));
    cr_assert(value_of("\nlamina_module_call_seconds_sum{module=\"test\",method=\"echo\","
                       "version=\"1.0.3\"} ") > 0);
}

Test(usage, counts_never_go_back_over_reloads_and_unloads)
{
    struct lam_reload_options options = {.reference = NULL};

    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    for (int i = 0; i < 10; i++) {
        options.reference = module_file(i % 2 == 0 ? "concurrent_too" : "concurrent");
        cr_assert(module_kind(module) != 0);
        cr_assert(eq(int, lam_runtime_reload(module, &options, &error), 0));
        cr_assert(eq(dbl, calls_of("echo", 3), i / 2 + 1));
        cr_assert(eq(dbl, calls_of("echo", 4), i == 0 ? -1 : (i + 1) / 2));
    }
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    cr_assert(eq(dbl, calls_of("echo", 3), 5));
    cr_assert(eq(dbl, calls_of("echo", 4), 5));
}

static int ends[2];

static void *stay(void *unused)
{
    char kind;
    uint64_t size = 1;

    cr_assert(eq(int, module_ask(module, "wait", &ends[0], sizeof(ends[0]), &kind, &size), 0));
    return unused;
}

Test(usage, what_drains_is_counted_with_what_serves)
{
    struct lam_reload_options options = {.drain_ns = 1};
    struct lam_module_stat stat;
    pthread_t guest;

    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    cr_assert(eq(int, module_kind(module), 3));
    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, pthread_create(&guest, NULL, stay, NULL), 0));
    do
        lam_module_look(module, &stat);
    while (stat.calls != 1);
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), 1));
    cr_assert(eq(int, module_kind(module), 3));
    cr_assert(eq(dbl, calls_of("echo", 3), 2));
    cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
    cr_assert(eq(int, pthread_join(guest, NULL), 0));
    cr_assert(eq(dbl, calls_of("wait", 3), 1));
}

#define CALLERS      8
#define CALLS_OF_ONE 20000

static uint32_t count_blocks(void)
{
    const struct lam_generation *generation =
        (const void *)(uintptr_t)lam_load_acquire(&module->current);
    uint32_t count = 0;

    for (uint32_t seat = 0; seat < LAM_RUNTIME_THREADS_MAX; seat++)
        count += lam_load_acquire(&generation->usage[seat]) != 0;
    return count;
}

static void *call_once(void *unused)
{
    cr_assert(module_kind(module) != 0);
    cr_assert(eq(u32, count_blocks(), 2));
    return unused;
}

/* Otherwise some counts would be lost, but only at times. */
Test(usage, each_thread_counts_in_memory_of_its_own)
{
    pthread_t other;

    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    cr_assert(module_kind(module) != 0);
    cr_assert(eq(u32, count_blocks(), 1));
    cr_assert(eq(int, pthread_create(&other, NULL, call_once, NULL), 0));
    cr_assert(eq(int, pthread_join(other, NULL), 0));
}

static pthread_barrier_t begin;

/* Long enough that no scheduler runs them one after another. */
static void *call_often(void *unused)
{
    (void)pthread_barrier_wait(&begin);
    for (int i = 0; i < CALLS_OF_ONE; i++)
        cr_assert(module_kind(module) != 0);
    return unused;
}

Test(usage, every_thread_is_counted_while_the_module_is_replaced)
{
    pthread_t threads[CALLERS];
    double last = 0;

    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    cr_assert(eq(int, pthread_barrier_init(&begin, NULL, CALLERS), 0));
    for (int i = 0; i < CALLERS; i++)
        cr_assert(eq(int, pthread_create(&threads[i], NULL, call_often, NULL), 0));
    for (int i = 0; i < 20; i++) {
        double now;

        cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
        now = calls_of("echo", 3);
        cr_assert(now >= last || (now == -1 && last == 0));
        last = now > 0 ? now : 0;
    }
    for (int i = 0; i < CALLERS; i++)
        cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
    (void)pthread_barrier_destroy(&begin);
    cr_assert(eq(dbl, calls_of("echo", 3), CALLERS * CALLS_OF_ONE));
}

Test(usage, a_worker_is_counted_as_well_and_labels_are_quoted)
{
    load("first", LAM_MODULE_IN_WORKER, "a\"b\\cd");
    cr_assert(eq(int, module_kind(module), 1));
    cr_assert(eq(dbl,
        value_of("\nlamina_module_calls_total{module=\"a\\\"b\\\\cd\",method=\"echo\","
                 "version=\"1.0.1\"} "),
        1));
}

Test(usage, a_text_that_is_cut_short_says_how_long_it_is)
{
    char small[40];
    uint64_t bytes;

    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    cr_assert(eq(int, module_kind(module), 3));
    bytes = lam_runtime_prometheus(runtime, NULL, 0);
    cr_assert(eq(u64, bytes, lam_runtime_prometheus(runtime, text, sizeof(text))));
    memset(small, 'x', sizeof(small));
    cr_assert(eq(u64, bytes, lam_runtime_prometheus(runtime, small, sizeof(small) - 1)));
    cr_assert(small[38] == '\0' && small[39] == 'x' && strncmp(small, text, 38) == 0);
}

static double of_module(const char *family)
{
    char name[256];

    (void)snprintf(name, sizeof(name), "\n%s{module=\"test\"} ", family);
    return value_of(name);
}

Test(usage, loads_reloads_and_unloads_are_counted_by_module)
{
    struct lam_reload_options wrong = {.reference = module_file("wrong_init")};

    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
    cr_assert(eq(int, lam_runtime_reload(module, &wrong, &error), -ECANCELED));
    cr_assert(eq(dbl, of_module("lamina_module_loads_total"), 1));
    cr_assert(eq(dbl, of_module("lamina_module_reloads_total"), 2));
    cr_assert(eq(dbl, of_module("lamina_module_reload_failures_total"), 1));
    cr_assert(eq(dbl, of_module("lamina_module_unloads_total"), 0));
    cr_assert(eq(dbl, of_module("lamina_module_worker_deaths_total"), 0));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    cr_assert(eq(dbl, of_module("lamina_module_loads_total"), 2));
    cr_assert(eq(dbl, of_module("lamina_module_unloads_total"), 1));
}

Test(usage, calls_that_run_are_told)
{
    struct lam_module_stat stat;
    pthread_t guest;

    load("concurrent", LAM_MODULE_IN_PROCESS, NULL);
    cr_assert(eq(dbl, of_module("lamina_module_calls_running"), 0));
    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, pthread_create(&guest, NULL, stay, NULL), 0));
    do
        lam_module_look(module, &stat);
    while (stat.calls != 1);
    cr_assert(eq(dbl, of_module("lamina_module_calls_running"), 1));
    cr_assert(eq(int, (int)write(ends[1], "x", 1), 1));
    cr_assert(eq(int, pthread_join(guest, NULL), 0));
}

static double ended_by(const char *family, const char *method)
{
    char name[256];

    (void)snprintf(name, sizeof(name), "\n%s{module=\"bad\",method=\"%s\",version=\"1.0.0\"} ",
        family, method);
    return value_of(name);
}

Test(usage, timeouts_and_crashes_are_told_apart)
{
    struct lam_module_reply reply = {.data = NULL};

    load("bad", LAM_MODULE_IN_WORKER, "bad");
    cr_assert(eq(int,
        lam_module_call(module, LAM_METHOD_ID("abort"), NULL, 0, &reply, LAM_DEADLINE_NEVER),
        -EOWNERDEAD));
    cr_assert(eq(int,
        lam_module_call(module, LAM_METHOD_ID("loop"), NULL, 0, &reply,
            lam_deadline_after_ns(2 * LAM_NS_PER_S)),
        -ETIMEDOUT));
    cr_assert(eq(dbl, ended_by("lamina_module_call_crashes_total", "abort"), 1));
    cr_assert(eq(dbl, ended_by("lamina_module_call_timeouts_total", "abort"), 0));
    cr_assert(eq(dbl, ended_by("lamina_module_call_crashes_total", "loop"), 0));
    cr_assert(eq(dbl, ended_by("lamina_module_call_timeouts_total", "loop"), 1));
    cr_assert(eq(dbl, ended_by("lamina_module_call_failures_total", "loop"), 1));
}

static void note(uint32_t kind, const char *name, uint64_t value)
{
    struct {
        uint32_t kind, unused;
        uint64_t value;
        char name[64];
    } request = {.kind = kind, .value = value};
    uint64_t none = 0;

    (void)snprintf(request.name, sizeof(request.name), "%s", name);
    cr_assert(eq(int, module_ask(module, "note", &request, sizeof(request), NULL, &none), 0));
}

static double noted(const char *family, const char *labels)
{
    char name[256];

    (void)snprintf(name, sizeof(name), "\n%s{module=\"sdk\",%s} ", family, labels);
    return value_of(name);
}

Test(usage, what_a_module_notes_is_told_by_its_kind)
{
    load("sdk", LAM_MODULE_IN_PROCESS, NULL);
    note(LAM_METRIC_COUNTER, "a\"b\\c\nd", 2);
    note(LAM_METRIC_COUNTER, "a\"b\\c\nd", 3);
    note(LAM_METRIC_GAUGE, "open", 9);
    note(LAM_METRIC_GAUGE, "open", 4);
    cr_assert(eq(dbl, noted("lamina_module_counter_total", "name=\"a\\\"b\\\\c\\nd\""), 5));
    cr_assert(eq(dbl, noted("lamina_module_gauge", "name=\"open\""), 4));
    note(LAM_METRIC_HISTOGRAM, "size", 0);
    note(LAM_METRIC_HISTOGRAM, "size", 127);
    note(LAM_METRIC_HISTOGRAM, "size", 128);
    note(LAM_METRIC_HISTOGRAM, "size", UINT64_C(1) << 50);
    cr_assert(eq(dbl, noted("lamina_module_histogram_bucket", "name=\"size\",le=\"0\""), 1));
    cr_assert(eq(dbl, noted("lamina_module_histogram_bucket", "name=\"size\",le=\"127\""), 2));
    cr_assert(eq(dbl, noted("lamina_module_histogram_bucket", "name=\"size\",le=\"255\""), 3));
    cr_assert(eq(dbl, noted("lamina_module_histogram_bucket", "name=\"size\",le=\"+Inf\""), 4));
    cr_assert(eq(dbl, noted("lamina_module_histogram_count", "name=\"size\""), 4));
    cr_assert(eq(dbl, noted("lamina_module_histogram_sum", "name=\"size\""), 0x1p50 + 255));
}
