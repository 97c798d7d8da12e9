/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what the ends of a channel say when there is nothing, no room, or nobody left.
 * Method: one thread holds both ends.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "channel.h"

static struct channel channel;
static struct lam_framed_batch batch;
static struct lam_framed_message message;

static void open_channel(void)
{
    channel_open(&channel, 16);
}

static void close_channel(void)
{
    channel_close(&channel);
}

TestSuite(ends, .init = open_channel, .fini = close_channel, .timeout = 20);

Test(ends, an_empty_channel_gives_nothing_and_times_out)
{
    uint64_t deadline_ns = lam_deadline_after_ns(5 * LAM_NS_PER_MS);

    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 0));
    cr_assert(eq(int, lam_framed_receiver_receive_until(&channel.receiver, deadline_ns, &message),
        -ETIMEDOUT));
    cr_assert(ge(u64, lam_clock_now_ns(), deadline_ns));
    cr_assert(
        eq(int, lam_framed_receiver_receive_until(&channel.receiver, 0, &message), -ETIMEDOUT));
    cr_assert(eq(int, known_round(&channel, 1, 50), 1));
}

Test(ends, a_full_channel_says_whom_it_waits_for)
{
    struct lam_ring_blocker blocker;
    struct iovec part = {"some bytes", 10};
    void *payload;

    for (uint64_t number = 0; number < 15; number++)
        cr_assert(eq(int, known_try_send(&channel.sender, number, 40), 1));
    cr_assert(eq(int, lam_framed_sender_try_claim(&channel.sender, 1, &payload), 0));
    cr_assert(eq(int, lam_framed_sender_try_send(&channel.sender, &part, 1, 1, NULL), 0));
    cr_assert(eq(int,
        lam_framed_sender_claim_until(
            &channel.sender, 1, lam_deadline_after_ns(5 * LAM_NS_PER_MS), &payload),
        -ETIMEDOUT));
    cr_assert(
        eq(int, lam_framed_sender_send_until(&channel.sender, &part, 1, 1, NULL, 0), -ETIMEDOUT));
    cr_assert(eq(
        int, lam_framed_sender_claim_batch_until(&channel.sender, 2, 40, 0, &batch), -ETIMEDOUT));
    cr_assert(eq(int, lam_framed_sender_blocker(&channel.sender, &blocker), 1));
    cr_assert(eq(u32, blocker.pid, (uint32_t)getpid()));
    for (uint64_t number = 0; number < 15; number++)
        cr_assert(eq(int, known_try_receive(&channel.receiver, number, 40), 1));
    cr_assert(eq(int, known_round(&channel, 1, 50), 1));
}

Test(ends, a_closed_channel_gives_its_last_messages_and_then_ends)
{
    cr_assert(eq(int, known_try_send(&channel.sender, 1, 40), 1));
    cr_assert(eq(int, known_try_send(&channel.sender, 2, 0), 1));
    lam_framed_sender_close(&channel.sender);
    cr_assert(eq(int, known_try_send(&channel.sender, 3, 40), -EPIPE));
    cr_assert(eq(int, known_try_receive(&channel.receiver, 1, 40), 1));
    cr_assert(eq(int, known_try_receive(&channel.receiver, 2, 0), 1));
    for (int i = 0; i < 3; i++) {
        cr_assert(eq(
            int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message), -EPIPE));
        cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), -EPIPE));
    }
}

Test(ends, a_dead_sender_is_told_and_its_successor_goes_on)
{
    uint64_t id;

    cr_assert(eq(int, known_try_send(&channel.sender, 1, 40), 1));
    id = lam_framed_sender_next_id(&channel.sender);
    lam_framed_sender_detach(&channel.sender);
    cr_assert(eq(int, known_try_receive(&channel.receiver, 1, 40), 1));
    cr_assert(eq(
        int, lam_framed_receiver_receive_until(&channel.receiver, soon(), &message), -EOWNERDEAD));
    channel_attach_sender(&channel);
    cr_assert(eq(u64, lam_framed_sender_next_id(&channel.sender), id));
    cr_assert(eq(int, known_round(&channel, 2, 40), 1));
}

