/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_WAIT_STRESS_H
#define LAM_TEST_WAIT_STRESS_H

/*
 * For stress of wake-ups: sleeps without an end, ends that nap at random, and a watch that says so
 * when nobody goes on.
 */

#include "lamina/ring/consumer.h"
#include "processes.h"
#include "ring_stream.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#define STILL_S 8 /* nobody goes on for so long: a wake-up was lost */

static uint64_t event_count = 3000;
static enum lam_wait_mode wait_mode;
static lam_atomic_u64 *progress; /* shared by all processes */
static struct lam_base_ops ops;

/* What is shorter than the ladder's look is no sleep of it: a pause between looks at who joins. */
static inline void endless_futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    if (deadline_ns > lam_deadline_after_ns(LAM_WAIT_CHECK_NS / 4))
        deadline_ns = LAM_DEADLINE_NEVER;
    lam_base_linux.futex_wait(word, expected, deadline_ns);
}

static inline void endless_futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    (void)deadline_ns;
    lam_base_linux.futex_wait_any(words, expected, count, LAM_DEADLINE_NEVER);
}

static inline void *watch(void *argument)
{
    uint64_t last = UINT64_MAX;
    unsigned still = 0;

    (void)argument;
    for (;; still++) {
        uint64_t now = lam_load_relaxed(progress);

        if (now != last)
            still = 0;
        last = now;
        if (still > STILL_S) {
            (void)fprintf(stderr, "nobody has gone on for %d s after %llu steps: a lost wake-up\n",
                STILL_S, (unsigned long long)now);
            _exit(1);
        }
        (void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    return NULL;
}

/* Nothing mostly; else something short, as long as a wake-up, or longer. */
static inline void nap(uint64_t *random)
{
    uint64_t value = test_random(random);

    (void)lam_add_acq_rel(progress, 1);
    if (value % 16 == 0)
        (void)sched_yield();
    else if (value % 16 == 1)
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)(value >> 32) % 60000}, NULL);
    else if (value % 16 < 5)
        for (uint64_t i = value >> 56; i > 0; i--)
            lam_pause();
}

static inline uint64_t number_of(const struct lam_event *event)
{
    uint64_t number = 0;

    TEST_CHECK(event->payload_bytes == sizeof(number));
    memcpy(&number, event->payload, sizeof(number));
    return number;
}

/* From now on: for this process and those that it forks. */
static inline void sleep_without_an_end(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    pthread_t watcher;

    if (effort != NULL)
        event_count *= strtoull(effort, NULL, 10);
    progress =
        mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TEST_CHECK(progress != MAP_FAILED);
    ops = lam_base_linux;
    ops.futex_wait = endless_futex_wait;
    ops.futex_wait_any = endless_futex_wait_any;
    lam_base = &ops;
    TEST_CHECK(pthread_create(&watcher, NULL, watch, NULL) == 0);
}

#endif
