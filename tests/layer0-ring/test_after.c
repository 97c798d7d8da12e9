/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a consumer that goes after others sees an event once all of them have released it, and not
 * before; who may be followed, and what becomes of the follower when a leader leaves, dies or says
 * what cannot be. Method: ends of one process on an anonymous ring of few cells, sequences near the
 * wraps; what another process could write is written into control. Streams, sleeping and kill -9
 * are stress_after.c's.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "layout.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#define DEPTH 16

static const uint64_t starts[] = {
    0, (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 63) - 3, UINT64_MAX - 2};

#define FOR_EACH_START(first) for (unsigned first = 0; first < 4; first++)

static struct lam_ring ring;
static struct lam_ring_producer producer;
static struct lam_error error;

static void open_ring(uint64_t first_sequence)
{
    struct lam_ring_options options = {
        .name = "after", .depth = DEPTH, .first_sequence = first_sequence};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
}

static void close_ring(void)
{
    lam_ring_producer_detach(&producer);
    (void)lam_ring_destroy(&ring);
}

TestSuite(after, .timeout = 20);

/* Join as @name after up to two others. */
static int join(
    struct lam_ring_consumer *consumer, const char *name, const char *one, const char *other)
{
    const char *after[] = {one, other};
    struct lam_ring_consumer_options options = {
        .name = name, .after = after, .after_count = (one != NULL) + (other != NULL)};

    return lam_ring_consumer_attach(consumer, &ring, &options, &error);
}

static void must_join(
    struct lam_ring_consumer *consumer, const char *name, const char *one, const char *other)
{
    cr_assert(eq(int, join(consumer, name, one, other), 0), "%s", error.text);
}

static int publish(uint64_t value, uint64_t bytes)
{
    void *payload = NULL;
    int rc = lam_ring_producer_try_claim(&producer, bytes, &payload);

    if (rc == 1) {
        memcpy(payload, &value, sizeof(value));
        lam_ring_producer_commit(&producer, bytes, 1, 0);
    }
    return rc;
}

/* Peek and release one event. Returns its value, or what the peek returned if that is not 1. */
static int64_t take(struct lam_ring_consumer *consumer)
{
    struct lam_event event = {.payload = NULL};
    int rc = lam_ring_consumer_try_peek(consumer, &event);
    uint64_t value = 0;

    if (rc != 1)
        return rc == 0 ? -1000 : rc;
    memcpy(&value, event.payload, sizeof(value));
    cr_assert(eq(int, lam_ring_consumer_release(consumer), 0));
    return (int64_t)value;
}

#define NOTHING (-1000)

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
            cr_assert(eq(int, publish((uint64_t)value, value % 3 == 0 ? 200 : 8), 1));
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
        cr_assert(eq(int, publish((uint64_t)value, 8), 1));
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
            cr_assert(eq(int, publish((uint64_t)value, 8), 1));
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
    cr_assert(eq(int, publish(7, 8), 1));
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
    cr_assert(eq(int, publish(7, 8), 1));
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
        cr_assert(eq(int, publish(value, 8), 1));
    cr_assert(eq(i64, take(&b), NOTHING));
    lam_ring_consumer_detach(&a);
    cr_assert(eq(i64, take(&b), 0));
    must_join(&a, "a", NULL, NULL); /* a newcomer of its name is not waited for */
    cr_assert(eq(i64, take(&b), 1));
    cr_assert(eq(i64, take(&b), 2));
    cr_assert(eq(i64, take(&b), NOTHING));
    cr_assert(eq(int, lam_ring_consumer_leader(&b, name), 0));
    cr_assert(eq(int, publish(3, 8), 1));
    cr_assert(eq(i64, take(&b), 3));
    lam_ring_consumer_detach(&b);
    lam_ring_consumer_detach(&a);
    close_ring();
}

/* As the kernel does when its owner dies: the lock is free, and the entry says nothing of it. */
static void die(struct lam_ring_consumer *consumer)
{
    lam_lock_drop(&consumer->lock);
}

static int64_t take_soon(struct lam_ring_consumer *consumer)
{
    uint64_t deadline_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    int64_t value;

    do {
        value = take(consumer);
    } while (value == NOTHING && lam_clock_now_ns() < deadline_ns);
    return value;
}

Test(after, a_dead_one_holds_its_followers_until_its_name_goes_on)
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
            cr_assert(eq(int, publish(value, 8), 1));
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

Test(after, one_that_the_producer_found_dead_holds_its_followers_too)
{
    struct lam_ring_consumer a, b;

    open_ring(0);
    must_join(&a, "a", NULL, NULL);
    must_join(&b, "b", "a", NULL);
    cr_assert(eq(int, publish(0, 8), 1));
    cr_assert(eq(int, publish(1, 8), 1));
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

Test(after, an_impossible_cursor_of_a_leader_is_refused)
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
        cr_assert(eq(int, publish(0, 200), 1)); /* four cells */
        cr_assert(eq(int, publish(1, 8), 1));
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

Test(after, a_follower_that_was_evicted_is_told_that)
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
    while (publish(1, 8) == 1)
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
    cr_assert(eq(int, publish(5, 8), 1));
    cr_assert(eq(i64, take(&b), NOTHING));
    cr_assert(eq(i64, take(&a), 5));
    cr_assert(eq(i64, take(&b), 5));
    lam_ring_consumer_detach(&b);
    lam_ring_consumer_detach(&a);
    close_ring();
}
