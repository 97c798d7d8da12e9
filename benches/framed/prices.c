/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What extensions on every message cost, in round trips and in streams, over layer 1 without: 32
 * bytes, where one extension fits the line of the message, 48, where it takes a second one, and
 * 4 KiB, where a CRC32C is what is paid for.
 */
#include "framed.h"
#include "layers.h"
#include "report.h"
#include "runs.h"

static const uint32_t payloads[] = {32, 48, 4096};

static const struct bench_subject *const subjects[] = {
    &bench_framed_correlation, &bench_framed_timestamp, &bench_framed_crc32c, &bench_framed_all};
#define SUBJECT_COUNT (sizeof(subjects) / sizeof(subjects[0]))

static int run_one(const struct bench_options *options, uint32_t payload_bytes, int is_rate)
{
    static struct bench_campaign campaign;
    uint32_t plain, lanes[SUBJECT_COUNT];
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    framed_begin(&campaign, is_rate ? &bench_measure_throughput : &bench_measure_handoff, options);
    plain = bench_campaign_add(&campaign, &bench_framed, &shape);
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++)
        lanes[i] = bench_campaign_add(&campaign, subjects[i], &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < SUBJECT_COUNT; i++) {
        bench_report_begin(
            "framed", is_rate ? "price-stream" : "price-trip", &campaign.lanes[lanes[i]]);
        bench_report_text("options", subjects[i]->name);
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
    for (uint32_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
        for (int is_rate = 0; is_rate < 2; is_rate++)
            if (framed_wants(options, payloads[i]) && run_one(options, payloads[i], is_rate) != 0)
                return 1;
    return 0;
}

const struct framed_part framed_prices = {"price", run};
