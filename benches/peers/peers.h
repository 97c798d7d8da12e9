/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_PEERS_H
#define LAM_BENCH_PEERS_H

/*
 * peers.h: other people's rings as subjects, each in the fastest mode that its manual names.
 *
 * An adapter moves events of BENCH_WORD_BYTES or BENCH_EVENT_BYTES and touches what the layers
 * touch: the payload is written whole and read whole. What a peer copies to get it in and out is
 * part of its price. Its memory is mapped before the processes part, so that it crosses them as it
 * is. Waits are the probes': a pause between two looks.
 */

#include "subject.h"

/* Slots of every peer: some have them as a constant of the type. */
#define BENCH_PEER_SLOTS 4096

struct bench_peer {
    const struct bench_subject *subject; /* NULL: not in this build */
    const char *name;
    const char *why_not; /* where it is not in this build */
    int batches;         /* it has a call for several events at once */
    uint32_t bytes_max;  /* the largest event it moves in this mode */
};

extern const struct bench_peer bench_peers[];
extern const uint32_t bench_peer_count;

#ifdef __cplusplus
extern "C" {
#endif

extern const struct bench_subject bench_peer_ck;
extern const struct bench_subject bench_peer_dpdk;
extern const struct bench_subject bench_peer_dpdk_zc;
extern const struct bench_subject bench_peer_boost;
extern const struct bench_subject bench_peer_atomic_queue;
extern const struct bench_subject bench_peer_atomic_queue_word;
extern const struct bench_subject bench_peer_disruptor;
extern const struct bench_subject bench_peer_disruptor_mp;

#ifdef __cplusplus
}
#endif

#endif
