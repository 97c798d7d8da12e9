/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 1 part by part: round trips, streams, broadcast, what its options cost; each figure beside
 * the same without it, of the same milliseconds.
 */
#include "framed.h"

#include <stdio.h>
#include <string.h>

#include "payload.h"
#include "report.h"
#include "runs.h"

static const struct framed_part *const parts[] = {&framed_trips, &framed_streams, &framed_frames,
    &framed_broadcast, &framed_prices, &framed_lanes, &framed_daemon, &framed_calls};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

/* Some seventy campaigns within three minutes, also on a busy machine. */
#define BUDGET_NS UINT64_C(2000000000)

const uint32_t framed_payloads[] = {
    0, 8, 48, 64, 256, 1024, 4096, 32768, 65536, 131072, BENCH_PAYLOAD_BYTES_MAX};
const uint32_t framed_payload_count = sizeof(framed_payloads) / sizeof(framed_payloads[0]);

int framed_wants(const struct bench_options *options, uint32_t payload_bytes)
{
    if (options->payload_bytes != 0)
        return options->payload_bytes == payload_bytes;
    /* The ends of the list, and one between them: is it alive, not how fast. */
    return !options->quick || payload_bytes == 0 || payload_bytes == BENCH_EVENT_BYTES ||
           payload_bytes == BENCH_PAYLOAD_BYTES_MAX;
}

void framed_begin(struct bench_campaign *campaign, const struct bench_measure *measure,
    const struct bench_options *options)
{
    bench_run_init(campaign, measure, options);
    if (!options->quick && options->windows == 0)
        campaign->budget_ns = BUDGET_NS;
}

void framed_report_trip(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t probe_index)
{
    bench_report_number("p50_ns", bench_campaign_median(campaign, lane_index, 0), 1);
    bench_report_number("p99_ns", bench_campaign_median(campaign, lane_index, 1), 1);
    bench_report_text("probe", campaign->lanes[probe_index].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe_index, 0), 1);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane_index, probe_index));
}

void framed_report_stream(
    const struct bench_campaign *campaign, uint32_t lane_index, uint32_t probe_index)
{
    const struct bench_shape *shape = &campaign->lanes[lane_index].shape;
    double rate = bench_campaign_median(campaign, lane_index, 0);

    bench_report_number("msgs_per_s", rate, 0);
    bench_report_number("bytes_per_s", rate * shape->payload_bytes, 0);
    bench_report_text("probe", campaign->lanes[probe_index].subject->name);
    bench_report_number("probe_per_s", bench_campaign_median(campaign, probe_index, 0), 0);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane_index, probe_index));
}

int main(int argc, char **argv)
{
    struct bench_options options;
    uint32_t found = 0;

    bench_options_read(&options, argc, argv, "framed: layer 1 part by part");
    bench_options_need_two_cpus();
    for (uint32_t i = 0; i < PART_COUNT; i++) {
        if (options.part != NULL && strcmp(options.part, parts[i]->name) != 0)
            continue;
        found++;
        if (parts[i]->run(&options) != 0)
            return 1;
    }
    if (found == 0)
        fprintf(stderr, "bench: framed has no part %s\n", options.part);
    return found == 0 ? 2 : 0;
}
