/* SPDX-License-Identifier: Apache-2.0 */
#include "lamina/base/lock.h"
#include "lamina/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * All locks of this process, so that a forked child can close its copies: a description lives as
 * long as any process has it open, and a child that outlived us would keep us "alive".
 */
static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct lam_lock *registry;

static void before_fork(void)
{
    (void)pthread_mutex_lock(&registry_mutex);
}

static void after_fork_in_parent(void)
{
    (void)pthread_mutex_unlock(&registry_mutex);
}

static void after_fork_in_child(void)
{
    for (struct lam_lock *lock = registry; lock != NULL; lock = lock->next) {
        (void)close(lock->fd);
        lock->fd = -1;
    }
    registry = NULL;
    (void)pthread_mutex_unlock(&registry_mutex);
}

/* Before main: a fork that began before its handlers were there would not run them. */
__attribute__((constructor)) static void register_fork_handlers(void)
{
    int rc = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);

    LAM_ASSERT(rc == 0); /* only memory can lack, at start-up */
}

/* The caller holds the mutex, from before the descriptor is opened until after it is closed. */
static void registry_add(struct lam_lock *lock)
{
    lock->previous = NULL;
    lock->next = registry;
    if (registry != NULL)
        registry->previous = lock;
    registry = lock;
}

static void registry_remove(struct lam_lock *lock)
{
    if (lock->previous != NULL)
        lock->previous->next = lock->next;
    else
        registry = lock->next;
    if (lock->next != NULL)
        lock->next->previous = lock->previous;
}

/* A new description of the same object, whatever its name is now. */
static int open_anew(int object_fd)
{
    char path[40];
    struct stat want, got;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", object_fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ENOTSUP : -errno;
    if (fstat(object_fd, &want) != 0 || fstat(fd, &got) != 0 || want.st_dev != got.st_dev ||
        want.st_ino != got.st_ino) {
        (void)close(fd);
        return -ENOTSUP;
    }
    return fd;
}

static int take(struct lam_lock *lock, int object_fd, uint64_t byte)
{
    struct flock range = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
    int fd = open_anew(object_fd);

    if (fd < 0)
        return fd;
    if (fcntl(fd, F_OFD_SETLK, &range) != 0) {
        int rc = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;

        (void)close(fd);
        return rc;
    }
    lock->fd = fd;
    lock->byte = byte;
    registry_add(lock);
    return 0;
}

int lam_lock_take(struct lam_lock *lock, int object_fd, uint64_t byte)
{
    int rc;

    /* A fork by another thread waits: its child would keep a descriptor that nobody closes. */
    (void)pthread_mutex_lock(&registry_mutex);
    rc = take(lock, object_fd, byte);
    (void)pthread_mutex_unlock(&registry_mutex);
    return rc;
}

void lam_lock_drop(struct lam_lock *lock)
{
    struct flock range = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_len = 1};

    if (!lam_lock_is_held(lock))
        return;
    range.l_start = (off_t)lock->byte;
    (void)pthread_mutex_lock(&registry_mutex);
    registry_remove(lock);
    /* By name, too: a child between its birth and its exec may have the description open. */
    (void)fcntl(lock->fd, F_OFD_SETLK, &range);
    (void)close(lock->fd);
    lock->fd = -1;
    (void)pthread_mutex_unlock(&registry_mutex);
}
