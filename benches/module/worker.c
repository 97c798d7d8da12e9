/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of a module in a process of its own: beside a round trip of layer 3 with as many bytes,
 * and beside what the same would cost without shared memory, a question and its answer over a
 * socket.
 */
#include "module.h"

#include "clock.h"
#include "layers.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"
#include "stats.h"

#define SAMPLES_MAX 8192
#define PLAN_NS     100000

static double samples[SAMPLES_MAX];

struct worker {
    struct module_elsewhere elsewhere; /* first: the lane's state */
    struct module_caller caller;
    int is_open;
};

static int open_worker(struct bench_lane *lane)
{
    struct worker *worker = bench_private_memory(sizeof(*worker));

    lane->state = worker;
    return module_elsewhere_open(&worker->elsewhere);
}

static void detach(struct bench_lane *lane, uint32_t side)
{
    struct worker *worker = lane->state;

    if (worker->is_open)
        module_caller_close(&worker->caller);
    module_elsewhere_close(&worker->elsewhere);
}

static uint64_t ask(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    struct worker *worker = lane->state;

    module_caller_run(&worker->caller, count);
    return 0;
}

static const struct bench_subject called = {.name = "worker_call",
    .layer = MODULE_LAYER,
    .open = open_worker,
    .detach = detach,
    .ask = ask,
    .answer = module_elsewhere_answer};

/* The worker runs where the other process does, which sleeps meanwhile. */
static void start_worker(const struct bench_crew *crew, struct bench_lane *lane)
{
    struct worker *worker = lane->state;

    if (worker->is_open)
        return;
    bench_cpus_pin(crew->cpus[1]);
    module_caller_open_worker(&worker->caller, lane->shape.payload_bytes);
    bench_cpus_pin(crew->cpus[0]);
    worker->is_open = 1;
}

/* As bench_measure_handoff. */

static double time_calls(struct bench_lane *lane, uint64_t count)
{
    uint64_t started_ns = bench_now_ns();

    lane->subject->ask(lane, count, 0);
    return (double)(bench_now_ns() - started_ns);
}

static uint64_t at_most(double count)
{
    return count < 8 ? 8 : count > SAMPLES_MAX ? SAMPLES_MAX : (uint64_t)count;
}

static void plan(
    struct bench_crew *crew, uint32_t lane_index, uint64_t window_ns, struct bench_plan *plan)
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    uint64_t count = 2;
    double took_ns;

    if (lane->subject != &called) {
        bench_measure_handoff.plan(crew, lane_index, window_ns, plan);
        return;
    }
    module_elsewhere_begin(crew, lane_index);
    start_worker(crew, lane);
    do {
        count *= 2;
        took_ns = time_calls(lane, count);
    } while (took_ns < PLAN_NS);
    module_elsewhere_end(crew, lane_index);
    plan->per_group = 4;
    plan->group_count = at_most((double)window_ns / took_ns * (double)count / 4);
    plan->single_count = at_most((double)window_ns / took_ns * (double)count / 2);
}

static void run_window(struct bench_crew *crew, uint32_t lane_index, const struct bench_plan *plan,
    double readings[BENCH_READING_COUNT])
{
    struct bench_lane *lane = &crew->lanes[lane_index];
    struct worker *worker = lane->state;

    if (lane->subject != &called) {
        bench_measure_handoff.run(crew, lane_index, plan, readings);
        return;
    }
    module_elsewhere_begin(crew, lane_index);
    (void)time_calls(lane, plan->group_count);
    for (uint64_t i = 0; i < plan->group_count; i++)
        samples[i] = time_calls(lane, plan->per_group) / (double)plan->per_group;
    readings[0] = bench_quantile(samples, (uint32_t)plan->group_count, 0.5);
    for (uint64_t i = 0; i < plan->single_count; i++)
        samples[i] = time_calls(lane, 1) - bench_measure_clock_ns();
    readings[1] = bench_quantile(samples, (uint32_t)plan->single_count, 0.99);
    module_elsewhere_end(crew, lane_index);
    module_caller_check(&worker->caller);
}

static const struct bench_measure measure = {plan, run_window, 0};

/* The lanes of the campaign. 0: there is no layer 3 here. */
struct lanes {
    uint32_t worker, asleep, asking, buffer, zerocopy, pod;
};

/* Layer 3 with a message of FlatBuffers, and with a struct in place. */
static void add_layer3(
    struct bench_campaign *campaign, struct lanes *lanes, const struct bench_shape *shape)
{
    lanes->zerocopy = lanes->pod = 0;
    for (uint32_t i = 0; i < bench_layer_count; i++) {
        const struct bench_layer *layer = &bench_layers[i];

        if (layer->subject->layer == 3 && layer->variant == NULL)
            lanes->zerocopy = bench_campaign_add(campaign, layer->subject, shape);
        else if (layer->subject->layer == 3)
            lanes->pod = bench_campaign_add(campaign, layer->subject, shape);
    }
}

static void report_trip(const struct bench_campaign *campaign, uint32_t lane, uint32_t probe)
{
    bench_report_number("p50_ns", bench_campaign_median(campaign, lane, 0), 1);
    bench_report_number("p99_ns", bench_campaign_median(campaign, lane, 1), 1);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 1);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
}

static void report_worker(const struct bench_campaign *campaign, const struct lanes *lanes)
{
    uint32_t probe = lanes->zerocopy != 0 ? lanes->zerocopy : lanes->buffer;

    bench_report_begin("module", "worker", &campaign->lanes[lanes->worker]);
    report_trip(campaign, lanes->worker, probe);
    if (lanes->pod != 0)
        bench_report_ratio("ratio_pod", bench_campaign_ratio(campaign, lanes->worker, lanes->pod));
    bench_report_number("socket_ns", bench_campaign_median(campaign, lanes->asking, 0), 1);
    bench_report_ratio(
        "ratio_socket", bench_campaign_ratio(campaign, lanes->worker, lanes->asking));
    bench_report_end(campaign, lanes->worker, probe);
}

static void report_socket(
    const struct bench_campaign *campaign, const struct lanes *lanes, uint32_t lane)
{
    bench_report_begin("module", "socket", &campaign->lanes[lane]);
    bench_report_text("waiting", campaign->lanes[lane].subject->name);
    report_trip(campaign, lane, lanes->buffer);
    bench_report_end(campaign, lane, lanes->buffer);
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    struct bench_shape shape;
    struct lanes lanes;

    bench_run_shape(&shape, options, MODULE_TRIP_BYTES, 1, 1);
    module_begin(&campaign, &measure, options);
    lanes.worker = bench_campaign_add(&campaign, &called, &shape);
    add_layer3(&campaign, &lanes, &shape);
    lanes.asking = bench_campaign_add(&campaign, &module_socket_asking, &shape);
    lanes.asleep = bench_campaign_add(&campaign, &module_socket_asleep, &shape);
    lanes.buffer = bench_campaign_add(&campaign, &bench_probe_buffer2, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    report_worker(&campaign, &lanes);
    report_socket(&campaign, &lanes, lanes.asking);
    report_socket(&campaign, &lanes, lanes.asleep);
    return 0;
}

const struct module_part module_worker = {"worker", run};
