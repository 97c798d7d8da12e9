/* SPDX-License-Identifier: Apache-2.0 */
#include "example.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SPAN(array)                                                                                \
    {                                                                                              \
        (array), COUNT(array)                                                                      \
    }
#define STRING(literal)                                                                            \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

static const uint8_t bools[] = {1, 0, 1};
static const int8_t i8s[] = {-128, 0, 127};
static const uint8_t bytes[] = {0, 255, 1, 254, 7};
static const uint16_t u16s[] = {0, 65535, 300};
static const int32_t i32s[] = {INT32_MIN, -1, 0, INT32_MAX};
static const uint64_t u64s[] = {0, UINT64_MAX, UINT64_C(1) << 40};
static const float f32s[] = {0.5F, -0.25F, 1e10F};
static const double f64s[] = {0.125, -1e100};
static const int8_t levels[] = {-1, 1, 0};
static const uint64_t all_rights[] = {1, UINT64_C(1) << 63, 3};
static const struct lam_string texts[] = {STRING("one"), STRING(""), STRING("three \xc3\xa4\n")};
static const struct test_parts_Point points[] = {{.x = 1, .y = 2.5}, {.x = -3, .y = 4}};
static const struct test_parts_Frame frames[] = {
    {.corner = {.x = 7, .y = 8},
        .visible = 1,
        .color = 200,
        .weights = {1, 2, 3},
        .points = {{.x = 4, .y = 5}, {.x = 6, .y = 7}}},
    {.color = 1, .weights = {0.5F, 0, -1}}};
static const struct test_parts_Part parts[] = {
    {.name = STRING("bolt"), .price = 0.25}, {.name = STRING(""), .price = 1e9}};
static const struct test_all_Node leaves[] = {
    {.label = STRING("left")}, {.label = STRING("right")}, {.label = {0}}};
static const struct test_all_Node tree = {.label = STRING("root"), .children = SPAN(leaves)};
static const struct test_all_Empty nothing;

static const struct lam_string word = STRING("a word");

const struct test_all_Everything example = {.a_bool = false,
    .an_i8 = -7,
    .a_u8 = 8,
    .an_i16 = -9,
    .a_u16 = 10,
    .an_i32 = -11,
    .a_u32 = 12,
    .an_i64 = -13,
    .a_u64 = 14,
    .an_f32 = 15.5F,
    .an_f64 = -16.25,
    .infinite = 17,
    .level = test_all_Level_Low,
    .color = test_parts_Color_Red,
    .rights = test_parts_Right_Write,
    .maybe_u16 = {0, 1},
    .maybe_bool = {1, 1},
    .maybe_level = {0, 1},
    .point = &points[1],
    .frame = &frames[0],
    .class_ = 18,
    .errno_ = STRING("no error"),
    .text = STRING("hello"),
    .bools = SPAN(bools),
    .i8s = SPAN(i8s),
    .bytes = SPAN(bytes),
    .u16s = SPAN(u16s),
    .i32s = SPAN(i32s),
    .u64s = SPAN(u64s),
    .f32s = SPAN(f32s),
    .f64s = SPAN(f64s),
    .levels = SPAN(levels),
    .all_rights = SPAN(all_rights),
    .texts = SPAN(texts),
    .points = SPAN(points),
    .frames = SPAN(frames),
    .parts = SPAN(parts),
    .best = &parts[0],
    .tree = &tree,
    .nothing = &nothing,
    .thing_type = test_all_Thing_test_parts_Part,
    .thing = &parts[0],
    .spot_type = test_all_Thing_Spot,
    .spot = &points[1],
    .word_type = test_all_Thing_Word,
    .word = &word};

static void set_scalars(struct lam_fb_builder *b, struct test_all_Everything_at table)
{
    test_all_Everything_set_maybe_level(b, table, example.maybe_level.value);
    test_all_Everything_set_maybe_bool(b, table, example.maybe_bool.value != 0);
    test_all_Everything_set_maybe_u16(b, table, example.maybe_u16.value);
    test_all_Everything_set_rights(b, table, example.rights);
    test_all_Everything_set_color(b, table, example.color);
    test_all_Everything_set_level(b, table, example.level);
    test_all_Everything_set_infinite(b, table, example.infinite);
    test_all_Everything_set_an_f64(b, table, example.an_f64);
    test_all_Everything_set_an_f32(b, table, example.an_f32);
    test_all_Everything_set_a_u64(b, table, 1);
    test_all_Everything_set_a_u64(b, table, example.a_u64); /* a scalar may be set again */
    test_all_Everything_set_an_i64(b, table, example.an_i64);
    test_all_Everything_set_a_u32(b, table, example.a_u32);
    test_all_Everything_set_an_i32(b, table, example.an_i32);
    test_all_Everything_set_a_u16(b, table, example.a_u16);
    test_all_Everything_set_an_i16(b, table, example.an_i16);
    test_all_Everything_set_a_u8(b, table, example.a_u8);
    test_all_Everything_set_an_i8(b, table, example.an_i8);
    test_all_Everything_set_a_bool(b, table, example.a_bool);
    test_all_Everything_set_class(b, table, example.class_);
    test_all_Everything_set_frame(b, table, example.frame);
    test_all_Everything_set_point(b, table, example.point);
}

