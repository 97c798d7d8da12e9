/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every answer of claims, commits, peeks and releases, at the edges of capacity.
 * Method: producer and consumers of one process on an anonymous ring of few cells.
 */
#include "one_pair.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void setup(void)
{
    open_pair(0, LAM_RING_MAY_SLEEP);
}

TestSuite(ends, .init = setup, .fini = close_pair, .timeout = 20);

Test(ends, depth_less_one_cell_can_be_used_and_one_release_makes_room_for_one)
{
    for (uint64_t i = 0; i < DEPTH - 1; i++)
        cr_assert(eq(int, publish(i), 1));
    cr_assert(eq(int, publish(99), 0));
    cr_assert(eq(u64, take(&consumer), 0));
    cr_assert(eq(int, publish(DEPTH - 1), 1));
    cr_assert(eq(int, publish(99), 0));
    for (uint64_t i = 1; i < DEPTH; i++)
        cr_assert(eq(u64, take(&consumer), i));
}

Test(ends, half_the_ring_is_an_event_and_one_byte_more_is_too_large)
{
    uint64_t bytes_max = lam_ring_payload_bytes_max(&ring);
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(u64, bytes_max, DEPTH / 2 * 64 - 16));
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, bytes_max + 1, &payload), -EMSGSIZE));
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, UINT64_MAX, &payload), -EMSGSIZE));
    for (int lap = 0; lap < 50; lap++) {
        cr_assert(eq(int, lam_ring_producer_try_claim(&producer, bytes_max, &payload), 1));
        memset(payload, lap, bytes_max);
        lam_ring_producer_commit(&producer, bytes_max, 0, 0);
        cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
        cr_assert(eq(u64, event.payload_bytes, bytes_max));
        for (uint64_t i = 0; i < bytes_max; i++)
            cr_assert_eq(((const uint8_t *)event.payload)[i], (uint8_t)lap);
        lam_ring_consumer_release(&consumer);
        cr_assert(eq(int, publish(1), 1)); /* so that the next lap starts one cell on */
        cr_assert(eq(u64, take(&consumer), 1));
    }
}

Test(ends, an_empty_event_is_an_event)
{
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 0, &payload), 1));
    lam_ring_producer_commit(&producer, 0, 7, 0);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    cr_assert(eq(u32, event.payload_bytes, 0));
    cr_assert(eq(u16, event.kind, 7));
}

Test(ends, what_is_claimed_and_not_committed_is_not_seen)
{
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 100, &payload), 1));
    memset(payload, 0, 100); /* zero is the sequence of the first cell */
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
    lam_ring_producer_abort(&producer);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
    cr_assert(eq(int, publish(5), 1));
    cr_assert(eq(u64, take(&consumer), 5));
}

Test(ends, a_batch_is_seen_whole_or_not_at_all)
{
    struct lam_event event = {.payload = NULL};
    void *payload = NULL;

    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 4, &batch), 1));
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, lam_ring_batch_stage(&batch, 8, 1, 0, &payload), 1));
    cr_assert(eq(int, lam_ring_batch_stage(&batch, 8, 1, 0, &payload), 0));
    cr_assert(eq(int, lam_ring_batch_stage(&batch, UINT64_MAX, 1, 0, &payload), -EMSGSIZE));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
    lam_ring_producer_abort(&producer);
    cr_assert(eq(int, publish(1), 1));
    cr_assert(eq(u64, take(&consumer), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));

    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 4, &batch), 1));
    cr_assert(eq(int, lam_ring_batch_stage(&batch, 8, 1, 0, &payload), 1));
    cr_assert(eq(int, lam_ring_batch_stage(&batch, 100, 2, 0, &payload), 1));
    lam_ring_batch_commit(&batch);
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 1));
    cr_assert(eq(u32, event.payload_bytes, 100));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));

    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, DEPTH, &batch), -EMSGSIZE));
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3, &batch), 1));
    lam_ring_batch_commit(&batch); /* nothing staged */
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
}

Test(ends, several_peeked_events_are_released_one_by_one)
{
    struct lam_event events[4];

    for (uint64_t i = 0; i < DEPTH - 1; i++)
        cr_assert(eq(int, publish(i), 1));
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &events[i]), 1));
    cr_assert(eq(int, publish(1), 0));
    lam_ring_consumer_release_to(&consumer, events[1].end);
    cr_assert(eq(int, publish(1), 1));
    cr_assert(eq(int, publish(1), 1));
    cr_assert(eq(int, publish(1), 0));
    cr_assert(eq(u64, *(const uint64_t *)events[3].payload, 3));
    lam_ring_consumer_release(&consumer);
    cr_assert(eq(int, publish(1), 1));
}

