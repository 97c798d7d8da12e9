/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream from one process to another: messages a second, against the bare stamped ring and the
 * bare cursor ring of the same cells, depth and reader's work.
 */
#include <stdio.h>

#include "layers.h"
#include "options.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

/* Words are for the ring alone: layers above it have headers of their own. */
static const struct {
    uint32_t payload_bytes, batch;
    int layer_max;
} streams[] = {{8, 1, 0}, {8, 8, 0}, {8, 32, 0}, {48, 1, 3}, {48, 8, 3}, {48, 32, 3}, {1024, 1, 3},
    {1024, 8, 3}, {1024, 32, 3}, {65536, 1, 3}};

struct lanes {
    uint32_t layer_lanes[BENCH_LANES_MAX]; /* by index in bench_layers; 0: not in this run */
    uint32_t stamped, cursor;
};

static void report(const struct bench_campaign *campaign, uint32_t index, const struct lanes *lanes)
{
    uint32_t lane = lanes->layer_lanes[index];
    uint32_t probe = bench_run_stream_probe(campaign, lanes->stamped, lanes->cursor);
    const struct bench_shape *shape = &campaign->lanes[lane].shape;
    double rate = bench_campaign_median(campaign, lane, 0);
    double stamped = bench_campaign_median(campaign, lanes->stamped, 0);
    double cursor = bench_campaign_median(campaign, lanes->cursor, 0);

    bench_report_begin("throughput", bench_layers[index].variant, &campaign->lanes[lane]);
    bench_report_count("batch", shape->batch);
    bench_report_number("msgs_per_s", rate, 0);
    bench_report_number("bytes_per_s", rate * shape->payload_bytes, 0);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_per_s", probe == lanes->cursor ? cursor : stamped, 0);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_number("stamped_per_s", stamped, 0);
    bench_report_number("cursor_per_s", cursor, 0);
    bench_run_compare(campaign, index, lanes->layer_lanes);
    bench_report_end(campaign, lane, probe);
}

static int run(
    const struct bench_options *options, uint32_t payload_bytes, uint32_t batch, int layer_max)
{
    static struct bench_campaign campaign;
    struct lanes lanes = {{0}, 0, 0};
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, batch, 1);
    bench_run_init(&campaign, &bench_measure_throughput, options);
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (bench_run_wants(options, i) && bench_run_batches(i, batch) &&
            bench_layers[i].subject->layer <= layer_max)
            lanes.layer_lanes[i] = bench_campaign_add(&campaign, bench_layers[i].subject, &shape);
    lanes.stamped = bench_campaign_add(&campaign, &bench_probe_stamped, &shape);
    lanes.cursor = bench_campaign_add(&campaign, &bench_probe_cursor, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (lanes.layer_lanes[i] != 0 && bench_run_prints(options, i))
            report(&campaign, i, &lanes);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench_options options;

    bench_options_read(&options, argc, argv, "throughput: a stream from one process to another");
    bench_options_need_two_cpus();
    if (options.payload_bytes != 0)
        return run(&options, options.payload_bytes, options.batch ? options.batch : 1, 3);
    for (uint32_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        if ((options.batch != 0 && options.batch != streams[i].batch) ||
            options.layer > streams[i].layer_max)
            continue;
        if (run(&options, streams[i].payload_bytes, streams[i].batch, streams[i].layer_max) != 0)
            return 1;
    }
    return 0;
}
