/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_TRACE_H
#define LAM_INFERENCE_TRACE_H

/*
 * trace.h: reads a CSV trace of requests, line by line, as it arrives.
 *
 * One line is a request: TIMESTAMP,ContextTokens,GeneratedTokens. Lines end in LF or CR LF; the
 * last may end with the file. The first line may be the header of just these names. Timestamps are
 * "YYYY-MM-DD HH:MM:SS" with up to nine digits of a second behind a point, and never go back. A
 * file without lines is a trace without requests.
 *
 * Never waits unless asked to, never holds more than one block of the input, never reorders.
 */

#include <stdint.h>

#include "lamina/base/error.h"

/* What a line may say. */
#define TRACE_TOKENS_MAX     UINT32_C(1000000)
#define TRACE_LINE_BYTES_MAX 256

struct trace_line {
    uint64_t arrival_ns; /* since the epoch, as the trace tells time */
    uint32_t context_tokens;
    uint32_t generated_tokens;
};

struct trace {
    /* Fields are private. */
    int fd;
    uint32_t at_end;      /* the input has no more bytes */
    uint64_t line_number; /* of the line read last, from 1 */
    uint64_t latest_ns;   /* no arrival is earlier */
    uint64_t lines_total; /* of a regular file; 0 unknown */
    uint32_t first;       /* unread bytes are block[first] to block[end - 1] */
    uint32_t end;
    uint32_t skipping; /* inside a line that is too long */
    char name[256];    /* for messages */
    char block[65536];
};

/*
 * Open @path, or standard input for "-".
 *
 * Returns 0, or -errno of open() or read(); @error says which file.
 */
int trace_open(struct trace *trace, const char *path, struct lam_error *error);

void trace_close(struct trace *trace);

/*
 * Read the next request, without waiting for a slow pipe.
 *
 * Returns 1 and fills *@line; 0 no whole line has come yet (trace_wait()); or
 *   -ENODATA the trace is over
 *   -EBADMSG the line makes no sense: @error has "file:line: reason". It is passed over: the next
 *            call reads the one behind it
 *   -errno   of read()
 */
int trace_try_next(struct trace *trace, struct trace_line *line, struct lam_error *error);

/* Wait up to @timeout_ms for more input. */
void trace_wait(const struct trace *trace, int timeout_ms);

/* How many requests the trace has at most: its lines but the header. 0 where nobody can know. */
uint64_t trace_request_count(const struct trace *trace);

#endif
