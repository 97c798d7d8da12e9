/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every way in which a message of frames can be cut short has its answer, costs that message
 * alone, and the next one arrives intact.
 * Method: one thread holds both ends. A death is a detach without a close, which leaves the same
 * ring behind; processes.c has the real one.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <time.h>

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

TestSuite(cut, .init = open_channel, .fini = close_channel, .timeout = 20);

/* Begin message @number of @bytes and send @pieces of it. */
static void begin(uint64_t number, uint64_t bytes, unsigned pieces)
{
    cr_assert(
        eq(int, lam_framed_sender_open_stream(&channel.sender, bytes, (uint16_t)number, NULL), 0));
    for (unsigned i = 0; i < pieces; i++)
        cr_assert(eq(int, known_try_piece(&channel.sender, number), 1));
    cr_assert(lam_framed_sender_is_streaming(&channel.sender));
}

/* The last call cut a message short: it was @number at @id, of @total with @received. */
static void expect_loss(uint64_t number, uint64_t id, uint64_t total, uint64_t received)
{
    struct lam_framed_loss loss;

    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 1));
    cr_assert(eq(u64, loss.id, id));
    cr_assert(eq(u64, loss.total_bytes, total));
    cr_assert(eq(u64, loss.received_bytes, received));
    cr_assert(eq(int, loss.kind, (int)number));
}

static void expect_no_loss(void)
{
    struct lam_framed_loss loss;

    cr_assert(eq(int, lam_framed_receiver_loss(&channel.receiver, &loss), 0));
}

static int receive(struct lam_framed_message *message)
{
    return lam_framed_receiver_try_receive(&channel.receiver, message);
}

static int receive_soon(struct lam_framed_message *message)
{
    return lam_framed_receiver_receive_until(&channel.receiver, soon(), message);
}

Test(cut, a_cancelled_message_is_reported_and_the_next_is_intact)
{
    struct lam_framed_message message = {.payload = NULL};

    for (unsigned pieces = 1; pieces <= 3; pieces++) {
        uint64_t id = lam_framed_sender_next_id(&channel.sender);
        uint64_t sent;

        begin(5, 10000, pieces);
        sent = channel.sender.stream.bytes_sent;
        lam_framed_sender_cancel_stream(&channel.sender);
        cr_assert(eq(int, receive(&message), -ECANCELED));
        expect_loss(5, id, 10000, sent);
        cr_assert(eq(int, receive(&message), 0));
        expect_no_loss();
        cr_assert(eq(int, known_round(&channel, pieces, 5000), 1));
        cr_assert(eq(int, known_round(&channel, pieces, 50), 1));
    }
}

Test(cut, a_message_cancelled_before_its_first_piece_was_never_there)
{
    struct lam_framed_message message = {.payload = NULL};
    uint64_t piece_bytes;
    void *piece;

    begin(1, 10000, 0);
    lam_framed_sender_cancel_stream(&channel.sender);
    begin(1, 10000, 0);
    cr_assert(eq(int, lam_framed_sender_try_claim_piece(&channel.sender, &piece, &piece_bytes), 1));
    lam_framed_sender_cancel_stream(&channel.sender);
    cr_assert(eq(int, receive(&message), 0));
    cr_assert(eq(int, known_round(&channel, 2, 5000), 1));
}

Test(cut, giving_up_never_waits_for_room)
{
    struct lam_framed_message message = {.payload = NULL};

    /* Every fill of the ring that a stream can find when it begins. */
    for (uint64_t before = 0; before < 14; before++) {
        for (uint64_t i = 0; i < before; i++)
            cr_assert(eq(int, known_try_send(&channel.sender, i, 8), 1));
        cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, 10000, 3, NULL), 0));
        while (known_try_piece(&channel.sender, 3) == 1)
            continue;
        int began = channel.sender.stream.bytes_sent != 0;

        lam_framed_sender_cancel_stream(&channel.sender);
        for (uint64_t i = 0; i < before; i++)
            cr_assert(eq(int, known_try_receive(&channel.receiver, i, 8), 1));
        cr_assert(eq(int, receive(&message), began ? -ECANCELED : 0));
        cr_assert(eq(int, known_round(&channel, 2, 5000), 1));
    }
}

