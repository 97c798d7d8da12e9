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

/* ---- who runs ---- */

/* A client takes another runner while it has fewer than are idle: what one leaves is halved again
 * by the next, and the last one is for who has none. */
static int may_run(const struct lam_remote_server *server, uint64_t client)
{
    uint32_t held = 0, idle = server->options.threads - server->running;

    for (uint32_t i = 0; i < server->running; i++)
        held += server->holders[i] == client;
    return held < idle;
}

/* The first one of @list whose client may have a runner: where it hangs, or NULL. */
static struct remote_job **find(const struct lam_remote_server *server, struct remote_list *list)
{
    uint64_t refused = 0; /* the last one: a client's jobs stand in a row */

    for (struct remote_job **place = &list->first; *place != NULL; place = &(*place)->next) {
        uint64_t client = (*place)->client;

        if (client == refused)
            continue;
        if (may_run(server, client))
            return place;
        refused = client;
    }
    return NULL;
}

static struct remote_job *take(
    struct lam_remote_server *server, struct remote_list *list, struct remote_job **place)
{
    struct remote_job *job = *place;

    *place = job->next;
    if (job->next == NULL)
        list->last = place;
    server->holders[server->running++] = job->client;
    server->counts.requests++;
    return job;
}

/* The most urgent one, but once in a while the oldest: nobody waits for ever. */
static struct remote_job *choose(struct lam_remote_server *server)
{
    struct remote_job **chosen = NULL;
    struct remote_list *from = NULL;
    struct remote_job *job;
    int by_age = server->turns == REMOTE_TURNS;

    for (uint32_t i = REMOTE_PRIORITIES; i-- > 0 && (chosen == NULL || by_age);) {
        struct remote_job **place = find(server, &server->waiting[i]);

        if (place != NULL && (chosen == NULL || (*place)->order < (*chosen)->order)) {
            chosen = place;
            from = &server->waiting[i];
        }
    }
    if (chosen == NULL)
        return NULL;
    server->turns = by_age ? 0 : server->turns + 1;
    job = take(server, from, chosen);
    /* One that ends may let two run. */
    for (uint32_t i = 0; i < REMOTE_PRIORITIES; i++)
        if (server->waiting[i].first != NULL)
            LAM_ASSERT(pthread_cond_signal(&server->work) == 0);
    return job;
}

static void let_go(struct lam_remote_server *server, uint64_t client)
{
    uint32_t at = 0;

    while (server->holders[at] != client)
        at++;
    server->holders[at] = server->holders[--server->running];
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
    let_go(server, job->client);
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
