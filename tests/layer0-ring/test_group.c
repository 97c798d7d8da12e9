/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every answer of a group's calls: whom it holds back and when not, where it starts and ends,
 * and what becomes of what a member leaves.
 * Method: members of one process on an anonymous ring of few cells, sequences near the wraps.
 * Streams, threads and kill -9 are stress_group.c's.
 */
#include "lamina/ring/stat.h"
#include "members.h"

#include <stdio.h>

TestSuite(group, .timeout = 20);

Test(group, whoever_is_free_takes_the_next)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b;

        open_ring(starts[i]);
        join(&a, 1);
        join(&b, 1);
        for (int64_t value = 0; value < 60; value += 3) {
            for (int64_t j = 0; j < 3; j++)
                cr_assert(eq(int, publish_value((uint64_t)(value + j), j == 1 ? 200 : 8), 1));
            cr_assert(eq(i64, peek(&a), value));
            cr_assert(eq(i64, take(&b), value + 1));
            cr_assert(eq(i64, take(&b), value + 2)); /* a is busy */
            cr_assert(eq(i64, take(&b), NOTHING));
            lam_ring_member_release(&a);
            cr_assert(eq(i64, take(&a), NOTHING));
        }
        lam_ring_member_detach(&b);
        lam_ring_member_detach(&a);
        close_ring();
    }
}

Test(group, several_are_taken_at_once_and_released_one_by_one)
{
    struct lam_ring_member a, b;

    open_ring(UINT64_MAX - 2);
    join(&a, 3);
    join(&b, 3);
    for (uint64_t value = 0; value < 8; value++)
        cr_assert(eq(int, publish_value(value, 8), 1));
    cr_assert(eq(i64, take(&a), 0));
    cr_assert(eq(i64, take(&b), 3));
    cr_assert(eq(i64, take(&a), 1));
    cr_assert(eq(i64, peek(&a), 2));
    cr_assert(eq(i64, peek(&b), 4));
    cr_assert(eq(i64, peek(&b), 5));
    lam_ring_member_release(&b);
    cr_assert(eq(i64, take(&b), 6));
    lam_ring_member_release(&a);
    cr_assert(eq(i64, take(&a), NOTHING));
    cr_assert(eq(i64, take(&b), 7));
    lam_ring_member_detach(&b);
    lam_ring_member_detach(&a);
    close_ring();
}

Test(group, it_holds_the_producer_by_what_is_not_taken_and_not_released)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b, idle;
        struct lam_ring_blocker blocker;
        int64_t value = 0;

        open_ring(starts[i]);
        join(&idle, 1);
        join(&a, 1);
        join(&b, 1);
        while (publish_value((uint64_t)value, 8) == 1)
            value++;
        cr_assert(eq(i64, value, DEPTH - 1));
        cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
        cr_assert(eq(str, blocker.name, (char *)"workers")); /* nobody takes them */
        cr_assert(ge(u32, blocker.index, LAM_RING_CONSUMER_COUNT_MAX));
        cr_assert(eq(i64, peek(&a), 0));
        for (int64_t j = 1; j < value; j++)
            cr_assert(eq(i64, take(&b), j));
        cr_assert(eq(int, publish_value(99, 8), 0)); /* all but the first are released */
        cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
        cr_assert(eq(u32, blocker.index, a.consumer.index));
        lam_ring_member_release(&a);
        for (int64_t j = 0; j < 100; j++) { /* whoever is idle holds nobody */
            cr_assert(eq(int, publish_value((uint64_t)j, 8), 1));
            cr_assert(eq(i64, take(&a), j));
        }
        lam_ring_member_detach(&idle);
        lam_ring_member_detach(&b);
        lam_ring_member_detach(&a);
        close_ring();
    }
}

Test(group, it_starts_where_its_first_member_says)
{
    struct lam_ring_member a, b;
    struct lam_ring_member_options options = {.group = "all", .start = LAM_RING_OLDEST};

    open_ring(0);
    for (uint64_t value = 0; value < 5; value++)
        cr_assert(eq(int, publish_value(value, 8), 1));
    cr_assert(eq(int, lam_ring_member_attach(&a, &ring, &options, &error), 0));
    cr_assert(eq(i64, take(&a), 0));
    options.start = LAM_RING_HEAD;
    cr_assert(eq(int, lam_ring_member_attach(&b, &ring, &options, &error), 0));
    cr_assert(eq(i64, take(&b), 1));
    lam_ring_member_detach(&b);
    lam_ring_member_detach(&a);
    cr_assert(eq(int, lam_ring_member_attach(&b, &ring, &options, &error), 0));
    cr_assert(eq(i64, take(&b), NOTHING)); /* another group by that name, at the head */
    lam_ring_member_detach(&b);
    close_ring();
}