Test(ends, every_consumer_sees_every_event_and_the_slowest_holds_the_producer)
{
    struct lam_ring_consumer more[LAM_RING_CONSUMER_COUNT_MAX - 1];
    struct lam_ring_consumer_options options = {.name = "slow"};
    struct lam_ring_blocker blocker;
    struct lam_ring_consumer one_more;
    int count = LAM_RING_CONSUMER_COUNT_MAX - 1;

    for (int i = 0; i < count; i++)
        cr_assert(eq(
            int, lam_ring_consumer_attach(&more[i], &ring, i == 5 ? &options : NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&one_more, &ring, NULL, &error), -EUSERS));
    cr_assert(ne(ptr, strstr(error.text, "64"), NULL));
    for (uint64_t i = 0; i < DEPTH - 1; i++)
        cr_assert(eq(int, publish(i), 1));
    for (uint64_t i = 0; i < DEPTH - 1; i++) {
        cr_assert(eq(u64, take(&consumer), i));
        for (int k = 0; k < count; k++)
            if (k != 5)
                cr_assert(eq(u64, take(&more[k]), i));
    }
    cr_assert(eq(int, publish(0), 0));
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "slow"));
    cr_assert(eq(u64, blocker.lag_cells, DEPTH - 1));
    lam_ring_consumer_detach(&more[5]);
    cr_assert(eq(int, publish(0), 1)); /* who left holds nobody back */
    for (int i = 0; i < count; i++)
        lam_ring_consumer_detach(&more[i]);
}

Test(ends, a_forked_child_ends_nothing_of_its_parents)
{
    struct lam_event event = {.payload = NULL};
    int status = 1;
    pid_t child = fork();

    if (child == 0) {
        lam_ring_producer_close(&producer);
        lam_ring_producer_detach(&producer);
        lam_ring_consumer_detach(&consumer);
        lam_ring_detach(&ring);
        _exit(0);
    }
    cr_assert(eq(int, (int)waitpid(child, &status, 0), (int)child));
    cr_assert(eq(int, status, 0));
    cr_assert(eq(int, publish(7), 1));
    cr_assert(eq(u64, take(&consumer), 7));
    for (int i = 0; i < 200; i++) /* long enough to look for the producer's lock */
        cr_assert(eq(int, lam_ring_consumer_try_peek(&consumer, &event), 0));
}

Test(ends, misuse_aborts, .signal = SIGABRT)
{
    void *payload = NULL;

    (void)lam_ring_producer_try_claim(&producer, 8, &payload);
    (void)lam_ring_producer_try_claim(&producer, 8, &payload);
}

Test(ends, a_lossy_consumer_that_peeks_aborts, .signal = SIGABRT)
{
    struct lam_ring_consumer_options options = {.policy = LAM_RING_LOSSY};
    struct lam_ring_consumer lossy;
    struct lam_event event;

    if (lam_ring_consumer_attach(&lossy, &ring, &options, NULL) == 0 && publish(0) == 1)
        (void)lam_ring_consumer_try_peek(&lossy, &event);
}

/* How a child ends that does what its parent may. */
static int end_of_child_that(void (*act)(void))
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        act();
        _exit(0);
    }
    cr_assert(eq(int, (int)waitpid(child, &status, 0), (int)child));
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void try_one_peek(void)
{
    struct lam_event event;

    (void)lam_ring_consumer_try_peek(&consumer, &event);
}

static void wait_to_peek(void)
{
    struct lam_event event;

    (void)lam_ring_consumer_peek_until(&consumer, lam_deadline_after_ns(1), &event);
}

static void wait_for_one(void)
{
    (void)lam_ring_consumer_wait_until(&consumer, lam_deadline_after_ns(1));
}

Test(ends, a_forked_child_that_waits_by_its_parents_consumer_aborts_as_one_that_tries)
{
    cr_assert(eq(int, end_of_child_that(try_one_peek), SIGABRT));
    cr_assert(eq(int, end_of_child_that(wait_to_peek), SIGABRT));
    cr_assert(eq(int, end_of_child_that(wait_for_one), SIGABRT));
}

/* By an end of the child's own; what the abort says goes to @says. */
static void commit_what_was_refused(int says, int waits)
{
    (void)dup2(says, STDERR_FILENO);
    create_ring(DEPTH, 0, LAM_RING_MAY_SLEEP);
    if (lam_ring_producer_attach(&producer, &ring, NULL, &error) != 0)
        return;
    if (waits)
        (void)lam_ring_producer_claim_batch_until(&producer, DEPTH, 0, &batch);
    else
        (void)lam_ring_producer_try_claim_batch(&producer, DEPTH, &batch);
    lam_ring_batch_commit(&batch);
}

static int refused[2];

static void commit_after_a_try(void)
{
    commit_what_was_refused(refused[1], 0);
}

static void commit_after_a_wait(void)
{
    commit_what_was_refused(refused[1], 1);
}

Test(ends, a_commit_of_a_batch_that_was_refused_aborts_and_says_why)
{
    void (*const acts[])(void) = {commit_after_a_try, commit_after_a_wait};

    for (int i = 0; i < 2; i++) {
        char text[512] = "";

        cr_assert(eq(int, pipe(refused), 0));
        cr_assert(eq(int, end_of_child_that(acts[i]), SIGABRT));
        cr_assert(read(refused[0], text, sizeof(text) - 1) > 0);
        cr_assert(ne(ptr, strstr(text, "the claim was refused"), NULL), "%s", text);
        (void)close(refused[0]);
        (void)close(refused[1]);
    }
}
