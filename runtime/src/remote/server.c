/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c: a server's beginning and end.
 */
#include "remote/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_DEFAULT   16
#define CLIENTS_MAX       256
#define THREADS_DEFAULT   4
#define QUEUE_DEFAULT     64
#define CALL_NS_DEFAULT   (30 * LAM_NS_PER_S)
#define STREAM_NS_DEFAULT (30 * LAM_NS_PER_S)
/* Of a stream, as memlink has it: the speaker does nothing else while it copies one. */
#define CHUNK_BYTES_MAX (UINT64_C(64) << 10)

static uint32_t or_default(uint32_t value, uint32_t instead)
{
    return value != 0 ? value : instead;
}

static int check(const char *what, uint64_t value, uint64_t max, struct lam_error *error)
{
    return value <= max ? 0
                        : lam_error_set(error, -EINVAL, "%s is %llu, at most %llu", what,
                              (unsigned long long)value, (unsigned long long)max);
}

static int fill_in(struct lam_remote_options *options, struct lam_error *error)
{
    int rc = check("threads", options->threads, LAM_REMOTE_THREADS_MAX, error);

    if (rc == 0)
        rc = check("queue_max", options->queue_max, LAM_REMOTE_QUEUE_MAX, error);
    if (rc == 0)
        rc = check("clients_max", options->clients_max, CLIENTS_MAX, error);
    if (rc == 0)
        rc = check("bytes_max", options->bytes_max, LAM_REMOTE_BYTES_MAX, error);
    if (rc == 0)
        rc = check(
            "stream_bytes_max", options->stream_bytes_max, LAM_REMOTE_STREAM_BYTES_MAX, error);
    if (rc == 0)
        rc = check("stream_ns", options->stream_ns, LAM_REMOTE_STREAM_NS_MAX, error);
    if (rc == 0)
        rc = check("reserved", options->reserved, 0, error);
    options->threads = or_default(options->threads, THREADS_DEFAULT);
    options->queue_max = or_default(options->queue_max, QUEUE_DEFAULT);
    options->clients_max = or_default(options->clients_max, CLIENTS_DEFAULT);
    if (options->bytes_max == 0)
        options->bytes_max = LAM_REMOTE_BYTES_DEFAULT;
    if (options->call_ns_max == 0)
        options->call_ns_max = CALL_NS_DEFAULT;
    if (options->stream_ns == 0)
        options->stream_ns = STREAM_NS_DEFAULT;
    return rc;
}

static void *run(void *context)
{
    struct lam_remote_server *server = context;
    struct remote_job *job;

    while ((job = remote_queue_wait(server)) != NULL) {
        remote_run(server, job);
        remote_queue_finish(server, job);
    }
    return NULL;
}

static void make_streams(struct lam_remote_server *server)
{
    const struct lam_remote_options *options = &server->options;
    uint64_t chunk_max =
        options->bytes_max < CHUNK_BYTES_MAX ? options->bytes_max : CHUNK_BYTES_MAX;

    server->streams =
        (struct remote_streams){.count = options->clients_max * REMOTE_STREAMS_OF_CLIENT,
            .bytes_max = chunk_max >= LAM_PROTOCOL_CHUNK_BYTES_MIN ? options->stream_bytes_max : 0,
            .keep_ns = options->stream_ns,
            .chunk_max = chunk_max};
    server->streams.all = calloc(server->streams.count, sizeof(*server->streams.all));
}

static struct lam_remote_server *make(
    struct lam_runtime *runtime, const struct lam_remote_options *options)
{
    struct lam_remote_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return NULL;
    server->runtime = runtime;
    server->options = *options;
    server->endpoint = strdup(options->endpoint != NULL ? options->endpoint : LAM_REMOTE_ENDPOINT);
    server->directory = options->directory != NULL ? strdup(options->directory) : NULL;
    server->jobs = calloc(options->queue_max + 1, sizeof(*server->jobs));
    server->peers = calloc(options->clients_max, sizeof(*server->peers));
    make_streams(server);
    LAM_ASSERT(pthread_mutex_init(&server->lock, NULL) == 0);
    LAM_ASSERT(pthread_cond_init(&server->work, NULL) == 0);
    LAM_ASSERT(pthread_cond_init(&server->begun, NULL) == 0);
    for (uint32_t i = 0; i < REMOTE_PRIORITIES; i++)
        remote_list_init(&server->waiting[i]);
    remote_list_init(&server->done);
    remote_list_init(&server->idle);
    for (uint32_t i = 0; server->jobs != NULL && i < options->queue_max; i++)
        remote_list_push(&server->idle, &server->jobs[i]);
    if (server->jobs != NULL)
        server->at_hand = &server->jobs[options->queue_max];
    server->begin_rc = 1;
    return server;
}

