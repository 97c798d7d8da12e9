/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: plain structs go through MessagePack unharmed, in exactly the bytes announced, and what
 * others wrote is read by what it means or refused with its place. Method: the example; then hand
 * written bytes for the table Part ("name" required, "price" a double).
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "example.h"

TestSuite(mp_codec, .timeout = 20);

static unsigned char memory[EXAMPLE_BYTES];
static unsigned char again[EXAMPLE_BYTES];
static _Alignas(16) unsigned char room[2 * EXAMPLE_BYTES];
static const struct lam_codec *const codec = &test_all_Everything_msgpack;
static struct lam_arena arena;
static struct lam_error error;

static size_t pack_example(void)
{
    size_t size;

    cr_assert(
        eq(int, test_all_Everything_msgpack_pack(&example, memory, sizeof(memory), &size), 0));
    return size;
}

Test(mp_codec, a_value_comes_back_as_it_went)
{
    static _Alignas(16) unsigned char flat[2][EXAMPLE_BYTES];
    struct test_all_Everything value;
    size_t size = pack_example();
    size_t sizes[2];

    cr_assert(eq(int, codec->verify(codec, memory, size, &error), 0), "%s", error.text);
    lam_arena_init(&arena, room, sizeof(room));
    cr_assert(eq(int, test_all_Everything_msgpack_unpack(memory, size, &value, &arena), 0));
    memset(memory, 0xff, sizeof(memory));
    cr_assert(eq(int, test_all_Everything_pack(&value, flat[0], EXAMPLE_BYTES, &sizes[0]), 0));
    cr_assert(eq(int, test_all_Everything_pack(&example, flat[1], EXAMPLE_BYTES, &sizes[1]), 0));
    cr_assert(eq(sz, sizes[0], sizes[1]));
    cr_assert(eq(int, memcmp(flat[0], flat[1], sizes[0]), 0));
}

Test(mp_codec, the_bound_is_exact_and_every_smaller_buffer_refused)
{
    size_t need = test_all_Everything_msgpack_bound(&example);
    size_t size;

    for (size_t capacity = 0; capacity <= need; capacity++) {
        memset(memory, 0xa5, sizeof(memory));
        cr_assert(eq(int, test_all_Everything_msgpack_pack(&example, memory, capacity, &size),
            capacity < need ? -ENOSPC : 0));
        for (size_t i = capacity; i < sizeof(memory); i++)
            cr_assert(eq(u8, memory[i], 0xa5));
    }
    cr_assert(eq(sz, size, need));
}

Test(mp_codec, an_arena_too_small_is_refused_and_left_as_it_was)
{
    struct test_all_Everything value;
    size_t size = pack_example();
    size_t need;

    lam_arena_init(&arena, room, sizeof(room));
    cr_assert(eq(int, test_all_Everything_msgpack_unpack(memory, size, &value, &arena), 0));
    need = arena.used;
    for (size_t capacity = 0; capacity < need; capacity++) {
        lam_arena_init(&arena, room, capacity);
        cr_assert(
            eq(int, test_all_Everything_msgpack_unpack(memory, size, &value, &arena), -ENOSPC));
        cr_assert(eq(sz, arena.used, 0));
    }
}

Test(mp_codec, a_value_without_a_required_part_is_refused)
{
    struct test_all_Everything value = example;
    size_t size;

    value.text.data = NULL;
    cr_assert(eq(sz, test_all_Everything_msgpack_bound(&value), SIZE_MAX));
    cr_assert(
        eq(int, test_all_Everything_msgpack_pack(&value, memory, sizeof(memory), &size), -EINVAL));
}

Test(mp_codec, bytes_are_bin)
{
    size_t size = pack_example();
    const unsigned char bin[] = {0xa5, 'b', 'y', 't', 'e', 's', 0xc4, 5, 0, 255, 1, 254, 7};

    cr_assert(memmem(memory, size, bin, sizeof(bin)) != NULL);
}

/* Reads @bytes as a Part into @part. */
static int read_part(const char *bytes, size_t size, struct test_parts_Part *part)
{
    int rc;

    lam_arena_init(&arena, room, sizeof(room));
    rc = test_parts_Part_msgpack.verify(&test_parts_Part_msgpack, bytes, size, &error);
    cr_assert(eq(int, test_parts_Part_msgpack_unpack(bytes, size, part, &arena), rc));
    return rc;
}

#define READ_PART(literal, part) read_part(literal, sizeof(literal) - 1, part)

