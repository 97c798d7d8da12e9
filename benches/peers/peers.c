/* SPDX-License-Identifier: Apache-2.0 */
#include "peers.h"

#include <stddef.h>

#include "payload.h"

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
#ifdef BENCH_WITH_DISRUPTOR
#define DISRUPTOR(subject) &(subject)
#else
#define DISRUPTOR(subject) NULL
#endif
#ifdef BENCH_WITH_DISRUPTOR_MP
#define DISRUPTOR_MP(subject) &(subject)
#else
#define DISRUPTOR_MP(subject) NULL
#endif

#define NO_CK           "it needs ck_ring.h (Debian: libck-dev)"
#define NO_DPDK         "it needs pkg-config's libdpdk (Debian: libdpdk-dev)"
#define NO_BOOST        "it needs a C++ compiler and boost/lockfree (Debian: libboost-dev)"
#define NO_ATOMIC_QUEUE "it needs a C++ compiler and atomic_queue (Debian: libatomic-queue-dev)"

const struct bench_peer bench_peers[] = {
    {CK(bench_peer_ck), "ck_ring", NO_CK, 0, BENCH_EVENT_BYTES},
    {DPDK(bench_peer_dpdk), "rte_ring", NO_DPDK, 1, BENCH_EVENT_BYTES},
    {DPDK(bench_peer_dpdk_zc), "rte_ring_zc", NO_DPDK, 1, BENCH_EVENT_BYTES},
    {BOOST(bench_peer_boost), "boost_spsc_queue", NO_BOOST, 1, BENCH_EVENT_BYTES},
    {ATOMIC_QUEUE(bench_peer_atomic_queue), "AtomicQueue2", NO_ATOMIC_QUEUE, 0, BENCH_EVENT_BYTES},
    {ATOMIC_QUEUE(bench_peer_atomic_queue_word), "AtomicQueue", NO_ATOMIC_QUEUE, 0,
        BENCH_WORD_BYTES},
    {DISRUPTOR(bench_peer_disruptor), "disruptor", BENCH_WHY_NOT_RUST, 1, BENCH_EVENT_BYTES},
    {DISRUPTOR_MP(bench_peer_disruptor_mp), "disruptor_mp", BENCH_WHY_NOT_RUST, 1,
        BENCH_EVENT_BYTES},
};
const uint32_t bench_peer_count = sizeof(bench_peers) / sizeof(bench_peers[0]);
