/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four layers over payloads from 64 bytes to 2 MiB: round trips and throughput, as JSON lines,
 * as a table (ladder.csv) and as a picture of it (ladder.svg). With --quick a few payloads, and
 * no files unless --out says where.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ladder.h"
#include "layers.h"
#include "machine.h"
#include "options.h"
#include "payload.h"
#include "probes.h"
#include "report.h"
#include "runs.h"

/* 32 campaigns, within a minute also on a busy machine. */
#define WINDOWS   15
#define BUDGET_NS UINT64_C(1800000000)

static void keep(struct ladder *ladder, const char *name, uint32_t payload_bytes, int is_rate,
    double value, double spread)
{
    struct ladder_point *point = &ladder->points[ladder->point_count++];

    LAM_ASSERT(ladder->point_count <= LADDER_POINTS_MAX);
    snprintf(point->name, sizeof(point->name), "%s", name);
    point->payload_bytes = payload_bytes;
    point->is_rate = is_rate;
    point->value = value;
    point->spread = spread;
}

static void report(struct ladder *ladder, const struct bench_campaign *campaign, uint32_t lane,
    uint32_t probe, int is_rate)
{
    const struct bench_lane *it = &campaign->lanes[lane];
    double value = bench_campaign_median(campaign, lane, 0);
    double spread = bench_campaign_spread(campaign, lane, probe == lane ? 0 : probe);

    if (is_rate)
        value *= it->shape.payload_bytes;
    keep(ladder, it->subject->name, it->shape.payload_bytes, is_rate, value, spread);
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

static int run(
    struct ladder *ladder, const struct bench_options *options, uint32_t payload_bytes, int is_rate)
{
    static struct bench_campaign campaign;
    uint32_t lanes[BENCH_LANES_MAX] = {0}, probe;
    struct bench_shape shape;

    bench_run_shape(&shape, options, payload_bytes, 1, 1);
    bench_run_init(
        &campaign, is_rate ? &bench_measure_throughput : &bench_measure_handoff, options);
    if (!options->quick && options->windows == 0) {
        campaign.wanted_rounds = WINDOWS;
        campaign.budget_ns = BUDGET_NS;
    }
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (bench_layers[i].variant == NULL && bench_run_wants(options, i))
            lanes[i] = bench_campaign_add(&campaign, bench_layers[i].subject, &shape);
    probe = bench_campaign_add(
        &campaign, is_rate ? &bench_probe_stamped : &bench_probe_buffer2, &shape);
    if (bench_campaign_run(&campaign, 1, bench_options_cpus(options, 2)) != 0)
        return 1;
    for (uint32_t i = 0; i < bench_layer_count; i++)
        if (lanes[i] != 0)
            report(ladder, &campaign, lanes[i], probe, is_rate);
    report(ladder, &campaign, probe, probe, is_rate);
    return 0;
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
    struct bench_options options;

    bench_options_read(&options, argc, argv, "ladder: four layers, payloads from 64 B to 2 MiB");
    bench_options_need_two_cpus();
    bench_machine_name(ladder.machine);
    bench_machine_date(ladder.date);
    for (uint32_t bytes = 64; bytes <= BENCH_PAYLOAD_BYTES_MAX; bytes *= options.quick ? 32 : 2) {
        if (options.payload_bytes != 0 && options.payload_bytes != bytes)
            continue;
        if (run(&ladder, &options, bytes, 0) != 0 || run(&ladder, &options, bytes, 1) != 0)
            return 1;
    }
    if (options.folder == NULL && options.quick)
        return 0;
    return write_files(&ladder, options.folder ? options.folder : BENCH_BINARY_DIR);
}
