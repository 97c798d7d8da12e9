/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_TRACE_H
#define LAM_RUNTIME_TRACE_H

/*
 * lamina/runtime/trace.h: what was called within what, and how long each took.
 *
 * Runtime, floor 6. The outermost stage of the path of every module of a runtime. A call of the
 * program begins a trace, or none, by sampling; calls within it belong to it, whatever module they
 * go to and whatever process that runs in. Each is a span below the one that called it. A module
 * sees its own in its struct lam_call; what a worker writes there is not believed. A call that came
 * from another process by lamina/runtime/remote.h goes on with the trace that it came with, and its
 * sampling.
 *
 * A span is told when its call ends, so those below come before it. Calls that end before the path
 * (no such module or method, too deep) have none.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_TRACE_RING_MAX 65536

struct lam_span {
    uint64_t id[2];    /* of the trace: the same in all of its spans; never zero */
    uint64_t span;     /* never 0 */
    uint64_t parent;   /* the span that called, here or in a client; 0: the program did */
    uint64_t start_ns; /* monotonic */
    uint64_t duration_ns;
    uint64_t generation;
    int32_t rc;       /* what the call returned */
    uint32_t failure; /* enum lam_failure */
    uint32_t method;
    uint32_t depth; /* 0: called by the program */
    char module[LAM_NAME_BYTES_MAX];
    char method_name[LAM_NAME_BYTES_MAX]; /* the module's own: "*" where that one serves the id */
};

/* Called by the thread whose call has ended, many at a time. @span is borrowed for the visit. */
typedef void (*lam_trace_sink_fn)(void *context, const struct lam_span *span);

/* One of sink and ring_spans is needed. */
struct lam_trace_options {
    lam_trace_sink_fn sink; /* or NULL */
    void *context;          /* kept */
    /* Spans kept for lam_trace_read(), the oldest of which is lost for one more: a power of two up
     * to LAM_TRACE_RING_MAX, 200 bytes each; 0: none, and no lock. */
    uint32_t ring_spans;
    uint32_t sample_every; /* one of so many calls of the program is traced, at random; 0, 1: all */
};

/*
 * Take the oldest spans that are kept, at most @capacity, out of the ring. *@lost, where not NULL,
 * is how many were lost since the last one who asked. Any thread.
 *
 * Returns how many; 0 where there is no ring.
 */
uint32_t lam_trace_read(
    struct lam_runtime *runtime, struct lam_span *spans, uint32_t capacity, uint64_t *lost);

#ifdef __cplusplus
}
#endif

#endif