Test(mp_codec, keys_come_in_any_order_and_unknown_ones_are_passed_over)
{
    struct test_parts_Part part;

    cr_assert(
        eq(int,
            READ_PART(
                "\x83\xa5price\xcb\x3f\xf8\0\0\0\0\0\0\xa3new\x92\x81\x01\x02\xc0\xa4name\xa1x",
                &part),
            0),
        "%s", error.text);
    cr_assert(part.price == 1.5);
    cr_assert(eq(str, (char *)part.name.data, "x"));
}

Test(mp_codec, absent_and_nil_are_the_default)
{
    struct test_parts_Part part;

    cr_assert(eq(int, READ_PART("\x82\xa4name\xa0\xa5price\xc0", &part), 0));
    cr_assert(part.price == 0.1);
    cr_assert(part.name.data != NULL);
}

Test(mp_codec, numbers_are_taken_by_value)
{
    struct test_parts_Part part;

    cr_assert(eq(int, READ_PART("\x82\xa4name\xa0\xa5price\x07", &part), 0));
    cr_assert(part.price == 7);
    cr_assert(eq(int, READ_PART("\x82\xa4name\xa0\xa5price\xca\x3f\x80\0\0", &part), 0));
    cr_assert(part.price == 1);
    cr_assert(eq(int, READ_PART("\x82\xa4name\xa0\xa5price\xd1\xff\xfe", &part), 0));
    cr_assert(part.price == -2);
    cr_assert(
        eq(int, READ_PART("\x82\xa4name\xa0\xa5price\xcf\xff\xff\xff\xff\xff\xff\xff\xff", &part),
            -EBADMSG));
}

struct refused {
    const char *bytes;
    size_t size;
    const char *reason;
};

#define REFUSED(literal, reason)                                                                   \
    {                                                                                              \
        literal, sizeof(literal) - 1, reason                                                       \
    }

static const struct refused cases[] = {
    REFUSED("", "test.parts.Part: at byte 0 of 0: a value is missing"),
    REFUSED("\xc0", "not a map"),
    REFUSED("\x80", "test.parts.Part.name: at byte 1 of 1: a required field is absent"),
    REFUSED("\x81\xa4name\xc0", "a required field is absent"),
    REFUSED("\x81\xa4name\xc4\x01x", "test.parts.Part.name: at byte 6 of 9: not a string"),
    REFUSED("\x81\xa4name\x01", "not a string"),
    REFUSED("\x81\x01\xa1x", "not a string"),
    REFUSED("\x82\xa4name\xa0\xa4name\xa0", "a key is there twice"),
    REFUSED("\x81\xa4name\xa0\xc0", "more bytes follow the value"),
    REFUSED("\x84\xa4name\xa0", "a count or a length is larger than what is left"),
    REFUSED("\xdf\xff\xff\xff\xff", "a count or a length is larger than what is left"),
    REFUSED("\x81\xa4name\xdb\xff\xff\xff\xff", "a count or a length is larger"),
    REFUSED("\x82\xa4name\xa0\xa5price\xa1x", "price: at byte 13 of 15: not a number"),
    REFUSED("\x82\xa4name\xa0\xa5price\xc1", "the byte 0xc1 means nothing"),
    REFUSED("\x82\xa4name\xa0\xa5price\xcb\0\0", "ends inside a value"),
};

Test(mp_codec, what_is_wrong_is_refused_and_said)
{
    struct test_parts_Part part;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert(
            eq(int, read_part(cases[i].bytes, cases[i].size, &part), -EBADMSG), "case %zu", i);
        cr_assert(strstr(error.text, cases[i].reason) != NULL, "case %zu: %s", i, error.text);
    }
}

/* The map of one @key of Everything, with the value @bytes, and the required text. */
static int read_field(const char *key, const char *bytes, size_t size)
{
    struct test_all_Everything value;
    size_t used = 0;

    memory[used++] = 0x82;
    memory[used++] = (unsigned char)(0xa0 + strlen(key));
    memcpy(memory + used, key, strlen(key));
    used += strlen(key);
    memcpy(memory + used, bytes, size);
    used += size;
    memcpy(memory + used, "\xa4text\xa0", 6);
    used += 6;
    lam_arena_init(&arena, room, sizeof(room));
    return test_all_Everything_msgpack_unpack(memory, used, &value, &arena);
}

#define READ_FIELD(key, literal) read_field(key, literal, sizeof(literal) - 1)

