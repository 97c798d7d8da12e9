/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a claim with extensions that waits is the same as one that does not, and what is given back
 * was never there, of one sender's and of one of many senders'.
 * Method: one thread holds both ends; channels that are full, and sequences just before they wrap.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "channel.h"
#include "starts.h"

static struct channel channel;
static struct lam_framed_many many;
static struct lam_framed_message message;
static const struct lam_framed_correlation who = {.id = 7, .scope = 9};

static void setup(void)
{
    channel_make_ring(&channel.ring, 16, test_start(2));
    channel_attach_sender(&channel);
    channel_attach_receiver(&channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
}

static void teardown(void)
{
    channel_close(&channel);
}

static void setup_many(void)
{
    const struct lam_ring_options ring = {.name = "framed-claims",
        .depth = 16,
        .first_sequence = test_start(2),
        .producers = LAM_RING_MANY_PRODUCERS};
    const struct lam_framed_many_options options = {.extensions = LAM_EVENT_CRC32C};

    cr_assert(eq(int, lam_ring_create(&channel.ring, &ring, NULL), 0));
    cr_assert(eq(int, lam_framed_many_attach(&many, &channel.ring, &options, NULL), 0));
    channel_attach_receiver(&channel, CHANNEL_MESSAGE_BYTES_MAX, LAM_RING_HEAD);
}

static void teardown_many(void)
{
    lam_framed_receiver_detach(&channel.receiver);
    lam_framed_many_detach(&many);
    (void)lam_ring_destroy(&channel.ring);
}

TestSuite(claims, .init = setup, .fini = teardown, .timeout = 20);
TestSuite(claims_many, .init = setup_many, .fini = teardown_many, .timeout = 20);

/* The next message is number @number of @bytes, with @flags, and @who's where it says so. */
static void comes(uint64_t number, uint64_t bytes, uint16_t flags)
{
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 1));
    cr_assert(eq(u16, message.flags, flags));
    cr_assert(eq(u64, message.payload_bytes, bytes));
    cr_assert(eq(u64, (uintptr_t)message.payload % 16, 0));
    cr_assert(known_matches(message.payload, number, bytes));
    cr_assert(eq(int, message.correlation != NULL, (flags & LAM_EVENT_CORRELATION) != 0));
    if (message.correlation != NULL)
        cr_assert(memcmp(message.correlation, &who, sizeof(who)) == 0);
    cr_assert(eq(int, lam_framed_receiver_release(&channel.receiver, &message), 0));
}

static void nothing_comes(void)
{
    cr_assert(eq(int, lam_framed_receiver_try_receive(&channel.receiver, &message), 0));
}

static uint64_t at_once(void)
{
    return lam_deadline_after_ns(LAM_NS_PER_MS);
}

Test(claims, that_wait_carry_their_correlation)
{
    void *payload;

    for (uint64_t i = 0; i < 40; i++) {
        cr_assert(eq(int,
            lam_framed_sender_claim_correlated_until(&channel.sender, 100, &who, soon(), &payload),
            0));
        known_fill(payload, i, 0, i);
        lam_framed_sender_commit_extended(&channel.sender, i, 1);
        comes(i, i, LAM_EVENT_CORRELATION);
    }
}

Test(claims, that_wait_carry_each_set_of_extensions)
{
    static const uint16_t sets[] = {
        0, LAM_EVENT_TIMESTAMP, LAM_EVENT_CRC32C, LAM_EVENT_TIMESTAMP | LAM_EVENT_CRC32C};
    void *payload;

    for (uint64_t i = 0; i < 40; i++) {
        const struct lam_framed_correlation *from = i % 3 == 0 ? &who : NULL;
        uint16_t flags = (uint16_t)(sets[i % 4] | (from != NULL ? LAM_EVENT_CORRELATION : 0));

        cr_assert(eq(int,
            lam_framed_sender_claim_extended_until(
                &channel.sender, 100, from, sets[i % 4], soon(), &payload),
            0));
        known_fill(payload, i, 0, i);
        lam_framed_sender_commit(&channel.sender, i, 1);
        comes(i, i, flags);
    }
}

Test(claims, that_find_no_room_until_their_deadline_leave_nothing)
{
    void *payload;

    while (known_try_send(&channel.sender, 1, 48) == 1)
        ;
    cr_assert(eq(int,
        lam_framed_sender_claim_correlated_until(&channel.sender, 1, &who, at_once(), &payload),
        -ETIMEDOUT));
    cr_assert(eq(int,
        lam_framed_sender_claim_extended_until(
            &channel.sender, 1, NULL, LAM_EVENT_CRC32C, at_once(), &payload),
        -ETIMEDOUT));
    for (int i = 0; i < 2; i++) /* the second is small once the extensions are added */
        cr_assert(eq(int,
            lam_framed_sender_claim_extended_until(&channel.sender, i == 0 ? 5000 : UINT64_MAX - 8,
                NULL, LAM_EVENT_CRC32C, at_once(), &payload),
            -EMSGSIZE));
    for (int i = 0; i < 15; i++)
        comes(1, 48, 0);
    nothing_comes();
}

Test(claims, of_a_batch_that_is_given_back_show_none_of_it)
{
    struct lam_framed_batch batch;
    void *payload;

    for (uint64_t i = 0; i < 20; i++) {
        cr_assert(eq(int, lam_framed_sender_try_claim_batch(&channel.sender, 4, 48, &batch), 1));
        for (int k = 0; k < 3; k++)
            cr_assert(eq(int, lam_framed_batch_stage(&batch, 48, 1, &payload), 1));
        lam_framed_batch_abort(&batch);
        nothing_comes();
        cr_assert(eq(int, known_try_send(&channel.sender, i, 48), 1));
        comes(i, 48, 0);
    }
}

Test(claims_many, come_as_they_were_written_and_those_given_back_never)
{
    void *payload;

    for (uint64_t i = 0; i < 40; i++) {
        const struct lam_framed_correlation *from = i % 3 == 0 ? &who : NULL;
        uint16_t flags = (uint16_t)(LAM_EVENT_CRC32C | (from != NULL ? LAM_EVENT_CORRELATION : 0));

        cr_assert(eq(int, lam_framed_many_try_claim(&many, 200, from, &payload), 1));
        known_fill(payload, 99, 0, 200);
        lam_framed_many_abort(&many);
        nothing_comes();
        if (i % 2 == 0)
            cr_assert(eq(int, lam_framed_many_try_claim(&many, 100, from, &payload), 1));
        else
            cr_assert(eq(int, lam_framed_many_claim_until(&many, 100, from, soon(), &payload), 0));
        known_fill(payload, i, 0, i);
        lam_framed_many_commit(&many, i, 1);
        comes(i, i, flags);
    }
}

Test(claims_many, that_find_no_room_say_so_at_once_or_by_their_deadline)
{
    void *payload;
    int count = 0;

    for (; lam_framed_many_try_claim(&many, 40, NULL, &payload) == 1; count++) {
        known_fill(payload, 2, 0, 40);
        lam_framed_many_commit(&many, 40, 1);
    }
    cr_assert(count > 5, "%d", count);
    cr_assert(
        eq(int, lam_framed_many_claim_until(&many, 40, NULL, at_once(), &payload), -ETIMEDOUT));
    cr_assert(eq(int, lam_framed_many_try_claim(&many, 5000, NULL, &payload), -EMSGSIZE));
    while (count-- > 0)
        comes(2, 40, LAM_EVENT_CRC32C);
    nothing_comes();
}
