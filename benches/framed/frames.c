/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that do not fit half the ring, in frames: beside one copy of each, which nobody reads,
 * and beside the same message in place, in a ring that is large enough for it.
 */
#include "framed.h"
#include "layers.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

#define DEPTH 4096 /* cells: a quarter of a MiB, where they have 64 bytes */

static const uint32_t payloads[] = {131072, BENCH_PAYLOAD_BYTES_MAX};

static int open_copy(struct bench_lane *lane)
{
    return bench_probe_memcpy.open(lane);
}

static void send_copies(struct bench_lane *lane, uint64_t count, uint64_t value)
{
    bench_probe_memcpy.send(lane, count, value);
}

/* Nothing is looked at: what a reader would have seen. */
static uint64_t receive_nothing(struct bench_lane *lane, uint64_t count)
{
    return bench_payload_expected_run(lane->shape.payload_bytes, BENCH_SEED, count);
}

static const struct bench_subject copies = {.name = "memcpy",
    .layer = -1,
    .open = open_copy,
    .send = send_copies,
    .receive = receive_nothing};

static int run_size(const struct bench_options *options, uint32_t payload_bytes)
{
    static struct bench_campaign campaign;
    uint32_t copy, lane, in_place;
    struct bench_shape shape, small;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    small = shape;
    small.depth = options->depth != 0 ? options->depth : DEPTH;
    if (bench_message_cells(&small) <= small.depth / 2)
        return 0; /* no frames in so large a ring */
    framed_begin(&campaign, &bench_measure_throughput, options);
    copy = bench_campaign_add(&campaign, &copies, &shape);
    lane = bench_campaign_add(&campaign, &bench_framed_frames, &small);
    in_place = bench_campaign_add(&campaign, &bench_framed, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    bench_report_begin("framed", "frames", &campaign.lanes[lane]);
    framed_report_stream(&campaign, lane, copy);
    bench_report_number("in_place_per_s", bench_campaign_median(&campaign, in_place, 0), 0);
    bench_report_ratio("ratio_in_place", bench_campaign_ratio(&campaign, lane, in_place));
    bench_report_end(&campaign, lane, copy);
    return 0;
}

static int run(const struct bench_options *options)
{
    for (uint32_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
        if (framed_wants(options, payloads[i]) && run_size(options, payloads[i]) != 0)
            return 1;
    return 0;
}

const struct framed_part framed_frames = {"frames", run};
