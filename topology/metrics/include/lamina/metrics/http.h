/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_METRICS_HTTP_H
#define LAM_METRICS_HTTP_H

/*
 * lamina/metrics/http.h: metrics at http://ADDRESS:PORT/metrics, for Prometheus to fetch.
 *
 * Metrics, floor 1, by libmicrohttpd. It serves one text and nothing else: GET and HEAD of
 * /metrics. Another path is 404, another method 405. Whoever may reach the address or the socket
 * may read; nobody can write. One thread of its own, LAM_METRICS_CONNECTIONS_MAX connections at a
 * time, of one request each; those that come meanwhile wait, and one in which nothing moves for
 * LAM_METRICS_IDLE_S is closed.
 */

#include <stdint.h>

#include "lamina/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_METRICS_BYTES_MAX       (UINT64_C(16) << 20) /* a longer text is answered with 500 */
#define LAM_METRICS_CONNECTIONS_MAX 16
#define LAM_METRICS_IDLE_S          10

struct lam_metrics_http; /* opaque */

/*
 * Write at most @capacity bytes of the text, in the exposition format 0.0.4, to @text; none, to
 * NULL, where @capacity is 0. Called from the server's thread, a few times for each request, never
 * twice at once.
 *
 * Returns how many bytes the whole text has.
 */
typedef uint64_t (*lam_metrics_text_fn)(void *context, char *text, uint64_t capacity);

/* Zero is the default of each. Everything is copied but @context. */
struct lam_metrics_options {
    const char *address; /* IPv4 or IPv6, in numbers; default 127.0.0.1 */
    const char *socket;  /* path of a Unix socket of mode 0600 instead; one that nobody serves any
                            more is replaced */
    uint32_t port;       /* to 65535; 0: any that is free */
    uint32_t reserved;   /* 0 */
    lam_metrics_text_fn text; /* not NULL */
    void *context;
};

/*
 * Serve until lam_metrics_http_stop(). Signals go to the threads that there are, never to the
 * server's.
 *
 * Returns 0 and sets *@http, or, with the address in @error,
 *   -EINVAL        no address, no such port, no text, both address and socket
 *   -ENAMETOOLONG  the socket's path
 *   -EADDRINUSE    somebody serves there
 *   -EIO           libmicrohttpd did not start
 *   -ENOMEM, or what socket(), bind() and listen() return
 */
int lam_metrics_http_start(struct lam_metrics_http **http,
    const struct lam_metrics_options *options, struct lam_error *error);

/* The port that it serves at; 0 at a Unix socket. */
uint32_t lam_metrics_http_port(const struct lam_metrics_http *http);

/* Close all connections, end the thread, remove the socket. NULL is allowed. */
void lam_metrics_http_stop(struct lam_metrics_http *http);

#ifdef __cplusplus
}
#endif

#endif
