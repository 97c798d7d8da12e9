/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a drain hands over what is there, marks the last of it, and releases it together; a
 * handler's thread does the same until it is stopped or the stream ends, and loses nothing.
 */
#include "lamina/ring/drain.h"
#include "one_pair.h"

#include <signal.h>

static void attach(enum lam_ring_policy policy)
{
    struct lam_ring_consumer_options options = {.policy = policy};

    open_ring(UINT64_MAX - 2);
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &ring, &options, &error), 0));
}

static void setup(void)
{
    attach(LAM_RING_GATE);
}

TestSuite(drain, .init = setup, .fini = close_pair, .timeout = 20);

/* What a handler saw: values in order, and where the marks were. */
struct seen {
    uint64_t next;
    uint64_t count;
    uint64_t marks;
    uint64_t stop_at; /* answers 5 there */
    int published;    /* from inside a batch */
};

static int see(void *context, const struct lam_event *event, int last)
{
    struct seen *seen = context;
    uint64_t value = 0;

    memcpy(&value, event->payload, sizeof(value));
    cr_assert(eq(u64, value, seen->next));
    seen->next++;
    seen->count++;
    seen->marks += last != 0;
    return value == seen->stop_at ? 5 : 0;
}

Test(drain, all_that_is_there_comes_and_the_last_is_marked)
{
    struct seen seen = {.stop_at = UINT64_MAX};
    struct lam_ring_drain drain = {.handle = see, .context = &seen};
    int answer = 1;

    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, &answer), 0));
    cr_assert(eq(int, answer, 0));
    for (uint64_t round = 0, value = 0; round < 100; round++) {
        uint64_t count = 1 + round % (DEPTH - 1);

        for (uint64_t i = 0; i < count; i++)
            cr_assert(eq(int, publish(value++), 1));
        cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, &answer), (int64_t)count));
        cr_assert(eq(u64, seen.marks, round + 1));
        cr_assert(eq(u64, seen.next, value));
    }
}

Test(drain, a_limit_ends_the_batch_with_a_mark)
{
    struct seen seen = {.stop_at = UINT64_MAX};
    struct lam_ring_drain drain = {.handle = see, .context = &seen, .limit = 4};

    for (uint64_t i = 0; i < 10; i++)
        cr_assert(eq(int, publish(i), 1));
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, NULL), 4));
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, NULL), 4));
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, NULL), 2));
    cr_assert(eq(u64, seen.marks, 3));
}

Test(drain, an_answer_ends_the_batch_and_nothing_is_lost_behind_it)
{
    struct seen seen = {.stop_at = 3};
    struct lam_ring_drain drain = {.handle = see, .context = &seen};
    struct lam_event event = {.payload = NULL};
    uint64_t ordinal = consumer.ordinal;
    uint64_t value = 0;
    int answer = 0;

    for (uint64_t i = 0; i < 10; i++)
        cr_assert(eq(int, publish(i), 1));
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, &answer), 4));
    cr_assert(eq(int, answer, 5));
    cr_assert(eq(u64, consumer.ordinal, ordinal + 4));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    memcpy(&value, event.payload, sizeof(value));
    cr_assert(eq(u64, value, 4));
}

static int publish_on(void *context, const struct lam_event *event, int last)
{
    struct seen *seen = context;

    (void)event;
    seen->marks += last != 0;
    seen->count++;
    seen->published += publish(seen->count) == 1;
    return 0;
}

/* A batch is released at its end: a producer that goes on inside it comes to a full ring. */
Test(drain, a_batch_is_no_longer_than_a_ring_whatever_the_producer_does)
{
    struct seen seen = {.count = 0};
    struct lam_ring_drain drain = {.handle = publish_on, .context = &seen};

    cr_assert(eq(int, publish(0), 1));
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, NULL), 1));
    cr_assert(eq(int, publish(0), 1));
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, NULL), DEPTH - 1));
    cr_assert(eq(u64, seen.marks, 2));
    cr_assert(lt(int, seen.published, DEPTH));
}

