/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: who is evicted or lapped is told what it missed, exactly: how many events, which ones, and
 * the message of frames that is cut short by it; and then it goes on with the next message, intact.
 * Method: one thread holds both ends, and lets the receiver fall behind, in place and in frames,
 * from sequences before each wrap. Every message carries its number, so a miscount shows.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "channel.h"
#include "lamina/framed/held.h"

static struct channel channel;
static struct lam_framed_message message;
static uint64_t event_number; /* of the next event: a message in place has it in its kind */

static void open_as(enum lam_ring_policy policy, uint64_t first_sequence)
{
    struct lam_framed_receiver_options options = {.message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX,
        .consumer = {.policy = policy,
            .patience_ns = policy == LAM_RING_GATE_THEN_EVICT ? LAM_NS_PER_MS : 0}};

    channel_make_ring(&channel.ring, 16, first_sequence);
    channel_attach_sender(&channel);
    cr_assert(
        eq(int, lam_framed_receiver_attach(&channel.receiver, &channel.ring, &options, NULL), 0));
    event_number = 0;
}

TestSuite(gaps, .timeout = 30);

static const uint64_t firsts[] = {0, UINT32_MAX - 9, (UINT64_C(1) << 63) - 9, UINT64_MAX - 9};

static void send_numbered(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        void *payload;

        cr_assert(eq(int, lam_framed_sender_claim_until(&channel.sender, 40, soon(), &payload), 0));
        known_fill(payload, event_number, 0, 40);
        lam_framed_sender_commit(&channel.sender, 40, (uint16_t)event_number);
        event_number++;
    }
}

static void begin_frames(uint64_t number, uint64_t bytes, unsigned pieces)
{
    cr_assert(
        eq(int, lam_framed_sender_open_stream(&channel.sender, bytes, (uint16_t)number, NULL), 0));
    for (unsigned i = 0; i < pieces; i++) {
        uint64_t offset = channel.sender.stream.bytes_sent;
        uint64_t piece_bytes;
        void *piece;

        cr_assert(eq(int,
            lam_framed_sender_claim_piece_until(&channel.sender, soon(), &piece, &piece_bytes), 0));
        known_fill(piece, number, offset, piece_bytes);
        lam_framed_sender_commit_piece(&channel.sender, piece_bytes);
        event_number++;
    }
}

static int receive(void)
{
    return lam_framed_receiver_try_receive(&channel.receiver, &message);
}

static void expect_numbered(uint64_t number)
{
    cr_assert(eq(int, receive(), 1));
    cr_assert(known_is(&message, number, 40));
    cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
}

static struct lam_framed_loss loss;
static struct lam_error error;

/* A message of frames that a lossy receiver takes one by one. */
static void round_of_frames(uint64_t number, uint64_t bytes)
{
    cr_assert(
        eq(int, lam_framed_sender_open_stream(&channel.sender, bytes, (uint16_t)number, NULL), 0));
    while (lam_framed_sender_is_streaming(&channel.sender)) {
        cr_assert(eq(int, receive(), 0));
        cr_assert(eq(int, known_try_piece(&channel.sender, number), 1));
        event_number++;
    }
    cr_assert(eq(int, receive(), 1));
    cr_assert(known_is(&message, number, bytes));
    cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
}

Test(gaps, a_lossy_receiver_gets_all_that_it_is_quick_enough_for)
{
    for (unsigned at = 0; at < 4; at++) {
        open_as(LAM_RING_LOSSY, firsts[at]);
        for (uint64_t i = 0; i < 200; i++) {
            if (i % 5 == 0) {
                round_of_frames(i, 600 + i);
                continue;
            }
            send_numbered(1);
            expect_numbered(event_number - 1);
        }
        channel_close(&channel);
    }
}

Test(gaps, a_lapped_receiver_is_told_exactly_how_many_it_missed)
{
    for (unsigned at = 0; at < 4; at++) {
        open_as(LAM_RING_LOSSY, firsts[at]);
        for (unsigned ahead = 16; ahead < 120; ahead += 7) {
            uint64_t number = event_number;
            uint64_t from = channel.receiver.consumer.next;

            send_numbered(ahead);
            cr_assert(eq(int, receive(), -EOVERFLOW));
            cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
            cr_assert(eq(u64, loss.total_bytes, 0));
            cr_assert(eq(u64, loss.from, from));
            cr_assert(eq(u64, loss.to - loss.from, loss.event_count)); /* one cell each */
            cr_assert(loss.event_count > 0 && loss.event_count <= ahead);
            for (number += loss.event_count; number < event_number; number++)
                expect_numbered(number);
            cr_assert(eq(int, receive(), 0));
        }
        channel_close(&channel);
    }
}

