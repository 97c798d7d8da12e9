/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no offset and no length, whatever it is, takes a window outside its bytes; the first that
 * would spoils it for good; and a reader that finds a message impossible can tell both ends so.
 * Method: every offset and length about the ends and about where sums wrap, over bytes of an
 * allocation of their own, which AddressSanitizer guards.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "channel.h"

#define BYTES 24

static uint8_t *bytes;

static void make_bytes(void)
{
    bytes = malloc(BYTES);
    cr_assert(ne(ptr, bytes, NULL));
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i + 1);
}

static void free_bytes(void)
{
    free(bytes);
}

TestSuite(window, .init = make_bytes, .fini = free_bytes, .timeout = 20);

static const uint64_t nasty[] = {0, 1, 2, 7, 8, 15, 16, 17, 23, 24, 25, 31, UINT32_MAX,
    (UINT64_C(1) << 63) - 1, UINT64_C(1) << 63, UINT64_MAX - 24, UINT64_MAX - 23, UINT64_MAX - 1,
    UINT64_MAX};

#define NASTY_COUNT (sizeof(nasty) / sizeof(nasty[0]))

/* In sums that do not wrap. */
static int is_inside(uint64_t offset, uint64_t count)
{
    return offset <= BYTES && count <= BYTES && offset + count <= BYTES;
}

Test(window, lends_what_is_inside_and_nothing_else)
{
    for (size_t i = 0; i < NASTY_COUNT; i++)
        for (size_t j = 0; j < NASTY_COUNT; j++) {
            struct lam_window window = lam_window_of(bytes, BYTES);
            const void *at = lam_window_at(&window, nasty[i], nasty[j]);
            int inside = is_inside(nasty[i], nasty[j]);

            cr_assert(eq(int, at != NULL, inside));
            cr_assert(eq(int, lam_window_check(&window), inside ? 0 : -EBADMSG));
            if (inside)
                cr_assert(at == bytes + nasty[i]);
        }
}

Test(window, a_copy_that_is_refused_writes_nothing)
{
    struct {
        uint8_t before[16], to[16], after[16];
    } place;

    for (size_t i = 0; i < NASTY_COUNT; i++)
        for (size_t j = 0; j < NASTY_COUNT; j++) {
            struct lam_window window = lam_window_of(bytes, BYTES);
            int inside = is_inside(nasty[i], nasty[j]);

            if (inside && nasty[j] > sizeof(place.to))
                continue; /* the room is the caller's to see to */
            memset(&place, 0x5a, sizeof(place));
            cr_assert(eq(int, lam_window_copy(&window, nasty[i], place.to, nasty[j]),
                inside ? 0 : -EBADMSG));
            if (inside)
                cr_assert(memcmp(place.to, bytes + nasty[i], nasty[j]) == 0);
            for (size_t at = inside ? nasty[j] : 0; at < sizeof(place.to); at++)
                cr_assert(eq(u8, place.to[at], 0x5a));
            cr_assert(place.before[15] == 0x5a && place.after[0] == 0x5a);
        }
}

Test(window, loads_are_checked_at_every_width)
{
    for (size_t i = 0; i < NASTY_COUNT; i++) {
        struct lam_window window = lam_window_of(bytes, BYTES);
        uint64_t u64 = 1, offset = nasty[i];
        uint32_t u32 = 1;
        uint16_t u16 = 1;
        uint8_t u8 = 1;
        uint64_t expected = 0;

        cr_assert(
            eq(int, lam_window_u8(&window, offset, &u8), is_inside(offset, 1) ? 0 : -EBADMSG));
        window = lam_window_of(bytes, BYTES);
        cr_assert(
            eq(int, lam_window_u16(&window, offset, &u16), is_inside(offset, 2) ? 0 : -EBADMSG));
        window = lam_window_of(bytes, BYTES);
        cr_assert(
            eq(int, lam_window_u32(&window, offset, &u32), is_inside(offset, 4) ? 0 : -EBADMSG));
        window = lam_window_of(bytes, BYTES);
        cr_assert(
            eq(int, lam_window_u64(&window, offset, &u64), is_inside(offset, 8) ? 0 : -EBADMSG));
        if (is_inside(offset, 8))
            memcpy(&expected, bytes + offset, 8);
        cr_assert(eq(u64, u64, expected));
        cr_assert(eq(u64, u8, is_inside(offset, 1) ? bytes[offset] : 0));
    }
}

