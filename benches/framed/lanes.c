/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priority lanes over a plain channel of layer 1, in round trips and in streams: all messages in
 * the first lane that is looked at, all in the last, all three by turns, and so with a bound.
 */
#include "framed.h"
#include "layers.h"
#include "payload.h"
#include "report.h"
#include "runs.h"

static const struct bench_subject *const subjects[] = {
    &bench_lanes_critical, &bench_lanes_low, &bench_lanes_mixed, &bench_lanes_bounded};
#define SUBJECT_COUNT (sizeof(subjects) / sizeof(subjects[0]))

static int run_one(const struct bench_options *options, int is_rate)
{
    static struct bench_campaign campaign;
    uint32_t plain, lanes[SUBJECT_COUNT];
    struct bench_shape shape;

    bench_run_shape(&shape, options, BENCH_EVENT_BYTES, 1, 1);
    framed_begin(&campaign, is_rate ? &bench_measure_throughput : &bench_measure_handoff, options);
    plain = bench_campaign_add(&campaign, &bench_framed, &shape);
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++)
        lanes[i] = bench_campaign_add(&campaign, subjects[i], &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++) {
        bench_report_begin(
            "framed", is_rate ? "lanes-stream" : "lanes-trip", &campaign.lanes[lanes[i]]);
        bench_report_text("lanes", subjects[i]->name);
        if (is_rate)
            framed_report_stream(&campaign, lanes[i], plain);
        else
            framed_report_trip(&campaign, lanes[i], plain);
        bench_report_end(&campaign, lanes[i], plain);
    }
    return 0;
}

static int run(const struct bench_options *options)
{
    if (!framed_wants(options, BENCH_EVENT_BYTES))
        return 0;
    return run_one(options, 0) != 0 || run_one(options, 1) != 0;
}

const struct framed_part framed_lanes = {"lanes", run};
