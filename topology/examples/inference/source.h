/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_SOURCE_H
#define LAM_INFERENCE_SOURCE_H

/*
 * source.h: the trace as a stream of requests that become due, one after the other.
 *
 * Joins trace and pace, and decides what a malformed line does. Holds one request that is not due
 * yet. Never waits.
 */

#include "batch.h"
#include "pace.h"
#include "trace.h"

struct source {
    /* Fields are private, but for the counts. */
    struct trace trace;
    struct pace pace;
    uint32_t skip_malformed;
    uint32_t has_next;
    uint32_t at_end;
    uint64_t next_due_ns;
    struct batch_sequence next;
    uint64_t read_count;      /* requests: the latest one's id */
    uint64_t malformed_count; /* lines passed over */
};

/* What the parameters say. */
struct source_options {
    const char *input;     /* a path, or "-" */
    const char *speed;     /* pace.h */
    const char *malformed; /* "skip" or "fatal" */
};

/*
 * Open the trace. On success source_close() is due.
 *
 * Returns 0, or -EINVAL, or what opening the trace returned; @error says which parameter.
 */
int source_open(
    struct source *source, const struct source_options *options, struct lam_error *error);

void source_close(struct source *source);

/*
 * Take the next request if it is due at @now_ns. Malformed lines are told on standard error; those
 * that are skipped count.
 *
 * Returns 1 and fills *@sequence; 0 none is due; or
 *   -ENODATA the trace is over
 *   -EBADMSG a malformed line, and they are fatal: @error says where and why
 *   -errno   of reading
 */
int source_try_take(struct source *source, uint64_t now_ns, struct batch_sequence *sequence,
    struct lam_error *error);

/* Sleep until a request may be due, but no longer than to @deadline_ns. */
void source_wait(const struct source *source, uint64_t deadline_ns);

#endif
