/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a stream ends so that all can tell how: closed, failed, poisoned or dead; and the next
 * epoch opens it again. Method: readers that sleep and that spin, in children.
 */
#include "layout.h"
#include "wake.h"

#include "one_ring.h"

TestSuite(end_of_stream, .timeout = 60);

/* How a stream can end, and what a reader gets for it. */
enum ending {
    CLOSED,
    FAILED,
    POISONED,
    DIED,
    ENDINGS,
};

static const int end_errno[] = {EPIPE, ECANCELED, ENOTRECOVERABLE, EOWNERDEAD};
static const enum lam_ring_state end_state[] = {
    LAM_RING_CLOSED, LAM_RING_FAILED, LAM_RING_POISONED, LAM_RING_DEAD};

static void end_stream(enum ending ending)
{
    if (ending == CLOSED)
        lam_ring_producer_close(&producer);
    if (ending == FAILED)
        lam_ring_producer_fail(&producer, "the feed is gone");
    if (ending == POISONED) {
        lam_store_relaxed(&ring.control_head->poisoned, 1);
        (void)lam_ring_wake_consumers(ring.control_head);
    }
    lam_ring_producer_detach(&producer);
}

static void end_for_child(
    enum ending ending, enum lam_wait_mode wait, enum lam_ring_waiting waiting)
{
    struct lam_ring_consumer_options options = {
        .name = "a", .start = LAM_RING_OLDEST, .wait = wait};
    struct child_log *log = make_log();
    struct lam_ring_stat stat;
    pid_t child;

    /* A death rings no bell: that one is seen by looking again. */
    lam_base = &lam_base_linux;
    if (ending != DIED)
        sleep_soundly();
    make_ring(64, UINT64_MAX - 7, waiting);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    child = start_child(log, &options, UINT64_MAX);
    for (int n = 0; n < 20; n++)
        cr_assert(eq(int, publish(), 1));
    await_word(&log->released, 20);
    nap_ms(2); /* it waits by now */
    end_stream(ending);
    cr_assert(eq(int, end_of_child(child), end_errno[ending]), "ending %d", (int)ending);
    cr_assert(eq(u64, lam_load_relaxed(&log->released), published));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(int, (int)stat.state, (int)end_state[ending]));
    cr_assert(eq(str, stat.failure, ending == FAILED ? "the feed is gone" : ""));
    (void)lam_ring_destroy(&ring);
    (void)munmap(log, 4096);
}

Test(end_of_stream, each_end_is_told_apart_by_sleeping_and_by_spinning_readers)
{
    for (int ending = 0; ending < ENDINGS; ending++) {
        end_for_child((enum ending)ending, LAM_WAIT_FUTEX, LAM_RING_MAY_SLEEP);
        end_for_child((enum ending)ending, LAM_WAIT_HYBRID, LAM_RING_MAY_SLEEP);
        end_for_child((enum ending)ending, LAM_WAIT_SPIN, LAM_RING_MAY_SLEEP);
        end_for_child((enum ending)ending, LAM_WAIT_YIELD, LAM_RING_SPIN_ONLY);
    }
}

/* A clock in whose reading the last event and the end come: between a reader's two looks. */
static enum ending ending_now;
static int ended;

static uint64_t end_and_read_clock(void)
{
    if (!ended) {
        ended = 1;
        cr_assert(eq(int, publish(), 1));
        end_stream(ending_now);
    }
    return lam_base_linux.now_ns();
}

Test(end_of_stream, the_last_event_comes_before_the_end)
{
    struct lam_base_ops ops = lam_base_linux;

    ops.now_ns = end_and_read_clock;
    for (int ending = 0; ending < ENDINGS; ending++) {
        struct lam_ring_consumer one;
        struct lam_event event;
        int rc = 0;

        if (ending == POISONED)
            continue; /* who is poisoned may not look at it */
        ending_now = (enum ending)ending;
        open_ring_at(DEPTH, UINT64_MAX);
        cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
        ended = 0;
        lam_base = &ops;
        for (int i = 0; i < 64 && rc == 0; i++)
            rc = lam_ring_consumer_try_peek(&one, &event);
        lam_base = &lam_base_linux;
        cr_assert(eq(int, ended, 1));
        cr_assert(eq(int, rc, 0));
        cr_assert(eq(u64, take_one(&one), 0));
        cr_assert(eq(int, lam_ring_consumer_peek_until(&one, lam_deadline_after_ns(SOON), &event),
            -end_errno[ending]));
        lam_ring_consumer_detach(&one);
        (void)lam_ring_destroy(&ring);
    }
}

Test(end_of_stream, the_next_epoch_opens_what_was_closed_failed_or_left_by_a_dead_one)
{
    struct lam_ring_consumer one;
    struct lam_event event;
    void *payload;

    open_ring_at(DEPTH, UINT64_MAX - 2);
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    for (int ending = 0; ending < ENDINGS; ending++) {
        if (ending == POISONED)
            continue;
        cr_assert(eq(int, publish(), 1));
        end_stream((enum ending)ending);
        cr_assert(eq(u64, take_one(&one), published - 1));
        cr_assert(eq(int, lam_ring_consumer_peek_until(&one, lam_deadline_after_ns(SOON), &event),
            -end_errno[ending]));
        cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
        cr_assert(eq(int, lam_ring_consumer_try_peek(&one, &event), 0), "it is open again");
    }
    /* What a claim of this producer answers, and that only the first end counts. */
    lam_ring_producer_fail(&producer, NULL);
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, publish(), -ECANCELED));
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 2, &batch), -ECANCELED));
    cr_assert(eq(int, lam_ring_producer_claim_until(&producer, 8, SOON, &payload), -ECANCELED));
    lam_ring_consumer_detach(&one);
    close_ring();
}

Test(end_of_stream, a_failure_aborts_the_claim_in_hand)
{
    struct lam_ring_consumer one;
    struct lam_event event;
    void *payload;

    open_ring_at(DEPTH, 0);
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, lam_ring_producer_try_claim(&producer, 300, &payload), 1));
    memset(payload, 0, 300);
    lam_ring_producer_fail(&producer, "half way");
    cr_assert(eq(int, lam_ring_consumer_try_peek(&one, &event), -ECANCELED));
    lam_ring_consumer_detach(&one);
    close_ring();
}
