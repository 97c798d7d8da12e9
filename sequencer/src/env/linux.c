/* SPDX-License-Identifier: Apache-2.0 */
#include "env/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "env/linux_parts.h"
#include "lamina/base/assert.h"
#include "lamina/base/clock.h"
#include "lamina/base/poll.h"

static struct lam_env_linux *of(struct lam_env *env)
{
    return (struct lam_env_linux *)env;
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

void linux_made(struct lam_env_linux *linux_env, struct lam_env_io *io, int64_t result)
{
    struct lam_env_done *made = &linux_env->made;

    io->result = result;
    io->next = NULL;
    if (made->first == NULL)
        made->first = io;
    else
        made->last->next = io;
    made->last = io;
}

static void start(struct lam_env *env, struct lam_env_io *io)
{
    struct lam_env_linux *linux_env = of(env);

    if (io->call >= LAM_ENV_LISTEN) {
        linux_net_start(linux_env, io);
        return;
    }
    if (io->call == LAM_ENV_CLOSE)
        linux_net_close(linux_env, io->file);
    linux_made(linux_env, io, linux_disk_call(linux_env->directory, io));
}

static unsigned tell(struct lam_env *env)
{
    struct lam_env_linux *linux_env = of(env);
    struct lam_env_io *io;
    unsigned count = 0;

    if (linux_env->pending != 0)
        linux_net_look(linux_env);
    while ((io = lam_env_take(&linux_env->made)) != NULL) {
        lam_env_tell(io);
        count++;
    }
    return count;
}

static void cancel(struct lam_env *env, struct lam_env_io *io)
{
    linux_net_cancel(of(env), io);
}

static int peer_of(struct lam_env *env, int file, struct lam_env_peer *peer)
{
    (void)env;
    return linux_address_of(file, peer);
}

static void wait_until(struct lam_env *env, uint64_t deadline_ns)
{
    struct lam_env_linux *linux_env = of(env);
    uint64_t value;

    if (linux_env->made.first != NULL)
        return;
    /* What is ready is left to the next poll; a wake ends one wait, so it is taken here. */
    if (lam_poll_until(linux_env->poll_fd, POLLIN, deadline_ns) == 0)
        (void)!read(linux_env->wake_fd, &value, sizeof(value));
}

static void wake(struct lam_env *env)
{
    uint64_t one = 1;

    (void)!write(of(env)->wake_fd, &one, sizeof(one));
}

static void close_all(const struct lam_env_linux *linux_env)
{
    if (linux_env->poll_fd >= 0)
        (void)close(linux_env->poll_fd);
    if (linux_env->wake_fd >= 0)
        (void)close(linux_env->wake_fd);
    if (linux_env->directory >= 0)
        (void)close(linux_env->directory);
}

int lam_env_linux_init(struct lam_env_linux *linux_env, const char *path)
{
    static const struct lam_env_ops ops = {.now_ns = now_ns,
        .random = random_bits,
        .start = start,
        .poll = tell,
        .cancel = cancel,
        .peer = peer_of,
        .wait = wait_until,
        .wake = wake};
    struct epoll_event event = {.events = EPOLLIN};

    *linux_env =
        (struct lam_env_linux){.env.ops = &ops, .directory = -1, .wake_fd = -1, .poll_fd = -1};
    if (path != NULL)
        linux_env->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if ((path == NULL || linux_env->directory >= 0) &&
        (linux_env->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) >= 0 &&
        (linux_env->poll_fd = epoll_create1(EPOLL_CLOEXEC)) >= 0) {
        event.data.fd = linux_env->wake_fd;
        if (epoll_ctl(linux_env->poll_fd, EPOLL_CTL_ADD, linux_env->wake_fd, &event) == 0)
            return 0;
    }
    int error = -errno;

    close_all(linux_env);
    return error;
}

void lam_env_linux_fini(struct lam_env_linux *linux_env)
{
    LAM_ASSERT(linux_env->made.first == NULL && linux_env->pending == 0);
    close_all(linux_env);
    free(linux_env->files);
}
