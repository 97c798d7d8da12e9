/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.c: jobs between the speaker and the runners.
 */
#include <errno.h>
#include <stdlib.h>

#include "remote/server.h"

/* What a buffer keeps from one job to the next. */
#define KEPT_BYTES (UINT64_C(64) << 10)

void remote_list_init(struct remote_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

void remote_list_push(struct remote_list *list, struct remote_job *job)
{
    job->next = NULL;
    *list->last = job;
    list->last = &job->next;
}

struct remote_job *remote_list_pop(struct remote_list *list)
{
    struct remote_job *job = list->first;

    if (job == NULL)
        return NULL;
    list->first = job->next;
    if (list->first == NULL)
        list->last = &list->first;
    return job;
}

int remote_reserve(struct remote_buffer *buffer, uint64_t bytes)
{
    if (buffer->capacity >= bytes)
        return 0;
    free(buffer->bytes);
    buffer->bytes = malloc(bytes);
    buffer->capacity = buffer->bytes != NULL ? bytes : 0;
    return buffer->bytes != NULL ? 0 : -ENOMEM;
}

static void trim(struct remote_buffer *buffer)
{
    if (buffer->capacity <= KEPT_BYTES)
        return;
    free(buffer->bytes);
    *buffer = (struct remote_buffer){NULL, 0};
}

/* Of @max jobs: those of lower priority leave room for the others. */
static uint32_t bound_of(enum lam_protocol_priority priority, uint32_t max)
{
    static const uint32_t eighths[REMOTE_PRIORITIES] = {4, 6, 7, 8};
    uint64_t bound = (uint64_t)max * eighths[priority] / 8;

    return bound > 0 ? (uint32_t)bound : 1;
}

/* No client has more than a quarter of the queue. */
static int is_greedy(const struct lam_remote_server *server, uint64_t client)
{
    uint32_t count = 0, bound = server->options.queue_max / 4;

    for (uint32_t i = 0; i <= server->options.queue_max; i++)
        count += server->jobs[i].client == client;
    return count >= (bound > 0 ? bound : 1);
}

int remote_queue_push(
    struct lam_remote_server *server, uint64_t client, enum lam_protocol_priority priority)
{
    int is_taken;

    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    is_taken = server->in_hand < bound_of(priority, server->options.queue_max);
    if (is_greedy(server, client))
        is_taken = -EDQUOT;
    if (is_taken > 0) {
        server->at_hand->order = server->orders++;
        server->at_hand->client = client;
        remote_list_push(&server->waiting[priority], server->at_hand);
        server->at_hand = remote_list_pop(&server->idle); /* one more than queue_max are there */
        LAM_ASSERT(server->at_hand != NULL);
        server->in_hand++;
        LAM_ASSERT(pthread_cond_signal(&server->work) == 0);
    } else {
        server->counts.refused++;
    }
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
    return is_taken;
}

/* The most urgent one, but once in a while the oldest: nobody waits for ever. */
static struct remote_job *choose(struct lam_remote_server *server)
{
    struct remote_list *chosen = NULL;
    int by_age = server->turns == REMOTE_TURNS;

    for (uint32_t i = REMOTE_PRIORITIES; i-- > 0;) {
        struct remote_list *list = &server->waiting[i];

        if (list->first == NULL)
            continue;
        if (chosen == NULL || (by_age && list->first->order < chosen->first->order))
            chosen = list;
    }
    if (chosen == NULL)
        return NULL;
    server->turns = by_age ? 0 : server->turns + 1;
    server->counts.requests++;
    return remote_list_pop(chosen);
}

struct remote_job *remote_queue_wait(struct lam_remote_server *server)
{
    struct remote_job *job = NULL;

    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    while (!server->is_ending && (job = choose(server)) == NULL)
        LAM_ASSERT(pthread_cond_wait(&server->work, &server->lock) == 0);
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
    return job;
}

void remote_queue_finish(struct lam_remote_server *server, struct remote_job *job)
{
    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    remote_list_push(&server->done, job);
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
}

struct remote_job *remote_queue_done(struct lam_remote_server *server, uint32_t *in_hand)
{
    struct remote_job *job;

    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    job = remote_list_pop(&server->done);
    *in_hand = server->in_hand;
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
    return job;
}

void remote_queue_release(struct lam_remote_server *server, struct remote_job *job)
{
    trim(&job->request);
    trim(&job->reply);
    trim(&job->answer);
    LAM_ASSERT(pthread_mutex_lock(&server->lock) == 0);
    job->client = 0;
    remote_list_push(&server->idle, job);
    server->in_hand--;
    LAM_ASSERT(pthread_mutex_unlock(&server->lock) == 0);
}
