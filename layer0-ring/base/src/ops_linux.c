/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/clock.h"
#include "lamina/base/cpu_wait.h"
#include "lamina/base/ops.h"
#include "ops_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists */
    return (uint64_t)now.tv_sec * LAM_NS_PER_S + (uint64_t)now.tv_nsec;
}

static void futex_wait(lam_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / LAM_NS_PER_S),
        .tv_nsec = (long)(deadline_ns % LAM_NS_PER_S),
    };

    /* The bitset form, because its time is absolute and monotonic. */
    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected,
        deadline_ns == LAM_DEADLINE_NEVER ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
}

static int futex_wake_all(lam_atomic_u32 *word)
{
    long woken = syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);

    return woken < 0 ? 0 : (int)woken;
}

/* As <linux/futex.h> has it since 5.16; older headers do not. */
struct waiter {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};
#define WAITER_SIZE_U32 2
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

void lam_futex_wait_any_by_naps(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    uint64_t nap_until_ns = now_ns() + LAM_NS_PER_MS;

    for (uint32_t i = 0; i < count; i++)
        if (lam_load_acquire(words[i]) != expected[i])
            return;
    /* On the first word: at least one of the wakers is heard at once. */
    if (count > 0)
        futex_wait(words[0], expected[0],
            count > 1 && nap_until_ns < deadline_ns ? nap_until_ns : deadline_ns);
}

static void futex_wait_any(
    lam_atomic_u32 *const *words, const uint32_t *expected, uint32_t count, uint64_t deadline_ns)
{
    struct waiter waiters[LAM_FUTEX_WORDS_MAX];
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / LAM_NS_PER_S),
        .tv_nsec = (long)(deadline_ns % LAM_NS_PER_S),
    };

    LAM_ASSERT(count <= LAM_FUTEX_WORDS_MAX);
    for (uint32_t i = 0; i < count; i++)
        waiters[i] = (struct waiter){.value = expected[i],
            .address = (uint64_t)(uintptr_t)words[i],
            .flags = WAITER_SIZE_U32};
    if (syscall(SYS_futex_waitv, waiters, count, 0,
            deadline_ns == LAM_DEADLINE_NEVER ? NULL : &deadline, CLOCK_MONOTONIC) < 0 &&
        errno != EAGAIN && errno != ETIMEDOUT && errno != EINTR)
        lam_futex_wait_any_by_naps(words, expected, count, deadline_ns);
}

static void yield(void)
{
    (void)sched_yield();
}

static int lock_probe(int fd, uint64_t byte)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};

    if (fcntl(fd, F_OFD_GETLK, &lock) != 0)
        return -errno;
    return lock.l_type != F_UNLCK;
}

const struct lam_base_ops lam_base_linux = {
    .now_ns = now_ns,
    .futex_wait = futex_wait,
    .futex_wake_all = futex_wake_all,
    .futex_wait_any = futex_wait_any,
    .yield = yield,
    .cpu_wait = lam_cpu_wait,
    .lock_probe = lock_probe,
};

const struct lam_base_ops *lam_base = &lam_base_linux;
