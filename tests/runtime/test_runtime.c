/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_runtime.c: modules are loaded, called and replaced; wrong ones are refused with a reason,
 * and never take the place of a good one. Method: shared objects built from module.c, copied to a
 * file of the test's own.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/runtime/runtime.h"

static char file[64];

static void setup(void)
{
    (void)snprintf(file, sizeof(file), "/tmp/lamina-test-module-%ld.so", (long)getpid());
}

static void teardown(void)
{
    (void)unlink(file);
}

TestSuite(runtime, .init = setup, .fini = teardown, .timeout = 20);

/* Copy the bytes of the test module @kind to @to: into the file that is there, or a new one. */
static void copy_module(const char *kind, const char *to)
{
    char from[4096], bytes[4096];
    FILE *in, *out;
    size_t got;

    (void)snprintf(from, sizeof(from), "%s/test_module_%s.so", MODULES, kind);
    in = fopen(from, "rbe");
    out = fopen(to, "wbe");
    cr_assert(in != NULL && out != NULL, "%s: %s", from, strerror(errno));
    while ((got = fread(bytes, 1, sizeof(bytes), in)) > 0)
        cr_assert_eq(fwrite(bytes, 1, got, out), got);
    cr_assert_eq(fclose(in), 0);
    cr_assert_eq(fclose(out), 0);
}

/* Put another file in its place, as an installer does. */
static void replace_module(const char *kind)
{
    char draft[80];

    (void)snprintf(draft, sizeof(draft), "%s.new", file);
    copy_module(kind, draft);
    cr_assert_eq(rename(draft, file), 0);
}

static void expect_echo(struct lam_runtime_module *module, unsigned char kind, unsigned char calls)
{
    unsigned char result[16];
    struct lam_module_call call = {"abc", 3, result, sizeof(result), 0};

    cr_assert_eq(lam_module_call(module, "echo", &call), 0);
    cr_assert_eq(call.result_bytes, 5);
    cr_assert_eq(result[0], kind);
    cr_assert_eq(result[1], calls);
    cr_assert_eq(memcmp(result + 2, "abc", 3), 0);
}

Test(runtime, a_module_is_loaded_described_and_called)
{
    struct lam_runtime_module *module;
    struct lam_error error = {""};

    copy_module("good", file);
    cr_assert_eq(lam_runtime_load(&module, file, &error), 0, "%s", error.text);
    cr_assert_str_eq(lam_runtime_describe(module)->name, "test");
    expect_echo(module, 1, 1);
    expect_echo(module, 1, 2);
    cr_assert_eq(lam_runtime_refresh(module, &error), 0);
    expect_echo(module, 1, 3);
    lam_runtime_unload(module);
    lam_runtime_unload(NULL);
}

Test(runtime, calls_that_cannot_be_answered_are_errors)
{
    struct lam_runtime_module *module;
    unsigned char result[4];
    struct lam_module_call call = {"abc", 3, result, sizeof(result), 77};

    copy_module("good", file);
    cr_assert_eq(lam_runtime_load(&module, file, NULL), 0);
    cr_assert_eq(lam_module_call(module, "nothing", &call), -ENOENT);
    cr_assert_eq(lam_module_call(module, "echo", &call), -ENOSPC);
    cr_assert_eq(call.result_bytes, 77);
    lam_runtime_unload(module);
}

Test(runtime, a_method_that_says_it_wrote_past_its_room_is_not_believed)
{
    struct lam_runtime_module *module;
    unsigned char result[16];
    struct lam_module_call call = {"abc", 3, result, sizeof(result), 77};

    copy_module("writes_wrong", file);
    cr_assert_eq(lam_runtime_load(&module, file, NULL), 0);
    cr_assert_eq(lam_module_call(module, "echo", &call), -EPROTO);
    cr_assert_eq(call.result_bytes, 77);
    lam_runtime_unload(module);
}

Test(runtime, a_replaced_file_takes_the_calls_after_a_refresh)
{
    struct lam_runtime_module *module;
    struct lam_error error = {""};

    copy_module("good", file);
    cr_assert_eq(lam_runtime_load(&module, file, NULL), 0);
    expect_echo(module, 1, 1);
    for (int i = 0; i < 20; i++) {
        replace_module(i % 2 == 0 ? "good_too" : "good");
        expect_echo(module, i % 2 == 0 ? 1 : 8, 2);
        cr_assert_eq(lam_runtime_refresh(module, &error), 1, "%s", error.text);
        expect_echo(module, i % 2 == 0 ? 8 : 1, 1);
    }
    lam_runtime_unload(module);
}

Test(runtime, a_file_overwritten_in_place_does_not_touch_what_runs)
{
    struct lam_runtime_module *module;

    copy_module("good", file);
    cr_assert_eq(lam_runtime_load(&module, file, NULL), 0);
    cr_assert_eq(truncate(file, 0), 0);
    expect_echo(module, 1, 1);
    copy_module("good_too", file);
    expect_echo(module, 1, 2);
    cr_assert_eq(lam_runtime_refresh(module, NULL), 1);
    expect_echo(module, 8, 1);
    lam_runtime_unload(module);
}

Test(runtime, wrong_files_are_refused_with_the_reason_and_leave_the_old_one_in_service)
{
    static const struct {
        const char *kind;
        int code;
        const char *words;
    } cases[] = {
        {"abi_to_come", -EPROTO, "the ABI is 2, expected 1"},
        {"too_small", -EPROTO, "the description's size is 8, expected"},
        {"no_name", -EPROTO, "no name or no version"},
        {"too_many", -EPROTO, "the number of methods is 257, expected 256"},
        {"no_code", -EPROTO, "method 1 has no name or no code"},
        {"no_symbol", -ENOEXEC, "lam_module_description"},
    };
    struct lam_runtime_module *module, *other;

    copy_module("good", file);
    cr_assert_eq(lam_runtime_load(&module, file, NULL), 0);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lam_error error = {""};

        replace_module(cases[i].kind);
        cr_expect_eq(lam_runtime_load(&other, file, &error), cases[i].code, "%s", cases[i].kind);
        cr_expect_not_null(strstr(error.text, cases[i].words), "%s", error.text);
        cr_expect_not_null(strstr(error.text, file), "%s", error.text);
        cr_expect_eq(lam_runtime_refresh(module, NULL), cases[i].code);
        expect_echo(module, 1, (unsigned char)(i + 1));
    }
    lam_runtime_unload(module);
}

Test(runtime, a_missing_file_a_folder_and_other_bytes_are_refused)
{
    struct lam_runtime_module *module;
    struct lam_error error = {""};
    FILE *text;

    cr_assert_eq(lam_runtime_load(&module, file, &error), -ENOENT);
    cr_assert_not_null(strstr(error.text, file));
    cr_assert_eq(lam_runtime_load(&module, "/tmp", NULL), -EINVAL);
    text = fopen(file, "we");
    cr_assert_not_null(text);
    cr_assert_gt(fprintf(text, "no shared object\n"), 0);
    cr_assert_eq(fclose(text), 0);
    cr_assert_eq(lam_runtime_load(&module, file, NULL), -ENOEXEC);
}