static void set_vectors(struct lam_fb_builder *b, struct test_all_Everything_at table)
{
    uint8_t *opened;

    test_all_Everything_set_f64s(b, table, f64s, COUNT(f64s));
    test_all_Everything_set_f32s(b, table, f32s, COUNT(f32s));
    test_all_Everything_set_u64s(b, table, u64s, COUNT(u64s));
    test_all_Everything_set_i32s(b, table, i32s, COUNT(i32s));
    test_all_Everything_set_u16s(b, table, u16s, COUNT(u16s));
    opened = test_all_Everything_open_bytes(b, table, COUNT(bytes));
    if (opened != NULL)
        memcpy(opened, bytes, sizeof(bytes));
    test_all_Everything_set_i8s(b, table, i8s, COUNT(i8s));
    for (size_t i = 0; i < COUNT(bools); i++) {
        opened = test_all_Everything_extend_bools(b, table, 1);
        if (opened != NULL)
            *opened = bools[i];
    }
    test_all_Everything_set_levels(b, table, levels, COUNT(levels));
    test_all_Everything_set_all_rights(b, table, all_rights, COUNT(all_rights));
    test_all_Everything_set_points(b, table, points, COUNT(points));
    test_all_Everything_set_frames(b, table, frames, COUNT(frames));
}

static void set_part(
    struct lam_fb_builder *b, struct test_parts_Part_at table, const struct test_parts_Part *part)
{
    test_parts_Part_set_price(b, table, part->price);
    test_parts_Part_set_name(b, table, part->name.data, part->name.size);
}

/* Elements of vectors last to first: any order will do. */
static void set_objects(struct lam_fb_builder *b, struct test_all_Everything_at table)
{
    struct test_parts_Part_vector_at part_vector =
        test_all_Everything_open_parts(b, table, COUNT(parts));
    struct lam_fb_strings_at strings = test_all_Everything_open_texts(b, table, COUNT(texts));
    struct test_all_Node_at root = test_all_Everything_open_tree(b, table);
    struct test_all_Node_vector_at children = test_all_Node_open_children(b, root, COUNT(leaves));

    for (uint32_t i = COUNT(texts); i-- > 0;)
        lam_fb_strings_set(b, strings, i, texts[i].data, texts[i].size);
    for (uint32_t i = COUNT(parts); i-- > 0;)
        set_part(b, test_parts_Part_vector_open(b, part_vector, i), &parts[i]);
    set_part(b, test_all_Everything_open_best(b, table), &parts[0]);
    for (uint32_t i = COUNT(leaves); i-- > 0;) {
        struct test_all_Node_at leaf = test_all_Node_vector_open(b, children, i);

        if (leaves[i].label.data != NULL)
            test_all_Node_set_label(b, leaf, leaves[i].label.data, leaves[i].label.size);
    }
    test_all_Node_set_label(b, root, tree.label.data, tree.label.size);
    (void)test_all_Everything_open_nothing(b, table);
    test_all_Everything_set_word_as_Word(b, table, word.data, word.size);
    test_all_Everything_set_spot_as_Spot(b, table, &points[1]);
    set_part(b, test_all_Everything_open_thing_as_test_parts_Part(b, table), &parts[0]);
}

int example_build(void *memory, size_t capacity, size_t *size)
{
    struct lam_fb_builder b;
    struct test_all_Everything_at table;
    char *text;

    lam_fb_builder_init(&b, memory, capacity);
    table = test_all_Everything_start(&b);
    set_objects(&b, table);
    set_vectors(&b, table);
    set_scalars(&b, table);
    text = test_all_Everything_open_text(&b, table, example.text.size);
    if (text != NULL)
        memcpy(text, example.text.data, example.text.size);
    test_all_Everything_set_errno(&b, table, example.errno_.data, example.errno_.size);
    return test_all_Everything_finish(&b, size);
}

const char *example_describe(const struct lam_codec *codec, const void *from, size_t size)
{
    static char text[16384];

    return codec->describe(codec, from, size, text, sizeof(text)) < 0 ? "" : text;
}
