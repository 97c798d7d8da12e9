/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_methods.c: methods that options name have to be there, in each code that is loaded. The
 * cache stands for all stages that name some; test_yaml.c has each of them.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lamina/runtime/cache.h"
#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;

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

TestSuite(methods, .init = setup, .fini = teardown, .timeout = 30);

static int try_load(const struct lam_cache_options *cache, enum lam_module_host host)
{
    struct lam_module_options options = {.host = host, .cache = cache};

    return lam_runtime_load(runtime, module_file("stage"), &options, &module, &error);
}

/* Which run of the module answered. */
static uint64_t run_of(const char *method, const char *request)
{
    uint64_t answer[8], size = sizeof(answer);

    cr_assert(eq(int, module_ask(module, method, request, strlen(request), answer, &size), 0));
    return answer[0];
}

Test(methods, code_without_a_method_that_was_named_takes_nobodys_place)
{
    const char *names[] = {"work"};
    struct lam_cache_options options = {.methods = names, .method_count = 1};
    struct lam_reload_options reload = {.reference = module_file("first")};

    cr_assert(eq(int, try_load(&options, LAM_MODULE_IN_PROCESS), 0), "%s", error.text);
    cr_assert(eq(u64, run_of("work", "a"), 1));
    cr_assert(eq(int, lam_runtime_reload(module, &reload, &error), -ENOTSUP));
    cr_assert(strstr(error.text, "cache.methods[0] is \"work\"") != NULL, "%s", error.text);
    cr_assert(eq(u64, run_of("work", "b"), 2));
    names[0] = "wrok";
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    cr_assert(eq(int, try_load(&options, LAM_MODULE_IN_WORKER), -ENOTSUP));
    cr_assert(
        strstr(error.text, "\"wrok\", a method that it has not; it has: again, collect") != NULL,
        "%s", error.text);
}

static char told[256];

static void keep_log(void *context, const char *name, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count)
{
    (void)context;
    (void)text;
    (void)snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s %d %u %s.%s;", name,
        (int)level, field_count, fields[0].value, fields[1].value);
}

Test(methods, where_any_name_is_served_the_log_has_those_that_nobody_can_look_up)
{
    const char *names[] = {"known", "knwon", "*"};
    struct lam_cache_options cache = {.methods = names, .method_count = 3};
    struct lam_module_options options = {.cache = &cache};
    struct lam_runtime_options quiet = {.log = keep_log};
    struct lam_cache_stat stat;
    uint32_t answer = 0;
    uint64_t size = sizeof(answer);

    lam_runtime_destroy(runtime);
    cr_assert(eq(int, lam_runtime_create(&runtime, &quiet, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_load(runtime, module_file("any"), &options, &module, &error), 0),
        "%s", error.text);
    cr_assert(eq(str, told, "any 1 2 cache.knwon;"));
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, module_ask(module, "other", NULL, 0, &answer, &size), 0));
    cr_assert(eq(int, lam_cache_look(module, &stat), 0));
    cr_assert(eq(u64, stat.hits, 2));
}
