/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c: cuts the input into lines. One block in memory; a line never crosses its end, because
 * what is left of one is moved to the front before more is read.
 */

#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace_line.h"

/* Lines of a regular file, so that progress can be told as a part of the whole. */
static int count_lines(struct trace *trace)
{
    struct stat status;
    off_t at = 0;
    char latest = '\n';

    if (fstat(trace->fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || lseek(trace->fd, 0, SEEK_CUR) != 0)
        return 0;
    for (;;) {
        ssize_t got = pread(trace->fd, trace->block, sizeof(trace->block), at);

        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        for (ssize_t i = 0; i < got; i++)
            trace->lines_total += trace->block[i] == '\n';
        if (at == 0 && (size_t)got >= strlen(TRACE_HEADER) && trace->lines_total > 0 &&
            memcmp(trace->block, TRACE_HEADER, strlen(TRACE_HEADER)) == 0)
            trace->lines_total--;
        latest = trace->block[got - 1];
        at += got;
    }
    trace->lines_total += latest != '\n';
    return 0;
}

int trace_open(struct trace *trace, const char *path, struct lam_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    int rc;

    memset(trace, 0, offsetof(struct trace, block));
    (void)snprintf(trace->name, sizeof(trace->name), "%s", standard ? "standard input" : path);
    trace->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (trace->fd < 0) {
        rc = -errno;
        return lam_error_set(error, rc, "cannot open the trace %s: %s", path, strerror(-rc));
    }
    rc = count_lines(trace);
    if (rc != 0) {
        trace_close(trace);
        return lam_error_set(error, rc, "cannot read the trace %s: %s", path, strerror(-rc));
    }
    return 0;
}

void trace_close(struct trace *trace)
{
    if (trace->fd > STDIN_FILENO)
        (void)close(trace->fd);
    trace->fd = -1;
}

void trace_wait(const struct trace *trace, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = trace->fd, .events = POLLIN};

    (void)poll(&poll_fd, 1, timeout_ms);
}

uint64_t trace_request_count(const struct trace *trace)
{
    return trace->lines_total;
}

/* Returns 1 more bytes came, 0 none are there now, -ENODATA at the end, -errno of read(). */
static int fill(struct trace *trace, struct lam_error *error)
{
    struct pollfd poll_fd = {.fd = trace->fd, .events = POLLIN};
    ssize_t got;

    if (trace->at_end)
        return -ENODATA;
    memmove(trace->block, trace->block + trace->first, trace->end - trace->first);
    trace->end -= trace->first;
    trace->first = 0;
    if (poll(&poll_fd, 1, 0) == 0)
        return 0;
    got = read(trace->fd, trace->block + trace->end, sizeof(trace->block) - trace->end);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (got < 0) {
        int rc = -errno;

        return lam_error_set(error, rc, "cannot read %s: %s", trace->name, strerror(-rc));
    }
    trace->at_end = got == 0;
    trace->end += (uint32_t)got;
    return got == 0 ? -ENODATA : 1;
}

/*
 * Find the next line: *@text and *@length, without its end, in the block until the next call.
 *
 * A line longer than any good one is given once, cut short, and the rest of it passed over, so that
 * no input makes the block overflow.
 */
static int next_line(
    struct trace *trace, const char **text, size_t *length, struct lam_error *error)
{
    for (;;) {
        uint32_t left = trace->end - trace->first;
        const char *start = trace->block + trace->first;
        const char *stop = memchr(start, '\n', left);
        bool was_skipping = trace->skipping;
        int rc;

        if (stop != NULL || left > TRACE_LINE_BYTES_MAX || (left > 0 && trace->at_end)) {
            *text = start;
            *length = stop != NULL ? (size_t)(stop - start) : left;
            trace->first += (uint32_t)*length + (stop != NULL);
            trace->skipping = stop == NULL;
            if (was_skipping)
                continue;
            trace->line_number++;
            return 1;
        }
        rc = fill(trace, error);
        if (rc == -ENODATA && trace->end != trace->first)
            continue;
        if (rc != 1)
            return rc;
    }
}

static int refuse(const struct trace *trace, const char *reason, struct lam_error *error)
{
    return lam_error_set(error, -EBADMSG, "%s:%llu: %s", trace->name,
        (unsigned long long)trace->line_number, reason);
}

int trace_try_next(struct trace *trace, struct trace_line *line, struct lam_error *error)
{
    const char *text, *reason;
    size_t length;
    int rc;

    do {
        rc = next_line(trace, &text, &length, error);
        if (rc != 1)
            return rc;
        if (length > 0 && text[length - 1] == '\r')
            length--;
        if (length > TRACE_LINE_BYTES_MAX)
            return refuse(trace, "the line is longer than 256 bytes", error);
    } while (trace->line_number == 1 && length == strlen(TRACE_HEADER) &&
             memcmp(text, TRACE_HEADER, length) == 0);

    reason = trace_parse_line(text, length, line);
    if (reason == NULL && line->arrival_ns < trace->latest_ns)
        reason = "TIMESTAMP is earlier than that of a line before";
    if (reason != NULL)
        return refuse(trace, reason, error);
    trace->latest_ns = line->arrival_ns;
    return 1;
}
