/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SERVER_H
#define LAM_RUNTIME_SERVER_H

/*
 * server.h: a runtime that is asked at an endpoint.
 *
 * One thread, the speaker, has the port: it copies what comes, reads the copy, and hands a job to
 * the runners, who run it and hand it back with its answer. What a client sends it may change while
 * it is read: so it is read from the copy alone.
 */

#include <pthread.h>

#include "internal.h"
#include "lamina/runtime/messages.h"
#include "lamina/runtime/remote.h"
#include "remote/feed.h"
#include "remote/port.h"
#include "remote/streams.h"

/* What a message is longer than what it carries, at most: header, names, numbers. */
#define REMOTE_OVERHEAD_BYTES 512

#define REMOTE_PRIORITIES 4
/* So many jobs are taken by priority before one is taken by age. */
#define REMOTE_TURNS 7

struct remote_buffer {
    uint8_t *bytes;
    uint64_t capacity;
};

/* A request, from its coming to its answer. */
struct remote_job {
    struct remote_job *next;
    uint64_t order;  /* of its coming */
    uint64_t client; /* 0: it is idle */
    struct port_ask ask;
    uint64_t deadline_ns;
    struct lam_protocol_message message; /* its views lie in @request */
    struct remote_buffer request;
    struct remote_buffer reply; /* of the module */
    struct remote_buffer answer;
    uint64_t answer_bytes;
    struct remote_stream *args; /* what its request is, or NULL: that is in the message */
    struct remote_stream *room; /* for its answer, or NULL: bytes_max of the server */
    uint64_t streamed_bytes;    /* of @reply, which goes there; 0: the answer is a message */
};

/* Who is there. */
struct remote_peer {
    uint64_t client; /* 0: nobody */
    uint32_t features;
    uint32_t reserved;
};

/* First in, first out. */
struct remote_list {
    struct remote_job *first;
    struct remote_job **last;
};

struct lam_remote_server {
    struct lam_runtime *runtime;
    struct lam_remote_options options; /* strings aside */
    char *endpoint, *directory;
    struct port *port; /* the speaker's */
    struct remote_feed *feed;
    struct remote_job *jobs;    /* queue_max of them, and the speaker's */
    struct remote_job *at_hand; /* the speaker's: what comes next is read into it */
    struct remote_peer *peers;  /* the speaker's: clients that have agreed on something */
    struct remote_streams streams;
    pthread_t speaker;
    pthread_t runners[LAM_REMOTE_THREADS_MAX];
    uint32_t runner_count;
    uint32_t has_speaker;
    pthread_mutex_t lock;
    pthread_cond_t work, begun;
    /* Guarded by @lock. */
    struct remote_list waiting[REMOTE_PRIORITIES];
    struct remote_list done, idle;
    uint32_t in_hand;                         /* jobs that wait, run or are done */
    uint32_t running;                         /* runners that have a job */
    uint64_t holders[LAM_REMOTE_THREADS_MAX]; /* whose they are, in any order */
    uint32_t turns;
    uint64_t orders;
    uint32_t is_ending; /* for the runners; then */
    uint32_t is_over;   /* for the speaker */
    int begin_rc;       /* of the speaker's port; 1: not yet known */
    struct lam_error *begin_error;
    struct lam_remote_counts counts;
};

/* ---- queue.c ---- */

void remote_list_init(struct remote_list *list);
void remote_list_push(struct remote_list *list, struct remote_job *job);
struct remote_job *remote_list_pop(struct remote_list *list);

/* @bytes of room. What it had is gone. Returns 0, or -ENOMEM. */
int remote_reserve(struct remote_buffer *buffer, uint64_t bytes);

/* Give the job that is at hand to the runners, and have another one at hand. Returns 1; 0 too many
 * are in hand for that priority; or -EDQUOT too many of that client. */
int remote_queue_push(
    struct lam_remote_server *server, uint64_t client, enum lam_protocol_priority priority);

/* The next job to run, or NULL: the server ends. */
struct remote_job *remote_queue_wait(struct lam_remote_server *server);

/* It has its answer. */
void remote_queue_finish(struct lam_remote_server *server, struct remote_job *job);

/* One that has its answer, or NULL; and how many are in hand. It is given back when it is sent. */
struct remote_job *remote_queue_done(struct lam_remote_server *server, uint32_t *in_hand);
void remote_queue_release(struct lam_remote_server *server, struct remote_job *job);

/* ---- run.c: answers; any thread ---- */

void remote_run(struct lam_remote_server *server, struct remote_job *job);

/* The answer is @message, with the request's id; or an error. */
void remote_answer(struct remote_job *job, struct lam_protocol_message *message, uint8_t type);
void remote_answer_error(
    struct remote_job *job, enum lam_protocol_error code, int result, const char *text);

/* ---- speak.c ---- */

void *remote_speak(void *context); /* the server */

#endif
