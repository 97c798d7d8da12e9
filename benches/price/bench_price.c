/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ring's options cost a stream: times in events, histograms of latencies, counters of the
 * application's own; against the ring without them, and the bare rings of throughput.
 */
#include <stddef.h>

#include "layers.h"
#include "options.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

static const uint32_t batches[] = {1, 8, 32};

static const struct bench_subject *const subjects[] = {
    &bench_ring_counters, &bench_ring_timestamp, &bench_ring_histogram, &bench_ring_all};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

struct lanes {
    uint32_t plain, options[SUBJECTS], stamped, cursor;
};

static void report(const struct bench_campaign *campaign, const struct lanes *lanes, uint32_t which,
    uint32_t probe)
{
    uint32_t lane = lanes->options[which];

    bench_report_begin("price", NULL, &campaign->lanes[lane]);
    bench_report_count("batch", campaign->lanes[lane].shape.batch);
    bench_report_text("options", subjects[which]->name);
    bench_report_count("timestamp_every", BENCH_TIMESTAMP_EVERY);
    bench_report_number("msgs_per_s", bench_campaign_median(campaign, lane, 0), 0);
    bench_report_number("plain_per_s", bench_campaign_median(campaign, lanes->plain, 0), 0);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_per_s", bench_campaign_median(campaign, probe, 0), 0);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_ratio("ratio_plain", bench_campaign_ratio(campaign, lane, lanes->plain));
    bench_report_number("spread_plain", bench_campaign_spread(campaign, lane, lanes->plain), 3);
    bench_report_end(campaign, lane, probe);
}

static int run(const struct bench_options *options, uint32_t batch)
{
    static struct bench_campaign campaign;
    struct bench_shape shape;
    struct lanes lanes;
    uint32_t probe;

    bench_run_shape(
        &shape, options, options->payload_bytes ? options->payload_bytes : 48, batch, 1);
    bench_run_init(&campaign, &bench_measure_throughput, options);
    lanes.plain = bench_campaign_add(&campaign, &bench_ring, &shape);
    for (uint32_t i = 0; i < SUBJECTS; i++)
        lanes.options[i] = bench_campaign_add(&campaign, subjects[i], &shape);
    lanes.stamped = bench_campaign_add(&campaign, &bench_probe_stamped, &shape);
    lanes.cursor = bench_campaign_add(&campaign, &bench_probe_cursor, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    probe = bench_run_stream_probe(&campaign, lanes.stamped, lanes.cursor);
    for (uint32_t i = 0; i < SUBJECTS; i++)
        report(&campaign, &lanes, i, probe);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench_options options;

    bench_options_read(&options, argc, argv, "price: what a stream pays for the ring's options");
    bench_options_need_two_cpus();
    for (uint32_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
        if ((options.batch == 0 || options.batch == batches[i]) && run(&options, batches[i]) != 0)
            return 1;
    return 0;
}
