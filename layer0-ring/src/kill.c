/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Killing a peer: only who is what the table says, and has the ring mapped.
 */
#include "kill.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/*
 * Whether @fd's text has @needle, of @length bytes; -1: there is no text. Reads on over the edges
 * of what it gets.
 */
static int contains(int fd, const char *needle, size_t length)
{
    char text[4096];
    size_t kept = 0;
    int found = -1;
    ssize_t got;

    while ((got = read(fd, text + kept, sizeof(text) - kept)) > 0) {
        size_t all = kept + (size_t)got;

        if (memmem(text, all, needle, length) != NULL)
            return 1;
        found = 0;
        kept = all < length ? all : length - 1;
        memmove(text, text + all - kept, kept);
    }
    return found;
}

/*
 * Whether @pid has the ring mapped; -1: it has no memory any more, as one that is ending. Device
 * and inode stand in each line of /proc/PID/maps between the offset and the name.
 */
static int maps(uint32_t pid, const struct lam_ring *ring)
{
    char path[32], needle[64];
    struct stat object;
    int fd, found, length;

    if (fstat(ring->control.fd, &object) != 0)
        return 0;
    length = snprintf(needle, sizeof(needle), " %02x:%02x %llu ", major(object.st_dev),
        minor(object.st_dev), (unsigned long long)object.st_ino);
    (void)snprintf(path, sizeof(path), "/proc/%u/maps", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    found = contains(fd, needle, (size_t)length);
    (void)close(fd);
    return found;
}

/* The process behind a pidfd stays that one: so it is asked who it is once the pidfd is open. */
static int kill_through(int pidfd, const struct lam_ring *ring, const struct lam_identity *identity)
{
    struct lam_identity now = lam_identity_of(identity->pid);
    int has_it;

    if (now.start_ticks == 0 || now.start_ticks != identity->start_ticks)
        return -ESRCH;
    has_it = maps(identity->pid, ring);
    if (has_it != 1)
        return has_it < 0 ? -ESRCH : -EPERM;
    return syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0 ? 0 : -errno;
}

int lam_ring_kill(const struct lam_ring *ring, const struct lam_identity *identity)
{
    struct lam_identity copy = *identity, self = lam_identity_self();
    int pidfd, rc;

    if (copy.boot != self.boot)
        return -ESRCH;
    if (copy.pid_space == 0 || copy.pid_space != self.pid_space)
        return -EXDEV;
    if (copy.pid == self.pid)
        return -EPERM;
    pidfd = (int)syscall(SYS_pidfd_open, (pid_t)copy.pid, 0);
    if (pidfd < 0)
        return errno == EINVAL ? -ESRCH : -errno;
    rc = kill_through(pidfd, ring, &copy);
    (void)close(pidfd);
    return rc;
}
