/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ZeroMQ: a pair of PAIR sockets over ipc. Messages are made and read in the library's own memory
 * (zmq_msg_t), which saves a copy on each side. Its I/O threads run on the CPU of their process, so
 * its calls wait asleep: a spin would be in their way.
 */
#include <zmq.h>

#include "transport.h"

struct end {
    void *context, *socket;
    char address[64];
};

static int open_pair(struct bench_lane *lane)
{
    struct end *end = bench_private_memory(sizeof(*end));

    bench_peer_name(end->address, sizeof(end->address), "ipc://@");
    lane->state = end;
    return 0;
}

BENCH_INLINE void put_zeromq(uint32_t bytes, struct end *end, uint64_t value)
{
    zmq_msg_t message;

    if (zmq_msg_init_size(&message, bytes) != 0)
        bench_failed(-ENOMEM);
    bench_fill(zmq_msg_data(&message), bytes, value);
    while (zmq_msg_send(&message, end->socket, 0) < 0)
        if (errno != EINTR)
            bench_failed(-errno);
}

BENCH_INLINE uint64_t take_zeromq(uint32_t bytes, struct end *end, int is_late)
{
    zmq_msg_t message;
    uint64_t sum;

    (void)is_late;
    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, end->socket, 0) < 0)
        if (errno != EINTR)
            bench_failed(-errno);
    if (zmq_msg_size(&message) != bytes)
        bench_failed(-EBADMSG);
    sum = bench_sum(zmq_msg_data(&message), bytes);
    zmq_msg_close(&message);
    return sum;
}

static int prepare(struct end *end, int slots)
{
    int retry_ms = 1, linger_ms = 0;

    zmq_setsockopt(end->socket, ZMQ_SNDHWM, &slots, sizeof(slots));
    zmq_setsockopt(end->socket, ZMQ_RCVHWM, &slots, sizeof(slots));
    zmq_setsockopt(end->socket, ZMQ_RECONNECT_IVL, &retry_ms, sizeof(retry_ms));
    return zmq_setsockopt(end->socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
}

/* A context is of one process. Each side has heard the other one before a window begins. */
static int attach(struct bench_lane *lane, uint32_t side)
{
    struct end *end = lane->state;
    int rc;

    end->context = zmq_ctx_new();
    end->socket = end->context ? zmq_socket(end->context, ZMQ_PAIR) : NULL;
    if (end->socket == NULL || prepare(end, (int)bench_peer_slots(&lane->shape)) != 0)
        return -errno;
    rc = side == 0 ? zmq_bind(end->socket, end->address) : zmq_connect(end->socket, end->address);
    if (rc != 0)
        return -errno;
    put_zeromq(BENCH_WORD_BYTES, end, side);
    return take_zeromq(BENCH_WORD_BYTES, end, 1) == 1 - side ? 0 : -EPROTO;
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct end *end = lane->state;

    zmq_close(end->socket);
    zmq_ctx_term(end->context);
}

BENCH_LOOPS(zeromq, struct end)

const struct bench_subject bench_peer_zeromq = {.name = "zeromq_ipc",
    .layer = -1,
    .threads = 1,
    .open = open_pair,
    .attach = attach,
    .detach = detach,
    .ask = ask_zeromq,
    .answer = answer_zeromq,
    .send = send_zeromq,
    .receive = receive_zeromq};
