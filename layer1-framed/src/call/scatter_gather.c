/* SPDX-License-Identifier: Apache-2.0 */
/* The gathering half of a scatterer: answers, and why there are none. */
#include <errno.h>

#include "lamina/base/crash_point.h"
#include "lamina/ring/progress.h"
#include "lamina/ring/stat.h"
#include "lamina/ring/wait_any.h"
#include "scatter.h"

/* Messages of one worker that one call looks at, at most. */
#define LOOKS_MAX 256

LAM_STATIC_ASSERT(LAM_SCATTER_WORKER_COUNT_MAX <= LAM_RING_WAIT_ANY_MAX, "one wait for all");

static void end_worker(struct lam_scatter *scatter, uint32_t worker, int32_t outcome)
{
    scatter->waiting &= ~(UINT64_C(1) << worker);
    scatter->replies[worker].outcome = outcome;
    if (outcome != 0)
        scatter->counts.missing++;
}

/* Was its answer the last, and did all answer? Counted once, where the last one ends. */
static void count_complete(struct lam_scatter *scatter)
{
    if (scatter->waiting != 0)
        return;
    for (uint32_t i = 0; i < scatter->worker_count; i++)
        if (scatter->replies[i].outcome != 0)
            return;
    scatter->counts.complete++;
}

/* Is the worker still among the readers of its requests? Without a name: as far as we know. */
static int is_there(const struct lam_scatter *scatter, uint32_t worker)
{
    const struct lam_framed_sender *sender =
        scatter->senders[scatter->sender_count == 1 ? 0 : worker];
    uint64_t cursor;

    return scatter->names[worker] == NULL ||
           lam_ring_producer_cursor_of(&sender->producer, scatter->names[worker], &cursor) == 0;
}

void lam_scatter_finish(struct lam_scatter *scatter, int32_t outcome)
{
    while (scatter->waiting != 0) {
        uint32_t worker = (uint32_t)__builtin_ctzll(scatter->waiting);

        end_worker(scatter, worker,
            outcome == -ETIMEDOUT && !is_there(scatter, worker) ? -ESTALE : outcome);
    }
}

static void answer(struct lam_scatter *scatter, uint32_t worker,
    const struct lam_framed_message *message, const struct call *call)
{
    struct lam_reply *reply = &scatter->replies[worker];

    scatter->messages[worker] = *message;
    scatter->lent |= UINT64_C(1) << worker;
    reply->payload = call->payload;
    reply->payload_bytes = call->payload_bytes;
    reply->kind = call->kind;
    reply->status = (int32_t)(uint32_t)call->word;
    LAM_CRASH_POINT("gather.reply_kept");
    end_worker(scatter, worker, 0);
}

/* What is this message of a worker that is waited for? Returns 1, or the end of its channel. */
static int sort(
    struct lam_scatter *scatter, uint32_t worker, const struct lam_framed_message *message)
{
    struct call call;

    if (!call_load(message, &call) || call.type != LAM_CALL_REPLY)
        return lam_framed_receiver_poison(scatter->receivers[worker]);
    if (call.correlation.scope == scatter->scope && call.correlation.id == scatter->round) {
        answer(scatter, worker, message, &call);
        return 1;
    }
    if (call.correlation.scope == scatter->scope) {
        scatter->counts.late++;
        scatter->late_of[worker]++;
    } else {
        scatter->counts.foreign++;
    }
    return lam_framed_receiver_release(scatter->receivers[worker], message) == 0 ? 1 : -ESTALE;
}

/* Take one message of @worker. Returns 1 it was taken; 0 none is there; or the worker's end. */
static int receive(struct lam_scatter *scatter, uint32_t worker)
{
    struct lam_framed_correlation correlation;
    struct lam_framed_message message;
    int rc = call_try_receive(scatter->receivers[worker], &message);

    if (rc == 1)
        return sort(scatter, worker, &message);
    if (rc < 0 && call_lost_one(scatter->receivers[worker], rc, &correlation))
        return correlation.scope == scatter->scope && correlation.id == scatter->round ? rc : 1;
    return rc;
}

/* Has another taken its channel since it was asked? The first to come took nobody's place. */
static int was_replaced(const struct lam_scatter *scatter, uint32_t worker)
{
    return scatter->epochs[worker] != 0 &&
           lam_ring_epoch(scatter->receivers[worker]->consumer.ring) != scatter->epochs[worker];
}

static void gather_from(struct lam_scatter *scatter, uint32_t worker)
{
    /* First: what a dead one had answered was published before its successor's epoch. */
    int is_replaced = was_replaced(scatter, worker);
    int rc = 1;

    for (uint32_t looks = 0; rc == 1 && (scatter->waiting >> worker & 1) != 0 && looks < LOOKS_MAX;
         looks++)
        rc = receive(scatter, worker);
    if (rc == 0 && is_replaced)
        rc = -EOWNERDEAD;
    if (rc < 0)
        end_worker(scatter, worker, rc);
}

void lam_scatter_take_in(struct lam_scatter *scatter)
{
    uint64_t waiting = scatter->waiting;

    if (waiting == 0)
        return;
    for (; waiting != 0; waiting &= waiting - 1)
        gather_from(scatter, (uint32_t)__builtin_ctzll(waiting));
    count_complete(scatter);
}

uint32_t lam_scatter_try_gather(struct lam_scatter *scatter)
{
    lam_scatter_take_in(scatter);
    if (scatter->waiting != 0 && scatter->deadline_ns != LAM_DEADLINE_NEVER &&
        lam_clock_now_ns() >= scatter->deadline_ns)
        lam_scatter_finish(scatter, -ETIMEDOUT);
    return (uint32_t)__builtin_popcountll(scatter->waiting);
}

/* Wait for one of those that are missing. An end is its outcome, where a look has not told it. */
static void wait_for_one(struct lam_scatter *scatter, uint64_t deadline_ns)
{
    struct lam_ring_consumer *consumers[LAM_SCATTER_WORKER_COUNT_MAX];
    uint32_t workers[LAM_SCATTER_WORKER_COUNT_MAX];
    uint32_t found = UINT32_MAX;
    uint32_t count = 0;
    int rc;

    for (uint64_t left = scatter->waiting; left != 0; left &= left - 1) {
        workers[count] = (uint32_t)__builtin_ctzll(left);
        consumers[count] = &scatter->receivers[workers[count]]->consumer;
        count++;
    }
    rc = lam_ring_wait_any_until(consumers, count, deadline_ns, &found);
    if (rc == 0 || rc == -ETIMEDOUT)
        return;
    gather_from(scatter, workers[found]);
    if ((scatter->waiting >> workers[found] & 1) != 0)
        end_worker(scatter, workers[found], rc);
}

int lam_scatter_gather_until(struct lam_scatter *scatter, uint64_t deadline_ns)
{
    lam_scatter_take_in(scatter);
    while (scatter->waiting != 0) {
        uint64_t until_ns = deadline_ns < scatter->deadline_ns ? deadline_ns : scatter->deadline_ns;
        uint64_t look_ns = lam_deadline_after_ns(LAM_WAIT_CHECK_NS);

        /* A successor of one that is missing rings no bell. */
        wait_for_one(scatter, look_ns < until_ns ? look_ns : until_ns);
        if (lam_scatter_try_gather(scatter) == 0)
            return 0;
        if (lam_clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
    }
    return 0;
}
