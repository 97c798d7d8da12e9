/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: several rings behind one call are read in turn; whatever becomes of one of them is told
 * with its index, and the others go on. Method: rings of one process.
 */
#include "merged.h"

TestSuite(merge, .init = setup, .fini = teardown, .timeout = 20);

Test(merge, each_ring_has_a_batch_in_turn_and_no_more)
{
    for (uint32_t i = 0; i < RINGS; i++)
        for (uint64_t j = 0; j < 3 * BATCH; j++)
            publish(i, j);
    for (uint64_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < RINGS; i++)
            for (uint64_t j = 0; j < BATCH; j++)
                expect(i, round * BATCH + j);
    expect_end(0, 0);
}

/* However much the others have. */
Test(merge, an_event_waits_for_no_more_than_a_batch_of_each_other_ring)
{
    uint64_t next[RINGS] = {0};
    uint64_t published[RINGS] = {0};
    uint64_t waited = 0;

    for (uint64_t i = 0; i < 20000; i++) {
        struct lam_event event = {.payload = NULL};
        uint32_t index = 99;

        for (uint32_t j = 0; j < RINGS - 1; j++)
            while (published[j] - next[j] < 2 * BATCH)
                publish(j, published[j]++);
        if (published[3] == next[3] && i % 7 == 0) {
            publish(3, published[3]++);
            waited = 0;
        }
        cr_assert(eq(int, lam_ring_merge_try_peek(&merge, &event, &index), 1));
        cr_assert(eq(u64, value_of(&event), next[index]));
        next[index]++;
        cr_assert(eq(int, lam_ring_merge_release(&merge), 0));
        if (index != 3 && published[3] != next[3])
            cr_assert(le(u64, ++waited, (RINGS - 1) * BATCH));
    }
    cr_assert(lt(u64, 100, next[3]));
}

Test(merge, one_ring_alone_is_not_held_up)
{
    for (uint64_t i = 0; i < 100; i++)
        publish(2, i);
    for (uint64_t i = 0; i < 100; i++)
        expect(2, i);
}

Test(merge, several_are_lent_and_released_together)
{
    struct lam_event event = {.payload = NULL};
    uint32_t index = 99;

    for (uint32_t i = 0; i < RINGS; i++)
        for (uint64_t j = 0; j < BATCH; j++)
            publish(i, j);
    for (uint32_t i = 0; i < RINGS * BATCH; i++)
        cr_assert(eq(int, lam_ring_merge_try_peek(&merge, &event, &index), 1));
    for (uint32_t i = 0; i < RINGS; i++)
        cr_assert(ne(u64, lam_load_relaxed(consumers[i].cursor), consumers[i].next));
    cr_assert(eq(int, lam_ring_merge_release(&merge), 0));
    for (uint32_t i = 0; i < RINGS; i++)
        cr_assert(eq(u64, lam_load_relaxed(consumers[i].cursor), consumers[i].next));
}

Test(merge, the_end_of_each_is_told_once_and_the_others_go_on)
{
    publish(0, 1);
    publish(1, 1);
    lam_ring_producer_close(&producers[1]);
    (void)lam_ring_consumer_poison(&consumers[2]);
    expect(0, 1);
    expect(1, 1);
    expect_end(-EPIPE, 1);
    expect_end(-ENOTRECOVERABLE, 2);
    expect_end(0, 0);
    publish(3, 7);
    publish(0, 7);
    expect(3, 7);
    expect(0, 7);
    lam_ring_producer_close(&producers[0]);
    expect_end(-EPIPE, 0);
    lam_ring_producer_detach(&producers[3]); /* without a close */
    for (int i = 0; i < 1000; i++) {
        struct lam_event event = {.payload = NULL};
        uint32_t index = 99;
        int rc = lam_ring_merge_peek_until(
            &merge, lam_deadline_after_ns(20 * LAM_NS_PER_MS), &event, &index);

        if (rc == -ETIMEDOUT)
            continue;
        cr_assert(eq(int, rc, -EOWNERDEAD));
        cr_assert(eq(u32, index, 3));
        break;
    }
    expect_end(-EPIPE, LAM_RING_MERGE_ALL);
    /* A successor's events are given again. */
    cr_assert(eq(int, lam_ring_producer_attach(&producers[3], &rings[3], NULL, &error), 0));
    publish(3, 8);
    expect(3, 8);
    expect_end(0, 0);
}

