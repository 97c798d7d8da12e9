/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/clock.h"
#include "lamina/base/ops.h"

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
    .yield = yield,
    .lock_probe = lock_probe,
};

const struct lam_base_ops *lam_base = &lam_base_linux;
