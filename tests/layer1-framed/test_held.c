/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: messages that are held together and finished in any order are given back in order, each as
 * soon as all before it are; and a call that they are in the way of leaves nothing behind.
 * Method: every order of five, in a channel that has room for no more than are held.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "pair.h"

#define HELD 5

static struct channel channel;
static struct lam_held held;
static struct lam_held_message places[8];

static void setup(void)
{
    channel_make_ring(&channel.ring, 8, test_start(2));
    channel_attach_sender(&channel);
    channel_attach_receiver(&channel, 0, LAM_RING_HEAD);
    lam_held_init(&held, &channel.receiver, places, 8);
    held.oldest = held.next = UINT64_MAX - 2; /* as after a life of messages */
}

static void teardown(void)
{
    channel_close(&channel);
}

TestSuite(held, .init = setup, .fini = teardown, .timeout = 20);
TestSuite(held_calls, .timeout = 20);

static struct lam_framed_message receive(uint64_t number)
{
    struct lam_framed_message message = {.payload = NULL};

    cr_assert(eq(int, known_try_send(&channel.sender, number, 48), 1));
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
    return message;
}

/* How many more messages there is room for. */
static uint64_t room(void)
{
    return channel.sender.producer.ring->depth - 1 -
           (channel.sender.producer.next - channel.receiver.released);
}

/* The order number @which of HELD places: each number once. */
static void order_of(uint32_t which, uint32_t order[HELD])
{
    uint32_t left[HELD] = {0, 1, 2, 3, 4};

    for (uint32_t i = 0; i < HELD; i++) {
        uint32_t at = which % (HELD - i);

        which /= HELD - i;
        order[i] = left[at];
        left[at] = left[HELD - i - 1];
    }
}

Test(held, are_given_back_as_soon_as_all_before_them_are_finished)
{
    for (uint32_t which = 0; which < 120; which++) {
        uint64_t taken[HELD];
        uint32_t order[HELD], finished = 0;

        order_of(which, order);
        for (uint32_t i = 0; i < HELD; i++) {
            struct lam_framed_message message = receive(i);

            taken[i] = lam_held_keep(&held, &message);
        }
        cr_assert(eq(u64, lam_held_count(&held), HELD));
        for (uint32_t i = 0; i < HELD; i++) {
            uint32_t first = 0;

            cr_assert(eq(int, lam_held_finish(&held, taken[order[i]]), 0));
            finished |= 1U << order[i];
            while ((finished >> first & 1) != 0)
                first++;
            cr_assert(eq(u64, room(), 7 - HELD + first));
            cr_assert(eq(u64, lam_held_count(&held), HELD - first));
        }
    }
}

Test(held, that_pass_by_go_back_with_those_before_them)
{
    for (uint32_t round = 0; round < 20; round++) {
        struct lam_framed_message message = receive(1);
        uint64_t place = lam_held_keep(&held, &message);

        message = receive(2);
        cr_assert(eq(int, lam_held_pass(&held, &message), 0));
        cr_assert(eq(u64, room(), 5));
        cr_assert(eq(int, lam_held_finish(&held, place), 0));
        cr_assert(eq(u64, room(), 7));
        message = receive(3);
        cr_assert(eq(int, lam_held_pass(&held, &message), 0));
        cr_assert(eq(u64, room(), 7));
        cr_assert(eq(u64, lam_held_count(&held), 0));
    }
}

Test(held, are_all_given_back_at_once_and_the_places_are_counted)
{
    for (uint32_t round = 0; round < 20; round++) {
        uint64_t first = 0;

        for (uint32_t i = 0; i < 7; i++) {
            struct lam_framed_message message = receive(i);
            uint64_t place = lam_held_keep(&held, &message);

            cr_assert(not(lam_held_is_full(&held)));
            first = i == 0 ? place : first;
            if (i == 3)
                cr_assert(eq(int, lam_held_finish(&held, place), 0));
        }
        cr_assert(eq(u64, room(), 0));
        cr_assert(eq(int, lam_held_finish_all(&held), 0));
        cr_assert(eq(u64, room(), 7));
        cr_assert(eq(u64, lam_held_count(&held), 0));
        cr_assert(eq(u64, held.oldest, first + 7));
    }
}

Test(held_calls, that_are_in_the_way_of_a_call_end_it_and_it_leaves_nothing)
{
    static struct pair pair;
    const struct iovec nothing = {NULL, 0};
    struct lam_reply replies[16], reply = {.outcome = 1};

    pair_open(&pair);
    for (uint64_t i = 0; i < 16; i++) {
        struct lam_ticket ticket = pair_ask(&pair, i);
        struct lam_request request = pair_next(&pair);

        pair_answer(&pair, &request, i);
        cr_assert(eq(int, lam_caller_try_take(&pair.caller, &ticket, &replies[i]), 1));
    }
    cr_assert(eq(int,
        lam_caller_call_until(&pair.caller, &nothing, 1, 1, LAM_DEADLINE_NEVER, &reply), -EBUSY));
    cr_assert(eq(u32, lam_caller_outstanding(&pair.caller), 0));
    cr_assert(eq(int, lam_caller_try_take(&pair.caller, NULL, &reply), -ENOENT));
    for (uint64_t i = 0; i < 16; i++) {
        cr_assert(pair_is_answer(&replies[i], i, 48));
        cr_assert(eq(int, lam_caller_release(&pair.caller, &replies[i]), 0));
    }
    pair_close(&pair);
}
