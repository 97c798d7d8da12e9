/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four layers over payloads from 64 bytes to 2 MiB: round trips and throughput, as JSON lines,
 * as a table (ladder.csv) and as a picture of it (ladder.svg). With --quick a few payloads, and
 * no files unless --out says where.
 */
#include <stdio.h>
#include <unistd.h>

#include "chart.h"
#include "layers.h"
#include "options.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

/* 32 campaigns, within a minute also on a busy machine. */
#define WINDOWS          15
#define LADDER_RUNGS_MAX 16 /* powers of two from 64 bytes to 2 MiB */
#define CLEAN_MIN        3
#define PASSES           5
#define BUDGET_NS        UINT64_C(1800000000)

static const struct bench_chart_line lines[] = {
    {"ring", "layer 0: ring", "#1b6ca8", ""},
    {"framed", "layer 1: framed", "#2a9d5c", ""},
    {"typed", "layer 2: typed (pod)", "#d98e04", ""},
    {"zerocopy", "layer 3: zero-copy (FlatBuffers)", "#b5304a", ""},
    /* Each panel has one of the probes. */
    {"buffer2", "probe: bare buffers, bare stamped ring", "#777777", "5 4"},
    {"stamped", NULL, "#777777", "5 4"},
};

static const struct bench_chart chart = {.title = "Four layers, payloads from 64 bytes to 2 MiB",
    .lines = lines,
    .line_count = sizeof(lines) / sizeof(lines[0])};

static void report(struct bench_points *ladder, const struct bench_campaign *campaign,
    uint32_t lane, uint32_t probe, int is_rate)
{
    const struct bench_lane *it = &campaign->lanes[lane];
    double value = bench_campaign_median(campaign, lane, 0);
    struct bench_point *point =
        bench_points_add(ladder, it->subject->name, it->shape.payload_bytes, is_rate);

    if (is_rate)
        value *= it->shape.payload_bytes;
    point->value = value;
    point->spread = bench_campaign_spread(campaign, lane, probe == lane ? 0 : probe);
    point->is_clean = bench_campaign_clean_count(campaign, lane, 0) != 0;
    bench_report_begin(is_rate ? "ladder-throughput" : "ladder-handoff", NULL, it);
    bench_report_text("subject", it->subject->name);
    if (is_rate)
        bench_report_number("bytes_per_s", value, 0);
    else
        bench_report_number("p50_ns", value, 1);
    bench_report_text("probe", campaign->lanes[probe].subject->name);
    bench_report_ratio("ratio", bench_campaign_ratio(campaign, lane, probe));
    bench_report_end(campaign, lane, probe);
}

/* The lanes: the main subjects, and behind them the probe. */
static uint32_t prepare(struct bench_campaign *campaign, const struct bench_options *options,
    uint32_t payload_bytes, int is_rate)
{
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    bench_run_init(campaign, is_rate ? &bench_measure_throughput : &bench_measure_handoff, options);
    if (!options->quick && options->windows == 0) {
        campaign->wanted_rounds = WINDOWS;
        campaign->budget_ns = BUDGET_NS;
    }
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (bench_layers[i].variant == NULL && bench_run_wants(options, i))
            (void)bench_campaign_add(campaign, bench_layers[i].subject, &shape);
    return bench_campaign_add(
        campaign, is_rate ? &bench_probe_stamped : &bench_probe_buffer2, &shape);
}

/* One rung, in round trips or in bytes a second. */
struct rung {
    uint32_t payload_bytes;
    int is_rate;
    int is_done;
    double near_ns; /* the best placement that was known then */
};

/* Measures it; reports it if that went well, or if it is the last chance. Returns 0 or -errno. */
static int climb(struct bench_points *ladder, const struct bench_options *options,
    struct rung *rung, int is_last)
{
    static struct bench_campaign campaign;
    uint32_t probe = prepare(&campaign, options, rung->payload_bytes, rung->is_rate);
    int rc = bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2));

    if (rc != 0)
        return rc;
    if (!is_last && bench_campaign_clean_count(&campaign, 1, probe) < CLEAN_MIN)
        return 0;
    rung->is_done = 1;
    rung->near_ns = campaign.near_ns;
    for (uint32_t lane = 1; lane <= probe; lane++)
        report(ladder, &campaign, lane, probe, rung->is_rate);
    return 0;
}

/* Drops the points of rungs that were done before the CPUs were near for the first time. */
static void drop_far(struct bench_points *ladder, struct rung *rungs, uint32_t rung_count)
{
    double near_ns = 0;

    for (uint32_t i = 0; i < rung_count; i++)
        if (rungs[i].is_done && (near_ns == 0 || rungs[i].near_ns < near_ns))
            near_ns = rungs[i].near_ns;
    for (uint32_t i = 0; i < rung_count; i++) {
        uint32_t kept = 0;

        if (!rungs[i].is_done || rungs[i].near_ns < 2 * near_ns)
            continue;
        rungs[i].is_done = 0;
        for (uint32_t k = 0; k < ladder->count; k++)
            if (ladder->points[k].payload_bytes != rungs[i].payload_bytes ||
                ladder->points[k].is_rate != rungs[i].is_rate)
                ladder->points[kept++] = ladder->points[k];
        ladder->count = kept;
    }
}

static uint32_t list_rungs(const struct bench_options *options, struct rung *rungs)
{
    uint32_t count = 0;

    for (uint32_t bytes = 64; bytes <= BENCH_PAYLOAD_BYTES_MAX; bytes *= options->quick ? 32 : 2) {
        if (options->payload_bytes != 0 && options->payload_bytes != bytes)
            continue;
        for (int is_rate = 0; is_rate < 2; is_rate++)
            rungs[count++] = (struct rung){bytes, is_rate, 0, 0};
    }
    return count;
}

int main(int argc, char **argv)
{
    static struct bench_points ladder;
    static struct rung rungs[2 * LADDER_RUNGS_MAX];
    struct bench_options options;
    uint32_t rung_count, passes;

    bench_options_read(&options, argc, argv, "ladder: four layers, payloads from 64 B to 2 MiB");
    bench_options_need_two_cpus();
    passes = options.quick ? 1 : PASSES;
    bench_points_init(&ladder);
    rung_count = list_rungs(&options, rungs);
    /* Far CPUs and busy neighbours come in stretches of seconds: what fell into one comes again. */
    for (uint32_t pass = 1; pass <= passes; pass++) {
        for (uint32_t i = 0; i < rung_count; i++)
            if (!rungs[i].is_done && climb(&ladder, &options, &rungs[i], pass == passes) != 0)
                return 1;
        if (pass != passes)
            drop_far(&ladder, rungs, rung_count);
    }
    /* Rungs are done in the order in which the machine let them be. */
    bench_points_sort(&ladder);
    if (options.folder == NULL && options.quick)
        return 0;
    /* A program that was carried to another machine has no build folder there. */
    if (options.folder == NULL)
        options.folder = access(BENCH_BINARY_DIR, W_OK) == 0 ? BENCH_BINARY_DIR : ".";
    return bench_chart_save(&ladder, &chart, options.folder, "ladder") != 0;
}
