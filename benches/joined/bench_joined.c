/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a publish costs the producer when 0, 1, 8, 64 lossy readers have joined, against the stores
 * alone. The readers do not run: what they would read along is the question of other benches.
 */
#include <stddef.h>

#include "layers.h"
#include "options.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

static const uint32_t joined_counts[] = {0, 1, 8, 64};
#define COUNTS (sizeof(joined_counts) / sizeof(joined_counts[0]))
#define ONE    1 /* where 1 is in the list */

static void report(
    const struct bench_campaign *campaign, const uint32_t *lanes, uint32_t which, uint32_t probe)
{
    uint32_t lane = lanes[which];

    bench_report_begin("joined", NULL, &campaign->lanes[lane]);
    bench_report_count("joined", joined_counts[which]);
    bench_report_number("publish_ns", bench_campaign_median(campaign, lane, 0), 2);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_ns", bench_campaign_median(campaign, probe, 0), 2);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_ratio("ratio_one", bench_campaign_ratio(campaign, lane, lanes[ONE]));
    bench_report_number("spread_one", bench_campaign_spread(campaign, lane, lanes[ONE]), 3);
    bench_report_end(campaign, lane, probe);
}

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    struct bench_shape shape;
    uint32_t lanes[COUNTS], probe;

    bench_run_shape(&shape, options, options->payload_bytes ? options->payload_bytes : 48, 1, 1);
    bench_run_init(&campaign, &bench_measure_publish, options);
    for (uint32_t i = 0; i < COUNTS; i++) {
        shape.joined = joined_counts[i];
        lanes[i] = bench_campaign_add(&campaign, &bench_ring_joined, &shape);
    }
    probe = bench_campaign_add(&campaign, &bench_probe_stores, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < COUNTS; i++)
        report(&campaign, lanes, i, probe);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench_options options;

    bench_options_read(&options, argc, argv, "joined: a publish beside 0 to 64 lossy readers");
    bench_options_need_two_cpus();
    return run(&options);
}
