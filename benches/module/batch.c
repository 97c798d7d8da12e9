/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of 16 threads that are collected into batches of 16, beside those of 16 threads whose calls
 * go to the method one by one. The method does nothing but copy, so this is the price of a batch
 * without what it is for: a module that does more at once than one by one.
 */
#include "module.h"

#include "report.h"

#define THREADS       16
#define PAYLOAD_BYTES 64

static int run(const struct bench_options *options)
{
    static struct bench_campaign campaign;
    const struct bench_shape shape = {
        .payload_bytes = PAYLOAD_BYTES, .batch = THREADS, .readers = 1};
    uint32_t lane, probe;

    module_begin(&campaign, &module_measure_crowd, options);
    lane = bench_campaign_add(&campaign, &module_crowd_batching, &shape);
    probe = bench_campaign_add(&campaign, &module_crowd_calling, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    bench_report_begin("module", "batch", &campaign.lanes[lane]);
    bench_report_count("threads", THREADS);
    bench_report_number("calls_per_s", bench_campaign_median(&campaign, lane, 0), 0);
    bench_report_text("probe", campaign.lanes[probe].subject->name);
    bench_report_number("probe_per_s", bench_campaign_median(&campaign, probe, 0), 0);
    bench_report_ratio("ratio", bench_campaign_ratio(&campaign, lane, probe));
    bench_report_end(&campaign, lane, probe);
    return 0;
}

const struct module_part module_batch = {"batch", run};
