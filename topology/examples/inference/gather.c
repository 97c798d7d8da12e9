/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gather.c: the way back: the reply of every worker, in the order of the workers. The slowest one
 * decides how long a step takes, so waiting for them one after the other costs nothing.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inference.h"
#include "lamina/base/clock.h"
#include "scheduler.h"
#include "stop.h"

#define MISMATCHES_TOLD_MAX 10

static void mismatch(struct scheduler *scheduler, uint32_t index, const char *what)
{
    struct figures *figures = &scheduler->figures;

    if (++figures->mismatches <= MISMATCHES_TOLD_MAX)
        (void)fprintf(stderr, "scheduler: MISMATCH: %s at step %" PRIu64 ": %s\n",
            figures->workers[index].name, scheduler->step.id, what);
}

/* Compare a reply to the open step with what every worker must answer. */
static void check_reply(
    struct scheduler *scheduler, uint32_t index, struct lamina_inference_Reply_view reply)
{
    struct lam_u32_span produced = lamina_inference_Reply_get_produced(reply);
    const struct batch_answer *answer = &scheduler->answer;

    if (lamina_inference_Reply_get_worker(reply) != index)
        mismatch(scheduler, index, "the reply is another worker's");
    else if (produced.count != scheduler->step.part_count)
        mismatch(scheduler, index, "the reply is to another number of sequences");
    else if (produced.data == NULL ||
             memcmp(produced.data, answer->produced, produced.count * sizeof(uint32_t)) != 0)
        mismatch(scheduler, index, "it produced other tokens");
    else if (lamina_inference_Reply_get_checksum(reply) != answer->checksum)
        mismatch(scheduler, index, "it saw other bytes (checksum)");
}

static uint64_t span_ns(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? to_ns - from_ns : 0;
}

/* Returns 0, or -EPROTO: the reply is to a step that nobody asked. */
static int take_reply(
    struct scheduler *scheduler, uint32_t index, const struct lam_zerocopy_view *view)
{
    struct scheduler_worker *worker = &scheduler->workers[index];
    struct figures *figures = &scheduler->figures;
    struct lamina_inference_Reply_view reply = lamina_inference_Reply_root(view->payload);
    uint64_t step_id = lamina_inference_Reply_get_step_id(reply);
    uint64_t finished_ns = lamina_inference_Reply_get_finished_ns(reply);

    figures->reply_edge.messages++;
    figures->reply_edge.bytes += view->payload_bytes;
    if (step_id <= worker->latest_step) {
        figures->duplicates++; /* to a step that was broadcast again */
        return 0;
    }
    if (step_id != scheduler->step.id) {
        mismatch(scheduler, index, "the reply is to a step that is still to come");
        return -EPROTO;
    }
    worker->latest_step = step_id;
    check_reply(scheduler, index, reply);
    worker->answered = 1;
    worker->done_ns = finished_ns;
    figures->workers[index].replies++;
    lam_histogram_record(&figures->step_edge.latency,
        span_ns(scheduler->broadcast_ns, lamina_inference_Reply_get_started_ns(reply)));
    lam_histogram_record(&figures->reply_edge.latency, span_ns(finished_ns, lam_clock_now_ns()));
    return 0;
}

/* Returns 0 when the worker has answered, or an error of scheduler_gather(). */
static int await_worker(struct scheduler *scheduler, uint32_t index, struct lam_error *error)
{
    struct scheduler_worker *worker = &scheduler->workers[index];
    struct lam_zerocopy_receiver *receiver = &worker->replies.receiver;
    const char *name = scheduler->figures.workers[index].name;
    struct lam_zerocopy_view view;

    while (!worker->answered) {
        int rc = lam_zerocopy_receiver_view_until(
            receiver, lam_deadline_after_ns(SCHEDULER_SLICE_NS), &view);

        if (rc == 0) {
            rc = take_reply(scheduler, index, &view);
            lam_zerocopy_receiver_release(receiver, &view);
            if (rc == 0)
                continue;
        }
        if (rc == -EBADMSG)
            mismatch(scheduler, index, lam_zerocopy_receiver_reason(receiver));
        if (stop_asked(scheduler->topology))
            return scheduler_stopped(scheduler, error);
        scheduler->waiting = (struct waiting_for){name, scheduler->step.id, scheduler->sent_ns};
        scheduler_live(scheduler, lam_clock_now_ns());
        if (rc == -EOWNERDEAD || rc == -EPIPE ||
            (rc == -ETIMEDOUT && scheduler_is_gone(scheduler, index)))
            rc = scheduler_rejoin(scheduler, index, error);
        else if (rc != -ETIMEDOUT)
            rc = lam_error_set(error, rc, "cannot go on with %s: %s", name, strerror(-rc));
        if (rc != 0 && rc != -ETIMEDOUT)
            return rc;
    }
    return 0;
}

/* How much later than the first worker each was, and who was last. */
static void record_lags(struct scheduler *scheduler)
{
    struct figures *figures = &scheduler->figures;
    uint64_t first_ns = UINT64_MAX;
    uint32_t last = 0;

    for (uint32_t i = 0; i < scheduler->worker_count; i++) {
        if (scheduler->workers[i].done_ns < first_ns)
            first_ns = scheduler->workers[i].done_ns;
        if (scheduler->workers[i].done_ns > scheduler->workers[last].done_ns)
            last = i;
    }
    for (uint32_t i = 0; i < scheduler->worker_count; i++) {
        uint64_t lag_ns = scheduler->workers[i].done_ns - first_ns;

        figures->workers[i].lag_ns += lag_ns;
        figures->workers[i].window_lag_ns += lag_ns;
        figures->workers[i].window_replies++;
    }
    figures->workers[last].last++;
    figures->workers[last].window_last++;
}

int scheduler_gather(struct scheduler *scheduler, struct lam_error *error)
{
    struct figures *figures = &scheduler->figures;
    uint64_t step_ns;

    for (uint32_t i = 0; i < scheduler->worker_count; i++) {
        int rc = await_worker(scheduler, i, error);

        if (rc != 0)
            return rc;
    }
    scheduler->waiting.name = NULL;
    step_ns = span_ns(scheduler->sent_ns, lam_clock_now_ns());
    lam_histogram_record(&figures->step_time, step_ns);
    lam_histogram_record(&figures->window_step_time, step_ns);
    record_lags(scheduler);
    figures->steps++;
    figures->window_steps++;
    figures->window_tokens += scheduler->step.token_count;
    return 0;
}
