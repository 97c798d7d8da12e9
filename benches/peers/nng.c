/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nng: a pair of pair0 sockets over ipc, with messages that are made and read where they lie
 * (nng_msg). Its threads run on the CPU of their process, so its calls wait asleep.
 */
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>

#include "transport.h"

struct end {
    nng_socket socket;
    char address[64];
};

static int open_pair(struct bench_lane *lane)
{
    struct end *end = bench_private_memory(sizeof(*end));

    bench_peer_name(end->address, sizeof(end->address), "abstract://");
    lane->state = end;
    return 0;
}

/* Its errors are numbers of its own. */
BENCH_INLINE void must(int rc)
{
    if (__builtin_expect(rc != 0, 0))
        bench_failed(-EIO);
}

BENCH_INLINE void put_nng(uint32_t bytes, struct end *end, uint64_t value)
{
    nng_msg *message;

    must(nng_msg_alloc(&message, bytes));
    bench_fill(nng_msg_body(message), bytes, value);
    must(nng_sendmsg(end->socket, message, 0));
}

BENCH_INLINE uint64_t take_nng(uint32_t bytes, struct end *end, int is_late)
{
    nng_msg *message;
    uint64_t sum;

    (void)is_late;
    must(nng_recvmsg(end->socket, &message, 0));
    if (nng_msg_len(message) != bytes)
        bench_failed(-EBADMSG);
    sum = bench_sum(nng_msg_body(message), bytes);
    nng_msg_free(message);
    return sum;
}

static int join(struct end *end, uint32_t side, int slots)
{
    int rc = nng_pair0_open(&end->socket);

    if (rc == 0)
        rc = nng_socket_set_int(end->socket, NNG_OPT_SENDBUF, slots);
    if (rc == 0)
        rc = nng_socket_set_int(end->socket, NNG_OPT_RECVBUF, slots);
    if (rc == 0)
        rc = nng_socket_set_size(end->socket, NNG_OPT_RECVMAXSZ, 0);
    if (rc == 0)
        rc = nng_socket_set_ms(end->socket, NNG_OPT_RECONNMINT, 1);
    if (rc == 0)
        rc = side == 0 ? nng_listen(end->socket, end->address, NULL, 0)
                       : nng_dial(end->socket, end->address, NULL, NNG_FLAG_NONBLOCK);
    return rc;
}

/* Each side has heard the other one before a window begins. */
static int attach(struct bench_lane *lane, uint32_t side)
{
    struct end *end = lane->state;

    if (join(end, side, (int)bench_peer_slots(&lane->shape)) != 0)
        return -EIO;
    put_nng(BENCH_WORD_BYTES, end, side);
    return take_nng(BENCH_WORD_BYTES, end, 1) == 1 - side ? 0 : -EPROTO;
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct end *end = lane->state;

    nng_close(end->socket);
}

BENCH_LOOPS(nng, struct end)

const struct bench_subject bench_peer_nng = {.name = "nng_ipc",
    .layer = -1,
    .threads = 1,
    .open = open_pair,
    .attach = attach,
    .detach = detach,
    .ask = ask_nng,
    .answer = answer_nng,
    .send = send_nng,
    .receive = receive_nng};
