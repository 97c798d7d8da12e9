/* SPDX-License-Identifier: Apache-2.0 */
#include "peers.h"

#include <stddef.h>

#include "layers.h"
#include "payload.h"
#include "peers_chart.h"

/* What the build found: BENCH_WITH_... for each. A subject that was not compiled is not named. */
#ifdef BENCH_WITH_CK
#define CK(subject) &(subject)
#else
#define CK(subject) NULL
#endif
#ifdef BENCH_WITH_DPDK
#define DPDK(subject) &(subject)
#else
#define DPDK(subject) NULL
#endif
#ifdef BENCH_WITH_BOOST
#define BOOST(subject) &(subject)
#else
#define BOOST(subject) NULL
#endif
#ifdef BENCH_WITH_ATOMIC_QUEUE
#define ATOMIC_QUEUE(subject) &(subject)
#else
#define ATOMIC_QUEUE(subject) NULL
#endif
#ifdef BENCH_WITH_BOOST_MQ
#define BOOST_MQ(subject) &(subject)
#else
#define BOOST_MQ(subject) NULL
#endif
#ifdef BENCH_WITH_ZEROMQ
#define ZEROMQ(subject) &(subject)
#else
#define ZEROMQ(subject) NULL
#endif
#ifdef BENCH_WITH_NNG
#define NNG(subject) &(subject)
#else
#define NNG(subject) NULL
#endif
#ifdef BENCH_WITH_DISRUPTOR
#define DISRUPTOR(subject) &(subject)
#else
#define DISRUPTOR(subject) NULL
#endif
#ifdef BENCH_WITH_MP
#define DISRUPTOR_MP(subject) &(subject)
#else
#define DISRUPTOR_MP(subject) NULL
#endif

#ifdef BENCH_WITH_MYELON
#define MYELON(subject) &(subject)
#else
#define MYELON(subject) NULL
#endif
#ifdef BENCH_WITH_MEMLINK
#define MEMLINK(subject) &(subject)
#else
#define MEMLINK(subject) NULL
#endif
#ifdef BENCH_WITH_ICEORYX2
#define ICEORYX2(subject) &(subject)
#else
#define ICEORYX2(subject) NULL
#endif

#define NO_CK           "it needs ck_ring.h (Debian: libck-dev)"
#define NO_DPDK         "it needs pkg-config's libdpdk (Debian: libdpdk-dev)"
#define NO_BOOST        "it needs a C++ compiler and boost/lockfree (Debian: libboost-dev)"
#define NO_ATOMIC_QUEUE "it needs a C++ compiler and atomic_queue (Debian: libatomic-queue-dev)"

#define NO_BOOST_MQ "it needs a C++ compiler and boost/interprocess (Debian: libboost-dev)"
#define NO_ZEROMQ   "it needs zmq.h (Debian: libzmq3-dev)"
#define NO_NNG      "it needs nng/nng.h (Debian: libnng-dev)"

#define ANY BENCH_PAYLOAD_BYTES_MAX

/* A packet is one piece of the kernel's memory, which a socket's buffer bounds. */
#define PACKET_BYTES_MAX 131072

const struct bench_peer bench_peers[] = {
    {CK(bench_peer_ck), "ck_ring", NO_CK, 0, 0, BENCH_EVENT_BYTES, NULL},
    {DPDK(bench_peer_dpdk), "rte_ring", NO_DPDK, 0, 1, BENCH_EVENT_BYTES, NULL},
    {DPDK(bench_peer_dpdk_zc), "rte_ring_zc", NO_DPDK, 0, 1, BENCH_EVENT_BYTES, NULL},
    {BOOST(bench_peer_boost), "boost_spsc_queue", NO_BOOST, 0, 1, BENCH_EVENT_BYTES, NULL},
    {ATOMIC_QUEUE(bench_peer_atomic_queue), "AtomicQueue2", NO_ATOMIC_QUEUE, 0, 0,
        BENCH_EVENT_BYTES, NULL},
    {ATOMIC_QUEUE(bench_peer_atomic_queue_word), "AtomicQueue", NO_ATOMIC_QUEUE, 0, 0,
        BENCH_WORD_BYTES, NULL},
    {DISRUPTOR(bench_peer_disruptor), "disruptor", BENCH_WHY_NOT_RUST, 0, 1, BENCH_EVENT_BYTES,
        NULL},
    {DISRUPTOR_MP(bench_peer_disruptor_mp), "disruptor_mp", BENCH_WHY_NOT_RUST, 0, 1,
        BENCH_EVENT_BYTES, NULL},

    {&bench_peer_flags, "flag_queue", NULL, 1, 0, ANY, NULL},
    {BOOST_MQ(bench_peer_boost_mq), "boost_message_queue", NO_BOOST_MQ, 1, 0, ANY, NULL},
    {&bench_peer_posix_mq, "posix_mq", NULL, 1, 0, ANY, bench_posix_mq_bytes_max},
    {&bench_peer_unix_stream, "unix_stream", NULL, 1, 0, ANY, NULL},
    {&bench_peer_unix_seqpacket, "unix_seqpacket", NULL, 1, 0, PACKET_BYTES_MAX, NULL},
    {&bench_peer_pipe, "named_pipe", NULL, 1, 0, ANY, NULL},
    {&bench_peer_tcp, "tcp_loopback", NULL, 1, 0, ANY, NULL},
    {ZEROMQ(bench_peer_zeromq), "zeromq_ipc", NO_ZEROMQ, 1, 0, ANY, NULL},
    {NNG(bench_peer_nng), "nng_ipc", NO_NNG, 1, 0, ANY, NULL},
    {MYELON(bench_peer_myelon), "myelon", BENCH_WHY_NOT_RUST, 1, 0, ANY, NULL},
    {MYELON(bench_peer_myelon_sized), "myelon_sized", BENCH_WHY_NOT_RUST, 1, 0, ANY, NULL},
    {ICEORYX2(bench_peer_iceoryx2), "iceoryx2", BENCH_WHY_NOT_RUST, 1, 0, ANY, NULL},
    {MEMLINK(bench_peer_memlink), "memlink_shm", BENCH_WHY_NOT_RUST, 1, 0, 4096, NULL},
};
const uint32_t bench_peer_count = sizeof(bench_peers) / sizeof(bench_peers[0]);

#ifdef BENCH_WITH_FRAMED
const struct bench_subject *const bench_peers_framed = &bench_framed;
#else
const struct bench_subject *const bench_peers_framed = NULL;
#endif

int bench_peer_has(const struct bench_peer *peer, uint32_t level, uint32_t payload_bytes)
{
    if (peer->subject == NULL || peer->level != level || payload_bytes > peer->bytes_max)
        return 0;
    return peer->bytes_here == NULL || payload_bytes <= peer->bytes_here();
}

void bench_peers_clean(int run)
{
#ifdef BENCH_WITH_DISRUPTOR
    bench_peer_clean_rust(run);
#endif
}
