/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the builder stays inside its memory, keeps its first error, and finishes only what is
 * whole. Method: build into every capacity from nothing to enough with a canary behind it; break
 * each rule once.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "example.h"

TestSuite(fb_build, .timeout = 20);

static _Alignas(16) unsigned char memory[EXAMPLE_BYTES];
static struct lam_fb_builder b;
static size_t size;

static struct test_all_Everything_at start(void)
{
    lam_fb_builder_init(&b, memory, sizeof(memory));
    return test_all_Everything_start(&b);
}

static int finish(void)
{
    return test_all_Everything_finish(&b, &size);
}

Test(fb_build, every_capacity_below_the_need_is_refused_and_nothing_is_written_behind)
{
    size_t need;

    cr_assert(eq(int, example_build(memory, sizeof(memory), &need), 0));
    for (size_t capacity = 0; capacity <= need; capacity++) {
        memset(memory, 0xa5, sizeof(memory));
        cr_assert(eq(int, example_build(memory, capacity, &size), capacity < need ? -ENOSPC : 0));
        for (size_t i = capacity; i < sizeof(memory); i++)
            cr_assert(eq(u8, memory[i], 0xa5), "byte %zu at capacity %zu", i, capacity);
    }
    cr_assert(eq(sz, size, need));
    cr_assert(eq(int, test_all_Everything_verify(memory, size, NULL), 0));
}

Test(fb_build, old_bytes_do_not_come_through)
{
    static _Alignas(16) unsigned char other[EXAMPLE_BYTES];
    size_t other_size;

    memset(memory, 0xff, sizeof(memory));
    cr_assert(eq(int, example_build(memory, sizeof(memory), &size), 0));
    cr_assert(eq(int, example_build(other, sizeof(other), &other_size), 0));
    cr_assert(eq(sz, size, other_size));
    cr_assert(eq(int, memcmp(memory, other, size), 0));
}

Test(fb_build, a_missing_required_field_is_noticed_at_the_end)
{
    (void)start();
    cr_assert(eq(int, finish(), -EINVAL));
}

Test(fb_build, a_missing_required_field_of_a_nested_table_is_noticed_too)
{
    struct test_all_Everything_at table = start();

    test_all_Everything_set_text(&b, table, "t", 1);
    (void)test_all_Everything_open_best(&b, table);
    cr_assert(eq(int, finish(), -EINVAL));
}

Test(fb_build, an_element_that_was_not_given_is_noticed)
{
    struct test_all_Everything_at table = start();
    struct lam_fb_strings_at strings;

    test_all_Everything_set_text(&b, table, "t", 1);
    strings = test_all_Everything_open_texts(&b, table, 2);
    lam_fb_strings_set(&b, strings, 0, "a", 1);
    cr_assert(eq(int, finish(), -EINVAL));
}

Test(fb_build, an_object_is_given_once)
{
    struct test_all_Everything_at table = start();

    test_all_Everything_set_text(&b, table, "t", 1);
    test_all_Everything_set_text(&b, table, "u", 1);
    cr_assert(eq(int, b.error, -EINVAL));
    cr_assert(eq(int, finish(), -EINVAL));
}

Test(fb_build, an_element_is_given_once_and_inside_its_vector)
{
    struct test_all_Everything_at table = start();
    struct lam_fb_strings_at strings = test_all_Everything_open_texts(&b, table, 1);

    lam_fb_strings_set(&b, strings, 0, "a", 1);
    cr_assert(eq(int, b.error, 0));
    lam_fb_strings_set(&b, strings, 0, "a", 1);
    cr_assert(eq(int, b.error, -EINVAL));
    table = start();
    strings = test_all_Everything_open_texts(&b, table, 1);
    lam_fb_strings_set(&b, strings, 1, "a", 1);
    cr_assert(eq(int, b.error, -EINVAL));
}

Test(fb_build, only_the_last_object_can_be_extended)
{
    struct test_all_Everything_at table = start();

    cr_assert(test_all_Everything_extend_u64s(&b, table, 1) != NULL);
    test_all_Everything_set_text(&b, table, "t", 1);
    cr_assert(test_all_Everything_extend_u64s(&b, table, 1) == NULL);
    cr_assert(eq(int, finish(), -EINVAL));
}

Test(fb_build, an_extended_vector_is_one_vector)
{
    struct test_all_Everything_at table = start();
    struct lam_u64_span u64s;

    test_all_Everything_set_text(&b, table, "t", 1);
    for (uint64_t i = 0; i < 100; i += 2) {
        uint64_t *more = test_all_Everything_extend_u64s(&b, table, 2);

        more[0] = i;
        more[1] = i + 1;
    }
    cr_assert(test_all_Everything_extend_u64s(&b, table, 0) != NULL);
    cr_assert(eq(int, finish(), 0));
    cr_assert(eq(int, test_all_Everything_verify(memory, size, NULL), 0));
    u64s = test_all_Everything_get_u64s(test_all_Everything_root(memory));
    cr_assert(eq(u32, u64s.count, 100));
    for (uint64_t i = 0; i < 100; i++)
        cr_assert(eq(u64, u64s.data[i], i));
}

Test(fb_build, the_first_error_sticks_and_calls_after_it_do_nothing)
{
    struct test_all_Everything_at table = start();
    uint32_t used;

    cr_assert(test_all_Everything_open_u64s(&b, table, UINT32_MAX) == NULL);
    cr_assert(eq(int, b.error, -ENOSPC));
    used = b.used;
    test_all_Everything_set_text(&b, table, "t", 1);
    test_all_Everything_set_a_u8(&b, (struct test_all_Everything_at){0}, 1);
    cr_assert(test_all_Everything_open_tree(&b, table).at == 0);
    cr_assert(eq(u32, b.used, used));
    cr_assert(eq(int, finish(), -ENOSPC));
}

Test(fb_build, a_message_is_started_once)
{
    struct test_all_Everything_at table = start();

    test_all_Everything_set_text(&b, table, "t", 1);
    (void)test_all_Everything_start(&b);
    cr_assert(eq(int, finish(), -EINVAL));
}

Test(fb_build, nothing_started_is_nothing_finished)
{
    lam_fb_builder_init(&b, memory, sizeof(memory));
    cr_assert(eq(int, finish(), -EINVAL));
}