Test(cut, a_send_that_times_out_midway_is_not_received)
{
    static uint8_t bytes[5000];
    struct iovec part = {bytes, sizeof(bytes)};
    struct lam_framed_message message = {.payload = NULL};
    struct lam_ring_blocker blocker;
    uint64_t deadline_ns = lam_deadline_after_ns(20 * LAM_NS_PER_MS);

    cr_assert(eq(int, lam_framed_sender_send_until(&channel.sender, &part, 1, 9, NULL, deadline_ns),
        -ETIMEDOUT));
    cr_assert(ge(u64, lam_clock_now_ns(), deadline_ns));
    cr_assert(eq(int, lam_framed_sender_blocker(&channel.sender, &blocker), 1));
    cr_assert(not(lam_framed_sender_is_streaming(&channel.sender)));
    cr_assert(eq(int, receive(&message), -ECANCELED));
    cr_assert(eq(int, known_round(&channel, 2, 5000), 1));
    /* A deadline that has passed lets out what there is room for, and no more. */
    part.iov_len = 600;
    cr_assert(eq(int, lam_framed_sender_send_until(&channel.sender, &part, 1, 9, NULL, 0), 0));
    cr_assert(eq(int, receive(&message), 1));
    lam_framed_receiver_release(&channel.receiver, &message);
}

Test(cut, a_receive_that_times_out_midway_goes_on_where_it_was)
{
    struct lam_framed_message message = {.payload = NULL};

    begin(4, 1300, 2);
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int,
            lam_framed_receiver_receive_until(
                &channel.receiver, lam_deadline_after_ns(LAM_NS_PER_MS), &message),
            -ETIMEDOUT));
    while (lam_framed_sender_is_streaming(&channel.sender)) {
        cr_assert(eq(int, receive(&message), 0));
        (void)known_try_piece(&channel.sender, 4);
    }
    cr_assert(eq(int, known_try_receive(&channel.receiver, 4, 1300), 1));
}

Test(cut, a_close_midway_gives_the_message_up_and_then_closes)
{
    struct lam_framed_message message = {.payload = NULL};
    uint64_t id = lam_framed_sender_next_id(&channel.sender);

    begin(4, 10000, 2);
    lam_framed_sender_close(&channel.sender);
    cr_assert(not(lam_framed_sender_is_streaming(&channel.sender)));
    cr_assert(eq(int, receive_soon(&message), -ECANCELED));
    cr_assert(eq(u64, channel.receiver.loss.id, id));
    cr_assert(eq(int, receive_soon(&message), -EPIPE));
    cr_assert(eq(int, receive(&message), -EPIPE));
    expect_no_loss();
}

Test(cut, a_layer_0_close_midway_does_the_same)
{
    struct lam_framed_message message = {.payload = NULL};

    begin(4, 10000, 2);
    lam_ring_producer_close(&channel.sender.producer);
    cr_assert(eq(int, receive_soon(&message), -ECANCELED));
    expect_loss(4, 0, 10000, channel.sender.stream.bytes_sent);
    cr_assert(eq(int, receive_soon(&message), -EPIPE));
}

Test(cut, a_death_midway_is_told_and_the_successors_message_is_intact)
{
    struct lam_framed_message message = {.payload = NULL};
    uint64_t sent;

    begin(4, 10000, 2);
    sent = channel.sender.stream.bytes_sent;
    lam_framed_sender_detach(&channel.sender);
    cr_assert(eq(int, receive_soon(&message), -EOWNERDEAD));
    expect_loss(4, 0, 10000, sent);
    cr_assert(eq(int, receive_soon(&message), -EOWNERDEAD));
    expect_no_loss();
    channel_attach_sender(&channel);
    cr_assert(eq(int, known_round(&channel, 1, 5000), 1));
    cr_assert(eq(int, known_round(&channel, 2, 50), 1));
}

