/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: messages that fit half the ring arrive in place, whole, once, in order, at every size.
 * Method: one thread holds both ends of an anonymous ring; every byte is checked.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>

#include "channel.h"

static struct channel channel;
static struct lam_framed_batch batch;

static void open_channel(void)
{
    channel_open(&channel, 16);
}

static void close_channel(void)
{
    channel_close(&channel);
}

TestSuite(messages, .init = open_channel, .fini = close_channel, .timeout = 20);

Test(messages, arrive_at_every_size_over_many_wraps)
{
    uint64_t bytes_max = lam_framed_sender_claim_bytes_max(&channel.sender);
    uint64_t number = 0;

    cr_assert(eq(u64, bytes_max, 16 * 64 / 2 - 16));
    for (int lap = 0; lap < 9; lap++)
        for (uint64_t bytes = 0; bytes <= bytes_max; bytes++, number++)
            cr_assert(eq(int, known_round(&channel, number, bytes), 1), "%llu bytes",
                (unsigned long long)bytes);
}

Test(messages, larger_than_half_the_ring_get_no_claim)
{
    struct lam_framed_correlation correlation = {.id = 1};
    uint64_t bytes_max = lam_framed_sender_claim_bytes_max(&channel.sender);
    struct lam_framed_sender *sender = &channel.sender;
    void *payload;

    cr_assert(eq(int, lam_framed_sender_try_claim(sender, bytes_max + 1, &payload), -EMSGSIZE));
    cr_assert(eq(int, lam_framed_sender_try_claim(sender, UINT64_MAX, &payload), -EMSGSIZE));
    cr_assert(
        eq(int, lam_framed_sender_claim_until(sender, bytes_max + 1, soon(), &payload), -EMSGSIZE));
    for (uint64_t bytes = bytes_max - 15; bytes != bytes_max + 2; bytes++)
        cr_assert(
            eq(int, lam_framed_sender_try_claim_correlated(sender, bytes, &correlation, &payload),
                -EMSGSIZE));
    cr_assert(
        eq(int, lam_framed_sender_try_claim_correlated(sender, UINT64_MAX, &correlation, &payload),
            -EMSGSIZE));
    cr_assert(eq(int, lam_framed_sender_try_claim_batch(sender, 2, bytes_max, &batch), -EMSGSIZE));
    cr_assert(
        eq(int, lam_framed_sender_try_claim_batch(sender, 1, bytes_max + 1, &batch), -EMSGSIZE));
    cr_assert(eq(int, known_round(&channel, 7, bytes_max), 1));
}

Test(messages, have_their_sequence_as_id)
{
    struct lam_framed_message message = {.payload = NULL};

    for (uint64_t number = 0; number < 40; number++) {
        uint64_t id = lam_framed_sender_next_id(&channel.sender);

        cr_assert(eq(int, known_try_send(&channel.sender, number, number * 3), 1));
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
        cr_assert(eq(u64, message.id, id));
        cr_assert(zero(ptr, (void *)message.correlation));
        lam_framed_receiver_release(&channel.receiver, &message);
    }
}

Test(messages, carry_a_correlation_as_it_was_sent)
{
    uint64_t bytes_max = lam_framed_sender_claim_bytes_max(&channel.sender) - 16;
    struct lam_framed_message message = {.payload = NULL};
    void *payload;

    for (uint64_t bytes = 0; bytes <= bytes_max; bytes++) {
        struct lam_framed_correlation correlation = {.id = bytes * 3, .scope = ~bytes};

        cr_assert(eq(int,
            lam_framed_sender_try_claim_correlated(
                &channel.sender, bytes_max, &correlation, &payload),
            1));
        known_fill(payload, bytes, 0, bytes);
        lam_framed_sender_commit(&channel.sender, bytes, (uint16_t)bytes);
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
        cr_assert(known_is(&message, bytes, bytes));
        cr_assert(ne(ptr, (void *)message.correlation, NULL));
        cr_assert(eq(u64, message.correlation->id, bytes * 3));
        cr_assert(eq(u64, message.correlation->scope, ~bytes));
        cr_assert(eq(int, message.flags, LAM_EVENT_CORRELATION));
        lam_framed_receiver_release(&channel.receiver, &message);
        /* The next one has none, and neither has one behind an abort. */
        if (bytes % 2 == 0) {
            cr_assert(eq(int,
                lam_framed_sender_try_claim_correlated(&channel.sender, 9, &correlation, &payload),
                1));
            lam_framed_sender_abort(&channel.sender);
        }
        cr_assert(eq(int, known_try_send(&channel.sender, bytes, 5), 1));
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
        cr_assert(zero(ptr, (void *)message.correlation));
        cr_assert(known_is(&message, bytes, 5));
        lam_framed_receiver_release(&channel.receiver, &message);
    }
}

