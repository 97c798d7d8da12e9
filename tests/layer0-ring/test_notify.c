/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an armed consumer makes its eventfd readable by an event, a close, a poison, an eviction,
 * or the producer's death, and by nothing else; no arming is ever lost, in one process or between
 * two. Method: a real epoll; producers in threads and in processes that nap at random.
 */
#include "lamina/ring/lossy.h"
#include "lamina/ring/notify.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "layout.h"
#include "processes.h"
#include "ring_stream.h"
#include "starts.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define RINGS 4

static struct lam_ring rings[RINGS];
static struct lam_ring_producer producers[RINGS];
static struct lam_ring_consumer consumers[RINGS];
static struct lam_ring_watch watches[RINGS];
static struct lam_ring_notifier notifier;
static struct lam_error error;

static void open_ring_without_producer(int at, const struct lam_ring_consumer_options *options)
{
    struct lam_ring_options ring_options = {
        .name = "notify", .depth = 16, .first_sequence = test_start_from(UINT64_MAX - 2)};

    cr_assert(eq(int, lam_ring_create(&rings[at], &ring_options, &error), 0), "%s", error.text);
    producers[at].lock.fd = -1;
    cr_assert(eq(int, lam_ring_consumer_attach(&consumers[at], &rings[at], options, &error), 0));
    cr_assert(eq(int, lam_ring_notifier_add(&notifier, &watches[at], &consumers[at], &error), 0));
}

static void open_ring(int at, const struct lam_ring_consumer_options *options)
{
    open_ring_without_producer(at, options);
    cr_assert(eq(int, lam_ring_producer_attach(&producers[at], &rings[at], NULL, &error), 0));
}

static void close_ring(int at)
{
    lam_ring_notifier_remove(&watches[at]);
    lam_ring_consumer_detach(&consumers[at]);
    lam_ring_producer_detach(&producers[at]);
    (void)lam_ring_destroy(&rings[at]);
}

static void setup(void)
{
    cr_assert(eq(int, lam_ring_notifier_open(&notifier, &error), 0));
    open_ring(0, NULL);
}

static void teardown(void)
{
    close_ring(0);
    lam_ring_notifier_close(&notifier);
}

TestSuite(notify, .init = setup, .fini = teardown, .timeout = 30);

static void publish_value(struct lam_ring_producer *to, uint64_t value)
{
    void *payload = NULL;

    cr_assert(
        eq(int, lam_ring_producer_claim_until(to, sizeof(value), LAM_DEADLINE_NEVER, &payload), 0));
    memcpy(payload, &value, sizeof(value));
    lam_ring_producer_commit(to, sizeof(value), 1, 0);
}

static int readable(int at, int timeout_ms)
{
    struct pollfd fd = {.fd = watches[at].fd, .events = POLLIN};

    return poll(&fd, 1, timeout_ms);
}

static uint64_t take(int at)
{
    struct lam_event event = {.payload = NULL};
    uint64_t value = 0;

    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumers[at], &event), 1));
    memcpy(&value, event.payload, sizeof(value));
    (void)lam_ring_consumer_release(&consumers[at]);
    return value;
}

Test(notify, an_armed_consumer_is_told_of_an_event_once_and_one_that_is_not_armed_is_not)
{
    publish_value(&producers[0], 1);
    cr_assert(eq(int, readable(0, 10), 0));
    cr_assert(eq(int, lam_ring_watch_arm(&watches[0]), 1)); /* there is something already */
    cr_assert(eq(u64, take(0), 1));
    for (uint64_t i = 0; i < 300; i++) {
        cr_assert(eq(int, lam_ring_watch_arm(&watches[0]), 0));
        cr_assert(eq(int, readable(0, 0), 0));
        publish_value(&producers[0], i);
        cr_assert(eq(int, readable(0, -1), 1));
        publish_value(&producers[0], i); /* for this one nobody is told again */
        cr_assert(eq(u64, take(0), i));
        cr_assert(eq(u64, take(0), i));
        cr_assert(eq(u64, lam_load_relaxed(&rings[0].control_head->sleeping), 0));
    }
}

Test(notify, a_disarmed_consumer_is_told_of_nothing)
{
    for (uint64_t i = 0; i < 300; i++) {
        cr_assert(eq(int, lam_ring_watch_arm(&watches[0]), 0));
        lam_ring_watch_disarm(&watches[0]);
        cr_assert(eq(u64, lam_load_relaxed(&rings[0].control_head->sleeping), 0));
        publish_value(&producers[0], i);
        cr_assert(eq(u64, take(0), i));
    }
    cr_assert(eq(int, readable(0, 10), 0));
}

Test(notify, a_publish_to_one_that_is_not_armed_makes_no_system_call)
{
    struct lam_ring_stat stat;

    for (uint64_t i = 0; i < 300; i++) {
        publish_value(&producers[0], i);
        cr_assert(eq(u64, take(0), i));
    }
    cr_assert(eq(int, lam_ring_stat_read(&rings[0], &stat), 0));
    cr_assert(eq(u64, stat.wakes, 0));
}

