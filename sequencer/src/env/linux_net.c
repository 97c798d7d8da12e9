/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_net.c: network calls, tried at once and again when epoll says so. A descriptor is asked
 * about once for each time that something of it has to wait: then no table of this process can be
 * wrong about what the kernel watches, whoever closed a descriptor meanwhile.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "env/linux_parts.h"
#include "lamina/base/assert.h"

#define EVENTS 64

static int64_t accept_one(int listener)
{
    int file;

    do
        file = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (file < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (file < 0)
        return -errno;
    linux_no_delay(file);
    return file;
}

/* What has come of a connect that the kernel went on with. */
static int64_t look_connected(int file)
{
    int error = 0;
    socklen_t bytes = sizeof(error);

    if (getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0)
        error = errno;
    return error == 0 ? file : -error;
}

/* Returns the result, or -EAGAIN. */
static int64_t try_call(const struct lam_env_io *io)
{
    ssize_t count;

    if (io->call == LAM_ENV_ACCEPT)
        return accept_one(io->file);
    if (io->call == LAM_ENV_CONNECT)
        return look_connected(io->file);
    do
        count = io->call == LAM_ENV_RECEIVE
                    ? recv(io->file, io->bytes, io->count, MSG_DONTWAIT)
                    : send(io->file, io->bytes, io->count, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

/* Room in the table for @descriptor. Returns 0 or -ENOMEM. */
static int reserve(struct lam_env_linux *linux_env, int descriptor)
{
    unsigned count = linux_env->file_count;
    struct linux_file *files;

    if ((unsigned)descriptor < count)
        return 0;
    count = 2 * (unsigned)descriptor + 16;
    files = realloc(linux_env->files, count * sizeof(*files));
    if (files == NULL)
        return -ENOMEM;
    for (unsigned i = linux_env->file_count; i < count; i++)
        files[i] = (struct linux_file){0};
    linux_env->files = files;
    linux_env->file_count = count;
    return 0;
}

/* One look at @descriptor, for all that is in flight of it. */
static int ask(const struct lam_env_linux *linux_env, int descriptor)
{
    const struct linux_file *file = &linux_env->files[descriptor];
    struct epoll_event event = {.events = EPOLLONESHOT, .data.fd = descriptor};

    if (file->in != NULL)
        event.events |= EPOLLIN;
    if (file->out != NULL)
        event.events |= EPOLLOUT;
    if (epoll_ctl(linux_env->poll_fd, EPOLL_CTL_MOD, descriptor, &event) == 0)
        return 0;
    if (errno == ENOENT && epoll_ctl(linux_env->poll_fd, EPOLL_CTL_ADD, descriptor, &event) == 0)
        return 0;
    return -errno;
}

static struct lam_env_io **place_of(struct linux_file *file, const struct lam_env_io *io)
{
    return io->call == LAM_ENV_ACCEPT || io->call == LAM_ENV_RECEIVE ? &file->in : &file->out;
}

static void pend(struct lam_env_linux *linux_env, struct lam_env_io *io)
{
    int rc = reserve(linux_env, io->file);
    struct lam_env_io **place;

    if (rc == 0) {
        place = place_of(&linux_env->files[io->file], io);
        LAM_ASSERT(*place == NULL);
        *place = io;
        linux_env->pending++;
        if ((rc = ask(linux_env, io->file)) == 0)
            return;
        *place = NULL;
        linux_env->pending--;
    }
    if (io->call == LAM_ENV_CONNECT)
        (void)close(io->file);
    linux_made(linux_env, io, rc);
}

static void start_connect(struct lam_env_linux *linux_env, struct lam_env_io *io)
{
    struct linux_address address;
    int rc = linux_address_parse(io->name, &address);

    if (rc == 0)
        rc = io->file = linux_socket(&address);
    if (rc < 0) {
        linux_made(linux_env, io, rc);
        return;
    }
    linux_no_delay(io->file);
    do
        rc = connect(io->file, &address.any, address.bytes);
    while (rc != 0 && errno == EINTR);
    if (rc != 0 && errno == EINPROGRESS) {
        pend(linux_env, io);
        return;
    }
    rc = rc == 0 ? io->file : -errno;
    if (rc < 0)
        (void)close(io->file);
    linux_made(linux_env, io, rc);
}

static int64_t start_listen(struct lam_env_linux *linux_env, const struct lam_env_io *io)
{
    struct linux_file file_made;
    int file = linux_listen(io->name, &file_made);

    if (file < 0)
        return file;
    if (reserve(linux_env, file) != 0) {
        linux_unlist(file, &file_made);
        (void)close(file);
        return -ENOMEM;
    }
    linux_env->files[file] = file_made;
    return file;
}

void linux_net_start(struct lam_env_linux *linux_env, struct lam_env_io *io)
{
    int64_t result;

    switch (io->call) {
    case LAM_ENV_CONNECT:
        start_connect(linux_env, io);
        return;
    case LAM_ENV_LISTEN:
        linux_made(linux_env, io, start_listen(linux_env, io));
        return;
    case LAM_ENV_SHUTDOWN:
        result = shutdown(io->file, io->count == 0 ? SHUT_WR : SHUT_RDWR);
        linux_made(linux_env, io, result == 0 ? 0 : -errno);
        return;
    default:
        LAM_ASSERT(io->call == LAM_ENV_ACCEPT || io->count != 0);
        result = try_call(io);
        if (result == -EAGAIN)
            pend(linux_env, io);
        else
            linux_made(linux_env, io, result);
    }
}

/* Returns whether @io, where there is one, is done. */
static int try_again(struct lam_env_linux *linux_env, struct lam_env_io **place)
{
    struct lam_env_io *io = *place;
    int64_t result = io == NULL ? -EAGAIN : try_call(io);

    if (result == -EAGAIN)
        return 0;
    if (io->call == LAM_ENV_CONNECT && result < 0)
        (void)close(io->file);
    *place = NULL;
    linux_env->pending--;
    linux_made(linux_env, io, result);
    return 1;
}

static void look_at(struct lam_env_linux *linux_env, unsigned descriptor)
{
    struct linux_file *file;
    int rc;

    if (descriptor >= linux_env->file_count)
        return; /* a wake: wait takes it */
    file = &linux_env->files[descriptor];
    (void)try_again(linux_env, &file->in);
    (void)try_again(linux_env, &file->out);
    if (file->in == NULL && file->out == NULL)
        return;
    rc = ask(linux_env, (int)descriptor);
    LAM_ASSERT(rc == 0); /* it is watched already */
}

void linux_net_look(struct lam_env_linux *linux_env)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(linux_env->poll_fd, events, EVENTS, 0);

    for (int i = 0; i < count; i++)
        look_at(linux_env, (unsigned)events[i].data.fd);
}

void linux_net_cancel(struct lam_env_linux *linux_env, struct lam_env_io *io)
{
    struct lam_env_io **place;

    /* A call that does not wait is in no table. */
    if (io->done || io->file < 0 || (unsigned)io->file >= linux_env->file_count)
        return;
    place = place_of(&linux_env->files[io->file], io);
    if (*place != io)
        return;
    *place = NULL;
    linux_env->pending--;
    if (io->call == LAM_ENV_CONNECT)
        (void)close(io->file);
    linux_made(linux_env, io, -ECANCELED);
}

void linux_net_close(struct lam_env_linux *linux_env, int file)
{
    struct linux_file *found;

    if (file < 0 || (unsigned)file >= linux_env->file_count)
        return;
    found = &linux_env->files[file];
    if (found->in != NULL)
        linux_net_cancel(linux_env, found->in);
    if (found->out != NULL)
        linux_net_cancel(linux_env, found->out);
    linux_unlist(file, found);
    *found = (struct linux_file){0};
}
