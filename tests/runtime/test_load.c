/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_load.c: modules are found, loaded and unloaded; what is no module is refused with a reason.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static char file[64];

static void setup(void)
{
    (void)snprintf(file, sizeof(file), "/tmp/lamina-test-module-%ld.so", (long)getpid());
    cr_assert(eq(int, lam_runtime_create(&runtime, NULL, &error), 0), "%s", error.text);
}

static void teardown(void)
{
    lam_runtime_destroy(runtime);
    (void)unlink(file);
}

TestSuite(load, .init = setup, .fini = teardown, .timeout = 20);

static void expect_refused(const char *reference, int rc, const char *words)
{
    cr_assert(eq(int, lam_runtime_load(runtime, reference, NULL, &module, &error), rc), "%s: %s",
        reference, error.text);
    cr_assert(strstr(error.text, words) != NULL, "%s: %s", reference, error.text);
}

static void copy(const char *kind, const char *to)
{
    char bytes[4096];
    FILE *in = fopen(module_file(kind), "rbe"), *out = fopen(to, "wbe");
    size_t got;

    cr_assert(in != NULL && out != NULL);
    while ((got = fread(bytes, 1, sizeof(bytes), in)) > 0)
        cr_assert(eq(sz, fwrite(bytes, 1, got, out), got));
    cr_assert(fclose(in) == 0 && fclose(out) == 0);
}

Test(load, a_module_is_loaded_by_its_path_and_called)
{
    struct lam_module_stat stat;

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("first"), NULL, &module, &error), 0));
    cr_assert(eq(int, module_kind(module), 1));
    cr_assert(lam_runtime_find(runtime, "test") == module);
    lam_module_look(module, &stat);
    cr_assert(eq(str, stat.name, "test"));
    cr_assert(eq(u16, stat.version.patch, 1));
    cr_assert(eq(int, stat.phase, LAM_MODULE_SERVING));
    cr_assert(eq(u64, stat.generation, 1));
    cr_assert(eq(u32, stat.calls, 0));
}

Test(load, a_name_is_looked_for_in_the_directories_in_order)
{
    struct lam_runtime_options options = {.directories = "/nowhere:" MODULES ":/tmp"};
    struct lam_runtime *other;

    cr_assert(eq(int, lam_runtime_create(&other, &options, &error), 0));
    cr_assert(eq(int, lam_runtime_load(other, "test_module_first", NULL, &module, &error), 0), "%s",
        error.text);
    cr_assert(eq(int, module_kind(module), 1));
    cr_assert(eq(int, lam_runtime_load(other, "nothing", NULL, &module, &error), -ENOENT));
    cr_assert(strstr(error.text, "/nowhere:") != NULL, "%s", error.text);
    lam_runtime_destroy(other);
    expect_refused("test_module_first", -ENOENT, "directories");
}

Test(load, what_is_no_module_is_refused_with_the_reason)
{
    expect_refused("/nowhere/x.so", -ENOENT, "/nowhere/x.so");
    expect_refused("/tmp/", -ENOEXEC, "not a regular file");
    expect_refused("/dev/null", -ENOEXEC, "not a regular file");
    expect_refused(__FILE__, -ENOEXEC, "not an ELF file");
    expect_refused("/proc/self/exe", -ENOEXEC, "");
    expect_refused(module_file("stranger"), -ENOEXEC, LAM_ABI_SYMBOL);
    expect_refused(module_file("old"), -EPROTO, "the ABI is 0, expected 1");
    expect_refused(module_file("wrong_init"), -ECANCELED, "init returned 42");
    cr_assert(lam_runtime_find(runtime, "test") == NULL);
}

Test(load, an_object_of_another_machine_is_refused_with_both)
{
    int fd;

    copy("first", file);
    fd = open(file, O_WRONLY | O_CLOEXEC);
    cr_assert(eq(int, (int)pwrite(fd, "\xf3\x00", 2, 18), 2)); /* e_machine: RISC-V */
    (void)close(fd);
    expect_refused(file, -ENOEXEC, "machine 243");
    cr_assert(eq(int, truncate(file, 20), 0));
    expect_refused(file, -ENOEXEC, "not an ELF file");
    copy("first", file);
    cr_assert(eq(int, truncate(file, 4096), 0));
    expect_refused(file, -ENOEXEC, "cut short");
}

