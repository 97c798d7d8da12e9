/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c: generations whose code runs in workers. The death of one is an answer, and the next call
 * finds another, which was started before it was needed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust.h"
#include "worker/crew.h"

#define START_NS (10 * LAM_NS_PER_S)

/* The place of the call of this generation within which @frame is, or NULL. */
static struct crew_place *find_outer(const struct lam_frame *frame)
{
    for (const struct lam_frame *outer = frame->outer; outer != NULL; outer = outer->outer)
        if (outer->generation == frame->generation && outer->place != NULL)
            return outer->place;
    return NULL;
}

static struct worker_order order_of(struct lam_frame *frame)
{
    return (struct worker_order){.entry = LINK_METHOD,
        .method = frame->call.method, /* where any is served not the entry's */
        .frame = frame,
        .request = frame->call.request,
        .request_bytes = frame->call.request_bytes,
        .deadline_ns = frame->call.deadline_ns};
}

/* Its worker waits for this answer in the middle of a call, whose thread we are. */
static int call_within(struct lam_generation *generation, struct crew_place *place,
    struct lam_frame *frame, struct lam_module_reply *reply)
{
    struct worker_order order = order_of(frame);

    if (!place->worker->is_alive) /* the call around this one will say more */
        return lam_reply_fail(reply, LAM_FAILURE_NO_WORKER, -EOWNERDEAD, -EOWNERDEAD);
    return lam_worker_ask(generation, place->worker, &order, reply);
}

/* In the turn at @place. */
static int ask(struct lam_crew *crew, struct crew_place *place, struct lam_frame *frame,
    struct lam_module_reply *reply)
{
    struct worker_order order = order_of(frame);
    int rc = 0;

    if (place->step != PLACE_READY)
        rc = lam_crew_start(crew, place, PLACE_READY, order.deadline_ns, NULL);
    if (rc == -ETIMEDOUT && place->step != PLACE_EMPTY)
        return lam_reply_fail(reply, LAM_FAILURE_BUSY, 0, rc);
    if (rc != 0)
        return lam_reply_fail(reply, LAM_FAILURE_NO_WORKER, rc, -EOWNERDEAD);
    frame->place = place;
    rc = lam_worker_ask(crew->generation, place->worker, &order, reply);
    frame->place = NULL;
    if (!place->worker->is_alive)
        lam_crew_bury(crew, place, reply);
    return rc;
}

/* Whether another worker is to be asked. */
static int is_for_another(const struct lam_module_reply *reply, uint32_t *tries)
{
    /* This place is left alone from now on; nothing was asked. */
    if (reply->failure == LAM_FAILURE_NO_WORKER && reply->detail == -ECANCELED)
        return 1;
    return --*tries > 0 &&
           (reply->failure == LAM_FAILURE_CRASHED || reply->failure == LAM_FAILURE_EXITED);
}

static int call(struct lam_generation *generation, const struct lam_method *entry,
    struct lam_frame *frame, struct lam_module_reply *reply)
{
    struct lam_crew *crew = generation->crew;
    /* Again, once, where the method says that it may run twice, and the deadline is not over. */
    uint32_t tries = (entry->flags & LAM_METHOD_IDEMPOTENT) != 0 ? 2 : 1;
    struct crew_place *place = frame->outer == NULL ? NULL : find_outer(frame);
    int rc, is_well;

    if (place != NULL)
        return call_within(generation, place, frame, reply);
    do {
        rc = lam_crew_take(crew, &frame->call, frame->call.deadline_ns, &place);
        if (rc == -ETIMEDOUT)
            return lam_reply_fail(reply, LAM_FAILURE_BUSY, 0, rc);
        if (rc != 0)
            return lam_reply_fail(reply, LAM_FAILURE_NO_WORKER, rc, -EOWNERDEAD);
        rc = ask(crew, place, frame, reply);
        is_well = place->step == PLACE_READY;
        lam_crew_release(crew, place);
        if (!is_well)
            lam_crew_hurry(crew);
    } while (is_for_another(reply, &tries));
    return rc;
}

