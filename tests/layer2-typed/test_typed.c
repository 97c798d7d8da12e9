/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values through a channel: what arrives is what was sent, what fails sends or takes nothing, and
 * one bad message costs exactly that message. By a codec of our own, so that each way to fail can
 * be brought about.
 */
#include "text_codec.h"

#include "lamina/typed/typed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#define DEPTH UINT64_C(64)
/* Half the ring of 64-byte cells, less the event's header. */
#define CLAIM_MAX (DEPTH / 2 * 64 - 16)

static struct lam_ring ring;
static struct lam_typed_sender sender;
static struct lam_typed_receiver receiver;
static struct lam_arena arena;
static _Alignas(16) unsigned char arena_memory[16384];
static _Alignas(16) unsigned char scratch[16384];
static _Alignas(16) unsigned char frames[16384];
static _Alignas(16) unsigned char copy[1024];
static char letters[16384];

static void open_with(
    const struct lam_typed_sender_options *sends, const struct lam_typed_receiver_options *receives)
{
    struct lam_ring_options options = {.name = "values", .depth = DEPTH};
    struct lam_error error;

    cr_assert(eq(int, lam_typed_channel_create(&ring, &options, &text_codec, &error), 0), "%s",
        error.text);
    cr_assert(eq(int, lam_typed_sender_attach(&sender, &ring, &text_codec, sends, &error), 0), "%s",
        error.text);
    cr_assert(
        eq(int, lam_typed_receiver_attach(&receiver, &ring, &text_codec, receives, &error), 0),
        "%s", error.text);
    lam_arena_init(&arena, arena_memory, sizeof(arena_memory));
    for (size_t i = 0; i < sizeof(letters); i++)
        letters[i] = (char)('a' + i % 23);
}

static void setup(void)
{
    open_with(NULL, NULL);
}

static void teardown(void)
{
    lam_typed_receiver_detach(&receiver);
    lam_typed_sender_detach(&sender);
    (void)lam_ring_destroy(&ring);
}

TestSuite(typed, .init = setup, .fini = teardown, .timeout = 10);
/* These open the channel with options of their own. */
TestSuite(typed_options, .fini = teardown, .timeout = 10);

static struct text text_of(uint32_t size)
{
    return (struct text){.data = letters, .size = size};
}

static int try_send(uint32_t size)
{
    struct text text = text_of(size);

    return lam_typed_sender_try_send(&sender, &text, NULL);
}

static int try_receive(struct text *text)
{
    lam_arena_reset(&arena);
    return lam_typed_receiver_try_receive(&receiver, text, &arena, NULL);
}

static void expect_text(uint32_t size)
{
    struct text text;

    cr_assert(eq(int, try_receive(&text), 1));
    cr_assert(eq(u32, text.size, size));
    cr_assert(memcmp(text.data, letters, size) == 0);
}

static void expect_nothing(void)
{
    struct text text;

    cr_assert(eq(int, try_receive(&text), 0));
}

/* Bytes that no text_codec wrote. */
static void send_raw(const void *bytes, size_t size)
{
    struct iovec part = {(void *)(uintptr_t)bytes, size};

    cr_assert(eq(
        int, lam_framed_sender_try_send(lam_typed_sender_framed(&sender), &part, 1, 0, NULL), 1));
}

Test(typed, a_value_arrives_as_it_was_sent)
{
    expect_nothing();
    for (uint32_t size = 0; size < CLAIM_MAX - TEXT_HEAD_BYTES - TEXT_BOUND_SLACK; size += 7) {
        cr_assert(eq(int, try_send(size), 1));
        expect_text(size);
    }
    expect_nothing();
}

Test(typed, only_the_encoded_size_is_published)
{
    struct text text = text_of(10);
    struct lam_framed_message message;

    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, NULL), 1));
    cr_assert(eq(
        int, lam_framed_receiver_try_receive(lam_typed_receiver_framed(&receiver), &message), 1));
    cr_assert(eq(u64, message.payload_bytes, TEXT_HEAD_BYTES + 10));
    lam_framed_receiver_release(lam_typed_receiver_framed(&receiver), &message);
}

Test(typed, a_full_ring_answers_0_and_by_the_deadline_etimedout)
{
    struct text text = text_of(10);
    struct lam_ring_blocker blocker;
    uint32_t sent = 0;
    int rc;

    while ((rc = try_send(10)) == 1)
        sent++;
    cr_assert(eq(int, rc, 0));
    cr_assert(sent > 50);
    cr_assert(
        eq(int, lam_typed_sender_send_until(&sender, &text, NULL, lam_clock_now_ns()), -ETIMEDOUT));
    cr_assert(eq(int, lam_typed_sender_blocker(&sender, &blocker), 1));
    for (uint32_t i = 0; i < sent; i++)
        expect_text(10);
    expect_nothing();
    cr_assert(eq(int, lam_typed_sender_send_until(&sender, &text, NULL, LAM_DEADLINE_NEVER), 0));
    expect_text(10);
}