Test(gaps, an_overrun_cuts_the_message_on_its_way_and_the_next_is_intact)
{
    for (unsigned at = 0; at < 4; at++) {
        open_as(LAM_RING_LOSSY, firsts[at]);
        for (unsigned more = 6; more < 40; more += 3) {
            uint64_t id = lam_framed_sender_next_id(&channel.sender);
            uint64_t before, got;

            begin_frames(7, 20000, 2);
            cr_assert(eq(int, receive(), 0));
            got = channel.receiver.one.bytes_received;
            before = event_number;
            /* More of the same message, and then others: all but the newest are gone. */
            for (unsigned i = 0; i < more; i++)
                cr_assert(eq(int, known_try_piece(&channel.sender, 7), 1));
            event_number += more;
            cr_assert(eq(int, receive(), -EOVERFLOW));
            cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
            cr_assert(eq(u64, loss.id, id));
            cr_assert(eq(u64, loss.total_bytes, 20000));
            cr_assert(eq(u64, loss.received_bytes, got));
            cr_assert(loss.event_count > 0 && loss.event_count <= event_number - before);
            /* Its other frames are dropped without a word: it was told. */
            cr_assert(eq(int, receive(), 0));
            cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 0));
            lam_framed_sender_cancel_stream(&channel.sender);
            event_number++;
            cr_assert(eq(int, receive(), 0));
            send_numbered(1);
            expect_numbered(event_number - 1);
            round_of_frames(3, 600);
        }
        channel_close(&channel);
    }
}

Test(gaps, who_is_lapped_into_another_message_is_told_of_that_one_too)
{
    open_as(LAM_RING_LOSSY, UINT64_MAX - 9);
    send_numbered(20);
    begin_frames(8, 20000, 12);
    cr_assert(eq(int, receive(), -EOVERFLOW));
    cr_assert(eq(int, receive(), 0));
    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
    cr_assert(eq(u64, loss.total_bytes, 20000));
    cr_assert(eq(u64, loss.event_count, 0));
    lam_framed_sender_cancel_stream(&channel.sender);
    cr_assert(eq(int, receive(), 0));
    round_of_frames(3, 600);
    channel_close(&channel);
}

Test(gaps, an_evicted_receiver_goes_on_and_knows_what_it_missed)
{
    for (unsigned at = 0; at < 4; at++) {
        open_as(LAM_RING_GATE_THEN_EVICT, firsts[at]);
        for (unsigned ahead = 20; ahead < 60; ahead += 13) {
            struct lam_framed_message held;
            uint64_t number = event_number + 1;

            send_numbered(1);
            cr_assert(eq(int, receive(), 1));
            held = message;
            send_numbered(ahead);
            cr_assert(eq(int, receive(), -ESTALE));
            cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &held), -ESTALE));
            cr_assert(eq(
                int, lam_framed_receiver_readmit(&channel.receiver, LAM_RING_OLDEST, &error), 0));
            cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
            cr_assert(eq(u64, loss.total_bytes, 0));
            cr_assert(eq(u64, loss.to - loss.from, loss.event_count));
            for (number += loss.event_count; number < event_number; number++)
                expect_numbered(number);
            cr_assert(eq(int, receive(), 0));
        }
        cr_assert(eq(int, lam_framed_receiver_readmit(&channel.receiver, LAM_RING_OLDEST, &error),
            -EALREADY));
        channel_close(&channel);
    }
}

/* Also where it missed nothing, and goes on right behind what it held. */
Test(gaps, what_is_held_over_an_eviction_is_finished_once)
{
    struct lam_held_message places[16];
    struct lam_held held;
    uint64_t place[8];

    open_as(LAM_RING_GATE_THEN_EVICT, UINT64_MAX - 9);
    lam_held_init(&held, &channel.receiver, places, 16);
    send_numbered(8);
    for (unsigned i = 0; i < 8; i++) {
        cr_assert(eq(int, receive(), 1));
        place[i] = lam_held_keep(&held, &message);
    }
    send_numbered(9);
    cr_assert(eq(int, receive(), -ESTALE));
    cr_assert(eq(int, lam_framed_receiver_readmit(&channel.receiver, LAM_RING_OLDEST, &error), 0));
    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
    cr_assert(eq(u64, loss.event_count, 0));
    for (unsigned i = 0; i < 8; i++)
        cr_assert(eq(int, lam_held_finish(&held, place[i]), 0));
    for (uint64_t number = 8; number < event_number; number++)
        expect_numbered(number);
    channel_close(&channel);
}

