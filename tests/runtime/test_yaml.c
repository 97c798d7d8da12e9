/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_yaml.c: runtime.yaml: what is refused and where the message points, and that all modules of
 * a file are loaded, or none.
 */
#include "yaml.h"

TestSuite(yaml, .fini = teardown, .timeout = 20);

Test(yaml, a_file_that_says_nothing_is_a_runtime_with_all_defaults)
{
    struct lam_runtime_options none;
    struct lam_remote_options no_serving;

    memset(&none, 0, sizeof(none));
    memset(&no_serving, 0, sizeof(no_serving));
    accept("{}");
    cr_expect(memcmp(lam_runtime_config_options(config), &none, sizeof(none)) == 0);
    cr_expect(
        memcmp(&lam_runtime_config_serving(config)->remote, &no_serving, sizeof(no_serving)) == 0);
    cr_expect(lam_runtime_config_serving(config)->metrics == NULL);
    cr_expect(eq(u32, lam_runtime_config_count(config), 0));
}

Test(yaml, what_a_watched_directory_holds_is_loaded_as_the_file_says)
{
    char folder[] = "/tmp/lamina-yaml-XXXXXX", text[512], link[64];
    struct lam_module *module;

    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(text, sizeof(text),
        "discover: {directories: [%s], loads: true, module: {counts_calls: true}}\n", folder);
    accept(text);
    make_runtime();
    (void)snprintf(link, sizeof(link), "%s/found.so", folder);
    cr_assert(eq(int, copy_file(module_file("first"), link), 0));
    cr_expect(eq(int, lam_runtime_config_load(config, runtime, &error), 0), "%s", error.text);
    module = lam_runtime_find(runtime, "found");
    cr_expect(eq(int, unlink(link) | rmdir(folder), 0));
    cr_assert(module != NULL);
    cr_expect(eq(int, module_kind(module), 1));
    cr_expect(lt(u64, 500, lam_runtime_prometheus(runtime, NULL, 0)));
    lam_runtime_destroy(runtime); /* it reads the config until then */
    runtime = NULL;
}

