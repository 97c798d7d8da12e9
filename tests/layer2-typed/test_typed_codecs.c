/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codecs that are shipped, through a channel: pod, and both that a schema gives. What is
 * mutated or cut short on its way is refused or is another value, never more than that, and the
 * value behind it arrives as it was sent.
 */
#include "notes.h"

#include "lamina/codecs/pod.h"
#include "lamina/typed/typed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

struct tick {
    uint64_t time_ns;
    uint32_t symbol;
    int32_t price;
    uint8_t flags[8];
};

static const struct lam_pod_field tick_fields[] = {
    LAM_POD_FIELD(struct tick, time_ns),
    LAM_POD_FIELD(struct tick, symbol),
    LAM_POD_FIELD(struct tick, price),
    LAM_POD_FIELD(struct tick, flags),
};
static const struct lam_pod_type tick_type = LAM_POD_TYPE(struct tick, "tick", tick_fields);

static struct lam_pod tick_pod;
static struct lam_ring ring;
static struct lam_typed_sender sender;
static struct lam_typed_receiver receiver;
static struct lam_arena arena;
static unsigned char arena_memory[65536];

static void open_channel(const struct lam_codec *codec)
{
    struct lam_ring_options options = {.name = "codecs", .depth = 256};
    struct lam_error error;

    cr_assert(
        eq(int, lam_typed_channel_create(&ring, &options, codec, &error), 0), "%s", error.text);
    cr_assert(
        eq(int, lam_typed_sender_attach(&sender, &ring, codec, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_typed_receiver_attach(&receiver, &ring, codec, NULL, &error), 0), "%s",
        error.text);
    lam_arena_init(&arena, arena_memory, sizeof(arena_memory));
}

static void close_channel(void)
{
    lam_typed_receiver_detach(&receiver);
    lam_typed_sender_detach(&sender);
    (void)lam_ring_destroy(&ring);
}

TestSuite(typed_codecs, .timeout = 30);

static const struct lam_codec *const note_codecs[] = {&test_Note_msgpack, &test_Note_flatbuffers};

static void send_note(uint64_t number)
{
    struct note_room room;
    struct test_Note note;

    note_make(&note, &room, number);
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &note, NULL), 1));
}

static int receive_note(struct test_Note *note)
{
    lam_arena_reset(&arena);
    return lam_typed_receiver_try_receive(&receiver, note, &arena, NULL);
}

Test(typed_codecs, a_pod_arrives_as_it_was_sent)
{
    struct tick sent = {0}, got;
    struct lam_error error;

    cr_assert(eq(int, lam_pod_init(&tick_pod, &tick_type, &error), 0), "%s", error.text);
    open_channel(&tick_pod.codec);
    for (uint64_t i = 0; i < 1000; i++) {
        sent = (struct tick){i * 1000, (uint32_t)i, -(int32_t)i, {1, 2, 3, 4, 5, 6, 7, (uint8_t)i}};
        cr_assert(eq(int, lam_typed_sender_try_send(&sender, &sent, NULL), 1));
        cr_assert(eq(int, lam_typed_receiver_try_receive(&receiver, &got, NULL, NULL), 1));
        cr_assert(memcmp(&sent, &got, sizeof(sent)) == 0);
    }
    close_channel();
}

Test(typed_codecs, a_pod_of_another_size_is_refused)
{
    struct tick sent = {.symbol = 4}, got;
    struct iovec part = {&sent, sizeof(sent) - 1};

    cr_assert(eq(int, lam_pod_init(&tick_pod, &tick_type, NULL), 0));
    open_channel(&tick_pod.codec);
    cr_assert(eq(
        int, lam_framed_sender_try_send(lam_typed_sender_framed(&sender), &part, 1, 0, NULL), 1));
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &sent, NULL), 1));
    cr_assert(eq(int, lam_typed_receiver_try_receive(&receiver, &got, NULL, NULL), -EBADMSG));
    cr_assert(strstr(lam_typed_receiver_reason(&receiver), "tick") != NULL);
    cr_assert(eq(int, lam_typed_receiver_try_receive(&receiver, &got, NULL, NULL), 1));
    cr_assert(eq(u32, got.symbol, 4));
    close_channel();
}

Test(typed_codecs, a_note_arrives_as_it_was_sent_in_both_codecs_of_its_schema)
{
    struct test_Note note;

    for (size_t c = 0; c < 2; c++) {
        open_channel(note_codecs[c]);
        for (uint64_t number = 0; number < 2000; number++) {
            send_note(number);
            cr_assert(eq(int, receive_note(&note), 1));
            cr_assert(note_is(&note, number));
        }
        close_channel();
    }
}

Test(typed_codecs, the_two_codecs_of_one_schema_are_two_types)
{
    struct lam_error error;

    open_channel(&test_Note_msgpack);
    cr_assert(eq(int, lam_typed_channel_check(&ring, &test_Note_flatbuffers, &error), -EPROTOTYPE));
    cr_assert(strstr(error.text, "msgpack") != NULL && strstr(error.text, "flatbuffers") != NULL,
        "%s", error.text);
    close_channel();
}

Test(typed_codecs, a_value_without_its_required_part_is_not_sent)
{
    struct test_Note note;

    for (size_t c = 0; c < 2; c++) {
        open_channel(note_codecs[c]);
        test_Note_init(&note);
        cr_assert(eq(int, lam_typed_sender_try_send(&sender, &note, NULL), -EINVAL));
        cr_assert(eq(int, receive_note(&note), 0));
        close_channel();
    }
}

/* Send @size bytes, then note @number; receive the first as whatever it is, then that note. */
static void expect_survives(const unsigned char *bytes, size_t size, uint64_t number, int *refused)
{
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct test_Note note;
    int rc;

    cr_assert(eq(
        int, lam_framed_sender_try_send(lam_typed_sender_framed(&sender), &part, 1, 0, NULL), 1));
    send_note(number);
    rc = receive_note(&note);
    if (rc == -ENOSPC) /* a count that the bytes bear out, but the arena does not */
        cr_assert(eq(int, lam_typed_receiver_skip(&receiver), 1));
    cr_assert(rc == 1 || rc == -EBADMSG || rc == -ENOSPC);
    *refused += rc == -EBADMSG;
    if (rc == -EBADMSG)
        cr_assert(strstr(lam_typed_receiver_reason(&receiver), "is no test.Note: ") != NULL);
    cr_assert(eq(int, receive_note(&note), 1));
    cr_assert(note_is(&note, number));
}

Test(typed_codecs, mutated_and_truncated_bytes_cost_that_message_alone)
{
    unsigned char good[NOTE_BYTES_MAX], bad[NOTE_BYTES_MAX];
    struct note_room room;
    struct test_Note note;
    size_t size;

    for (size_t c = 0; c < 2; c++) {
        int cut = 0, refused = 0;

        open_channel(note_codecs[c]);
        note_make(&note, &room, 139);
        cr_assert(
            eq(int, note_codecs[c]->encode(note_codecs[c], &note, good, sizeof(good), &size), 0));
        for (size_t at = 0; at < size; at++) {
            expect_survives(good, at, at, &cut);
            for (int bit = 0; bit < 8; bit++) {
                memcpy(bad, good, size);
                bad[at] ^= (unsigned char)(1 << bit);
                expect_survives(bad, size, at, &refused);
            }
        }
        /* No message is a value once its end is missing; a good part of the rest is none either. */
        cr_assert(cut > (int)size * 9 / 10, "%d of %zu", cut, size);
        cr_assert(refused > (int)size);
        close_channel();
    }
}
