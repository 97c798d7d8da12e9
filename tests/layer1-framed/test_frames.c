/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: messages larger than half the ring arrive whole, at every size, also larger than the ring.
 * Method: one thread holds both ends and moves them in turns; every byte is checked. How messages
 * of frames are cut short is test_cut.c's.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <sys/resource.h>

#include "channel.h"

static struct channel channel;

static void open_channel(void)
{
    channel_open(&channel, 16);
}

static void close_channel(void)
{
    channel_close(&channel);
}

TestSuite(frames, .init = open_channel, .fini = close_channel, .timeout = 20);

Test(frames, carry_every_size_about_half_the_ring_and_the_ring)
{
    uint64_t number = 0;

    for (uint64_t bytes = 16 * 64 / 2 - 16 - 64; bytes <= 16 * 64 + 200; bytes++, number++)
        cr_assert(
            eq(int, known_round(&channel, number, bytes), 1), "%llu", (unsigned long long)bytes);
}

Test(frames, carry_messages_many_times_the_ring_up_to_exactly_the_bound)
{
    uint64_t bytes_max = CHANNEL_MESSAGE_BYTES_MAX;

    cr_assert(eq(int, known_round(&channel, 1, 100000), 1));
    cr_assert(eq(int, known_round(&channel, 2, bytes_max - 1), 1));
    cr_assert(eq(int, known_round(&channel, 3, bytes_max), 1));
    cr_assert(eq(int, known_round(&channel, 4, bytes_max + 1), -EMSGSIZE));
    cr_assert(eq(int, known_round(&channel, 5, 0), 1));
}

Test(frames, alternate_with_messages_in_place)
{
    for (uint64_t number = 0; number < 300; number++)
        cr_assert(
            eq(int, known_round(&channel, number, number % 3 == 0 ? 3000 + number : number), 1));
}

Test(frames, of_one_message_have_its_first_sequence_as_id_and_its_correlation)
{
    struct lam_framed_correlation correlation = {.id = 77, .scope = 78};
    struct lam_framed_message message = {.payload = NULL};
    uint64_t id = lam_framed_sender_next_id(&channel.sender);

    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 700, 12, &correlation), 0));
    memset(&correlation, 0, sizeof(correlation)); /* it was copied */
    while (lam_framed_sender_is_streaming(&channel.sender)) {
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 0));
        cr_assert(eq(int, known_try_piece(&channel.sender, 12), 1));
    }
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
    cr_assert(known_is(&message, 12, 700));
    cr_assert(eq(u64, message.id, id));
    cr_assert(ne(ptr, (void *)message.correlation, NULL));
    cr_assert(eq(u64, message.correlation->id, 77));
    cr_assert(eq(u64, message.correlation->scope, 78));
    lam_framed_receiver_release(&channel.receiver, &message);
    cr_assert(eq(int, known_round(&channel, 13, 900), 1));
}

Test(frames, are_sent_where_only_the_correlation_does_not_fit)
{
    uint64_t bytes = lam_framed_sender_claim_bytes_max(&channel.sender) - 15;
    struct lam_framed_correlation correlation = {.id = 5};
    uint8_t *payload = malloc(bytes);
    struct iovec part = {payload, bytes};
    struct lam_framed_message message = {.payload = NULL};

    known_fill(payload, 6, 0, bytes);
    cr_assert(
        eq(int, lam_framed_sender_try_send(&channel.sender, &part, 1, 6, &correlation), -EMSGSIZE));
    cr_assert(eq(
        int, lam_framed_sender_send_until(&channel.sender, &part, 1, 6, &correlation, soon()), 0));
    cr_assert(eq(int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message), 0));
    cr_assert(known_is(&message, 6, bytes));
    cr_assert(eq(u64, message.correlation->id, 5));
    free(payload);
}

Test(frames, are_gathered_from_parts)
{
    uint8_t bytes[700];
    struct iovec parts[] = {
        {bytes, 3}, {NULL, 0}, {bytes + 3, 297}, {bytes + 300, 1}, {bytes + 301, 399}, {NULL, 0}};

    known_fill(bytes, 3, 0, sizeof(bytes));
    cr_assert(eq(int, lam_framed_sender_send_until(&channel.sender, parts, 6, 3, NULL, soon()), 0));
    cr_assert(eq(int, known_try_receive(&channel.receiver, 3, 700), 1));
}

