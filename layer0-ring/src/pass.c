/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message: what it is, which ring, and the descriptors of data and control. What arrives is a
 * stranger's: counted, checked, and closed where it is not what was said.
 */
#include "lamina/ring/pass.h"
#include "lamina/base/poll.h"
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASS_MAGIC  UINT64_C(0x31535350414d414c) /* "LAMAPSS1" */
#define PASS_FDS    2
#define GIVEN_COUNT 16 /* descriptors that a stranger may send along, and that we close */

struct pass_message {
    uint64_t magic;
    uint64_t ring_id;
};

/* Room for descriptors, aligned as the kernel wants it. */
union pass_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(GIVEN_COUNT * sizeof(int))];
};

/* What came: descriptors past the second are counted and closed. */
struct pass_given {
    struct pass_message message;
    size_t bytes; /* of the message */
    int fds[GIVEN_COUNT];
    size_t count;
    int too_many;
};

/* At once, or a poll that never comes true would be taken for a peer that is silent. */
static int check_socket(int socket)
{
    int type;
    socklen_t bytes = sizeof(type);

    return getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 ? 0 : -errno;
}

static int send_message(int socket, uint64_t ring_id, const int *fds, uint64_t deadline_ns)
{
    struct pass_message message = {.magic = PASS_MAGIC, .ring_id = ring_id};
    struct iovec part = {.iov_base = &message, .iov_len = sizeof(message)};
    union pass_control control = {.bytes = {0}};
    struct msghdr header = {.msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = CMSG_SPACE(PASS_FDS * sizeof(int))};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    ssize_t sent;

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(PASS_FDS * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, PASS_FDS * sizeof(int));
    do {
        int rc = lam_poll_until(socket, POLLOUT, deadline_ns);

        if (rc != 0)
            return rc;
        sent = sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && (errno == EAGAIN || errno == EINTR));
    if (sent < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    return sent == (ssize_t)sizeof(message) ? 0 : -EIO;
}

/* Another descriptor of @segment's object that can only be read. Returns it or -errno. */
static int open_for_reading(const struct lam_segment *segment)
{
    char path[40];
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", segment->fd);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : errno == ENOENT ? -ENOTSUP : -errno;
}

int lam_ring_send(int socket, const struct lam_ring *ring, enum lam_access access,
    uint64_t deadline_ns, struct lam_error *error)
{
    int fds[PASS_FDS] = {ring->data.fd, ring->control.fd};
    int rc = check_socket(socket);

    if (rc != 0)
        return lam_error_set(error, rc, "descriptor %d: %s", socket, strerror(-rc));
    if (ring->control.path[0] != '\0')
        return lam_error_set(error, -EINVAL,
            "ring %s: has a name, by which it is attached; only a ring without one is passed",
            ring->name);
    if (access != LAM_ACCESS_READ && access != LAM_ACCESS_WRITE)
        return lam_error_set(
            error, -EINVAL, "ring %s: there is no access %d", ring->name, (int)access);
    if (access == LAM_ACCESS_READ)
        fds[0] = open_for_reading(&ring->data);
    if (fds[0] < 0)
        return lam_error_set(error, fds[0], "ring %s: cannot open its data for reading: %s",
            ring->name, strerror(-fds[0]));
    rc = send_message(socket, ring->ring_id, fds, deadline_ns);
    if (fds[0] != ring->data.fd)
        (void)close(fds[0]);
    if (rc != 0)
        return lam_error_set(error, rc, "ring %s: cannot be sent: %s", ring->name, strerror(-rc));
    return 0;
}

static void take_fds(struct msghdr *header, struct pass_given *given)
{
    struct cmsghdr *part;

    given->too_many |= (header->msg_flags & MSG_CTRUNC) != 0;
    for (part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part)) {
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
            if (given->count == GIVEN_COUNT) {
                given->too_many = 1;
                (void)close(fd);
            } else {
                given->fds[given->count++] = fd;
            }
        }
    }
}