Test(cut, a_successor_that_is_quicker_than_the_news_loses_nothing)
{
    for (uint64_t bytes = 50; bytes <= 600; bytes += 550) {
        struct lam_framed_message message = {.payload = NULL};
        uint64_t id = lam_framed_sender_next_id(&channel.sender);
        uint64_t sent;

        begin(4, 10000, 2);
        sent = channel.sender.stream.bytes_sent;
        cr_assert(eq(int, receive(&message), 0));
        lam_framed_sender_detach(&channel.sender);
        channel_attach_sender(&channel);
        cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, bytes, 7, NULL), 0));
        if (bytes == 50) { /* in place, the first time */
            lam_framed_sender_cancel_stream(&channel.sender);
            cr_assert(eq(int, known_try_send(&channel.sender, 7, bytes), 1));
        }
        while (lam_framed_sender_is_streaming(&channel.sender))
            cr_assert(eq(int, known_try_piece(&channel.sender, 7), 1));
        cr_assert(eq(int, receive_soon(&message), -EOWNERDEAD));
        expect_loss(4, id, 10000, sent);
        cr_assert(eq(int, receive_soon(&message), 0));
        cr_assert(known_is(&message, 7, bytes));
        lam_framed_receiver_release(&channel.receiver, &message);
        expect_no_loss();
    }
}

Test(cut, a_message_above_the_receivers_bound_is_refused_and_skipped_whole)
{
    struct lam_framed_message message = {.payload = NULL};

    lam_framed_receiver_detach(&channel.receiver);
    channel_attach_receiver(&channel, 1000, LAM_RING_HEAD);
    for (uint64_t bytes = 1001; bytes < 60000; bytes = bytes * 3 + 1) {
        uint64_t id = lam_framed_sender_next_id(&channel.sender);
        int refused = 0;

        cr_assert(eq(int, lam_framed_sender_open_stream(&channel.sender, bytes, 8, NULL), 0));
        while (lam_framed_sender_is_streaming(&channel.sender)) {
            (void)known_try_piece(&channel.sender, 8);
            int rc = receive(&message);

            if (rc == -EMSGSIZE)
                expect_loss(8, id, bytes, 0);
            else
                cr_assert(eq(int, rc, 0));
            refused += rc == -EMSGSIZE;
        }
        cr_assert(eq(int, refused, 1));
        cr_assert(eq(int, known_round(&channel, 2, 1000), 1));
        cr_assert(eq(int, known_round(&channel, 3, 50), 1));
    }
}

Test(cut, a_refused_message_may_also_be_cancelled_or_orphaned)
{
    struct lam_framed_message message = {.payload = NULL};

    lam_framed_receiver_detach(&channel.receiver);
    channel_attach_receiver(&channel, 1000, LAM_RING_HEAD);
    begin(8, 10000, 2);
    cr_assert(eq(int, receive(&message), -EMSGSIZE));
    lam_framed_sender_cancel_stream(&channel.sender);
    cr_assert(eq(int, receive(&message), 0)); /* it was answered already */
    cr_assert(eq(int, known_round(&channel, 2, 1000), 1));

    begin(8, 10000, 2);
    cr_assert(eq(int, receive(&message), -EMSGSIZE));
    lam_framed_sender_detach(&channel.sender);
    channel_attach_sender(&channel);
    cr_assert(eq(int, known_round(&channel, 3, 1000), 1));
}

