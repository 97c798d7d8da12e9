/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four layers over payloads from 64 bytes to 2 MiB: round trips and throughput, as JSON lines,
 * as a table (ladder.csv) and as a picture of it (ladder.svg). With --quick a few payloads, and
 * no files unless --out says where.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ladder.h"
#include "layers.h"
#include "machine.h"
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

static struct ladder_point *keep(struct ladder *ladder, const struct bench_lane *lane, int is_rate)
{
    struct ladder_point *point = &ladder->points[ladder->point_count++];

    LAM_ASSERT(ladder->point_count <= LADDER_POINTS_MAX);
    snprintf(point->name, sizeof(point->name), "%s", lane->subject->name);
    point->payload_bytes = lane->shape.payload_bytes;
    point->is_rate = is_rate;
    return point;
}

static void report(struct ladder *ladder, const struct bench_campaign *campaign, uint32_t lane,
    uint32_t probe, int is_rate)
{
    const struct bench_lane *it = &campaign->lanes[lane];
    double value = bench_campaign_median(campaign, lane, 0);
    struct ladder_point *point = keep(ladder, it, is_rate);

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
static int climb(
    struct ladder *ladder, const struct bench_options *options, struct rung *rung, int is_last)
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
static void drop_far(struct ladder *ladder, struct rung *rungs, uint32_t rung_count)
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
        for (uint32_t k = 0; k < ladder->point_count; k++)
            if (ladder->points[k].payload_bytes != rungs[i].payload_bytes ||
                ladder->points[k].is_rate != rungs[i].is_rate)
                ladder->points[kept++] = ladder->points[k];
        ladder->point_count = kept;
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

/* By unit and size: rungs are done in the order in which the machine let them be. */
static int compare_points(const void *left, const void *right)
{
    const struct ladder_point *a = left, *b = right;

    if (a->is_rate != b->is_rate)
        return a->is_rate - b->is_rate;
    if (a->payload_bytes != b->payload_bytes)
        return a->payload_bytes < b->payload_bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int write_files(const struct ladder *ladder, const char *folder)
{
    char path[4096];
    int rc;

    snprintf(path, sizeof(path), "%s/ladder.csv", folder);
    rc = ladder_write_csv(ladder, path);
    if (rc == 0) {
        fprintf(stderr, "bench: wrote %s\n", path);
        snprintf(path, sizeof(path), "%s/ladder.svg", folder);
        rc = ladder_write_svg(ladder, path);
    }
    fprintf(stderr, rc == 0 ? "bench: wrote %s\n" : "bench: cannot write %s\n", path);
    return rc != 0;
}

int main(int argc, char **argv)
{
    static struct ladder ladder;
    static struct rung rungs[2 * LADDER_RUNGS_MAX];
    struct bench_options options;
    uint32_t rung_count, passes;

    bench_options_read(&options, argc, argv, "ladder: four layers, payloads from 64 B to 2 MiB");
    bench_options_need_two_cpus();
    passes = options.quick ? 1 : PASSES;
    bench_machine_name(ladder.machine);
    bench_machine_date(ladder.date);
    rung_count = list_rungs(&options, rungs);
    /* Far CPUs and busy neighbours come in stretches of seconds: what fell into one comes again. */
    for (uint32_t pass = 1; pass <= passes; pass++) {
        for (uint32_t i = 0; i < rung_count; i++)
            if (!rungs[i].is_done && climb(&ladder, &options, &rungs[i], pass == passes) != 0)
                return 1;
        if (pass != passes)
            drop_far(&ladder, rungs, rung_count);
    }
    qsort(ladder.points, ladder.point_count, sizeof(ladder.points[0]), compare_points);
    if (options.folder == NULL && options.quick)
        return 0;
    /* A program that was carried to another machine has no build folder there. */
    if (options.folder == NULL)
        options.folder = access(BENCH_BINARY_DIR, W_OK) == 0 ? BENCH_BINARY_DIR : ".";
    return write_files(&ladder, options.folder);
}
