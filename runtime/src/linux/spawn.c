/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lamina/base/assert.h"
#include "lamina/base/clock.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define PROGRAM_NAME "lamina_worker"

extern char **environ;

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int socket)
{
    sigset_t all, none;
    int rc;

    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    (void)posix_spawnattr_setsigdefault(attributes, &all);
    (void)posix_spawnattr_setsigmask(attributes, &none);
    (void)posix_spawnattr_setpgroup(attributes, 0);
    (void)posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, socket, SPAWN_SOCKET_FD);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, SPAWN_SOCKET_FD + 1);
    return rc;
}

static int spawn(pid_t *pid, const char *program, const char *argument, int socket)
{
    char *arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)argument, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc != 0)
        return -rc;
    rc = posix_spawnattr_init(&attributes);
    if (rc == 0) {
        rc = prepare(&actions, &attributes, socket);
        if (rc == 0)
            rc = posix_spawn(pid, program, &actions, &attributes, arguments, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return -rc;
}

int spawn_start(struct spawn_process *process, const char *program, const char *argument,
    struct lam_error *error)
{
    int ends[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        rc = -errno;
        return lam_error_set(error, rc, "a worker's socket: %s", strerror(-rc));
    }
    /* dup2() of a descriptor onto itself would leave it to be closed by exec. */
    if (ends[1] == SPAWN_SOCKET_FD) {
        ends[1] = fcntl(ends[1], F_DUPFD_CLOEXEC, SPAWN_SOCKET_FD + 1);
        (void)close(SPAWN_SOCKET_FD);
    }
    rc = spawn(&process->pid, program, argument, ends[1]);
    (void)close(ends[1]);
    if (rc != 0) {
        (void)close(ends[0]);
        return lam_error_set(error, rc, "worker %s: %s", program, strerror(-rc));
    }
    process->socket = ends[0];
    process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (process->pidfd < 0) {
        /* Its socket is closed: it ends by itself, and whoever ignores SIGCHLD reaps it. */
        rc = -errno;
        (void)close(ends[0]);
        return lam_error_set(error, rc, "worker %s: pidfd_open: %s", program, strerror(-rc));
    }
    return 0;
}

int spawn_send_fd(int socket, int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    char byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes)};

    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

void spawn_find_program(char *path, size_t bytes)
{
    ssize_t length = readlink("/proc/self/exe", path, bytes - sizeof(PROGRAM_NAME) - 1);
    char *slash;

    path[length > 0 ? length : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash != NULL) {
        memcpy(slash + 1, PROGRAM_NAME, sizeof(PROGRAM_NAME)); /* room was left for it */
        if (access(path, X_OK) == 0)
            return;
    }
    (void)snprintf(path, bytes, "%s", LAM_WORKER_PROGRAM);
    if (access(path, X_OK) != 0)
        path[0] = '\0';
}

static int wait_readable(int fd, uint64_t deadline_ns)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    int got;

    do {
        uint64_t now_ns = lam_clock_now_ns();
        int left_ms = now_ns >= deadline_ns ? 0 : (int)((deadline_ns - now_ns) / LAM_NS_PER_MS + 1);

        got = poll(&look, 1, left_ms);
    } while (got < 0 && errno == EINTR);
    return got == 1;
}

int spawn_is_dead(const struct spawn_process *process)
{
    return wait_readable(process->pidfd, 0);
}

struct spawn_end spawn_bury(struct spawn_process *process, uint64_t deadline_ns)
{
    struct spawn_end end = {.signal = SIGKILL};
    siginfo_t info;
    int rc;

    (void)close(process->socket);
    if (!wait_readable(process->pidfd, deadline_ns))
        (void)syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
    /* And what it left behind in its group, which has its number as long as it is not reaped. */
    (void)kill(-process->pid, SIGKILL);
    do
        rc = waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED);
    while (rc != 0 && errno == EINTR);
    if (rc == 0) {
        end.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
        end.status = info.si_code == CLD_EXITED ? info.si_status : 0;
    }
    (void)close(process->pidfd);
    return end;
}
