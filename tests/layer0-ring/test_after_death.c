/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: followers of one that dies, is evicted, or says what cannot be, learn it, and lose nothing
 * once its name goes on. Method: as in test_after.c; what another process could write is written
 * into control.
 */
#include "layout.h"

#include "followers.h"

TestSuite(after_death, .timeout = 20);

static int64_t take_soon(struct lam_ring_consumer *consumer)
{
    uint64_t deadline_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    int64_t value;

    do {
        value = take(consumer);
    } while (value == NOTHING && lam_clock_now_ns() < deadline_ns);
    return value;
}

Test(after_death, a_dead_one_holds_its_followers_until_its_name_goes_on)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_consumer a, b;
        struct lam_ring_consumer_options again = {.name = "a", .start = LAM_RING_OLDEST};
        struct lam_event event = {.payload = NULL};
        char name[LAM_RING_CONSUMER_NAME_MAX + 1];

        open_ring(starts[i]);
        must_join(&a, "a", NULL, NULL);
        must_join(&b, "b", "a", NULL);
        for (uint64_t value = 0; value < 4; value++)
            cr_assert(eq(int, publish_value(value, 8), 1));
        cr_assert(eq(i64, take(&a), 0));
        cr_assert(eq(i64, take(&a), 1));
        die(&a);
        cr_assert(eq(i64, take_soon(&b), 0)); /* first what it had released */
        cr_assert(eq(i64, take_soon(&b), 1));
        cr_assert(eq(i64, take_soon(&b), -EOWNERDEAD));
        cr_assert(eq(int, lam_ring_consumer_leader(&b, name), 1));
        cr_assert(eq(str, name, (char *)"a"));
        cr_assert(eq(int,
            lam_ring_consumer_peek_until(&b, lam_deadline_after_ns(10 * LAM_NS_PER_S), &event),
            -EOWNERDEAD));
        cr_assert(eq(int, lam_ring_consumer_attach(&a, &ring, &again, &error), 0));
        cr_assert(eq(i64, take(&b), NOTHING));
        while (a.next != b.next)
            (void)take(&a);
        cr_assert(eq(i64, take(&b), NOTHING));
        cr_assert(eq(i64, take(&a), 2));
        cr_assert(eq(i64, take(&b), 2));
        lam_ring_consumer_detach(&b);
        lam_ring_consumer_detach(&a);
        close_ring();
    }
}

Test(after_death, one_that_the_producer_found_dead_holds_its_followers_too)
{
    struct lam_ring_consumer a, b;

    open_ring(0);
    must_join(&a, "a", NULL, NULL);
    must_join(&b, "b", "a", NULL);
    cr_assert(eq(int, publish_value(0, 8), 1));
    cr_assert(eq(int, publish_value(1, 8), 1));
    cr_assert(eq(i64, take(&a), 0));
    die(&a);
    /* It counts the living: a is taken out of the table. */
    cr_assert(eq(int, lam_ring_producer_wait_consumers_until(&producer, 1, 0), 0));
    cr_assert(eq(u64, lam_load_relaxed(&ring.control_head->reaped), 1));
    cr_assert(eq(i64, take_soon(&b), 0));
    cr_assert(eq(i64, take_soon(&b), -EOWNERDEAD));
    lam_ring_consumer_detach(&b);
    close_ring();
}

Test(after_death, an_impossible_cursor_of_a_leader_is_refused)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_consumer a, b;
        lam_atomic_u64 *cursor;
        uint64_t first;

        open_ring(starts[i]);
        must_join(&a, "a", NULL, NULL);
        must_join(&b, "b", "a", NULL);
        cursor = a.cursor;
        first = b.next;
        cr_assert(eq(int, publish_value(0, 200), 1)); /* four cells */
        cr_assert(eq(int, publish_value(1, 8), 1));
        lam_store_relaxed(cursor, first + 2); /* inside the event */
        cr_assert(eq(i64, take(&b), -EPROTO));
        lam_store_relaxed(cursor, first + DEPTH + 1); /* further than there can be events */
        cr_assert(eq(i64, take(&b), -EPROTO));
        lam_store_relaxed(cursor, first + (UINT64_C(1) << 63));
        cr_assert(eq(i64, take(&b), -EPROTO));
        lam_store_relaxed(cursor, first + 4);
        cr_assert(eq(i64, take(&b), 0));
        lam_store_relaxed(cursor, first); /* behind what it was */
        cr_assert(eq(i64, take(&b), -EPROTO));
        lam_store_relaxed(cursor, first + 7); /* beyond the head: found out there */
        cr_assert(eq(i64, take(&b), 1));
        cr_assert(eq(i64, take(&b), -EPROTO));
        lam_ring_consumer_detach(&b);
        lam_ring_consumer_detach(&a);
        close_ring();
    }
}

Test(after_death, a_follower_that_was_evicted_is_told_that)
{
    struct lam_ring_consumer a, b;
    struct lam_event event = {.payload = NULL};
    struct lam_ring_consumer_options options = {.name = "b",
        .policy = LAM_RING_GATE_THEN_EVICT,
        .patience_ns = 1,
        .after = (const char *[]){"a"},
        .after_count = 1};
    uint64_t lost = 0;
    void *payload = NULL;

    open_ring(0);
    must_join(&a, "a", NULL, NULL);
    cr_assert(eq(int, lam_ring_consumer_attach(&b, &ring, &options, &error), 0));
    while (publish_value(1, 8) == 1)
        cr_assert(eq(int, (int)take(&a), 1));
    cr_assert(eq(int,
        lam_ring_producer_claim_until(
            &producer, 8, lam_deadline_after_ns(10 * LAM_NS_PER_S), &payload),
        0));
    lam_ring_producer_commit(&producer, 8, 1, 0);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&b, &event), -ESTALE));
    cr_assert(eq(int, lam_ring_consumer_readmit(&b, LAM_RING_HEAD, &lost, &error), 0));
    cr_assert(eq(int, (int)lost, DEPTH));
    cr_assert(eq(i64, take(&b), NOTHING));
    (void)take(&a); /* it stood behind b: what b starts with was not its yet */
    cr_assert(eq(int, publish_value(5, 8), 1));
    cr_assert(eq(i64, take(&b), NOTHING));
    cr_assert(eq(i64, take(&a), 5));
    cr_assert(eq(i64, take(&b), 5));
    lam_ring_consumer_detach(&b);
    lam_ring_consumer_detach(&a);
    close_ring();
}
