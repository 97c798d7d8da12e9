/* SPDX-License-Identifier: Apache-2.0 */
/* Who is an endpoint's daemon: the lock of NAME.lock, and what that file says of its holder. */
#include "lamina/base/crash_point.h"
#include "lamina/base/store.h"
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOCK_MARK    "lamina endpoint, held by pid "
#define SOCKET_MARK  "\nsocket "
#define PROCESS_MARK "\nprocess "
#define TEXT_BYTES   192
#define RETRY_NS     LAM_NS_PER_MS

void lam_endpoint_file(char file[PLACE_FILE_BYTES], const char *name, const char *suffix)
{
    (void)snprintf(file, PLACE_FILE_BYTES, "%s%s", name, suffix);
}

/* What the lock's file says, all of it. */
static void read_text(int fd, char text[TEXT_BYTES])
{
    ssize_t got = pread(fd, text, TEXT_BYTES - 1, 0);

    text[got > 0 ? got : 0] = '\0';
}

/* Who says in the lock's file that it is the daemon. */
static void say_holder(int fd, char text[TEXT_BYTES])
{
    read_text(fd, text);
    text[strcspn(text, "\n")] = '\0';
}

/* Which socket the lock's file says is its holder's, by inode; 0 it does not. */
static ino_t said_inode(int fd)
{
    char text[TEXT_BYTES];
    const char *at;

    read_text(fd, text);
    at = strstr(text, SOCKET_MARK);
    return at == NULL ? 0 : (ino_t)strtoull(at + strlen(SOCKET_MARK), NULL, 10);
}

/* Which process the lock's file says is its holder; pid 0: it does not. */
static struct lam_identity said_identity(int fd)
{
    struct lam_identity said = {0};
    char text[TEXT_BYTES];
    const char *at;
    char *end;

    read_text(fd, text);
    at = strstr(text, PROCESS_MARK);
    if (at == NULL || strncmp(text, LOCK_MARK, strlen(LOCK_MARK)) != 0)
        return said;
    said.boot = strtoull(at + strlen(PROCESS_MARK), &end, 16);
    said.start_ticks = strtoull(end, &end, 10);
    said.pid_space = (uint32_t)strtoul(end, &end, 10);
    said.pid = (uint32_t)strtoul(text + strlen(LOCK_MARK), NULL, 10);
    return said;
}

/* Who we are, and which socket is the endpoint's. Returns its bytes. */
static int our_text(ino_t inode, char text[TEXT_BYTES])
{
    struct lam_identity self = lam_identity_self();

    return snprintf(text, TEXT_BYTES,
        LOCK_MARK "%u" SOCKET_MARK "%llu" PROCESS_MARK "%llx %llu %u\n", self.pid,
        (unsigned long long)inode, (unsigned long long)self.boot,
        (unsigned long long)self.start_ticks, self.pid_space);
}

/* Say it in the lock's file. Returns 0, or -errno. */
static int say_it(int fd, ino_t inode)
{
    char text[TEXT_BYTES];
    int bytes = our_text(inode, text);
    ssize_t put = pwrite(fd, text, (size_t)bytes, 0);

    if (put >= 0 && put < bytes)
        return -ENOSPC; /* there was room for a part */
    return put == bytes && ftruncate(fd, bytes) == 0 ? 0 : -errno;
}

/* Whether the process @pid has ended, though its parent may not know. 0 where none can tell. */
static int has_ended(uint32_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    int ready;

    if (fd < 0)
        return errno == ESRCH;
    ready = poll(&poller, 1, 0);
    (void)close(fd);
    return ready == 1;
}

/*
 * Whether the holder that the lock's file names is proven dead: then who has the lock is a child of
 * its, between its birth and the closing of its copy, and the lock will be free.
 */
static int is_holder_dead(int fd)
{
    struct lam_identity said = said_identity(fd);
    struct lam_identity self = lam_identity_self();
    struct lam_identity now;

    if (said.pid == 0 || said.boot != self.boot || said.pid_space != self.pid_space ||
        self.pid_space == 0 || said.pid == self.pid)
        return 0;
    now = lam_identity_of(said.pid);
    return has_ended(said.pid) ||
           (now.start_ticks != 0 && said.start_ticks != 0 && now.start_ticks != said.start_ticks);
}

/* A file that holds something else than ours is not ours to write to. */
static int check_lock_file(int fd, const struct lam_endpoint_place *place, struct lam_error *error)
{
    char text[TEXT_BYTES];
    struct stat status;

    if (fstat(fd, &status) != 0)
        return lam_error_set(error, -errno, "fstat: %s", strerror(errno));
    say_holder(fd, text);
    if (!S_ISREG(status.st_mode) || status.st_nlink > 1 ||
        (status.st_size != 0 && strncmp(text, LOCK_MARK, strlen(LOCK_MARK)) != 0))
        return lam_error_set(error, -EEXIST,
            "%s/%s.lock is no lock of an endpoint: it is left alone; take another name",
            place->directory, place->name);
    return 0;
}

