/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a producer knows who is there and how far, waits for those it wants, buffers until they
 * come, and ends the stream so that all can tell how: closed, failed, poisoned or dead. Method:
 * consumers of one process; children where somebody sleeps, spins or dies.
 */
#include "layout.h"

#include "one_ring.h"

static void setup(void)
{
    open_ring_at(DEPTH, UINT64_MAX - 5);
}

TestSuite(coordination, .init = setup, .fini = close_ring, .timeout = 60);
TestSuite(buffering, .timeout = 60);
TestSuite(end_of_stream, .timeout = 60);
TestSuite(boundaries, .timeout = 60);

Test(coordination, a_wait_for_names_that_times_out_names_the_missing)
{
    static const char *const names[] = {"a", "b", "c"};
    struct lam_ring_consumer one, two, three;

    cr_assert(eq(int, join(&one, "b", LAM_RING_HEAD), 0));
    cr_assert(eq(int,
        lam_ring_producer_wait_names_until(&producer, names, 3, lam_deadline_after_ns(1), &error),
        -ETIMEDOUT));
    cr_assert(strstr(error.text, "come: a c") != NULL, "%s", error.text);
    cr_assert(eq(int, join(&two, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&three, "c", LAM_RING_HEAD), 0));
    cr_assert(eq(int,
        lam_ring_producer_wait_names_until(&producer, names, 3, lam_deadline_after_ns(SOON), NULL),
        0));
    lam_ring_consumer_detach(&two);
    cr_assert(eq(int,
        lam_ring_producer_wait_names_until(&producer, names, 3, lam_deadline_after_ns(1), &error),
        -ETIMEDOUT));
    cr_assert(strstr(error.text, "come: a") != NULL, "%s", error.text);
    lam_ring_consumer_detach(&one);
    lam_ring_consumer_detach(&three);
}

Test(coordination, names_that_no_consumer_can_have_are_not_waited_for)
{
    static const char *const names[] = {"a", ""};

    cr_assert(
        eq(int, lam_ring_producer_wait_names_until(&producer, names, 0, SOON, &error), -EINVAL));
    cr_assert(
        eq(int, lam_ring_producer_wait_names_until(&producer, names, 65, SOON, &error), -EINVAL));
    cr_assert(
        eq(int, lam_ring_producer_wait_names_until(&producer, names, 2, SOON, &error), -EINVAL));
}

Test(coordination, consumers_are_counted_by_the_beginning_of_their_names)
{
    struct lam_ring_consumer consumers[4];

    cr_assert(eq(u32, lam_ring_producer_count(&producer, NULL), 0));
    cr_assert(eq(int, join(&consumers[0], "risk_0", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&consumers[1], "risk_1", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&consumers[2], "book", LAM_RING_HEAD), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumers[3], &ring, NULL, &error), 0));
    cr_assert(eq(u32, lam_ring_producer_count(&producer, NULL), 4));
    cr_assert(eq(u32, lam_ring_producer_count(&producer, "risk_"), 2));
    cr_assert(eq(u32, lam_ring_producer_count(&producer, "risk_1"), 1));
    cr_assert(eq(u32, lam_ring_producer_count(&producer, "x"), 0));
    lam_ring_consumer_detach(&consumers[1]);
    cr_assert(eq(u32, lam_ring_producer_count(&producer, "risk_"), 1));
    for (int i = 0; i < 4; i++)
        lam_ring_consumer_detach(&consumers[i]);
}