Test(mp_codec, integers_have_to_fit_their_field)
{
    cr_assert(eq(int, READ_FIELD("a_u8", "\xcd\x00\xff"), 0));
    cr_assert(eq(int, READ_FIELD("a_u8", "\xcd\x01\x00"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("a_u8", "\xff"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("an_i8", "\xd3\xff\xff\xff\xff\xff\xff\xff\x80"), 0));
    cr_assert(eq(int, READ_FIELD("an_i8", "\xd1\xff\x7f"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("an_i8", "\xcc\x80"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("an_i32", "\xce\x7f\xff\xff\xff"), 0));
    cr_assert(eq(int, READ_FIELD("an_i32", "\xce\x80\x00\x00\x00"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("an_i64", "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), 0));
    cr_assert(eq(int, READ_FIELD("an_i64", "\xcf\x80\0\0\0\0\0\0\0"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("an_i64", "\xd3\x80\0\0\0\0\0\0\0"), 0));
    cr_assert(eq(int, READ_FIELD("a_u64", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), 0));
    cr_assert(eq(int, READ_FIELD("a_u64", "\xd0\x80"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("an_f32", "\xcb\x7f\xef\xff\xff\xff\xff\xff\xff"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("a_bool", "\x01"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("old", "\x01"), 0)); /* deprecated: not known any more */
}

Test(mp_codec, structs_are_whole)
{
    cr_assert(eq(int, READ_FIELD("point", "\x82\xa1y\x02\xa1x\x01"), 0));
    cr_assert(eq(int, READ_FIELD("point", "\x81\xa1y\x02"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("point", "\x82\xa1y\x02\xa1y\x02"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("point", "\x83\xa1y\x02\xa1x\x01\xa1z\x01"), 0));
    cr_assert(eq(int, READ_FIELD("points", "\x91\x82\xa1y\x02\xa1x\x01"), 0));
    cr_assert(eq(int, READ_FIELD("points", "\x92\x82\xa1y\x02\xa1x\x01"), -EBADMSG));
}

Test(mp_codec, unions_are_maps_of_one_pair)
{
    cr_assert(eq(int, READ_FIELD("word", "\x81\xa4Word\xa1x"), 0));
    cr_assert(eq(int, READ_FIELD("word", "\x81\xa4Spot\x82\xa1y\x02\xa1x\x01"), 0));
    cr_assert(eq(int, READ_FIELD("word", "\x81\xa4Node\x80"), 0));
    cr_assert(eq(int, READ_FIELD("word", "\x81\xa5Other\x92\x01\x02"), 0));
    cr_assert(eq(int, READ_FIELD("word", "\xc0"), 0));
    cr_assert(eq(int, READ_FIELD("word", "\x80"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("word", "\x82\xa4Word\xa1x\xa4Word\xa1x"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("word", "\x81\xa4Word\x01"), -EBADMSG));
    cr_assert(eq(int, READ_FIELD("word", "\xa1x"), -EBADMSG));
}

Test(mp_codec, tables_in_tables_are_bounded)
{
    char deep[1024];
    size_t used = 0;

    for (unsigned i = 0; i < 63; i++) {
        memcpy(deep + used,
            "\x81\xa8"
            "children"
            "\x91",
            11);
        used += 11;
    }
    deep[used++] = (char)0x80;
    lam_arena_init(&arena, room, sizeof(room));
    cr_assert(eq(int, test_all_Node_msgpack.verify(&test_all_Node_msgpack, deep, used, &error), 0));
    memcpy(deep + used - 1,
        "\x81\xa8"
        "children"
        "\x91\x80",
        12);
    cr_assert(eq(int, test_all_Node_msgpack.verify(&test_all_Node_msgpack, deep, used + 11, &error),
        -EBADMSG));
    cr_assert(strstr(error.text, "nested too deep") != NULL, "%s", error.text);
}

Test(mp_codec, spoilt_bytes_are_refused_or_read)
{
    struct test_all_Everything value;
    size_t size = pack_example();
    size_t again_size;
    size_t read = 0;

    for (size_t i = 0; i < 8 * size; i++) {
        memory[i / 8] ^= (unsigned char)(1U << (i % 8));
        lam_arena_init(&arena, room, sizeof(room));
        if (test_all_Everything_msgpack_unpack(memory, size, &value, &arena) == 0) {
            read++;
            cr_assert(eq(int,
                test_all_Everything_msgpack_pack(&value, again, sizeof(again), &again_size), 0));
        }
        memory[i / 8] ^= (unsigned char)(1U << (i % 8));
    }
    cr_assert(lt(sz, 100, read));
    for (size_t shorter = 0; shorter < size; shorter++)
        cr_assert(eq(int, codec->verify(codec, memory, shorter, NULL), -EBADMSG));
}
