/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what was built is what is read, field by field, and what is absent reads as its default.
 * Method: build schemas/everything.fbs in place, verify, and ask every generated reader.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <signal.h>

#include "example.h"

TestSuite(fb_read, .timeout = 10);

static _Alignas(16) unsigned char memory[EXAMPLE_BYTES];

static struct test_all_Everything_view build_example(void)
{
    struct lam_error error = {{0}};
    size_t size;

    cr_assert(eq(int, example_build(memory, sizeof(memory), &size), 0));
    cr_assert(eq(int, test_all_Everything_verify(memory, size, &error), 0), "%s", error.text);
    return test_all_Everything_root(memory);
}

/* A message with nothing but its one required field. */
static struct test_all_Everything_view build_bare(void)
{
    struct lam_fb_builder b;
    struct test_all_Everything_at table;
    size_t size;

    lam_fb_builder_init(&b, memory, sizeof(memory));
    table = test_all_Everything_start(&b);
    test_all_Everything_set_text(&b, table, "", 0);
    cr_assert(eq(int, test_all_Everything_finish(&b, &size), 0));
    cr_assert(eq(int, test_all_Everything_verify(memory, size, NULL), 0));
    return test_all_Everything_root(memory);
}

Test(fb_read, absent_scalars_have_their_defaults)
{
    struct test_all_Everything_view view = build_bare();

    cr_assert(test_all_Everything_get_a_bool(view));
    cr_assert(eq(i8, test_all_Everything_get_an_i8(view), INT8_MIN));
    cr_assert(eq(u8, test_all_Everything_get_a_u8(view), UINT8_MAX));
    cr_assert(eq(i16, test_all_Everything_get_an_i16(view), INT16_MIN));
    cr_assert(eq(u16, test_all_Everything_get_a_u16(view), UINT16_MAX));
    cr_assert(eq(i32, test_all_Everything_get_an_i32(view), INT32_MIN));
    cr_assert(eq(u32, test_all_Everything_get_a_u32(view), UINT32_MAX));
    cr_assert(eq(i64, test_all_Everything_get_an_i64(view), INT64_MIN));
    cr_assert(eq(u64, test_all_Everything_get_a_u64(view), UINT64_MAX));
    cr_assert(test_all_Everything_get_an_f32(view) == 0.1F);
    cr_assert(test_all_Everything_get_an_f64(view) == -1.5e300);
    cr_assert(isinf(test_all_Everything_get_infinite(view)) == -1);
    cr_assert(eq(i8, test_all_Everything_get_level(view), test_all_Level_High));
    cr_assert(eq(u8, test_all_Everything_get_color(view), test_parts_Color_Blue));
    cr_assert(eq(
        u64, test_all_Everything_get_rights(view), test_parts_Right_Read | test_parts_Right_Top));
    cr_assert(not(test_all_Everything_has_a_u64(view)));
    cr_assert(not(test_all_Everything_has_maybe_u16(view)));
    cr_assert(not(test_all_Everything_has_maybe_level(view)));
}

Test(fb_read, absent_objects_are_null_and_empty_ones_are_not)
{
    struct test_all_Everything_view view = build_bare();

    cr_assert(test_all_Everything_get_errno(view).data == NULL);
    cr_assert(test_all_Everything_get_text(view).data != NULL);
    cr_assert(eq(u32, test_all_Everything_get_text(view).size, 0));
    cr_assert(test_all_Everything_get_u64s(view).data == NULL);
    cr_assert(eq(u32, test_all_Everything_get_u64s(view).count, 0));
    cr_assert(test_all_Everything_get_parts(view).vector == NULL);
    cr_assert(eq(u32, test_all_Everything_get_parts(view).count, 0));
    cr_assert(test_all_Everything_get_texts(view).vector == NULL);
    cr_assert(test_all_Everything_get_point(view) == NULL);
    cr_assert(test_all_Everything_get_tree(view).at == NULL);
}

Test(fb_read, scalars_that_were_set_are_read_back)
{
    struct test_all_Everything_view view = build_example();

    cr_assert(not(test_all_Everything_get_a_bool(view)));
    cr_assert(test_all_Everything_has_a_bool(view));
    cr_assert(eq(i8, test_all_Everything_get_an_i8(view), -7));
    cr_assert(eq(u8, test_all_Everything_get_a_u8(view), 8));
    cr_assert(eq(i16, test_all_Everything_get_an_i16(view), -9));
    cr_assert(eq(u16, test_all_Everything_get_a_u16(view), 10));
    cr_assert(eq(i32, test_all_Everything_get_an_i32(view), -11));
    cr_assert(eq(u32, test_all_Everything_get_a_u32(view), 12));
    cr_assert(eq(i64, test_all_Everything_get_an_i64(view), -13));
    cr_assert(eq(u64, test_all_Everything_get_a_u64(view), 14));
    cr_assert(test_all_Everything_get_an_f32(view) == 15.5F);
    cr_assert(test_all_Everything_get_an_f64(view) == -16.25);
    cr_assert(eq(i8, test_all_Everything_get_level(view), test_all_Level_Low));
    cr_assert(eq(u8, test_all_Everything_get_color(view), test_parts_Color_Red));
    cr_assert(eq(u64, test_all_Everything_get_rights(view), test_parts_Right_Write));
    cr_assert(test_all_Everything_has_maybe_u16(view));
    cr_assert(eq(u16, test_all_Everything_get_maybe_u16(view), 0));
    cr_assert(test_all_Everything_get_maybe_bool(view));
    cr_assert(eq(i32, test_all_Everything_get_class(view), 18));
}

