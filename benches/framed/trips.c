/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Round trips of every size, over those of layer 0 and of bare memory: two lines, or above 48 bytes
 * two buffers.
 */
#include "framed.h"
#include "layers.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

/* Where the pages of some megabytes lie in the caches is chance: it is thrown this often. */
#define PARTS_OF_MEGABYTES 8

static int run_size(const struct bench_options *options, uint32_t payload_bytes)
{
    static struct bench_campaign campaign;
    int bare = payload_bytes <= BENCH_EVENT_BYTES;
    struct bench_shape shape, probe_shape;
    uint32_t ring, lane, probe;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    probe_shape = shape;
    if (bare)
        probe_shape.payload_bytes = BENCH_WORD_BYTES;
    framed_begin(&campaign, &bench_measure_handoff, options);
    if (payload_bytes >= 1U << 20 && !options->quick)
        campaign.part_count = PARTS_OF_MEGABYTES;
    ring = bench_campaign_add(&campaign, &bench_ring, &shape);
    lane = bench_campaign_add(&campaign, &bench_framed, &shape);
    probe = bench_campaign_add(
        &campaign, bare ? &bench_probe_bounce2 : &bench_probe_buffer2, &probe_shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    bench_report_begin("framed", "trip", &campaign.lanes[lane]);
    framed_report_trip(&campaign, lane, ring);
    bench_report_text("bare", campaign.lanes[probe].subject->name);
    bench_report_number("bare_ns", bench_campaign_median(&campaign, probe, 0), 1);
    bench_report_ratio("ratio_bare", bench_campaign_ratio(&campaign, lane, probe));
    bench_report_end(&campaign, lane, ring);
    return 0;
}

static int run(const struct bench_options *options)
{
    for (uint32_t i = 0; i < framed_payload_count; i++)
        if (framed_wants(options, framed_payloads[i]) && run_size(options, framed_payloads[i]) != 0)
            return 1;
    return 0;
}

const struct framed_part framed_trips = {"trip", run};