Test(merge, members_come_and_go_while_it_runs)
{
    struct lam_event event = {.payload = NULL};
    uint32_t index = 99;
    uint64_t value = 0;

    for (uint32_t i = 0; i < RINGS; i++)
        for (uint64_t j = 0; j < 4; j++)
            publish(i, j);
    for (uint64_t i = 0; i < 2; i++)
        cr_assert(eq(int, lam_ring_merge_try_peek(&merge, &event, &index), 1));
    cr_assert(eq(int, lam_ring_merge_remove(&merge, 0), 0));
    cr_assert(eq(int, lam_ring_merge_remove(&merge, 0), -EINVAL));
    cr_assert(eq(int, lam_ring_merge_remove(&merge, 64), -EINVAL));
    /* What was given of it is released, and it goes on by itself. */
    cr_assert(eq(u64, lam_load_relaxed(consumers[0].cursor), consumers[0].next));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumers[0], &event), 1));
    memcpy(&value, event.payload, sizeof(value));
    cr_assert(eq(u64, value, 2));
    (void)lam_ring_consumer_release(&consumers[0]);
    for (uint32_t i = 1; i < RINGS; i++)
        for (uint64_t j = 0; j < 4; j++)
            expect(i, j);
    expect_end(0, 0);
    cr_assert(eq(int, lam_ring_merge_add(&merge, &consumers[0], &index), 0));
    cr_assert(eq(u32, index, 0));
    expect(0, 3);
    for (uint32_t i = 0; i < RINGS; i++)
        cr_assert(eq(int, lam_ring_merge_remove(&merge, i), 0));
    expect_end(-EPIPE, LAM_RING_MERGE_ALL);
}

Test(merge, sixty_four_are_members_and_no_more_and_no_lossy_one)
{
    static struct lam_ring_consumer more[LAM_RING_MERGE_COUNT_MAX];
    struct lam_ring_consumer_options lossy = {.policy = LAM_RING_LOSSY};
    uint32_t index;

    cr_assert(eq(int, lam_ring_consumer_attach(&more[0], &rings[0], &lossy, &error), 0));
    cr_assert(eq(int, lam_ring_merge_add(&merge, &more[0], &index), -EINVAL));
    lam_ring_consumer_detach(&more[0]);
    for (uint32_t i = RINGS; i < LAM_RING_MERGE_COUNT_MAX; i++) {
        cr_assert(eq(int, lam_ring_consumer_attach(&more[i], &rings[i % RINGS], NULL, &error), 0));
        cr_assert(eq(int, lam_ring_merge_add(&merge, &more[i], &index), 0));
        cr_assert(eq(u32, index, i));
    }
    cr_assert(eq(int, lam_ring_merge_add(&merge, &more[1], &index), -EUSERS));
    publish(3, 5);
    for (uint32_t i = 3; i < LAM_RING_MERGE_COUNT_MAX; i += RINGS)
        expect(i, 5);
    expect_end(0, 0);
    for (uint32_t i = RINGS; i < LAM_RING_MERGE_COUNT_MAX; i++)
        lam_ring_consumer_detach(&more[i]);
}

Test(merge, a_consumer_is_a_member_once)
{
    uint32_t index = 99;

    for (uint32_t i = 0; i < RINGS; i++)
        cr_assert(eq(int, lam_ring_merge_add(&merge, &consumers[i], &index), -EEXIST));
    cr_assert(eq(u32, index, 99));
    cr_assert(eq(int, lam_ring_merge_remove(&merge, 1), 0));
    cr_assert(eq(int, lam_ring_merge_add(&merge, &consumers[1], &index), 0));
    cr_assert(eq(u32, index, 1));
    cr_assert(eq(int, lam_ring_merge_add(&merge, &consumers[1], &index), -EEXIST));
}

Test(merge, a_wait_ends_at_its_deadline_and_by_an_event_of_any)
{
    struct lam_event event = {.payload = NULL};
    uint32_t index = 99;

    cr_assert(eq(int,
        lam_ring_merge_peek_until(&merge, lam_deadline_after_ns(5 * LAM_NS_PER_MS), &event, &index),
        -ETIMEDOUT));
    publish(2, 1);
    cr_assert(eq(int, lam_ring_merge_peek_until(&merge, LAM_DEADLINE_NEVER, &event, &index), 0));
    cr_assert(eq(u32, index, 2));
    lam_ring_producer_close(&producers[2]);
    cr_assert(
        eq(int, lam_ring_merge_peek_until(&merge, LAM_DEADLINE_NEVER, &event, &index), -EPIPE));
    cr_assert(eq(u32, index, 2));
}
