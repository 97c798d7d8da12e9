/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a consumer that goes after others sees an event once all of them have released it, and not
 * before; who may be followed, and what becomes of the follower when a leader leaves in order.
 * Method: ends of one process on an anonymous ring of few cells, sequences near the wraps. Streams,
 * sleeping and kill -9 are stress_after.c's.
 */
#include "followers.h"

#include <pthread.h>

TestSuite(after, .timeout = 20);

Test(after, an_event_is_seen_once_those_before_have_released_it)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_consumer a, b;
        struct lam_event event = {.payload = NULL};
        char name[LAM_RING_CONSUMER_NAME_MAX + 1];

        open_ring(starts[i]);
        must_join(&a, "a", NULL, NULL);
        must_join(&b, "b", "a", NULL);
        for (int64_t value = 0; value < 100; value++) {
            cr_assert(eq(i64, take(&b), NOTHING));
            cr_assert(eq(int, lam_ring_consumer_leader(&b, name), 0));
            cr_assert(eq(int, publish_value((uint64_t)value, value % 3 == 0 ? 200 : 8), 1));
            cr_assert(eq(i64, take(&b), NOTHING));
            cr_assert(eq(int, lam_ring_consumer_try_peek(&a, &event), 1));
            cr_assert(eq(i64, take(&b), NOTHING)); /* peeked is not released */
            cr_assert(eq(int, lam_ring_consumer_leader(&b, name), 1));
            cr_assert(eq(str, name, (char *)"a"));
            (void)lam_ring_consumer_release(&a);
            cr_assert(eq(i64, take(&b), value));
        }
        lam_ring_consumer_detach(&b);
        lam_ring_consumer_detach(&a);
        close_ring();
    }
}

Test(after, a_follower_takes_what_was_released_and_no_more)
{
    struct lam_ring_consumer a, b;

    open_ring(UINT64_MAX - 2);
    must_join(&a, "a", NULL, NULL);
    must_join(&b, "b", "a", NULL);
    for (int64_t value = 0; value < 10; value++)
        cr_assert(eq(int, publish_value((uint64_t)value, 8), 1));
    for (int64_t value = 0; value < 7; value++)
        cr_assert(eq(i64, take(&a), value));
    for (int64_t value = 0; value < 7; value++)
        cr_assert(eq(i64, take(&b), value));
    cr_assert(eq(i64, take(&b), NOTHING));
    lam_ring_consumer_detach(&b);
    lam_ring_consumer_detach(&a);
    close_ring();
}

Test(after, a_diamond_waits_for_both_its_sides)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_consumer top, left, right, bottom;

        open_ring(starts[i]);
        must_join(&top, "top", NULL, NULL);
        must_join(&left, "left", "top", NULL);
        must_join(&right, "right", "top", NULL);
        must_join(&bottom, "bottom", "left", "right");
        for (int64_t value = 0; value < 50; value++) {
            cr_assert(eq(int, publish_value((uint64_t)value, 8), 1));
            cr_assert(eq(i64, take(&left), NOTHING));
            cr_assert(eq(i64, take(&top), value));
            cr_assert(eq(i64, take(&bottom), NOTHING));
            cr_assert(eq(i64, take(value % 2 == 0 ? &left : &right), value));
            cr_assert(eq(i64, take(&bottom), NOTHING));
            cr_assert(eq(i64, take(value % 2 == 0 ? &right : &left), value));
            cr_assert(eq(i64, take(&bottom), value));
        }
        lam_ring_consumer_detach(&bottom);
        lam_ring_consumer_detach(&right);
        lam_ring_consumer_detach(&left);
        lam_ring_consumer_detach(&top);
        close_ring();
    }
}

Test(after, a_closed_ring_ends_after_the_last_event)
{
    struct lam_ring_consumer a, b;

    open_ring(0);
    must_join(&a, "a", NULL, NULL);
    must_join(&b, "b", "a", NULL);
    cr_assert(eq(int, publish_value(7, 8), 1));
    lam_ring_producer_close(&producer);
    cr_assert(eq(i64, take(&b), NOTHING));
    cr_assert(eq(i64, take(&a), 7));
    cr_assert(eq(i64, take(&a), -EPIPE));
    cr_assert(eq(i64, take(&b), 7));
    cr_assert(eq(i64, take(&b), -EPIPE));
    lam_ring_consumer_detach(&b);
    lam_ring_consumer_detach(&a);
    close_ring();
}

Test(after, a_follower_that_waits_gets_a_timeout_that_names_its_leader)
{
    struct lam_ring_consumer a, b;
    struct lam_event event = {.payload = NULL};
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];

    open_ring(0);
    must_join(&a, "slow", NULL, NULL);
    must_join(&b, "b", "slow", NULL);
    cr_assert(eq(int, publish_value(7, 8), 1));
    cr_assert(
        eq(int, lam_ring_consumer_peek_until(&b, lam_deadline_after_ns(10 * LAM_NS_PER_MS), &event),
            -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_consumer_leader(&b, name), 1));
    cr_assert(eq(str, name, (char *)"slow"));
    lam_ring_consumer_detach(&b);
    lam_ring_consumer_detach(&a);
    close_ring();
}

