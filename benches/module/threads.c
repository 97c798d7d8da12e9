/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of one module by several threads at once, together per second, against one thread. Raw
 * calls of as many threads say what the cores themselves give: two of them may be one.
 */
#include "module.h"

#include <stdio.h>

#include "lamina/runtime/batch.h"

#include "clock.h"
#include "layers.h"
#include "report.h"

#define THREADS_MAX   8
#define PAYLOAD_BYTES 64
#define PLAN_COUNT    1000
#define PLAN_BATCHED  50 /* each is a hand-over to others */

struct crowd;

struct worker {
    struct crowd *crowd;
    struct module_caller caller;
    pthread_t thread;
    uint64_t begun_ns, ended_ns;
};

struct crowd {
    struct module_elsewhere elsewhere; /* first: the lane's state */
    struct module_caller first;
    struct worker workers[MODULE_CROWD_MAX];
    uint32_t threads; /* this one, and others */
    uint64_t count;   /* calls of each */
    void (*calls)(struct module_caller *caller, uint64_t count);
    lam_atomic_u32 ready;
};

static int open_crowd(struct bench_lane *lane)
{
    struct crowd *crowd = bench_private_memory(sizeof(*crowd));

    lane->state = crowd;
    return module_elsewhere_open(&crowd->elsewhere);
}

static int attach(struct bench_lane *lane, uint32_t side)
{
    const struct lam_batch_options batch = {.count_max = lane->shape.batch};
    struct lam_module_options options = {.host = LAM_MODULE_IN_PROCESS};
    struct crowd *crowd = lane->state;

    if (lane->subject == &module_crowd_batching)
        options.batch = &batch;
    if (side == 0)
        module_caller_open_as(&crowd->first, lane->shape.payload_bytes, &options);
    return 0;
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct crowd *crowd = lane->state;

    if (side == 0)
        module_caller_close(&crowd->first);
    module_elsewhere_close(&crowd->elsewhere);
}

static void wait_until(lam_atomic_u32 *word, uint32_t value)
{
    uint32_t looks = 0;

    while (lam_load_acquire(word) != value)
        bench_pause(&looks);
}

/* All begin when the last of them is ready. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    struct crowd *crowd = worker->crowd;

    module_caller_join(&worker->caller, &crowd->first);
    crowd->calls(&worker->caller, crowd->count / 8 + 1);
    (void)lam_add_acq_rel(&crowd->ready, 1);
    wait_until(&crowd->ready, crowd->threads);
    worker->begun_ns = bench_now_ns();
    crowd->calls(&worker->caller, crowd->count);
    worker->ended_ns = bench_now_ns();
    module_caller_check(&worker->caller);
    module_caller_leave(&worker->caller);
    return NULL;
}

/* Returns how long the calls of each took, from the first one's first to the last one's last. */
static double time_crowd(struct crowd *crowd, const int *cpus)
{
    uint64_t begun_ns, ended_ns;

    lam_store_relaxed(&crowd->ready, 0);
    for (uint32_t i = 0; i < crowd->threads; i++)
        crowd->workers[i].crowd = crowd;
    for (uint32_t i = 1; i < crowd->threads; i++)
        module_elsewhere_start(&crowd->workers[i].thread, cpus[i], work, &crowd->workers[i]);
    (void)work(&crowd->workers[0]);
    begun_ns = crowd->workers[0].begun_ns;
    ended_ns = crowd->workers[0].ended_ns;
    for (uint32_t i = 1; i < crowd->threads; i++) {
        const struct worker *worker = &crowd->workers[i];

        (void)pthread_join(worker->thread, NULL);
        begun_ns = worker->begun_ns < begun_ns ? worker->begun_ns : begun_ns;
        ended_ns = worker->ended_ns > ended_ns ? worker->ended_ns : ended_ns;
    }
    return (double)(ended_ns - begun_ns);
}

static uint64_t nothing(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    return 0;
}

#define SUBJECT(subject, its_layer, more_than_cpus)                                                \
    {                                                                                              \
        .name = (subject), .layer = (its_layer), .open = open_crowd, .attach = attach,             \
        .detach = detach, .ask = nothing, .answer = module_elsewhere_answer,                       \
        .threads = (more_than_cpus)                                                                \
    }