Test(coordination, progress_is_told_by_name_and_by_the_lowest)
{
    struct lam_ring_consumer one, two;
    uint64_t first = lam_ring_producer_published(&producer);
    uint64_t cursor = 0;

    cr_assert(eq(u64, first, UINT64_MAX - 5));
    cr_assert(eq(int, lam_ring_producer_lowest(&producer, &cursor), 0));
    cr_assert(eq(u64, cursor, first));
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&two, "b", LAM_RING_HEAD), 0));
    for (int n = 0; n < 10; n++)
        cr_assert(eq(int, publish(), 1));
    for (int n = 0; n < 4; n++)
        (void)take_one(&one);
    for (int n = 0; n < 9; n++)
        (void)take_one(&two);
    cr_assert(eq(u64, lam_ring_producer_published(&producer), first + 10));
    cr_assert(eq(int, lam_ring_producer_lowest(&producer, &cursor), 1));
    cr_assert(eq(u64, cursor, first + 4));
    cr_assert(eq(int, lam_ring_producer_cursor_of(&producer, "b", &cursor), 0));
    cr_assert(eq(u64, cursor, first + 9));
    cr_assert(eq(int, lam_ring_producer_cursor_of(&producer, "c", &cursor), -ENOENT));
    cr_assert(eq(int, lam_ring_producer_is_consumed(&producer, first + 3), 1));
    cr_assert(eq(int, lam_ring_producer_is_consumed(&producer, first + 4), 0));
    lam_ring_consumer_detach(&one);
    cr_assert(eq(int, lam_ring_producer_cursor_of(&producer, "a", &cursor), -ENOENT));
    cr_assert(eq(int, lam_ring_producer_is_consumed(&producer, first + 8), 1));
    cr_assert(eq(int, lam_ring_producer_is_consumed(&producer, first + 9), 0));
    lam_ring_consumer_detach(&two);
}

Test(coordination, a_refused_claim_is_told_how_many_cells_it_lacks)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    for (uint64_t n = 0; n < DEPTH - 1; n++) {
        uint64_t room = DEPTH - 1 - n;

        for (uint64_t cells = 1; cells < DEPTH; cells++)
            cr_assert(eq(
                u64, lam_ring_producer_lacks(&producer, cells), cells > room ? cells - room : 0));
        cr_assert(eq(int, publish(), 1));
    }
    cr_assert(eq(int, publish(), 0));
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3), 0));
    cr_assert(eq(u64, lam_ring_producer_lacks(&producer, 3), 3));
    for (int n = 0; n < 2; n++)
        (void)take_one(&one);
    cr_assert(eq(u64, lam_ring_producer_lacks(&producer, 3), 1));
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3), 0));
    (void)take_one(&one);
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3), 1));
    lam_ring_producer_abort(&producer);
    lam_ring_consumer_detach(&one);
}

Test(coordination, an_empty_batch_publishes_nothing)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 3), 1));
    lam_ring_producer_commit_batch(&producer);
    cr_assert(eq(u64, peek_one(&one), UINT64_MAX));
    cr_assert(eq(u64, lam_ring_producer_published(&producer), UINT64_MAX - 5));
    lam_ring_consumer_detach(&one);
}

Test(coordination, a_timed_out_claim_knows_its_blocker_and_since_when)
{
    struct lam_ring_consumer one, two;
    struct lam_ring_blocker blocker;
    uint64_t begin_ns;

    cr_assert(eq(int, join(&one, "quick", LAM_RING_HEAD), 0));
    cr_assert(eq(int, join(&two, "slow", LAM_RING_HEAD), 0));
    while (publish() == 1)
        continue;
    while (take_one(&one) != UINT64_MAX)
        continue;
    begin_ns = lam_clock_now_ns();
    cr_assert(eq(int, publish_until(begin_ns + 2 * LAM_NS_PER_MS), -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "slow"));
    cr_assert(eq(u64, blocker.lag_cells, DEPTH - 1));
    cr_assert(eq(u32, blocker.pid, (uint32_t)getpid()));
    cr_assert(ge(u64, blocker.since_ns, 2 * LAM_NS_PER_MS));
    /* Another one is behind now: its time begins anew, and is known at once. */
    (void)take_one(&two);
    cr_assert(eq(int, publish(), 1));
    (void)take_one(&two);
    (void)take_one(&two);
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, publish(), 1));
    lam_ring_consumer_detach(&two);
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "quick"));
    cr_assert(eq(u64, blocker.since_ns, 0));
    lam_ring_consumer_detach(&one);
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 0));
}

static uint64_t moved_ns;

static uint64_t moved_clock(void)
{
    return moved_ns;
}

