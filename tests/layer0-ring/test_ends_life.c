/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what becomes of a ring and its ends when one joins, leaves, dies, or says what cannot be.
 * Method: producer and consumers of one process on an anonymous ring of few cells; what another
 * process could write is written into its objects.
 */
#include "lamina/ring/stat.h"
#include "layout.h"
#include "one_pair.h"

static void setup(void)
{
    open_pair(0, LAM_RING_MAY_SLEEP);
}

TestSuite(life, .init = setup, .fini = close_pair, .timeout = 20);

Test(life, a_name_is_taken_while_its_consumer_lives)
{
    struct lam_ring_consumer_options options = {.name = "reader"};
    struct lam_ring_consumer first, second;
    char long_name[80];

    memset(long_name, 'n', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    cr_assert(eq(int, lam_ring_consumer_attach(&first, &ring, &options, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, &options, &error), -EEXIST));
    cr_assert(ne(ptr, strstr(error.text, "reader"), NULL));
    lam_ring_consumer_detach(&first);
    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, &options, &error), 0));
    lam_ring_consumer_detach(&second);
    options.name = "";
    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, &options, &error), -EINVAL));
    options.name = long_name;
    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, &options, &error), -EINVAL));
}

Test(life, head_sees_what_comes_and_oldest_what_the_ring_still_holds)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST};
    struct lam_ring_consumer late;
    struct lam_event event = {.payload = NULL};

    for (uint64_t i = 0; i < 5; i++)
        cr_assert(eq(int, publish(i), 1));
    cr_assert(eq(int, lam_ring_consumer_attach(&late, &ring, &options, &error), 0));
    for (uint64_t i = 0; i < 5; i++)
        cr_assert(eq(u64, take(&late), i));
    lam_ring_consumer_detach(&late);
    cr_assert(eq(int, lam_ring_consumer_attach(&late, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&late, &event), 0));
    cr_assert(eq(int, publish(5), 1));
    cr_assert(eq(u64, take(&late), 5));
    lam_ring_consumer_detach(&late);
}

Test(life, without_consumers_the_producer_runs_free_and_the_oldest_lap_is_kept)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST};
    struct lam_ring_consumer late;
    uint64_t first;

    lam_ring_consumer_detach(&consumer);
    for (uint64_t i = 0; i < 1000; i++)
        cr_assert(eq(int, publish(i), 1));
    cr_assert(eq(int, lam_ring_consumer_attach(&late, &ring, &options, &error), 0));
    first = take(&late);
    cr_assert(first >= 1000 - DEPTH && first <= 1000 - DEPTH + 3, "%d", (int)first);
    for (uint64_t i = first + 1; i < 1000; i++)
        cr_assert(eq(u64, take(&late), i));
    lam_ring_consumer_detach(&late);
}

Test(life, closed_is_told_after_the_last_event_and_the_next_epoch_opens_again)
{
    struct lam_event event = {.payload = NULL};
    struct lam_ring_stat stat;
    void *payload = NULL;

    cr_assert(eq(int, publish(1), 1));
    lam_ring_producer_close(&producer);
    lam_ring_producer_close(&producer); /* twice is once */
    producer.limit = producer.next;     /* so that the next claim takes the slow path */
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 8, &payload), -EPIPE));
    cr_assert(eq(u64, take(&consumer), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), -EPIPE));
    cr_assert(eq(int, lam_ring_consumer_peek_until(&consumer, LAM_DEADLINE_NEVER, &event), -EPIPE));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(int, (int)stat.state, LAM_RING_CLOSED));
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
    cr_assert(eq(int, publish(2), 1));
    cr_assert(eq(u64, take(&consumer), 2));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.epoch, 2));
}

Test(life, a_producer_that_goes_without_closing_is_dead)
{
    struct lam_event event = {.payload = NULL};

    cr_assert(eq(int, publish(1), 1));
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_consumer_peek_until(&consumer, LAM_DEADLINE_NEVER, &event), 0));
    cr_assert(
        eq(int, lam_ring_consumer_peek_until(&consumer, LAM_DEADLINE_NEVER, &event), -EOWNERDEAD));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), -EOWNERDEAD));
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
}

Test(life, a_producer_that_dies_with_all_of_the_ring_claimed_has_a_successor)
{
    struct lam_ring_options options = {.name = "whole", .depth = 64};
    struct lam_ring_producer first, second;
    struct lam_ring whole;

    /* Few events, so that the newest waypoint lies behind what the claim needs. */
    for (uint64_t count = 0; count < 9; count++) {
        void *payload = NULL;

        cr_assert(eq(int, lam_ring_create(&whole, &options, &error), 0), "%s", error.text);
        cr_assert(eq(int, lam_ring_producer_attach(&first, &whole, NULL, &error), 0));
        for (uint64_t i = 0; i < count; i++) {
            cr_assert(eq(int, lam_ring_producer_try_claim(&first, 8, &payload), 1));
            lam_ring_producer_commit(&first, 8, 1, 0);
        }
        cr_assert(eq(int, lam_ring_producer_try_claim_batch(&first, 63, &batch), 1));
        lam_ring_producer_detach(&first);
        cr_assert(
            eq(int, lam_ring_producer_attach(&second, &whole, NULL, &error), 0), "%s", error.text);
        cr_assert(eq(u64, second.next, count));
        cr_assert(eq(u64, second.ordinal, count));
        lam_ring_producer_detach(&second);
        (void)lam_ring_destroy(&whole);
    }
}