Test(drain, the_end_of_the_stream_comes_after_the_last_event)
{
    struct seen seen = {.stop_at = UINT64_MAX};
    struct lam_ring_drain drain = {.handle = see, .context = &seen};

    cr_assert(eq(int, publish(0), 1));
    lam_ring_producer_close(&producer);
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, NULL), 1));
    cr_assert(eq(u64, seen.marks, 1));
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, NULL), -EPIPE));
}

Test(drain, a_lossy_reader_is_refused)
{
    struct lam_ring_drain drain = {.handle = see};
    struct lam_ring_handler handler;

    close_pair();
    attach(LAM_RING_LOSSY);
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, NULL), -EINVAL));
    cr_assert(eq(int, lam_ring_handler_start(&handler, &consumer, &drain, &error), -EINVAL));
}

static void publish_many(uint64_t from, uint64_t count)
{
    for (uint64_t i = from; i < from + count; i++) {
        void *payload = NULL;

        cr_assert(eq(int,
            lam_ring_producer_claim_until(
                &producer, sizeof(i), lam_deadline_after_ns(10 * LAM_NS_PER_S), &payload),
            0));
        memcpy(payload, &i, sizeof(i));
        lam_ring_producer_commit(&producer, sizeof(i), 1, 0);
    }
}

Test(drain, a_handler_that_is_stopped_has_handled_all_that_was_published)
{
    struct seen seen = {.stop_at = UINT64_MAX};
    struct lam_ring_drain drain = {.handle = see, .context = &seen};
    struct lam_ring_handler handler;

    for (uint64_t round = 0; round < 50; round++) {
        cr_assert(eq(int, lam_ring_handler_start(&handler, &consumer, &drain, &error), 0));
        publish_many(round * 100, 100);
        cr_assert(eq(int, lam_ring_handler_stop(&handler), 0));
        cr_assert(eq(u64, seen.next, (round + 1) * 100));
    }
    /* The consumer is ours again. */
    cr_assert(eq(int, publish(5000), 1));
    cr_assert(eq(i64, lam_ring_consumer_drain(&consumer, &drain, NULL), 1));
}

Test(drain, a_handler_ends_with_the_stream_and_says_how)
{
    struct seen seen = {.stop_at = UINT64_MAX};
    struct lam_ring_drain drain = {.handle = see, .context = &seen};
    struct lam_ring_handler handler;

    cr_assert(eq(int, lam_ring_handler_start(&handler, &consumer, &drain, &error), 0));
    publish_many(0, 1000);
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, lam_ring_handler_join(&handler), -EPIPE));
    cr_assert(eq(u64, seen.next, 1000));
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_handler_start(&handler, &consumer, &drain, &error), 0));
    publish_many(1000, 10);
    lam_ring_producer_detach(&producer); /* without a close: dead */
    cr_assert(eq(int, lam_ring_handler_join(&handler), -EOWNERDEAD));
    cr_assert(eq(u64, seen.next, 1010));
}

Test(drain, a_handler_ends_by_its_own_answer)
{
    struct seen seen = {.stop_at = 41};
    struct lam_ring_drain drain = {.handle = see, .context = &seen};
    struct lam_ring_handler handler;

    cr_assert(eq(int, lam_ring_handler_start(&handler, &consumer, &drain, &error), 0));
    publish_many(0, 50);
    cr_assert(eq(int, lam_ring_handler_join(&handler), 5));
    cr_assert(eq(u64, seen.next, 42));
}

static int mask_is_full(void *context, const struct lam_event *event, int last)
{
    sigset_t mask;

    (void)context;
    (void)event;
    (void)last;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGUSR1) == 1 ? 7 : 8;
}

Test(drain, a_handlers_thread_takes_no_signals)
{
    struct lam_ring_drain drain = {.handle = mask_is_full};
    struct lam_ring_handler handler;
    sigset_t mask;

    cr_assert(eq(int, lam_ring_handler_start(&handler, &consumer, &drain, &error), 0));
    cr_assert(eq(int, publish(0), 1));
    cr_assert(eq(int, lam_ring_handler_join(&handler), 7));
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    cr_assert(eq(int, sigismember(&mask, SIGTERM), 0));
}