Test(typed, an_empty_channel_ends_the_wait_by_the_deadline)
{
    struct text text;

    cr_assert(eq(int,
        lam_typed_receiver_receive_until(&receiver, lam_clock_now_ns(), &text, &arena, NULL),
        -ETIMEDOUT));
    cr_assert(eq(int, try_send(5), 1));
    cr_assert(eq(int,
        lam_typed_receiver_receive_until(&receiver, LAM_DEADLINE_NEVER, &text, &arena, NULL), 0));
    cr_assert(eq(u32, text.size, 5));
}

Test(typed, a_value_that_can_not_be_encoded_sends_nothing)
{
    struct text none = {.data = NULL};
    struct text treacherous = {TEXT_TREACHEROUS, sizeof(TEXT_TREACHEROUS) - 1};
    struct lam_typed_envelope envelope = {.kind = 3};

    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &none, NULL), -EINVAL));
    cr_assert(eq(int, lam_typed_sender_send_until(&sender, &none, NULL, 0), -EINVAL));
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &treacherous, NULL), -EINVAL));
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &treacherous, &envelope), -EINVAL));
    cr_assert(eq(int, lam_typed_sender_send_until(&sender, &treacherous, NULL, 0), -EINVAL));
    expect_nothing();
    cr_assert(eq(int, try_send(8), 1));
    expect_text(8);
    expect_nothing();
}

Test(typed, correlation_and_kind_travel_beside_the_value)
{
    struct lam_typed_envelope sent = {
        .kind = 7, .is_correlated = 1, .correlation = {.id = 42, .scope = 43}};
    struct lam_typed_envelope got;
    struct text text = text_of(30);
    uint64_t id = lam_framed_sender_next_id(lam_typed_sender_framed(&sender));

    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, &sent), 1));
    cr_assert(eq(int, lam_typed_sender_send_until(&sender, &text, &sent, LAM_DEADLINE_NEVER), 0));
    sent.is_correlated = 0;
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, &sent), 1));
    for (int i = 0; i < 3; i++) {
        cr_assert(eq(int, lam_typed_receiver_try_receive(&receiver, &text, &arena, &got), 1));
        cr_assert(eq(int, got.kind, 7));
        cr_assert(eq(int, got.is_correlated, i < 2));
        if (i == 0)
            cr_assert(eq(u64, got.id, id));
        if (i < 2)
            cr_assert(got.correlation.id == 42 && got.correlation.scope == 43);
        cr_assert(memcmp(text.data, letters, 30) == 0);
    }
}

Test(typed, bad_bytes_are_refused_with_a_reason_and_the_next_message_is_intact)
{
    static const unsigned char lies[] = {9, 0, 0, 0, 'a', 'b'};
    static const unsigned char noise[] = {2, 0, 0, 0, 'a', 0xf0};
    struct text text;

    cr_assert(eq(str, (char *)lam_typed_receiver_reason(&receiver), ""));
    send_raw(lies, sizeof(lies));
    send_raw(noise, sizeof(noise));
    send_raw(NULL, 0);
    cr_assert(eq(int, try_send(11), 1));

    cr_assert(eq(int, try_receive(&text), -EBADMSG));
    cr_assert(eq(str, (char *)lam_typed_receiver_reason(&receiver),
        "message 0 is no test.Text: says 9 characters, has 2"));
    cr_assert(eq(int, try_receive(&text), -EBADMSG));
    cr_assert(strstr(lam_typed_receiver_reason(&receiver), "byte 1 is no character") != NULL);
    cr_assert(eq(int,
        lam_typed_receiver_receive_until(&receiver, LAM_DEADLINE_NEVER, &text, &arena, NULL),
        -EBADMSG));
    expect_text(11);
    expect_nothing();
}

Test(typed, a_small_arena_keeps_the_message_until_there_is_room)
{
    struct lam_arena small;
    struct text text;
    int rc;

    cr_assert(eq(int, try_send(20), 1));
    cr_assert(eq(int, try_send(21), 1));
    lam_arena_init(&small, arena_memory, 8);
    for (int i = 0; i < 3; i++) {
        rc = lam_typed_receiver_try_receive(&receiver, &text, &small, NULL);
        cr_assert(eq(int, rc, -ENOSPC));
    }
    rc = lam_typed_receiver_receive_until(&receiver, 0, &text, &small, NULL);
    cr_assert(eq(int, rc, -ENOSPC));
    expect_text(20);

    rc = lam_typed_receiver_try_receive(&receiver, &text, &small, NULL);
    cr_assert(eq(int, rc, -ENOSPC));
    cr_assert(eq(int, lam_typed_receiver_skip(&receiver), 1));
    cr_assert(eq(int, lam_typed_receiver_skip(&receiver), 0));
    expect_nothing();
}

Test(typed, neither_refused_nor_skipped_messages_hold_the_sender_back)
{
    struct lam_arena none;
    struct text text;

    lam_arena_init(&none, NULL, 0);
    for (uint64_t i = 0; i < 2 * DEPTH; i++) {
        send_raw("\x09\0\0\0ab", 6);
        cr_assert(eq(int, try_receive(&text), -EBADMSG));
    }
    for (uint64_t i = 0; i < 2 * DEPTH; i++) {
        cr_assert(eq(int, try_send(9), 1));
        cr_assert(eq(int, lam_typed_receiver_try_receive(&receiver, &text, &none, NULL), -ENOSPC));
        cr_assert(eq(int, lam_typed_receiver_skip(&receiver), 1));
    }
}