static void free_all(struct lam_remote_server *server)
{
    for (uint32_t i = 0; server->jobs != NULL && i <= server->options.queue_max; i++) {
        free(server->jobs[i].request.bytes);
        free(server->jobs[i].reply.bytes);
        free(server->jobs[i].answer.bytes);
    }
    if (server->feed != NULL)
        remote_feed_close(server->feed);
    (void)pthread_cond_destroy(&server->begun);
    (void)pthread_cond_destroy(&server->work);
    (void)pthread_mutex_destroy(&server->lock);
    for (uint32_t i = 0; server->streams.all != NULL && i < server->streams.count; i++)
        remote_stream_drop(&server->streams.all[i]);
    free(server->streams.all);
    free(server->peers);
    free(server->jobs);
    free(server->directory);
    free(server->endpoint);
    free(server);
}

static int start_threads(struct lam_remote_server *server)
{
    int rc = pthread_create(&server->speaker, NULL, remote_speak, server);

    if (rc != 0)
        return -rc;
    server->has_speaker = 1;
    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    while (server->begin_rc == 1)
        LAM_ASSERT(pthread_cond_wait(&server->begun, &server->lock) == 0);
    rc = server->begin_rc;
    server->begin_error = NULL; /* the caller's */
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
    while (rc == 0 && server->runner_count < server->options.threads) {
        rc = -pthread_create(&server->runners[server->runner_count], NULL, run, server);
        server->runner_count += rc == 0;
    }
    return rc;
}

/* Signals are the program's: no thread of ours takes one. */
static int start(struct lam_remote_server *server)
{
    sigset_t all, before;
    int rc;

    (void)sigfillset(&all);
    LAM_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    rc = start_threads(server);
    LAM_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return rc;
}

int lam_remote_serve(struct lam_remote_server **server, struct lam_runtime *runtime,
    const struct lam_remote_options *options, struct lam_error *error)
{
    struct lam_remote_options filled = {.endpoint = NULL};
    struct lam_remote_server *made;
    int rc;

    if (options != NULL)
        filled = *options;
    rc = fill_in(&filled, error);
    if (rc != 0)
        return rc;
    made = make(runtime, &filled);
    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory for a server");
    if (made->endpoint == NULL || (filled.directory != NULL && made->directory == NULL) ||
        made->jobs == NULL || made->peers == NULL || made->streams.all == NULL)
        rc = lam_error_set(error, -ENOMEM, "out of memory for a server");
    if (rc == 0)
        rc = remote_feed_open(&made->feed, runtime);
    if (rc != 0 && made->jobs != NULL)
        rc = lam_error_set(error, rc,
            rc == -EBUSY ? "this runtime is served already"
                         : "no memory or place for another observer");
    made->begin_error = error;
    if (rc == 0)
        rc = start(made);
    if (rc != 0)
        lam_remote_serve_end(made);
    else
        *server = made;
    return rc;
}

void lam_remote_serve_end(struct lam_remote_server *server)
{
    if (server == NULL)
        return;
    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    server->is_ending = 1;
    LAM_ASSERT(pthread_cond_broadcast(&server->work) == 0);
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
    for (uint32_t i = 0; i < server->runner_count; i++)
        LAM_ASSERT(pthread_join(server->runners[i], NULL) == 0);
    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    server->is_over = 1;
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
    if (server->has_speaker)
        LAM_ASSERT(pthread_join(server->speaker, NULL) == 0);
    free_all(server);
}

void lam_remote_look(struct lam_remote_server *server, struct lam_remote_counts *counts)
{
    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    *counts = server->counts;
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
}
