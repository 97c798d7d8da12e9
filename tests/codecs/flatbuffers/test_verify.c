/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each rule of the verifier refuses what it is for, and says where. Method: one small good
 * message of schemas/parts.fbs whose bytes are all known, spoilt at one place a case; then depth
 * and amount.
 *
 *   0 root offset  8 vtable: 8, 16, 4, 8  16 table: vtable, name, price  32 string: 4 "bolt" NUL
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "everything.h"

TestSuite(fb_verify, .timeout = 20);

#define MESSAGE_BYTES 41

static _Alignas(16) unsigned char memory[1 << 16];

static size_t build_part(void)
{
    struct lam_fb_builder b;
    struct test_parts_Part_at part;
    size_t size;

    lam_fb_builder_init(&b, memory, sizeof(memory));
    part = test_parts_Part_start(&b);
    test_parts_Part_set_name(&b, part, "bolt", 4);
    test_parts_Part_set_price(&b, part, 2.5);
    cr_assert(eq(int, test_parts_Part_finish(&b, &size), 0));
    cr_assert(eq(int, test_parts_Part_verify(memory, size, NULL), 0));
    return size;
}

struct spoilt {
    uint32_t at;
    uint32_t bytes;
    uint32_t value;
    const char *reason;
};

static const struct spoilt cases[] = {
    {0, 4, 0, "test.parts.Part: at byte 0 of 41: an offset is 0"},
    {0, 4, 40, "an offset leads outside"},
    {0, 4, 38, "an offset leads outside"},
    {0, 4, UINT32_MAX, "an offset leads outside"},
    {0, 4, UINT32_C(0x80000010), "an offset leads outside"},
    {0, 4, 18, "an offset leads to an unaligned place"},
    {16, 4, 17, "a table's vtable lies outside or unaligned"},
    {16, 4, 9, "a table's vtable lies outside or unaligned"},
    {16, 4, 16, "a table's vtable lies outside or unaligned"},
    {16, 4, UINT32_MAX - 22, "a table's vtable lies outside or unaligned"},
    {16, 4, UINT32_C(0x80000000), "a table's vtable lies outside or unaligned"},
    {16, 4, 0, "a vtable has an impossible size"},
    {8, 2, 0, "a vtable has an impossible size"},
    {8, 2, 2, "a vtable has an impossible size"},
    {8, 2, 7, "a vtable has an impossible size"},
    {8, 2, 34, "a vtable has an impossible size"},
    {10, 2, 3, "a table has an impossible size"},
    {10, 2, 26, "a table has an impossible size"},
    {12, 2, 0, "test.parts.Part.name: at byte 16 of 41: a required field is absent"},
    {8, 2, 4, "a required field is absent"},
    {12, 2, 3, "a field lies outside its table"},
    {12, 2, 13, "a field lies outside its table"},
    {12, 2, 65535, "a field lies outside its table"},
    {12, 2, 6, "a field is not aligned"},
    {14, 2, 9, "a field lies outside its table"},
    {14, 2, 4, "test.parts.Part.price: at byte 20 of 41: a field is not aligned"},
    {10, 2, 15, "a field lies outside its table"},
    {20, 4, 0, "an offset is 0"},
    {20, 4, 20, "an offset leads outside"},
    {20, 4, 14, "an offset leads to an unaligned place"},
    {32, 4, 5, "a string is longer than the message"},
    {32, 4, UINT32_MAX, "a string is longer than the message"},
    {32, 4, 3, "a string does not end in NUL"},
    {40, 1, 1, "a string does not end in NUL"},
};

Test(fb_verify, each_rule_refuses_what_it_is_for_and_says_where)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lam_error error = {{0}};
        size_t size = build_part();

        cr_assert(eq(sz, size, MESSAGE_BYTES));
        memcpy(memory + cases[i].at, &cases[i].value, cases[i].bytes);
        cr_assert(eq(int, test_parts_Part_verify(memory, size, &error), -EBADMSG), "case %zu", i);
        cr_assert(strstr(error.text, cases[i].reason) != NULL, "case %zu: %s", i, error.text);
    }
}

Test(fb_verify, every_shorter_message_is_refused)
{
    size_t size = build_part();

    for (size_t shorter = 0; shorter < size; shorter++)
        cr_assert(eq(int, test_parts_Part_verify(memory, shorter, NULL), -EBADMSG));
    cr_assert(eq(int, test_parts_Part_verify(memory, (size_t)INT32_MAX + 1, NULL), -EBADMSG));
}

Test(fb_verify, an_unaligned_start_and_another_identifier_are_refused)
{
    struct lam_fb_builder b;
    struct test_all_Everything_at table;
    struct lam_error error = {{0}};
    size_t size = build_part();

    memmove(memory + 4, memory, size);
    cr_assert(eq(int, test_parts_Part_verify(memory + 4, size, &error), -EBADMSG));
    cr_assert(strstr(error.text, "unaligned address") != NULL, "%s", error.text);
    lam_fb_builder_init(&b, memory, sizeof(memory));
    table = test_all_Everything_start(&b);
    test_all_Everything_set_text(&b, table, "t", 1);
    cr_assert(eq(int, test_all_Everything_finish(&b, &size), 0));
    cr_assert(eq(int, memcmp(memory + 4, "EVRY", 4), 0));
    memory[7]++;
    cr_assert(eq(int, test_all_Everything_verify(memory, size, &error), -EBADMSG));
    cr_assert(strstr(error.text, "file identifier") != NULL, "%s", error.text);
}