Test(typed, closing_is_told_after_the_last_value)
{
    struct text text = text_of(4);

    cr_assert(eq(int, try_send(4), 1));
    lam_typed_sender_close(&sender);
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, NULL), -EPIPE));
    cr_assert(eq(int, lam_typed_sender_send_until(&sender, &text, NULL, 0), -EPIPE));
    expect_text(4);
    cr_assert(eq(int, try_receive(&text), -EPIPE));
    cr_assert(eq(int,
        lam_typed_receiver_receive_until(&receiver, LAM_DEADLINE_NEVER, &text, &arena, NULL),
        -EPIPE));
}

Test(typed, waiting_for_receivers_counts_them)
{
    cr_assert(eq(int, lam_typed_sender_wait_receivers_until(&sender, 1, LAM_DEADLINE_NEVER), 0));
    cr_assert(eq(int, lam_typed_sender_wait_receivers_until(&sender, 2, 0), -ETIMEDOUT));
}

Test(typed, without_scratch_a_value_whose_bound_is_above_half_the_ring_is_refused)
{
    struct text text = text_of(CLAIM_MAX - TEXT_HEAD_BYTES - TEXT_BOUND_SLACK);

    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, NULL), 1));
    expect_text(text.size);
    text.size++;
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, NULL), -EMSGSIZE));
    cr_assert(eq(int, lam_typed_sender_send_until(&sender, &text, NULL, 0), -EMSGSIZE));
    expect_nothing();
}

Test(typed_options, with_scratch_what_fits_half_the_ring_in_truth_is_sent_in_place)
{
    struct lam_typed_sender_options sends = {.scratch = scratch, .scratch_bytes = sizeof(scratch)};
    struct lam_typed_envelope envelope = {.is_correlated = 1};
    struct text text;

    open_with(&sends, NULL);
    text = text_of(CLAIM_MAX - TEXT_HEAD_BYTES);
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, NULL), 1));
    expect_text(text.size);
    text.size -= 16;
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, &envelope), 1));
    expect_text(text.size);
    text.size += 17;
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, NULL), -EMSGSIZE));
    /* A bound that fits half the ring, but not with the correlation in front of it. */
    text.size = CLAIM_MAX - TEXT_HEAD_BYTES - TEXT_BOUND_SLACK;
    cr_assert(eq(int, lam_typed_sender_try_send(&sender, &text, &envelope), 1));
    expect_text(text.size);
    expect_nothing();
}

Test(typed_options, larger_values_go_in_frames_to_a_receiver_with_room_for_them)
{
    struct lam_typed_sender_options sends = {
        .framed.message_bytes_max = 8192, .scratch = scratch, .scratch_bytes = sizeof(scratch)};
    struct lam_typed_receiver_options receives = {
        .framed = {.message_bytes_max = sizeof(frames), .buffer = frames}};
    struct text text = text_of(CLAIM_MAX + 1000);

    open_with(&sends, &receives);
    for (int i = 0; i < 40; i++) {
        cr_assert(eq(int,
            lam_typed_sender_send_until(&sender, &text, NULL, lam_deadline_after_ns(LAM_NS_PER_S)),
            0));
        expect_text(text.size);
        cr_assert(eq(int, try_send(33), 1));
        expect_text(33);
    }
    text.size = 8192;
    cr_assert(eq(int, lam_typed_sender_send_until(&sender, &text, NULL, 0), -EMSGSIZE));
    text.size = sizeof(scratch);
    cr_assert(eq(int, lam_typed_sender_send_until(&sender, &text, NULL, 0), -EMSGSIZE));
    expect_nothing();
}

Test(typed_options, copy_first_reads_the_copy_alone)
{
    struct lam_typed_receiver_options receives = {.copy = copy, .copy_bytes = sizeof(copy)};
    struct text text;

    open_with(NULL, &receives);
    cr_assert(eq(int, try_send(100), 1));
    cr_assert(eq(int, try_send(sizeof(copy) - TEXT_HEAD_BYTES), 1));
    cr_assert(eq(int, try_send(sizeof(copy) - TEXT_HEAD_BYTES + 1), 1));
    cr_assert(eq(int, try_send(7), 1));
    expect_text(100);
    cr_assert(eq(int, memcmp(copy + TEXT_HEAD_BYTES, letters, 1), 0));
    expect_text(sizeof(copy) - TEXT_HEAD_BYTES);
    cr_assert(eq(int, try_receive(&text), -EMSGSIZE));
    expect_text(7);
    send_raw("\x05\0\0\0abc", 7);
    cr_assert(eq(int, try_receive(&text), -EBADMSG));
    cr_assert(strstr(lam_typed_receiver_reason(&receiver), "says 5 characters, has 3") != NULL);
    expect_nothing();
}
