/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a producer that buffers until its consumers come loses nothing of theirs, goes on by itself
 * once they came, and sleeps until then if it may. Method: consumers of one process; children where
 * somebody sleeps or dies.
 */
#include "one_ring.h"

TestSuite(buffering, .timeout = 60);

static void await_child(enum lam_wait_mode wait, int kill_it)
{
    struct lam_ring_consumer_options reader = {.name = "a", .start = LAM_RING_OLDEST};
    struct lam_ring_producer_options options = {.wait = wait};
    struct child_log *log = make_log();
    pid_t child;

    make_ring(64, UINT64_MAX - 20, LAM_RING_MAY_SLEEP);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &options, &error), 0));
    child = start_child(log, &reader, kill_it ? 0 : UINT64_MAX);
    await_word(&log->ready, 1);
    for (int n = 0; n < 40; n++) {
        cr_assert(eq(int, publish(), 1));
        if (kill_it)
            continue;
        cr_assert(eq(int,
            lam_ring_producer_await_consumed_until(
                &producer, producer.next - 1, lam_deadline_after_ns(SOON)),
            0));
        cr_assert(ge(u64, lam_load_acquire(&log->releasing), published));
    }
    if (kill_it)
        cr_assert(eq(int,
            lam_ring_producer_await_consumed_until(
                &producer, producer.next - 1, lam_deadline_after_ns(SOON)),
            0));
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, end_of_child(child), kill_it ? 0 : EPIPE));
    close_ring();
    (void)munmap(log, 4096);
}

Test(buffering, every_event_is_waited_for_asleep_and_awake)
{
    await_child(LAM_WAIT_FUTEX, 0);
    await_child(LAM_WAIT_SPIN, 0);
    await_child(LAM_WAIT_HYBRID, 0);
    await_child(LAM_WAIT_FUTEX, 1);
}

static void open_buffering(uint32_t count, const char *const *names, uint32_t name_count)
{
    struct lam_ring_producer_options options = {
        .await_count = count, .await_names = names, .await_name_count = name_count};

    make_ring(DEPTH, UINT64_MAX - 2, LAM_RING_MAY_SLEEP);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &options, &error), 0));
}

Test(buffering, who_is_waited_for_has_everything_from_the_first_event_on)
{
    static const char *const names[] = {"a", "b"};
    struct lam_ring_consumer one, two, wrong;
    struct lam_ring_blocker blocker;

    open_buffering(0, names, 2);
    while (publish() == 1)
        continue;
    cr_assert(eq(u64, published, DEPTH - 1));
    cr_assert(eq(int, publish_until(lam_deadline_after_ns(LAM_NS_PER_MS)), -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "a"));
    cr_assert(eq(u32, blocker.index, UINT32_MAX));
    cr_assert(eq(u64, blocker.lag_cells, DEPTH - 1));
    cr_assert(ge(u64, blocker.since_ns, LAM_NS_PER_MS));
    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    cr_assert(eq(int, join(&wrong, "x", LAM_RING_OLDEST), 0));
    for (uint64_t n = 0; n < DEPTH - 1; n++) {
        cr_assert(eq(u64, take_one(&one), n));
        (void)take_one(&wrong);
    }
    cr_assert(eq(int, publish_until(lam_deadline_after_ns(LAM_NS_PER_MS)), -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "b"));
    cr_assert(eq(int, join(&two, "b", LAM_RING_OLDEST), 0));
    cr_assert(eq(int, publish(), 0), "it came, and has read nothing yet");
    for (uint64_t n = 0; n < DEPTH - 1; n++)
        cr_assert(eq(u64, take_one(&two), n));
    /* It has ended by itself: that one of them leaves brings it not back. */
    cr_assert(eq(int, publish(), 1));
    lam_ring_consumer_detach(&one);
    lam_ring_consumer_detach(&two);
    lam_ring_consumer_detach(&wrong);
    for (int n = 0; n < 5 * DEPTH; n++)
        cr_assert(eq(int, publish(), 1));
    close_ring();
}

Test(buffering, one_that_comes_twice_counts_once)
{
    struct lam_ring_consumer one, two, lossy;
    struct lam_ring_consumer_options options = {.policy = LAM_RING_LOSSY};

    open_buffering(2, NULL, 0);
    for (int times = 0; times < 3; times++) {
        cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
        while (publish() == 1)
            continue;
        cr_assert(eq(int,
            lam_ring_producer_wait_consumers_until(
                &producer, 2, lam_deadline_after_ns(LAM_NS_PER_MS)),
            -ETIMEDOUT));
        if (times < 2)
            lam_ring_consumer_detach(&one);
    }
    cr_assert(eq(int, lam_ring_consumer_attach(&lossy, &ring, &options, &error), 0));
    for (uint64_t n = 0; n < DEPTH - 1; n++)
        cr_assert(eq(u64, take_one(&one), n));
    cr_assert(eq(int, publish(), 0), "nor does one that holds nobody count");
    cr_assert(eq(int, join(&two, "b", LAM_RING_OLDEST), 0));
    for (uint64_t n = 0; n < DEPTH - 1; n++)
        cr_assert(eq(u64, take_one(&two), n));
    cr_assert(eq(int, publish(), 1));
    lam_ring_consumer_detach(&one);
    lam_ring_consumer_detach(&two);
    lam_ring_consumer_detach(&lossy);
    close_ring();
}

Test(buffering, a_sleeping_producer_is_woken_by_who_comes)
{
    static const char *const names[] = {"a"};
    struct lam_ring_consumer_options reader = {.name = "a", .start = LAM_RING_OLDEST};
    struct lam_ring_producer_options options = {
        .await_names = names, .await_name_count = 1, .wait = LAM_WAIT_FUTEX};
    struct child_log *log = make_log();
    pid_t child;

    make_ring(DEPTH, UINT64_MAX - 2, LAM_RING_MAY_SLEEP);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &options, &error), 0));
    while (publish() == 1)
        continue;
    sleep_soundly();
    child = fork();
    cr_assert(ge(int, child, 0));
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        nap_ms(20); /* it sleeps by now */
        _exit(child_reads(log, &reader, 100));
    }
    while (published < 100) {
        uint64_t deadline_ns = lam_deadline_after_ns(SOON);

        cr_assert(eq(int, publish_until(deadline_ns), 0));
        /* Asleep until then it would find its room all the same, by its last look. */
        cr_assert(lt(u64, lam_clock_now_ns(), deadline_ns));
    }
    cr_assert(eq(int, end_of_child(child), 0));
    cr_assert(eq(u64, lam_load_relaxed(&log->first), 0));
    cr_assert(eq(u64, lam_load_relaxed(&log->gaps), 0));
    close_ring();
    (void)munmap(log, 4096);
}

Test(buffering, options_that_cannot_be_are_refused)
{
    static const char *const nameless[] = {""};
    struct lam_ring_producer_options options = {.await_count = 65};

    make_ring(DEPTH, 0, LAM_RING_MAY_SLEEP);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &options, &error), -EINVAL));
    options = (struct lam_ring_producer_options){.await_name_count = 1};
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &options, &error), -EINVAL));
    options.await_names = nameless;
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &options, &error), -EINVAL));
    (void)lam_ring_destroy(&ring);
}
