/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GIVEN_COUNT 16 /* more of them the kernel closes */

int lam_packet_send(int socket, const uint8_t *bytes, size_t count)
{
    ssize_t sent;

    do {
        sent = send(socket, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)count)
        return 0;
    if (errno == EAGAIN)
        return -ENOBUFS;
    return errno == ECONNRESET || errno == EPIPE ? -EPIPE : -errno;
}

/* Close all descriptors that came. Returns how many. */
static int close_given(struct msghdr *header)
{
    int closed = (header->msg_flags & MSG_CTRUNC) != 0;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0;
             part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS && i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
            (void)close(fd);
            closed++;
        }
    }
    return closed;
}

int lam_packet_receive(int socket, uint8_t bytes[LAM_ENDPOINT_PACKET_MAX], size_t *count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(GIVEN_COUNT * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec part = {.iov_base = bytes, .iov_len = LAM_ENDPOINT_PACKET_MAX};
    struct msghdr header = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes)};
    ssize_t got;

    do {
        header.msg_controllen = sizeof(control.bytes);
        got = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? 0 : errno == ECONNRESET ? -EPIPE : -errno;
    if (close_given(&header) != 0 || (header.msg_flags & MSG_TRUNC) != 0)
        return -EPROTO;
    *count = (size_t)got;
    return got == 0 ? -EPIPE : 1; /* an empty packet is none of ours, either */
}
