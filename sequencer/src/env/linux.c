/* SPDX-License-Identifier: Apache-2.0 */
#include "env/linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/base/assert.h"
#include "lamina/base/clock.h"
#include "lamina/base/poll.h"

/* One call moves at most that much: the kernel's own bound is just below 2 GiB. */
#define CALL_BYTES_MAX (UINT64_C(1) << 30)

static struct lam_env_linux *of(struct lam_env *env)
{
    return (struct lam_env_linux *)env;
}

static int64_t or_errno(int64_t result)
{
    return result < 0 ? -errno : result;
}

static uint64_t now_ns(struct lam_env *env)
{
    (void)env;
    return lam_clock_now_ns();
}

static uint64_t random_bits(struct lam_env *env)
{
    uint64_t value;
    ssize_t count;

    (void)env;
    do
        count = getrandom(&value, sizeof(value), 0);
    while (count < 0 && errno == EINTR);
    LAM_ASSERT(count == sizeof(value));
    return value;
}

static int64_t move(const struct lam_env_io *io)
{
    uint64_t count = io->count < CALL_BYTES_MAX ? io->count : CALL_BYTES_MAX;
    int64_t result;

    do
        result = io->call == LAM_ENV_READ ? pread(io->file, io->bytes, count, (off_t)io->offset)
                                          : pwrite(io->file, io->bytes, count, (off_t)io->offset);
    while (result < 0 && errno == EINTR);
    return or_errno(result);
}

static int64_t lock(int file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(file, F_OFD_SETLK, &whole) == 0)
        return 0;
    return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

static int64_t size(int file)
{
    struct stat about;

    return fstat(file, &about) == 0 ? about.st_size : -errno;
}

static int64_t list_names(DIR *folder, char *bytes, uint64_t room)
{
    const struct dirent *entry;
    uint64_t used = 0;

    while (errno = 0, (entry = readdir(folder)) != NULL) {
        uint64_t count = strlen(entry->d_name) + 1;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count > room - used)
            return -ENOSPC;
        memcpy(bytes + used, entry->d_name, count);
        used += count;
    }
    return errno != 0 ? -errno : (int64_t)used;
}

static int64_t list(const struct lam_env_linux *linux_env, const struct lam_env_io *io)
{
    int file = openat(linux_env->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = file < 0 ? NULL : fdopendir(file);
    int64_t result = folder == NULL ? -errno : list_names(folder, io->bytes, io->count);

    if (folder != NULL)
        (void)closedir(folder);
    else if (file >= 0)
        (void)close(file);
    return result;
}

static int64_t make_call(const struct lam_env_linux *linux_env, const struct lam_env_io *io)
{
    int folder = linux_env->directory;

    switch (io->call) {
    case LAM_ENV_OPEN:
        return or_errno(openat(folder, io->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    case LAM_ENV_CREATE:
        return or_errno(openat(folder, io->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    case LAM_ENV_CLOSE:
        return or_errno(close(io->file));
    case LAM_ENV_LOCK:
        return lock(io->file);
    case LAM_ENV_SIZE:
        return size(io->file);
    case LAM_ENV_ALLOCATE:
        return or_errno(fallocate(io->file, 0, 0, (off_t)io->count));
    case LAM_ENV_READ:
    case LAM_ENV_WRITE:
        return move(io);
    case LAM_ENV_SYNC:
        return or_errno(fdatasync(io->file));
    case LAM_ENV_RENAME:
        return or_errno(renameat(folder, io->name, folder, io->to));
    case LAM_ENV_UNLINK:
        return or_errno(unlinkat(folder, io->name, 0));
    case LAM_ENV_LIST:
        return list(linux_env, io);
    case LAM_ENV_SYNC_DIRECTORY:
        return or_errno(fsync(folder));
    case LAM_ENV_LISTEN:
    case LAM_ENV_ACCEPT:
    case LAM_ENV_CONNECT:
    case LAM_ENV_RECEIVE:
    case LAM_ENV_SEND:
        return -ENOTSUP;
    case LAM_ENV_CALLS:
        break;
    }
    return -EINVAL;
}

static void start(struct lam_env *env, struct lam_env_io *io)
{
    struct lam_env_linux *linux_env = of(env);

    io->result = make_call(linux_env, io);
    if (linux_env->first == NULL)
        linux_env->first = io;
    else
        linux_env->last->next = io;
    linux_env->last = io;
}

static unsigned tell(struct lam_env *env)
{
    struct lam_env_linux *linux_env = of(env);
    unsigned count = 0;

    while (linux_env->first != NULL) {
        struct lam_env_io *io = linux_env->first;

        linux_env->first = io->next;
        io->done = 1;
        count++;
    }
    return count;
}

static void wait_until(struct lam_env *env, uint64_t deadline_ns)
{
    struct lam_env_linux *linux_env = of(env);
    uint64_t value;

    if (linux_env->first == NULL && lam_poll_until(linux_env->wake_fd, POLLIN, deadline_ns) == 0)
        (void)!read(linux_env->wake_fd, &value, sizeof(value));
}

static void wake(struct lam_env *env)
{
    uint64_t one = 1;

    (void)!write(of(env)->wake_fd, &one, sizeof(one));
}

int lam_env_linux_init(struct lam_env_linux *linux_env, const char *path)
{
    static const struct lam_env_ops ops = {.now_ns = now_ns,
        .random = random_bits,
        .start = start,
        .poll = tell,
        .wait = wait_until,
        .wake = wake};

    *linux_env = (struct lam_env_linux){.env.ops = &ops};
    linux_env->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (linux_env->directory < 0)
        return -errno;
    linux_env->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (linux_env->wake_fd < 0) {
        int error = -errno;

        (void)close(linux_env->directory);
        return error;
    }
    return 0;
}

void lam_env_linux_fini(struct lam_env_linux *linux_env)
{
    LAM_ASSERT(linux_env->first == NULL);
    (void)close(linux_env->wake_fd);
    (void)close(linux_env->directory);
}
