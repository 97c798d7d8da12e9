/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a message comes into the caller's own memory whole or not at all, and several come by one
 * call; nothing is lost where the memory is too small, or where an error lies between.
 * Method: every way in which a receiver gets a message (lent, copied, put together), from sequences
 * before a wrap.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "channel.h"

static struct channel channel;
static struct lam_framed_message message;
static uint8_t memory[8192] __attribute__((aligned(16)));

static void open_as(uint32_t copies, enum lam_ring_policy policy)
{
    struct lam_framed_receiver_options options = {.message_bytes_max = CHANNEL_MESSAGE_BYTES_MAX,
        .copies = copies,
        .consumer.policy = policy};

    channel_make_ring(&channel.ring, 16, UINT64_MAX - 20);
    channel_attach_sender(&channel);
    cr_assert(
        eq(int, lam_framed_receiver_attach(&channel.receiver, &channel.ring, &options, NULL), 0));
}

static void close_channel(void)
{
    channel_close(&channel);
}

TestSuite(take, .timeout = 20);

static int take(uint64_t capacity)
{
    memset(memory, 0xee, sizeof(memory));
    return lam_framed_receiver_try_take(&channel.receiver, memory, capacity, &message);
}

/* Send @number of @bytes, in place or in frames, with a take of @capacity until it answers. */
static int send_and_take(uint64_t number, uint64_t bytes, uint64_t capacity)
{
    int rc = known_try_send(&channel.sender, number, bytes);

    if (rc == 1)
        return take(capacity);
    cr_assert(eq(int, rc, -EMSGSIZE));
    cr_assert(eq(int,
        lam_framed_sender_open_stream(&channel.sender, bytes, (uint16_t)(number & 0x7fff), NULL),
        0));
    do {
        while (lam_framed_sender_is_streaming(&channel.sender))
            if (known_try_piece(&channel.sender, number) != 1)
                break;
        rc = take(capacity);
    } while (rc == 0);
    return rc;
}

Test(take, puts_each_message_into_the_callers_memory)
{
    for (int way = 0; way < 3; way++) {
        uint64_t number = 0;

        open_as(way == 1, way == 2 ? LAM_RING_LOSSY : LAM_RING_GATE);
        for (uint64_t bytes = 0; bytes < 4000; bytes += bytes < 520 ? 3 : 401) {
            if (way == 2 && bytes > 600)
                break; /* a lossy one would be lapped: one thread sends and takes */
            number++;
            cr_assert(eq(int, send_and_take(number, bytes, bytes), 1), "%d", (int)bytes);
            cr_assert(message.payload == memory && known_is(&message, number, bytes));
            cr_assert(memory[bytes] == 0xee);
        }
        /* Nothing is held: a lap of it goes through. */
        for (uint64_t i = 0; i < 40; i++)
            cr_assert(eq(int, send_and_take(i, 100, sizeof(memory)), 1));
        close_channel();
    }
}

Test(take, into_too_little_says_how_much_and_loses_nothing)
{
    for (int way = 0; way < 3; way++)
        for (uint64_t bytes = 100; bytes < 1400; bytes += 1200) {
            if (way == 2 && bytes > 600)
                break;
            open_as(way == 1, way == 2 ? LAM_RING_LOSSY : LAM_RING_GATE);
            cr_assert(eq(int, send_and_take(5, bytes, bytes - 1), -ENOSPC));
            cr_assert(eq(u64, message.payload_bytes, bytes));
            cr_assert(eq(int, take(0), -ENOSPC));
            cr_assert(eq(int, take(bytes), 1));
            cr_assert(known_is(&message, 5, bytes));
            cr_assert(eq(int, take(bytes), 0));
            /* A plain receive gets what a take could not. */
            cr_assert(eq(int, send_and_take(6, bytes, bytes - 1), -ENOSPC));
            cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
            cr_assert(known_is(&message, 6, bytes));
            cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
            cr_assert(eq(int, send_and_take(7, 10, 10), 1));
            close_channel();
        }
}

Test(take, brings_extensions_and_frees_their_place)
{
    struct lam_framed_correlation correlation = {.id = 3, .scope = 4};

    for (int way = 0; way < 2; way++) {
        open_as((uint32_t)way, LAM_RING_GATE);
        for (uint64_t number = 0; number < 100; number++) {
            void *payload;

            correlation.id = number;
            cr_assert(eq(int,
                lam_framed_sender_try_claim_extended(&channel.sender, 90, &correlation,
                    LAM_EVENT_CRC32C | LAM_EVENT_TIMESTAMP, &payload),
                1));
            known_fill(payload, number, 0, 90);
            lam_framed_sender_commit(&channel.sender, 90, (uint16_t)number);
            cr_assert(eq(int, take(sizeof(memory)), 1));
            cr_assert(known_is(&message, number, 90));
            cr_assert(eq(u64, message.correlation->id, number));
            cr_assert(eq(u64, message.correlation->scope, 4));
        }
        close_channel();
    }
}

