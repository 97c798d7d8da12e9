/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leave.c: how workers end that did nothing wrong.
 */
#include <stdlib.h>

#include "worker/crew.h"

#define SHUTDOWN_NS LAM_NS_PER_S

void lam_crew_stop(struct lam_crew *crew, struct crew_place *place)
{
    struct worker_order order = {
        .entry = LINK_SHUTDOWN, .deadline_ns = lam_deadline_after_ns(SHUTDOWN_NS)};

    /* One that cannot be asked is ended at once. */
    place->step_deadline_ns =
        lam_worker_send(crew->generation, place->worker, &order, 0, &place->asked_id) == 0
            ? order.deadline_ns
            : 0;
    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    place->step = PLACE_STOPPING;
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
}

int lam_crew_has_stopped(struct lam_crew *crew, struct crew_place *place, uint64_t until_ns)
{
    struct worker_order order = {.entry = LINK_SHUTDOWN, .deadline_ns = until_ns};
    struct lam_module_reply reply = {.data = NULL};
    int status;

    if (place->step_deadline_ns != 0 &&
        lam_worker_hear(crew->generation, place->worker, &order, place->asked_id, &reply,
            &status) == -ETIMEDOUT &&
        lam_clock_now_ns() < place->step_deadline_ns)
        return 0;
    (void)lam_worker_end(place->worker, 0);
    free(place->worker);
    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    place->worker = NULL;
    place->step = PLACE_EMPTY;
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
    return 1;
}

static void end_worker(struct lam_worker *worker)
{
    if (worker == NULL)
        return;
    if (worker->is_alive)
        (void)lam_worker_end(worker, 0);
    free(worker);
}

void lam_crew_end(struct lam_crew *crew)
{
    struct crew_place *places = crew->places;

    if (crew->is_kept)
        lam_keeper_remove(&crew->generation->module->runtime->keeper, &crew->task);
    /* All at once, and each has its time. */
    for (uint32_t i = 0; i < LAM_POOL_WORKERS_MAX; i++)
        if (places[i].step == PLACE_READY && places[i].worker->is_alive)
            lam_crew_stop(crew, &places[i]);
    for (uint32_t i = 0; i < LAM_POOL_WORKERS_MAX; i++) {
        if (places[i].step == PLACE_STOPPING)
            (void)lam_crew_has_stopped(crew, &places[i], places[i].step_deadline_ns);
        end_worker(places[i].worker);
        free(places[i].answer.data);
    }
    end_worker(crew->spare);
    LAM_ASSERT(crew->first == NULL);
    (void)pthread_mutex_destroy(&crew->lock);
    free(crew->program);
    free(crew);
}
