/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered, and the life of the server. HTTP itself is libmicrohttpd's. */
#include "lamina/metrics/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listen.h"

#define REQUEST_BYTES_MAX (16u << 10) /* memory for what a connection asks */
#define TRIES             4           /* the text may grow between two looks at it */

struct lam_metrics_http {
    struct MHD_Daemon *daemon;
    struct listener listener;
    lam_metrics_text_fn text;
    void *context;
};

/* The whole text, to be freed, and its bytes. NULL where it is too long or memory is out. */
static char *make_text(struct lam_metrics_http *http, uint64_t *bytes)
{
    uint64_t room = http->text(http->context, NULL, 0);

    for (int i = 0; i < TRIES && room <= LAM_METRICS_BYTES_MAX; i++) {
        uint64_t capacity = room + room / 8 + 256;
        char *text = malloc(capacity);

        if (text == NULL)
            return NULL;
        room = http->text(http->context, text, capacity);
        /* A terminator may take a byte of the capacity. */
        if (room < capacity) {
            *bytes = room;
            return text;
        }
        free(text);
    }
    return NULL;
}

static enum MHD_Result send_response(
    struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
        status == MHD_HTTP_OK ? "text/plain; version=0.0.4; charset=utf-8"
                              : "text/plain; charset=utf-8");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(
    struct MHD_Connection *connection, unsigned status, const char *sentence)
{
    return send_response(connection, status,
        MHD_create_response_from_buffer(
            strlen(sentence), (void *)(uintptr_t)sentence, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result send_text(struct lam_metrics_http *http, struct MHD_Connection *connection)
{
    struct MHD_Response *response;
    uint64_t bytes;
    char *text = make_text(http, &bytes);

    if (text == NULL)
        return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "the metrics are too long\n");
    response = MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(text);
    return send_response(connection, MHD_HTTP_OK, response);
}

/* For each request: once with its headers, then again when its body has come, if it has one. */
/* NOLINTNEXTLINE(readability-function-size): so many parameters are libmicrohttpd's wish */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_bytes,
    void **request)
{
    (void)version;
    (void)upload;
    /* What is answered before a body has come ends the connection: nobody's body is read. */
    *upload_bytes = 0;
    (void)request;
    if (strcmp(url, "/metrics") != 0)
        return refuse(connection, MHD_HTTP_NOT_FOUND, "the metrics are at /metrics\n");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD, nothing else\n");
    return send_text(context, connection);
}

/* libmicrohttpd's thread must not take the program's signals: it begins with all of them shut. */
static struct MHD_Daemon *start_daemon(struct lam_metrics_http *http)
{
    struct MHD_Daemon *daemon;
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, answer, http,
        MHD_OPTION_LISTEN_SOCKET, http->listener.fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)LAM_METRICS_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)LAM_METRICS_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES_MAX,
        MHD_OPTION_END);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

int lam_metrics_http_start(struct lam_metrics_http **http,
    const struct lam_metrics_options *options, struct lam_error *error)
{
    struct lam_metrics_http *made;
    int rc;

    if (options->text == NULL || options->reserved != 0)
        return lam_error_set(error, -EINVAL, "metrics: there is no text, or reserved is not 0");
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "metrics: out of memory");
    made->text = options->text;
    made->context = options->context;
    rc = listener_open(&made->listener, options, error);
    if (rc != 0) {
        free(made);
        return rc;
    }
    made->daemon = start_daemon(made);
    if (made->daemon == NULL) {
        listener_forget(&made->listener);
        (void)close(made->listener.fd);
        free(made);
        return lam_error_set(error, -EIO, "metrics: libmicrohttpd did not start");
    }
    *http = made;
    return 0;
}

uint32_t lam_metrics_http_port(const struct lam_metrics_http *http)
{
    return http->listener.port;
}

void lam_metrics_http_stop(struct lam_metrics_http *http)
{
    if (http == NULL)
        return;
    /* Before the server ends, so that a successor finds the path free or ours. */
    listener_forget(&http->listener);
    MHD_stop_daemon(http->daemon); /* closes the listening socket, too */
    free(http);
}