/* Whether the name still is of the file that we have open. */
static int names_it(int directory_fd, const char *file, int fd)
{
    struct stat named, open_one;

    return fstatat(directory_fd, file, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(fd, &open_one) == 0 && named.st_ino == open_one.st_ino &&
           named.st_dev == open_one.st_dev;
}

int lam_endpoint_refuse_file(const struct lam_endpoint_place *place, const char *file,
    uint64_t bytes, int code, struct lam_error *error)
{
    char path[LAM_ENDPOINT_PATH_MAX + 1 + PLACE_FILE_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", place->directory, file);
    if (code == -ENOSPC)
        return lam_store_refuse(
            path, bytes, "make room there, or let LAMINA_RUN_DIR say where else", error);
    return lam_error_set(error, code, "%s: cannot be %s: %s", path,
        bytes == 0 ? "made or opened" : "written", strerror(-code));
}

static int refuse_second(const struct lam_endpoint_place *place, int fd, struct lam_error *error)
{
    char text[TEXT_BYTES];

    say_holder(fd, text);
    return lam_error_set(error, -EBUSY,
        "endpoint %s has a living daemon: %s/%s.lock says \"%.60s\"; \"fuser %s/%s.lock\" finds it",
        place->name, place->directory, place->name, text, place->directory, place->name);
}

/*
 * Take the lock of the file behind @fd. A lock that is held by a dead one's child is waited for: a
 * child closes its copy (lamina/base/lock.h) when it first runs, which may be after its parent's
 * end.
 */
static int lock_it(struct lam_endpoint_place *place, int fd, uint64_t end_ns)
{
    struct timespec pause = {.tv_nsec = RETRY_NS};
    int rc = lam_lock_take(&place->lock, fd, 0);

    while (rc == -EBUSY && lam_clock_now_ns() < end_ns && is_holder_dead(fd)) {
        (void)nanosleep(&pause, NULL);
        rc = lam_lock_take(&place->lock, fd, 0);
    }
    return rc;
}

/* Returns 0; 1 the file was removed meanwhile; or an error. */
static int lock_file_once(
    struct lam_endpoint_place *place, uint64_t end_ns, struct lam_error *error)
{
    char file[PLACE_FILE_BYTES];
    int fd, rc;

    lam_endpoint_file(file, place->name, ".lock");
    /* 0600: whoever may read it could lock it, and keep a successor out. */
    fd = openat(
        place->directory_fd, file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return lam_endpoint_refuse_file(
            place, file, 0, errno == ELOOP || errno == EISDIR ? -EEXIST : -errno, error);
    rc = check_lock_file(fd, place, error);
    if (rc == 0)
        rc = lock_it(place, fd, end_ns);
    if (rc == -EBUSY)
        rc = refuse_second(place, fd, error);
    else if (rc != 0 && rc != -EEXIST)
        rc = lam_error_set(error, rc, "%s/%s: no lock: %s", place->directory, file, strerror(-rc));
    if (rc == 0 && !names_it(place->directory_fd, file, fd)) {
        lam_lock_drop(&place->lock); /* its last holder has removed it meanwhile */
        rc = 1;
    }
    if (rc == 0) {
        /* The last holder's socket is remembered until ours stands in its place. */
        place->left_inode = said_inode(fd);
        rc = say_it(fd, place->left_inode);
        if (rc != 0) {
            char text[TEXT_BYTES];

            rc = lam_endpoint_refuse_file(
                place, file, (uint64_t)our_text(place->left_inode, text), rc, error);
        }
    }
    (void)close(fd);
    return rc;
}

int lam_endpoint_lock_take(struct lam_endpoint_place *place, struct lam_error *error)
{
    uint64_t end_ns = lam_deadline_after_ns(LAM_DAEMON_TAKEOVER_NS);
    int rc;

    do {
        rc = lock_file_once(place, end_ns, error);
    } while (rc == 1);
    LAM_CRASH_POINT("endpoint.locked");
    return rc;
}

void lam_endpoint_lock_remember(const struct lam_endpoint_place *place)
{
    char file[PLACE_FILE_BYTES];
    int fd;

    lam_endpoint_file(file, place->name, ".lock");
    fd = openat(place->directory_fd, file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (names_it(place->directory_fd, file, fd))
        (void)say_it(fd, place->inode);
    (void)close(fd);
}
