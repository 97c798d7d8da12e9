/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: several rings behind one call are read in the order of their events' times, and neither an
 * empty ring nor a false time holds the others up for longer than was asked for. Method: as in
 * test_merge.c; times come from a clock that the test sets.
 */
#include "merged.h"

TestSuite(merge_time, .init = setup, .fini = teardown, .timeout = 20);

Test(merge_time, each_event_comes_in_its_time)
{
    uint64_t random = 5;

    use_times();
    for (int round = 0; round < 200; round++) {
        uint64_t count = 0;
        uint32_t order[60];

        for (; count < 60; count++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            order[count] = (uint32_t)(random >> 33) % RINGS;
            now_ns += 1;
            publish_timed(order[count], count);
        }
        now_ns += LAG;
        for (uint64_t i = 0; i < count; i++)
            expect(order[i], i);
        expect_end(0, 0);
    }
    cr_assert(eq(u64, merge.late, 0));
}

Test(merge_time, an_event_waits_for_an_empty_ring_for_its_lag_and_no_longer)
{
    use_times();
    publish_timed(1, 10);
    expect_end(0, 0);
    now_ns += LAG - 1;
    expect_end(0, 0);
    publish_timed(0, 11); /* later, though of a lower index */
    expect_end(0, 0);
    now_ns += 1;
    expect(1, 10);
    expect_end(0, 0);
    publish_timed(1, 12);
    publish_timed(2, 13);
    publish_timed(3, 14); /* now none is empty */
    expect(0, 11);
    expect_end(0, 0); /* and now one is */
    lam_ring_producer_close(&producers[0]);
    expect_end(-EPIPE, 0);
    expect(1, 12); /* who has ended is not waited for */
}

Test(merge_time, what_comes_too_late_is_given_at_once_and_counted)
{
    struct lam_event_timestamp past;
    void *payload = NULL;

    use_times();
    past = (struct lam_event_timestamp){.at_ns = now_ns};
    publish_timed(1, 1);
    now_ns += LAG;
    expect(1, 1);
    past.at_ns -= 5;
    cr_assert(eq(int, lam_ring_producer_try_claim(&producers[2], 24, &payload), 1));
    memcpy(payload, &past, sizeof(past));
    memset((char *)payload + 16, 0, 8);
    lam_ring_producer_commit(&producers[2], 24, 1, LAM_EVENT_TIMESTAMP);
    expect(2, 0);
    cr_assert(eq(u64, merge.late, 1));
}

/* Times are input: one of the far future, and one that is cut off. */
Test(merge_time, a_false_time_holds_nobody_up)
{
    struct lam_event_timestamp future = {.at_ns = UINT64_MAX - 1};
    struct lam_event event = {.payload = NULL};
    uint32_t index = 99;
    void *payload = NULL;

    use_times();
    cr_assert(eq(int, lam_ring_producer_try_claim(&producers[0], 24, &payload), 1));
    memcpy(payload, &future, sizeof(future));
    memset((char *)payload + 16, 0, 8);
    lam_ring_producer_commit(&producers[0], 24, 1, LAM_EVENT_TIMESTAMP);
    expect_end(0, 0);
    publish_timed(1, 1);
    now_ns += 1;
    publish_timed(2, 2);
    now_ns += LAG;
    expect(0, 0);
    expect(1, 1);
    expect(2, 2);
    cr_assert(eq(int, lam_ring_producer_try_claim(&producers[3], 8, &payload), 1));
    lam_ring_producer_commit(&producers[3], 8, 1, LAM_EVENT_TIMESTAMP);
    cr_assert(eq(int, lam_ring_merge_try_peek(&merge, &event, &index), 1));
    cr_assert(eq(u32, index, 3));
    cr_assert(eq(int, lam_event_strip(&event), -EPROTO));
}

Test(merge_time, a_member_that_is_removed_gets_what_was_looked_at_ahead)
{
    struct lam_event event = {.payload = NULL};

    use_times();
    publish_timed(1, 10);
    expect_end(0, 0);
    cr_assert(eq(int, lam_ring_merge_remove(&merge, 1), 0));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumers[1], &event), 1));
    cr_assert(eq(u64, value_of(&event), 10));
    cr_assert(eq(u64, consumers[1].ordinal, 1));
}