Test(messages, are_gathered_from_parts)
{
    uint8_t bytes[100];
    struct iovec parts[] = {{NULL, 0}, {bytes, 1}, {bytes + 1, 0}, {bytes + 1, 62}, {NULL, 0},
        {bytes + 63, 37}, {NULL, 0}};
    struct lam_framed_correlation correlation = {.id = 9, .scope = 8};

    known_fill(bytes, 3, 0, sizeof(bytes));
    cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, parts, 7, 3, NULL), 1));
    cr_assert(eq(int, known_try_receive(&channel.receiver, 3, 100), 1));
    cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, parts, 7, 3, &correlation), 1));
    cr_assert(eq(int, known_try_receive(&channel.receiver, 3, 100), 1));
    cr_assert(eq(
        int, lam_framed_sender_send_until(&channel.sender, parts, 7, 3, &correlation, soon()), 0));
    cr_assert(eq(int, known_try_receive(&channel.receiver, 3, 100), 1));
    cr_assert(eq(int, lam_framed_sender_send_until(&channel.sender, NULL, 0, 4, NULL, soon()), 0));
    cr_assert(eq(int, known_try_receive(&channel.receiver, 4, 0), 1));
}

Test(messages, of_parts_whose_sum_overflows_are_refused)
{
    struct iovec parts[] = {{NULL, SIZE_MAX}, {NULL, 2}};

    cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, parts, 2, 1, NULL), -EMSGSIZE));
    cr_assert(eq(
        int, lam_framed_sender_send_until(&channel.sender, parts, 2, 1, NULL, soon()), -EMSGSIZE));
    cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, parts, 1, 1, NULL), -EMSGSIZE));
}

Test(messages, that_are_aborted_were_never_there)
{
    struct lam_framed_message message = {.payload = NULL};
    void *payload;

    for (uint64_t number = 0; number < 100; number++) {
        cr_assert(eq(int, lam_framed_sender_try_claim(&channel.sender, 300, &payload), 1));
        memset(payload, (int)number, 300);
        lam_framed_sender_abort(&channel.sender);
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 0));
        cr_assert(eq(int, known_round(&channel, number, number), 1));
    }
}

Test(messages, of_a_batch_become_visible_at_once)
{
    struct lam_framed_message message = {.payload = NULL};
    void *payload;

    for (uint64_t lap = 0; lap < 20; lap++) {
        cr_assert(eq(int, lam_framed_sender_try_claim_batch(&channel.sender, 7, 48, &batch), 1));
        for (uint64_t number = 0; number < 7; number++) {
            cr_assert(eq(int, lam_framed_batch_stage(&batch, 48, (uint16_t)number, &payload), 1));
            known_fill(payload, number, 0, 48);
            cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 0));
        }
        cr_assert(eq(int, lam_framed_batch_stage(&batch, 48, 7, &payload), 0));
        lam_framed_batch_commit(&batch);
        for (uint64_t number = 0; number < 7; number++)
            cr_assert(eq(int, known_try_receive(&channel.receiver, number, 48), 1));
    }
}

