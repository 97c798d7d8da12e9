/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One producer, 1 to 8 consumers that each read every event: what further readers cost, against
 * the bare stamped ring with as many cursors. With fewer CPUs than ends it says so.
 */
#include <stdio.h>

#include "layers.h"
#include "options.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

static const uint32_t reader_counts[] = {1, 2, 4, 8};

static void report(
    const struct bench_campaign *campaign, uint32_t lane, uint32_t probe, uint32_t cpu_count)
{
    const struct bench_shape *shape = &campaign->lanes[lane].shape;
    double rate = bench_campaign_median(campaign, lane, 0);
    int oversubscribed = cpu_count < 1 + shape->readers;
    const char *waiting = oversubscribed ? campaign->lanes[lane].subject->name : "spin";

    bench_report_begin(
        "scaling", oversubscribed && lane + 1 == probe ? waiting : NULL, &campaign->lanes[lane]);
    bench_report_count("batch", shape->batch);
    bench_report_count("consumers", shape->readers);
    bench_report_count("cpus", cpu_count);
    bench_report_count("cores", bench_cpus_core_count());
    printf(",\"oversubscribed\":%s", oversubscribed ? "true" : "false");
    bench_report_text("waiting", waiting);
    bench_report_number("msgs_per_s", rate, 0);
    bench_report_number("bytes_per_s", rate * shape->payload_bytes, 0);
    bench_report_text("probe", "stamped");
    bench_report_number("probe_per_s", bench_campaign_median(campaign, probe, 0), 0);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_end(campaign, lane, probe);
}

static int run(const struct bench_options *options, uint32_t readers, uint32_t cpu_count)
{
    static struct bench_campaign campaign;
    struct bench_shape shape;
    uint32_t first, probe;

    bench_run_shape(&shape, options, options->payload_bytes ? options->payload_bytes : 48,
        options->batch ? options->batch : 1, readers);
    bench_run_init(&campaign, &bench_measure_throughput, options);
    /* Ends that share a CPU must give it away: by yielding, or by sleeping at once. */
    if (cpu_count < 1 + readers) {
        first = bench_campaign_add(&campaign, &bench_ring_yield, &shape);
        (void)bench_campaign_add(&campaign, &bench_ring_futex, &shape);
    } else {
        first = bench_campaign_add(&campaign, &bench_ring, &shape);
    }
    probe = bench_campaign_add(&campaign, &bench_probe_stamped, &shape);
    if (bench_campaign_run(&campaign, readers, bench_options_cpus(options, 1 + readers)) != 0)
        return 1;
    for (uint32_t lane = first; lane < probe; lane++)
        report(&campaign, lane, probe, cpu_count);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench_options options;
    uint32_t cpu_count = bench_cpus_count();

    bench_options_read(&options, argc, argv, "scaling: one producer, 1 to 8 consumers");
    bench_options_need_two_cpus();
    for (uint32_t i = 0; i < sizeof(reader_counts) / sizeof(reader_counts[0]); i++)
        if (run(&options, reader_counts[i], cpu_count) != 0)
            return 1;
    return 0;
}
