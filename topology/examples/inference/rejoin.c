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
#include <string.h>
#include <time.h>

#include "lamina/base/clock.h"
#include "scheduler.h"
#include "stop.h"

/* How long a worker may take to come back. */
#define REJOIN_NS (20 * LAM_NS_PER_S)

/* How long the supervisor may take to see a death that we have seen already. */
#define NOTICE_NS (2 * LAM_NS_PER_S)

static void nap(void)
{
    struct timespec span = {.tv_nsec = 2 * (long)LAM_NS_PER_MS};

    (void)nanosleep(&span, NULL);
}

static void tell_death(struct scheduler *scheduler, uint32_t index)
{
    scheduler->workers[index].told = 1;
    scheduler->figures.workers[index].deaths++;
    (void)fprintf(stderr,
        "scheduler: %s is gone at step %" PRIu64 ", its last answer was to step %" PRIu64 "\n",
        scheduler->figures.workers[index].name, scheduler->step.id,
        scheduler->workers[index].latest_step);
}

static int give_up(const struct scheduler *scheduler, uint32_t index, struct lam_error *error)
{
    return lam_error_set(error, -EOWNERDEAD, "%s died at step %" PRIu64 " and did not come back",
        scheduler->figures.workers[index].name, scheduler->step.id);
}

int scheduler_stopped(struct scheduler *scheduler, struct lam_error *error)
{
    int rc = -ECANCELED;

    for (uint32_t i = 0; i < scheduler->worker_count; i++) {
        struct lam_topology_peer peer;

        if (lam_topology_peer(scheduler->topology, ROLE_WORKERS, i, &peer) != 0 ||
            peer.state != LAM_TOPOLOGY_DIED)
            continue;
        if (peer.starts == scheduler->workers[i].starts && !scheduler->workers[i].told)
            tell_death(scheduler, i);
        rc = give_up(scheduler, i, error);
    }
    return rc;
}

/* Wait for a process that was started after the one we knew, and is ready. */
static int await_ready(struct scheduler *scheduler, uint32_t index, struct lam_error *error)
{
    struct scheduler_worker *worker = &scheduler->workers[index];
    uint64_t begin_ns = lam_clock_now_ns();
    struct lam_topology_peer peer;

    for (;;) {
        uint64_t now_ns = lam_clock_now_ns();

        if (stop_asked(scheduler->topology))
            return give_up(scheduler, index, error);
        if (lam_topology_peer(scheduler->topology, ROLE_WORKERS, index, &peer) != 0)
            return give_up(scheduler, index, error);
        if (peer.starts != worker->starts && peer.state == LAM_TOPOLOGY_READY)
            break;
        if (now_ns - begin_ns > REJOIN_NS ||
            (peer.state == LAM_TOPOLOGY_ENDED && now_ns - begin_ns > NOTICE_NS))
            return give_up(scheduler, index, error);
        scheduler_live(scheduler, now_ns);
        nap();
    }
    worker->starts = peer.starts;
    worker->told = 0;
    return 0;
}

int scheduler_rejoin(struct scheduler *scheduler, uint32_t index, struct lam_error *error)
{
    int rc;

    tell_death(scheduler, index);
    rc = await_ready(scheduler, index, error);
    if (rc != 0)
        return rc;
    (void)fprintf(stderr,
        "scheduler: %s is back (start %" PRIu32 "), step %" PRIu64 " is broadcast again\n",
        scheduler->figures.workers[index].name, scheduler->workers[index].starts,
        scheduler->step.id);
    scheduler->figures.steps_repeated++;
    return scheduler_broadcast(scheduler, error);
}