Test(yaml, a_split_starts_when_all_modules_are_there)
{
    struct lam_split_stat stat;
    int seconds = 0;

    accept("directories: [" MODULES "]\nmodules:\n"
           "  one:\n    reference: test_module_first\n"
           "    split: {candidate: two, steps: [{percent: 50, time: 1000s}, {percent: 60}],\n"
           "      by: call, failure_percent: 5, calls_min: 7, window: 3s}\n"
           "  two: {reference: test_module_second}\n");
    cr_expect(eq(u32, wanted(0)->options.can_split, 1));
    cr_expect(eq(u32, wanted(1)->options.can_split, 0));
    make_runtime();
    cr_assert(eq(int, lam_runtime_config_load(config, runtime, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_module_split_look(lam_runtime_find(runtime, "one"), &stat), 0));
    cr_expect(eq(int, stat.phase, LAM_SPLIT_RUNNING));
    cr_expect(eq(u32, stat.percent, 50));
    for (int i = 0; i < 100; i++)
        seconds += module_kind(lam_runtime_find(runtime, "one")) == 2;
    cr_expect(eq(int, seconds, 50));
}

#define STAGE "directories: [" MODULES "]\nmodules:\n  a:\n    reference: test_module_stage\n"
#define HAS   "; it has: again, collect, count, gather, hold, labour, plain, status, work"

/* The file is read, and not loaded. */
static void refuse_load(const char *text, int rc, const char *message)
{
    accept(text);
    make_runtime();
    cr_expect(eq(int, lam_runtime_config_load(config, runtime, &error), rc));
    cr_expect(eq(str, error.text, (char *)message), "for:\n%s", text);
    cr_expect(lam_runtime_find(runtime, "a") == NULL);
    lam_runtime_destroy(runtime);
    runtime = NULL;
}

Test(yaml, a_method_that_its_module_has_not_is_refused_at_its_place)
{
    refuse_load(STAGE "    cache: {methods: [work, wrok]}\n", -ENOTSUP,
        "t.yaml:5:29: modules.a: module a: cache.methods[1] is \"wrok\", a method that it has "
        "not" HAS);
    refuse_load(STAGE "    batch:\n      methods:\n        - Gather\n", -ENOTSUP,
        "t.yaml:7:11: modules.a: module a: batch.methods[0] is \"Gather\", a method that it has "
        "not" HAS);
    refuse_load(STAGE "    retry: {methods: [{name: work}, {name: lob}]}\n", -ENOTSUP,
        "t.yaml:5:37: modules.a: module a: retry.methods[1] is \"lob\", a method that it has "
        "not" HAS);
}

Test(yaml, a_method_that_is_named_twice_is_refused_at_its_place)
{
    refuse_load(STAGE "    cache: {methods: [work, plain, work]}\n", -EINVAL,
        "t.yaml:5:36: modules.a: module a: cache.methods[2] is \"work\", the same method as "
        "\"work\" before it: take one out");
    refuse_load(STAGE "    retry: {methods: [{name: work}, {name: work, tries: 2}]}\n", -EINVAL,
        "t.yaml:5:37: modules.a: module a: retry.methods[1] is \"work\", the same method as "
        "\"work\" before it: take one out");
}

Test(yaml, after_a_split_that_cannot_start_no_module_is_loaded)
{
    accept("directories: [" MODULES "]\nmodules:\n"
           "  one:\n    reference: test_module_first\n"
           "    split: {candidate: one, steps: [{percent: 50}]}\n");
    make_runtime();
    cr_assert(lt(int, lam_runtime_config_load(config, runtime, &error), 0));
    cr_expect(strncmp(error.text, "t.yaml:4:5: modules.one: ", 25) == 0, "%s", error.text);
    cr_expect(lam_runtime_find(runtime, "one") == NULL);
}

Test(yaml, every_layer_of_the_sandbox_has_its_name)
{
    char text[128];

    for (int layer = 0; layer < LAM_SANDBOX_LAYERS; layer++) {
        (void)snprintf(text, sizeof(text), "modules: {a: {host: worker, sandbox: {layers: [%s]}}}",
            lam_sandbox_layer_name((enum lam_sandbox_layer)layer));
        accept(text);
        cr_expect(eq(u32, wanted(0)->options.sandbox->layers, LAM_SANDBOX_BIT(layer)));
    }
}

Test(yaml, paths_are_relative_to_the_file)
{
    char folder[] = "/tmp/lamina-yaml-XXXXXX", name[64], expected[128];

    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(name, sizeof(name), "%s/t.yaml", folder);
    cr_assert(eq(int,
        read_as(name, "directories: [plug, /b]\nmodules: {a: {reference: ./a.so}, b: {reference: "
                      "b}}\n"),
        0));
    (void)rmdir(folder);
    (void)snprintf(expected, sizeof(expected), "%s/plug:/b", folder);
    cr_expect(eq(str, (char *)lam_runtime_config_options(config)->directories, expected));
    (void)snprintf(expected, sizeof(expected), "%s/./a.so", folder);
    cr_expect(eq(str, (char *)wanted(0)->reference, expected));
    cr_expect(eq(str, (char *)wanted(1)->reference, "b"));
}

Test(yaml, what_is_wrong_is_refused_at_its_place)
{
    refuse("depht: 3\n", "t.yaml:1:1: depht: unknown key (did you mean \"depth\"?)");
    refuse("depth: 17\n", "t.yaml:1:8: depth: 17 is too large: at most 16");
    refuse("depth: 0\n", "t.yaml:1:8: depth: 0 is too small: at least 1");
    refuse("drain: 5\n", "t.yaml:1:8: drain: \"5\" is not a duration: digits, then ns, us, ms, s "
                         "or min, as in 10ms");
    refuse("modules:\n  a: {host: wroker}\n",
        "t.yaml:2:13: modules.a.host: \"wroker\" is not one of process or worker (did you mean "
        "\"worker\"?)");
    refuse("modules:\n  a: {config: x, config_hex: 00}\n",
        "t.yaml:2:6: modules.a: give one of config, config_hex and config_file");
    refuse("modules:\n  a: {config_hex: 0}\n", "t.yaml:2:19: modules.a.config_hex: two "
                                               "hexadecimal digits for each byte, and nothing "
                                               "else");
    refuse("modules:\n  a: {sandbox: {}}\n", "t.yaml:2:16: modules.a.sandbox: nothing holds a "
                                             "module in this process: say host: worker");
    refuse("modules:\n  a: {host: worker, sandbox: {files: 15}}\n",
        "t.yaml:2:38: modules.a.sandbox.files: 15 is too small: at least 16");
    refuse("modules:\n  a: {pool: {}}\n",
        "t.yaml:2:13: modules.a.pool: a pool has workers: say host: worker");
    refuse("modules:\n  a: {split: {candidate: b, steps: [{percent: 1}]}}\n",
        "t.yaml:2:26: modules.a.split.candidate: there is no module \"b\" in this file");
    refuse("modules:\n  b: {}\n  a: {can_split: false, split: {candidate: b, steps: [{percent: "
           "1}]}}\n",
        "t.yaml:3:18: modules.a.can_split: split sends calls to another module, and can_split: "
        "false forbids it: take one out");
    refuse("serve: {mode: 660x}\n", "t.yaml:1:15: serve.mode: \"660x\" is no such mode: three or "
                                    "four octal digits, as in 0660, and 6 or 7 for this user");
    refuse("serve: {mode: 0066}\n", "t.yaml:1:15: serve.mode: \"0066\" is no such mode: three or "
                                    "four octal digits, as in 0660, and 6 or 7 for this user");
    refuse("discover: {directories: [/a], module: {reference: x}}\n",
        "t.yaml:1:39: discover.module: what is found has no reference and no split of its own");
    refuse("metrics: {socket: /s, port: 1}\n",
        "t.yaml:1:10: metrics: give a socket, or an address and a port");
    refuse("directories: [\"/a:/b\"]\n",
        "t.yaml:1:15: directories[0]: a path with a ':' cannot be listed");
    refuse("modules: {a: {config_file: /nowhere}}\n",
        "t.yaml:1:28: modules.a.config_file: /nowhere: No such file or directory");
    refuse("modules: {a: {config_file: /dev/zero}}\n",
        "t.yaml:1:28: modules.a.config_file: /dev/zero: Invalid argument");
}

Test(yaml, a_setting_takes_the_place_of_what_the_file_says)
{
    const char *sets[] = {"depth=2", "modules.a.config=from the line"};
    char path[] = "/tmp/lamina-yaml-XXXXXX";
    const char text[] = "depth: 3\nmodules: {a: {config: from the file}}\n";
    int file = mkstemp(path);

    cr_assert(eq(sz, (size_t)write(file, text, sizeof(text) - 1), sizeof(text) - 1));
    cr_assert(eq(int, lam_runtime_config_read(&config, path, sets, 2, &report), 0), "%s", report);
    cr_expect(eq(u32, lam_runtime_config_options(config)->depth_max, 2));
    cr_expect(memcmp(wanted(0)->options.config, "from the line", 13) == 0);
    lam_runtime_config_destroy(config);
    config = NULL;
    sets[1] = "dpeth=2";
    cr_assert(eq(int, lam_runtime_config_read(&config, path, sets, 2, &report), -EINVAL));
    cr_expect(strstr(report, "--set dpeth=2: ") == report, "%s", report);
    cr_assert(eq(int, close(file) | unlink(path), 0));
}

Test(yaml, all_modules_of_a_file_are_loaded)
{
    struct lam_module *first, *second;

    accept("directories: [" MODULES "]\nmodules:\n"
           "  one: {reference: test_module_first}\n"
           "  two: {reference: test_module_second, config: x}\n");
    make_runtime();
    cr_assert(eq(int, lam_runtime_config_load(config, runtime, &error), 0), "%s", error.text);
    first = lam_runtime_find(runtime, "one");
    second = lam_runtime_find(runtime, "two");
    cr_assert(first != NULL && second != NULL);
    cr_expect(eq(int, module_kind(first), 1));
    cr_expect(eq(int, module_kind(second), 2));
}

Test(yaml, of_a_file_with_one_wrong_module_none_is_loaded)
{
    accept("directories: [" MODULES "]\nmodules:\n"
           "  one: {reference: test_module_first}\n"
           "  two: {reference: test_module_concurrent}\n"
           "  three: {reference: test_module_wrong_init}\n");
    make_runtime();
    cr_assert(eq(int, lam_runtime_config_load(config, runtime, &error), -ECANCELED));
    cr_expect(strncmp(error.text, "t.yaml:5:10: modules.three: ", 28) == 0, "%s", error.text);
    cr_expect(lam_runtime_find(runtime, "one") == NULL);
    cr_expect(lam_runtime_find(runtime, "two") == NULL);
}

Test(yaml, what_others_loaded_before_stays_after_a_failed_file)
{
    struct lam_module *mine;
    struct lam_module_options options = {.name = "two"};

    accept("directories: [" MODULES "]\nmodules:\n"
           "  one: {reference: test_module_first}\n"
           "  two: {reference: test_module_second}\n");
    make_runtime();
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("concurrent"), &options, &mine, &error), 0));
    cr_assert(eq(int, lam_runtime_config_load(config, runtime, &error), -EEXIST));
    cr_expect(lam_runtime_find(runtime, "one") == NULL);
    cr_expect(lam_runtime_find(runtime, "two") == mine);
    cr_expect(eq(int, module_kind(mine), 3));
}

