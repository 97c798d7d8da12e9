/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_SCHEDULER_H
#define LAM_INFERENCE_SCHEDULER_H

/*
 * scheduler.h: what the parts of the scheduler share: one step at a time, from admission to the
 * last reply.
 *
 *     source -> batch -> broadcast -> gather -> batch
 */

#include "attach.h"
#include "batch.h"
#include "figures.h"
#include "source.h"

/* A worker as the scheduler sees it. */
struct scheduler_worker {
    struct receiving_end replies;
    uint32_t is_gone;     /* and we have said so */
    uint32_t starts;      /* of its process, when we last saw it ready */
    uint32_t answered;    /* the open step */
    uint64_t done_ns;     /* the worker's own time of its answer to it */
    uint64_t latest_step; /* that it answered */
};

struct scheduler {
    struct lam_topology *topology;
    struct sending_end steps;
    struct source source;
    struct batch batch;
    struct batch_step step; /* the open one */
    struct batch_answer answer;
    uint64_t sent_ns;      /* when it was first broadcast */
    uint64_t broadcast_ns; /* when it was broadcast last */
    uint64_t live_due_ns;
    struct waiting_for waiting;
    uint32_t worker_count;
    struct scheduler_worker workers[FIGURES_WORKERS_MAX];
    struct figures figures;
};

/* The longest that anything waits before it looks at the clock and at the topology again. */
#define SCHEDULER_SLICE_NS (20 * LAM_NS_PER_MS)

/* Print the live line if it is due. */
void scheduler_live(struct scheduler *scheduler, uint64_t now_ns);

/*
 * Attach to both edges and to every worker. Returns 0 or an error of attach.h; -EMSGSIZE where a
 * ring is too small for a full step or reply, -EINVAL where there are too many workers.
 */
int scheduler_attach(struct scheduler *scheduler, struct lam_error *error);

/* Wait until all workers are ready. Returns 0 or an error of lam_topology_wait_ready_until(). */
int scheduler_meet_workers(struct scheduler *scheduler, struct lam_error *error);

/*
 * Broadcast the open step, under its id, to all workers at once: first, or again.
 *
 * Returns 0, -ECANCELED when the run is to stop, or what the ring says.
 */
int scheduler_broadcast(struct scheduler *scheduler, struct lam_error *error);

/*
 * Gather the reply of every worker to the open step. A worker that dies meanwhile is told; when it
 * is back, the step is broadcast again.
 *
 * Returns 0, -ECANCELED when the run is to stop, -EOWNERDEAD when a worker does not come back, or
 * what a ring says.
 */
int scheduler_gather(struct scheduler *scheduler, struct lam_error *error);

/* 1 if the process of worker @index is another one than when we last saw it ready, or none. */
int scheduler_is_gone(const struct scheduler *scheduler, uint32_t index);

/*
 * Worker @index has gone: say so, and wait until all who have gone by then are back. Then broadcast
 * the open step again. Returns as scheduler_gather().
 */
int scheduler_rejoin(struct scheduler *scheduler, uint32_t index, struct lam_error *error);

/*
 * The run is to stop: if that is because workers died, say which and where.
 *
 * Returns -ECANCELED, or -EOWNERDEAD with the text in @error.
 */
int scheduler_stopped(struct scheduler *scheduler, struct lam_error *error);

#endif
