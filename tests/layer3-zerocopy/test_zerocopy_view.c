/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views: lent in place, held while others come and go, released in any order; the sender is held
 * back by exactly the oldest one. With a codec of our own, whose messages need no schema.
 */
#include "text_codec.h"

#include "lamina/zerocopy/zerocopy.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#define DEPTH UINT64_C(128)

static struct lam_ring ring;
static struct lam_zerocopy_sender sender;
static struct lam_zerocopy_receiver receiver;
static _Alignas(16) unsigned char copy[1024];
static _Alignas(16) unsigned char frames[16384];

static void open_with(const struct lam_zerocopy_receiver_options *receives)
{
    struct lam_ring_options options = {.name = "views", .depth = DEPTH};
    struct lam_error error;

    cr_assert(eq(int, lam_typed_channel_create(&ring, &options, &text_codec, &error), 0), "%s",
        error.text);
    cr_assert(eq(int, lam_zerocopy_sender_attach(&sender, &ring, &text_codec, NULL, &error), 0),
        "%s", error.text);
    cr_assert(
        eq(int, lam_zerocopy_receiver_attach(&receiver, &ring, &text_codec, receives, &error), 0),
        "%s", error.text);
}

static void setup(void)
{
    open_with(NULL);
}

static void setup_copying(void)
{
    struct lam_zerocopy_receiver_options receives = {.copy = copy, .copy_bytes = sizeof(copy)};

    open_with(&receives);
}

static void teardown(void)
{
    lam_zerocopy_receiver_detach(&receiver);
    lam_zerocopy_sender_detach(&sender);
    (void)lam_ring_destroy(&ring);
}

TestSuite(view, .init = setup, .fini = teardown, .timeout = 10);
TestSuite(view_copy, .init = setup_copying, .fini = teardown, .timeout = 10);
TestSuite(view_options, .fini = teardown, .timeout = 10);

/* Write the message of @size characters that begin with @mark where it will be read. */
static int try_send(char mark, uint32_t size)
{
    char letters[4096];
    struct text text = {letters, size};
    size_t encoded;
    void *payload;
    int rc = lam_zerocopy_sender_try_claim_bytes(&sender, size + TEXT_HEAD_BYTES, &payload);

    if (rc != 1)
        return rc;
    for (uint32_t i = 0; i < size; i++)
        letters[i] = (char)((mark + i) & 0x7f);
    cr_assert(eq(
        int, text_codec.encode(&text_codec, &text, payload, size + TEXT_HEAD_BYTES, &encoded), 0));
    lam_zerocopy_sender_commit_bytes(&sender, encoded, (uint16_t)mark);
    return 1;
}

static void send_noise(void)
{
    void *payload;

    cr_assert(eq(int, lam_zerocopy_sender_try_claim_bytes(&sender, 6, &payload), 1));
    memcpy(payload, "\x09\0\0\0ab", 6);
    lam_zerocopy_sender_commit_bytes(&sender, 6, 0);
}

static struct lam_zerocopy_view expect_view(char mark, uint32_t size)
{
    struct lam_zerocopy_view view;
    const unsigned char *bytes;

    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &view), 1));
    cr_assert(eq(u64, view.payload_bytes, size + TEXT_HEAD_BYTES));
    cr_assert(eq(int, view.envelope.kind, mark));
    bytes = view.payload;
    for (uint32_t i = 0; i < size; i++)
        cr_assert(eq(int, bytes[TEXT_HEAD_BYTES + i] ^ (i & 0x7f), (mark + (int)i) & 0x7f));
    return view;
}

static int try_view(void)
{
    struct lam_zerocopy_view view;
    int rc = lam_zerocopy_receiver_try_view(&receiver, &view);

    if (rc == 1)
        lam_zerocopy_receiver_release(&receiver, &view);
    return rc;
}