Test(frames, may_be_written_short)
{
    uint64_t number = 21;
    struct lam_framed_message message = {.payload = NULL};

    /* One byte a frame, of a message that would fit one event: legal, if wasteful. */
    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 14, 21, NULL), 0));
    for (uint64_t offset = 0; offset < 14; offset++) {
        uint64_t piece_bytes;
        void *piece;

        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 0));
        cr_assert(
            eq(int, lam_framed_sender_try_claim_piece(&channel.sender, &piece, &piece_bytes), 1));
        cr_assert(eq(u64, piece_bytes, 14 - offset));
        known_fill(piece, number, offset, 1);
        lam_framed_sender_commit_piece(&channel.sender, 1);
    }
    cr_assert(not(lam_framed_sender_is_streaming(&channel.sender)));
    cr_assert(eq(int, known_try_receive(&channel.receiver, number, 14), 1));
}

Test(frames, stop_the_sender_while_the_receiver_is_slow)
{
    struct lam_framed_message message = {.payload = NULL};
    unsigned count = 0;

    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 10000, 1, NULL), 0));
    while (known_try_piece(&channel.sender, 1) == 1)
        count++;
    cr_assert(ge(uint, count, 3));
    cr_assert(le(uint, count, 4));
    cr_assert(eq(int, known_try_piece(&channel.sender, 1), 0));
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 0));
    cr_assert(eq(int, known_try_piece(&channel.sender, 1), 1));
}

Test(frames, wait_until_what_is_held_before_them_is_released)
{
    struct lam_framed_message first, second;

    cr_assert(eq(int, known_try_send(&channel.sender, 1, 40), 1));
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &first), 1));
    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 600, 2, NULL), 0));
    while (lam_framed_sender_is_streaming(&channel.sender))
        cr_assert(eq(int, known_try_piece(&channel.sender, 2), 1));
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &second), -EBUSY));
    cr_assert(
        eq(int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &second), -EBUSY));
    cr_assert(known_is(&first, 1, 40));
    lam_framed_receiver_release(&channel.receiver, &first);
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &second), 1));
    cr_assert(known_is(&second, 2, 600));

    /* The buffer is lent: messages in place go on behind it, the next one of frames does not. */
    lam_framed_sender_open_stream(&channel.sender, 20, 4, NULL);
    cr_assert(eq(int, known_try_piece(&channel.sender, 4), 1));
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &first), -EBUSY));
    cr_assert(known_is(&second, 2, 600));
    lam_framed_receiver_release(&channel.receiver, &second);
    cr_assert(eq(int, known_try_receive(&channel.receiver, 4, 20), 1));
}

Test(frames, stay_lent_while_messages_in_place_go_by)
{
    struct lam_framed_message large, small;

    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 600, 2, NULL), 0));
    while (lam_framed_sender_is_streaming(&channel.sender))
        cr_assert(eq(int, known_try_piece(&channel.sender, 2), 1));
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &large), 1));
    for (uint64_t number = 0; number < 3; number++) {
        cr_assert(eq(int, known_try_send(&channel.sender, number, 30), 1));
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &small), 1));
        cr_assert(known_is(&small, number, 30));
    }
    cr_assert(known_is(&large, 2, 600));
    /* The last one's release covers all before it, and so frees the buffer. */
    lam_framed_receiver_release(&channel.receiver, &small);
    cr_assert(eq(int, known_round(&channel, 3, 2000), 1));
}

Test(frames, need_a_bound_of_the_sender_and_bytes)
{
    struct lam_framed_sender *sender = &channel.sender;

    cr_assert(eq(int, lam_framed_sender_open_stream(sender, 0, 1, NULL), -EINVAL));
    cr_assert(eq(int, lam_framed_sender_open_stream(sender, UINT64_MAX, 1, NULL), -EMSGSIZE));
    lam_framed_sender_close(sender);
    lam_framed_sender_detach(sender);
    cr_assert(eq(int, lam_framed_sender_attach(sender, &channel.ring, NULL, NULL), 0));
    cr_assert(eq(int, lam_framed_sender_open_stream(sender, 1, 1, NULL), -EMSGSIZE));
}

