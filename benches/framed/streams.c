/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of every size, one message at a time, over those of layer 0 and of the bare stamped ring.
 */
#include "framed.h"
#include "layers.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

static int run_size(const struct bench_options *options, uint32_t payload_bytes)
{
    static struct bench_campaign campaign;
    uint32_t ring, lane, stamped;
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    framed_begin(&campaign, &bench_measure_throughput, options);
    ring = bench_campaign_add(&campaign, &bench_ring, &shape);
    lane = bench_campaign_add(&campaign, &bench_framed, &shape);
    stamped = bench_campaign_add(&campaign, &bench_probe_stamped, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    bench_report_begin("framed", "stream", &campaign.lanes[lane]);
    framed_report_stream(&campaign, lane, ring);
    bench_report_text("bare", "stamped");
    bench_report_number("bare_per_s", bench_campaign_median(&campaign, stamped, 0), 0);
    bench_report_ratio("ratio_bare", bench_campaign_ratio(&campaign, lane, stamped));
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

const struct framed_part framed_streams = {"stream", run};
