/* SPDX-License-Identifier: Apache-2.0 */
/* What a node cannot do without, done alone: a question and its answer, a write and its sync. */
#include "sequencer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_BYTES   (UINT64_C(64) << 20)
#define PIECE_BYTES (UINT32_C(1) << 20)

static void must(int holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static void move_all(int socket, void *bytes, size_t count, int sends)
{
    for (size_t done = 0; done < count;) {
        ssize_t moved = sends ? send(socket, (char *)bytes + done, count - done, MSG_NOSIGNAL)
                              : recv(socket, (char *)bytes + done, count - done, 0);

        must(moved > 0, "a bare socket");
        done += (size_t)moved;
    }
}

/* Packets of their length, 4 bytes, and as many bytes. */
static void answer_all(int socket)
{
    static uint8_t packet[4 + 65536];
    uint32_t bytes;

    for (;;) {
        if (recv(socket, &bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes))
            _exit(0);
        memcpy(packet, &bytes, sizeof(bytes));
        move_all(socket, packet + 4, bytes, 0);
        move_all(socket, packet, 4 + bytes, 1);
    }
}

static void tcp_pair(int sockets[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    must(listener >= 0 && bind(listener, (void *)&address, bytes) == 0 &&
             listen(listener, 1) == 0 && getsockname(listener, (void *)&address, &bytes) == 0,
        "a listener");
    sockets[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(sockets[0] >= 0 && connect(sockets[0], (void *)&address, bytes) == 0, "connect");
    sockets[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    must(sockets[1] >= 0, "accept");
    for (int i = 0; i < 2; i++)
        must(setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0, "TCP");
    (void)close(listener);
}

void bare_echo_start(struct bare_echo *echo, const char *transport, const char *folder)
{
    int sockets[2];

    if (strcmp(transport, "tcp") == 0)
        tcp_pair(sockets);
    else
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0, "a socket pair");
    echo->pid = fork();
    must(echo->pid >= 0, "fork");
    if (echo->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(sockets[0]);
        answer_all(sockets[1]);
    }
    (void)close(sockets[1]);
    echo->socket = sockets[0];
}

void bare_echo_stop(struct bare_echo *echo)
{
    (void)close(echo->socket);
    (void)waitpid(echo->pid, NULL, 0);
}

void bare_echo_call(struct bare_echo *echo, const void *request, uint32_t bytes)
{
    static uint8_t packet[4 + 65536];

    memcpy(packet, &bytes, sizeof(bytes));
    memcpy(packet + 4, request, bytes);
    move_all(echo->socket, packet, 4 + bytes, 1);
    move_all(echo->socket, packet, 4 + bytes, 0);
}

void bare_log_open(struct bare_log *log, const char *folder)
{
    char path[NODE_PATH_BYTES + 16];

    (void)snprintf(path, sizeof(path), "%s/bare", folder);
    log->file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(log->file >= 0, path);
    (void)unlink(path);
    log->bytes = aligned_alloc(4096, PIECE_BYTES);
    must(log->bytes != NULL, "memory");
    memset(log->bytes, 0, PIECE_BYTES);
    for (log->size = 0; log->size < LOG_BYTES; log->size += PIECE_BYTES)
        must(pwrite(log->file, log->bytes, PIECE_BYTES, (off_t)log->size) == PIECE_BYTES, "zeros");
    must(fsync(log->file) == 0, "sync");
    memset(log->bytes, 0x5a, PIECE_BYTES);
    log->at = 0;
}

void bare_log_close(struct bare_log *log)
{
    (void)close(log->file);
    free(log->bytes);
}

void bare_log_append(struct bare_log *log, uint32_t bytes)
{
    if (log->at + bytes > log->size)
        log->at = 0;
    log->bytes[0]++; /* another content each time */
    must(pwrite(log->file, log->bytes, bytes, (off_t)log->at) == (ssize_t)bytes, "write");
    must(fdatasync(log->file) == 0, "sync");
    log->at += bytes;
}