/* A buffer that was lent, too. */
Test(gaps, who_is_readmitted_holds_nothing)
{
    open_as(LAM_RING_GATE_THEN_EVICT, UINT64_MAX - 9);
    for (unsigned round = 0; round < 3; round++) {
        begin_frames(7, 600, 3);
        cr_assert(eq(int, receive(), 1));
        cr_assert(known_is(&message, 7, 600));
        while (receive() != -ESTALE)
            send_numbered(1);
        cr_assert(
            eq(int, lam_framed_receiver_readmit(&channel.receiver, LAM_RING_HEAD, &error), 0));
        round_of_frames(3, 600);
    }
    channel_close(&channel);
}

Test(gaps, an_eviction_cuts_the_message_on_its_way_and_the_next_is_intact)
{
    for (unsigned at = 0; at < 4; at++) {
        uint64_t id, got;

        open_as(LAM_RING_GATE_THEN_EVICT, firsts[at]);
        id = lam_framed_sender_next_id(&channel.sender);
        begin_frames(7, 60000, 3);
        cr_assert(eq(int, receive(), 0));
        got = channel.receiver.one.bytes_received;
        cr_assert(got > 0);
        for (unsigned i = 0; i < 30; i++) {
            uint64_t piece_bytes;
            void *piece;

            cr_assert(eq(int,
                lam_framed_sender_claim_piece_until(&channel.sender, soon(), &piece, &piece_bytes),
                0));
            memset(piece, 1, piece_bytes);
            lam_framed_sender_commit_piece(&channel.sender, piece_bytes);
        }
        cr_assert(eq(int, receive(), -ESTALE));
        cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
        cr_assert(eq(u64, loss.id, id));
        cr_assert(
            eq(int, lam_framed_receiver_readmit(&channel.receiver, LAM_RING_OLDEST, NULL), 0));
        cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
        cr_assert(eq(u64, loss.id, id));
        cr_assert(eq(u64, loss.total_bytes, 60000));
        cr_assert(eq(u64, loss.received_bytes, got));
        cr_assert(loss.event_count > 0 && loss.event_count <= 30);
        cr_assert(eq(int, receive(), 0)); /* its other frames, without a word */
        cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 0));
        lam_framed_sender_cancel_stream(&channel.sender);
        cr_assert(eq(int, receive(), 0));
        cr_assert(eq(int, known_round(&channel, 3, 600), 1));
        cr_assert(eq(int, known_round(&channel, 4, 60), 1));
        channel_close(&channel);
    }
}

Test(gaps, what_was_received_for_a_take_that_failed_counts_as_missed)
{
    uint8_t little[8];
    uint64_t number;

    open_as(LAM_RING_GATE_THEN_EVICT, UINT64_MAX - 3);
    send_numbered(1);
    cr_assert(
        eq(int, lam_framed_receiver_try_take(&channel.receiver, little, sizeof(little), &message),
            -ENOSPC));
    send_numbered(30);
    cr_assert(eq(int, lam_framed_receiver_readmit(&channel.receiver, LAM_RING_OLDEST, NULL), 0));
    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
    cr_assert(eq(u64, loss.from, UINT64_MAX - 3));
    cr_assert(eq(u64, loss.to - loss.from, loss.event_count));
    for (number = loss.event_count; number < event_number; number++)
        expect_numbered(number);
    channel_close(&channel);
}

Test(gaps, a_receiver_that_copies_is_checked_against_eviction_before_it_believes)
{
    struct lam_framed_receiver_options options = {.message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX,
        .copies = 1,
        .consumer = {.policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = LAM_NS_PER_MS}};

    channel_open(&channel, 16);
    lam_framed_receiver_detach(&channel.receiver);
    cr_assert(
        eq(int, lam_framed_receiver_attach(&channel.receiver, &channel.ring, &options, NULL), 0));
    event_number = 0;
    send_numbered(3);
    cr_assert(eq(int, receive(), 1));
    cr_assert(eq(int, receive(), -EBUSY)); /* one copy at a time */
    send_numbered(40);
    cr_assert(known_is(&message, 0, 40)); /* nobody overwrites the copy */
    cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
    cr_assert(eq(int, receive(), -ESTALE));
    cr_assert(eq(int, lam_framed_receiver_readmit(&channel.receiver, LAM_RING_OLDEST, NULL), 0));
    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
    expect_numbered(1 + loss.event_count);
    channel_close(&channel);
}
