/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broadcast.c: the scheduler's rings, and the way out: a step is built where all workers read it.
 */

#include <errno.h>
#include <stdio.h>

#include "inference.h"
#include "lamina/base/clock.h"
#include "scheduler.h"
#include "stop.h"

/* What a step takes besides its vectors: offsets, vtable, scalars, counts, alignment. */
#define STEP_BYTES 128

/* How long the workers may take to be ready. */
#define READY_NS (30 * LAM_NS_PER_S)

static uint64_t step_bytes_max(uint64_t part_count, uint64_t token_count)
{
    return STEP_BYTES + part_count * (sizeof(uint64_t) + sizeof(uint32_t)) +
           token_count * sizeof(uint32_t);
}

static int attach_worker(struct scheduler *scheduler, uint32_t index, struct lam_error *error)
{
    struct scheduler_worker *worker = &scheduler->workers[index];
    uint32_t count = lam_topology_count(scheduler->topology, ROLE_WORKERS);
    struct worker_figures *figures = &scheduler->figures.workers[index];

    if (count == 1)
        (void)snprintf(figures->name, sizeof(figures->name), "%s", ROLE_WORKERS);
    else
        (void)snprintf(figures->name, sizeof(figures->name), "%s.%u", ROLE_WORKERS, index);
    return attach_receiver(&worker->replies, scheduler->topology,
        &(struct ring_of_edge){EDGE_REPLIES, index, &lamina_inference_Reply_flatbuffers}, error);
}

int scheduler_attach(struct scheduler *scheduler, struct lam_error *error)
{
    struct lam_topology *topology = scheduler->topology;
    uint32_t count = lam_topology_count(topology, ROLE_WORKERS);
    uint64_t step_bytes = step_bytes_max(BATCH_SEQUENCES_MAX, BATCH_TOKENS_MAX);
    int rc;

    if (count == 0 || count > FIGURES_WORKERS_MAX)
        return lam_error_set(error, -EINVAL, "%u " ROLE_WORKERS ", there can be 1 to %d", count,
            FIGURES_WORKERS_MAX);
    scheduler->worker_count = count;
    rc = attach_sender(&scheduler->steps, topology,
        &(struct ring_of_edge){EDGE_STEPS, 0, &lamina_inference_Step_flatbuffers}, error);
    for (uint32_t i = 0; rc == 0 && i < count; i++)
        rc = attach_worker(scheduler, i, error);
    if (rc == 0 && lam_zerocopy_sender_bytes_max(&scheduler->steps.sender) < step_bytes)
        rc = lam_error_set(error, -EMSGSIZE,
            "edge " EDGE_STEPS ": a full step has up to %llu bytes, the ring takes %llu in one "
            "piece: make its depth larger",
            (unsigned long long)step_bytes,
            (unsigned long long)lam_zerocopy_sender_bytes_max(&scheduler->steps.sender));
    return rc;
}

int scheduler_meet_workers(struct scheduler *scheduler, struct lam_error *error)
{
    int rc = lam_topology_wait_ready_until(
        scheduler->topology, ROLE_WORKERS, lam_deadline_after_ns(READY_NS), error);

    for (uint32_t i = 0; rc == 0 && i < scheduler->worker_count; i++) {
        struct lam_topology_peer peer;

        rc = lam_topology_peer(scheduler->topology, ROLE_WORKERS, i, &peer);
        scheduler->workers[i].starts = peer.starts;
    }
    return rc;
}

/* Returns 0, or an error; the builder keeps its own until the commit. */
static int build_step(struct scheduler *scheduler, struct lam_fb_builder *builder)
{
    const struct batch_step *step = &scheduler->step;
    uint32_t flags = (step->prefill > 0 ? lamina_inference_StepFlag_Prefill : 0) |
                     (step->prefill < step->part_count ? lamina_inference_StepFlag_Decode : 0);
    struct lamina_inference_Step_at table = lamina_inference_Step_start(builder);
    struct batch_vectors vectors;

    lamina_inference_Step_set_id(builder, table, step->id);
    lamina_inference_Step_set_flags(builder, table, flags);
    vectors.sequence_ids =
        lamina_inference_Step_open_sequence_ids(builder, table, step->part_count);
    vectors.token_counts =
        lamina_inference_Step_open_token_counts(builder, table, step->part_count);
    vectors.tokens = lamina_inference_Step_open_tokens(builder, table, step->token_count);
    if (builder->error == 0)
        batch_write_step(&scheduler->batch, step, flags, &vectors, &scheduler->answer);
    return builder->error;
}

static int claim_step(
    struct scheduler *scheduler, struct lam_fb_builder *builder, struct lam_error *error)
{
    struct lam_zerocopy_sender *sender = &scheduler->steps.sender;
    uint64_t bytes = step_bytes_max(scheduler->step.part_count, scheduler->step.token_count);
    struct lam_ring_blocker blocker;
    int rc = lam_zerocopy_sender_try_claim(sender, bytes, builder);

    /* The ring has room for many steps: it is full only if a worker stands still. */
    while (rc == 0) {
        uint64_t now_ns = lam_clock_now_ns();

        if (stop_asked(scheduler->topology))
            return scheduler_stopped(scheduler, error);
        if (lam_zerocopy_sender_blocker(sender, &blocker) == 1)
            scheduler->waiting =
                (struct waiting_for){blocker.name, scheduler->step.id, now_ns - blocker.since_ns};
        scheduler_live(scheduler, now_ns);
        rc = lam_zerocopy_sender_claim_until(sender, bytes, now_ns + SCHEDULER_SLICE_NS, builder);
        rc = rc == 0 ? 1 : rc == -ETIMEDOUT ? 0 : rc;
    }
    scheduler->waiting.name = NULL;
    return rc == 1 ? 0 : rc;
}

int scheduler_broadcast(struct scheduler *scheduler, struct lam_error *error)
{
    struct edge_figures *figures = &scheduler->figures.step_edge;
    struct lam_fb_builder builder = {0};
    int rc = claim_step(scheduler, &builder, error);

    if (rc == -ECANCELED || rc == -EOWNERDEAD)
        return rc;
    if (rc == 0) {
        (void)build_step(scheduler, &builder);
        scheduler->broadcast_ns = lam_clock_now_ns();
        rc = lam_zerocopy_sender_commit(&scheduler->steps.sender, &builder, 0);
    }
    if (rc != 0)
        return lam_error_set(error, rc, "cannot broadcast step %llu (%d)",
            (unsigned long long)scheduler->step.id, rc);
    figures->messages++;
    figures->bytes += builder.used;
    return 0;
}