/* All of one message, and of a stream no byte more. */
static int receive_message(int socket, struct pass_given *given, uint64_t deadline_ns)
{
    while (given->bytes < sizeof(given->message)) {
        struct iovec part = {.iov_base = (char *)&given->message + given->bytes,
            .iov_len = sizeof(given->message) - given->bytes};
        union pass_control control = {.bytes = {0}};
        struct msghdr header = {.msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = control.bytes,
            .msg_controllen = sizeof(control.bytes)};
        int rc = lam_poll_until(socket, POLLIN, deadline_ns);
        ssize_t more;

        if (rc != 0)
            return rc;
        more = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (more < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (more <= 0)
            return more == 0 ? -EPIPE : -errno;
        take_fds(&header, given);
        given->bytes += (size_t)more;
        if ((header.msg_flags & MSG_TRUNC) != 0)
            return -EPROTO; /* one packet, and longer */
    }
    return 0;
}

static void fill_peer(int socket, struct lam_ring_peer *peer)
{
    struct ucred who = {0};
    socklen_t bytes = sizeof(who);

    *peer = (struct lam_ring_peer){.uid = (uid_t)-1, .gid = (gid_t)-1};
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &bytes) == 0)
        *peer = (struct lam_ring_peer){.pid = who.pid, .uid = who.uid, .gid = who.gid};
}

static int attach_given(struct lam_ring *ring, const struct pass_given *given,
    const struct lam_ring_attach_options *options, struct lam_error *error)
{
    const struct pass_message *message = &given->message;
    int rc;

    if (message->magic != PASS_MAGIC)
        return lam_error_set(error, -EPROTO,
            "what came is no ring, but bytes of something else: they begin with 0x%llx, and what "
            "lam_ring_send() gives with 0x%llx",
            (unsigned long long)message->magic, (unsigned long long)PASS_MAGIC);
    if (given->too_many && given->count < PASS_FDS) /* the kernel gives as many as we may open */
        return lam_error_set(error, -EMFILE,
            "a ring came, but this process may not open its descriptors: %zu of %d", given->count,
            PASS_FDS);
    if (given->count != PASS_FDS || given->too_many)
        return lam_error_set(error, -EPROTO,
            "what came is no ring: with %zu%s descriptors, expected %d", given->count,
            given->too_many ? " or more" : "", PASS_FDS);
    rc = lam_ring_attach_fds(ring, given->fds[0], given->fds[1], options, error);
    if (rc != 0)
        return rc;
    if (ring->ring_id == message->ring_id)
        return 0;
    lam_ring_detach(ring);
    return lam_error_set(error, -EPROTO, "ring id is 0x%llx, expected 0x%llx as it was announced",
        (unsigned long long)ring->ring_id, (unsigned long long)message->ring_id);
}

/* Says what is missing: half a message is another's, or its giver's end. Returns @rc. */
static int tell_why_none(const struct pass_given *given, int rc, struct lam_error *error)
{
    if (rc == -EPROTO)
        return lam_error_set(error, rc, "what came is no ring, but a packet of more than %zu bytes",
            sizeof(given->message));
    if (given->bytes != 0)
        return lam_error_set(error, rc,
            "no ring came, but %zu bytes of the %zu that announce one: %s", given->bytes,
            sizeof(given->message), strerror(-rc));
    return lam_error_set(error, rc, "no ring came: %s", strerror(-rc));
}

int lam_ring_receive(int socket, struct lam_ring *ring,
    const struct lam_ring_attach_options *options, struct lam_ring_peer *peer,
    struct lam_error *error)
{
    struct pass_given given = {.count = 0};
    int rc = check_socket(socket);

    lam_ring_clear(ring);
    if (rc != 0)
        return lam_error_set(error, rc, "descriptor %d: %s", socket, strerror(-rc));
    if (peer != NULL)
        fill_peer(socket, peer);
    rc = receive_message(socket, &given, options->deadline_ns);
    if (rc != 0)
        rc = tell_why_none(&given, rc, error);
    else
        rc = attach_given(ring, &given, options, error);
    for (size_t i = 0; i < given.count; i++)
        (void)close(given.fds[i]);
    return rc;
}
