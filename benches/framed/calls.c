/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Round trips of requests and replies, and of one request to four workers with its four answers,
 * over a plain channel's round trip. The four workers take turns on one CPU.
 */
#include "framed.h"
#include "layers.h"
#include "report.h"
#include "runs.h"

static const struct bench_subject *const subjects[] = {&bench_call, &bench_scatter};
#define SUBJECT_COUNT (sizeof(subjects) / sizeof(subjects[0]))

static const uint32_t payloads[] = {0, 48, 1024, 4096};

static int run_size(const struct bench_options *options, uint32_t payload_bytes)
{
    static struct bench_campaign campaign;
    uint32_t plain, calls[SUBJECT_COUNT];
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    framed_begin(&campaign, &bench_measure_handoff, options);
    plain = bench_campaign_add(&campaign, &bench_framed, &shape);
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++)
        calls[i] = bench_campaign_add(&campaign, subjects[i], &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++) {
        bench_report_begin("framed", "call-trip", &campaign.lanes[calls[i]]);
        bench_report_text("call", subjects[i]->name);
        framed_report_trip(&campaign, calls[i], plain);
        bench_report_end(&campaign, calls[i], plain);
    }
    return 0;
}

static int run(const struct bench_options *options)
{
    for (uint32_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
        if (framed_wants(options, payloads[i]) && run_size(options, payloads[i]) != 0)
            return 1;
    return 0;
}

const struct framed_part framed_calls = {"call", run};
