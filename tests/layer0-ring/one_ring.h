/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_ONE_RING_H
#define LAM_TEST_ONE_RING_H

/*
 * For suites about the consumer table: one ring of 8-byte numbers, one producer, and consumers in
 * this process or in children. Children say what they did in a shared page, and die with their
 * parent.
 */

#include "lamina/ring/progress.h"
#include "lamina/ring/required.h"
#include "lamina/ring/stat.h"
#include "one_producer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOON (10 * LAM_NS_PER_S)

static uint64_t published; /* numbers, from 0 */

static inline void make_ring(uint64_t depth, uint64_t first_sequence, enum lam_ring_waiting waiting)
{
    create_ring(depth, first_sequence, waiting);
    published = 0;
}

static inline void open_ring_at(uint64_t depth, uint64_t first_sequence)
{
    make_ring(depth, first_sequence, LAM_RING_MAY_SLEEP);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
}

static inline int publish(void)
{
    int rc = publish_value(published, sizeof(published));

    published += rc == 1;
    return rc;
}

static inline int publish_until(uint64_t deadline_ns)
{
    void *payload = NULL;
    int rc = lam_ring_producer_claim_until(&producer, sizeof(published), deadline_ns, &payload);

    if (rc == 0) {
        memcpy(payload, &published, sizeof(published));
        published++;
        lam_ring_producer_commit(&producer, sizeof(published), 1, 0);
    }
    return rc;
}

/* Two events of one batch. */
static inline int publish_batch_until(uint64_t deadline_ns)
{
    void *payload = NULL;
    int rc = lam_ring_producer_claim_batch_until(&producer, 2, deadline_ns, &batch);

    for (int i = 0; rc == 0 && i < 2; i++) {
        (void)lam_ring_batch_stage(&batch, sizeof(published), 1, 0, &payload);
        memcpy(payload, &published, sizeof(published));
        published++;
    }
    if (rc == 0)
        lam_ring_batch_commit(&batch);
    return rc;
}

/* The next number, not released; UINT64_MAX: none. */
static inline uint64_t peek_one(struct lam_ring_consumer *from)
{
    struct lam_event event = {.payload = NULL};

    return lam_ring_consumer_try_peek(from, &event) == 1 ? value_of(&event) : UINT64_MAX;
}

static inline uint64_t take_one(struct lam_ring_consumer *from)
{
    uint64_t value = peek_one(from);

    (void)lam_ring_consumer_release(from);
    return value;
}

static inline int join(struct lam_ring_consumer *as, const char *name, enum lam_ring_start start)
{
    struct lam_ring_consumer_options options = {.name = name, .start = start};

    return lam_ring_consumer_attach(as, &ring, &options, &error);
}

static inline void nap_ms(unsigned milliseconds)
{
    (void)nanosleep(&(struct timespec){.tv_sec = milliseconds / 1000,
                        .tv_nsec = (long)(milliseconds % 1000) * 1000000},
        NULL);
}

/* Sleeps on where others look again by themselves: who is not woken is late for the test. */
static inline void sleep_until_woken(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    (void)deadline_ns;
    lam_base_linux.futex_wait(word, expected, lam_deadline_after_ns(SOON));
}

static inline void sleep_soundly(void)
{
    static struct lam_base_ops soundly;

    soundly = lam_base_linux;
    soundly.futex_wait = sleep_until_woken;
    lam_base = &soundly;
}

/* What a child says. */
struct child_log {
    lam_atomic_u64 ready;     /* 1 it has joined */
    lam_atomic_u64 first;     /* the first number that it saw */
    lam_atomic_u64 lost;      /* as its attach told it */
    lam_atomic_u64 resumed;   /* likewise */
    lam_atomic_u64 releasing; /* numbers below it are released, or about to be */
    lam_atomic_u64 released;  /* numbers below it are released */
    lam_atomic_u64 gaps;      /* numbers that did not follow on the one before */
};

static inline struct child_log *make_log(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    cr_assert(page != MAP_FAILED);
    memset(page, 0, sizeof(struct child_log));
    lam_store_relaxed(&((struct child_log *)page)->first, UINT64_MAX);
    return page;
}

/* Read and release until the stream ends or @wanted numbers were seen; then exit with -errno. */
static inline int child_reads(
    struct child_log *log, const struct lam_ring_consumer_options *options, uint64_t wanted)
{
    static struct lam_ring_consumer reader;
    struct lam_event event = {.payload = NULL};
    uint64_t expected = UINT64_MAX, lost = 0;
    int rc = lam_ring_consumer_attach(&reader, &ring, options, &error);

    if (rc != 0)
        return -rc;
    lam_store_relaxed(&log->resumed, (uint64_t)lam_ring_consumer_resumed(&reader, &lost));
    lam_store_relaxed(&log->lost, lost);
    lam_store_release(&log->ready, 1);
    for (uint64_t i = 0; i < wanted; i++) {
        rc = lam_ring_consumer_peek_until(&reader, lam_deadline_after_ns(SOON), &event);
        if (rc != 0)
            break;
        if (expected == UINT64_MAX)
            lam_store_relaxed(&log->first, value_of(&event));
        else if (value_of(&event) != expected)
            lam_store_relaxed(&log->gaps, lam_load_relaxed(&log->gaps) + 1);
        expected = value_of(&event) + 1;
        lam_store_release(&log->releasing, expected);
        rc = lam_ring_consumer_release(&reader);
        if (rc != 0)
            break;
        lam_store_release(&log->released, expected);
    }
    lam_ring_consumer_detach(&reader);
    return -rc;
}

static inline pid_t start_child(
    struct child_log *log, const struct lam_ring_consumer_options *options, uint64_t wanted)
{
    pid_t parent = getpid();
    pid_t child = fork();

    cr_assert(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(99);
        _exit(child_reads(log, options, wanted));
    }
    return child;
}

static inline void await_word(const lam_atomic_u64 *word, uint64_t at_least)
{
    uint64_t end_ns = lam_deadline_after_ns(SOON);

    while (lam_load_acquire(word) < at_least && lam_clock_now_ns() < end_ns)
        nap_ms(1);
    cr_assert(ge(u64, lam_load_acquire(word), at_least));
}

static inline void kill_child(pid_t child)
{
    int status;

    cr_assert(eq(int, kill(child, SIGKILL), 0));
    cr_assert(eq(int, waitpid(child, &status, 0), child));
}

/* Its exit code: the errno that ended it, or 0. */
static inline int end_of_child(pid_t child)
{
    int status = 0;

    cr_assert(eq(int, waitpid(child, &status, 0), child));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
