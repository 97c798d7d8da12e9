/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

static void fill(
    struct msghdr *message, struct iovec *part, char *byte, void *control, size_t control_bytes)
{
    *part = (struct iovec){.iov_base = byte, .iov_len = 1};
    *message = (struct msghdr){
        .msg_iov = part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = control_bytes};
}

int spawn_send_fd(int socket, int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct msghdr message;
    struct iovec part;
    char byte = 0;

    fill(&message, &part, &byte, control.bytes, sizeof(control.bytes));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int spawn_receive_fd(int socket)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct msghdr message;
    struct iovec part;
    ssize_t got;
    char byte;
    int fd;

    fill(&message, &part, &byte, control.bytes, sizeof(control.bytes));
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got == 0 ? -EPIPE : -errno;
    if (message.msg_controllen < CMSG_LEN(sizeof(int)) || control.header.cmsg_type != SCM_RIGHTS)
        return -EPROTO;
    memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
    return fd;
}

int spawn_die_with_host(int socket)
{
    /* The signal of a socket that becomes readable, as it is when its other end closes. */
    if (fcntl(socket, F_SETOWN, getpid()) != 0 || fcntl(socket, F_SETSIG, SIGKILL) != 0 ||
        fcntl(socket, F_SETFL, O_ASYNC | O_NONBLOCK) != 0)
        return -errno;
    /* It may have closed before. */
    return spawn_receive_fd(socket) == -EPIPE ? -EPIPE : 0;
}

int spawn_is_worker(void)
{
    int type;
    socklen_t bytes = sizeof(type);

    return getsockopt(SPAWN_SOCKET_FD, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 &&
           type == SOCK_SEQPACKET;
}

void spawn_lock_down(void)
{
    struct rlimit none = {0, 0};

    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
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