Test(view, a_message_is_lent_where_it_was_written)
{
    struct lam_zerocopy_view view;
    void *payload;
    const uint8_t *cells = ring.cells;
    const uint8_t *at;
    size_t mapped_bytes = (size_t)(2 * (ring.cell_mask + 1)) << ring.cell_shift;

    cr_assert(eq(int, try_view(), 0));
    cr_assert(eq(int, try_send('a', 200), 1));
    view = expect_view('a', 200);
    at = view.payload;
    cr_assert(at > cells && at < cells + mapped_bytes);
    cr_assert(eq(int, (int)((uintptr_t)view.payload % 16), 0));
    lam_zerocopy_receiver_release(&receiver, &view);

    cr_assert(eq(int, lam_zerocopy_sender_try_claim_bytes(&sender, 100, &payload), 1));
    lam_zerocopy_sender_abort(&sender);
    cr_assert(eq(int, try_view(), 0));
}

/* Fill the ring with messages of one cell; how many went in. */
static uint32_t fill(void)
{
    uint32_t sent = 0;

    while (try_send('f', 20) == 1)
        sent++;
    return sent;
}

Test(view, the_sender_is_held_back_by_exactly_the_oldest_view)
{
    struct lam_zerocopy_view views[8];
    struct lam_ring_blocker blocker;
    uint32_t sent;

    for (int i = 0; i < 8; i++)
        cr_assert(eq(int, try_send((char)('a' + i), 20), 1));
    for (int i = 0; i < 8; i++)
        views[i] = expect_view((char)('a' + i), 20);
    sent = 8 + fill();
    cr_assert(eq(u32, sent, DEPTH - 1));

    /* All but the oldest and the fifth: nothing comes free. */
    for (int i = 7; i > 0; i--)
        if (i != 4)
            lam_zerocopy_receiver_release(&receiver, &views[i]);
    cr_assert(eq(int, try_send('n', 20), 0));
    cr_assert(eq(int, lam_zerocopy_sender_blocker(&sender, &blocker), 1));
    cr_assert(eq(u64, blocker.lag_cells, sent));

    /* The oldest: the four up to the next one held, and no more. */
    lam_zerocopy_receiver_release(&receiver, &views[0]);
    cr_assert(eq(u32, fill(), 4));
    lam_zerocopy_receiver_release(&receiver, &views[4]);
    cr_assert(eq(u32, fill(), 4));
    cr_assert(eq(u32, lam_zerocopy_receiver_held_count(&receiver), 0));
}

Test(view, held_views_stay_as_they_are_while_the_ring_runs_full)
{
    struct lam_zerocopy_view first, second;
    const unsigned char *bytes;

    cr_assert(eq(int, try_send('x', 300), 1));
    cr_assert(eq(int, try_send('y', 301), 1));
    first = expect_view('x', 300);
    second = expect_view('y', 301);
    lam_zerocopy_receiver_release(&receiver, &first);
    for (int round = 0; round < 200; round++) {
        if (try_send('z', 500) != 1)
            break;
        (void)try_view();
    }
    cr_assert(eq(int, try_send('z', 500), 0));
    bytes = second.payload;
    for (int i = 0; i < 301; i++)
        cr_assert(eq(int, bytes[TEXT_HEAD_BYTES + i] ^ (i & 0x7f), ('y' + i) & 0x7f));
    lam_zerocopy_receiver_release(&receiver, &second);
    cr_assert(eq(int, try_send('z', 500), 1));
}

Test(view, sixty_four_are_held_and_one_more_is_enobufs_until_the_oldest_goes)
{
    struct lam_zerocopy_view views[LAM_ZEROCOPY_HELD_MAX];
    struct lam_zerocopy_view more;

    for (int i = 0; i <= LAM_ZEROCOPY_HELD_MAX; i++)
        cr_assert(eq(int, try_send((char)(i + 1), 10), 1));
    for (int i = 0; i < LAM_ZEROCOPY_HELD_MAX; i++)
        views[i] = expect_view((char)(i + 1), 10);
    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &more), -ENOBUFS));
    cr_assert(
        eq(int, lam_zerocopy_receiver_view_until(&receiver, LAM_DEADLINE_NEVER, &more), -ENOBUFS));
    lam_zerocopy_receiver_release(&receiver, &views[0]);
    more = expect_view((char)(LAM_ZEROCOPY_HELD_MAX + 1), 10);
    lam_zerocopy_receiver_release(&receiver, &more);
    for (int i = LAM_ZEROCOPY_HELD_MAX - 1; i > 0; i--)
        lam_zerocopy_receiver_release(&receiver, &views[i]);
    cr_assert(eq(u32, fill(), DEPTH - 1));
}