/* With more threads than CPUs it is no disturbance that they put each other off. */
static const struct bench_subject called[2] = {
    SUBJECT("module_call", MODULE_LAYER, 0), SUBJECT("module_call", MODULE_LAYER, 1)};
const struct bench_subject module_crowd_calling = SUBJECT("one_by_one", -1, 1);
const struct bench_subject module_crowd_batching = SUBJECT("batches", MODULE_LAYER, 1);
static const struct bench_subject raw[2] = {SUBJECT("raw_call", -1, 0), SUBJECT("raw_call", -1, 1)};

/* Reading 0: calls a second of all threads. shape.batch is how many there are. */

static double time_window(struct bench_crew *crew, uint32_t lane_index, uint64_t count)
{
    const struct bench_lane *lane = &crew->lanes[lane_index];
    struct crowd *crowd = lane->state;
    int cpus[MODULE_CROWD_MAX];
    double took_ns;

    bench_cpus_choose(lane->shape.batch <= 2 ? crew->cpus : NULL, lane->shape.batch, cpus);
    crowd->calls = module_caller_run;
    if (lane->subject == &raw[0] || lane->subject == &raw[1])
        crowd->calls = module_caller_run_raw;
    crowd->threads = lane->shape.batch;
    crowd->count = count;
    module_elsewhere_begin(crew, lane_index);
    took_ns = time_crowd(crowd, cpus);
    module_elsewhere_end(crew, lane_index);
    return took_ns;
}

static void plan(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    int is_batched = crew->lanes[lane_index].subject == &module_crowd_batching;
    uint64_t count = is_batched ? PLAN_BATCHED : PLAN_COUNT;
    double took_ns = time_window(crew, lane_index, count);

    plan->message_count = (uint64_t)((double)window_ns * (double)count / took_ns) + count;
}

static void run_window(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    double calls = (double)plan->message_count * crew->lanes[lane_index].shape.batch;

    readings[0] = calls * 1e9 / time_window(crew, lane_index, plan->message_count);
    readings[1] = 0;
}

const struct bench_measure module_measure_crowd = {plan, run_window, 1};

static void report(
    const struct bench_campaign *campaign, const uint32_t *lanes, const uint32_t *raw_lanes)
{
    uint32_t lane = lanes[0], one = lanes[1];

    bench_report_begin("module", "threads", &campaign->lanes[lane]);
    bench_report_count("threads", campaign->lanes[lane].shape.batch);
    bench_report_count("cpus", bench_cpus_count());
    bench_report_count("cores", bench_cpus_core_count());
    printf(",\"oversubscribed\":%s",
        campaign->lanes[lane].shape.batch > bench_cpus_count() ? "true" : "false");
    bench_report_number("calls_per_s", bench_campaign_median(campaign, lane, 0), 0);
    bench_report_text("probe", "one_thread");
    bench_report_number("probe_per_s", bench_campaign_median(campaign, one, 0), 0);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, one));
    bench_report_number("raw_per_s", bench_campaign_median(campaign, raw_lanes[0], 0), 0);
    bench_report_ratio("ratio_raw", bench_campaign_ratio(campaign, raw_lanes[0], raw_lanes[1]));
    bench_report_end(campaign, lane, one);
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    uint32_t lanes[THREADS_MAX], raw_lanes[THREADS_MAX], count = 0;

    module_begin(&campaign, &module_measure_crowd, options);
    for (uint32_t threads = 1; threads <= THREADS_MAX; threads *= 2) {
        struct bench_shape shape = {.payload_bytes = PAYLOAD_BYTES, .batch = threads, .readers = 1};
        uint32_t many = threads > bench_cpus_count();

        lanes[count] = bench_campaign_add(&campaign, &called[many], &shape);
        raw_lanes[count++] = bench_campaign_add(&campaign, &raw[many], &shape);
    }
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t pair[2] = {lanes[i], lanes[0]}, raw_pair[2] = {raw_lanes[i], raw_lanes[0]};

        report(&campaign, pair, raw_pair);
    }
    return 0;
}

const struct module_part module_threads = {"threads", run};
