/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_depend.c: what a module needs is there before it, stays while it is there, and stays of a
 * version that fits; nobody needs itself.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lamina/runtime/dependency.h"
#include "lamina/runtime/events.h"
#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_error error;
static char folder[64], program[4096];
/* Names of what was loaded, unloaded, as it happened. */
static char told[1024];

static void tell(void *context, const struct lam_runtime_event *event)
{
    size_t used = strlen(told);

    (void)context;
    if (event->kind == LAM_EVENT_LOADED || event->kind == LAM_EVENT_UNLOADED)
        (void)snprintf(told + used, sizeof(told) - used, "%s%s ",
            event->kind == LAM_EVENT_LOADED ? "+" : "-", event->name);
}

static void create(uint32_t loads_dependencies)
{
    struct lam_runtime_options options = {
        .directories = folder, .worker = program, .loads_dependencies = loads_dependencies};

    lam_runtime_destroy(runtime);
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_observe(runtime, tell, NULL), 0));
    told[0] = '\0';
}

static void setup(void)
{
    (void)snprintf(program, sizeof(program), "%s/lamina_worker", getenv("LAMINA_BIN"));
    (void)snprintf(folder, sizeof(folder), "/tmp/lamina-test-depend-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    create(0);
}

static void teardown(void)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;

    lam_runtime_destroy(runtime);
    while ((entry = readdir(directory)) != NULL)
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    (void)closedir(directory);
    (void)rmdir(folder);
}

TestSuite(depend, .init = setup, .fini = teardown, .timeout = 20);

/* The module of the build is in the folder under @name. */
static void put(const char *kind, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    cr_assert(eq(int, symlink(module_file(kind), path), 0));
}

static struct lam_module *load(const char *reference)
{
    struct lam_module *module = NULL;

    cr_assert(eq(int, lam_runtime_load(runtime, reference, NULL, &module, &error), 0), "%s: %s",
        reference, error.text);
    return module;
}

static void expect_refused(const char *reference, int rc, const char *words)
{
    struct lam_module *module;

    error.text[0] = '\0';
    cr_assert(eq(int, lam_runtime_load(runtime, reference, NULL, &module, &error), rc), "%s: %s",
        reference, error.text);
    cr_assert(strstr(error.text, words) != NULL, "%s: %s", reference, error.text);
}

static void expect_reload(struct lam_module *module, const char *kind, int rc, const char *words)
{
    struct lam_reload_options options = {.reference = module_file(kind)};

    error.text[0] = '\0';
    cr_assert(
        eq(int, lam_runtime_reload(module, &options, &error), rc), "%s: %s", kind, error.text);
    cr_assert(strstr(error.text, words) != NULL, "%s: %s", kind, error.text);
}

static void expect_unload(struct lam_module *module, int rc, const char *words)
{
    error.text[0] = '\0';
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), rc), "%s", error.text);
    cr_assert(strstr(error.text, words) != NULL, "%s", error.text);
}

static uint32_t version_of(struct lam_module *module)
{
    uint32_t number = 0;
    uint64_t size = sizeof(number);

    return module_ask(module, "version", NULL, 0, &number, &size) == 0 ? number : 0;
}

Test(depend, what_is_needed_must_be_loaded_and_fit)
{
    struct lam_module *db;

    expect_refused(module_file("cache"), -ENOENT, "it needs db ^1, which is not loaded");
    cr_assert(strstr(error.text, "(cache -> db)") != NULL, "%s", error.text);
    cr_assert(lam_runtime_find(runtime, "cache") == NULL);
    db = load(module_file("db_2_0"));
    expect_refused(module_file("cache"), -ERANGE, "it needs db ^1, and db 2.0.0 is loaded");
    cr_assert(eq(int, lam_runtime_unload(db, 0, &error), 0));
    (void)load(module_file("db_1_1"));
    (void)load(module_file("cache"));
    (void)load(module_file("api"));
    cr_assert(eq(str, told, "+db -db +db +cache +api "));
}

Test(depend, what_is_needed_is_found_and_loaded_first_by_option)
{
    create(1);
    put("db_1_0", "db-1.0.0.so");
    put("db_1_1", "db-1.1.0.so");
    put("db_2_0", "db-2.0.0.so");
    put("cache", "cache.so");
    put("api", "api.so");
    (void)load("api");
    cr_assert(eq(str, told, "+db +cache +api "));
    cr_assert(eq(u32, version_of(lam_runtime_find(runtime, "db")), 11));
}

