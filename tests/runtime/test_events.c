/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_events.c: a runtime tells what happens to its modules: once each, and when it is true. The
 * observer calls the module while it is told.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "lamina/runtime/events.h"
#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

static struct told {
    struct lam_runtime_event event;
    char name[LAM_NAME_BYTES_MAX];
    char text[256];
    char kind; /* which code answers while this is told; 0: none */
} told[64];
static unsigned told_count;

static void observe(void *context, const struct lam_runtime_event *event)
{
    struct told *one = &told[told_count++ % 64];

    cr_assert(eq(ptr, context, (void *)told));
    one->event = *event;
    (void)snprintf(one->name, sizeof(one->name), "%s", event->name);
    (void)snprintf(one->text, sizeof(one->text), "%s", event->text);
    one->kind = module_kind(event->module);
}

static void setup(void)
{
    static char program[4096];
    struct lam_runtime_options options = {.worker = program};

    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_observe(runtime, observe, told), 0));
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(events, .init = setup, .fini = teardown, .timeout = 60);

static void load(const char *kind, const struct lam_module_options *options)
{
    cr_assert(eq(int, lam_runtime_load(runtime, module_file(kind), options, &module, &error), 0),
        "%s", error.text);
}

/* The latest is of this kind, and there are @count. */
static const struct told *expect(unsigned count, enum lam_runtime_event_kind kind, int64_t value)
{
    const struct told *one = &told[(count - 1) % 64];

    cr_assert(eq(u32, told_count, count));
    cr_assert(eq(int, (int)one->event.kind, (int)kind));
    cr_assert(eq(i64, one->event.value, value), "%s", one->text);
    cr_assert(one->event.at_ns != 0 && one->event.at_ns <= lam_clock_now_ns());
    cr_assert(eq(u32, one->event.reserved, 0));
    return one;
}

Test(events, a_load_is_told_when_calls_are_answered)
{
    const struct told *one;

    load("concurrent", NULL);
    one = expect(1, LAM_EVENT_LOADED, 1);
    cr_assert(eq(ptr, (void *)one->event.module, (void *)module));
    cr_assert(eq(str, (char *)one->name, "test"));
    cr_assert(eq(chr, one->kind, 3));
}

Test(events, a_load_that_fails_is_not_told)
{
    struct lam_module *other;

    load("concurrent", NULL);
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("first"), NULL, &other, &error), -EEXIST));
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("no_such"), NULL, &other, &error), -ENOENT));
    cr_assert(eq(u32, told_count, 1));
}

Test(events, a_reload_is_told_when_the_new_code_answers)
{
    struct lam_reload_options options = {.reference = module_file("concurrent_too")};

    load("concurrent", NULL);
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), 0));
    cr_assert(eq(chr, expect(2, LAM_EVENT_RELOADED, 2)->kind, 4));
    options.keep_state = 1;
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), 0));
    cr_assert(eq(chr, expect(3, LAM_EVENT_RELOADED, 3)->kind, 4));
}

Test(events, a_reload_that_fails_is_told_with_its_reason_and_the_old_code_answers)
{
    struct lam_reload_options options = {.reference = module_file("wrong_init")};
    const struct told *one;

    load("concurrent", NULL);
    cr_assert(eq(int, lam_runtime_reload(module, &options, &error), -ECANCELED));
    one = expect(2, LAM_EVENT_RELOAD_FAILED, -ECANCELED);
    cr_assert(eq(str, (char *)one->text, error.text));
    cr_assert(eq(chr, one->kind, 3));
    /* And to one who does not want to hear it from the call. */
    cr_assert(eq(int, lam_runtime_reload(module, &options, NULL), -ECANCELED));
    cr_assert(eq(str, (char *)expect(3, LAM_EVENT_RELOAD_FAILED, -ECANCELED)->text, error.text));
}

Test(events, an_unload_is_told_when_calls_fail)
{
    load("concurrent", NULL);
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    cr_assert(eq(chr, expect(3, LAM_EVENT_UNLOADED, 2)->kind, 0));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), -ENODEV));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), -ENODEV));
    cr_assert(eq(u32, told_count, 3));
    load("concurrent", NULL);
    (void)expect(4, LAM_EVENT_LOADED, 3);
}

static int ask_bad(const char *method, uint64_t deadline_ns)
{
    char room[8];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};

    return lam_module_call(module, lam_method_id(method), "abc", 4, &reply, deadline_ns);
}

Test(events, a_workers_death_is_told_by_its_signal_or_minus_its_status)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER};

    cr_assert(eq(int, setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1), 0));
    load("bad", &options);
    (void)expect(1, LAM_EVENT_LOADED, 1);
    cr_assert(eq(int, ask_bad("fault", LAM_DEADLINE_NEVER), -EOWNERDEAD));
    cr_assert(expect(2, LAM_EVENT_WORKER_DIED, SIGSEGV)->text[0] != '\0');
    cr_assert(eq(int, ask_bad("exit", LAM_DEADLINE_NEVER), -EOWNERDEAD));
    (void)expect(3, LAM_EVENT_WORKER_DIED, -7);
    cr_assert(eq(int, ask_bad("echo", LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(u32, told_count, 3));
}

Test(events, the_end_of_a_runtime_unloads_the_latest_first)
{
    struct lam_module_options options = {.name = "later"};

    load("concurrent", NULL);
    load("concurrent", &options);
    lam_runtime_destroy(runtime);
    cr_assert(eq(u32, told_count, 4));
    cr_assert(eq(str, told[2].name, "later"));
    cr_assert(eq(str, told[3].name, "test"));
    cr_assert(told[2].event.kind == LAM_EVENT_UNLOADED && told[3].event.kind == LAM_EVENT_UNLOADED);
    cr_assert(eq(int, lam_runtime_create(&runtime, NULL, &error), 0)); /* for the teardown */
}

Test(events, as_many_observers_as_were_promised_are_each_told)
{
    for (int i = 1; i < LAM_OBSERVERS_MAX; i++)
        cr_assert(eq(int, lam_runtime_observe(runtime, observe, told), 0));
    cr_assert(eq(int, lam_runtime_observe(runtime, observe, told), -ENOSPC));
    load("concurrent", NULL);
    cr_assert(eq(u32, told_count, LAM_OBSERVERS_MAX));
}
