/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of connected Unix sockets, of bytes or of packets. A packet has to fit the buffer of its
 * socket, which is as large here as the kernel lets it be.
 */
#include <sys/socket.h>

#include "transport.h"

#define BUFFER_BYTES (1 << 20)

static int open_sockets(struct bench_lane *lane, int type)
{
    struct bench_wire *wire = bench_wire_open(lane);
    int bytes = BUFFER_BYTES, fds[2];

    if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) != 0)
            return -errno;
    wire->out = wire->in = fds[0];
    wire->far_out = wire->far_in = fds[1];
    return 0;
}

int bench_unix_stream_open(struct bench_lane *lane)
{
    return open_sockets(lane, SOCK_STREAM);
}

int bench_unix_seqpacket_open(struct bench_lane *lane)
{
    return open_sockets(lane, SOCK_SEQPACKET);
}
