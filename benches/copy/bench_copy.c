/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large message: what sending costs over one copy into memory as large as the ring, and what
 * receiving costs, which does not depend on the size. Then the same where 1, 2 and 4 readers read
 * every byte of it, beside a copy whose bytes as many read: one write, however many readers.
 */
#include <stdio.h>

#include "layers.h"
#include "options.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

/* Where the pages of some megabytes lie in the caches is chance: it is thrown this often. */
#define PARTS 8

#define READERS_MAX 4

static int run(const struct bench_options *options, uint32_t payload_bytes)
{
    static struct bench_campaign campaign;
    uint32_t layer_lanes[BENCH_LANES_MAX] = {0}, probe;
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    bench_run_init(&campaign, &bench_measure_copy, options);
    if (!options->quick)
        campaign.part_count = PARTS;
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (bench_run_wants(options, i) && bench_layers[i].subject->skim != NULL &&
            bench_layers[i].variant == NULL)
            layer_lanes[i] = bench_campaign_add(&campaign, bench_layers[i].subject, &shape);
    probe = bench_campaign_add(&campaign, &bench_probe_memcpy, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < bench_layer_count; i++) {
        uint32_t lane = layer_lanes[i];

        if (lane == 0 || !bench_run_prints(options, i))
            continue;
        bench_report_begin("copy", bench_layers[i].variant, &campaign.lanes[lane]);
        bench_report_number("send_ns", bench_campaign_median(&campaign, lane, 0), 1);
        bench_report_number("receive_ns", bench_campaign_median(&campaign, lane, 1), 1);
        bench_report_text("probe", "memcpy");
        bench_report_number("probe_ns", bench_campaign_median(&campaign, probe, 0), 1);
        bench_report_ratio("ratio", bench_campaign_ratio(&campaign, lane, probe));
        bench_report_end(&campaign, lane, probe);
    }
    return 0;
}

static void report_read(
    const struct bench_campaign *campaign, uint32_t lane, uint32_t probe, uint32_t readers)
{
    bench_report_begin("copy", "read", &campaign->lanes[lane]);
    bench_report_count("readers", readers);
    bench_report_count("cpus", bench_cpus_count());
    printf(",\"oversubscribed\":%s", bench_cpus_count() < 1 + readers ? "true" : "false");
    bench_report_number("send_ns", bench_campaign_median(campaign, lane, 0), 1);
    bench_report_number("read_ns", bench_campaign_median(campaign, lane, 1), 1);
    bench_report_text("probe", "memcpy");
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 1);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_end(campaign, lane, probe);
}

/* Layers 0 and 1: what is above them writes and reads in the same place. */
static int run_read(const struct bench_options *options, uint32_t payload_bytes, uint32_t readers)
{
    static struct bench_campaign campaign;
    uint32_t layer_lanes[BENCH_LANES_MAX] = {0}, probe;
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, readers);
    bench_run_init(&campaign, &bench_measure_copy_read, options);
    if (!options->quick)
        campaign.part_count = PARTS;
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (bench_run_wants(options, i) && bench_layers[i].subject->layer <= 1 &&
            bench_layers[i].variant == NULL)
            layer_lanes[i] = bench_campaign_add(&campaign, bench_layers[i].subject, &shape);
    probe = bench_campaign_add(&campaign, &bench_probe_memcpy, &shape);
    if (bench_campaign_run(&campaign, readers, bench_options_cpus(options, 1 + readers)) != 0)
        return 1;
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (layer_lanes[i] != 0 && bench_run_prints(options, i))
            report_read(&campaign, layer_lanes[i], probe, readers);
    return 0;
}

static int run_all(const struct bench_options *options, uint32_t payload_bytes)
{
    int rc = run(options, payload_bytes);

    if (options->layer > 1)
        return rc;
    for (uint32_t readers = 1; rc == 0 && readers <= READERS_MAX; readers *= 2)
        rc = run_read(options, payload_bytes, readers);
    return rc;
}

int main(int argc, char **argv)
{
    struct bench_options options;

    bench_options_read(&options, argc, argv, "copy: a large message against one memcpy");
    bench_options_need_two_cpus();
    if (options.payload_bytes != 0)
        return run_all(&options, options.payload_bytes);
    return run_all(&options, BENCH_PAYLOAD_BYTES_MAX) != 0 || run(&options, 65536) != 0;
}