Test(window, arrays_whose_size_wraps_are_outside)
{
    for (size_t i = 0; i < NASTY_COUNT; i++)
        for (size_t j = 0; j < NASTY_COUNT; j++) {
            struct lam_window window = lam_window_of(bytes, BYTES);
            int inside = nasty[i] == 0 || nasty[j] <= (BYTES - 8) / nasty[i];

            cr_assert(eq(int, lam_window_array(&window, 8, nasty[i], nasty[j]) != NULL, inside));
        }
}

Test(window, one_access_outside_spoils_it_for_good)
{
    struct lam_window window = lam_window_of(bytes, BYTES);
    uint32_t value;

    cr_assert(eq(int, lam_window_u32(&window, 0, &value), 0));
    cr_assert(eq(int, lam_window_u32(&window, 21, &value), -EBADMSG));
    cr_assert(eq(int, lam_window_u32(&window, 0, &value), -EBADMSG));
    cr_assert(eq(u32, value, 0));
    cr_assert(eq(int, lam_window_check(&window), -EBADMSG));
}

Test(window, parts_are_no_larger_than_the_whole)
{
    for (size_t i = 0; i < NASTY_COUNT; i++)
        for (size_t j = 0; j < NASTY_COUNT; j++) {
            struct lam_window window = lam_window_of(bytes, BYTES);
            struct lam_window part;
            uint8_t value;

            if (!is_inside(nasty[i], nasty[j])) {
                cr_assert(eq(int, lam_window_part(&window, nasty[i], nasty[j], &part), -EBADMSG));
                cr_assert(eq(int, lam_window_check(&part), -EBADMSG));
                cr_assert(eq(int, lam_window_u8(&part, 0, &value), -EBADMSG));
                continue;
            }
            cr_assert(eq(int, lam_window_part(&window, nasty[i], nasty[j], &part), 0));
            cr_assert(eq(u64, lam_window_byte_count(&part), nasty[j]));
            cr_assert(eq(int, lam_window_u8(&part, nasty[j], &value), -EBADMSG));
            cr_assert(eq(int, lam_window_check(&window), 0)); /* the whole is not spoiled */
        }
}

/* A list of strings whose offsets and lengths its sender wrote. Returns their bytes or -errno. */
static int64_t read_list(const struct lam_framed_message *message)
{
    struct lam_window window = lam_window_of_message(message);
    uint32_t count = 0;
    int64_t sum = 0;

    (void)lam_window_u32(&window, 0, &count);
    (void)lam_window_array(&window, 4, count, 8);
    for (uint32_t i = 0; i < count && lam_window_check(&window) == 0; i++) {
        uint32_t offset = 0, length = 0;

        (void)lam_window_u32(&window, 4 + 8 * (uint64_t)i, &offset);
        (void)lam_window_u32(&window, 8 + 8 * (uint64_t)i, &length);
        (void)lam_window_at(&window, offset, length);
        sum += length;
    }
    return lam_window_check(&window) == 0 ? sum : -EBADMSG;
}

static struct channel channel;

/* Send a list of one string. */
static void send_list(uint32_t count, uint32_t offset, uint32_t length)
{
    uint32_t words[6] = {count, offset, length, 0, 0, 0};
    struct iovec part = {words, sizeof(words)};

    cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, &part, 1, 3, NULL), 1));
}

Test(window, a_reader_that_finds_bytes_impossible_tells_both_ends)
{
    struct lam_framed_message message = {.payload = NULL};
    void *payload;
    int rc = 1;

    channel_open(&channel, 16);
    send_list(1, 12, 12);
    send_list(1, 13, 12);
    send_list(UINT32_MAX, 0, 0);
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
    cr_assert(eq(i64, read_list(&message), 12));
    for (int i = 0; i < 2; i++) {
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
        cr_assert(eq(i64, read_list(&message), -EBADMSG));
    }
    cr_assert(eq(int, lam_framed_receiver_poison(&channel.receiver), -ENOTRECOVERABLE));
    cr_assert(
        eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), -ENOTRECOVERABLE));
    /* The sender sees it when its bound is used up, which is less than a lap away. */
    for (int i = 0; rc == 1 && i < 16; i++) {
        rc = lam_framed_sender_try_claim(&channel.sender, 8, &payload);
        if (rc == 1)
            lam_framed_sender_commit(&channel.sender, 8, 1);
    }
    cr_assert(eq(int, rc, -ENOTRECOVERABLE));
    channel_close(&channel);
}
