/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: one wait serves many channels: each in its turn, none forgotten, and the end of one is told
 * once and stops nobody else.
 * Method: channels of one process, filled and ended in between.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pair.h"

#define CHANNELS 64

static struct channel channels[CHANNELS];
static struct lam_service service;
static uint32_t opened;

static void open_one(void)
{
    uint32_t index;

    pair_open_channel(&channels[opened], 64, test_next_start());
    cr_assert(eq(int, lam_service_add(&service, &channels[opened].receiver, 1, &index), 0));
    cr_assert(eq(u32, index, opened));
    opened++;
}

static void open_channels(uint32_t count, enum lam_service_unit unit)
{
    lam_service_init(&service, unit);
    for (opened = 0; opened < count;)
        open_one();
}

static void teardown(void)
{
    while (opened != 0)
        channel_close(&channels[--opened]);
}

TestSuite(service, .fini = teardown, .timeout = 20);

/* The next message, released. Returns whose it was, or the error. */
static int next_of(uint64_t deadline_ns)
{
    struct lam_framed_message message = {.payload = NULL};
    uint32_t index = UINT32_MAX;
    int rc = lam_service_receive_until(&service, deadline_ns, &index, &message);

    if (rc != 0)
        return rc;
    lam_framed_receiver_release(&channels[index].receiver, &message);
    return (int)index;
}

/* The next end of a channel: its index where it is @rc. */
static int next_end(int rc)
{
    struct lam_framed_message message;
    uint32_t index = UINT32_MAX;

    return lam_service_receive_until(&service, soon(), &index, &message) == rc ? (int)index : -1;
}

Test(service, of_busy_channels_is_round_robin)
{
    open_channels(5, LAM_SERVICE_MESSAGES);
    for (uint64_t number = 0; number < 20; number++)
        for (uint32_t i = 0; i < 5; i++)
            cr_assert(eq(int, known_try_send(&channels[i].sender, number, 8), 1));
    for (int number = 0; number < 100; number++)
        cr_assert(eq(int, next_of(soon()), (number + 1) % 5));
    cr_assert(eq(int, next_of(0), -ETIMEDOUT));
}

Test(service, by_weight_shares_messages_or_bytes)
{
    static const int expected[] = {1, 1, 1, 0, 1, 1, 1, 0};
    uint32_t index;

    open_channels(1, LAM_SERVICE_MESSAGES);
    pair_open_channel(&channels[opened++], 64, 0);
    cr_assert(eq(int, lam_service_add(&service, &channels[1].receiver, 3, &index), 0));
    for (uint64_t number = 0; number < 8; number++)
        for (uint32_t i = 0; i < 2; i++)
            cr_assert(eq(int, known_try_send(&channels[i].sender, number, 8), 1));
    for (int i = 0; i < 8; i++)
        cr_assert(eq(int, next_of(soon()), expected[i]));
}

Test(service, by_bytes_lets_small_messages_pass_large_ones)
{
    uint32_t small = 0;

    open_channels(2, LAM_SERVICE_BYTES);
    for (uint64_t number = 0; number < 3; number++)
        cr_assert(eq(int, known_try_send(&channels[0].sender, number, 1000), 1));
    for (uint64_t number = 0; number < 30; number++)
        cr_assert(eq(int, known_try_send(&channels[1].sender, number, 8), 1));
    while (next_of(soon()) == 1)
        small++;
    small = 0;
    while (next_of(soon()) == 1)
        small++;
    /* 1,064 bytes against 72 a message. */
    cr_assert(ge(u32, small, 14));
    cr_assert(le(u32, small, 16));
}

Test(service, of_64_channels_forgets_none)
{
    open_channels(64, LAM_SERVICE_MESSAGES);
    for (uint32_t step = 0; step < 2000; step++) {
        uint32_t which = step * 37 % 64;

        cr_assert(eq(int, known_try_send(&channels[which].sender, step, 8), 1));
        cr_assert(eq(int, next_of(soon()), (int)which));
    }
    cr_assert(
        eq(int, lam_service_add(&service, &channels[0].receiver, 1, &(uint32_t){0}), -EUSERS));
}

Test(service, tells_each_end_once_and_goes_on)
{
    open_channels(4, LAM_SERVICE_MESSAGES);
    cr_assert(eq(int, known_try_send(&channels[2].sender, 1, 8), 1));
    lam_framed_sender_close(&channels[2].sender);
    lam_framed_sender_detach(&channels[1].sender);
    cr_assert(eq(int, next_of(soon()), 2));
    cr_assert(eq(int, next_end(-EPIPE), 2));
    cr_assert(eq(int, next_end(-EOWNERDEAD), 1));
    cr_assert(eq(int, known_try_send(&channels[3].sender, 1, 8), 1));
    cr_assert(eq(int, next_of(soon()), 3));
    cr_assert(eq(int, next_of(lam_deadline_after_ns(20 * LAM_NS_PER_MS)), -ETIMEDOUT));
    /* A successor is heard once its channel is taken up again. */
    channel_attach_sender(&channels[1]);
    cr_assert(eq(int, known_try_send(&channels[1].sender, 1, 8), 1));
    cr_assert(eq(int, next_of(lam_deadline_after_ns(LAM_NS_PER_MS)), -ETIMEDOUT));
    lam_service_resume(&service, 1);
    cr_assert(eq(int, next_of(soon()), 1));
}