/* Brought before the file for one that has gone, and needed by nobody. */
static void leave_what_was_brought(struct lam_module **mine)
{
    struct lam_module *cache;

    cr_assert(eq(int, lam_runtime_load(runtime, "cache", NULL, &cache, &error), 0));
    cr_assert(eq(int, lam_runtime_unload(cache, LAM_DEADLINE_NEVER, &error), 0));
    *mine = lam_runtime_find(runtime, "db");
}

/* A runtime whose modules bring what they need, and a last one that is refused. */
static void fail_behind_what_is_brought(char *folder, struct lam_module **mine)
{
    static const char *const kinds[] = {"db_1_0", "cache", "api"};
    static const char *const names[] = {"db", "cache", "api"};
    char text[512], path[96];

    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(text, sizeof(text),
        "directories: [%s]\nloads_dependencies: true\nmodules:\n"
        "  api: {}\n  bad: {reference: %s}\n",
        folder, module_file("wrong_init"));
    accept(text);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.so", folder, names[i]);
        cr_assert(eq(int, symlink(module_file(kinds[i]), path), 0));
    }
    make_runtime();
    if (mine != NULL)
        leave_what_was_brought(mine);
    cr_expect(eq(int, lam_runtime_config_load(config, runtime, &error), -ECANCELED));
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.so", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
    cr_expect(strstr(error.text, "modules.bad: ") != NULL, "%s", error.text);
    cr_expect(lam_runtime_find(runtime, "api") == NULL);
    cr_expect(lam_runtime_find(runtime, "cache") == NULL);
}

