/* SPDX-License-Identifier: Apache-2.0 */
/* A question and its answer over a Unix socket of packets, whose ends sleep or ask all the time. */
#include "module.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "layers.h"
#include "payload.h"

#define PAYLOAD_BYTES MODULE_TRIP_BYTES

struct ends {
    int fds[2];
    uint8_t packet[PAYLOAD_BYTES];
};

static int open_ends(struct bench_lane *lane, int flags)
{
    struct ends *ends = bench_private_memory(sizeof(*ends));

    lane->state = ends;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0, ends->fds) != 0 ? -errno
                                                                                         : 0;
}

static int open_asleep(struct bench_lane *lane)
{
    return open_ends(lane, 0);
}

static int open_asking(struct bench_lane *lane)
{
    return open_ends(lane, SOCK_NONBLOCK);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    const struct ends *ends = lane->state;

    close(ends->fds[0]);
    close(ends->fds[1]);
}

static void put(struct ends *ends, uint32_t side, uint64_t value)
{
    bench_fill(ends->packet, PAYLOAD_BYTES, value);
    bench_must(send(ends->fds[side], ends->packet, PAYLOAD_BYTES, MSG_NOSIGNAL) == PAYLOAD_BYTES
                   ? 0
                   : -errno);
}

static uint64_t get(struct ends *ends, uint32_t side)
{
    uint32_t looks = 0;
    ssize_t got;

    while ((got = recv(ends->fds[side], ends->packet, PAYLOAD_BYTES, 0)) < 0 && errno == EAGAIN)
        bench_pause(&looks);
    bench_must(got == PAYLOAD_BYTES ? 0 : -EIO);
    return bench_sum(ends->packet, PAYLOAD_BYTES);
}

static uint64_t ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    for (uint64_t i = 0; i < count; i++) {
        put(lane->state, 0, value);
        value = get(lane->state, 0);
    }
    return value;
}

static uint64_t answer(struct bench_lane *lane, uint64_t count)
{
    uint64_t value = 0;

    for (uint64_t i = 0; i < count; i++) {
        value = get(lane->state, 1);
        put(lane->state, 1, value);
    }
    return value;
}

const struct bench_subject module_socket_asleep = {.name = "sleeps",
    .layer = -1,
    .open = open_asleep,
    .detach = detach,
    .ask = ask,
    .answer = answer};
const struct bench_subject module_socket_asking = {.name = "asks",
    .layer = -1,
    .open = open_asking,
    .detach = detach,
    .ask = ask,
    .answer = answer};