Test(view, bad_bytes_are_refused_with_a_reason_and_the_next_message_is_intact)
{
    struct lam_zerocopy_view held, next;

    cr_assert(eq(str, (char *)lam_zerocopy_receiver_reason(&receiver), ""));
    cr_assert(eq(int, try_send('h', 10), 1));
    send_noise();
    send_noise();
    cr_assert(eq(int, try_send('n', 11), 1));
    held = expect_view('h', 10);
    cr_assert(eq(int, try_view(), -EBADMSG));
    cr_assert(eq(str, (char *)lam_zerocopy_receiver_reason(&receiver),
        "message 1 is no test.Text: says 9 characters, has 2"));
    cr_assert(
        eq(int, lam_zerocopy_receiver_view_until(&receiver, LAM_DEADLINE_NEVER, &next), -EBADMSG));
    next = expect_view('n', 11);
    lam_zerocopy_receiver_release(&receiver, &held);
    lam_zerocopy_receiver_release(&receiver, &next);
    cr_assert(eq(u32, fill(), DEPTH - 1));
}

Test(view, a_refused_message_alone_does_not_hold_the_sender_back)
{
    for (int i = 0; i < 1000; i++) {
        send_noise();
        cr_assert(eq(int, try_view(), -EBADMSG));
    }
}

/* Behind an older one that is held: nothing of the layer below is asked. */
Test(view, a_view_released_twice_aborts, .signal = SIGABRT)
{
    struct lam_zerocopy_view view;

    cr_assert(eq(int, try_send('a', 5), 1));
    cr_assert(eq(int, try_send('b', 5), 1));
    (void)expect_view('a', 5);
    view = expect_view('b', 5);
    lam_zerocopy_receiver_release(&receiver, &view);
    lam_zerocopy_receiver_release(&receiver, &view);
}

Test(view, waits_end_by_the_deadline)
{
    struct lam_zerocopy_view view;
    void *payload;

    cr_assert(eq(
        int, lam_zerocopy_receiver_view_until(&receiver, lam_clock_now_ns(), &view), -ETIMEDOUT));
    (void)fill();
    cr_assert(
        eq(int, lam_zerocopy_sender_claim_bytes_until(&sender, 5, lam_clock_now_ns(), &payload),
            -ETIMEDOUT));
    cr_assert(eq(int, lam_zerocopy_receiver_view_until(&receiver, LAM_DEADLINE_NEVER, &view), 0));
    lam_zerocopy_receiver_release(&receiver, &view);
    cr_assert(eq(
        int, lam_zerocopy_sender_claim_bytes_until(&sender, 5, LAM_DEADLINE_NEVER, &payload), 0));
    lam_zerocopy_sender_abort(&sender);
}

Test(view, half_the_ring_is_the_longest_message)
{
    uint32_t most = (uint32_t)lam_zerocopy_sender_bytes_max(&sender);
    void *payload;

    cr_assert(eq(u32, most, DEPTH / 2 * 64 - 16));
    for (int i = 0; i < 7; i++) {
        struct lam_zerocopy_view view;

        cr_assert(eq(int, try_send('m', most - TEXT_HEAD_BYTES), 1));
        view = expect_view('m', most - TEXT_HEAD_BYTES);
        lam_zerocopy_receiver_release(&receiver, &view);
        cr_assert(eq(int, try_send('i', 30), 1));
        cr_assert(eq(int, try_view(), 1));
    }
    cr_assert(eq(int, lam_zerocopy_sender_try_claim_bytes(&sender, most + 1, &payload), -EMSGSIZE));
    cr_assert(
        eq(int, lam_zerocopy_sender_claim_bytes_until(&sender, most + 1, 0, &payload), -EMSGSIZE));
}

Test(view, closing_is_told_after_the_last_message)
{
    void *payload;

    cr_assert(eq(int, try_send('a', 5), 1));
    lam_zerocopy_sender_close(&sender);
    cr_assert(eq(int, lam_zerocopy_sender_try_claim_bytes(&sender, 5, &payload), -EPIPE));
    cr_assert(eq(int, try_view(), 1));
    cr_assert(eq(int, try_view(), -EPIPE));
}

