/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sender, 1 to 8 receivers that each read every byte of every message, over as many consumers
 * of layer 0. With fewer CPUs than ends they yield, and the line says so. What a large message
 * costs its sender over one memcpy, however many read it, is the bench copy's.
 */
#include <stdio.h>

#include "framed.h"
#include "layers.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

static const uint32_t payloads[] = {BENCH_EVENT_BYTES, 4096, 131072, BENCH_PAYLOAD_BYTES_MAX};
static const uint32_t reader_counts[] = {1, 2, 4, 8};

static int run_one(const struct bench_options *options, uint32_t payload_bytes, uint32_t readers)
{
    static struct bench_campaign campaign;
    int oversubscribed = bench_cpus_count() < 1 + readers;
    struct bench_shape shape;
    uint32_t ring, lane;

    bench_run_shape(&shape, options, payload_bytes, 1, readers);
    framed_begin(&campaign, &bench_measure_throughput, options);
    ring = bench_campaign_add(&campaign, oversubscribed ? &bench_ring_yield : &bench_ring, &shape);
    lane =
        bench_campaign_add(&campaign, oversubscribed ? &bench_framed_yield : &bench_framed, &shape);
    if (bench_campaign_run(&campaign, readers, bench_options_cpus(options, 1 + readers)) != 0)
        return 1;
    bench_report_begin("framed", "broadcast", &campaign.lanes[lane]);
    bench_report_count("consumers", readers);
    bench_report_count("cpus", bench_cpus_count());
    printf(",\"oversubscribed\":%s", oversubscribed ? "true" : "false");
    bench_report_text("waiting", oversubscribed ? "yield" : "spin");
    framed_report_stream(&campaign, lane, ring);
    bench_report_end(&campaign, lane, ring);
    return 0;
}

static int run(const struct bench_options *options)
{
    for (uint32_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
        for (uint32_t k = 0; k < sizeof(reader_counts) / sizeof(reader_counts[0]); k++)
            if (framed_wants(options, payloads[i]) &&
                run_one(options, payloads[i], reader_counts[k]) != 0)
                return 1;
    return 0;
}

const struct framed_part framed_broadcast = {"broadcast", run};