Test(notify, a_close_a_poison_and_an_eviction_are_told)
{
    struct lam_event event = {.payload = NULL};
    struct lam_ring_consumer_options patient = {
        .policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = LAM_NS_PER_MS};

    open_ring(1, NULL);
    open_ring(2, &patient);
    cr_assert(eq(int, lam_ring_watch_arm(&watches[0]), 0));
    cr_assert(eq(int, lam_ring_watch_arm(&watches[1]), 0));
    cr_assert(eq(int, lam_ring_watch_arm(&watches[2]), 0));
    lam_ring_producer_close(&producers[0]);
    cr_assert(eq(int, readable(0, -1), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&consumers[0], &event), -EPIPE));
    cr_assert(eq(int, lam_ring_watch_arm(&watches[0]), 1));
    (void)lam_ring_consumer_poison(&consumers[1]);
    cr_assert(eq(int, readable(1, -1), 1));
    /* Nobody rings for who is evicted: it is seen at the next look at the peers. */
    lam_store_relaxed(&rings[2].control_head->entries[0].state, LAM_RING_ENTRY_EVICTED);
    cr_assert(eq(int, readable(2, -1), 1));
    close_ring(1);
    close_ring(2);
}

Test(notify, the_death_of_a_producer_is_told_also_when_nobody_else_is_armed)
{
    struct lam_event event = {.payload = NULL};
    int rc = 0;

    for (int i = 0; i < 10; i++) {
        cr_assert(eq(int, lam_ring_watch_arm(&watches[0]), 0));
        lam_ring_producer_detach(&producers[0]); /* without a close */
        cr_assert(eq(int, readable(0, -1), 1));
        while ((rc = lam_ring_consumer_try_peek(&consumers[0], &event)) == 0 &&
               lam_ring_watch_arm(&watches[0]) == 0)
            cr_assert(eq(int, readable(0, -1), 1));
        rc = rc == 0 ? lam_ring_consumer_try_peek(&consumers[0], &event) : rc;
        cr_assert(eq(int, rc, -EOWNERDEAD));
        cr_assert(eq(int, lam_ring_producer_attach(&producers[0], &rings[0], NULL, &error), 0));
        cr_assert(eq(int, lam_ring_consumer_try_peek(&consumers[0], &event), 0));
    }
}

Test(notify, a_lossy_reader_is_told)
{
    struct lam_ring_consumer_options lossy = {.policy = LAM_RING_LOSSY};

    open_ring(1, &lossy);
    for (int i = 0; i < 100; i++) {
        struct lam_event event = {.payload = NULL};
        char buffer[64];
        uint64_t lost = 0;

        cr_assert(eq(int, lam_ring_watch_arm(&watches[1]), 0));
        publish_value(&producers[1], 1);
        cr_assert(eq(int, readable(1, -1), 1));
        cr_assert(eq(int,
            lam_ring_consumer_try_read(&consumers[1], buffer, sizeof(buffer), &event, &lost), 1));
    }
    close_ring(1);
}

Test(notify, one_that_goes_after_another_is_told_when_it_is_its_turn)
{
    static const char *const leaders[] = {"leader"};
    struct lam_ring_consumer_options leader = {.name = "leader"};
    struct lam_ring_consumer_options follower = {.after = leaders, .after_count = 1};
    struct lam_event event = {.payload = NULL};

    open_ring(1, &leader);
    close_ring(0);
    rings[0] = (struct lam_ring){.name = ""};
    cr_assert(eq(int, lam_ring_consumer_attach(&consumers[0], &rings[1], &follower, &error), 0),
        "%s", error.text);
    cr_assert(eq(int, lam_ring_notifier_add(&notifier, &watches[0], &consumers[0], &error), 0));
    for (uint64_t i = 0; i < 100; i++) {
        publish_value(&producers[1], i);
        while (lam_ring_watch_arm(&watches[0]) == 0 && readable(0, 1) == 1)
            cr_assert(eq(int, lam_ring_consumer_try_peek(&consumers[0], &event), 0));
        cr_assert(eq(u64, take(1), i)); /* the leader */
        while (lam_ring_consumer_try_peek(&consumers[0], &event) == 0)
            if (lam_ring_watch_arm(&watches[0]) == 0)
                cr_assert(eq(int, readable(0, -1), 1));
        (void)lam_ring_consumer_release(&consumers[0]);
    }
    lam_ring_notifier_remove(&watches[0]);
    lam_ring_consumer_detach(&consumers[0]);
    close_ring(1);
    open_ring(0, NULL);
}

