/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_descriptor.c: each field of a description that makes no sense is named.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int answer(struct lam_call *call)
{
    return call == NULL;
}

static struct lam_method methods[LAM_METHODS_MAX + 1];
static struct lam_dependency dependencies[LAM_DEPENDENCIES_MAX + 1];
static struct lam_descriptor good;
static struct lam_error error;

static void setup(void)
{
    methods[0] = (struct lam_method){"one", LAM_METHOD_ID("one"), 0, answer};
    methods[1] = (struct lam_method){"two", LAM_METHOD_ID("two"), LAM_METHOD_FLAGS, answer};
    dependencies[0] = (struct lam_dependency){"db", NULL, 0, 0};
    good = (struct lam_descriptor){.bytes = sizeof(good),
        .abi = LAM_ABI_VERSION,
        .method_count = 2,
        .method_bytes = sizeof(struct lam_method),
        .name = "good",
        .methods = methods,
        .dependency_bytes = sizeof(struct lam_dependency),
        .dependency_count = 1,
        .dependencies = dependencies};
}

TestSuite(descriptor, .init = setup, .timeout = 20);

static void expect_refused(const char *words)
{
    cr_assert(eq(int, lam_descriptor_check("m.so", &good, &error), -EPROTO));
    cr_assert(strstr(error.text, words) != NULL, "%s", error.text);
    cr_assert(strstr(error.text, "m.so") != NULL, "%s", error.text);
    setup();
}

Test(descriptor, a_good_one_passes)
{
    cr_assert(eq(int, lam_descriptor_check("m.so", &good, &error), 0), "%s", error.text);
    good.bytes += 64; /* of a later time, with more behind */
    cr_assert(eq(int, lam_descriptor_check("m.so", &good, &error), 0), "%s", error.text);
    good.method_count = good.dependency_count = 0;
    good.methods = NULL;
    good.dependencies = NULL;
    cr_assert(eq(int, lam_descriptor_check("m.so", &good, &error), 0), "%s", error.text);
}

Test(descriptor, what_is_wrong_is_named)
{
    char name[LAM_NAME_BYTES_MAX + 1];

    good.abi = 2;
    expect_refused("the ABI is 2, expected 1");
    good.bytes--;
    expect_refused("the descriptor's size");
    good.method_bytes = 8;
    expect_refused("a method's size is 8");
    good.dependency_bytes = 8;
    expect_refused("a dependency's size is 8");
    good.method_count = LAM_METHODS_MAX + 1;
    expect_refused("number of methods is 257");
    good.methods = NULL;
    expect_refused("number of methods");
    good.dependency_count = LAM_DEPENDENCIES_MAX + 1;
    expect_refused("number of dependencies is 65");
    good.dependencies = NULL;
    expect_refused("number of dependencies");
    good.name = NULL;
    expect_refused("its name has to be of 1 to 63 bytes");
    good.name = "";
    expect_refused("its name has to be of 1 to 63 bytes");
    memset(name, 'x', sizeof(name) - 1);
    name[LAM_NAME_BYTES_MAX] = '\0';
    good.name = name;
    expect_refused("its name has to be of 1 to 63 bytes");
    good.features = LAM_MODULE_FEATURES + 1;
    expect_refused("features 0x2");
    dependencies[0].name = "";
    expect_refused("the name of dependency 0 has to be of 1 to 63 bytes");
}

Test(descriptor, names_that_move_a_cursor_end_a_line_or_look_like_a_path_are_refused)
{
    static const char *const controls[] = {"a\nb", "\033[2J", "bell\a", "delete\x7f", "tab\t",
        "csi\xc2\x9b"
        "2J",
        "\xc2\x80"};

    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
        good.name = controls[i];
        expect_refused("its name has a control byte");
        methods[1].name = controls[i];
        expect_refused("the name of method 1 has a control byte");
        dependencies[0].name = controls[i];
        expect_refused("the name of dependency 0 has a control byte");
    }
    good.name = "a/b";
    expect_refused("its name has a slash");
    dependencies[0].name = "/";
    expect_refused("the name of dependency 0 has a slash");
    good.name = "gr\xc3\xbc\xc3\x9f dich \xc2\xa0";
    methods[1] = (struct lam_method){"a/b", LAM_METHOD_ID("a/b"), 0, answer};
    cr_assert(eq(int, lam_descriptor_check("m.so", &good, &error), 0), "%s", error.text);
}

Test(descriptor, what_is_wrong_with_a_method_is_named)
{
    methods[1].name = NULL;
    expect_refused("the name of method 1 has to be of 1 to 63 bytes");
    methods[1].call = NULL;
    expect_refused("method 1 has no code");
    methods[1].id++;
    expect_refused("method two has the id");
    methods[1].flags = LAM_METHOD_FLAGS + 1;
    expect_refused("method two has unknown flags");
    methods[1] = methods[0];
    expect_refused("one and one have the same id");
}

Test(descriptor, every_method_is_found_by_its_id_and_nothing_else_is)
{
    static char names[LAM_METHODS_MAX][16];
    struct lam_generation generation = {0};

    for (uint32_t i = 0; i < LAM_METHODS_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "method-%u", i);
        methods[i] = (struct lam_method){names[i], lam_method_id(names[i]), 0, answer};
    }
    good.method_count = LAM_METHODS_MAX;
    cr_assert(eq(int, lam_descriptor_check("m.so", &good, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_descriptor_keep(&generation, &good), 0));
    for (uint32_t i = 0; i < LAM_METHODS_MAX; i++) {
        const struct lam_method *found = lam_generation_find(&generation, methods[i].id);

        cr_assert(found != NULL && strcmp(found->name, names[i]) == 0);
    }
    for (uint32_t id = 0; id < 100000; id++) {
        const struct lam_method *found = lam_generation_find(&generation, id * 2654435761U);

        cr_assert(found == NULL || found->id == id * 2654435761U);
    }
    free(generation.methods);
    free(generation.needs.all);
}

Test(descriptor, the_compiler_and_the_host_give_a_name_the_same_id)
{
    /* Vectors of the algorithm's authors for "" and "a", and those that memlink publishes wrong. */
    cr_assert(eq(u32, LAM_METHOD_ID(""), 0x811c9dc5));
    cr_assert(eq(u32, LAM_METHOD_ID("a"), 0xe40c292c));
    cr_assert(eq(u32, LAM_METHOD_ID("echo"), 0xd49dd484));
    cr_assert(eq(u32, LAM_METHOD_ID("process"), 0x9ce94d7a));
    cr_assert(eq(u32, LAM_METHOD_ID("increment"), 0x3812e73e));
    cr_assert(eq(u32, LAM_METHOD_ID("add"), 0x3b391274));
    cr_assert(eq(u32, LAM_METHOD_ID("\xc3\xa9t\xc3\xa9"), lam_method_id("\xc3\xa9t\xc3\xa9")));
    cr_assert(eq(u32, LAM_METHOD_ID("abcdefghijklmnopqrstuvwxyz0123456789abcdefghijkl"),
        lam_method_id("abcdefghijklmnopqrstuvwxyz0123456789abcdefghijkl")));
}
