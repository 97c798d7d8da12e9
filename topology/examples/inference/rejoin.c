/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rejoin.c: a worker died with a step open.
 *
 * It kept nothing, so whoever comes back needs only that step. The new process joins the ring of
 * steps at its head, says that it is ready, and then the step is broadcast again under its id: the
 * others answer twice, and the second answer is dropped.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lamina/base/clock.h"
#include "scheduler.h"
#include "stop.h"

/* How long a worker may take to come back. */
#define REJOIN_NS (20 * LAM_NS_PER_S)

static void nap(void)
{
    struct timespec span = {.tv_nsec = 2 * (long)LAM_NS_PER_MS};

    (void)nanosleep(&span, NULL);
}

static void tell_death(struct scheduler *scheduler, uint32_t index)
{
    scheduler->workers[index].is_gone = 1;
    scheduler->figures.workers[index].deaths++;
    (void)fprintf(stderr,
        "scheduler: %s is gone at step %" PRIu64 ", its last answer was to step %" PRIu64 "\n",
        scheduler->figures.workers[index].name, scheduler->step.id,
        scheduler->workers[index].latest_step);
}

static void tell_return(struct scheduler *scheduler, uint32_t index, uint32_t starts)
{
    /* Some that came back may have died again before we looked. */
    scheduler->figures.workers[index].deaths += starts - scheduler->workers[index].starts - 1;
    scheduler->workers[index].is_gone = 0;
    scheduler->workers[index].starts = starts;
    (void)fprintf(stderr,
        "scheduler: %s is back (start %" PRIu32 "), step %" PRIu64 " is broadcast again\n",
        scheduler->figures.workers[index].name, starts, scheduler->step.id);
}

static int give_up(const struct scheduler *scheduler, uint32_t index, struct lam_error *error)
{
    return lam_error_set(error, -EOWNERDEAD, "%s died at step %" PRIu64 " and did not come back",
        scheduler->figures.workers[index].name, scheduler->step.id);
}

int scheduler_is_gone(const struct scheduler *scheduler, uint32_t index)
{
    struct lam_topology_peer peer;

    if (lam_topology_peer(scheduler->topology, ROLE_WORKERS, index, &peer) != 0)
        return 0;
    return peer.starts != scheduler->workers[index].starts || peer.state == LAM_TOPOLOGY_DIED ||
           peer.state == LAM_TOPOLOGY_ENDED;
}

int scheduler_stopped(struct scheduler *scheduler, struct lam_error *error)
{
    int rc = -ECANCELED;

    for (uint32_t i = 0; i < scheduler->worker_count; i++) {
        struct lam_topology_peer peer;

        if (lam_topology_peer(scheduler->topology, ROLE_WORKERS, i, &peer) != 0 ||
            peer.state != LAM_TOPOLOGY_DIED)
            continue;
        if (!scheduler->workers[i].is_gone)
            tell_death(scheduler, i);
        rc = give_up(scheduler, i, error);
    }
    return rc;
}

/*
 * Tell who has gone and who is back since the last look. Returns how many are missing, one of them
 * in *@missing.
 */
static uint32_t look_around(struct scheduler *scheduler, uint32_t *missing)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < scheduler->worker_count; i++) {
        struct scheduler_worker *worker = &scheduler->workers[i];
        struct lam_topology_peer peer;

        if (!worker->is_gone && scheduler_is_gone(scheduler, i))
            tell_death(scheduler, i);
        if (!worker->is_gone)
            continue;
        /* A process that was started after the one we knew, and has joined the ring of steps. */
        if (lam_topology_peer(scheduler->topology, ROLE_WORKERS, i, &peer) == 0 &&
            peer.starts != worker->starts && peer.state == LAM_TOPOLOGY_READY) {
            tell_return(scheduler, i, peer.starts);
            continue;
        }
        *missing = i;
        count++;
    }
    return count;
}

int scheduler_rejoin(struct scheduler *scheduler, uint32_t index, struct lam_error *error)
{
    uint64_t begin_ns = lam_clock_now_ns();

    tell_death(scheduler, index);
    while (look_around(scheduler, &index) > 0) {
        uint64_t now_ns = lam_clock_now_ns();

        if (stop_asked(scheduler->topology) || now_ns - begin_ns > REJOIN_NS)
            return give_up(scheduler, index, error);
        scheduler_live(scheduler, now_ns);
        nap();
    }
    scheduler->figures.steps_repeated++;
    return scheduler_broadcast(scheduler, error);
}
