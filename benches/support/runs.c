/* SPDX-License-Identifier: Apache-2.0 */
#include "runs.h"

#include "lamina/ring/ring.h"

#include "clock.h"
#include "layers.h"
#include "report.h"

#define WINDOWS_DEFAULT 31
#define WINDOWS_QUICK   5

void bench_run_shape(struct bench_shape *shape, const struct bench_options *options,
    uint32_t payload_bytes, uint32_t batch, uint32_t readers)
{
    uint64_t cells;

    shape->payload_bytes = payload_bytes;
    shape->batch = batch;
    shape->cell_bytes = options->cell_bytes != 0 ? options->cell_bytes : 64;
    shape->readers = readers;
    shape->depth = options->depth ? options->depth : LAM_RING_DEPTH_DEFAULT;
    cells = bench_message_cells(shape) * (batch > 3 ? batch : 3);
    while (shape->depth <= cells)
        shape->depth *= 2;
}

void bench_run_init(struct bench_campaign *campaign, const struct bench_measure *measure,
    const struct bench_options *options)
{
    bench_campaign_init(campaign, measure);
    campaign->wanted_rounds = options->quick ? WINDOWS_QUICK : WINDOWS_DEFAULT;
    if (options->windows != 0)
        campaign->wanted_rounds = options->windows;
    campaign->window_ns = (options->quick ? 300 : 1500) * BENCH_NS_PER_US;
    campaign->budget_ns = options->quick ? 300 * BENCH_NS_PER_MS : 10 * BENCH_NS_PER_S;
    if (options->windows != 0)
        campaign->budget_ns = 30 * BENCH_NS_PER_S;
}

int bench_run_wants(const struct bench_options *options, uint32_t index)
{
    const struct bench_layer *layer = &bench_layers[index];
    int number = layer->subject->layer;

    if (options->layer < 0 || number == options->layer)
        return 1;
    return layer->variant == NULL && (number == options->layer - 1 || number == 1) &&
           number < options->layer;
}

int bench_run_batches(uint32_t index, uint32_t batch)
{
    return batch == 1 || bench_layers[index].batches;
}

uint32_t bench_run_stream_probe(
    const struct bench_campaign *campaign, uint32_t stamped, uint32_t cursor)
{
    if (campaign->lanes[stamped].shape.batch >= 8 &&
        bench_campaign_median(campaign, cursor, 0) > bench_campaign_median(campaign, stamped, 0))
        return cursor;
    return stamped;
}

int bench_run_prints(const struct bench_options *options, uint32_t index)
{
    return options->layer < 0 || bench_layers[index].subject->layer == options->layer;
}

/* The lane of the main subject of a layer, or 0. */
static uint32_t lane_of(int number, const uint32_t *layer_lanes)
{
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (bench_layers[i].subject->layer == number && bench_layers[i].variant == NULL)
            return layer_lanes[i];
    return 0;
}

void bench_run_compare(
    const struct bench_campaign *campaign, uint32_t index, const uint32_t *layer_lanes)
{
    int number = bench_layers[index].subject->layer;
    uint32_t lane = layer_lanes[index];
    uint32_t below = lane_of(number - 1, layer_lanes), framed = lane_of(1, layer_lanes);

    if (below != 0)
        bench_report_ratio("ratio_below", bench_campaign_ratio(campaign, lane, below));
    if (number > 1 && framed != 0)
        bench_report_ratio("ratio_framed", bench_campaign_ratio(campaign, lane, framed));
}