Test(view, a_builder_on_a_channel_without_flatbuffers_aborts, .signal = SIGABRT)
{
    struct lam_fb_builder builder;

    (void)lam_zerocopy_sender_try_claim(&sender, 100, &builder);
}

Test(view, ends_of_another_type_are_refused)
{
    static struct lam_zerocopy_receiver other;
    static struct lam_zerocopy_sender successor;
    struct lam_error error;

    cr_assert(eq(
        int, lam_zerocopy_receiver_attach(&other, &ring, &verse_codec, NULL, &error), -EPROTOTYPE));
    cr_assert(strstr(error.text, "test.Text") != NULL && strstr(error.text, "test.Verse") != NULL);
    cr_assert(eq(int, lam_zerocopy_sender_attach(&successor, &ring, &verse_codec, NULL, &error),
        -EPROTOTYPE));
}

Test(view_copy, a_view_of_the_copy_holds_nobody_back)
{
    struct lam_zerocopy_view views[3];
    const unsigned char *at;

    for (int i = 0; i < 3; i++) {
        cr_assert(eq(int, try_send((char)('a' + i), 100), 1));
        views[i] = expect_view((char)('a' + i), 100);
        at = views[i].payload;
        cr_assert(at >= copy && at < copy + sizeof(copy));
    }
    cr_assert(eq(u32, fill(), DEPTH - 1));
    for (int i = 0; i < 3; i++)
        lam_zerocopy_receiver_release(&receiver, &views[i]);
}

Test(view_copy, no_room_is_enobufs_until_the_oldest_goes)
{
    struct lam_zerocopy_view a, b, c;
    struct lam_zerocopy_view none;

    cr_assert(eq(int, try_send('a', 400 - TEXT_HEAD_BYTES), 1));
    cr_assert(eq(int, try_send('b', 400 - TEXT_HEAD_BYTES), 1));
    cr_assert(eq(int, try_send('c', 300 - TEXT_HEAD_BYTES), 1));
    a = expect_view('a', 400 - TEXT_HEAD_BYTES);
    b = expect_view('b', 400 - TEXT_HEAD_BYTES);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &none), -ENOBUFS));
    lam_zerocopy_receiver_release(&receiver, &b);
    cr_assert(eq(int, lam_zerocopy_receiver_view_until(&receiver, 0, &none), -ENOBUFS));
    lam_zerocopy_receiver_release(&receiver, &a);
    c = expect_view('c', 300 - TEXT_HEAD_BYTES);
    lam_zerocopy_receiver_release(&receiver, &c);
}

Test(view_copy, copies_wrap_in_one_piece_and_never_overlap)
{
    struct lam_zerocopy_view held[3];
    int count = 0;

    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t size = i * 37 % 300;

        if (count == 3) {
            lam_zerocopy_receiver_release(&receiver, &held[0]);
            held[0] = held[1];
            held[1] = held[2];
            count--;
        }
        cr_assert(eq(int, try_send((char)(i & 0x3f), size), 1));
        held[count++] = expect_view((char)(i & 0x3f), size);
        for (int k = 0; k < count; k++)
            cr_assert(
                text_codec.verify(&text_codec, held[k].payload, held[k].payload_bytes, NULL) == 0);
    }
}

Test(view_copy, a_message_above_the_copy_memory_is_dropped_and_the_next_is_intact)
{
    struct lam_zerocopy_view view;

    cr_assert(eq(int, try_send('a', sizeof(copy) - TEXT_HEAD_BYTES), 1));
    cr_assert(eq(int, try_send('b', sizeof(copy) - TEXT_HEAD_BYTES + 1), 1));
    send_noise();
    cr_assert(eq(int, try_send('c', 9), 1));
    view = expect_view('a', sizeof(copy) - TEXT_HEAD_BYTES);
    lam_zerocopy_receiver_release(&receiver, &view);
    cr_assert(eq(int, try_view(), -EMSGSIZE));
    cr_assert(eq(int, try_view(), -EBADMSG));
    view = expect_view('c', 9);
    lam_zerocopy_receiver_release(&receiver, &view);
}

