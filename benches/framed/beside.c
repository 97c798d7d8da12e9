/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects of layer 1 beside a plain channel of the same sizes: one campaign a size and measure. */
#include "framed.h"

#include <stdio.h>

#include "layers.h"
#include "measure.h"
#include "report.h"
#include "runs.h"

static void report_one(const struct bench_campaign *campaign, const struct framed_beside *beside,
    const struct bench_subject *subject, uint32_t lane_index, uint32_t plain, int is_rate)
{
    char metric[40];

    (void)snprintf(metric, sizeof(metric), "%s-%s", beside->part, is_rate ? "stream" : "trip");
    bench_report_begin("framed", metric, &campaign->lanes[lane_index]);
    bench_report_text(beside->field, subject->name);
    if (is_rate)
        framed_report_stream(campaign, lane_index, plain);
    else
        framed_report_trip(campaign, lane_index, plain);
    if (beside->clock)
        bench_report_number("clock_ns", bench_measure_clock_ns(), 1);
    bench_report_end(campaign, lane_index, plain);
}

static int run_one(const struct bench_options *options, const struct framed_beside *beside,
    uint32_t payload_bytes, int is_rate)
{
    static struct bench_campaign campaign;
    uint32_t plain, lanes[FRAMED_BESIDE_MAX];
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    framed_begin(&campaign, is_rate ? &bench_measure_throughput : &bench_measure_handoff, options);
    plain = bench_campaign_add(&campaign, &bench_framed, &shape);
    for (uint32_t i = 0; i < beside->subject_count; i++)
        lanes[i] = bench_campaign_add(&campaign, beside->subjects[i], &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < beside->subject_count; i++)
        report_one(&campaign, beside, beside->subjects[i], lanes[i], plain, is_rate);
    return 0;
}

int framed_run_beside(const struct bench_options *options, const struct framed_beside *beside)
{
    for (uint32_t i = 0; i < beside->payload_count; i++)
        for (int is_rate = 0; is_rate < 1 + beside->streams; is_rate++)
            if (framed_wants(options, beside->payloads[i]) &&
                run_one(options, beside, beside->payloads[i], is_rate) != 0)
                return 1;
    return 0;
}
