/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_reload.c: another code takes the calls, with the state or without it, and whatever goes
 * wrong leaves the old one in service.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "lamina/base/atomic.h"
#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

static void load(const char *kind)
{
    cr_assert(eq(int, lam_runtime_load(runtime, module_file(kind), NULL, &module, &error), 0), "%s",
        error.text);
}

static void setup(void)
{
    cr_assert(eq(int, lam_runtime_create(&runtime, NULL, &error), 0), "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
}

TestSuite(reload, .init = setup, .fini = teardown, .timeout = 30);

static int reload(const char *kind, uint32_t keep_state, uint64_t drain_ns)
{
    struct lam_reload_options options = {
        .reference = module_file(kind), .keep_state = keep_state, .drain_ns = drain_ns};

    return lam_runtime_reload(module, &options, &error);
}

/* A thread inside the module until it is let go. */
static struct guest {
    pthread_t thread;
    int ends[2];
    int rc;
    char kind;
} guest;

static void *stay(void *unused)
{
    uint64_t size = 1;

    guest.rc =
        module_ask(module, "wait", &guest.ends[0], sizeof(guest.ends[0]), &guest.kind, &size);
    return unused;
}

static uint32_t calls_now(void)
{
    struct lam_module_stat stat;

    lam_module_look(module, &stat);
    return stat.calls;
}

static void guest_enters(void)
{
    cr_assert(eq(int, pipe(guest.ends), 0));
    cr_assert(eq(int, pthread_create(&guest.thread, NULL, stay, NULL), 0));
    while (calls_now() != 1)
        (void)usleep(1000);
}

static void guest_leaves(char kind)
{
    cr_assert(eq(int, (int)write(guest.ends[1], "x", 1), 1));
    cr_assert(eq(int, pthread_join(guest.thread, NULL), 0));
    cr_assert(eq(int, guest.rc, 0));
    cr_assert(eq(int, guest.kind, kind));
}

Test(reload, new_calls_go_to_the_new_code_and_its_state_is_new)
{
    struct lam_module_stat stat;

    load("first");
    cr_assert(eq(u64, module_count(module), 1));
    cr_assert(eq(int, reload("second", 0, 0), 0), "%s", error.text);
    cr_assert(eq(int, module_kind(module), 2));
    cr_assert(eq(u64, module_count(module), 1));
    lam_module_look(module, &stat);
    cr_assert(eq(u64, stat.generation, 2));
    cr_assert(eq(u16, stat.version.patch, 2));
}

Test(reload, with_keep_state_the_new_code_goes_on_where_the_old_one_was)
{
    load("first");
    for (uint64_t i = 1; i <= 7; i++)
        cr_assert(eq(u64, module_count(module), i));
    cr_assert(eq(int, reload("second", 1, 0), 0), "%s", error.text);
    cr_assert(eq(int, module_kind(module), 2));
    cr_assert(eq(u64, module_count(module), 8));
}

Test(reload, whatever_fails_leaves_the_old_code_in_service)
{
    static const struct {
        const char *kind;
        int keep_state, rc;
        const char *words;
    } cases[] = {
        {"nothing", 0, -ENOENT, "nothing"},
        {"stranger", 0, -ENOEXEC, LAM_ABI_SYMBOL},
        {"old", 0, -EPROTO, "the ABI"},
        {"wrong_init", 0, -ECANCELED, "init returned 42"},
        {"wrong_init", 1, -ECANCELED, "init returned 42"},
        {"wrong_restore", 1, -ECANCELED, "returned 44"},
        {"no_state", 1, -ENOTSUP, "cannot restore"},
    };

    load("first");
    for (uint64_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lam_module_stat stat;

        cr_assert(eq(int, reload(cases[i].kind, (uint32_t)cases[i].keep_state, 0), cases[i].rc),
            "%s: %s", cases[i].kind, error.text);
        cr_assert(strstr(error.text, cases[i].words) != NULL, "%s", error.text);
        cr_assert(eq(int, module_kind(module), 1));
        cr_assert(eq(u64, module_count(module), i + 1));
        lam_module_look(module, &stat);
        cr_assert(eq(int, stat.phase, LAM_MODULE_SERVING));
    }
    /* A reload that failed has not changed what the next one takes. */
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(int, module_kind(module), 1));
}

Test(reload, a_state_that_cannot_be_saved_is_not_lost)
{
    load("wrong_save");
    cr_assert(eq(u64, module_count(module), 1));
    cr_assert(eq(int, reload("first", 1, 0), -ECANCELED));
    cr_assert(strstr(error.text, "save returned 43") != NULL, "%s", error.text);
    cr_assert(eq(u64, module_count(module), 2));
}

Test(reload, the_old_code_finishes_the_calls_that_it_has)
{
    struct lam_module_stat stat;

    load("concurrent");
    guest_enters();
    cr_assert(eq(int, reload("concurrent_too", 0, 1), 1), "%s", error.text);
    cr_assert(eq(int, module_kind(module), 4));
    lam_module_look(module, &stat);
    cr_assert(eq(u32, stat.draining, 1));
    cr_assert(eq(u32, stat.calls, 1));
    cr_assert(eq(u32, lam_runtime_collect(runtime), 1));
    guest_leaves(3);
    cr_assert(eq(u32, lam_runtime_collect(runtime), 0));
}

