/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a poll loop learns of each end of a stream when it arms, and of nothing while producers
 * live: also of rings with many producers, and of what a dead one of them left unfinished. Method:
 * one consumer, a real notifier, and producers that fail, die and claim without a commit.
 */
#include "lamina/ring/many.h"
#include "lamina/ring/notify.h"
#include "one_ring.h"

#include <poll.h>

TestSuite(notify_ends, .timeout = 30);

static struct lam_ring_notifier notifier;
static struct lam_ring_watch watch;
static struct lam_ring_consumer reader;

static void start_watching(void)
{
    cr_assert(eq(int, join(&reader, "reader", LAM_RING_OLDEST), 0));
    cr_assert(eq(int, lam_ring_notifier_open(&notifier, &error), 0));
    cr_assert(eq(int, lam_ring_notifier_add(&notifier, &watch, &reader, &error), 0));
}

static void stop_watching(void)
{
    lam_ring_notifier_remove(&watch);
    lam_ring_notifier_close(&notifier);
    lam_ring_consumer_detach(&reader);
    (void)lam_ring_destroy(&ring);
}

static int readable(int timeout_ms)
{
    struct pollfd fd = {.fd = watch.fd, .events = POLLIN};

    return poll(&fd, 1, timeout_ms);
}

/* Arm until there is something, and say what a look gets then. */
static int await_something(struct lam_event *event)
{
    while (lam_ring_watch_arm(&watch) == 0)
        cr_assert(eq(int, readable(10000), 1));
    return lam_ring_consumer_try_peek(&reader, event);
}

Test(notify_ends, a_failure_is_told)
{
    struct lam_event event;

    open_ring_at(DEPTH, UINT64_MAX - 2);
    start_watching();
    cr_assert(eq(int, lam_ring_watch_arm(&watch), 0));
    lam_ring_producer_fail(&producer, "the feed is gone");
    cr_assert(eq(int, readable(10000), 1));
    cr_assert(eq(int, lam_ring_watch_arm(&watch), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&reader, &event), -ECANCELED));
    lam_ring_producer_detach(&producer);
    stop_watching();
}

Test(notify_ends, a_death_is_known_to_the_first_look_after_it_was_told)
{
    struct lam_event event;

    open_ring_at(DEPTH, UINT64_MAX - 2);
    start_watching();
    for (int i = 0; i < 10; i++) {
        cr_assert(eq(int, publish(), 1));
        (void)take_one(&reader);
        cr_assert(eq(int, lam_ring_watch_arm(&watch), 0));
        lam_ring_producer_detach(&producer); /* without a close */
        cr_assert(eq(int, readable(10000), 1));
        cr_assert(eq(int, lam_ring_watch_arm(&watch), 1));
        cr_assert(eq(int, lam_ring_consumer_try_peek(&reader, &event), -EOWNERDEAD));
        cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    }
    lam_ring_producer_detach(&producer);
    stop_watching();
}

static struct lam_ring_many_producer many[2];

static void open_many(void)
{
    struct lam_ring_options options = {.name = "notify",
        .depth = DEPTH,
        .first_sequence = test_start_from(UINT64_MAX - 2),
        .producers = LAM_RING_MANY_PRODUCERS};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int, lam_ring_many_attach(&many[i], &ring, NULL, &error), 0));
}

static void publish_by(int which, uint64_t value)
{
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_many_try_claim(&many[which], sizeof(value), &payload), 1));
    memcpy(payload, &value, sizeof(value));
    lam_ring_many_commit(&many[which], sizeof(value), 1, 0);
}

Test(notify_ends, while_one_of_many_producers_lives_nothing_is_told_but_events)
{
    struct lam_event event;

    open_many();
    start_watching();
    cr_assert(eq(int, lam_ring_watch_arm(&watch), 0));
    cr_assert(eq(int, readable(60), 0));
    lam_ring_many_detach(&many[0]); /* it dies, in the middle of nothing */
    cr_assert(eq(int, readable(60), 0));
    publish_by(1, 7);
    cr_assert(eq(int, readable(10000), 1));
    cr_assert(eq(u64, take_one(&reader), 7));
    cr_assert(eq(int, lam_ring_watch_arm(&watch), 0));
    lam_ring_many_detach(&many[1]);
    cr_assert(eq(int, await_something(&event), -EOWNERDEAD));
    stop_watching();
}

/* A producer that dies with a claim in hand. */
static void die_in_a_claim(void)
{
    void *payload = NULL;
    pid_t child = fork();

    cr_assert(child >= 0);
    if (child == 0)
        _exit(lam_ring_many_attach(&many[0], &ring, NULL, NULL) != 0 ||
              lam_ring_many_try_claim(&many[0], 8, &payload) != 1);
    cr_assert(eq(int, end_of_child(child), 0));
}

Test(notify_ends, what_a_dead_one_of_many_left_unfinished_is_passed_over)
{
    struct lam_event event = {.payload = NULL};

    open_many();
    lam_ring_many_detach(&many[0]);
    start_watching();
    die_in_a_claim();
    publish_by(1, 5);
    cr_assert(eq(int, await_something(&event), 1));
    cr_assert(eq(u64, value_of(&event), 5));
    (void)lam_ring_consumer_release(&reader);
    die_in_a_claim();
    lam_ring_many_close(&many[1]);
    cr_assert(eq(int, await_something(&event), -EPIPE));
    lam_ring_many_detach(&many[1]);
    stop_watching();
}
