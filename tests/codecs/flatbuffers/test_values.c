/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: plain structs go into messages and come back, in exactly the bytes that were announced,
 * from exactly the arena that is needed. Method: the example and broken values, through the codec.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "example.h"

TestSuite(fb_values, .timeout = 20);

static _Alignas(16) unsigned char memory[EXAMPLE_BYTES];
static _Alignas(16) unsigned char again[EXAMPLE_BYTES];
static _Alignas(16) unsigned char room[2 * EXAMPLE_BYTES];
static const struct lam_codec *const codec = &test_all_Everything_flatbuffers;
static struct lam_arena arena;

static size_t pack_example(void)
{
    size_t size;

    cr_assert(eq(int, test_all_Everything_pack(&example, memory, sizeof(memory), &size), 0));
    return size;
}

Test(fb_values, a_value_comes_back_as_it_went)
{
    struct test_all_Everything value;
    size_t size = pack_example();
    size_t again_size;

    lam_arena_init(&arena, room, sizeof(room));
    cr_assert(eq(int, test_all_Everything_unpack(memory, size, &value, &arena), 0));
    cr_assert(eq(int, test_all_Everything_pack(&value, again, sizeof(again), &again_size), 0));
    cr_assert(eq(sz, again_size, size));
    cr_assert(eq(int, memcmp(memory, again, size), 0));
    cr_assert(eq(u32, value.tree->children.count, 3));
    cr_assert(eq(str, (char *)value.tree->children.data[1].label.data, "right"));
    cr_assert(value.frame->points[1].y == 7);
}

Test(fb_values, packing_and_building_mean_the_same)
{
    size_t size = pack_example();
    size_t built;
    char *packed = strdup(example_describe(codec, memory, size));

    cr_assert(eq(int, example_build(again, sizeof(again), &built), 0));
    cr_assert(lt(sz, 100, strlen(packed)));
    cr_assert(eq(str, (char *)example_describe(codec, again, built), packed));
    free(packed);
}

Test(fb_values, the_bound_is_exact_and_every_smaller_buffer_refused)
{
    size_t need = test_all_Everything_bound(&example);
    size_t size;

    for (size_t capacity = 0; capacity <= need; capacity++) {
        memset(memory, 0xa5, sizeof(memory));
        cr_assert(eq(int, test_all_Everything_pack(&example, memory, capacity, &size),
            capacity < need ? -ENOSPC : 0));
        for (size_t i = capacity; i < sizeof(memory); i++)
            cr_assert(eq(u8, memory[i], 0xa5));
    }
    cr_assert(eq(sz, size, need));
}

Test(fb_values, an_arena_too_small_is_refused_and_left_as_it_was)
{
    struct test_all_Everything value;
    size_t size = pack_example();
    size_t need;

    lam_arena_init(&arena, room, sizeof(room));
    cr_assert(eq(int, test_all_Everything_unpack(memory, size, &value, &arena), 0));
    need = arena.used;
    for (size_t capacity = 0; capacity < need; capacity++) {
        lam_arena_init(&arena, room, capacity);
        cr_assert(eq(int, test_all_Everything_unpack(memory, size, &value, &arena), -ENOSPC));
        cr_assert(eq(sz, arena.used, 0));
    }
    cr_assert(eq(int, test_all_Everything_unpack(memory, size, &value, NULL), -ENOSPC));
}

Test(fb_values, a_value_does_not_depend_on_the_message)
{
    struct test_all_Everything value;
    size_t size = pack_example();
    size_t again_size;

    lam_arena_init(&arena, room, sizeof(room));
    cr_assert(eq(int, test_all_Everything_unpack(memory, size, &value, &arena), 0));
    memset(memory, 0xff, sizeof(memory));
    cr_assert(eq(int, test_all_Everything_pack(&value, again, sizeof(again), &again_size), 0));
    (void)pack_example();
    cr_assert(eq(int, memcmp(memory, again, size), 0));
}

Test(fb_values, a_fresh_value_is_all_defaults)
{
    struct test_all_Everything value;

    test_all_Everything_init(&value);
    cr_assert(eq(u64, value.a_u64, UINT64_MAX));
    cr_assert(value.an_f32 == 0.1F);
    cr_assert(value.a_bool);
    cr_assert(eq(u8, value.maybe_u16.is_present, 0));
    cr_assert(value.text.data == NULL);
}