Test(service, finds_the_dead_while_others_are_busy)
{
    int ends = 0;

    open_channels(3, LAM_SERVICE_MESSAGES);
    lam_framed_sender_detach(&channels[1].sender);
    for (uint32_t i = 0; i < 100000 && ends == 0; i++) {
        int rc;

        cr_assert(eq(int, known_try_send(&channels[0].sender, i, 8), 1));
        rc = next_of(soon());
        ends += rc == -EOWNERDEAD;
        if (rc == -EOWNERDEAD)
            rc = next_of(soon());
        cr_assert(eq(int, rc, 0));
    }
    cr_assert(eq(int, ends, 1));
}

Test(service, tells_of_a_message_cut_midway_before_the_end)
{
    void *piece;
    uint64_t piece_bytes;

    open_channels(2, LAM_SERVICE_MESSAGES);
    cr_assert(eq(int, lam_framed_sender_open_stream(&channels[0].sender, 5000, 1, NULL), 0));
    cr_assert(
        eq(int, lam_framed_sender_try_claim_piece(&channels[0].sender, &piece, &piece_bytes), 1));
    lam_framed_sender_commit_piece(&channels[0].sender, piece_bytes);
    cr_assert(eq(int, next_of(lam_deadline_after_ns(LAM_NS_PER_MS)), -ETIMEDOUT));
    lam_framed_sender_close(&channels[0].sender);
    cr_assert(eq(int, next_end(-ECANCELED), 0));
    cr_assert(eq(int, next_end(-EPIPE), 0));
}

Test(service, tells_of_a_message_that_the_dead_left_with_their_death)
{
    struct lam_framed_loss loss = {.id = 0};
    void *piece;
    uint64_t piece_bytes;

    open_channels(2, LAM_SERVICE_MESSAGES);
    cr_assert(eq(int, lam_framed_sender_open_stream(&channels[0].sender, 5000, 1, NULL), 0));
    cr_assert(
        eq(int, lam_framed_sender_try_claim_piece(&channels[0].sender, &piece, &piece_bytes), 1));
    lam_framed_sender_commit_piece(&channels[0].sender, piece_bytes);
    lam_framed_sender_detach(&channels[0].sender);
    cr_assert(eq(int, next_end(-EOWNERDEAD), 0));
    cr_assert(eq(int, lam_framed_receiver_loss(&channels[0].receiver, &loss), 1));
    cr_assert(eq(u64, loss.total_bytes, 5000));
    cr_assert(eq(int, next_of(lam_deadline_after_ns(20 * LAM_NS_PER_MS)), -ETIMEDOUT));
}

Test(service, of_nobody_says_so)
{
    open_channels(1, LAM_SERVICE_MESSAGES);
    lam_service_remove(&service, 0);
    cr_assert(eq(int, next_of(LAM_DEADLINE_NEVER), -ENOENT));
}

Test(service, lets_channels_come_and_go_while_it_runs)
{
    uint32_t index;

    open_channels(3, LAM_SERVICE_MESSAGES);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(eq(int, known_try_send(&channels[i].sender, 1, 8), 1));
    lam_service_remove(&service, 1);
    cr_assert(eq(int, next_of(soon()), 2));
    cr_assert(eq(int, next_of(soon()), 0));
    cr_assert(eq(int, next_of(lam_deadline_after_ns(LAM_NS_PER_MS)), -ETIMEDOUT));
    cr_assert(eq(int, lam_service_add(&service, &channels[1].receiver, 1, &index), 0));
    cr_assert(eq(u32, index, 1));
    cr_assert(eq(int, next_of(soon()), 1));
}

Test(service, of_responders_counts_what_they_received_ahead)
{
    struct pair pair;
    struct lam_ticket first, second;
    struct lam_request request, next;
    uint32_t index;

    open_channels(0, LAM_SERVICE_MESSAGES);
    pair_open(&pair);
    cr_assert(eq(int, lam_service_add_responder(&service, &pair.responder, 1, &index), 0));
    first = pair_ask(&pair, 1);
    second = pair_ask(&pair, 2);
    cr_assert(eq(int, lam_service_next_until(&service, soon(), &index), 0));
    request = pair_next(&pair);
    lam_service_served(&service, index, request.payload_bytes);
    cr_assert(eq(int, lam_responder_is_canceled(&pair.responder, &request), 0));
    /* Nothing more is on the channel. */
    cr_assert(eq(int, lam_service_next_until(&service, soon(), &index), 0));
    next = pair_next(&pair);
    lam_service_served(&service, index, next.payload_bytes);
    cr_assert(
        eq(int, lam_service_next_until(&service, lam_deadline_after_ns(LAM_NS_PER_MS), &index),
            -ETIMEDOUT));
    pair_answer(&pair, &request, 1);
    pair_answer(&pair, &next, 2);
    cr_assert(pair_ends(&pair, first, 0));
    cr_assert(pair_ends(&pair, second, 0));
    pair_close(&pair);
}

Test(service, one_that_passes_leaves_its_turn_to_the_others)
{
    uint32_t index;

    open_channels(3, LAM_SERVICE_MESSAGES);
    for (uint32_t i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++)
            cr_assert(eq(int, known_try_send(&channels[i].sender, i, 8), 1));
    /* The first two cannot be served now, say: each is asked once before it is its turn again. */
    for (int round = 0; round < 4; round++) {
        uint32_t seen = 0;

        for (int i = 0; i < 3; i++) {
            cr_assert(eq(int, lam_service_next_until(&service, soon(), &index), 0));
            lam_service_pass(&service, index);
            seen |= 1U << index;
        }
        cr_assert(eq(u32, seen, 7));
    }
}