Test(reload, a_state_waits_for_the_calls_that_may_change_it)
{
    load("concurrent");
    guest_enters();
    cr_assert(eq(int, reload("concurrent_too", 1, 1), -ETIMEDOUT));
    cr_assert(eq(int, module_kind(module), 3)); /* the old one, and the gate is open again */
    guest_leaves(3);
    cr_assert(eq(int, reload("concurrent_too", 1, 0), 0), "%s", error.text);
    cr_assert(eq(int, module_kind(module), 4));
}

static void *reload_with_state(void *rc)
{
    *(int *)rc = reload("concurrent_too", 1, 20 * LAM_NS_PER_S);
    return NULL;
}

Test(reload, a_call_at_the_gate_ends_by_its_deadline_or_goes_to_the_new_code)
{
    struct lam_module_reply reply = {.data = (char[4]){0}, .capacity = 4};
    struct lam_module_stat stat;
    pthread_t thread;
    int rc = -1;

    load("concurrent");
    guest_enters();
    cr_assert(eq(int, pthread_create(&thread, NULL, reload_with_state, &rc), 0));
    do {
        lam_module_look(module, &stat);
    } while (stat.phase != LAM_MODULE_HOLDING);
    cr_assert(eq(int,
        lam_module_call(
            module, LAM_METHOD_ID("echo"), NULL, 0, &reply, lam_deadline_after_ns(1000000)),
        -ETIMEDOUT));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_BUSY));
    guest_leaves(3);
    cr_assert(eq(int, module_kind(module), 4));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_assert(eq(int, rc, 0), "%s", error.text);
}

static lam_atomic_u32 waiter;

static void *call_at_gate(void *kind)
{
    lam_store_release(&waiter, (uint32_t)gettid());
    *(char *)kind = module_kind(module);
    return NULL;
}

static char state_of(uint32_t thread)
{
    char path[64], line[256] = "", *end;
    FILE *stat;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%u/stat", thread);
    stat = fopen(path, "re");
    cr_assert(stat != NULL);
    (void)fgets(line, sizeof(line), stat);
    (void)fclose(stat);
    end = strrchr(line, ')');
    return end != NULL ? end[2] : 0;
}

Test(reload, a_call_that_sleeps_at_the_gate_is_woken)
{
    pthread_t changer, caller;
    struct lam_module_stat stat;
    char kind = 0;
    int rc = -1;

    load("concurrent");
    guest_enters();
    cr_assert(eq(int, pthread_create(&changer, NULL, reload_with_state, &rc), 0));
    do {
        lam_module_look(module, &stat);
    } while (stat.phase != LAM_MODULE_HOLDING);
    cr_assert(eq(int, pthread_create(&caller, NULL, call_at_gate, &kind), 0));
    while (lam_load_acquire(&waiter) == 0 || state_of(lam_load_acquire(&waiter)) != 'S')
        (void)usleep(1000);
    guest_leaves(3);
    cr_assert(eq(int, pthread_join(caller, NULL), 0));
    cr_assert(eq(int, kind, 4));
    cr_assert(eq(int, pthread_join(changer, NULL), 0));
    cr_assert(eq(int, rc, 0), "%s", error.text);
}

Test(reload, an_unload_waits_for_calls_as_long_as_it_was_told)
{
    load("concurrent");
    guest_enters();
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 1));
    cr_assert(eq(int, module_kind(module), 0));
    guest_leaves(3);
    load("concurrent_too"); /* ends it, too */
    cr_assert(eq(u32, lam_runtime_collect(runtime), 0));
    cr_assert(eq(int, module_kind(module), 4));
}

/* A line of the log, which comes from inside the module. */
static void replace_it(void *results, const char *name, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    ((int *)results)[0] = lam_runtime_reload(module, NULL, &error);
    ((int *)results)[1] = lam_runtime_unload(module, 0, &error);
}

Test(reload, from_inside_itself_a_module_is_not_replaced)
{
    int results[2] = {0, 0};
    struct lam_runtime_options options = {.log = replace_it, .log_context = results};
    struct lam_runtime *other;
    struct lam_call call;
    uint64_t size = sizeof(call);

    cr_assert(eq(int, lam_runtime_create(&other, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_load(other, module_file("concurrent"), NULL, &module, &error), 0),
        "%s", error.text);
    cr_assert(eq(int, module_ask(module, "context", NULL, 0, &call, &size), 0));
    cr_assert(eq(int, results[0], -EDEADLK));
    cr_assert(eq(int, results[1], -EDEADLK));
    cr_assert(eq(int, module_kind(module), 3));
    lam_runtime_destroy(other);
}

Test(reload, a_hundred_reloads_leave_nothing_behind)
{
    unsigned long before = 0, after = 0;

    load("first");
    for (int i = 0; i < 110; i++) {
        char line[512];
        FILE *maps;
        unsigned long lines = 0;

        cr_assert(eq(int, reload(i % 2 == 0 ? "second" : "first", (uint32_t)(i % 3 == 0), 0), 0),
            "%s", error.text);
        maps = fopen("/proc/self/maps", "re");
        while (fgets(line, sizeof(line), maps) != NULL)
            lines++;
        (void)fclose(maps);
        if (i < 10)
            before = lines > before ? lines : before;
        after = lines;
    }
    /* A mapping lost by each would be 100 more; a sanitizer's allocator maps now and then. */
    cr_assert(after <= before + 20, "%lu mappings, then %lu", before, after);
}