Test(cut, a_receiver_without_a_buffer_refuses_each_message_of_frames)
{
    struct lam_framed_message message = {.payload = NULL};

    lam_framed_receiver_detach(&channel.receiver);
    cr_assert(eq(int, lam_framed_receiver_attach(&channel.receiver, &channel.ring, NULL, NULL), 0));
    begin(8, 600, 1);
    cr_assert(eq(int, receive(&message), -EMSGSIZE));
    while (lam_framed_sender_is_streaming(&channel.sender))
        cr_assert(eq(int, known_try_piece(&channel.sender, 8), 1));
    cr_assert(eq(int, receive(&message), 0));
    cr_assert(eq(int, known_round(&channel, 3, 400), 1));
}

Test(cut, who_joins_midway_is_told_and_begins_with_the_next_message)
{
    for (int start = LAM_RING_HEAD; start <= LAM_RING_OLDEST; start++) {
        uint64_t id = lam_framed_sender_next_id(&channel.sender);
        struct lam_framed_message message = {.payload = NULL};

        /* So far that the ring's oldest event is a frame in the middle, too. */
        begin(6, 4000, 3);
        for (int i = 0; i < 6; i++) {
            cr_assert(eq(int, receive(&message), 0));
            cr_assert(eq(int, known_try_piece(&channel.sender, 6), 1));
        }
        lam_framed_receiver_detach(&channel.receiver);
        channel_attach_receiver(&channel, CHANNEL_MESSAGE_BYTES_MAX, (enum lam_ring_start)start);
        if (start == LAM_RING_HEAD)
            cr_assert(eq(int, known_try_piece(&channel.sender, 6), 1));
        cr_assert(eq(int, receive(&message), 0));
        expect_loss(6, id, 4000, 0);
        while (lam_framed_sender_is_streaming(&channel.sender)) {
            (void)known_try_piece(&channel.sender, 6);
            cr_assert(eq(int, receive(&message), 0));
            expect_no_loss();
        }
        cr_assert(eq(int, known_round(&channel, 1, 5000), 1));
    }
}

static void *finish_slowly(void *arg)
{
    const struct timespec pause = {.tv_nsec = 2000000};

    while (lam_framed_sender_is_streaming(&channel.sender)) {
        (void)nanosleep(&pause, NULL);
        (void)known_try_piece(&channel.sender, 6);
    }
    (void)nanosleep(&pause, NULL);
    (void)known_try_send(&channel.sender, 1, 50);
    return arg;
}

Test(cut, who_waits_while_it_joins_midway_is_told_with_its_first_message)
{
    struct lam_framed_message message = {.payload = NULL};
    pthread_t thread;

    begin(6, 1500, 2);
    lam_framed_receiver_detach(&channel.receiver);
    channel_attach_receiver(&channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
    cr_assert(zero(int, pthread_create(&thread, NULL, finish_slowly, NULL)));
    cr_assert(eq(int, receive_soon(&message), 0));
    cr_assert(known_is(&message, 1, 50));
    expect_loss(6, 0, 1500, 0);
    cr_assert(zero(int, pthread_join(thread, NULL)));
    cr_assert(eq(int, receive(&message), 0));
    expect_no_loss();
}

Test(cut, who_joins_at_the_last_frame_begins_with_the_next_message)
{
    struct lam_framed_message message = {.payload = NULL};

    begin(6, 600, 2);
    lam_framed_receiver_detach(&channel.receiver);
    channel_attach_receiver(&channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
    while (lam_framed_sender_is_streaming(&channel.sender))
        cr_assert(eq(int, known_try_piece(&channel.sender, 6), 1));
    cr_assert(eq(int, receive(&message), 0));
    cr_assert(eq(int, known_round(&channel, 1, 5000), 1));
}

Test(cut, who_joins_before_a_cancel_begins_with_the_next_message)
{
    struct lam_framed_message message = {.payload = NULL};

    begin(6, 10000, 2);
    lam_framed_receiver_detach(&channel.receiver);
    channel_attach_receiver(&channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
    lam_framed_sender_cancel_stream(&channel.sender);
    cr_assert(eq(int, receive(&message), 0));
    cr_assert(eq(int, known_round(&channel, 1, 5000), 1));
}
