/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A POSIX message queue for each direction, with as many messages as this machine's settings let
 * an unprivileged process have (/proc/sys/fs/mqueue).
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>

#include "transport.h"

/* A setting of the machine, or what the kernel has where nobody changed it. */
static uint32_t setting(const char *path, uint32_t usual)
{
    FILE *file = fopen(path, "re");
    uint32_t value = usual;

    if (file != NULL) {
        if (fscanf(file, "%u", &value) != 1)
            value = usual;
        fclose(file);
    }
    return value;
}

uint32_t bench_posix_mq_bytes_max(void)
{
    return setting("/proc/sys/fs/mqueue/msgsize_max", 8192);
}

static int open_queue(const struct bench_shape *shape)
{
    uint32_t slots = bench_peer_slots(shape);
    uint32_t most = setting("/proc/sys/fs/mqueue/msg_max", 10);
    struct mq_attr attributes = {
        .mq_maxmsg = slots < most ? slots : most, .mq_msgsize = shape->payload_bytes};
    char name[64];
    int fd;

    bench_peer_name(name, sizeof(name), "/");
    fd = (int)mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
    if (fd < 0)
        return -errno;
    mq_unlink(name);
    return fd;
}

static int open_pair(struct bench_lane *lane)
{
    struct bench_wire *wire = bench_wire_open(lane);

    wire->out = wire->far_in = open_queue(&lane->shape);
    wire->in = wire->far_out = open_queue(&lane->shape);
    return wire->out < 0 ? wire->out : wire->in < 0 ? wire->in : 0;
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct bench_wire *wire = lane->state;

    mq_close(wire->out);
    mq_close(wire->in);
}

BENCH_INLINE void put_posix_mq(uint32_t bytes, struct bench_wire *wire, uint64_t value)
{
    uint32_t looks = 0;

    bench_fill(wire->outbox, bytes, value);
    while (mq_send(wire->out, (const char *)wire->outbox, bytes, 0) != 0) {
        if (errno != EAGAIN && errno != EINTR)
            bench_failed(-errno);
        bench_pause(&looks);
    }
}

BENCH_INLINE uint64_t take_posix_mq(uint32_t bytes, struct bench_wire *wire, int is_late)
{
    uint32_t looks = 0;

    (void)is_late;
    while (mq_receive(wire->in, (char *)wire->inbox, bytes, NULL) != (ssize_t)bytes) {
        if (errno != EAGAIN && errno != EINTR)
            bench_failed(-errno);
        bench_pause(&looks);
    }
    return bench_sum(wire->inbox, bytes);
}

BENCH_LOOPS(posix_mq, struct bench_wire)

const struct bench_subject bench_peer_posix_mq = {.name = "posix_mq",
    .layer = -1,
    .open = open_pair,
    .attach = bench_wire_attach,
    .detach = detach,
    .ask = ask_posix_mq,
    .answer = answer_posix_mq,
    .send = send_posix_mq,
    .receive = receive_posix_mq};