Test(after, one_that_left_in_order_holds_nobody)
{
    struct lam_ring_consumer a, b;
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];

    open_ring(0);
    must_join(&a, "a", NULL, NULL);
    must_join(&b, "b", "a", NULL);
    for (uint64_t value = 0; value < 3; value++)
        cr_assert(eq(int, publish_value(value, 8), 1));
    cr_assert(eq(i64, take(&b), NOTHING));
    lam_ring_consumer_detach(&a);
    cr_assert(eq(i64, take(&b), 0));
    must_join(&a, "a", NULL, NULL); /* a newcomer of its name is not waited for */
    cr_assert(eq(i64, take(&b), 1));
    cr_assert(eq(i64, take(&b), 2));
    cr_assert(eq(i64, take(&b), NOTHING));
    cr_assert(eq(int, lam_ring_consumer_leader(&b, name), 0));
    cr_assert(eq(int, publish_value(3, 8), 1));
    cr_assert(eq(i64, take(&b), 3));
    lam_ring_consumer_detach(&b);
    lam_ring_consumer_detach(&a);
    close_ring();
}

Test(after, itself_and_cycles_are_refused_with_the_way_round)
{
    struct lam_ring_consumer a, b, c, again;

    open_ring(0);
    cr_assert(eq(int, join(&a, "a", "a", NULL), -ELOOP));
    must_join(&a, "a", NULL, NULL);
    must_join(&b, "b", "a", NULL);
    must_join(&c, "c", "b", NULL);
    lam_ring_consumer_detach(&a);
    cr_assert(eq(int, join(&again, "a", "c", NULL), -ELOOP));
    cr_assert(ne(ptr, strstr(error.text, "a after c after b after a"), NULL), "%s", error.text);
    /* The refused one is not there. */
    cr_assert(eq(int, join(&again, "d", "a", NULL), -ENOENT));
    lam_ring_consumer_detach(&c);
    lam_ring_consumer_detach(&b);
    close_ring();
}

static int join_waiting(struct lam_ring_consumer *consumer, const char *name, const char *leader)
{
    struct lam_ring_consumer_options options = {.name = name,
        .after = &leader,
        .after_count = 1,
        .after_deadline_ns = lam_deadline_after_ns(500 * LAM_NS_PER_MS)};
    struct lam_error why;

    return lam_ring_consumer_attach(consumer, &ring, &options, &why);
}

static void *join_p_after_q(void *consumer)
{
    return (void *)(intptr_t)join_waiting(consumer, "p", "q");
}

Test(after, two_that_wait_for_one_another_are_refused)
{
    struct lam_ring_consumer p, q;
    pthread_t thread;
    void *one;
    int other;

    open_ring(0);
    cr_assert(eq(int, pthread_create(&thread, NULL, join_p_after_q, &p), 0));
    other = join_waiting(&q, "q", "p");
    (void)pthread_join(thread, &one);
    /* One sees the cycle and goes; the other sees it, too, or finds nobody. */
    cr_assert_eq((intptr_t)one == -ELOOP || other == -ELOOP, 1);
    cr_assert_eq((intptr_t)one < 0 && other < 0, 1);
    close_ring();
}

Test(after, who_has_not_joined_is_waited_for_and_named)
{
    struct lam_ring_consumer a, b;
    struct lam_ring_consumer_options options = {.name = "b",
        .after = (const char *[]){"a", "journal"},
        .after_count = 2,
        .after_deadline_ns = lam_deadline_after_ns(5 * LAM_NS_PER_MS)};

    open_ring(0);
    must_join(&a, "a", NULL, NULL);
    cr_assert(eq(int, lam_ring_consumer_attach(&b, &ring, &options, &error), -ENOENT));
    cr_assert(ne(ptr, strstr(error.text, "journal"), NULL), "%s", error.text);
    die(&a);
    cr_assert(eq(int, join(&b, "b", "a", NULL), -ENOENT)); /* a dead one is nobody */
    close_ring();
}

Test(after, who_passes_over_events_is_not_followed_and_follows_nobody)
{
    struct lam_ring_consumer a, b;
    struct lam_ring_consumer_options lossy = {.name = "lossy", .policy = LAM_RING_LOSSY};
    struct lam_ring_consumer_options evictable = {
        .name = "evictable", .policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = LAM_NS_PER_S};
    const char *names[LAM_RING_AFTER_COUNT_MAX + 1] = {"x"};

    open_ring(0);
    cr_assert(eq(int, lam_ring_consumer_attach(&a, &ring, &lossy, &error), 0));
    cr_assert(eq(int, join(&b, "b", "lossy", NULL), -EINVAL));
    cr_assert(ne(ptr, strstr(error.text, "lossy or may be evicted"), NULL), "%s", error.text);
    lam_ring_consumer_detach(&a);
    cr_assert(eq(int, lam_ring_consumer_attach(&a, &ring, &evictable, &error), 0));
    cr_assert(eq(int, join(&b, "b", "evictable", NULL), -EINVAL));
    lossy.after = (const char *[]){"evictable"};
    lossy.after_count = 1;
    cr_assert(eq(int, lam_ring_consumer_attach(&b, &ring, &lossy, &error), -EINVAL));
    lam_ring_consumer_detach(&a);
    lossy.policy = LAM_RING_GATE;
    lossy.after = names;
    lossy.after_count = LAM_RING_AFTER_COUNT_MAX + 1;
    cr_assert(eq(int, lam_ring_consumer_attach(&b, &ring, &lossy, &error), -EINVAL));
    lossy.after_count = 2; /* the second is NULL */
    cr_assert(eq(int, lam_ring_consumer_attach(&b, &ring, &lossy, &error), -EINVAL));
    close_ring();
}