Test(fb_values, a_value_without_a_required_part_is_refused)
{
    struct test_all_Everything value = example;
    size_t size;

    value.text.data = NULL;
    cr_assert(eq(sz, test_all_Everything_bound(&value), SIZE_MAX));
    cr_assert(eq(int, test_all_Everything_pack(&value, memory, sizeof(memory), &size), -EINVAL));
    value = example;
    value.u64s.data = NULL;
    cr_assert(eq(int, test_all_Everything_pack(&value, memory, sizeof(memory), &size), -EINVAL));
}

Test(fb_values, a_union_and_its_tag_go_together)
{
    struct test_all_Everything value = example;
    size_t size;

    value.thing = NULL;
    cr_assert(eq(int, test_all_Everything_pack(&value, memory, sizeof(memory), &size), -EINVAL));
    value = example;
    value.thing_type = test_all_Thing_NONE;
    cr_assert(eq(int, test_all_Everything_pack(&value, memory, sizeof(memory), &size), -EINVAL));
    value.thing_type = 77;
    cr_assert(eq(int, test_all_Everything_pack(&value, memory, sizeof(memory), &size), -EINVAL));
    value.thing_type = test_all_Thing_NONE;
    value.thing = NULL;
    cr_assert(eq(int, test_all_Everything_pack(&value, memory, sizeof(memory), &size), 0));
}

Test(fb_values, a_member_that_is_not_known_reads_as_none)
{
    struct test_all_Everything value;
    size_t size = pack_example();
    struct test_all_Everything_view view = test_all_Everything_root(memory);

    for (size_t i = 0;
         i < test_all_Everything_type.types[test_all_Everything_type.root].field_count; i++) {
        const struct lam_field *field =
            &test_all_Everything_type.types[test_all_Everything_type.root].fields[i];

        if (strcmp(field->name, "thing_type") == 0)
            memory[lam_fb_field(view.at, field->slot) - memory] = 200;
    }
    cr_assert(eq(u8, test_all_Everything_get_thing_type(view), 200));
    lam_arena_init(&arena, room, sizeof(room));
    cr_assert(eq(int, test_all_Everything_unpack(memory, size, &value, &arena), 0));
    cr_assert(eq(u8, value.thing_type, test_all_Thing_NONE));
    cr_assert(value.thing == NULL);
    cr_assert(eq(int, test_all_Everything_pack(&value, again, sizeof(again), &size), 0));
}

Test(fb_values, a_value_that_contains_itself_is_refused)
{
    struct test_all_Node node = {.children = {&node, 1}};
    size_t size;

    cr_assert(eq(sz, test_all_Node_bound(&node), SIZE_MAX));
    cr_assert(eq(int, test_all_Node_pack(&node, memory, sizeof(memory), &size), -EINVAL));
}

Test(fb_values, a_view_is_copied_without_verifying_again)
{
    struct test_parts_Part part;
    size_t size = pack_example();

    cr_assert(eq(int, test_all_Everything_verify(memory, size, NULL), 0));
    lam_arena_init(&arena, room, sizeof(room));
    cr_assert(eq(int,
        test_parts_Part_copy(
            test_all_Everything_get_best(test_all_Everything_root(memory)), &part, &arena),
        0));
    cr_assert(eq(str, (char *)part.name.data, "bolt"));
}

Test(fb_values, a_description_is_cut_and_terminated)
{
    char text[32];
    size_t size = pack_example();
    int64_t length = codec->describe(codec, memory, size, NULL, 0);

    cr_assert(lt(i64, 100, length));
    for (size_t capacity = 1; capacity <= sizeof(text); capacity++) {
        memset(text, 'x', sizeof(text));
        cr_assert(eq(i64, codec->describe(codec, memory, size, text, capacity), length));
        cr_assert(eq(sz, strlen(text), capacity - 1));
    }
    memory[0] = 0;
    cr_assert(eq(i64, codec->describe(codec, memory, size, text, sizeof(text)), -EBADMSG));
}

Test(fb_values, types_and_codecs_have_hashes_of_their_own)
{
    cr_assert(
        ne(u64, test_all_Everything_flatbuffers.type_hash, test_all_Everything_msgpack.type_hash));
    cr_assert(
        ne(u64, test_all_Everything_flatbuffers.type_hash, test_all_Node_flatbuffers.type_hash));
    cr_assert(ne(u64, codec->type_hash, 0));
    cr_assert(eq(sz, strlen(codec->schema), codec->schema_bytes));
    cr_assert(eq(sz, codec->payload_align, 16));
    cr_assert(eq(sz, codec->value_bytes, sizeof(struct test_all_Everything)));
}
