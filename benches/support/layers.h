/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_LAYERS_H
#define LAM_BENCH_LAYERS_H

/*
 * layers.h: the layers of Lamina as subjects, each in the folder of its name.
 */

#include "lamina/base/error.h"
#include "subject.h"

/*
 * A layer, or a variant of it. The main subject of a layer has no variant: its lines carry the
 * bench's own name. A variant's lines carry bench-VARIANT.
 */
struct bench_layer {
    const struct bench_subject *subject;
    const char *variant; /* NULL: the layer's main subject */
    int batches;         /* 1: several messages can be published at once */
};

/* Those that the installed package has, the main subjects from layer 0 up, then the variants. */
extern const struct bench_layer bench_layers[];
extern const uint32_t bench_layer_count;

extern const struct bench_subject bench_ring;
extern const struct bench_subject bench_ring_hybrid;
extern const struct bench_subject bench_ring_yield;
extern const struct bench_subject bench_ring_futex;
extern const struct bench_subject bench_ring_joined;
extern const struct bench_subject bench_ring_many;
extern const struct bench_subject bench_ring_many_yield;
extern const struct bench_subject bench_ring_merge;
extern const struct bench_subject bench_ring_merge_yield;

/* Layer 0 with options: one commit of so many carries a time. */
#define BENCH_TIMESTAMP_EVERY 16
extern const struct bench_subject bench_ring_timestamp;
extern const struct bench_subject bench_ring_histogram;
extern const struct bench_subject bench_ring_counters;
extern const struct bench_subject bench_ring_all;

extern const struct bench_subject bench_framed;
extern const struct bench_subject bench_framed_yield;

/* Layer 1, messages in frames: the ring is smaller than two of them. Streams alone. */
extern const struct bench_subject bench_framed_frames;

/* Layer 1 with extensions on every message. */
extern const struct bench_subject bench_framed_correlation;
extern const struct bench_subject bench_framed_timestamp;
extern const struct bench_subject bench_framed_crc32c;
extern const struct bench_subject bench_framed_all;

/* Three lanes: all messages in one, or in all by turns. */
extern const struct bench_subject bench_lanes_critical;
extern const struct bench_subject bench_lanes_low;
extern const struct bench_subject bench_lanes_mixed;
extern const struct bench_subject bench_lanes_bounded;

/* A client and its daemon: messages, and requests with their replies. */
extern const struct bench_subject bench_daemon;
extern const struct bench_subject bench_daemon_request;

/* Requests and replies over plain channels; one request to four workers, and their answers. */
extern const struct bench_subject bench_call;
extern const struct bench_subject bench_scatter;

extern const struct bench_subject bench_typed_pod;
extern const struct bench_subject bench_typed_msgpack;
extern const struct bench_subject bench_zerocopy;
extern const struct bench_subject bench_zerocopy_pod;

/* Prints what @error says if @rc is an error. Returns @rc. */
int bench_said(int rc, const struct lam_error *error);

/* Ends the program when a call on the data path fails: no bench goes on with half its messages. */
#ifdef __cplusplus
extern "C" void bench_failed(int rc);
#else
void bench_failed(int rc);
#endif

static inline void bench_must(int rc)
{
    if (__builtin_expect(rc < 0, 0))
        bench_failed(rc);
}

#endif
