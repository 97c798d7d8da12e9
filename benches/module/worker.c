/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of a module in a process of its own: beside a round trip of layer 3 with as many bytes,
 * and beside what the same would cost without shared memory, a question and its answer over a
 * socket.
 */
#include "module.h"

#include "layers.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

static void start(struct module_caller *caller, uint32_t bytes)
{
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER};

    module_caller_open_as(caller, bytes, &options);
}

static int open_worker(struct bench_lane *lane)
{
    return module_beside_open(lane, start);
}

static const struct bench_subject called = {.name = "worker_call",
    .layer = MODULE_LAYER,
    .open = open_worker,
    .detach = module_beside_detach,
    .ask = module_beside_ask,
    .answer = module_elsewhere_answer};

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
    module_begin(&campaign, &module_measure_beside, options);
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