Test(yaml, of_a_file_with_one_wrong_module_nothing_that_others_needed_stays)
{
    char folder[] = "/tmp/lamina-yaml-XXXXXX";

    fail_behind_what_is_brought(folder, NULL);
    cr_expect(lam_runtime_find(runtime, "db") == NULL);
    cr_expect(eq(u32, lam_runtime_order(runtime, NULL, 0), 0));
}

Test(yaml, what_was_there_before_a_failed_file_and_is_needed_by_it_stays)
{
    char folder[] = "/tmp/lamina-yaml-XXXXXX";
    struct lam_module_stat stat;
    struct lam_module *mine;

    fail_behind_what_is_brought(folder, &mine);
    cr_assert(mine != NULL);
    cr_expect(lam_runtime_find(runtime, "db") == mine);
    lam_module_look(mine, &stat);
    cr_expect(eq(u32, stat.is_brought, 1));
}

static void *load_another(void *unused)
{
    struct lam_module_options options = {.name = "another"};
    struct lam_module *made;

    cr_expect(eq(int, lam_runtime_load(runtime, module_file("first"), &options, &made, &error), 0));
    return unused;
}

/* While the file is being loaded, another thread loads one. */
static void load_another_meanwhile(void *times, const struct lam_runtime_event *event)
{
    pthread_t thread;

    if (event->kind != LAM_EVENT_LOADED || (*(int *)times)++ != 0)
        return;
    cr_assert(eq(int, pthread_create(&thread, NULL, load_another, NULL), 0));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
}

Test(yaml, what_others_load_meanwhile_stays_after_a_failed_file)
{
    int times = 0;

    accept("directories: [" MODULES "]\nmodules:\n"
           "  one: {reference: test_module_first}\n"
           "  bad: {reference: test_module_wrong_init}\n");
    make_runtime();
    cr_assert(eq(int, lam_runtime_observe(runtime, load_another_meanwhile, &times), 0));
    cr_assert(eq(int, lam_runtime_config_load(config, runtime, &error), -ECANCELED));
    cr_expect(lam_runtime_find(runtime, "one") == NULL);
    cr_expect(lam_runtime_find(runtime, "another") != NULL);
}