static int start(struct lam_generation *generation)
{
    struct lam_crew *crew = generation->crew;

    crew->options = generation->module->pool;
    crew->has_options = generation->module->has_pool;
    return lam_crew_fill(crew);
}

/* The only one there is: a pool of more has no state to hand over. */
static int ask_only(
    struct lam_crew *crew, const struct worker_order *order, struct lam_module_reply *reply)
{
    struct crew_place *place;
    int rc = lam_crew_take(crew, NULL, order->deadline_ns, &place);

    if (rc != 0)
        return rc;
    rc = -EOWNERDEAD; /* and its state with it */
    if (place->step == PLACE_READY) {
        rc = lam_worker_ask(crew->generation, place->worker, order, reply);
        if (!place->worker->is_alive)
            lam_crew_bury(crew, place, reply);
    }
    lam_crew_release(crew, place);
    return rc;
}

/* As of local.c: how long a state is, its module says. */
static int save(struct lam_generation *generation, void **state, uint64_t *bytes)
{
    struct worker_order order = {
        .entry = LINK_SAVE, .deadline_ns = lam_deadline_after_ns(START_NS)};
    struct lam_module_reply reply = {.data = NULL};
    int rc;

    do {
        free(reply.data);
        if (reply.bytes > LINK_REPLY_BYTES_MAX) /* it says so; more cannot come */
            return -EMSGSIZE;
        reply.capacity = reply.bytes;
        reply.data = malloc(reply.capacity + 1);
        rc = reply.data == NULL ? -ENOMEM : ask_only(generation->crew, &order, &reply);
    } while (rc == -ENOSPC && reply.bytes > reply.capacity);
    if (rc != 0) {
        free(reply.data);
        return rc;
    }
    *state = reply.data;
    *bytes = reply.bytes;
    return 0;
}

static int restore(struct lam_generation *generation, const void *state, uint64_t bytes)
{
    struct worker_order order = {.entry = LINK_RESTORE,
        .request = state,
        .request_bytes = bytes,
        .deadline_ns = lam_deadline_after_ns(START_NS)};
    struct lam_module_reply reply = {.data = NULL};

    return ask_only(generation->crew, &order, &reply);
}

static void close_workers(struct lam_generation *generation)
{
    lam_crew_end(generation->crew);
    free(generation->file);
    image_close(&generation->image);
}

static const struct lam_host_kind lam_host_worker = {
    .call = call, .start = start, .save = save, .restore = restore, .close = close_workers};

static struct lam_crew *make_crew(struct lam_generation *generation, const char *program)
{
    struct lam_crew *crew = calloc(1, sizeof(*crew));

    if (crew == NULL)
        return NULL;
    crew->program = strdup(program);
    if (crew->program == NULL) {
        free(crew);
        return NULL;
    }
    crew->generation = generation;
    lam_worker_argument(generation->sandbox, crew->argument);
    crew->options.workers_max = 1;
    crew->random = lam_clock_now_ns() | 1;
    LAM_ASSERT(pthread_mutex_init(&crew->lock, NULL) == 0);
    return crew;
}

int lam_worker_open(struct lam_generation *generation, const char *program, struct lam_error *error)
{
    const char *path = generation->found->path;
    int rc = lam_trust_open(generation, error);

    if (rc != 0)
        return rc;
    generation->kind = &lam_host_worker;
    generation->file = strdup(path);
    generation->crew = generation->file == NULL ? NULL : make_crew(generation, program);
    if (generation->crew == NULL) {
        free(generation->file);
        image_close(&generation->image);
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", path);
    }
    rc = lam_crew_start(
        generation->crew, &generation->crew->places[0], PLACE_OPEN, LAM_DEADLINE_NEVER, error);
    if (rc != 0)
        close_workers(generation);
    generation->is_serial = 0; /* a call has its turn at a worker, whatever the module allows */
    return rc;
}