Test(frames, are_not_for_rings_too_small_for_them)
{
    for (uint64_t depth = 2; depth <= 16; depth *= 2) {
        struct channel small;
        int rc;

        channel_open(&small, depth);
        rc = lam_framed_sender_open_stream(&small.sender, 1000, 1, NULL);
        cr_assert(eq(int, rc, depth < 8 ? -EMSGSIZE : 0), "depth %llu", (unsigned long long)depth);
        if (rc == 0)
            lam_framed_sender_cancel_stream(&small.sender);
        for (uint64_t bytes = 0; bytes <= 3000; bytes += 61)
            cr_assert(eq(int, known_round(&small, bytes, bytes),
                bytes <= lam_framed_sender_claim_bytes_max(&small.sender) || depth >= 8
                    ? 1
                    : -EMSGSIZE));
        channel_close(&small);
    }
}

Test(frames, go_on_where_sequences_wrap)
{
    struct channel late;

    channel_make_ring(&late.ring, 16, UINT64_MAX - 200);
    channel_attach_sender(&late);
    channel_attach_receiver(&late, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
    for (uint64_t number = 0; number < 200; number++)
        cr_assert(eq(int, known_round(&late, number, number * 11), 1));
    cr_assert(lt(u64, lam_framed_sender_next_id(&late.sender), UINT64_MAX / 2));
    channel_close(&late);
}

Test(frames, interleave_with_nothing, .signal = SIGABRT)
{
    void *payload;

    (void)lam_framed_sender_open_stream(&channel.sender, 1000, 1, NULL);
    (void)lam_framed_sender_try_claim(&channel.sender, 8, &payload);
}

Test(frames, are_put_together_in_the_callers_buffer)
{
    _Alignas(16) static uint8_t buffer[1001];
    struct lam_framed_receiver_options options = {.message_bytes_max = 1000, .buffer = buffer};
    struct lam_framed_receiver *receiver = &channel.receiver;
    struct lam_framed_message message = {.payload = NULL};
    struct lam_error error;

    lam_framed_receiver_detach(receiver);
    options.buffer = buffer + 1;
    cr_assert(
        eq(int, lam_framed_receiver_attach(receiver, &channel.ring, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "16 bytes"), NULL));
    options.buffer = buffer;
    cr_assert(eq(int, lam_framed_receiver_attach(receiver, &channel.ring, &options, &error), 0));
    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 1000, 5, NULL), 0));
    while (lam_framed_sender_is_streaming(&channel.sender)) {
        (void)known_try_piece(&channel.sender, 5);
        (void)lam_framed_receiver_try_receive(receiver, &message);
    }
    cr_assert(eq(ptr, (void *)message.payload, buffer));
    cr_assert(known_is(&message, 5, 1000));
    cr_assert(zero(int, buffer[1000]));
}

Test(frames, need_memory_for_the_bound)
{
#ifdef __SANITIZE_ADDRESS__
    cr_skip_test("AddressSanitizer ends the process where malloc would return NULL");
#else
    struct lam_framed_receiver_options options = {
        .message_bytes_max = LAM_FRAMED_MESSAGE_BYTES_MAX};
    const struct rlimit limit = {UINT64_C(1) << 36, UINT64_C(1) << 36};
    struct lam_framed_receiver receiver;
    struct lam_error error;

    cr_assert(zero(int, setrlimit(RLIMIT_AS, &limit)));
    cr_assert(
        eq(int, lam_framed_receiver_attach(&receiver, &channel.ring, &options, &error), -ENOMEM));
    cr_assert(ne(ptr, strstr(error.text, "message_bytes_max"), NULL));
#endif
}

Test(frames, have_a_bound_that_makes_sense)
{
    struct lam_framed_receiver_options options = {
        .message_bytes_max = LAM_FRAMED_MESSAGE_BYTES_MAX + 1};
    struct lam_framed_sender_options sender_options = {
        .message_bytes_max = LAM_FRAMED_MESSAGE_BYTES_MAX + 1};
    struct lam_framed_receiver receiver;
    struct lam_framed_sender sender;
    struct lam_error error;

    cr_assert(
        eq(int, lam_framed_receiver_attach(&receiver, &channel.ring, &options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "1099511627777"), NULL));
    cr_assert(eq(
        int, lam_framed_sender_attach(&sender, &channel.ring, &sender_options, &error), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "1099511627777"), NULL));
    lam_framed_sender_detach(&sender);
}
