/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a claim in one lane waits for that lane alone, and what is given back was never there; a
 * sender waits for receivers of all lanes.
 * Method: one thread holds both ends.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lanes.h"

static struct three three;

static void setup(void)
{
    struct three_options options = {.depth = 32, .first_sequence = UINT64_MAX - 5};

    three_open(&three, &options);
}

static void teardown(void)
{
    three_close(&three);
}

TestSuite(lanes_claims, .init = setup, .fini = teardown, .timeout = 20);

Test(lanes_claims, that_are_given_back_are_never_seen)
{
    void *payload;

    for (int i = 0; i < 60; i++) {
        enum lam_lane lane = (enum lam_lane)(i % LAM_LANE_COUNT);

        cr_assert(eq(int, lam_lanes_sender_try_claim(&three.sender, lane, 100, &payload), 1));
        memset(payload, 0xff, 100);
        lam_lanes_sender_abort(&three.sender, lane);
        cr_assert(eq(int, three_receive(&three), LAM_LANE_COUNT));
        cr_assert(eq(int, three_send(&three, lane), 1));
        cr_assert(eq(int, three_receive(&three), (int)lane));
    }
}

Test(lanes_claims, wait_for_their_own_lane_alone)
{
    struct three_message what = {.lane = LAM_LANE_LOW};
    uint64_t soon_ns = lam_deadline_after_ns(LAM_NS_PER_MS);
    void *payload;

    while (three_send(&three, LAM_LANE_HIGH) == 1)
        ;
    cr_assert(
        eq(int, lam_lanes_sender_claim_until(&three.sender, LAM_LANE_HIGH, 16, soon_ns, &payload),
            -ETIMEDOUT));
    cr_assert(eq(int,
        lam_lanes_sender_claim_until(
            &three.sender, LAM_LANE_LOW, sizeof(what), three_soon(), &payload),
        0));
    memcpy(payload, &what, sizeof(what));
    lam_lanes_sender_commit(&three.sender, LAM_LANE_LOW, sizeof(what), 1);
    while (three.received[LAM_LANE_HIGH] < three.sent[LAM_LANE_HIGH])
        cr_assert(eq(int, three_receive(&three), LAM_LANE_HIGH));
    cr_assert(eq(int, three_receive(&three), LAM_LANE_LOW));
}

Test(lanes_claims, receivers_of_all_lanes_are_waited_for)
{
    struct lam_framed_receiver one;

    cr_assert(eq(int, lam_lanes_sender_wait_receivers_until(&three.sender, 1, three_soon()), 0));
    /* A second one in two of the lanes is not there yet. */
    cr_assert(eq(int,
        lam_framed_receiver_attach(&one, &three.lanes.rings[LAM_LANE_CRITICAL], NULL, NULL), 0));
    cr_assert(eq(int,
        lam_lanes_sender_wait_receivers_until(
            &three.sender, 2, lam_deadline_after_ns(LAM_NS_PER_MS)),
        -ETIMEDOUT));
    lam_framed_receiver_detach(&one);
}

Test(lanes_claims, lanes_have_their_names)
{
    cr_assert(eq(str, (char *)lam_lane_name(LAM_LANE_CRITICAL), "critical"));
    cr_assert(eq(str, (char *)lam_lane_name(LAM_LANE_HIGH), "high"));
    cr_assert(eq(str, (char *)lam_lane_name(LAM_LANE_LOW), "low"));
}
