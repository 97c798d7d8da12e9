/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: words that say what cannot be, and stay so, end a call by an answer. Method: what
 * hostile/turns.c found, one by one, with both objects mapped for writing.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/many.h"
#include "lamina/ring/merge.h"
#include "lamina/ring/producer.h"
#include "layout.h"
#include "starts.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

TestSuite(lies, .timeout = 20);

static struct lam_ring ring;
static struct lam_error error;

static void make(enum lam_ring_producers producers)
{
    struct lam_ring_options options = {.name = "lies",
        .depth = 16,
        .producers = producers,
        .first_sequence = test_start_from(UINT64_MAX - 2)};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
}

static struct lam_ring_producer *publish_one(void)
{
    static struct lam_ring_producer producer;
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 100, &payload), 1));
    memset(payload, 1, 100);
    lam_ring_producer_commit(&producer, 100, 1, 0);
    return &producer;
}

static void join(struct lam_ring_consumer *consumer, const char *name, const char *const *after)
{
    struct lam_ring_consumer_options options = {.name = name,
        .start = LAM_RING_OLDEST,
        .after = after,
        .after_count = after == NULL ? 0 : 1};

    cr_assert(
        eq(int, lam_ring_consumer_attach(consumer, &ring, &options, &error), 0), "%s", error.text);
}

/* The event is there, and whom it waits for may never come to release it. */
Test(lies, who_follows_in_a_poisoned_ring_is_told)
{
    static const char *const after[] = {"first"};
    struct lam_ring_consumer first, second;
    struct lam_event event = {.payload = NULL};
    struct lam_ring_merge merge;
    uint32_t index = 0;

    make(LAM_RING_ONE_PRODUCER);
    join(&first, "first", NULL);
    join(&second, "second", after);
    lam_ring_producer_detach(publish_one());
    cr_assert(eq(int, lam_ring_consumer_try_peek(&second, &event), 0));
    lam_store_relaxed(&ring.control_head->poisoned, 1);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&second, &event), -ENOTRECOVERABLE));
    lam_ring_merge_init(&merge, NULL);
    cr_assert(eq(int, lam_ring_merge_add(&merge, &second, &index), 0));
    cr_assert(eq(int,
        lam_ring_merge_peek_until(
            &merge, lam_deadline_after_ns(20 * LAM_NS_PER_MS), &event, &index),
        -ENOTRECOVERABLE));
    lam_ring_consumer_detach(&second);
    lam_ring_consumer_detach(&first);
    (void)lam_ring_destroy(&ring);
}

/* No events lead on from there, and there is no consumer whose cursor could be to blame. */
Test(lies, a_horizon_inside_an_event_is_no_full_ring)
{
    struct lam_ring_many_producer producer;
    void *payload = NULL;
    int rc = 1;

    make(LAM_RING_MANY_PRODUCERS);
    cr_assert(eq(int, lam_ring_many_attach(&producer, &ring, NULL, &error), 0));
    for (int i = 0; i < 20 && rc == 1; i++) {
        rc = lam_ring_many_try_claim(&producer, 100, &payload); /* two cells */
        if (rc == 1)
            lam_ring_many_commit(&producer, 100, 1, 0);
        if (i == 4)
            lam_store_relaxed(&ring.data_head->horizon, ring.first_sequence + 1);
    }
    cr_assert(eq(int, rc, -ENOTRECOVERABLE));
    lam_ring_many_detach(&producer);
    (void)lam_ring_destroy(&ring);
}

/* Above all that a producer of many has seen to be there. */
Test(lies, a_horizon_above_all_events_is_refused)
{
    struct lam_ring_many_producer producer;
    void *payload = NULL;

    make(LAM_RING_MANY_PRODUCERS);
    cr_assert(eq(int, lam_ring_many_attach(&producer, &ring, NULL, &error), 0));
    lam_store_relaxed(&ring.data_head->horizon, ring.first_sequence + 100);
    cr_assert(eq(int, lam_ring_many_try_claim(&producer, 100, &payload), -ENOTRECOVERABLE));
    lam_ring_many_detach(&producer);
    (void)lam_ring_destroy(&ring);
}
