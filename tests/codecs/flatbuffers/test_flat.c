/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way of lam_fb_verify(), for messages of scalars and structs laid out as we do, against
 * the walk, which is what other limits than the default ones get: one answer for the same bytes,
 * whatever is wrong with them.
 */
#include "flat.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/codecs/flatbuffers/verify.h"

TestSuite(flat, .timeout = 30);

static size_t build(unsigned char *memory, size_t capacity, unsigned fields)
{
    struct flat_Pair pair = {.a = 0x01020304, .b = UINT64_C(0x1112131415161718)};
    struct lam_fb_builder b;
    struct flat_Event_at at;
    size_t size = 0;

    lam_fb_builder_init(&b, memory, capacity);
    at = flat_Event_start(&b);
    if (fields & 1)
        flat_Event_set_id(&b, at, 77);
    if (fields & 2)
        flat_Event_set_pair(&b, at, &pair);
    if (fields & 4)
        flat_Event_set_on(&b, at, true);
    if (fields & 8)
        flat_Event_set_level(&b, at, 9);
    if (fields & 16)
        flat_Event_set_words(&b, at, &pair.a, 1);
    cr_assert(eq(int, flat_Event_finish(&b, &size), 0));
    return size;
}

/* The verdict of both ways on bytes of exactly @size, so that a sanitizer sees a step too far. */
static int verdict(const struct lam_root *root, const unsigned char *bytes, size_t size)
{
    static const struct lam_fb_limits limits = LAM_FB_LIMITS_DEFAULT;
    unsigned char *exact = malloc(size + (size == 0));
    int walked, found;

    cr_assert(exact != NULL);
    memcpy(exact, bytes, size);
    walked = lam_fb_verify_within(root, exact, size, &limits, NULL);
    found = lam_fb_verify(root, exact, size, NULL);
    cr_assert(eq(int, found, walked));
    free(exact);
    return found;
}

Test(flat, whole_tables_pass_with_any_fields)
{
    _Alignas(16) unsigned char good[256];

    for (unsigned fields = 0; fields < 32; fields++)
        cr_assert(eq(int, verdict(&flat_Event_type, good, build(good, sizeof(good), fields)), 0));
}

Test(flat, one_changed_word_anywhere_gets_the_answer_of_the_walk)
{
    static const uint16_t words[] = {0, 1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48,
        56, 64, 0x7fff, 0x8000, 0xfff0, 0xffff};
    _Alignas(16) unsigned char good[256], bad[256];
    int refused = 0, passed = 0;

    for (unsigned fields = 0; fields < 32; fields++) {
        size_t size = build(good, sizeof(good), fields);

        for (size_t at = 0; at + 2 <= size; at++) {
            for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                memcpy(bad, good, size);
                memcpy(bad + at, &words[i], 2);
                if (verdict(&flat_Event_type, bad, size) == 0)
                    passed++;
                else
                    refused++;
            }
            cr_assert(eq(int, verdict(&flat_Event_type, good, at), -EBADMSG));
        }
    }
    cr_assert(passed > 1000 && refused > 1000);
}

Test(flat, a_required_struct_is_asked_for)
{
    _Alignas(16) unsigned char message[256];
    struct flat_Pair pair = {.a = 1, .b = 2};
    struct lam_fb_builder b;
    size_t size = 0;

    lam_fb_builder_init(&b, message, sizeof(message));
    flat_Firm_set_pair(&b, flat_Firm_start(&b), &pair);
    cr_assert(eq(int, flat_Firm_finish(&b, &size), 0));
    cr_assert(eq(int, verdict(&flat_Firm_type, message, size), 0));
    /* The slot of the only field, before the table that the first word refers to. */
    memset(message + lam_fb_load_u32(message) - 2, 0, 2);
    cr_assert(eq(int, verdict(&flat_Firm_type, message, size), -EBADMSG));
}