Test(load, one_file_under_two_names_is_two_modules)
{
    struct lam_module_options options = {.name = "other"};
    struct lam_module *other;

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("first"), NULL, &module, &error), 0));
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("first"), &options, &other, &error), 0));
    cr_assert(eq(u64, module_count(module), 1));
    cr_assert(eq(u64, module_count(module), 2));
    cr_assert(eq(u64, module_count(other), 1));
    expect_refused(module_file("second"), -EEXIST, "test");
    cr_assert(eq(int, module_kind(module), 1));
}

Test(load, names_too_long_or_empty_are_refused)
{
    char name[LAM_NAME_BYTES_MAX + 1];
    struct lam_module_options options = {.name = name};

    memset(name, 'x', sizeof(name));
    name[LAM_NAME_BYTES_MAX] = '\0';
    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), -EINVAL));
    name[LAM_NAME_BYTES_MAX - 1] = '\0';
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), 0));
    name[0] = '\0';
    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), -EINVAL));
}

Test(load, names_with_a_slash_or_control_bytes_are_refused)
{
    struct lam_module_options options = {.name = "a/b"};

    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), -EINVAL));
    cr_assert(strstr(error.text, "its name has a slash") != NULL, "%s", error.text);
    options.name = "a\nb";
    cr_assert(eq(
        int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), -EINVAL));
    cr_assert(strstr(error.text, "its name has a control byte") != NULL, "%s", error.text);
    cr_assert(lam_runtime_find(runtime, "a\nb") == NULL);
}

Test(load, init_and_shutdown_run_once_for_each_generation)
{
    struct lam_module_options options = {.config_bytes = sizeof(int)};
    char told[8];
    int ends[2];

    cr_assert(eq(int, pipe(ends), 0));
    options.config = &ends[1];
    cr_assert(
        eq(int, lam_runtime_load(runtime, module_file("first"), &options, &module, &error), 0));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    cr_assert(eq(int, (int)read(ends[0], told, sizeof(told)), 2));
    cr_assert(told[0] == 1 && told[1] == 1);
}

Test(load, after_an_unload_calls_fail_and_the_name_can_be_loaded_again)
{
    struct lam_module_reply reply = {.data = NULL};
    struct lam_module *again;

    cr_assert(eq(int, lam_runtime_load(runtime, module_file("first"), NULL, &module, &error), 0));
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    cr_assert(
        eq(int, lam_module_call(module, LAM_METHOD_ID("echo"), NULL, 0, &reply, LAM_DEADLINE_NEVER),
            -ENODEV));
    cr_assert(eq(u32, reply.failure, LAM_FAILURE_NO_MODULE));
    cr_assert(lam_runtime_find(runtime, "test") == NULL);
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), -ENODEV));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), -ENODEV));
    cr_assert(eq(int, lam_runtime_load(runtime, module_file("second"), NULL, &again, &error), 0));
    cr_assert(again == module);
    cr_assert(eq(int, module_kind(module), 2));
}

Test(load, what_happens_to_the_file_does_not_touch_what_runs)
{
    copy("first", file);
    cr_assert(eq(int, lam_runtime_load(runtime, file, NULL, &module, &error), 0));
    cr_assert(eq(int, truncate(file, 0), 0));
    cr_assert(eq(int, module_kind(module), 1));
    copy("second", file);
    cr_assert(eq(int, module_kind(module), 1));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0));
    cr_assert(eq(int, module_kind(module), 2));
}

Test(load, options_out_of_range_are_refused)
{
    struct lam_runtime_options options = {.depth_max = LAM_RUNTIME_DEPTH_MAX + 1};
    struct lam_runtime *none = NULL;

    cr_assert(eq(int, lam_runtime_create(&none, &options, &error), -EINVAL));
    options = (struct lam_runtime_options){.arena_bytes = (1 << 20) + 1};
    cr_assert(eq(int, lam_runtime_create(&none, &options, &error), -EINVAL));
    options = (struct lam_runtime_options){.reserved = 1};
    cr_assert(eq(int, lam_runtime_create(&none, &options, &error), -EINVAL));
    cr_assert(none == NULL);
}