Test(fb_read, structs_lie_as_c_lays_them)
{
    struct test_all_Everything_view view = build_example();
    const struct test_parts_Frame *frame = test_all_Everything_get_frame(view);

    cr_assert(eq(ptr, (void *)((uintptr_t)frame % 16), NULL));
    cr_assert(eq(i16, test_all_Everything_get_point(view)->x, -3));
    cr_assert(test_all_Everything_get_point(view)->y == 4);
    cr_assert(eq(i16, frame->corner.x, 7));
    cr_assert(eq(u8, frame->visible, 1));
    cr_assert(eq(u8, frame->color, test_parts_Color_Blue));
    cr_assert(frame->weights[2] == 3);
    cr_assert(frame->points[1].y == 7);
    cr_assert(eq(u32, test_all_Everything_get_frames(view).count, 2));
    cr_assert(test_all_Everything_get_frames(view).data[1].weights[2] == -1);
}

Test(fb_read, vectors_are_lent_where_they_lie)
{
    struct test_all_Everything_view view = build_example();
    struct lam_u64_span u64s = test_all_Everything_get_u64s(view);
    struct lam_i32_span i32s = test_all_Everything_get_i32s(view);

    cr_assert(u64s.data > (const uint64_t *)(const void *)memory);
    cr_assert(u64s.data < (const uint64_t *)(const void *)(memory + sizeof(memory)));
    cr_assert(eq(u32, u64s.count, 3));
    cr_assert(eq(u64, u64s.data[1], UINT64_MAX));
    cr_assert(eq(i32, i32s.data[0], INT32_MIN));
    cr_assert(eq(u32, test_all_Everything_get_bools(view).count, 3));
    cr_assert(eq(u8, test_all_Everything_get_bools(view).data[2], 1));
    cr_assert(eq(u32, test_all_Everything_get_bytes(view).count, 5));
    cr_assert(test_all_Everything_get_f64s(view).data[1] == -1e100);
    cr_assert(eq(u64, test_all_Everything_get_all_rights(view).data[1], UINT64_C(1) << 63));
}

Test(fb_read, strings_and_tables_of_vectors_are_reached_by_index)
{
    struct test_all_Everything_view view = build_example();
    struct lam_fb_strings texts = test_all_Everything_get_texts(view);
    struct test_parts_Part_views parts = test_all_Everything_get_parts(view);
    struct test_all_Node_views nodes =
        test_all_Node_get_children(test_all_Everything_get_tree(view));

    cr_assert(eq(u32, texts.count, 3));
    cr_assert(eq(str, (char *)lam_fb_strings_at(texts, 0).data, "one"));
    cr_assert(eq(str, (char *)lam_fb_strings_at(texts, 2).data, "three \xc3\xa4\n"));
    cr_assert(eq(u32, parts.count, 2));
    cr_assert(
        eq(str, (char *)test_parts_Part_get_name(test_parts_Part_views_at(parts, 0)).data, "bolt"));
    cr_assert(test_parts_Part_get_price(test_parts_Part_views_at(parts, 1)) == 1e9);
    cr_assert(eq(u32, nodes.count, 3));
    cr_assert(
        eq(str, (char *)test_all_Node_get_label(test_all_Node_views_at(nodes, 1)).data, "right"));
    cr_assert(test_all_Node_get_label(test_all_Node_views_at(nodes, 2)).data == NULL);
    cr_assert(test_all_Everything_get_nothing(view).at != NULL);
}

Test(fb_read, unions_read_as_the_member_that_is_there_and_no_other)
{
    struct test_all_Everything_view view = build_example();

    cr_assert(eq(u8, test_all_Everything_get_thing_type(view), test_all_Thing_test_parts_Part));
    cr_assert(test_all_Everything_get_thing_as_Node(view).at == NULL);
    cr_assert(test_all_Everything_get_thing_as_Spot(view) == NULL);
    cr_assert(test_all_Everything_get_thing_as_Word(view).data == NULL);
    cr_assert(eq(str,
        (char *)test_parts_Part_get_name(test_all_Everything_get_thing_as_test_parts_Part(view))
            .data,
        "bolt"));
    cr_assert(eq(i16, test_all_Everything_get_spot_as_Spot(view)->x, -3));
    cr_assert(eq(str, (char *)test_all_Everything_get_word_as_Word(view).data, "a word"));
    view = build_bare();
    cr_assert(eq(u8, test_all_Everything_get_thing_type(view), test_all_Thing_NONE));
    cr_assert(not(test_all_Everything_has_thing(view)));
    cr_assert(test_all_Everything_get_thing_as_Node(view).at == NULL);
}

Test(fb_read, an_index_past_the_end_is_a_programmers_error, .signal = SIGABRT)
{
    struct test_parts_Part_views parts = test_all_Everything_get_parts(build_example());

    (void)test_parts_Part_views_at(parts, 2);
}

Test(fb_read, enums_know_the_names_of_their_values)
{
    cr_assert(eq(str, (char *)test_all_Level_name(test_all_Level_Low), "Low"));
    cr_assert(eq(str, (char *)test_parts_Color_name(200), "Blue"));
    cr_assert(test_parts_Color_name(7) == NULL);
}