Test(ends, every_receiver_gets_every_message)
{
    struct lam_framed_receiver more[3];

    for (int i = 0; i < 3; i++) {
        struct lam_framed_receiver_options options = {.message_bytes_max = 4096};

        cr_assert(eq(int, lam_framed_receiver_attach(&more[i], &channel.ring, &options, NULL), 0));
    }
    cr_assert(eq(int, lam_framed_sender_wait_receivers_until(&channel.sender, 4, soon()), 0));
    cr_assert(eq(int, lam_framed_sender_wait_receivers_until(&channel.sender, 5, 0), -ETIMEDOUT));
    for (uint64_t number = 0; number < 200; number++) {
        uint64_t bytes = number % 5 == 0 ? 600 : number;

        if (known_try_send(&channel.sender, number, bytes) != 1) {
            cr_assert(eq(int,
                lam_framed_sender_open_stream(&channel.sender, bytes, (uint16_t)number, NULL), 0));
            while (lam_framed_sender_is_streaming(&channel.sender))
                cr_assert(eq(int, known_try_piece(&channel.sender, number), 1));
        }
        for (int i = 0; i < 3; i++)
            cr_assert(eq(int, known_try_receive(&more[i], number, bytes), 1));
        cr_assert(eq(int, known_try_receive(&channel.receiver, number, bytes), 1));
    }
    for (int i = 0; i < 3; i++)
        lam_framed_receiver_detach(&more[i]);
}

Test(ends, a_second_sender_is_refused)
{
    struct lam_framed_sender second;
    struct lam_error error;

    cr_assert(eq(int, lam_framed_sender_attach(&second, &channel.ring, NULL, &error), -EBUSY));
}

Test(ends, a_receiver_of_a_taken_name_is_refused_and_leaves_no_buffer)
{
    struct lam_framed_receiver_options options = {
        .message_bytes_max = 4096, .consumer.name = "reader"};
    struct lam_framed_receiver first, second;

    cr_assert(eq(int, lam_framed_receiver_attach(&first, &channel.ring, &options, NULL), 0));
    cr_assert(eq(int, lam_framed_receiver_attach(&second, &channel.ring, &options, NULL), -EEXIST));
    lam_framed_receiver_detach(&first);
}

Test(ends, a_receiver_that_is_evicted_learns_it_at_its_release)
{
    struct lam_framed_receiver_options options = {
        .consumer = {.policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = 1}};
    struct channel mine;
    void *payload = NULL;

    channel_make_ring(&mine.ring, 16, 0);
    channel_attach_sender(&mine);
    cr_assert(eq(int, lam_framed_receiver_attach(&mine.receiver, &mine.ring, &options, NULL), 0));
    cr_assert(eq(int, lam_framed_sender_try_claim(&mine.sender, 8, &payload), 1));
    memset(payload, 0, 8);
    lam_framed_sender_commit(&mine.sender, 8, 1);
    cr_assert(eq(int, lam_framed_receiver_try_receive(&mine.receiver, &message), 1));
    for (int i = 0; i < 40; i++) {
        cr_assert(eq(int, lam_framed_sender_claim_until(&mine.sender, 8, soon(), &payload), 0));
        memset(payload, i, 8);
        lam_framed_sender_commit(&mine.sender, 8, 1);
    }
    cr_assert(eq(int, lam_framed_receiver_release(&mine.receiver, &message), -ESTALE));
    cr_assert(eq(int, lam_framed_receiver_try_receive(&mine.receiver, &message), -ESTALE));
    lam_framed_receiver_detach(&mine.receiver);
    lam_framed_sender_detach(&mine.sender);
    (void)lam_ring_destroy(&mine.ring);
}
