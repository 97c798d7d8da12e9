/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_PEERS_H
#define LAM_BENCH_PEERS_H

/*
 * peers.h: other people's rings and transports as subjects, each in the fastest mode that its
 * manual names.
 *
 * Rings (level 0) move events of BENCH_WORD_BYTES or BENCH_EVENT_BYTES and stand beside layer 0;
 * transports (level 1) move messages of any size and stand beside layer 1. All touch what the
 * layers touch: the payload is written whole and read whole. What a peer copies to get it in and
 * out is part of its price. What has to be the same in both processes is made before they part.
 * Waits are the probes' where the peer lets us wait: a pause between two looks.
 */

#include "subject.h"

/* Slots of every ring: some have them as a constant of the type. */
#define BENCH_PEER_SLOTS 4096

struct bench_peer {
    const struct bench_subject *subject; /* NULL: not in this build */
    const char *name;
    const char *why_not; /* where it is not in this build */
    uint32_t level;
    int batches;                  /* it has a call for several events at once */
    uint32_t bytes_max;           /* the largest payload it moves in this mode */
    uint32_t (*bytes_here)(void); /* the same, where this machine's settings say; or NULL */
};

extern const struct bench_peer bench_peers[];
extern const uint32_t bench_peer_count;

/* Whether @peer is in this build, of @level, and moves payloads of @payload_bytes. */
int bench_peer_has(const struct bench_peer *peer, uint32_t level, uint32_t payload_bytes);

/* When both processes of a run are gone, by the first one's number: removes what peers left. */
void bench_peers_clean(int run);

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

extern const struct bench_subject bench_peer_boost_mq;
extern const struct bench_subject bench_peer_flags;
extern const struct bench_subject bench_peer_iceoryx2;
extern const struct bench_subject bench_peer_memlink;
extern const struct bench_subject bench_peer_myelon;
extern const struct bench_subject bench_peer_myelon_sized;
extern const struct bench_subject bench_peer_nng;
extern const struct bench_subject bench_peer_pipe;
extern const struct bench_subject bench_peer_posix_mq;
extern const struct bench_subject bench_peer_tcp;
extern const struct bench_subject bench_peer_unix_seqpacket;
extern const struct bench_subject bench_peer_unix_stream;
extern const struct bench_subject bench_peer_zeromq;

uint32_t bench_posix_mq_bytes_max(void);
void bench_peer_clean_rust(int run);

#ifdef __cplusplus
}
#endif

#endif
