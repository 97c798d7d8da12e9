/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawned.c: the worker's side of spawn.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux/spawn.h"

int spawn_is_worker(void)
{
    int type;
    socklen_t bytes = sizeof(type);

    return getsockopt(SPAWN_SOCKET_FD, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 &&
           type == SOCK_SEQPACKET;
}

int spawn_receive_fd(int socket)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    int fd;

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

/* What comes over the socket is a signal, too: an end is told by the look. */
static void leave_without_host(int number)
{
    struct pollfd look = {.fd = SPAWN_SOCKET_FD};
    int before = errno;

    if (poll(&look, 1, 0) == 1 && (look.revents & POLLHUP) != 0)
        _exit(0);
    errno = before;
    (void)number;
}

int spawn_end_with_host(int socket)
{
    struct sigaction action = {.sa_handler = leave_without_host, .sa_flags = SA_RESTART};

    if (sigaction(SIGIO, &action, NULL) != 0 || fcntl(socket, F_SETOWN, getpid()) != 0 ||
        fcntl(socket, F_SETFL, O_ASYNC) != 0)
        return -errno;
    leave_without_host(0); /* it may have closed before */
    return 0;
}

int spawn_die_with_host(int socket)
{
    /* The signal of a socket that becomes readable, as it is when its other end closes. */
    if (fcntl(socket, F_SETOWN, getpid()) != 0 || fcntl(socket, F_SETSIG, SIGKILL) != 0 ||
        fcntl(socket, F_SETFL, O_ASYNC | O_NONBLOCK) != 0)
        return -errno;
    (void)signal(SIGIO, SIG_DFL); /* from here on it is the module's */
    /* It may have closed before. */
    return spawn_receive_fd(socket) == -EPIPE ? -EPIPE : 0;
}

void spawn_lock_down(void)
{
    struct rlimit none = {0, 0};

    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
}