Test(group, what_a_member_leaves_goes_to_another)
{
    struct lam_ring_member a, b;

    open_ring(UINT64_MAX - 2);
    join(&a, 4);
    join(&b, 1);
    for (uint64_t value = 0; value < 5; value++)
        cr_assert(eq(int, publish_value(value, 8), 1));
    cr_assert(eq(i64, take(&a), 0));
    cr_assert(eq(i64, peek(&a), 1));
    lam_ring_member_detach(&a);
    cr_assert(eq(i64, take(&b), 4));
    for (int64_t value = 1; value < 4; value++) {
        cr_assert(eq(i64, peek_soon(&b), value));
        lam_ring_member_release(&b);
    }
    cr_assert(eq(i64, take(&b), NOTHING));
    for (int64_t value = 0; value < 2 * DEPTH; value++) { /* nothing of it holds any longer */
        cr_assert(eq(int, publish_value((uint64_t)value, 8), 1));
        cr_assert(eq(i64, take(&b), value));
    }
    lam_ring_member_detach(&b);
    close_ring();
}

Test(group, the_end_comes_when_nobody_holds_anything)
{
    struct lam_ring_member a, b;
    struct lam_event event = {.payload = NULL};

    open_ring(0);
    join(&a, 1);
    join(&b, 1);
    cr_assert(eq(int, publish_value(7, 8), 1));
    lam_ring_producer_close(&producer);
    cr_assert(eq(i64, peek(&a), 7));
    cr_assert(eq(i64, peek(&b), NOTHING));
    cr_assert(
        eq(int, lam_ring_member_peek_until(&b, lam_deadline_after_ns(5 * LAM_NS_PER_MS), &event),
            -ETIMEDOUT));
    die(&a);
    cr_assert(eq(
        int, lam_ring_member_peek_until(&b, lam_deadline_after_ns(10 * LAM_NS_PER_S), &event), 0));
    lam_ring_member_release(&b);
    cr_assert(eq(i64, peek(&b), -EPIPE));
    lam_ring_member_detach(&b);
    close_ring();
}

Test(group, options_out_of_range_are_named)
{
    struct lam_ring_member members[LAM_RING_GROUP_COUNT_MAX + 1];
    struct lam_ring_member_options options = {.group = ""};
    char name[16];

    open_ring(0);
    cr_assert(eq(int, lam_ring_member_attach(&members[0], &ring, &options, &error), -EINVAL));
    lam_ring_member_detach(&members[0]); /* of one that did not join */
    options.group = "g";
    options.start = (enum lam_ring_start)2;
    cr_assert(eq(int, lam_ring_member_attach(&members[0], &ring, &options, &error), -EINVAL));
    options.start = LAM_RING_HEAD;
    for (int i = 0; i <= LAM_RING_GROUP_COUNT_MAX; i++) {
        (void)snprintf(name, sizeof(name), "group%d", i);
        options.group = name;
        cr_assert(eq(int, lam_ring_member_attach(&members[i], &ring, &options, &error),
            i < LAM_RING_GROUP_COUNT_MAX ? 0 : -EUSERS));
    }
    for (int i = 0; i < LAM_RING_GROUP_COUNT_MAX; i++)
        lam_ring_member_detach(&members[i]);
    close_ring();
}

Test(group, members_are_counted_and_shown)
{
    static struct lam_ring_stat stat;
    struct lam_ring_member a, b;

    open_ring(0);
    join(&a, 1);
    join(&b, 1);
    cr_assert(eq(int, lam_ring_producer_wait_consumers_until(&producer, 2, 0), 0));
    for (uint64_t value = 0; value < 3; value++)
        cr_assert(eq(int, publish_value(value, 8), 1));
    cr_assert(eq(i64, peek(&a), 0));
    cr_assert(eq(i64, take(&b), 1));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u32, stat.consumer_count, 2));
    cr_assert(eq(u64, stat.consumers[0].lag_cells, 3)); /* by what it holds */
    cr_assert(eq(u64, stat.consumers[1].lag_cells, 1)); /* by what nobody has taken */
    lam_ring_member_detach(&b);
    lam_ring_member_detach(&a);
    close_ring();
}