Test(view_options, copy_memory_of_odd_shape_or_without_verification_is_refused)
{
    struct lam_zerocopy_receiver_options receives = {.copy = copy + 8, .copy_bytes = 64};
    struct lam_error error;

    open_with(NULL);
    lam_zerocopy_receiver_detach(&receiver);
    cr_assert(eq(int,
        lam_zerocopy_receiver_attach(&receiver, &ring, &text_codec, &receives, &error), -EINVAL));
    receives.copy = copy;
    receives.copy_bytes = 65;
    cr_assert(eq(int,
        lam_zerocopy_receiver_attach(&receiver, &ring, &text_codec, &receives, &error), -EINVAL));
    receives.copy_bytes = 64;
    receives.check = LAM_ZEROCOPY_UNVERIFIED;
    cr_assert(eq(int,
        lam_zerocopy_receiver_attach(&receiver, &ring, &text_codec, &receives, &error), -EINVAL));
    receives.check = LAM_ZEROCOPY_VERIFY;
    cr_assert(
        eq(int, lam_zerocopy_receiver_attach(&receiver, &ring, &text_codec, &receives, &error), 0));
}

Test(view_options, a_message_of_frames_is_lent_from_the_buffer_when_nothing_is_held)
{
    struct lam_zerocopy_receiver_options receives = {
        .framed = {.message_bytes_max = sizeof(frames), .buffer = frames}};
    static char letters[DEPTH * 64 - 2000];
    static char encoded[sizeof(letters) + TEXT_HEAD_BYTES];
    struct text text = {letters, sizeof(letters)};
    struct iovec part = {encoded, sizeof(encoded)};
    struct lam_zerocopy_view held, view, behind;
    size_t size;

    memset(letters, 'q', sizeof(letters));
    open_with(&receives);
    sender.framed.stream.message_bytes_max = sizeof(frames);
    cr_assert(eq(int, text_codec.encode(&text_codec, &text, encoded, sizeof(encoded), &size), 0));
    cr_assert(eq(int, try_send('a', 10), 1));
    cr_assert(eq(int,
        lam_framed_sender_send_until(lam_zerocopy_sender_framed(&sender), &part, 1, 5, NULL,
            lam_deadline_after_ns(LAM_NS_PER_S)),
        0));
    cr_assert(eq(int, try_send('b', 10), 1));
    held = expect_view('a', 10);
    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &view), -EBUSY));
    lam_zerocopy_receiver_release(&receiver, &held);
    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &view), 1));
    cr_assert(view.payload == frames);
    behind = expect_view('b', 10);
    lam_zerocopy_receiver_release(&receiver, &behind);
    lam_zerocopy_receiver_release(&receiver, &view);
    cr_assert(eq(u32, fill(), DEPTH - 1));
}

Test(view_options, without_verification_any_bytes_are_lent)
{
    struct lam_zerocopy_receiver_options receives = {.check = LAM_ZEROCOPY_UNVERIFIED};
    struct lam_zerocopy_view view;

    open_with(&receives);
    send_noise();
    cr_assert(eq(int, try_send('b', 10), 1));
    cr_assert(eq(int, lam_zerocopy_receiver_try_view(&receiver, &view), 1));
    cr_assert(memcmp(view.payload, "\x09\0\0\0ab", 6) == 0);
    lam_zerocopy_receiver_release(&receiver, &view);
    view = expect_view('b', 10);
    lam_zerocopy_receiver_release(&receiver, &view);
}

Test(view_options, only_gating_receivers_are_lent_views)
{
    struct lam_zerocopy_receiver_options lossy = {.framed.consumer.policy = LAM_RING_LOSSY};
    struct lam_zerocopy_receiver_options evicted = {
        .framed.consumer = {.policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = LAM_NS_PER_S}};
    static struct lam_zerocopy_receiver other;

    open_with(NULL);
    cr_assert(
        eq(int, lam_zerocopy_receiver_attach(&other, &ring, &text_codec, &lossy, NULL), -EINVAL));
    cr_assert(
        eq(int, lam_zerocopy_receiver_attach(&other, &ring, &text_codec, &evicted, NULL), -EINVAL));
}
