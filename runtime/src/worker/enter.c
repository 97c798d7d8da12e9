/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enter.c: how a worker comes into a place, step by step, and what is left when it has died.
 *
 * A start takes as long as the module's init does. Nobody has to stay for it: who has the turn goes
 * on with it as long as his own deadline lets him, and the next one, or the keeper, goes on there.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/crew.h"

#define START_NS (10 * LAM_NS_PER_S)

/* More deaths than that within the time, and the place is left alone for as long. */
#define DEATHS_MAX 8
#define DEATHS_NS  (10 * LAM_NS_PER_S)

void lam_crew_bury(
    struct lam_crew *crew, struct crew_place *place, const struct lam_module_reply *reply)
{
    const char *how = reply->failure == LAM_FAILURE_DEADLINE   ? "killed at the deadline"
                      : reply->failure == LAM_FAILURE_POISONED ? "killed for what it wrote"
                      : reply->failure == LAM_FAILURE_UNREADY  ? "killed for its health"
                      : reply->failure == LAM_FAILURE_EXITED   ? "exited"
                                                               : "died";
    struct lam_worker *worker = place->worker;

    place->death = reply->failure == LAM_FAILURE_EXITED    ? -(int64_t)reply->detail
                   : reply->failure == LAM_FAILURE_CRASHED ? reply->detail
                                                           : SIGKILL;
    (void)snprintf(place->death_text, sizeof(place->death_text), "worker %u, pid %d, %s",
        (unsigned)(place - crew->places), (int)worker->process.pid, how);
    free(place->answer.data);
    place->answer.data = NULL;
    place->has_died = 1;
    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    place->step = PLACE_EMPTY;
    place->worker = NULL;
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
    free(worker);
}

static int is_dying_too_often(struct lam_crew *crew, struct crew_place *place)
{
    uint64_t now_ns;

    if (!place->has_died)
        return 0;
    now_ns = lam_clock_now_ns();
    if (now_ns - place->deaths_since_ns > DEATHS_NS) {
        place->deaths_since_ns = now_ns;
        place->deaths = 0;
    }
    if (++place->deaths <= DEATHS_MAX)
        return 0;
    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    place->left_alone_until_ns = place->deaths_since_ns + DEATHS_NS;
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
    return 1;
}

static struct lam_worker *begin(struct lam_crew *crew, int *rc, struct lam_error *error)
{
    struct lam_worker *worker = aligned_alloc(128, (sizeof(*worker) + 127) & ~(size_t)127);

    if (worker == NULL) {
        *rc = lam_error_set(error, -ENOMEM, "out of memory for a worker");
        return NULL;
    }
    memset(worker, 0, sizeof(*worker));
    *rc = lam_worker_begin(worker, crew->program, crew->argument, error);
    if (*rc == 0)
        return worker;
    free(worker);
    return NULL;
}

static struct lam_worker *take_spare(struct lam_crew *crew)
{
    struct lam_worker *spare;

    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    spare = crew->spare;
    crew->spare = NULL;
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
    if (spare != NULL && spawn_is_dead(&spare->process)) {
        (void)lam_worker_end(spare, 0);
        free(spare);
        return NULL;
    }
    return spare;
}

void lam_crew_make_spare(struct lam_crew *crew)
{
    int is_there, rc;

    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    is_there = crew->spare != NULL;
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
    if (!is_there) { /* only the keeper makes them: without one the next death costs more time */
        struct lam_worker *spare = begin(crew, &rc, NULL);

        LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
        crew->spare = spare;
        LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
    }
}

static int begin_at(struct lam_crew *crew, struct crew_place *place, struct lam_error *error)
{
    int rc = 0;

    if (is_dying_too_often(crew, place))
        return -ECANCELED;
    place->worker = take_spare(crew);
    if (place->worker == NULL)
        place->worker = begin(crew, &rc, error);
    if (place->worker == NULL)
        return rc;
    place->step_deadline_ns = lam_deadline_after_ns(START_NS);
    lam_crew_set_step(crew, place, PLACE_JOINING);
    return 0;
}

/* One step. Returns 0, -ETIMEDOUT, or an error; > 0 is what init returned. */
static int step_on(
    struct lam_crew *crew, struct crew_place *place, uint64_t until_ns, struct lam_error *error)
{
    int status = 0, rc;

    switch (place->step) {
    case PLACE_EMPTY:
        return begin_at(crew, place, error);
    case PLACE_JOINING:
        rc = lam_worker_await(place->worker, until_ns);
        return rc == 0 ? lam_crew_ask_confine(crew, place) : rc;
    case PLACE_CONFINING: /* the image only goes to one that has confined itself */
        rc = lam_crew_hear(crew, place, until_ns, &status);
        if (rc == 0)
            rc = status != 0 ? -EPROTO : lam_crew_read_confined(crew, place, error);
        return rc == 0 ? lam_crew_ask_open(crew, place) : rc;
    case PLACE_OPENING:
        rc = lam_crew_hear(crew, place, until_ns, &status);
        if (rc == 0)
            rc = status != 0 ? -EPROTO : lam_crew_read_opened(crew, place, error);
        return rc;
    case PLACE_OPEN:
        return lam_crew_ask_init(crew, place);
    case PLACE_INITIALISING:
        rc = lam_crew_hear(crew, place, until_ns, &status);
        if (rc == 0 && status == 0)
            lam_crew_set_step(crew, place, PLACE_READY);
        return rc == 0 ? status : rc;
    default:
        return -EINVAL;
    }
}

/* The start is over without a worker. */
static void give_up(
    struct lam_crew *crew, struct crew_place *place, int rc, struct lam_error *error)
{
    struct lam_module_reply reply = {.failure = LAM_FAILURE_DEADLINE};

    if (place->worker == NULL)
        return;
    if (rc == -EOWNERDEAD || rc == -EPIPE)
        (void)lam_worker_tell_end(place->worker, &reply, rc);
    else
        (void)lam_worker_end(place->worker, 0);
    if (error != NULL && error->text[0] == '\0')
        (void)lam_error_set(error, rc, "module %s: its worker %s (%s %d)", crew->generation->file,
            rc == -ETIMEDOUT ? "did not start in time" : "ended while it was loaded",
            reply.failure == LAM_FAILURE_EXITED ? "status" : "signal", reply.detail);
    lam_crew_bury(crew, place, &reply);
}

int lam_crew_start(struct lam_crew *crew, struct crew_place *place, enum place_step goal,
    uint64_t until_ns, struct lam_error *error)
{
    int rc = 0;

    while (rc == 0 && place->step < goal) {
        int is_last = place->step_deadline_ns <= until_ns && place->step != PLACE_EMPTY;

        rc = step_on(crew, place, is_last ? place->step_deadline_ns : until_ns, error);
        if (rc == -ETIMEDOUT && place->worker != NULL &&
            lam_clock_now_ns() < place->step_deadline_ns)
            return rc;
    }
    if (rc != 0)
        give_up(crew, place, rc, error);
    free(rc == 0 ? place->answer.data : NULL);
    if (rc == 0)
        place->answer.data = NULL;
    return rc;
}