Test(depend, what_cannot_be_found_says_for_whose_sake)
{
    create(1);
    put("db_2_0", "db-2.0.0.so");
    put("cache", "cache.so");
    put("api", "api.so");
    expect_refused("api", -ENOENT, "module api: it needs cache: module cache: it needs db: ");
    cr_assert(eq(str, told, ""));
}

Test(depend, a_cycle_is_refused_and_written_out)
{
    expect_refused(module_file("self"), -ELOOP, "self -> self");
    create(1);
    put("x", "x.so");
    put("y", "y.so");
    put("z", "z.so");
    expect_refused("x", -ELOOP, "x -> y -> z -> x");
    expect_refused("z", -ELOOP, "z -> x -> y -> z");
    cr_assert(eq(str, told, ""));
}

Test(depend, a_reload_that_would_make_a_cycle_is_refused)
{
    struct lam_module *db = load(module_file("db_1_0"));

    (void)load(module_file("cache"));
    (void)load(module_file("api"));
    expect_reload(db, "db_api", -ELOOP, "db -> api -> cache -> db");
    cr_assert(eq(u32, version_of(db), 10));
}

Test(depend, what_is_needed_is_not_unloaded_and_says_by_whom)
{
    struct lam_module *order[4] = {NULL};
    struct lam_module *db = load(module_file("db_1_0")), *cache, *api;

    cache = load(module_file("cache"));
    api = load(module_file("api"));
    expect_unload(db, -EBUSY, "needed by cache, api");
    expect_unload(cache, -EBUSY, "needed by api");
    cr_assert(eq(u32, version_of(db), 10));
    cr_assert(eq(u32, lam_runtime_order(runtime, order, 4), 3));
    cr_assert(order[0] == db && order[1] == cache && order[2] == api);
    for (int i = 2; i >= 0; i--)
        expect_unload(order[i], 0, "");
    cr_assert(eq(u32, lam_runtime_order(runtime, NULL, 0), 0));
}

Test(depend, a_runtime_ends_in_the_reverse_order)
{
    struct lam_module *api;
    struct lam_module_options named = {.name = "api"};

    /* First there is an api that needs nobody; what it is replaced by needs those after it. */
    cr_assert(eq(int, lam_runtime_load(runtime, module_file("db_1_0"), &named, &api, &error), 0));
    (void)load(module_file("db_1_0"));
    (void)load(module_file("cache"));
    expect_reload(api, "api", 0, "");
    lam_runtime_destroy(runtime);
    runtime = NULL;
    cr_assert(eq(str, told, "+api +db +cache -api -cache -db "));
}

Test(depend, a_reload_to_what_somebody_cannot_use_is_refused)
{
    struct lam_module *db = load(module_file("db_1_0")), *cache = load(module_file("cache"));

    expect_reload(db, "db_2_0", -ERANGE, "cache needs db ^1, and it would be 2.0.0");
    cr_assert(eq(u32, version_of(db), 10));
    expect_reload(db, "db_1_1", 0, "");
    cr_assert(eq(u32, version_of(db), 11));
    cr_assert(eq(int, lam_runtime_unload(cache, 0, &error), 0));
    expect_reload(db, "db_2_0", 0, "");
    cr_assert(eq(u32, version_of(db), 20));
}

Test(depend, what_is_optional_may_go_and_must_fit_while_it_is_there)
{
    struct lam_module *perhaps = load(module_file("perhaps")), *db;

    expect_unload(perhaps, 0, "");
    db = load(module_file("db_2_0"));
    expect_refused(module_file("perhaps"), -ERANGE, "db 2.0.0");
    expect_reload(db, "db_1_0", 0, "");
    perhaps = load(module_file("perhaps"));
    expect_unload(db, 0, "");
    cr_assert(eq(u32, version_of(perhaps), 10));
}

Test(depend, a_range_that_is_none_is_refused_with_the_module)
{
    expect_refused(module_file("needs_nonsense"), -EPROTO, "dependency db: \"^x\"");
}

Test(depend, a_worker_says_what_its_module_needs)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER};
    struct lam_module *db = load(module_file("db_1_0")), *cache;

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("cache"), &options, &cache, &error), 0),
        "%s", error.text);
    expect_unload(db, -EBUSY, "needed by cache");
    cr_assert(eq(int, lam_runtime_unload(cache, 0, &error), 0));
    expect_unload(db, 0, "");
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("cache"), &options, &cache, &error), -ENOENT),
        "%s", error.text);
}