Test(take, waits_and_times_out)
{
    open_as(0, LAM_RING_GATE);
    cr_assert(eq(int,
        lam_framed_receiver_take_until(&channel.receiver, lam_deadline_after_ns(LAM_NS_PER_MS),
            memory, sizeof(memory), &message),
        -ETIMEDOUT));
    cr_assert(eq(int, known_try_send(&channel.sender, 3, 70), 1));
    cr_assert(eq(int,
        lam_framed_receiver_take_until(&channel.receiver, soon(), memory, sizeof(memory), &message),
        0));
    cr_assert(known_is(&message, 3, 70));
    lam_framed_sender_close(&channel.sender);
    cr_assert(eq(int,
        lam_framed_receiver_take_until(&channel.receiver, soon(), memory, sizeof(memory), &message),
        -EPIPE));
    close_channel();
}

static struct lam_framed_message messages[32];

static int receive_batch(uint32_t count)
{
    return lam_framed_receiver_try_receive_batch(&channel.receiver, messages, count);
}

Test(take, a_batch_is_all_that_is_there_and_one_release)
{
    open_as(0, LAM_RING_GATE);
    for (uint64_t round = 0; round < 30; round++) {
        uint64_t count = 1 + round % 13;

        cr_assert(eq(int, receive_batch(32), 0));
        for (uint64_t i = 0; i < count; i++)
            cr_assert(eq(int, known_try_send(&channel.sender, round + i, 40), 1));
        if (count > 4) {
            cr_assert(eq(int, receive_batch(2), 2));
            cr_assert(known_is(&messages[1], round + 1, 40));
            cr_assert(eq(int, receive_batch(32), (int)count - 2));
            cr_assert(known_is(&messages[count - 3], round + count - 1, 40));
            cr_assert(
                eq(int, lam_framed_receiver_release(&channel.receiver, &messages[count - 3]), 0));
            continue;
        }
        cr_assert(eq(int,
            lam_framed_receiver_receive_batch_until(&channel.receiver, soon(), messages, 32),
            (int)count));
        for (uint64_t i = 0; i < count; i++)
            cr_assert(known_is(&messages[i], round + i, 40));
        cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &messages[count - 1]), 0));
    }
    cr_assert(eq(int,
        lam_framed_receiver_receive_batch_until(
            &channel.receiver, lam_deadline_after_ns(LAM_NS_PER_MS), messages, 32),
        -ETIMEDOUT));
    close_channel();
}

Test(take, an_error_behind_a_batch_is_told_by_the_next_call)
{
    struct lam_framed_loss loss;

    open_as(0, LAM_RING_GATE);
    cr_assert(eq(int, known_try_send(&channel.sender, 1, 40), 1));
    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 600, 2, NULL), 0));
    while (lam_framed_sender_is_streaming(&channel.sender))
        cr_assert(eq(int, known_try_piece(&channel.sender, 2), 1));
    cr_assert(eq(int, known_try_send(&channel.sender, 3, 40), 1));
    cr_assert(eq(int, receive_batch(32), 1)); /* frames come next: a release first */
    cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &messages[0]), 0));
    cr_assert(eq(int, receive_batch(32), 2));
    cr_assert(known_is(&messages[0], 2, 600));
    cr_assert(known_is(&messages[1], 3, 40));
    cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &messages[1]), 0));

    lam_framed_receiver_detach(&channel.receiver);
    channel_attach_receiver(&channel, 500, LAM_RING_HEAD);
    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 400, 2, NULL), 0));
    while (lam_framed_sender_is_streaming(&channel.sender))
        cr_assert(eq(int, known_try_piece(&channel.sender, 2), 1));
    cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 4000, 5, NULL), 0));
    cr_assert(eq(int, known_try_piece(&channel.sender, 5), 1));
    lam_framed_sender_cancel_stream(&channel.sender);
    cr_assert(eq(int, receive_batch(32), 1)); /* and then one that is too large */
    cr_assert(known_is(&messages[0], 2, 400));
    cr_assert(eq(int, receive_batch(32), -EMSGSIZE));
    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
    cr_assert(eq(u64, loss.total_bytes, 4000));
    cr_assert(eq(int, receive_batch(32), 0));
    close_channel();
}

Test(take, several_messages_of_frames_may_be_held)
{
    struct lam_framed_receiver_options options = {
        .message_bytes_max = 700, .streams_max = 3, .consumer.start = LAM_RING_HEAD};

    channel_make_ring(&channel.ring, 16, UINT64_MAX - 20);
    channel_attach_sender(&channel);
    cr_assert(
        eq(int, lam_framed_receiver_attach(&channel.receiver, &channel.ring, &options, NULL), 0));
    for (uint64_t number = 0; number < 30; number++) {
        cr_assert(eq(int,
            lam_framed_sender_open_stream(&channel.sender, 600 + number, (uint16_t)number, NULL),
            0));
        while (lam_framed_sender_is_streaming(&channel.sender))
            cr_assert(eq(int, known_try_piece(&channel.sender, number), 1));
        if (number >= 3) {
            /* All three are lent: the oldest has to go first. */
            cr_assert(
                eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), -EBUSY));
            cr_assert(known_is(&messages[(number - 3) % 4], number - 3, 600 + number - 3));
            cr_assert(eq(int,
                lam_framed_receiver_release(&channel.receiver, &messages[(number - 3) % 4]), 0));
        }
        cr_assert(
            eq(int, lam_framed_receiver_try_receive(&channel.receiver, &messages[number % 4]), 1));
    }
    close_channel();
}
