/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler.c: replays a trace of requests, one step after the other, and reports.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lamina/base/clock.h"
#include "scheduler.h"
#include "stop.h"

#define LIVE_NS LAM_NS_PER_S

static int read_options(
    struct scheduler *scheduler, struct source_options *options, struct lam_error *error)
{
    const struct lam_topology *topology = scheduler->topology;

    options->input = lam_topology_parameter_path(topology, "input");
    options->speed = lam_topology_parameter(topology, "speed");
    options->malformed = lam_topology_parameter(topology, "malformed");
    if (options->input == NULL || options->speed == NULL || options->malformed == NULL)
        return lam_error_set(
            error, -EINVAL, "the topology needs the parameters input, speed and malformed");
    return 0;
}

static void begin_figures(struct scheduler *scheduler, const struct source_options *options)
{
    struct figures *figures = &scheduler->figures;
    const struct lam_topology_edge *steps = lam_topology_edge(scheduler->topology, EDGE_STEPS);
    const struct lam_topology_edge *replies = lam_topology_edge(scheduler->topology, EDGE_REPLIES);

    figures->topology = lam_topology_name(scheduler->topology);
    figures->input = options->input;
    figures->speed = options->speed;
    figures->requests_total = trace_request_count(&scheduler->source.trace);
    figures->worker_count = scheduler->worker_count;
    figures->step_edge.name = EDGE_STEPS;
    figures->reply_edge.name = EDGE_REPLIES;
    figures->ring_count = 1 + scheduler->worker_count;
    ring_facts_gather(&figures->rings[0], &scheduler->steps.ring, steps);
    for (uint32_t i = 0; i < scheduler->worker_count; i++)
        ring_facts_gather(&figures->rings[1 + i], &scheduler->workers[i].replies.ring, replies);
}

static void update_figures(struct scheduler *scheduler)
{
    struct figures *figures = &scheduler->figures;

    figures->requests = scheduler->batch.finished;
    figures->requests_read = scheduler->source.read_count;
    figures->malformed = scheduler->source.malformed_count;
    figures->prompt_tokens = scheduler->batch.prompt_tokens;
    figures->generated_tokens = scheduler->batch.generated_tokens;
    figures->digest = scheduler->batch.digest;
}

void scheduler_live(struct scheduler *scheduler, uint64_t now_ns)
{
    if (now_ns < scheduler->live_due_ns)
        return;
    update_figures(scheduler);
    figures_print_live(&scheduler->figures, &scheduler->waiting, now_ns, stderr);
    scheduler->live_due_ns += LIVE_NS;
    if (scheduler->live_due_ns <= now_ns)
        scheduler->live_due_ns = now_ns + LIVE_NS;
}

/* Take in what is due and has room. Returns 0, -ENODATA when no more will come, or an error. */
static int admit(struct scheduler *scheduler, uint64_t now_ns, struct lam_error *error)
{
    struct batch_sequence sequence;

    while (batch_room(&scheduler->batch) > 0) {
        int rc = source_try_take(&scheduler->source, now_ns, &sequence, error);

        if (rc != 1)
            return rc;
        batch_admit(&scheduler->batch, &sequence);
    }
    return 0;
}

static int run_step(struct scheduler *scheduler, uint64_t now_ns, struct lam_error *error)
{
    int rc;

    batch_plan(&scheduler->batch, &scheduler->step);
    lam_topology_progress(scheduler->topology, scheduler->step.id);
    for (uint32_t i = 0; i < scheduler->worker_count; i++)
        scheduler->workers[i].answered = 0;
    scheduler->sent_ns = now_ns;
    rc = scheduler_broadcast(scheduler, error);
    if (rc == 0)
        rc = scheduler_gather(scheduler, error);
    if (rc == 0)
        (void)batch_apply(&scheduler->batch, &scheduler->step, scheduler->answer.produced);
    return rc;
}

/* Returns 0 at the end of the trace, -ECANCELED when the run is to stop, or an error. */
static int run(struct scheduler *scheduler, struct lam_error *error)
{
    for (;;) {
        uint64_t now_ns = lam_clock_now_ns();
        int rc = admit(scheduler, now_ns, error);

        if (rc == -ENODATA && scheduler->batch.sequence_count == 0)
            return 0;
        if (rc != 0 && rc != -ENODATA)
            return rc;
        scheduler_live(scheduler, now_ns);
        if (stop_asked(scheduler->topology))
            return scheduler_stopped(scheduler, error);
        if (scheduler->batch.sequence_count == 0) {
            source_wait(&scheduler->source, now_ns + SCHEDULER_SLICE_NS);
            continue;
        }
        rc = run_step(scheduler, now_ns, error);
        if (rc != 0)
            return rc;
    }
}

/* Returns @rc, the run's; or, where that is no error, that the report could not be written. */
static int report(struct scheduler *scheduler, int rc, struct lam_error *error)
{
    struct figures *figures = &scheduler->figures;

    update_figures(scheduler);
    figures->end_ns = lam_clock_now_ns();
    figures->complete = rc == 0;
    scheduler->waiting.name = NULL;
    figures_print_live(figures, &scheduler->waiting, figures->end_ns, stderr);
    if (lam_topology_json(scheduler->topology)) {
        figures_print_table(figures, stderr);
        figures_print_json(figures, stdout);
    } else {
        figures_print_table(figures, stdout);
    }
    if ((fflush(stdout) == 0 && !ferror(stdout)) || (rc != 0 && rc != -ECANCELED))
        return rc;
    return lam_error_set(error, -EIO,
        "cannot write the report to standard output: it is closed, or its disk is full");
}

static int schedule(struct scheduler *scheduler, struct lam_error *error)
{
    struct source_options options;
    int rc = read_options(scheduler, &options, error);

    if (rc == 0)
        rc = source_open(&scheduler->source, &options, error);
    if (rc != 0)
        return rc;
    rc = scheduler_attach(scheduler, error);
    if (rc == 0) {
        begin_figures(scheduler, &options);
        lam_topology_ready(scheduler->topology);
        rc = scheduler_meet_workers(scheduler, error);
    }
    if (rc == 0) {
        scheduler->figures.start_ns = lam_clock_now_ns();
        scheduler->figures.window_start_ns = scheduler->figures.start_ns;
        scheduler->live_due_ns = scheduler->figures.start_ns + LIVE_NS;
        batch_init(&scheduler->batch);
        rc = run(scheduler, error);
        rc = report(scheduler, rc, error);
        lam_zerocopy_sender_close(&scheduler->steps.sender);
    }
    source_close(&scheduler->source);
    return rc;
}

int main(void)
{
    static struct scheduler scheduler;
    struct lam_error error = {""};
    int rc;

    /* Lines in one piece: many processes write to the same place. */
    (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    stop_init();
    rc = lam_topology_open(&scheduler.topology, NULL, NULL, 0, &error);
    if (rc == 0)
        rc = schedule(&scheduler, &error);
    if (rc != 0 && rc != -ECANCELED)
        (void)fprintf(stderr, "scheduler: %s\n", error.text);
    lam_topology_close(scheduler.topology);
    return (rc == 0 || rc == -ECANCELED) && scheduler.figures.mismatches == 0 ? 0 : 1;
}
