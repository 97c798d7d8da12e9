/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RING_PASS_H
#define LAM_RING_PASS_H

/*
 * lamina/ring/pass.h: giving a ring without a name to another process, over a Unix socket.
 *
 * Ring, layer 0. The descriptors of both objects travel with one small message. Whoever has them
 * needs no file system and no permission of names; who the giver is, the kernel says. Any stream or
 * sequenced-packet socket, of a pair or of a connection; the socket stays the caller's, and a
 * stream may carry other messages before and after.
 *
 * Control plane: any thread, one at a time on a socket and a ring.
 */

#include "lamina/ring/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who is at the other end, as the kernel says: of when the socket was connected or paired. */
struct lam_ring_peer {
    pid_t pid; /* as it is in our PID namespace; 0 when it has none there */
    uid_t uid;
    gid_t gid;
};

/*
 * Give @ring to the process at the other end of @socket. With LAM_ACCESS_READ it gets a descriptor
 * of data that maps read-only; a process that may open our objects can make itself another, unless
 * the ring is hardened. The ring stays ours, too.
 *
 * Returns 0, or
 *   -EINVAL    the ring has a name: pass that. There is no such access
 *   -ETIMEDOUT the other end takes nothing until @deadline_ns
 *   -EPIPE     the other end is closed
 *   -ENOTSUP   no /proc: no read-only descriptor can be made
 *   -EIO       a part of the message was sent: a stream socket that is all but full
 *   -EBADF, -ENOTSOCK at once: @socket is none
 *   -errno     of sendmsg
 */
int lam_ring_send(int socket, const struct lam_ring *ring, enum lam_access access,
    uint64_t deadline_ns, struct lam_error *error);

/*
 * Take the ring that the other end gives, waiting until options->deadline_ns, and attach it: name
 * and directory are not used. *@peer is filled where it is not NULL and the socket's end is known,
 * before anything of the peer's is looked at. Whatever else came with the message is closed.
 *
 * Returns as lam_ring_attach_fds(), or
 *   -ETIMEDOUT nothing came
 *   -EPIPE     the other end is closed
 *   -EMFILE    a ring came, and this process may open no more descriptors
 *   -EPROTO    what came is no ring: not our message, or not with two descriptors; @error says
 *              what came instead
 *   -EBADF, -ENOTSOCK at once: @socket is none
 *   -errno     of recvmsg
 */
int lam_ring_receive(int socket, struct lam_ring *ring,
    const struct lam_ring_attach_options *options, struct lam_ring_peer *peer,
    struct lam_error *error);

#ifdef __cplusplus
}
#endif

#endif