/* Each is refused by its number, and takes no entry and no lock. */
Test(life, modes_and_starts_that_there_are_not_are_named)
{
    const struct {
        struct lam_ring_consumer_options options;
        const char *words;
    } wrong[] = {{{.wait = (enum lam_wait_mode)4}, "there is no wait mode 4"},
        {{.start = (enum lam_ring_start)9}, "there is no start 9"},
        {{.policy = (enum lam_ring_policy)3}, "there is no policy 3"},
        {{.after_count = 1}, "names to go after are missing"}};
    const struct {
        struct lam_ring_producer_options options;
        const char *words;
    } wrong_too[] = {{{.wait = (enum lam_wait_mode)4}, "wait mode 4"},
        {{.await_name_count = 2}, "names to buffer for are missing"}};
    struct lam_ring_consumer other;
    struct lam_ring_stat stat;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int rc = lam_ring_consumer_attach(&other, &ring, &wrong[i].options, &error);

        cr_assert(eq(int, rc, -EINVAL));
        cr_assert_not_null(strstr(error.text, wrong[i].words), "%s", error.text);
    }
    lam_ring_producer_detach(&producer);
    for (size_t i = 0; i < sizeof(wrong_too) / sizeof(wrong_too[0]); i++) {
        int rc = lam_ring_producer_attach(&producer, &ring, &wrong_too[i].options, &error);

        cr_assert(eq(int, rc, -EINVAL));
        cr_assert_not_null(strstr(error.text, wrong_too[i].words), "%s", error.text);
    }
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u32, stat.consumer_count, 1)); /* that of the pair */
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
}

Test(life, one_producer_at_a_time)
{
    struct lam_ring_producer second;

    cr_assert(eq(int, lam_ring_producer_attach(&second, &ring, NULL, &error), -EBUSY));
    cr_assert(ne(ptr, strstr(error.text, "live producer"), NULL));
}

/* Whoever attaches has its lock a moment before it has signed: nobody's pid is told for it. */
Test(life, a_producer_that_is_attaching_is_told_of_without_a_pid)
{
    struct lam_lock lock = {.fd = -1};
    struct lam_ring_producer second;
    static struct lam_ring_stat stat;

    lam_ring_producer_detach(&producer);
    memset(&ring.control_head->producer, 0, sizeof(ring.control_head->producer));
    cr_assert(eq(int, lam_lock_take(&lock, ring.control.fd, LAM_RING_LOCK_PRODUCER), 0));
    cr_assert(eq(int, lam_ring_producer_attach(&second, &ring, NULL, &error), -EBUSY));
    cr_assert(ne(ptr, strstr(error.text, "is attaching now"), NULL), "%s", error.text);
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u32, stat.producer_pid, 0));
    cr_assert(eq(u32, stat.producer_count, 1));
    lam_lock_drop(&lock);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
}

Test(life, an_impossible_length_poisons_the_ring_for_all)
{
    struct lam_ring_consumer second;
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_consumer_attach(&second, &ring, NULL, &error), 0));
    cr_assert(eq(int, publish(1), 1));
    lam_store_relaxed(&((struct lam_event_header *)(void *)ring.cells)->shape, 0xffffffff);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), -ENOTRECOVERABLE));
    (void)lam_ring_consumer_try_peek(&second, &event);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&second, &event), -ENOTRECOVERABLE));
    producer.limit = producer.next;
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 8, &payload), -ENOTRECOVERABLE));
    lam_ring_consumer_detach(&second);
}

Test(life, a_cursor_that_cannot_be_is_expelled_and_holds_nobody)
{
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    /* Ahead of the producer. */
    lam_store_relaxed(consumer.cursor, 1000);
    for (uint64_t i = 0; i < DEPTH * 2; i++)
        cr_assert(eq(int, publish(i), 1));
    lam_ring_consumer_detach(&consumer);
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &ring, NULL, &error), 0));
    /* Inside an event. */
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 400, &payload), 1));
    lam_ring_producer_commit(&producer, 400, 0, 0);
    lam_store_relaxed(consumer.cursor, consumer.next + 3);
    for (uint64_t i = 0; i < DEPTH * 2; i++)
        cr_assert(eq(int, publish(i), 1));
    while (lam_ring_consumer_try_peek(&consumer, &event) == 1)
        ;
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), -ESTALE));
}