Test(coordination, patience_is_counted_for_a_consumer_and_not_for_its_entry)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST,
        .policy = LAM_RING_GATE_THEN_EVICT,
        .patience_ns = 1000 * LAM_NS_PER_S};
    struct lam_base_ops ops = lam_base_linux;
    struct lam_ring_consumer one, two;

    ops.now_ns = moved_clock;
    moved_ns = LAM_NS_PER_S;
    lam_base = &ops;
    cr_assert(eq(int, lam_ring_consumer_attach(&one, &ring, &options, &error), 0));
    while (publish() == 1)
        continue;
    lam_ring_consumer_detach(&one);
    options.patience_ns = 500 * LAM_NS_PER_S;
    cr_assert(eq(int, lam_ring_consumer_attach(&two, &ring, &options, &error), 0));
    cr_assert(eq(u32, two.index, one.index));
    moved_ns += 600 * LAM_NS_PER_S;
    for (int i = 0; i < 200; i++)
        cr_assert(eq(int, publish(), 0));
    cr_assert(eq(u64, take_one(&two), 0), "it is not evicted for what another one did");
    moved_ns += 500 * LAM_NS_PER_S;
    lam_base = &lam_base_linux;
    lam_ring_consumer_detach(&two);
}

Test(coordination, a_consumed_event_is_waited_for)
{
    struct lam_ring_consumer one;
    struct lam_ring_blocker blocker;
    uint64_t first = lam_ring_producer_published(&producer);

    cr_assert(eq(int, lam_ring_producer_await_consumed_until(&producer, first, SOON), -EINVAL));
    cr_assert(eq(int, join(&one, "a", LAM_RING_HEAD), 0));
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, publish(), 1));
    (void)take_one(&one);
    cr_assert(eq(int,
        lam_ring_producer_await_consumed_until(&producer, first, lam_deadline_after_ns(SOON)), 0));
    cr_assert(eq(int,
        lam_ring_producer_await_consumed_until(
            &producer, first + 1, lam_deadline_after_ns(LAM_NS_PER_MS)),
        -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "a"));
    lam_ring_consumer_detach(&one);
    cr_assert(eq(int,
        lam_ring_producer_await_consumed_until(&producer, first + 1, lam_deadline_after_ns(SOON)),
        0));
}

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
    child = start_child(log, &reader, 100);
    while (published < 100)
        cr_assert(eq(int, publish_until(lam_deadline_after_ns(SOON)), 0));
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

    make_ring(64, UINT64_MAX - 7, waiting);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    child = start_child(log, &options, UINT64_MAX);
    for (int n = 0; n < 20; n++)
        cr_assert(eq(int, publish(), 1));
    await_word(&log->released, 20);
    nap_ms(2); /* it waits by now */
    /* The last one comes with the end; who is poisoned may not look at it. */
    if (ending != POISONED)
        cr_assert(eq(int, publish(), 1));
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
    cr_assert(eq(int, lam_ring_producer_try_claim_batch(&producer, 2), -ECANCELED));
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

static void pass_through(uint64_t depth, uint64_t count, uint64_t first_sequence)
{
    struct lam_ring_consumer_options options = {.name = "a", .start = LAM_RING_OLDEST};
    struct child_log *log = make_log();
    pid_t child;

    open_ring_at(depth, first_sequence);
    child = start_child(log, &options, UINT64_MAX);
    await_word(&log->ready, 1);
    while (published < count)
        cr_assert(eq(int, publish_until(lam_deadline_after_ns(SOON)), 0));
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, end_of_child(child), EPIPE));
    cr_assert(eq(u64, lam_load_relaxed(&log->released), count));
    cr_assert(eq(u64, lam_load_relaxed(&log->gaps), 0));
    close_ring();
    (void)munmap(log, 4096);
}

Test(boundaries, as_many_events_as_16_bits_count_and_one_less_and_more)
{
    for (uint64_t count = 65535; count <= 65537; count++)
        pass_through(512, count, UINT64_MAX - 65536);
}

Test(boundaries, the_rings_depth_and_its_multiples)
{
    for (uint64_t depth = 256; depth <= 4096; depth *= 4) {
        pass_through(depth, depth - 1, UINT64_MAX - 2);
        pass_through(depth, depth, (UINT64_C(1) << 32) - 3);
        pass_through(depth, 2 * depth, (UINT64_C(1) << 63) - 3);
        pass_through(depth, 10 * depth, UINT64_MAX - 2 * depth);
    }
}

Test(boundaries, a_ring_of_two_cells_passes_events_one_by_one)
{
    pass_through(2, 2000, UINT64_MAX - 2);
}