Test(fb_verify, fields_that_are_not_known_are_left_alone)
{
    /* A writer with a third field, whose place means nothing to us. */
    size_t size = build_part();

    memmove(memory + 6, memory + 8, 8); /* the vtable, two bytes longer at its end */
    memory[6] = 10;
    memory[14] = 0xff;
    memory[15] = 0xff;
    memory[16] = 10;
    cr_assert(eq(int, test_parts_Part_verify(memory, size, NULL), 0));
    cr_assert(test_parts_Part_get_price(test_parts_Part_root(memory)) == 2.5);
}

/* Nodes in a row, @depth of them. */
static size_t build_chain(uint32_t depth)
{
    struct lam_fb_builder b;
    struct test_all_Node_at node;
    size_t size;

    lam_fb_builder_init(&b, memory, sizeof(memory));
    node = test_all_Node_start(&b);
    for (uint32_t i = 1; i < depth; i++)
        node = test_all_Node_vector_open(&b, test_all_Node_open_children(&b, node, 1), 0);
    cr_assert(eq(int, test_all_Node_finish(&b, &size), 0));
    return size;
}

Test(fb_verify, depth_is_bounded)
{
    struct lam_error error = {{0}};
    size_t size = build_chain(64);

    cr_assert(eq(int, test_all_Node_verify(memory, size, NULL), 0));
    size = build_chain(65);
    cr_assert(eq(int, test_all_Node_verify(memory, size, &error), -EBADMSG));
    cr_assert(strstr(error.text, "nested too deep") != NULL, "%s", error.text);
    cr_assert(strstr(error.text, "test.all.Node.children[0].children[0]") != NULL);
}

/* Each node refers twice to the next one: 2^@depth ways through a few hundred bytes. */
static size_t build_doubling(uint32_t depth)
{
    struct lam_fb_builder b;
    struct test_all_Node_at node;
    size_t size;

    lam_fb_builder_init(&b, memory, sizeof(memory));
    node = test_all_Node_start(&b);
    for (uint32_t i = 1; i < depth; i++) {
        struct test_all_Node_vector_at children = test_all_Node_open_children(&b, node, 2);

        node = test_all_Node_vector_open(&b, children, 0);
        lam_fb_store_u32(&b, children.at + 8, node.at - (children.at + 8));
        b.missing--;
    }
    cr_assert(eq(int, test_all_Node_finish(&b, &size), 0));
    return size;
}

Test(fb_verify, small_messages_can_not_ask_for_much_work)
{
    struct lam_error error = {{0}};
    size_t size = build_doubling(5);

    cr_assert(eq(int, test_all_Node_verify(memory, size, NULL), 0));
    size = build_doubling(60);
    cr_assert(eq(int, test_all_Node_verify(memory, size, &error), -EBADMSG));
    cr_assert(strstr(error.text, "too often") != NULL, "%s", error.text);
}

Test(fb_verify, limits_can_be_tighter)
{
    struct lam_fb_limits limits = {.depth = 3, .tables = 3, .bytes = 0};
    size_t size = build_chain(3);

    cr_assert(eq(int, lam_fb_verify_within(&test_all_Node_type, memory, size, &limits, NULL), 0));
    limits.depth = 2;
    cr_assert(
        eq(int, lam_fb_verify_within(&test_all_Node_type, memory, size, &limits, NULL), -EBADMSG));
    limits = (struct lam_fb_limits){.depth = 3, .tables = 2, .bytes = 0};
    cr_assert(
        eq(int, lam_fb_verify_within(&test_all_Node_type, memory, size, &limits, NULL), -EBADMSG));
    limits = (struct lam_fb_limits){.depth = 3, .tables = 3, .bytes = 16};
    cr_assert(
        eq(int, lam_fb_verify_within(&test_all_Node_type, memory, size, &limits, NULL), -EBADMSG));
}

Test(fb_verify, elements_of_vectors_are_aligned_but_empty_vectors_need_not_be)
{
    struct lam_fb_builder b;
    struct test_all_Everything_at table;
    struct lam_error error = {{0}};
    const uint64_t *data;
    uint32_t link = 0;
    size_t size;

    lam_fb_builder_init(&b, memory, sizeof(memory));
    table = test_all_Everything_start(&b);
    test_all_Everything_set_text(&b, table, "t", 1);
    test_all_Everything_set_u64s(&b, table, (const uint64_t[]){1, 2}, 2);
    cr_assert(eq(int, test_all_Everything_finish(&b, &size), 0));
    data = test_all_Everything_get_u64s(test_all_Everything_root(memory)).data;
    for (uint16_t slot = 4; link == 0; slot += 2) {
        if (lam_fb_field(memory + table.at, slot) != NULL &&
            lam_fb_object(memory + table.at, slot) + 4 == (const unsigned char *)data)
            link = (uint32_t)(lam_fb_field(memory + table.at, slot) - memory);
    }
    lam_fb_store_u32(&b, link, lam_fb_load_u32(memory + link) + 4); /* its count is the old 1 */
    cr_assert(eq(int, test_all_Everything_verify(memory, size, &error), -EBADMSG));
    cr_assert(strstr(error.text, "not aligned") != NULL, "%s", error.text);
    lam_fb_store_u32(&b, link + lam_fb_load_u32(memory + link), 0);
    cr_assert(eq(int, test_all_Everything_verify(memory, size, &error), 0), "%s", error.text);
}
