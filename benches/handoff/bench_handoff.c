/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Round trips between two processes, each message made from the one before it: what every layer
 * costs over the bare bounce of two lines, and over the layer below it.
 */
#include <stdio.h>

#include "layers.h"
#include "options.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

/* Two sizes over all layers, the others for the ring; the ladder has all layers at all sizes. */
static const struct row {
    uint32_t payload_bytes;
    int layer_max;
} rows[] = {{8, 0}, {48, 3}, {256, 0}, {1024, 3}, {65536, 0}, {2U << 20, 0}};

/* Where the pages of some megabytes lie in the caches is chance: it is thrown this often. */
#define PARTS_OF_MEGABYTES 8

struct lanes {
    uint32_t layer_lanes[BENCH_LANES_MAX]; /* by index in bench_layers; 0: not in this run */
    uint32_t probe, stamped, cursor;
};

static void add_lanes(struct bench_campaign *campaign, const struct bench_options *options,
    const struct bench_shape *shape, int layer_max, struct lanes *lanes)
{
    /* A word in each line is the bare bounce; larger payloads have to be carried by the probe. */
    int bare = shape->payload_bytes <= BENCH_EVENT_BYTES;
    struct bench_shape probe_shape = *shape;

    if (bare)
        probe_shape.payload_bytes = 8;
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (bench_run_wants(options, i) && bench_layers[i].subject->layer <= layer_max)
            lanes->layer_lanes[i] = bench_campaign_add(campaign, bench_layers[i].subject, shape);
    lanes->probe = bench_campaign_add(
        campaign, bare ? &bench_probe_bounce2 : &bench_probe_buffer2, &probe_shape);
    lanes->stamped = bench_campaign_add(campaign, &bench_probe_stamped, shape);
    lanes->cursor = bench_campaign_add(campaign, &bench_probe_cursor, shape);
}

static void report(const struct bench_campaign *campaign, uint32_t index, const struct lanes *lanes)
{
    const struct bench_layer *layer = &bench_layers[index];
    uint32_t lane = lanes->layer_lanes[index];

    bench_report_begin("handoff", layer->variant, &campaign->lanes[lane]);
    bench_report_number("p50_ns", bench_campaign_median(campaign, lane, 0), 1);
    bench_report_number("p99_ns", bench_campaign_median(campaign, lane, 1), 1);
    bench_report_text("probe", campaign->lanes[lanes->probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, lanes->probe, 0), 1);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, lanes->probe));
    bench_report_number("stamped_ns", bench_campaign_median(campaign, lanes->stamped, 0), 1);
    bench_report_number("cursor_ns", bench_campaign_median(campaign, lanes->cursor, 0), 1);
    bench_run_compare(campaign, index, lanes->layer_lanes);
    bench_report_end(campaign, lane, lanes->probe);
}

static int run(const struct bench_options *options, uint32_t payload_bytes, int layer_max)
{
    static struct bench_campaign campaign;
    struct lanes lanes = {{0}, 0, 0, 0};
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    bench_run_init(&campaign, &bench_measure_handoff, options);
    if (payload_bytes >= 1U << 20 && !options->quick)
        campaign.part_count = PARTS_OF_MEGABYTES;
    add_lanes(&campaign, options, &shape, layer_max, &lanes);
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

    bench_options_read(&options, argc, argv, "handoff: round trips between two processes");
    bench_options_need_two_cpus();
    if (options.payload_bytes != 0)
        return run(&options, options.payload_bytes, 3);
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (options.layer <= rows[i].layer_max &&
            run(&options, rows[i].payload_bytes, rows[i].layer_max) != 0)
            return 1;
    return 0;
}
