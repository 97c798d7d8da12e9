/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 1 to 8 producers, one consumer: messages a second of all together, on one ring and, merged, on a
 * ring of each producer's own; against a bare ring whose writers claim by one atomic addition. With
 * fewer CPUs than ends it says so.
 */
#include <stdio.h>

#include "clock.h"
#include "layers.h"
#include "options.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

#define OVERSUBSCRIBED_WINDOW_NS (20 * BENCH_NS_PER_MS)

static const uint32_t producer_counts[] = {1, 2, 4, 8};

static void report(const struct bench_campaign *campaign, const char *variant, uint32_t lane,
    uint32_t probe, uint32_t cpu_count)
{
    const struct bench_shape *shape = &campaign->lanes[lane].shape;
    double rate = bench_campaign_median(campaign, lane, 0);
    int oversubscribed = cpu_count < 1 + shape->readers;

    bench_report_begin("producers", variant, &campaign->lanes[lane]);
    bench_report_count("batch", 1);
    bench_report_count("producers", shape->readers);
    bench_report_count("cpus", cpu_count);
    bench_report_count("cores", bench_cpus_core_count());
    printf(",\"oversubscribed\":%s", oversubscribed ? "true" : "false");
    bench_report_text("waiting", oversubscribed ? "yield" : "spin");
    bench_report_number("msgs_per_s", rate, 0);
    bench_report_number("bytes_per_s", rate * shape->payload_bytes, 0);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_number("probe_per_s", bench_campaign_median(campaign, probe, 0), 0);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_end(campaign, lane, probe);
}

static int run(const struct bench_options *options, uint32_t producers, uint32_t cpu_count)
{
    static struct bench_campaign campaign;
    struct bench_shape shape;
    uint32_t many, merged, probe;
    int oversubscribed = cpu_count < 1 + producers;

    bench_run_shape(&shape, options,
        options->payload_bytes ? options->payload_bytes : BENCH_EVENT_BYTES, 1, producers);
    bench_run_init(&campaign, &bench_measure_gather, options);
    /* Who is put off between claim and commit holds all back: a window has many such turns. */
    if (oversubscribed && !options->quick)
        campaign.window_ns = OVERSUBSCRIBED_WINDOW_NS;
    many = bench_campaign_add(
        &campaign, oversubscribed ? &bench_ring_many_yield : &bench_ring_many, &shape);
    merged = bench_campaign_add(
        &campaign, oversubscribed ? &bench_ring_merge_yield : &bench_ring_merge, &shape);
    probe = bench_campaign_add(&campaign, &bench_probe_claimed, &shape);
    if (bench_campaign_run(&campaign, producers, bench_options_cpus(options, 1 + producers)) != 0)
        return 1;
    report(&campaign, NULL, many, probe, cpu_count);
    report(&campaign, "merged", merged, probe, cpu_count);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench_options options;
    uint32_t cpu_count = bench_cpus_count();

    bench_options_read(&options, argc, argv, "producers: 1 to 8 producers, one consumer");
    bench_options_need_two_cpus();
    for (uint32_t i = 0; i < sizeof(producer_counts) / sizeof(producer_counts[0]); i++)
        if (run(&options, producer_counts[i], cpu_count) != 0)
            return 1;
    return 0;
}
