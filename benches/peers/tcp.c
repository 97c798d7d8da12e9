/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCP connection over the loopback, which sends at once (TCP_NODELAY), and does not block.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport.h"

static int prepare(int fd)
{
    int on = 1;

    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        return -errno;
    return bench_wire_no_block(fd);
}

int bench_tcp_open(struct bench_lane *lane)
{
    struct bench_wire *wire = bench_wire_open(lane);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), far, rc;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* and a port that the kernel finds */
    if (listener < 0 || near < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        connect(near, (struct sockaddr *)&address, length) != 0)
        return -errno;
    far = accept(listener, NULL, NULL);
    rc = prepare(near);
    if (rc == 0)
        rc = prepare(far);
    close(listener);
    wire->out = wire->in = near;
    wire->far_out = wire->far_in = far;
    return rc;
}
