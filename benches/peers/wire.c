/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of bytes by descriptors: the loops that all of them share.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "transport.h"

void bench_peer_name(char *text, uint32_t capacity, const char *prefix)
{
    static uint32_t count;

    snprintf(text, capacity, "%slamina-bench-%d-%u", prefix, (int)getpid(), count++);
}

struct bench_wire *bench_wire_open(struct bench_lane *lane)
{
    struct bench_wire *wire = bench_private_memory(sizeof(*wire));

    wire->outbox = bench_private_memory(lane->shape.payload_bytes);
    wire->inbox = bench_private_memory(lane->shape.payload_bytes);
    lane->state = wire;
    return wire;
}

int bench_wire_attach(struct bench_lane *lane, uint32_t side)
{
    struct bench_wire *wire = lane->state;
    int out = wire->out, in = wire->in;

    if (side > 0) {
        wire->out = wire->far_out;
        wire->in = wire->far_in;
        wire->far_out = out;
        wire->far_in = in;
    }
    return 0;
}

void bench_wire_detach(struct bench_lane *lane, uint32_t side)
{
    struct bench_wire *wire = lane->state;

    close(wire->out);
    if (wire->in != wire->out)
        close(wire->in);
    close(wire->far_out);
    if (wire->far_in != wire->far_out)
        close(wire->far_in);
}

static void check(ssize_t moved, uint32_t *looks)
{
    if (moved > 0)
        return;
    if (moved == 0)
        bench_failed(-EPIPE);
    if (errno != EAGAIN && errno != EINTR)
        bench_failed(-errno);
    bench_pause(looks);
}

void bench_wire_write(const struct bench_wire *wire, uint32_t bytes)
{
    uint32_t looks = 0;

    for (uint32_t done = 0; done < bytes;) {
        ssize_t moved = write(wire->out, wire->outbox + done, bytes - done);

        check(moved, &looks);
        done += moved > 0 ? (uint32_t)moved : 0;
    }
}

void bench_wire_read(const struct bench_wire *wire, uint32_t bytes)
{
    uint32_t looks = 0;

    for (uint32_t done = 0; done < bytes;) {
        ssize_t moved = read(wire->in, wire->inbox + done, bytes - done);

        check(moved, &looks);
        done += moved > 0 ? (uint32_t)moved : 0;
    }
}

int bench_wire_no_block(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ? -errno : 0;
}

BENCH_LOOPS(wire, struct bench_wire)

#define LOOPS                                                                                      \
    .layer = -1, .attach = bench_wire_attach, .detach = bench_wire_detach, .ask = ask_wire,        \
    .answer = answer_wire, .send = send_wire, .receive = receive_wire

int bench_unix_stream_open(struct bench_lane *lane);
int bench_unix_seqpacket_open(struct bench_lane *lane);
int bench_tcp_open(struct bench_lane *lane);
int bench_pipe_open(struct bench_lane *lane);

const struct bench_subject bench_peer_unix_stream = {
    .name = "unix_stream", .open = bench_unix_stream_open, LOOPS};
const struct bench_subject bench_peer_unix_seqpacket = {
    .name = "unix_seqpacket", .open = bench_unix_seqpacket_open, LOOPS};
const struct bench_subject bench_peer_tcp = {.name = "tcp_loopback", .open = bench_tcp_open, LOOPS};
const struct bench_subject bench_peer_pipe = {.name = "named_pipe", .open = bench_pipe_open, LOOPS};
