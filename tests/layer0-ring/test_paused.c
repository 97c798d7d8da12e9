/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a peer that is stopped is not dead: nothing of its is reclaimed, repaired or taken over,
 * and when it goes on nothing has happened to it. Method: a child that stops itself in mid-claim,
 * or while it holds an event, for longer than several looks at its lock.
 */
#include "one_ring.h"

TestSuite(paused, .timeout = 60);

#define SEVERAL_LOOKS_NS (5 * LAM_WAIT_CHECK_NS)

static void await_stop(pid_t child)
{
    int status = 0;

    cr_assert(eq(int, waitpid(child, &status, WUNTRACED), child));
    cr_assert(ne(int, WIFSTOPPED(status), 0));
}

/* Publishes 0 to 4, stops with 5 written and not committed, goes on to 6, closes. */
static int produce_with_a_pause(enum lam_wait_mode wait)
{
    struct lam_ring_producer_options options = {.wait = wait};
    void *payload = NULL;

    if (lam_ring_producer_attach(&producer, &ring, &options, NULL) != 0)
        return 1;
    for (int i = 0; i < 5; i++)
        if (publish() != 1)
            return 2;
    if (lam_ring_producer_try_claim(&producer, sizeof(published), &payload) != 1)
        return 3;
    memcpy(payload, &published, sizeof(published));
    published++;
    (void)raise(SIGSTOP);
    lam_ring_producer_commit(&producer, sizeof(published), 1, 0);
    if (publish() != 1)
        return 4;
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
    return 0;
}

static void stop_a_producer(enum lam_wait_mode wait)
{
    struct lam_ring_consumer reader;
    struct lam_ring_producer second;
    struct lam_event event = {.payload = NULL};
    struct lam_ring_stat stat;
    pid_t child;

    make_ring(DEPTH, UINT64_MAX - 2, LAM_RING_MAY_SLEEP);
    child = fork();
    cr_assert(ge(int, child, 0));
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(produce_with_a_pause(wait));
    }
    await_stop(child);
    cr_assert(eq(int, join(&reader, "reader", LAM_RING_OLDEST), 0));
    reader.wait = wait;
    for (uint64_t number = 0; number < 5; number++)
        cr_assert(eq(u64, take_one(&reader), number));
    cr_assert(eq(int,
        lam_ring_consumer_peek_until(&reader, lam_deadline_after_ns(SEVERAL_LOOKS_NS), &event),
        -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_attach(&second, &ring, NULL, &error), -EBUSY));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(int, (int)stat.state, LAM_RING_OPEN));

    cr_assert(eq(int, kill(child, SIGCONT), 0));
    for (uint64_t number = 5; number < 7; number++) {
        cr_assert(
            eq(int, lam_ring_consumer_peek_until(&reader, lam_deadline_after_ns(SOON), &event), 0));
        cr_assert(eq(u64, value_of(&event), number));
        cr_assert(eq(int, lam_ring_consumer_release(&reader), 0));
    }
    cr_assert(eq(
        int, lam_ring_consumer_peek_until(&reader, lam_deadline_after_ns(SOON), &event), -EPIPE));
    cr_assert(eq(int, end_of_child(child), 0));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.repairs, 0));
    cr_assert(eq(u64, stat.epoch, 1));
    lam_ring_consumer_detach(&reader);
    (void)lam_ring_destroy(&ring);
}

Test(paused, a_stopped_producer_is_waited_for_and_nobody_takes_its_place)
{
    stop_a_producer(LAM_WAIT_FUTEX);
    stop_a_producer(LAM_WAIT_SPIN);
}

/* Reads all; stops with the first event in its hands, and looks at it again afterwards. */
static int consume_with_a_pause(void)
{
    struct lam_ring_consumer reader;
    struct lam_event event = {.payload = NULL};
    uint64_t number = 0;
    int rc;

    if (join(&reader, "reader", LAM_RING_OLDEST) != 0)
        return 1;
    while ((rc = lam_ring_consumer_peek_until(&reader, lam_deadline_after_ns(SOON), &event)) == 0) {
        if (number == 0)
            (void)raise(SIGSTOP);
        if (value_of(&event) != number++ || lam_ring_consumer_release(&reader) != 0)
            return 2;
    }
    lam_ring_consumer_detach(&reader);
    return rc == -EPIPE && number == 100 ? 0 : 3;
}

Test(paused, a_stopped_consumer_holds_the_producer_and_what_it_holds_stays)
{
    struct lam_ring_blocker blocker;
    struct lam_ring_stat stat;
    pid_t child;

    open_ring_at(DEPTH, UINT64_MAX - 2);
    (void)publish();
    child = fork();
    cr_assert(ge(int, child, 0));
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(consume_with_a_pause());
    }
    await_stop(child);
    while (publish() == 1)
        continue;
    cr_assert(eq(u64, published, DEPTH - 1));
    cr_assert(eq(int, publish_until(lam_deadline_after_ns(SEVERAL_LOOKS_NS)), -ETIMEDOUT));
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    cr_assert(eq(str, blocker.name, "reader"));
    cr_assert(eq(u32, blocker.pid, (uint32_t)child));
    cr_assert(eq(int, kill(child, SIGCONT), 0));
    while (published < 100)
        cr_assert(eq(int, publish_until(lam_deadline_after_ns(SOON)), 0));
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, end_of_child(child), 0));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.reaped + stat.evicted, 0));
    close_ring();
}