Test(notify, a_ring_whose_ends_only_spin_is_refused_and_so_is_one_too_many)
{
    static struct lam_ring_watch more[LAM_RING_WATCH_COUNT_MAX];
    struct lam_ring_options options = {.name = "spin", .waiting = LAM_RING_SPIN_ONLY};
    struct lam_ring_consumer consumer;
    struct lam_ring ring;
    int i;

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&consumer, &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_notifier_add(&notifier, &more[0], &consumer, &error), -ENOTSUP));
    lam_ring_consumer_detach(&consumer);
    (void)lam_ring_destroy(&ring);
    for (i = 0; i < LAM_RING_WATCH_COUNT_MAX - 1; i++)
        cr_assert(eq(int, lam_ring_notifier_add(&notifier, &more[i], &consumers[0], &error), 0));
    cr_assert(eq(int, lam_ring_notifier_add(&notifier, &more[i], &consumers[0], &error), -EUSERS));
    cr_assert(eq(int, more[i].fd, -1)); /* and no number that is another file's by now */
    while (i-- > 0)
        lam_ring_notifier_remove(&more[i]);
}

static void nap(uint64_t *random)
{
    uint64_t value = test_random(random);

    if (value % 8 == 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)(value >> 32) % 100000}, NULL);
    else if (value % 8 == 1)
        (void)sched_yield();
}

/* Publish 0, 1, 2 ... with naps, in a process of its own, and close. */
static pid_t start_producer(int at, uint64_t count)
{
    pid_t child = test_fork();

    if (child == 0) {
        struct lam_ring_producer producer;
        uint64_t random = (uint64_t)at + 1;
        void *payload = NULL;

        TEST_CHECK(lam_ring_producer_attach(&producer, &rings[at], NULL, NULL) == 0);
        for (uint64_t i = 0; i < count; i++) {
            nap(&random);
            TEST_CHECK(lam_ring_producer_claim_until(&producer, sizeof(i),
                           lam_deadline_after_ns(20 * LAM_NS_PER_S), &payload) == 0);
            memcpy(payload, &i, sizeof(i));
            lam_ring_producer_commit(&producer, sizeof(i), 1, 0);
        }
        lam_ring_producer_close(&producer);
        _exit(0);
    }
    return child;
}

/* Read all that is there. Returns 1: the stream has ended. */
static int read_all(int at, uint64_t *next)
{
    struct lam_event event = {.payload = NULL};
    int rc;

    do {
        while ((rc = lam_ring_consumer_try_peek(&consumers[at], &event)) == 1) {
            uint64_t value = 0;

            memcpy(&value, event.payload, sizeof(value));
            cr_assert(eq(u64, value, *next));
            (*next)++;
            (void)lam_ring_consumer_release(&consumers[at]);
        }
    } while (rc == 0 && lam_ring_watch_arm(&watches[at]) != 0);
    cr_assert(rc == 0 || rc == -EPIPE);
    return rc != 0;
}

/* The look at the peers every 8 ms is left out here: an arming that is lost is lost for good. */
static void endless_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    (void)deadline_ns;
    lam_base_linux.futex_wait_any(words, expected, count, LAM_DEADLINE_NEVER);
}

Test(notify, one_epoll_reads_rings_of_four_processes_and_loses_nothing)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t count = 4000 * (effort == NULL ? 1 : strtoull(effort, NULL, 10));
    struct lam_base_ops ops = lam_base_linux;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t next[RINGS] = {0};
    pid_t children[RINGS];
    int open = RINGS;

    teardown();
    ops.futex_wait_any = endless_wait_any;
    lam_base = &ops;
    cr_assert(eq(int, lam_ring_notifier_open(&notifier, &error), 0));
    for (int i = 0; i < RINGS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

        open_ring_without_producer(i, NULL);
        cr_assert(eq(int, epoll_ctl(epoll, EPOLL_CTL_ADD, watches[i].fd, &event), 0));
        children[i] = start_producer(i, count);
    }
    for (int i = 0; i < RINGS; i++)
        cr_assert(eq(int, read_all(i, &next[i]), 0)); /* and arm */
    while (open > 0) {
        struct epoll_event events[RINGS];
        int found = epoll_wait(epoll, events, RINGS, -1);

        for (int i = 0; i < found; i++) {
            uint32_t at = events[i].data.u32;

            if (read_all((int)at, &next[at])) {
                open--;
                cr_assert(eq(int, epoll_ctl(epoll, EPOLL_CTL_DEL, watches[at].fd, NULL), 0));
            }
        }
    }
    for (int i = 0; i < RINGS; i++) {
        cr_assert(eq(u64, next[i], count));
        cr_assert(eq(int, test_wait(children[i]), 0));
        close_ring(i);
    }
    lam_ring_notifier_close(&notifier);
    (void)close(epoll);
    lam_base = &lam_base_linux;
    setup();
}

/* Its thread may not have run yet. */
Test(notify, a_notifier_that_is_closed_at_once_ends)
{
    struct lam_ring_notifier hasty;

    for (int i = 0; i < 1000; i++) {
        cr_assert(eq(int, lam_ring_notifier_open(&hasty, &error), 0));
        lam_ring_notifier_close(&hasty);
    }
}