Test(messages, may_be_held_and_are_released_in_order)
{
    struct lam_framed_message held[15];

    for (uint64_t lap = 0; lap < 5; lap++) {
        for (uint64_t i = 0; i < 15; i++) {
            cr_assert(eq(int, known_try_send(&channel.sender, i, 20), 1));
            cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &held[i]), 1));
        }
        cr_assert(eq(int, known_try_send(&channel.sender, 99, 20), 0));
        for (uint64_t i = 0; i < 15; i++)
            cr_assert(known_is(&held[i], i, 20));
        /* One is room for one; the last one releases all before it. */
        lam_framed_receiver_release(&channel.receiver, &held[0]);
        cr_assert(eq(int, known_try_send(&channel.sender, 15, 20), 1));
        cr_assert(eq(int, known_try_send(&channel.sender, 99, 20), 0));
        for (uint64_t i = 1; i < 15; i++)
            cr_assert(known_is(&held[i], i, 20));
        lam_framed_receiver_release(&channel.receiver, &held[14]);
        cr_assert(eq(int, known_try_receive(&channel.receiver, 15, 20), 1));
    }
}

Test(messages, full_of_stamps_are_not_taken_for_events)
{
    struct lam_framed_message message = {.payload = NULL};
    uint64_t stamps[62];
    struct iovec parts = {stamps, sizeof(stamps)};

    for (uint64_t lap = 0; lap < 2000; lap++) {
        uint64_t id = lam_framed_sender_next_id(&channel.sender);

        parts.iov_len = (lap * 7 % 63) * 8;
        /* Each first word of a cell is what the reader of the next lap will look for. */
        for (uint64_t i = 0; i < 62; i++)
            stamps[i] = id + 16 + (i * 8 + 16) / 64;
        cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, &parts, 1, 1, NULL), 1));
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
        cr_assert(eq(u64, message.id, id));
        cr_assert(eq(u64, message.payload_bytes, parts.iov_len));
        cr_assert(zero(memcmp(message.payload, stamps, parts.iov_len)));
        lam_framed_receiver_release(&channel.receiver, &message);
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 0));
    }
}

Test(messages, of_a_reserved_kind_are_a_programmers_error, .signal = SIGABRT)
{
    void *payload;

    (void)lam_framed_sender_try_claim(&channel.sender, 8, &payload);
    lam_framed_sender_commit(&channel.sender, 8, LAM_FRAMED_KIND_FRAME);
}

Test(messages, released_behind_a_later_one_are_a_programmers_error, .signal = SIGABRT)
{
    struct lam_framed_message message[2];

    for (int i = 0; i < 2; i++) {
        (void)known_try_send(&channel.sender, 0, 8);
        (void)lam_framed_receiver_try_receive(&channel.receiver, &message[i]);
    }
    lam_framed_receiver_release(&channel.receiver, &message[1]);
    lam_framed_receiver_release(&channel.receiver, &message[0]);
}

Test(messages, released_twice_are_a_programmers_error, .signal = SIGABRT)
{
    struct lam_framed_message message[2];

    for (int i = 0; i < 2; i++) {
        (void)known_try_send(&channel.sender, 0, 8);
        (void)lam_framed_receiver_try_receive(&channel.receiver, &message[i]);
    }
    if (lam_framed_receiver_release(&channel.receiver, &message[0]) == 0)
        (void)lam_framed_receiver_release(&channel.receiver, &message[0]);
}

/* What was in a buffer went back as it came: its release has less to do, and is one as well. */
static void release_twice(uint32_t copies, uint64_t bytes)
{
    struct lam_framed_receiver_options options = {
        .copies = copies, .message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX};
    static struct lam_framed_receiver receiver;
    struct lam_framed_message message;

    lam_framed_receiver_detach(&channel.receiver);
    if (lam_framed_receiver_attach(&receiver, &channel.ring, &options, NULL) != 0)
        return;
    if (known_try_send(&channel.sender, 0, bytes) != 1) {
        (void)lam_framed_sender_open_stream(&channel.sender, bytes, 0, NULL);
        while (known_try_piece(&channel.sender, 0) == 1 && channel.sender.stream.bytes_total != 0)
            continue;
    }
    if (lam_framed_receiver_try_receive(&receiver, &message) == 1 && known_is(&message, 0, bytes) &&
        lam_framed_receiver_release(&receiver, &message) == 0)
        (void)lam_framed_receiver_release(&receiver, &message);
}

Test(messages, of_frames_released_twice_are_a_programmers_error, .signal = SIGABRT)
{
    release_twice(0, 520);
}

Test(messages, copied_and_released_twice_are_a_programmers_error, .signal = SIGABRT)
{
    release_twice(1, 40);
}
