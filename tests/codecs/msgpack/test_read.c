/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the reader stays inside any bytes, gives each token once, and is cheap to fool for nobody.
 * Method: hand-written bytes; every sequence of one and two bytes; nesting at its limit.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lamina/codecs/msgpack/codec.h"
#include "lamina/codecs/msgpack/read.h"

#include <errno.h>

TestSuite(mp_read, .timeout = 20);

static struct lam_mp_reader reader;

Test(mp_read, tokens_come_one_at_a_time)
{
    static const unsigned char bytes[] = {0x92, 0xc3, 0xa2, 'h', 'i', 0xff};
    struct lam_mp_token token;

    lam_mp_init(&reader, bytes, sizeof(bytes));
    cr_assert(eq(int, lam_mp_next(&reader, &token), 1));
    cr_assert(token.kind == LAM_MP_ARRAY && token.count == 2);
    cr_assert(eq(int, lam_mp_next(&reader, &token), 1));
    cr_assert(token.kind == LAM_MP_BOOL && token.u == 1);
    cr_assert(eq(int, lam_mp_next(&reader, &token), 1));
    cr_assert(token.kind == LAM_MP_STR && token.count == 2 && token.data == bytes + 3);
    cr_assert(eq(int, lam_mp_next(&reader, &token), 1));
    cr_assert(token.kind == LAM_MP_INT && token.i == -1);
    cr_assert(eq(int, lam_mp_next(&reader, &token), 0));
    cr_assert(eq(sz, lam_mp_offset(&reader), sizeof(bytes)));
}

Test(mp_read, a_getter_that_refuses_stays_where_it_was)
{
    static const unsigned char bytes[] = {0xa1, 'x'};
    struct lam_string string;
    struct lam_u8_span bin;
    uint64_t u;
    int64_t i;
    double f;
    uint8_t flag;
    uint32_t count;

    lam_mp_init(&reader, bytes, sizeof(bytes));
    cr_assert(eq(int, lam_mp_get_bool(&reader, &flag), -EBADMSG));
    cr_assert(eq(int, lam_mp_get_u64(&reader, &u), -EBADMSG));
    cr_assert(eq(int, lam_mp_get_i64(&reader, &i), -EBADMSG));
    cr_assert(eq(int, lam_mp_get_f64(&reader, &f), -EBADMSG));
    cr_assert(eq(int, lam_mp_get_bin(&reader, &bin), -EBADMSG));
    cr_assert(eq(int, lam_mp_get_array(&reader, &count), -EBADMSG));
    cr_assert(eq(int, lam_mp_get_map(&reader, &count), -EBADMSG));
    cr_assert(eq(int, lam_mp_try_nil(&reader), 0));
    cr_assert(eq(sz, lam_mp_offset(&reader), 0));
    cr_assert(eq(str, (char *)reader.reason, "not a map"));
    cr_assert(eq(int, lam_mp_get_str(&reader, &string), 0));
    cr_assert(eq(u32, string.size, 1));
    cr_assert(eq(int, lam_mp_get_str(&reader, &string), -EBADMSG));
    cr_assert(eq(str, (char *)reader.reason, "a value is missing"));
}

Test(mp_read, a_count_is_held_against_the_bytes_left)
{
    static const unsigned char big[] = {0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0};
    static const unsigned char pairs[] = {0x82, 0x01, 0x02, 0x03};
    struct lam_mp_token token;

    lam_mp_init(&reader, big, sizeof(big));
    cr_assert(eq(int, lam_mp_next(&reader, &token), -EBADMSG));
    cr_assert(eq(sz, lam_mp_offset(&reader), 0));
    lam_mp_init(&reader, pairs, sizeof(pairs));
    cr_assert(eq(int, lam_mp_next(&reader, &token), -EBADMSG));
}

/* @depth arrays around a nil. */
static int check_nested(unsigned depth)
{
    unsigned char bytes[2 * LAM_MP_DEPTH_MAX];

    memset(bytes, 0x91, depth);
    bytes[depth] = 0xc0;
    return lam_mp_check(bytes, depth + 1, NULL);
}

Test(mp_read, nesting_is_bounded)
{
    cr_assert(eq(int, check_nested(LAM_MP_DEPTH_MAX), 0));
    cr_assert(eq(int, check_nested(LAM_MP_DEPTH_MAX + 1), -EBADMSG));
}

Test(mp_read, check_says_where_and_why)
{
    struct lam_error error = {{0}};

    cr_assert(eq(int, lam_mp_check("\x92\x01\xc1", 3, &error), -EBADMSG));
    cr_assert(eq(str, error.text, "at byte 2 of 3: the byte 0xc1 means nothing"));
    cr_assert(eq(int, lam_mp_check("\x01\x01", 2, &error), -EBADMSG));
    cr_assert(eq(str, error.text, "at byte 1 of 2: more bytes follow the value"));
    cr_assert(eq(int, lam_mp_check("", 0, &error), -EBADMSG));
}

Test(mp_read, any_two_bytes_are_read_or_refused)
{
    unsigned char *bytes = malloc(2);
    char text[64];
    unsigned whole = 0;

    for (unsigned i = 0; i < 65536; i++) {
        bytes[0] = (unsigned char)(i >> 8);
        bytes[1] = (unsigned char)i;
        lam_mp_init(&reader, bytes, 2);
        while (lam_mp_skip(&reader) == 0)
            ;
        if (lam_mp_check(bytes, 2, NULL) == 0) {
            whole++;
            cr_assert(lam_mp_codec_describe(NULL, bytes, 2, text, sizeof(text)) > 0);
        }
    }
    /* By the format: fixstr 1; fixarray 1 of any single byte value; u8, i8; bin, ext, str of 0. */
    cr_assert(lt(u32, 256 * 3, whole));
    free(bytes);
}
