/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.c: how the workers of a crew are. A probe is sent in a turn of the keeper's, and its answer
 * is taken by whoever hears the worker next: no call waits for it but behind it in the worker.
 */
#include <errno.h>

#include "worker/crew.h"

/* Most answer in less; the others are looked for again. */
#define ANSWER_NS LAM_NS_PER_MS

static void set_row(struct lam_crew *crew, struct crew_place *place, const struct health_row *row)
{
    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    place->health = *row;
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
}

static void send_probe(struct lam_crew *crew, struct crew_place *place, uint64_t deadline_ns)
{
    struct worker_order order = {.entry = LINK_HEALTH, .deadline_ns = deadline_ns};
    uint64_t id;

    if (lam_worker_send(crew->generation, place->worker, &order, 0, &id) != 0)
        return; /* its end is seen when it is heard */
    place->worker->probe_id = id;
    place->probe_due_ns = deadline_ns;
}

/* What it says, until @until_ns. Returns 0, or an error that ends it. */
static int hear_answer(struct lam_crew *crew, struct crew_place *place, uint64_t until_ns)
{
    struct worker_order order = {.entry = LINK_HEALTH, .deadline_ns = until_ns};
    struct lam_module_reply reply = {.data = NULL};
    int status = 0, rc;

    if (place->worker->probe_id == 0)
        rc = -ETIMEDOUT; /* a call has heard it */
    else
        rc = lam_worker_hear(
            crew->generation, place->worker, &order, place->worker->probe_id, &reply, &status);
    if (rc == 0) {
        place->worker->probe_id = 0;
        place->worker->probe_status = status;
    }
    if (rc == -ETIMEDOUT && spawn_is_dead(&place->worker->process))
        return -EOWNERDEAD;
    return rc == -ETIMEDOUT ? 0 : rc;
}

/* Judge what is there. Returns 1 if the worker is to be replaced. */
static int judge(struct lam_crew *crew, struct crew_place *place,
    const struct lam_health_options *options, struct health_count *count)
{
    struct health_row row = place->health;
    int status, is_down;

    if (place->probe_due_ns == 0)
        return 0;
    if (place->worker->probe_id == 0)
        status = place->worker->probe_status;
    else if (lam_clock_now_ns() >= place->probe_due_ns)
        status = -ETIMEDOUT;
    else
        return 0;
    /* One that has not answered has its time again: it cannot be asked anything else. */
    place->probe_due_ns =
        place->worker->probe_id == 0 ? 0 : lam_deadline_after_ns(options->timeout_ns);
    count->probes++;
    count->failures += status < 0;
    is_down = health_judge(&row, options, status);
    set_row(crew, place, &row);
    return is_down;
}

static void replace(struct lam_crew *crew, struct crew_place *place, struct health_count *count)
{
    struct lam_module_reply reply = {.failure = LAM_FAILURE_UNREADY};

    (void)lam_worker_end(place->worker, 0);
    lam_crew_bury(crew, place, &reply);
    count->replaced++;
}

/* In the turn at @place. */
static void probe(struct lam_crew *crew, struct crew_place *place,
    const struct lam_health_options *options, int is_round, struct health_count *count)
{
    struct lam_module_reply reply = {.data = NULL};
    int rc;

    if (is_round && place->probe_due_ns == 0)
        send_probe(crew, place, lam_deadline_after_ns(options->timeout_ns));
    rc = hear_answer(crew, place, is_round ? lam_deadline_after_ns(ANSWER_NS) : 0);
    if (rc != 0) {
        (void)lam_worker_tell_end(place->worker, &reply, rc);
        lam_crew_bury(crew, place, &reply);
    } else if (judge(crew, place, options, count)) {
        replace(crew, place, count);
    }
}

/* The better one comes first. */
static const uint32_t order[] = {
    LAM_HEALTH_READY, LAM_HEALTH_UNKNOWN, LAM_HEALTH_UNREADY, LAM_HEALTH_DOWN};

static uint32_t best_of(struct lam_crew *crew)
{
    uint32_t best = 3;

    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    for (uint32_t i = 0; i < crew->options.workers_max; i++) {
        const struct crew_place *place = &crew->places[i];
        uint32_t state = place->step == PLACE_READY ? place->health.state : LAM_HEALTH_UNKNOWN;

        for (uint32_t rank = 0; place->is_in_pool && rank < best; rank++)
            if (order[rank] == state)
                best = rank;
    }
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
    return order[best];
}

uint32_t lam_crew_probe(struct lam_crew *crew, const struct lam_health_options *options,
    int is_round, struct health_count *count, int *is_pending)
{
    for (uint32_t i = 0; i < crew->options.workers_max; i++) {
        struct crew_place *place = &crew->places[i];
        int is_well;

        if (!place->is_in_pool || !lam_crew_try_take(crew, place))
            continue;
        if (place->step == PLACE_READY)
            probe(crew, place, options, is_round, count);
        is_well = place->step == PLACE_READY;
        *is_pending |= is_well && place->probe_due_ns != 0;
        lam_crew_release(crew, place);
        if (!is_well)
            lam_crew_hurry(crew);
    }
    return best_of(crew);
}
